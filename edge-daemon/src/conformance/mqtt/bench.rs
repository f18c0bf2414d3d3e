//! The host's end of a conformance run: says what it wants to the device, and keeps everything that
//! the device says.

use std::time::{Duration, Instant};

use firmware_protocol::topic::{Leaf, Topic};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS};
use serde_json::{Map, Value, json};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use uuid::Uuid;

use super::{Kind, Subject};

/// How long a device may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Retained messages come at once.
pub(super) const FIRST_WORDS: Duration = Duration::from_secs(3);
/// A state is told at least this often, with a second for the way.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(11);
/// How long a usual command lives.
pub(super) const LIFE_MS: u64 = 5_000;
const MAX_PACKET: usize = 1 << 20;

/// How a message is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seal {
    Right,
    Missing,
    /// With one digit that is another.
    Wrong,
    /// As it would be right for another verb.
    OfAnotherTopic,
}

/// Something that the device said.
pub(super) struct Heard {
    pub at: Instant,
    /// The topic behind the device's name.
    pub leaf: String,
    pub retained: bool,
    pub qos: QoS,
    pub sealed: bool,
    /// None where it is no JSON object.
    pub message: Option<Map<String, Value>>,
}

/// A broker with the device behind it.
pub(super) struct Bench {
    pub subject: Subject,
    client: AsyncClient,
    incoming: mpsc::UnboundedReceiver<Publish>,
    pub log: Vec<Heard>,
    clock: Instant,
    pub boot: u64,
    pub session: u64,
    /// The number of the last command.
    pub counter: u64,
    /// The highest number of a command that was carried out.
    pub taken: u64,
    _driver: JoinSet<()>,
}

impl Bench {
    /// Connects and listens to everything that the device says.
    pub async fn connect(subject: Subject) -> Result<Self, String> {
        let name = format!("gatehouse-conformance-{}", Uuid::new_v4());
        let (client, eventloop) = client(&subject, name);
        let (sender, incoming) = mpsc::unbounded_channel();
        let (mut ready, mut driver) = (connected(eventloop).await?, JoinSet::new());
        driver.spawn(async move {
            while let Ok(event) = ready.poll().await {
                if let Event::Incoming(Packet::Publish(message)) = event
                    && sender.send(message).is_err()
                {
                    return;
                }
            }
        });
        let clock = Instant::now();
        let mut bench = Self {
            subject,
            client,
            incoming,
            log: Vec::new(),
            clock,
            boot: 0,
            session: 0,
            counter: 0,
            taken: 0,
            _driver: driver,
        };
        bench.subscribe().await?;
        // One that comes only now tells all for the first time: ask for what the broker kept of it.
        let first = bench.wait(0, HEARTBEAT, |heard| (heard.leaf == "state").then_some(()));
        if first.await.is_some() {
            bench.subscribe().await?;
        }
        Ok(bench)
    }

    async fn subscribe(&self) -> Result<(), String> {
        let Subject { site, device, kind, .. } = &self.subject;
        for leaf in ["availability", "info", "state", "event/+", "result/+"] {
            let filter = format!("site/v1/{site}/{}/{device}/{leaf}", kind.word());
            let asked = self.client.subscribe(filter, QoS::AtLeastOnce).await;
            asked.map_err(|error| format!("the broker takes nothing: {error}"))?;
        }
        Ok(())
    }

    pub fn kind(&self) -> Kind {
        self.subject.kind
    }

