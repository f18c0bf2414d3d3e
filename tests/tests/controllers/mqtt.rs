//! Stories of a broker.

use std::{collections::HashSet, time::Duration};

use domain::event::{Action, Outcome};
use edge_daemon::controller::{
    SendError, What,
    barrier::{Arm, News},
    keys::Keys,
    mqtt::payload::{CommandResult, Outcome as Answered, barrier::Refusal},
};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, Publish, QoS};
use serde_json::{Value, json};
use system_tests::{
    barrier::Barrier,
    device::{Account, Faults, MqttDevice},
    mosquitto::Mosquitto,
};
use tempfile::TempDir;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};
use uuid::Uuid;

use crate::scene::{Scene, TIMING, name};

const OPEN: &str = "site/v1/site/barrier/exit/cmd/open";
const CLOSE: &str = "site/v1/site/barrier/exit/cmd/close";
const RESULTS: &str = "site/v1/site/barrier/exit/result/+";

/// A barrier `exit` behind a broker.
struct Site {
    broker: Mosquitto,
    barrier: Barrier,
    scene: Scene,
    _link: MqttDevice,
    _state: TempDir,
}

impl Site {
    async fn new() -> Self {
        let broker = Mosquitto::start().unwrap();
        let barrier = Barrier::new(TIMING);
        let _state = TempDir::new().unwrap();
        let _link = connect(&broker, "exit", &barrier, &_state);
        let mut scene = Scene::with_keys(&config(&broker, &["exit"], ""), _state.path());
        scene.online("exit").await;
        Self { broker, barrier, scene, _link, _state }
    }
}

#[tokio::test]
async fn a_hundred_devices_come_in_at_once() {
    let broker = Mosquitto::start().unwrap();
    let state = TempDir::new().unwrap();
    let names: Vec<_> = (1..=100).map(|number| format!("gate-{number}")).collect();
    let barriers: Vec<_> = names.iter().map(|_| Barrier::new(TIMING)).collect();
    let pairs = names.iter().zip(&barriers);
    // What they retain is there before the host comes, and is all told to it at once.
    let _links: Vec<_> = pairs.map(|(id, at)| connect(&broker, id, at, &state)).collect();
    let mut stranger = Stranger::new(&broker, "site/v1/site/barrier/+/availability").await;
    let mut there = HashSet::new();
    while there.len() < names.len() {
        there.insert(stranger.next().await.topic);
    }
    let devices: Vec<_> = names.iter().map(String::as_str).collect();
    let mut scene = Scene::with_keys(&config(&broker, &devices, ""), state.path());
    scene.all_online(names.len()).await;
}

#[tokio::test]
async fn a_vehicle_passes() {
    let mut site = Site::new().await;
    site.barrier.board().hardware.vehicle();
    let id = site.scene.send("exit", Action::Open).unwrap();
    let sent = |what: &What| match what {
        What::Sent { command, .. } if *command == id => Some(()),
        _ => None,
    };
    site.scene.until("exit", sent).await;
    assert_eq!(site.scene.result("exit", id).await, Outcome::Accepted);
    for seen in [News::Arm(Arm::Open), News::Loop(true), News::Loop(false)] {
        site.scene.seen("exit", seen).await;
    }
    assert_eq!(site.scene.command("exit", Action::Close).await, Outcome::Accepted);
    let causes: Vec<_> = site.barrier.movements().iter().map(|m| m.command).collect();
    assert_eq!(causes.len(), 2);
    assert_eq!(causes[0], Some(id.0.into_bytes()));
}

