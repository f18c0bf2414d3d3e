//! What `edge-daemon device pair` makes, at a real mosquitto: a paired device keeps every promise,
//! and its account reaches nothing of others.
#![allow(clippy::unwrap_used)]

use std::{io, path::Path, time::Duration};

use edge_daemon::{
    conformance::mqtt::{self, Broker, Kind, Subject},
    controller::keys::Keys,
    pairing::{Accounts, Device, Pairing},
};
use firmware_protocol::seal::Key;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::Value;
use system_tests::{
    barrier::{Boom, Timing},
    charger::Pile,
    device::{Account, Hardware, MqttDevice, Simulated},
    locker::{Cabinet, Timing as DoorTiming},
    mosquitto::Mosquitto,
};
use tempfile::TempDir;
use tokio::time::timeout;

struct Site {
    broker: Mosquitto,
    keys: Keys,
    passwords: Vec<String>,
    state: TempDir,
}

impl Site {
    /// A site with two lockers, `hall` and `yard`.
    fn new() -> Self {
        let state = TempDir::new().unwrap();
        let mut passwords = Vec::new();
        let broker = Mosquitto::start_paired(|folder, port| {
            let pairing = pairing(&state, folder);
            pairing.accounts.configure(port).map_err(io::Error::other)?;
            pairing.admit_host("edge", "of-the-edge").map_err(io::Error::other)?;
            passwords.extend(["hall", "yard"].map(|id| pair(&pairing, id)));
            Ok(())
        });
        Self { broker: broker.unwrap(), keys: Keys::new(state.path()), passwords, state }
    }

    fn options(&self, user: &str, password: &str) -> MqttOptions {
        let mut options = MqttOptions::new(format!("test-{user}"), "127.0.0.1", self.broker.port());
        options.set_credentials(user, password);
        options
    }

    /// Whether the broker lets somebody in.
    async fn admits(&self, user: &str, password: &str) -> bool {
        let (_client, mut eventloop) = AsyncClient::new(self.options(user, password), 10);
        eventloop.poll().await.is_ok()
    }
}

fn pairing(state: &TempDir, folder: &Path) -> Pairing {
    let accounts = Accounts::open(folder.to_owned()).unwrap();
    Pairing { site: "site".parse().unwrap(), keys: Keys::new(state.path()), accounts }
}

fn locker(id: &str) -> Device {
    Device { kind: "locker".to_owned(), id: id.parse().unwrap() }
}

/// The password that a device is given.
fn pair(pairing: &Pairing, id: &str) -> String {
    let given = pairing.pair(locker(id), ("127.0.0.1".to_owned(), 1883), false).unwrap();
    let given: Value = serde_json::from_str(&given.to_json()).unwrap();
    given["password"].as_str().unwrap().to_owned()
}

async fn connect(site: &Site, user: &str, password: &str) -> (AsyncClient, EventLoop) {
    let (client, mut eventloop) = AsyncClient::new(site.options(user, password), 100);
    loop {
        if let Event::Incoming(Packet::ConnAck(_)) = eventloop.poll().await.unwrap() {
            return (client, eventloop);
        }
    }
}

async fn first_topic(eventloop: &mut EventLoop) -> String {
    let first = timeout(Duration::from_secs(10), async {
        loop {
            if let Event::Incoming(Packet::Publish(message)) = eventloop.poll().await.unwrap() {
                return message.topic;
            }
        }
    });
    first.await.unwrap()
}

/// Tries a device of a kind with the account that it was given.
async fn keeps_every_promise<H: Hardware>(site: &Site, kind: Kind, id: &str, hardware: H) {
    let device = Device { kind: kind.word().to_owned(), id: id.parse().unwrap() };
    let place = ("127.0.0.1".to_owned(), site.broker.port());
    let given = pairing(&site.state, site.broker.folder()).pair(device, place, true).unwrap();
    let given: Value = serde_json::from_str(&given.to_json()).unwrap();
    site.broker.reload().unwrap();
    let said = |name: &str| given[name].as_str().unwrap().to_owned();
    let account = |login| Account { host: said("host"), port: site.broker.port(), login };
    let key = Key::from_hex(&said("key")).unwrap();
    let own = account(Some((said("user"), said("password"))));
    let _link = MqttDevice::new(own, "site", id, Some(key.clone()), Simulated::new(hardware));
    let login = Some(("edge".to_owned(), "of-the-edge".to_owned()));
    let report = mqtt::run(Subject {
        broker: Broker { host: said("host"), port: site.broker.port(), login },
        site: said("site"),
        device: id.to_owned(),
        kind,
        key,
        door: 2,
        restart: None,
    });
    let report = report.await.unwrap();
    assert!(report.passes(), "{report}");
}