    /// The host's clock.
    pub fn now_ms(&self) -> u64 {
        // Far from 0, so that there is a past.
        1_000_000 + u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Waits until the device says something for which `pick` gives something, or said it after
    /// the first `from` messages.
    pub async fn wait<T>(
        &mut self,
        from: usize,
        within: Duration,
        mut pick: impl FnMut(&Heard) -> Option<T>,
    ) -> Option<T> {
        let (until, mut next) = (Instant::now() + within, from);
        loop {
            while let Some(heard) = self.log.get(next) {
                if let Some(found) = pick(heard) {
                    return Some(found);
                }
                next += 1;
            }
            let left = until.saturating_duration_since(Instant::now());
            let message = timeout(left, self.incoming.recv()).await.ok()??;
            self.keep(&message);
        }
    }

    /// Listens for a while.
    pub async fn listen(&mut self, duration: Duration) {
        let from = self.log.len();
        self.wait(from, duration, |_| None::<()>).await;
    }

    fn keep(&mut self, message: &Publish) {
        let Some(topic) = Topic::parse(&message.topic) else { return };
        let sealed = self.subject.key.sealed(&topic, &message.payload);
        let object = serde_json::from_slice(&message.payload).ok();
        self.log.push(Heard {
            at: Instant::now(),
            leaf: message.topic.splitn(6, '/').nth(5).unwrap_or_default().to_owned(),
            retained: message.retain,
            qos: message.qos,
            sealed,
            message: object,
        });
    }

    /// Says something to the device; gives the place in the log where its answer can be.
    pub async fn say(
        &mut self,
        verb: &str,
        message: &Map<String, Value>,
        seal: Seal,
        retain: bool,
    ) -> usize {
        let bytes = self.seal(verb, message, seal);
        self.say_bytes(verb, bytes, retain).await
    }

    /// The same for what is no message.
    pub async fn say_bytes(&mut self, verb: &str, bytes: Vec<u8>, retain: bool) -> usize {
        let topic = self.topic(verb).to_string();
        let _ = self.client.publish(topic, QoS::AtLeastOnce, retain, bytes).await;
        self.log.len()
    }

    fn seal(&self, verb: &str, message: &Map<String, Value>, seal: Seal) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(message).expect("a map of values is JSON");
        if seal == Seal::Missing {
            return bytes;
        }
        bytes.pop();
        let verb = if seal == Seal::OfAnotherTopic { "another" } else { verb };
        let mut ending = self.subject.key.ending(&self.topic(verb), &bytes);
        if seal == Seal::Wrong {
            let digit = &mut ending[20];
            *digit = if *digit == b'0' { b'1' } else { b'0' };
        }
        bytes.extend_from_slice(&ending);
        bytes
    }

    fn topic<'a>(&'a self, verb: &'a str) -> Topic<'a> {
        let Subject { site, device, kind, .. } = &self.subject;
        Topic { site, kind: kind.word(), id: device, leaf: Leaf::Command(verb) }
    }

    /// A command as it should be, with the next number.
    pub fn command(&mut self) -> (&'static str, Map<String, Value>) {
        let (verb, arguments) = self.kind().deed(self.subject.door);
        self.counter += 1;
        let mut command = object(json!({
            "cmd_id": Uuid::new_v4(),
            "boot_id": self.boot,
            "session": self.session,
            "counter": self.counter,
            "deadline_ms": self.now_ms() + LIFE_MS,
        }));
        command.extend(object(arguments));
        (verb, command)
    }

    /// Sends a command and gives what the device says to it.
    pub async fn ask(
        &mut self,
        verb: &str,
        command: &Map<String, Value>,
        seal: Seal,
    ) -> Result<Map<String, Value>, String> {
        let from = self.say(verb, command, seal, false).await;
        let answer = self.answer(from, verb, command).await?;
        if answer.get("outcome") == Some(&json!("ok")) {
            self.taken = self.taken.max(command["counter"].as_u64().unwrap_or_default());
        }
        Ok(answer)
    }

    /// What the device says to a command.
    pub async fn answer(
        &mut self,
        from: usize,
        verb: &str,
        command: &Map<String, Value>,
    ) -> Result<Map<String, Value>, String> {
        let (leaf, id) = (format!("result/{verb}"), command["cmd_id"].clone());
        let answer = self.wait(from, PATIENCE, |heard| {
            let message = heard.message.as_ref().filter(|_| heard.leaf == leaf)?;
            (message.get("cmd_id") == Some(&id)).then(|| (message.clone(), heard.sealed))
        });
        match answer.await {
            Some((_, false)) => Err(format!("{leaf} is not sealed by the device's key")),
            Some((message, true)) => Ok(message),
            None => Err(format!("no {leaf} for this cmd_id within {} s", PATIENCE.as_secs())),
        }
    }

    /// Takes the device's place on the broker for a moment, which throws it out.
    pub async fn take_its_place(&self) -> Result<(), String> {
        let Subject { site, device, .. } = &self.subject;
        let (_client, eventloop) = client(&self.subject, format!("{site}-{device}"));
        connected(eventloop).await.map(|_| ())
    }
}

/// The object of a JSON value that is one.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn client(subject: &Subject, name: String) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(name, &subject.broker.host, subject.broker.port);
    options.set_keep_alive(Duration::from_secs(5)).set_max_packet_size(MAX_PACKET, MAX_PACKET);
    if let Some((user, password)) = &subject.broker.login {
        options.set_credentials(user, password);
    }
    AsyncClient::new(options, 100)
}

/// Waits until the broker lets us in.
async fn connected(mut eventloop: EventLoop) -> Result<EventLoop, String> {
    eventloop.network_options.set_tcp_nodelay(true);
    let ready = timeout(CONNECT_WITHIN, async {
        loop {
            match eventloop.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(format!("the broker cannot be used: {error}")),
            }
        }
    });
    ready.await.unwrap_or_else(|_| Err("the broker does not answer".to_owned()))?;
    Ok(eventloop)
}