#[tokio::test]
async fn a_retained_command_moves_nothing() {
    let broker = Mosquitto::start().unwrap();
    let mut stranger = Stranger::new(&broker, RESULTS).await;
    let id = Uuid::new_v4();
    let command = json!({"cmd_id": id, "boot_id": 1, "session": 1, "counter": u64::MAX,
                         "deadline_ms": u64::MAX});
    stranger.publish(OPEN, true, command.to_string()).await;
    let (barrier, state) = (Barrier::new(TIMING), TempDir::new().unwrap());
    let _link = connect(&broker, "exit", &barrier, &state);
    assert_eq!(stranger.result().await.outcome, Answered::Expired);
    let mut scene = Scene::with_keys(&config(&broker, &["exit"], ""), state.path());
    scene.online("exit").await;
    assert_eq!(barrier.movements(), []);
    assert_eq!(scene.command("exit", Action::Open).await, Outcome::Accepted);
}

#[tokio::test]
async fn a_repeated_a_forged_and_a_late_command_move_nothing() {
    let mut site = Site::new().await;
    let mut commands = Stranger::new(&site.broker, OPEN).await;
    let mut stranger = Stranger::new(&site.broker, RESULTS).await;
    assert_eq!(site.scene.command("exit", Action::Open).await, Outcome::Accepted);
    let copy = String::from_utf8(commands.next().await.payload.to_vec()).unwrap();
    assert_eq!(stranger.result().await.outcome, Answered::Ok);
    assert_eq!(site.scene.command("exit", Action::Close).await, Outcome::Accepted);
    assert_eq!(stranger.result().await.outcome, Answered::Ok);

    stranger.publish(OPEN, false, copy.clone()).await;
    let repeated = stranger.result().await;
    assert_eq!(repeated.outcome, Answered::Duplicate);
    assert_eq!(repeated.first, Some(Answered::Ok));

    // Whoever may publish holds no key: neither another command nor one for another verb.
    let mut forged: Value = serde_json::from_str(&copy).unwrap();
    forged["cmd_id"] = json!(Uuid::new_v4());
    for (topic, command) in [(OPEN, forged.to_string()), (CLOSE, copy.clone())] {
        stranger.publish(topic, false, command).await;
        let result = stranger.result().await;
        assert_eq!(result.outcome, Answered::Error);
        assert_eq!(result.reason, Some(Refusal::Unauthenticated));
    }

    sleep(Duration::from_millis(3_100)).await;
    stranger.publish(OPEN, false, copy).await;
    assert_eq!(stranger.result().await.outcome, Answered::Expired);
    assert_eq!(site.barrier.movements().len(), 2);
}

#[tokio::test]
async fn a_delivery_that_is_doubled_moves_once() {
    let mut site = Site::new().await;
    site.barrier.set_faults(Faults { duplicates: true, ..Faults::default() });
    assert_eq!(site.scene.command("exit", Action::Open).await, Outcome::Accepted);
    site.barrier.arm(Arm::Open).await;
    assert_eq!(site.barrier.movements().len(), 1);
}

#[tokio::test]
async fn a_broker_that_stops_and_starts_sends_nothing_late() {
    let mut site = Site::new().await;
    site.broker.stop();
    site.scene.offline("exit").await;
    assert_eq!(site.scene.send("exit", Action::Open), Err(SendError::Offline(name("exit"))));
    site.broker.resume().unwrap();
    site.scene.online("exit").await;
    assert_eq!(site.barrier.movements(), []);
    assert_eq!(site.scene.command("exit", Action::Open).await, Outcome::Accepted);
    assert_eq!(site.barrier.movements().len(), 1);
}

#[tokio::test]
async fn a_device_that_loses_power_or_says_nothing_is_offline() {
    let mut site = Site::new().await;
    site.barrier.set_faults(Faults { silent: true, ..Faults::default() });
    site.scene.offline("exit").await;
    site.barrier.set_faults(Faults::default());
    site.scene.online("exit").await;
    drop(site._link);
    let reason = site.scene.offline("exit").await;
    assert_eq!(reason, "it left the broker");
}

