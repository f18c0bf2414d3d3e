//! Devices behind an MQTT broker. Commands go out with QoS 1 and are never retained; every
//! connection starts empty, so that nothing which waited for the last one is sent late.

mod barrier;
mod charger;
mod exchange;
mod home_assistant;
mod keyring;
mod locker;
mod member;
pub mod payload;
mod told;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use domain::ids::{CommandId, DeviceId, SiteId};
use rumqttc::{
    AsyncClient, ClientError, ConnectionError, Event, EventLoop, MqttOptions, Outgoing, Packet,
    QoS, SubscribeFilter, SubscribeReasonCode,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::sleep,
};
use tracing::{info, warn};

use self::exchange::Exchange;
pub(super) use self::{
    keyring::{Keyring, follow},
    locker::Locker,
    member::Member,
    told::Told,
};
use super::{
    config::{Controller, Kind, Mqtt},
    link::{Desk, Link},
    report::{Report, What},
};

const KEEP_ALIVE: Duration = Duration::from_secs(5);
const CONNECT_WITHIN_S: u64 = 5;
/// A longer packet ends the connection; a broker should be told to refuse such (`docs/mqtt.md`).
const MAX_INCOMING: usize = 1 << 20;
/// Commands that may wait for the socket; what is due beyond waits with its device.
const REQUESTS: usize = 64;
/// How often the time is looked at while so many wait, in milliseconds.
const FULL_LOOK_MS: u64 = 10;
/// Packets that may wait for us; beyond, the socket is not read.
const PACKETS: usize = 64;

/// A broker with the devices behind it.
pub(super) struct MqttLink {
    broker: Mqtt,
    client_id: String,
    exchange: Exchange,
    keyring: watch::Receiver<Keyring>,
    /// Topics and payloads that are retained by the broker, for others.
    announcements: Vec<(String, Vec<u8>)>,
}

/// One connection to the broker.
struct Connection {
    client: AsyncClient,
    /// Whether the broker let us in.
    stands: bool,
    /// What was handed to the client and not to the socket yet, in order: commands, and none for
    /// the rest.
    in_line: VecDeque<Option<(DeviceId, CommandId)>>,
    /// Turns its wheel; ends with it.
    _driver: JoinSet<()>,
}

type Packets = mpsc::Receiver<Result<Event, ConnectionError>>;

impl MqttLink {
    /// A link for devices of any kind.
    pub fn new(
        broker: Mqtt,
        site: SiteId,
        members: Vec<(DeviceId, Kind, Box<dyn Member>)>,
        keyring: watch::Receiver<Keyring>,
        controllers: &[Controller],
        now_ms: u64,
    ) -> Self {
        let client_id = format!("gatehouse-{site}");
        let shown = controllers.iter().filter(|_| broker.home_assistant);
        let announcements =
            shown.filter_map(|one| home_assistant::announcement(site.as_str(), one)).collect();
        let exchange = Exchange::new(site, members, &keyring.borrow(), now_ms);
        Self { broker, client_id, exchange, keyring, announcements }
    }

    fn options(&self) -> Result<MqttOptions, String> {
        let Mqtt { host, port, username, .. } = &self.broker;
        let mut options = MqttOptions::new(&self.client_id, host, *port);
        options.set_keep_alive(KEEP_ALIVE).set_clean_session(true);
        options.set_max_packet_size(MAX_INCOMING, payload::MAX_PAYLOAD);
        if let (Some(username), Some(password)) = (username, self.broker.password()?) {
            options.set_credentials(username, password);
        }
        Ok(options)
    }

    /// Begins to connect.
    fn connect(&self, options: MqttOptions) -> (Connection, Packets) {
        let room = 1 + REQUESTS + self.announcements.len();
        let (client, eventloop) = AsyncClient::new(options, room);
        let (sender, packets) = mpsc::channel(PACKETS);
        let mut driver = JoinSet::new();
        driver.spawn(drive(eventloop, sender));
        let in_line = VecDeque::new();
        (Connection { client, stands: false, in_line, _driver: driver }, packets)
    }

