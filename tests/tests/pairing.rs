//! What `edge-daemon device pair` makes, at a real mosquitto: a paired device keeps every promise,
//! its account reaches nothing of others, and a site that works takes it and drops it by itself.
#![allow(clippy::unwrap_used)]

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::event::Fact;
use edge_daemon::{
    conformance::mqtt::{self, Broker, Kind, Subject},
    controller::keys::Keys,
    pairing::{Accounts, Device, Pairing},
};
use firmware_protocol::seal::Key;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use system_tests::{
    barrier::{Boom, Timing},
    charger::Pile,
    device::{Account, Hardware, MqttDevice, Simulated},
    locker::{Cabinet, Locker, Timing as DoorTiming},
    mosquitto::Mosquitto,
    process::{self, PATIENCE, http_client},
    site::{Edge, Plan},
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

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

/// A site with two lockers behind its broker that works from the start; what it says of `yard` and
/// `hall` it says in its journal.
struct Running {
    broker: Mosquitto,
    edge: Edge,
    folder: TempDir,
}

impl Running {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let broker = Mosquitto::start_paired(|accounts, port| {
            let pairing = pairing(&folder, accounts);
            pairing.accounts.configure(port).map_err(io::Error::other)?;
            pairing.admit_host("edge", "of-the-edge").map_err(io::Error::other)
        });
        let broker = broker.unwrap();
        let password = broker.file("of-the-edge", "of-the-edge\n").unwrap();
        let locker = |id: &str, door: &str| {
            format!(
                "[[controllers]]\nid = '{id}'\nlink = 'mqtt'\nkind = 'locker'\ndoors = ['{door}']\n"
            )
        };
        let more = format!(
            "username = 'edge'\npassword_file = '{}'\n[parking]\nplaces = 1\n{}{}",
            password.display(),
            locker("hall", "A001"),
            locker("yard", "B001"),
        );
        let plan = Plan::without_lanes("site", broker.port(), &more);
        let edge = Edge::start(&folder.path().join("edge"), &plan, None).await.unwrap();
        Self { broker, edge, folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("edge/edge.toml")
    }

    /// Runs `edge-daemon device …` for a locker; what it said, and what it said beside.
    async fn device(&self, verb: &str, id: &str, more: &[&str]) -> (String, String) {
        let (config, accounts) = (self.config(), self.broker.folder());
        let (config, accounts) = (config.to_string_lossy(), accounts.to_string_lossy());
        let args = ["device", verb, "--kind", "locker", "--device", id];
        let at = ["--config", &config, "--broker", &accounts];
        let args = args.into_iter().chain(at).chain(more.iter().copied());
        let ended = process::run("edge-daemon", args, "").await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(ended.stdout), text(ended.stderr));
        assert!(ended.status.success(), "{err}");
        (out, err)
    }

    /// Pairs a locker as staff would; what was printed, and the locker with that, connected.
    async fn pair(&self, id: &str, more: &[&str]) -> (Value, Locker, MqttDevice) {
        let (printed, beside) = self.device("pair", id, &[&["--json"], more].concat()).await;
        assert!(beside.contains("was told to read its accounts anew"), "{beside}");
        assert!(beside.contains("takes the device within seconds"), "{beside}");
        let given: Value = serde_json::from_str(&printed).unwrap();
        let said = |name: &str| given[name].as_str().unwrap().to_owned();
        let login = Some((said("user"), said("password")));
        let account = Account { host: said("host"), port: self.broker.port(), login };
        let locker = Locker::new(Cabinet::new(1, DoorTiming::default()));
        let key = Key::from_hex(&said("key"));
        let link = MqttDevice::new(account, "site", id, key, locker.clone());
        (given, locker, link)
    }

    /// How often the site said of a device that it answers, and that it does not.
    fn said(&self, id: &str) -> (usize, usize) {
        let events = self.edge.events().unwrap();
        let is = |wanted: bool| {
            let of_it = events.iter().filter(|event| {
                matches!(&event.fact, Fact::Device { device, online, .. }
                    if device.as_str() == id && *online == wanted)
            });
            of_it.count()
        };
        (is(true), is(false))
    }

    async fn until(&self, what: &str, is: impl Fn() -> bool) {
        let come = async {
            while !is() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, come).await.unwrap_or_else(|_| panic!("{what}: not in {PATIENCE:?}"));
    }

    /// Whether the site would open a cabinet for an operator.
    async fn opens(&self, cabinet: &str) -> bool {
        let request = http_client().post(format!("{}/lockers/open", self.edge.console_url()));
        let request = request.bearer_auth(self.edge.operator_token().unwrap());
        let answer = request.json(&json!({"cabinet": cabinet, "by": "Wang"})).send().await.unwrap();
        answer.status().is_success()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_works_takes_who_is_paired_and_drops_who_is_unpaired() {
    let site = Running::start().await;
    let (_, yard, _yard_link) = site.pair("yard", &[]).await;
    site.until("yard answers", || site.said("yard").0 == 1).await;
    let before = site.said("yard");
    assert!(!site.opens("A001").await, "hall is not paired");

    let (given, hall, hall_link) = site.pair("hall", &[]).await;
    site.until("hall answers", || site.said("hall").0 == 1).await;
    assert!(site.opens("A001").await);
    site.until("its door is released", || hall.board().hardware.releases().len() == 1).await;

    let away = site.said("hall").1;
    site.device("unpair", "hall", &[]).await;
    site.until("hall is dropped", || site.said("hall").1 > away).await;
    assert!(!site.opens("A001").await, "it is unpaired");
    drop(hall_link);
    let said = |name: &str| given[name].as_str().unwrap();
    let mut options = MqttOptions::new("another", "127.0.0.1", site.broker.port());
    options.set_credentials(said("user"), said("password"));
    let (_client, mut eventloop) = AsyncClient::new(options, 10);
    assert!(eventloop.poll().await.is_err(), "the broker admits it no more");
    assert_eq!(hall.board().hardware.releases().len(), 1);

    let (_, again, _link) = site.pair("hall", &[]).await;
    site.until("hall answers again", || site.said("hall").0 == 2).await;
    let (_, anew, _anew_link) = site.pair("hall", &["--replace"]).await;
    site.until("hall answers with its new key", || site.said("hall").0 == 3).await;
    assert!(site.opens("A001").await);
    site.until("its door is released", || anew.board().hardware.releases().len() == 1).await;
    assert!(again.board().hardware.releases().is_empty(), "the old credentials are over");
    assert_eq!(site.said("yard"), before, "nobody else noticed");
    assert!(site.opens("B001").await);
    site.until("another's door is released", || yard.board().hardware.releases().len() == 1).await;
}