#[tokio::test]
async fn a_broker_that_asks_for_a_password_gets_it() {
    let access = "topic readwrite site/v1/#";
    let broker = Mosquitto::start_closed("edge", "right", access).unwrap();
    let barrier = Barrier::new(TIMING);
    let login = Some(("edge".to_owned(), "right".to_owned()));
    let account = Account { host: "127.0.0.1".to_owned(), port: broker.port(), login };
    let state = TempDir::new().unwrap();
    let link = MqttDevice::paired(account, "site", "exit", state.path(), barrier.device());
    let _link = link.unwrap();
    let password = broker.file("password", "wrong\n").unwrap();
    let login = format!("username = 'edge'\npassword_file = '{}'", password.display());
    let mut scene = Scene::with_keys(&config(&broker, &["exit"], &login), state.path());
    let reason = scene.offline("exit").await;
    assert!(reason.contains("refused"), "{reason}");
    broker.file("password", "right\n").unwrap();
    scene.online("exit").await;
    assert_eq!(scene.command("exit", Action::Open).await, Outcome::Accepted);
}

#[tokio::test]
async fn a_device_that_the_access_list_hides_is_offline_and_the_other_works() {
    let access = "topic readwrite site/v1/site/barrier/exit/#";
    let broker = Mosquitto::start_closed("edge", "right", access).unwrap();
    let barrier = Barrier::new(TIMING);
    let login = Some(("edge".to_owned(), "right".to_owned()));
    let account = Account { host: "127.0.0.1".to_owned(), port: broker.port(), login };
    let state = TempDir::new().unwrap();
    let link = MqttDevice::paired(account, "site", "exit", state.path(), barrier.device());
    let _link = link.unwrap();
    let password = broker.file("password", "right\n").unwrap();
    let login = format!("username = 'edge'\npassword_file = '{}'", password.display());
    let hidden = "hidden".parse().unwrap();
    Keys::new(state.path()).keep("barrier", &hidden, &[7; 32]).unwrap();
    let config = config(&broker, &["exit", "hidden"], &login);
    let mut scene = Scene::with_keys(&config, state.path());
    scene.online("exit").await;
    scene.offline("hidden").await;
    assert_eq!(scene.command("exit", Action::Open).await, Outcome::Accepted);
}