    fn take(
        &mut self,
        event: Event,
        connection: &mut Connection,
        desk: &Desk,
        out: &mut Vec<Report>,
    ) -> Result<(), String> {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                info!(host = self.broker.host, port = self.broker.port, "broker connected");
                let asked = connection.subscribe(&self.exchange);
                let asked = asked.and_then(|()| connection.announce(&self.announcements));
                return asked.map_err(|error| format!("the broker takes nothing: {error}"));
            }
            Event::Incoming(Packet::Publish(message)) => {
                let now_ms = desk.now_ms();
                let (topic, payload) = (&message.topic, &message.payload);
                if !self.exchange.receive(topic, payload, message.retain, now_ms, out) {
                    desk.count_dropped(1);
                }
            }
            Event::Incoming(Packet::SubAck(answer)) => self.complain(&answer.return_codes),
            Event::Outgoing(Outgoing::Publish(_)) => {
                if let Some((device, command)) = connection.in_line.pop_front().flatten() {
                    out.push(Report { device, what: What::Sent { command, at: Instant::now() } });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take_keys(&mut self, out: &mut Vec<Report>) {
        self.exchange.set_keys(&self.keyring.borrow_and_update(), out);
    }

    fn complain(&self, codes: &[SubscribeReasonCode]) {
        for (code, filter) in codes.iter().zip(self.exchange.filters()) {
            if *code == SubscribeReasonCode::Failure {
                warn!(filter, "the broker denies us this topic; allow it in its access list");
            }
        }
    }
}

impl Link for MqttLink {
    async fn serve(&mut self, desk: &mut Desk) -> Option<String> {
        let options = match self.options() {
            Ok(options) => options,
            Err(reason) => return Some(reason),
        };
        let (mut connection, mut packets) = self.connect(options);
        let mut reports = Vec::new();
        self.take_keys(&mut reports);
        loop {
            let now_ms = desk.now_ms();
            self.exchange.tick(now_ms, &mut reports);
            if connection.stands
                && let Err(error) = connection.publish(&mut self.exchange, now_ms)
            {
                return Some(format!("the broker takes nothing: {error}"));
            }
            desk.deliver(&mut reports).await;
            let wait = self.exchange.next_at_ms().saturating_sub(now_ms);
            // What is due cannot go now; time still passes for the devices.
            let wait = if connection.is_full() { wait.max(FULL_LOOK_MS) } else { wait };
            tokio::select! {
                biased;
                () = desk.shutdown.cancelled() => return None,
                Some(order) = desk.orders.recv() => {
                    self.exchange.order(&order, &mut reports);
                }
                Ok(()) = self.keyring.changed() => self.take_keys(&mut reports),
                () = sleep(Duration::from_millis(wait)) => {}
                packet = packets.recv() => {
                    let taken = match packet {
                        Some(Ok(event)) => self.take(event, &mut connection, desk, &mut reports),
                        Some(Err(error)) => Err(reason(&error)),
                        None => Err("the connection ended".to_owned()),
                    };
                    if let Err(reason) = taken {
                        return Some(reason);
                    }
                }
            }
        }
    }

    fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.exchange.lost(reason, out);
    }
}

impl Connection {
    /// Asks for what the devices say.
    fn subscribe(&mut self, exchange: &Exchange) -> Result<(), ClientError> {
        self.stands = true;
        let all = exchange.filters().map(|path| SubscribeFilter::new(path, QoS::AtLeastOnce));
        self.client.try_subscribe_many(all)
    }

    /// Leaves with the broker what it is to tell others.
    fn announce(&mut self, announcements: &[(String, Vec<u8>)]) -> Result<(), ClientError> {
        announcements.iter().try_for_each(|(topic, payload)| {
            self.in_line.push_back(None);
            self.client.try_publish(topic, QoS::AtLeastOnce, true, payload.clone())
        })
    }

    /// Whether the next command has to wait until one has gone to the socket.
    fn is_full(&self) -> bool {
        self.in_line.len() >= REQUESTS
    }

    /// Hands what is due to the client, as far as that can take it.
    fn publish(&mut self, exchange: &mut Exchange, now_ms: u64) -> Result<(), ClientError> {
        while !self.is_full()
            && let Some(message) = exchange.transmit(now_ms)
        {
            self.in_line.push_back(message.first_of);
            self.client.try_publish(message.topic, QoS::AtLeastOnce, false, message.payload)?;
        }
        Ok(())
    }
}

/// Turns the client's wheel in a task of its own, because a turn must not be cut short.
async fn drive(mut eventloop: EventLoop, packets: mpsc::Sender<Result<Event, ConnectionError>>) {
    eventloop.network_options.set_tcp_nodelay(true);
    eventloop.network_options.set_connection_timeout(CONNECT_WITHIN_S);
    loop {
        let event = eventloop.poll().await;
        let failed = event.is_err();
        if packets.send(event).await.is_err() || failed {
            return;
        }
    }
}

fn reason(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(code) => format!("the broker refused: {code:?}"),
        error => format!("the broker was lost: {error}"),
    }
}
