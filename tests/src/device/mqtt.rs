//! A device behind an MQTT broker: seals what it says, tells its state when it changes, keeps
//! events until the broker has them.

use std::{
    collections::{HashMap, VecDeque},
    io,
    path::Path,
    time::{Duration, Instant},
};

use edge_daemon::controller::keys::Keys;
use edge_daemon::controller::mqtt::payload::{
    Availability, Command, Hello, Presence, Welcome, read, write,
};
use firmware_protocol::{
    seal::{KEY_BYTES, Key},
    topic::{Leaf, Topic},
};
use rumqttc::{
    AsyncClient, ClientError, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Outgoing,
    Packet, Publish, QoS,
};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::{task::JoinSet, time::sleep};

use super::{Hardware, Simulated};

/// How often the device looks at its inputs, and gathers what changed.
const TICK: Duration = Duration::from_millis(20);
/// States in a tick of a device that babbles: a thousand a second.
const BABBLE: usize = 20;

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

/// The key in a file that has its 64 hex digits.
///
/// # Errors
/// Where it cannot be read, or holds none.
pub fn read_key(path: &Path) -> io::Result<Key> {
    let key = Key::from_hex(std::fs::read_to_string(path)?.trim_end());
    key.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a key has 64 hex digits"))
}

/// A device on a broker; disconnected, as if it lost power, on drop.
#[derive(Debug)]
pub struct MqttDevice {
    _task: JoinSet<()>,
}

