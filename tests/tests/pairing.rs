//! What `edge-daemon device pair` makes, at a real mosquitto: a paired device keeps every promise,
//! and its account reaches nothing of others.
#![allow(clippy::unwrap_used)]

use std::{io, path::Path, time::Duration};

use edge_daemon::{
    conformance::mqtt::{self, Broker, Kind, Subject},
    controller::keys::Keys,
    pairing::{Accounts, Device, Pairing},
};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::Value;
use system_tests::{
    barrier::Account,
    device::{MqttDevice, Simulated},
    locker::{Cabinet, Timing},
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

#[tokio::test]
async fn a_paired_device_keeps_every_promise() {
    let site = Site::new();
    let key = site.keys.get("locker", &"hall".parse().unwrap()).unwrap();
    let login = Some(("locker-hall".to_owned(), site.passwords[0].clone()));
    let port = site.broker.port();
    let account = Account { host: "127.0.0.1".to_owned(), port, login };
    let device = Simulated::new(Cabinet::new(2, Timing::default()));
    let _link = MqttDevice::new(account, "site", "hall", key.clone(), device);
    let login = Some(("edge".to_owned(), "of-the-edge".to_owned()));
    let report = mqtt::run(Subject {
        broker: Broker { host: "127.0.0.1".to_owned(), port, login },
        site: "site".to_owned(),
        device: "hall".to_owned(),
        kind: Kind::Locker,
        key,
        door: 2,
        restart: None,
    });
    let report = report.await.unwrap();
    assert!(report.passes(), "{report}");
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