#[tokio::test]
async fn what_is_no_message_of_ours_is_dropped_and_counted() {
    let mut site = Site::new().await;
    let stranger = Stranger::new(&site.broker, "none").await;
    let state = "site/v1/site/barrier/exit/state";
    let result = "site/v1/site/barrier/exit/result/open";
    let before = site.scene.dropped();
    stranger.publish(state, false, "x".repeat(256 << 10)).await;
    stranger.publish(result, false, "{\"id\":".to_owned()).await;
    stranger.publish(result, false, "\u{0}\u{ffff}".to_owned()).await;
    stranger.publish("site/v1/site/barrier/exit/result/dance", false, "{}".to_owned()).await;
    stranger.publish(result, true, "{}".to_owned()).await;
    stranger.publish("site/v1/other/barrier/exit/state", false, "{}".to_owned()).await;
    assert_eq!(site.scene.command("exit", Action::Open).await, Outcome::Accepted);
    let deadline = async {
        while site.scene.dropped() < before + 5 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), deadline).await.unwrap();
    assert!(site.scene.controllers.is_online(&name("exit")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_babbling_device_starves_nobody() {
    let broker = Mosquitto::start().unwrap();
    let (good, bad) = (Barrier::new(TIMING), Barrier::new(TIMING));
    let state = TempDir::new().unwrap();
    let _links = [("good", &good), ("bad", &bad)].map(|(id, b)| connect(&broker, id, b, &state));
    let mut scene = Scene::with_keys(&config(&broker, &["good", "bad"], ""), state.path());
    scene.online("good").await;
    bad.set_faults(Faults { babbling: true, ..Faults::default() });
    for round in 0..10 {
        let action = if round % 2 == 0 { Action::Open } else { Action::Close };
        assert_eq!(scene.command("good", action).await, Outcome::Accepted);
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(good.movements().len(), 10);
    let babble = scene.rest().iter().filter(|report| report.device == name("bad")).count();
    assert!(babble < 20, "{babble} reports of a device that did nothing");
}

#[tokio::test]
async fn a_barrier_without_a_key_is_not_talked_to() {
    let broker = Mosquitto::start().unwrap();
    let (barrier, state) = (Barrier::new(TIMING), TempDir::new().unwrap());
    let account = Account { host: "127.0.0.1".to_owned(), port: broker.port(), login: None };
    let _link = MqttDevice::new(account, "site", "exit", None, barrier.device());
    let mut told = Stranger::new(&broker, "site/v1/site/barrier/exit/cmd/+").await;
    let mut scene = Scene::with_keys(&config(&broker, &["exit"], ""), state.path());
    let reason = scene.offline("exit").await;
    assert!(reason.contains("edge-daemon device pair"), "{reason}");
    let refused = scene.send("exit", Action::Open);
    assert_eq!(refused, Err(SendError::Offline(name("exit"))));
    assert!(timeout(Duration::from_millis(1_500), told.heard.recv()).await.is_err());
}

#[tokio::test]
async fn home_assistant_is_told_of_the_devices_where_it_is_wanted() {
    let broker = Mosquitto::start().unwrap();
    let _quiet = Scene::new(&config(&broker, &["exit"], ""));
    let mut told = Stranger::new(&broker, "homeassistant/#").await;
    assert!(timeout(Duration::from_millis(500), told.heard.recv()).await.is_err());
    let _scene = Scene::new(&config(&broker, &["exit"], "home_assistant = true"));
    let first = told.next().await;
    assert_eq!(first.topic, "homeassistant/device/gatehouse-site-exit/config");
    let message: Value = serde_json::from_slice(&first.payload).unwrap();
    assert_eq!(message["state_topic"], "site/v1/site/barrier/exit/state");
    // It is there for one that comes later, too.
    let late = Stranger::new(&broker, "homeassistant/#").await.next().await;
    assert!(late.retain && late.payload == first.payload);
}

fn connect(broker: &Mosquitto, device: &str, barrier: &Barrier, state: &TempDir) -> MqttDevice {
    let account = Account { host: "127.0.0.1".to_owned(), port: broker.port(), login: None };
    MqttDevice::paired(account, "site", device, state.path(), barrier.device()).unwrap()
}

fn config(broker: &Mosquitto, devices: &[&str], login: &str) -> String {
    let devices: String =
        devices.iter().map(|id| format!("[[controllers]]\nid = '{id}'\nlink = 'mqtt'\n")).collect();
    format!("{devices}[mqtt]\nhost = '127.0.0.1'\nport = {}\n{login}", broker.port())
}

/// Somebody else on the broker.
struct Stranger {
    client: AsyncClient,
    heard: mpsc::UnboundedReceiver<Publish>,
    _task: JoinSet<()>,
}

impl Stranger {
    async fn new(broker: &Mosquitto, filter: &str) -> Self {
        let mut options = MqttOptions::new(Uuid::new_v4().to_string(), "127.0.0.1", broker.port());
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut eventloop) = AsyncClient::new(options, 100);
        client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        loop {
            if let Event::Incoming(Packet::SubAck(_)) = eventloop.poll().await.unwrap() {
                break;
            }
        }
        let (sender, heard) = mpsc::unbounded_channel();
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Ok(event) = eventloop.poll().await {
                if let Event::Incoming(Packet::Publish(message)) = event {
                    let _ = sender.send(message);
                }
            }
        });
        Self { client, heard, _task: task }
    }

    async fn publish(&self, topic: &str, retain: bool, payload: String) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload).await.unwrap();
    }

    async fn next(&mut self) -> Publish {
        timeout(Duration::from_secs(10), self.heard.recv()).await.unwrap().unwrap()
    }

    /// The next answer to a command.
    async fn result(&mut self) -> CommandResult<Refusal> {
        loop {
            let message = self.next().await;
            if !message.topic.ends_with("/hello") {
                return serde_json::from_slice(&message.payload).unwrap();
            }
        }
    }
}
