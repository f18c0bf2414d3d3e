//! What is taken and what is refused, with what would be right.
#![allow(clippy::unwrap_used)]

use super::*;

fn complaint(text: &str) -> String {
    let config: Config = toml::from_str(text).unwrap();
    config.check().unwrap_err().to_string()
}

#[test]
fn takes_lines_with_several_devices_and_a_broker() {
    let config: Config = toml::from_str(
        r#"
        controllers = [
            { id = "entry", link = "serial", path = "/dev/ttyUSB0", address = 1 },
            { id = "exit", link = "serial", path = "/dev/ttyUSB0", address = 2 },
            { id = "back", link = "mqtt" },
        ]
        [mqtt]
        host = "broker"
        "#,
    )
    .unwrap();
    config.check().unwrap();
    assert_eq!(config.mqtt.unwrap().port, 1883);
}

#[test]
fn names_the_key_that_is_wrong_and_what_would_be_right() {
    let serial = |more: &str| format!("[[controllers]]\nid = 'a'\nlink = 'serial'\n{more}");
    for (text, key, right) in [
        (serial("path = 'ttyUSB0'"), "controllers[0].path", "/dev/ttyUSB0"),
        (serial("path = '/dev/a'\nbaud = 7"), "controllers[0].baud", "115200"),
        (serial("path = '/dev/a'\naddress = 0"), "controllers[0].address", "1 to 247"),
        (serial("path = '/dev/a'\n") + &serial("path = '/dev/b'"), "controllers[1].id", "own name"),
        (
            serial("path = '/dev/a'\n") + &serial("path = '/dev/a'").replace("'a'", "'b'"),
            "controllers[1].address",
            "own address",
        ),
        (
            serial("path = '/dev/a'\nbaud = 9600\n")
                + &serial("path = '/dev/a'\naddress = 2").replace("'a'", "'b'"),
            "controllers[0].baud",
            "one rate",
        ),
        ("[[controllers]]\nid = 'a'\nlink = 'mqtt'".to_owned(), "controllers[0].link", "[mqtt]"),
        (
            "[[controllers]]\nid = 'a'\nlink = 'mqtt'\nkind = 'locker'\n[mqtt]".to_owned(),
            "controllers[0].doors",
            "name the locker's doors",
        ),
        (
            "[[controllers]]\nid = 'a'\nlink = 'mqtt'\nkind = 'locker'\n\
             doors = ['A1', 'A1']\n[mqtt]"
                .to_owned(),
            "controllers[0].doors",
            "each once",
        ),
        (
            "[[controllers]]\nid = 'a'\nlink = 'mqtt'\ndoors = ['A1']\n[mqtt]".to_owned(),
            "controllers[0].doors",
            "leave it out",
        ),
        (
            "[[controllers]]\nid = 'a'\nlink = 'http'\nkey_sha256 = ''\ndoors = ['A1']".to_owned(),
            "controllers[0].link",
            "[lan]",
        ),
        (
            "[[controllers]]\nid = 'a'\nlink = 'http'\nkey_sha256 = 'secret'\n\
             doors = ['A1']\n[lan]\nlisten = '192.0.2.1:8090'"
                .to_owned(),
            "controllers[0].key_sha256",
            "sha256sum",
        ),
        ("[mqtt]\nusername = 'a'".to_owned(), "mqtt.username", "both"),
        (
            "[mqtt]\nusername = 'a'\npassword_file = '/nowhere'".to_owned(),
            "mqtt.password_file",
            "/nowhere",
        ),
    ] {
        let complaint = complaint(&text);
        assert!(complaint.starts_with(key), "{complaint}");
        assert!(complaint.contains(right), "{complaint}");
    }
}

#[test]
fn the_example_shows_the_usual_values() {
    let example = include_str!("../../../../config/edge.example.toml");
    let mut file: toml::Table = example.parse().unwrap();
    file.retain(|key, _| matches!(key, "controllers" | "mqtt" | "lan"));
    let config: Config = file.try_into().unwrap();
    config.check().unwrap();
    let Controller::Serial { baud, address, .. } = config.controllers[0] else {
        panic!("the first is on a line")
    };
    assert_eq!((baud, address), (usual_baud(), usual_address()));
    let broker = config.mqtt.unwrap();
    assert_eq!((broker.host, broker.port), (usual_host(), usual_port()));
}

#[test]
fn a_misspelt_key_is_an_error() {
    let text = "[[controllers]]\nid = 'a'\nlink = 'serial'\npath = '/dev/a'\nbuad = 9600";
    assert!(toml::from_str::<Config>(text).unwrap_err().to_string().contains("buad"));
}
