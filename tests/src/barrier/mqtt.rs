//! A barrier behind an MQTT broker: tells its state by itself, takes no retained command.

use std::time::{Duration, Instant};

use edge_daemon::controller::mqtt::payload::{
    OFFLINE, ONLINE,
    barrier::{Command as CommandPayload, CommandResult, Hello as HelloPayload, State},
};
use firmware_protocol::{
    barrier::{Action, Answer, Command, Hello, Request, Status},
    topic::{Leaf, Topic},
};
use rumqttc::{
    AsyncClient, ClientError, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Packet,
    Publish, QoS,
};
use tokio::{task::JoinSet, time::sleep};

use super::Barrier;

/// How often the barrier looks at its inputs.
const TICK: Duration = Duration::from_millis(10);
/// How often it tells its state when nothing changes.
const HEARTBEAT: Duration = Duration::from_secs(1);
const KIND: &str = "barrier";

/// How a device gets into a broker.
#[derive(Debug, Clone)]
pub struct Account {
    /// The broker's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User and password, for a broker that asks.
    pub login: Option<(String, String)>,
}

/// A barrier on a broker; disconnected, as if it lost power, on drop.
#[derive(Debug)]
pub struct MqttBarrier {
    _task: JoinSet<()>,
}

impl MqttBarrier {
    /// Connects a barrier and keeps it connected.
    pub fn new(account: Account, site: &str, device: &str, barrier: Barrier) -> Self {
        let (site, device) = (site.to_owned(), device.to_owned());
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let mut link = Firmware::connect(&account, &site, &device, barrier.clone());
                let _ = link.run().await;
                sleep(Duration::from_millis(100)).await;
            }
        });
        Self { _task: task }
    }
}

/// Why a connection ended.
#[derive(Debug)]
enum Ended {
    Connection,
    Client,
}

impl From<ConnectionError> for Ended {
    fn from(_: ConnectionError) -> Self {
        Self::Connection
    }
}

impl From<ClientError> for Ended {
    fn from(_: ClientError) -> Self {
        Self::Client
    }
}

struct Firmware {
    site: String,
    device: String,
    barrier: Barrier,
    client: AsyncClient,
    eventloop: EventLoop,
    connected: bool,
    /// What was told last, uptime apart, and when.
    told: Option<(Status, Instant)>,
}

impl Firmware {
    fn connect(account: &Account, site: &str, device: &str, barrier: Barrier) -> Self {
        let topic = Topic { site, kind: KIND, id: device, leaf: Leaf::Availability }.to_string();
        let client_id = format!("{site}-{device}");
        let mut options = MqttOptions::new(client_id, &account.host, account.port);
        options.set_keep_alive(Duration::from_secs(5)).set_clean_session(true);
        options.set_last_will(LastWill::new(topic, OFFLINE, QoS::AtLeastOnce, true));
        if let Some((user, password)) = &account.login {
            options.set_credentials(user, password);
        }
        let (client, mut eventloop) = AsyncClient::new(options, 1_000);
        eventloop.network_options.set_tcp_nodelay(true);
        let (site, device) = (site.to_owned(), device.to_owned());
        Self { site, device, barrier, client, eventloop, connected: false, told: None }
    }

    async fn run(&mut self) -> Result<(), Ended> {
        loop {
            // Not cut short while it connects.
            if self.connected {
                tokio::select! {
                    event = self.eventloop.poll() => self.take(event?).await?,
                    () = sleep(TICK) => {}
                }
                self.tell()?;
            } else {
                let event = self.eventloop.poll().await?;
                self.take(event).await?;
            }
        }
    }

    async fn take(&mut self, event: Event) -> Result<(), Ended> {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                self.connected = true;
                let commands = format!("site/v1/{}/{KIND}/{}/cmd/+", self.site, self.device);
                self.client.try_subscribe(commands, QoS::AtLeastOnce)?;
                self.publish(Leaf::Availability, true, ONLINE.as_bytes().to_vec())?;
                let info = r#"{"model":"simulated","firmware":"1.0.0"}"#;
                self.publish(Leaf::Info, true, info.as_bytes().to_vec())
            }
            Event::Incoming(Packet::Publish(message)) => self.obey(&message).await,
            _ => Ok(()),
        }
    }

    async fn obey(&mut self, message: &Publish) -> Result<(), Ended> {
        let faults = self.barrier.board().faults;
        if faults.silent {
            return Ok(());
        }
        sleep(Duration::from_millis(faults.slow_ms)).await;
        for _ in 0..if faults.duplicates { 2 } else { 1 } {
            self.obey_once(message)?;
        }
        Ok(())
    }

    fn obey_once(&mut self, message: &Publish) -> Result<(), Ended> {
        let verb = match Topic::parse(&message.topic).map(|topic| topic.leaf) {
            Some(Leaf::Command(verb)) => verb,
            _ => return Ok(()),
        };
        let Some(request) = parse(verb, &message.payload) else { return Ok(()) };
        let answer = match &request {
            Request::Command(command) if message.retain => {
                Answer::Reply(self.barrier.board().answer_stale(command))
            }
            _ if message.retain => return Ok(()),
            request => self.barrier.board().answer(request),
        };
        match answer {
            Answer::Status(status) => self.tell_now(status),
            Answer::Reply(reply) => {
                let verb = verb.to_owned();
                self.publish(Leaf::Result(&verb), false, json(&CommandResult::from(reply)))
            }
        }
    }

    /// Tells the state when it changed, and now and then.
    fn tell(&mut self) -> Result<(), Ended> {
        let (faults, status) = {
            let board = self.barrier.board();
            (board.faults, board.status())
        };
        if faults.silent {
            return Ok(());
        }
        for _ in 0..if faults.babbling { 30 } else { 0 } {
            self.tell_now(status)?;
        }
        let known = self.told.is_some_and(|(told, at)| {
            at.elapsed() < HEARTBEAT && Status { uptime_s: status.uptime_s, ..told } == status
        });
        if known { Ok(()) } else { self.tell_now(status) }
    }

    fn tell_now(&mut self, status: Status) -> Result<(), Ended> {
        self.told = Some((status, Instant::now()));
        self.publish(Leaf::State, false, json(&State::from(status)))
    }

    /// A full queue is a line that takes no more for now.
    fn publish(&self, leaf: Leaf<'_>, retain: bool, payload: Vec<u8>) -> Result<(), Ended> {
        let topic = Topic { site: &self.site, kind: KIND, id: &self.device, leaf }.to_string();
        let qos = if leaf == Leaf::State { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        match self.client.try_publish(topic, qos, retain, payload) {
            Ok(()) | Err(ClientError::TryRequest(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn parse(verb: &str, payload: &[u8]) -> Option<Request> {
    let action = match verb {
        "hello" => {
            let HelloPayload { boot, session, now_ms } = serde_json::from_slice(payload).ok()?;
            return Some(Request::Hello(Hello { boot, session, now_ms }));
        }
        "open" => Action::Open,
        "close" => Action::Close,
        _ => return None,
    };
    let CommandPayload { id, boot, session, expires_at_ms, .. } =
        serde_json::from_slice(payload).ok()?;
    Some(Request::Command(Command { boot, session, id: id.into_bytes(), expires_at_ms, action }))
}

fn json(message: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("numbers and identifiers are always JSON")
}