#[tokio::test]
async fn a_paired_locker_keeps_every_promise() {
    let cabinet = Cabinet::new(2, DoorTiming::default());
    keeps_every_promise(&Site::new(), Kind::Locker, "hall", cabinet).await;
}

#[tokio::test]
async fn a_paired_charger_keeps_every_promise() {
    keeps_every_promise(&Site::new(), Kind::Charger, "bay", Pile::new(32_000, 3, 0)).await;
}

#[tokio::test]
async fn a_paired_barrier_keeps_every_promise() {
    keeps_every_promise(&Site::new(), Kind::Barrier, "exit", Boom::new(Timing::default())).await;
}

#[tokio::test]
async fn an_account_reaches_nothing_of_others() {
    let site = Site::new();
    let (edge, mut heard) = connect(&site, "edge", "of-the-edge").await;
    edge.subscribe("site/v1/site/#", QoS::AtLeastOnce).await.unwrap();
    let (hall, mut eventloop) = connect(&site, "locker-hall", &site.passwords[0]).await;
    let publish = |topic: &'static str| hall.publish(topic, QoS::AtLeastOnce, false, "x");
    for foreign in [
        "site/v1/site/locker/yard/state",
        "site/v1/site/locker/yard/cmd/open",
        "site/v1/site/locker/hall/cmd/open",
        "site/v1/site/barrier/hall/cmd/open",
        "site/v1/other/locker/hall/state",
    ] {
        publish(foreign).await.unwrap();
    }
    publish("site/v1/site/locker/hall/state").await.unwrap();
    let driver = tokio::spawn(async move { while eventloop.poll().await.is_ok() {} });
    assert_eq!(first_topic(&mut heard).await, "site/v1/site/locker/hall/state");
    driver.abort();
}

#[tokio::test]
async fn a_device_hears_no_commands_but_its_own() {
    let site = Site::new();
    let (hall, mut heard) = connect(&site, "locker-hall", &site.passwords[0]).await;
    hall.subscribe("site/v1/site/locker/+/cmd/+", QoS::AtLeastOnce).await.unwrap();
    hall.subscribe("site/v1/site/locker/hall/cmd/+", QoS::AtLeastOnce).await.unwrap();
    let mut granted = 0;
    while granted < 2 {
        let event = heard.poll().await.unwrap();
        granted += u8::from(matches!(event, Event::Incoming(Packet::SubAck(_))));
    }
    let (edge, mut eventloop) = connect(&site, "edge", "of-the-edge").await;
    for device in ["yard", "hall"] {
        let topic = format!("site/v1/site/locker/{device}/cmd/open");
        edge.publish(topic, QoS::AtLeastOnce, false, "x").await.unwrap();
    }
    let driver = tokio::spawn(async move { while eventloop.poll().await.is_ok() {} });
    assert_eq!(first_topic(&mut heard).await, "site/v1/site/locker/hall/cmd/open");
    driver.abort();
}

#[tokio::test]
async fn who_is_unpaired_or_has_anothers_password_does_not_come_in() {
    let site = Site::new();
    let [hall, yard] = &site.passwords[..] else { panic!("two were paired") };
    assert!(site.admits("locker-hall", hall).await);
    assert!(!site.admits("locker-hall", yard).await);
    assert!(!site.admits("locker-cellar", hall).await);

    let (_client, mut eventloop) = connect(&site, "locker-hall", hall).await;
    pairing(&site.state, site.broker.folder()).unpair(&locker("hall")).unwrap();
    site.broker.reload().unwrap();
    let thrown_out = async { while eventloop.poll().await.is_ok() {} };
    timeout(Duration::from_secs(20), thrown_out).await.unwrap();
    assert!(!site.admits("locker-hall", hall).await);
    assert!(site.admits("locker-yard", yard).await);
    assert_eq!(site.keys.get("locker", &locker("hall").id).unwrap(), None);
}
