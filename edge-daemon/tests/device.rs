//! `edge-daemon device …` as a person runs it.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

/// A site with a broker that asks for a password.
fn site(folder: &Path) {
    fs::write(folder.join("password"), "secret-of-the-edge\n").unwrap();
    let example = include_str!("../../config/edge.example.toml");
    let mut config: toml::Table = example.parse().unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    config["journal"].as_table_mut().unwrap().insert("state_dir".to_owned(), path("state").into());
    let mqtt = config["mqtt"].as_table_mut().unwrap();
    mqtt.insert("username".to_owned(), "edge".into());
    mqtt.insert("password_file".to_owned(), path("password").into());
    fs::write(folder.join("edge.toml"), config.to_string()).unwrap();
}

fn device(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edge-daemon"))
        .arg("device")
        .args(arguments)
        .args(["--config", "edge.toml", "--broker", "."])
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(both).unwrap()
}

#[test]
fn a_device_is_paired_once_listed_and_unpaired() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    site(folder);
    let hall = ["--kind", "locker", "--device", "hall-1"];
    let paired = device(folder, &[&["pair", "--json"], &hall[..]].concat());
    assert!(paired.status.success(), "{}", text(&paired));
    let given: Value = serde_json::from_slice(&paired.stdout).unwrap();
    assert_eq!((&given["site"], &given["user"]), (&"north-gate".into(), &"locker-hall-1".into()));

    let key = folder.join("state/devices/locker/hall-1.key");
    assert_eq!(fs::read_to_string(&key).unwrap().trim_end(), given["key"]);
    for file in [key.clone(), folder.join("passwords"), folder.join("access")] {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    let passwords = fs::read_to_string(folder.join("passwords")).unwrap();
    assert!(passwords.contains("locker-hall-1:$7$") && passwords.contains("edge:$7$"));
    for secret in [given["password"].as_str().unwrap(), "secret-of-the-edge"] {
        assert!(!passwords.contains(secret), "a password is not kept");
    }

    let again = device(folder, &[&["pair"], &hall[..]].concat());
    assert!(!again.status.success());
    assert!(text(&again).contains("--replace"), "{}", text(&again));
    let replaced = ["pair", "--replace", "--qr", "hall.png"];
    let replaced = device(folder, &[&replaced, &hall[..]].concat());
    assert!(replaced.status.success(), "{}", text(&replaced));
    let shown = text(&replaced);
    assert!(!shown.contains(given["key"].as_str().unwrap()), "the old key is over");
    assert!(shown.lines().filter(|line| line.contains('█')).count() > 20, "{shown}");
    assert!(shown.contains("id = \"hall-1\""), "the configuration does not name it: {shown}");
    let picture = folder.join("hall.png");
    assert!(fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(fs::metadata(&picture).unwrap().permissions().mode() & 0o777, 0o600);

    assert_eq!(text(&device(folder, &["list"])), "locker   hall-1\n");
    let unpaired = device(folder, &[&["unpair"], &hall[..]].concat());
    assert!(unpaired.status.success(), "{}", text(&unpaired));
    assert!(!key.exists());
    assert_eq!(text(&device(folder, &["list"])), "");
    let unpaired = device(folder, &[&["unpair"], &hall[..]].concat());
    assert!(text(&unpaired).contains("hall-1 is not paired"), "{}", text(&unpaired));
}

#[test]
fn check_config_names_devices_without_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    site(folder);
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edge-daemon"));
        command.args(["check-config", "edge.toml"]).current_dir(folder).output().unwrap()
    };
    let before = check();
    assert!(before.status.success(), "{}", text(&before));
    assert!(text(&before).contains("the barrier `barrier-exit` has no key"), "{}", text(&before));
    let exit = ["pair", "--kind", "barrier", "--device", "barrier-exit"];
    assert!(device(folder, &exit).status.success());
    let after = text(&check());
    assert!(
        !after.contains("barrier-exit") && after.contains("`locker-hall` has no key"),
        "{after}"
    );
}
