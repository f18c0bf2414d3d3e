//! One bad board stops nothing else, and is named.

use std::time::Duration;

use domain::event::{Event, Fact};
use rumqttc::{AsyncClient, MqttOptions, QoS};
use serde_json::Value;
use system_tests::{
    device::Faults,
    hall::{DEVICE, Hall, SITE},
    locker::{Cabinet, Locker, Timing},
    process::http_client,
};
use tokio::time::sleep;

const BAD: &str = "[[controllers]]\nid = \"bad\"\nlink = \"mqtt\"\nkind = \"locker\"\n\
                   doors = [\"B001\"]\n";

fn named(events: &[Event]) -> Vec<(String, String)> {
    let misbehaves = |event: &Event| match &event.fact {
        Fact::DeviceMisbehaves { device, how } => Some((device.to_string(), how.clone())),
        _ => None,
    };
    events.iter().filter_map(misbehaves).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_babbles_is_named_and_the_others_work() {
    let hall = Hall::start(BAD).await.unwrap();
    hall.locker.board().hardware.set_people(true);
    let bad = Locker::new(Cabinet::new(1, Timing::default()));
    let _link = hall.another(&bad).unwrap();
    hall.online("bad", true).await.unwrap();
    let (order, code) = hall.rent("A001").await.unwrap();
    bad.set_faults(Faults { babbling: true, ..Faults::default() });
    hall.until("it is named", |events| !named(events).is_empty()).await.unwrap();
    for count in 1..=3 {
        hall.type_code(&code);
        hall.released(count).await.unwrap();
        sleep(Duration::from_millis(1_100)).await;
    }
    hall.order_is(order, "in_use").await.unwrap();
    let ready = http_client().get(format!("{}/readyz", hall.edge.health_url()));
    let ready: Value = ready.send().await.unwrap().json().await.unwrap();
    assert!(ready["faults"]["bad"].as_str().unwrap().contains("babbles"), "{ready}");
    assert_eq!(ready["controllers"][DEVICE], "online");
    let named = named(&hall.edge.events().unwrap());
    assert_eq!(named.len(), 1, "{named:?}");
    bad.set_faults(Faults::default());
    let behaves =
        |events: &[Event]| events.iter().any(|e| matches!(e.fact, Fact::DeviceBehaves { .. }));
    hall.until("it has calmed down", behaves).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_in_a_boards_name_is_thrown_away_and_the_board_is_named() {
    let hall = Hall::start("").await.unwrap();
    hall.locker.board().hardware.set_people(true);
    let (_, code) = hall.rent("A001").await.unwrap();
    let mut options = MqttOptions::new("stranger", "127.0.0.1", hall.broker.port());
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut eventloop) = AsyncClient::new(options, 100);
    let stranger = tokio::spawn(async move { while eventloop.poll().await.is_ok() {} });
    let deep = "[".repeat(4_000);
    let state = r#"{"boot_id":NaN,"session":1e999,"uptime_ms":-1,"seq":0,"doors":[]}"#;
    let unsealed = format!(r#"{{"boot_id":1,"session":1,"code":"{code}","source":"keypad"}}"#);
    for round in 0..6 {
        for (leaf, payload) in [
            ("state", "x".repeat(256 << 10)),
            ("state", deep.clone()),
            ("result/open", deep.clone()),
            ("event/code", unsealed.clone()),
            ("event/sing", "{}".to_owned()),
            ("availability", state.to_owned()),
        ] {
            let topic = format!("site/v1/{SITE}/locker/{DEVICE}/{leaf}");
            client.publish(topic, QoS::AtLeastOnce, round % 2 == 0, payload).await.unwrap();
        }
    }
    hall.until("it is named", |events| !named(events).is_empty()).await.unwrap();
    hall.type_code(&code);
    hall.released(1).await.unwrap();
    assert_eq!(named(&hall.edge.events().unwrap())[0].0, DEVICE);
    stranger.abort();
}