impl MqttDevice {
    /// Connects a device and keeps it connected. Without a key it takes no command.
    pub fn new<H: Hardware>(
        account: Account,
        site: &str,
        id: &str,
        key: Option<Key>,
        device: Simulated<H>,
    ) -> Self {
        let (site, id) = (site.to_owned(), id.to_owned());
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let place = (site.clone(), id.clone());
                let _ = Firmware::connect(&account, place, key.clone(), device.clone()).run().await;
                device.board().outbox.disconnected();
                sleep(Duration::from_millis(100)).await;
            }
        });
        Self { _task: task }
    }

    /// The same with a new key, which is kept below the site's state directory.
    ///
    /// # Errors
    /// Where it cannot be kept.
    pub fn paired<H: Hardware>(
        account: Account,
        site: &str,
        id: &str,
        state: &Path,
        device: Simulated<H>,
    ) -> io::Result<Self> {
        let secret: [u8; KEY_BYTES] = rand::random();
        let name = id.parse().map_err(io::Error::other)?;
        Keys::new(state).keep(H::KIND, &name, &secret).map_err(io::Error::other)?;
        Ok(Self::new(account, site, id, Some(Key::new(secret)), device))
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

struct Firmware<H: Hardware> {
    site: String,
    id: String,
    key: Option<Key>,
    device: Simulated<H>,
    client: AsyncClient,
    eventloop: EventLoop,
    connected: bool,
    /// Whether a hello was taken in this connection: events wait for it.
    greeted: bool,
    /// The news that were told last, and when.
    told: Option<(Value, Instant)>,
    /// Whether each message that waits for the socket is an event, in order.
    in_line: VecDeque<bool>,
    /// The same for those that wait for the broker's acknowledgement.
    on_the_way: HashMap<u16, bool>,
}

impl<H: Hardware> Firmware<H> {
    fn connect(
        account: &Account,
        (site, id): (String, String),
        key: Option<Key>,
        device: Simulated<H>,
    ) -> Self {
        let mut options = MqttOptions::new(format!("{site}-{id}"), &account.host, account.port);
        options.set_keep_alive(Duration::from_secs(5)).set_clean_session(true);
        if let Some((user, password)) = &account.login {
            options.set_credentials(user, password);
        }
        if !device.board().faults.no_will {
            let topic = Topic { site: &site, kind: H::KIND, id: &id, leaf: Leaf::Availability };
            let will = write(&availability(&device, Presence::Offline), &topic, key.as_ref());
            let will = LastWill::new(topic.to_string(), will, QoS::AtLeastOnce, true);
            options.set_last_will(will);
        }
        let (client, mut eventloop) = AsyncClient::new(options, 1_000);
        eventloop.network_options.set_tcp_nodelay(true);
        Self {
            site,
            id,
            key,
            device,
            client,
            eventloop,
            connected: false,
            greeted: false,
            told: None,
            in_line: VecDeque::new(),
            on_the_way: HashMap::new(),
        }
    }

    async fn run(&mut self) -> Result<(), Ended> {
        let mut ticks = tokio::time::interval(TICK);
        loop {
            // Not cut short while it connects.
            if !self.connected {
                let event = self.eventloop.poll().await?;
                self.take(event).await?;
                continue;
            }
            tokio::select! {
                event = self.eventloop.poll() => self.take(event?).await?,
                _ = ticks.tick() => self.tell()?,
            }
        }
    }

    async fn take(&mut self, event: Event) -> Result<(), Ended> {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => self.introduce()?,
            Event::Incoming(Packet::Publish(message)) => self.obey(&message).await?,
            Event::Outgoing(Outgoing::Publish(number)) => {
                let is_event = self.in_line.pop_front().unwrap_or_default();
                self.on_the_way.insert(number, is_event);
            }
            Event::Incoming(Packet::PubAck(ack))
                if self.on_the_way.remove(&ack.pkid) == Some(true) =>
            {
                self.device.board().outbox.acknowledged();
            }
            _ => {}
        }
        Ok(())
    }

    fn introduce(&mut self) -> Result<(), Ended> {
        self.connected = true;
        let commands = format!("site/v1/{}/{}/{}/cmd/+", self.site, H::KIND, self.id);
        self.client.try_subscribe(commands, QoS::AtLeastOnce)?;
        let online = availability(&self.device, Presence::Online);
        self.device.board().connection += 1;
        self.publish(Leaf::Availability, true, &online)?;
        let (info, faults) = {
            let board = self.device.board();
            (board.hardware.info(), board.faults)
        };
        if !faults.no_info { self.publish(Leaf::Info, true, &info) } else { Ok(()) }
    }

    async fn obey(&mut self, message: &Publish) -> Result<(), Ended> {
        let faults = self.device.board().faults;
        if faults.silent {
            return Ok(());
        }
        sleep(Duration::from_millis(faults.slow_ms)).await;
        for _ in 0..if faults.duplicates { 2 } else { 1 } {
            let topic = message.topic.clone();
            match Topic::parse(&topic).map(|topic| (topic, topic.leaf)) {
                Some((topic, Leaf::Command("hello"))) => self.greet(&topic, message)?,
                Some((topic, Leaf::Command(verb))) => self.act(&topic, verb, message)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn greet(&mut self, topic: &Topic<'_>, message: &Publish) -> Result<(), Ended> {
        let genuine = self.is_genuine(topic, &message.payload);
        let hello = read::<Hello>(&message.payload, topic, None);
        let Some(hello) = hello.filter(|_| genuine && !message.retain) else { return Ok(()) };
        let (taken, uptime_ms, counter, faults) = {
            let mut board = self.device.board();
            let taken = board.hello(&hello.into());
            (taken, board.uptime_ms(), board.session.counter(), board.faults)
        };
        if !taken || faults.unwelcoming {
            return Ok(());
        }
        self.greeted = true;
        let Hello { boot_id, session, now_ms } = hello;
        let welcome = Welcome { boot_id, session, now_ms, uptime_ms, counter };
        self.publish(Leaf::Result("hello"), false, &welcome)?;
        self.told = None;
        self.tell()
    }

    fn act(&mut self, topic: &Topic<'_>, verb: &str, message: &Publish) -> Result<(), Ended> {
        let Some(command) = read::<Command<Map<String, Value>>>(&message.payload, topic, None)
        else {
            return Ok(());
        };
        let stale = message.retain;
        let result = {
            let mut board = self.device.board();
            let Some(action) = board.hardware.parse(verb, &message.payload) else { return Ok(()) };
            let genuine = stale || self.is_genuine_to(&board.faults, topic, &message.payload);
            if genuine {
                board.command(verb, &command, action, stale)
            } else {
                board.unauthenticated(verb, command.cmd_id)
            }
        };
        self.publish(Leaf::Result(verb), false, &result)
    }

    fn is_genuine(&self, topic: &Topic<'_>, payload: &[u8]) -> bool {
        let faults = self.device.board().faults;
        self.is_genuine_to(&faults, topic, payload)
    }

    fn is_genuine_to(&self, faults: &super::Faults, topic: &Topic<'_>, payload: &[u8]) -> bool {
        let sealed = self.key.as_ref().is_some_and(|key| key.sealed(topic, payload));
        sealed || faults.ignores_seal
    }

    /// Tells the state when it changed, and now and then; then what happened.
    fn tell(&mut self) -> Result<(), Ended> {
        let (faults, news, state, heartbeat_ms) = {
            let board = self.device.board();
            let mut news = board.hardware.news();
            news["session"] = board.session().into();
            news["boot"] = board.boot().into();
            (board.faults, news, board.state(), board.hardware.heartbeat_ms())
        };
        if faults.silent {
            return Ok(());
        }
        let heartbeat = Duration::from_millis(heartbeat_ms);
        let known = self.told.as_ref().is_some_and(|(told, at)| {
            *told == news && at.elapsed() < heartbeat && !faults.babbling
        });
        if !known {
            self.told = Some((news, Instant::now()));
            for _ in 0..if faults.babbling { BABBLE } else { 1 } {
                self.publish(Leaf::State, !faults.forgettable_state, &state)?;
            }
        }
        self.tell_events()
    }

    fn tell_events(&mut self) -> Result<(), Ended> {
        while self.greeted {
            let Some((kind, event)) = self.device.board().next_event() else { return Ok(()) };
            self.publish(Leaf::Event(kind), false, &event)?;
        }
        Ok(())
    }

    /// A full queue is a line that takes no more for now.
    fn publish(
        &mut self,
        leaf: Leaf<'_>,
        retain: bool,
        message: &impl Serialize,
    ) -> Result<(), Ended> {
        let topic = Topic { site: &self.site, kind: H::KIND, id: &self.id, leaf };
        let unsealed = self.device.board().faults.unsealed;
        let payload = write(message, &topic, self.key.as_ref().filter(|_| !unsealed));
        match self.client.try_publish(topic.to_string(), QoS::AtLeastOnce, retain, payload) {
            Ok(()) => self.in_line.push_back(matches!(leaf, Leaf::Event(_))),
            Err(ClientError::TryRequest(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// What the device says about its next connection.
fn availability<H: Hardware>(device: &Simulated<H>, status: Presence) -> Availability {
    let board = device.board();
    Availability { status, boot_id: board.boot(), connection: board.connection + 1 }
}
