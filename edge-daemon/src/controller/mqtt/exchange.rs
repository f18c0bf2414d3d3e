//! The devices behind a broker: which message is whose, and what to send. Pure.
//!
//! Nothing that is not sealed with a device's key counts, and one without a key is not talked to.
//!
//! A device that floods is read at a bounded rate: of its states the newest counts, and nothing is
//! lost by that, because a state counts what happened since the last one. Whoever says more than
//! it may, or what cannot be read, is named ([`Conduct`]) and hinders nobody else.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use domain::ids::{CommandId, DeviceId, SiteId};
use firmware_protocol::{
    seal::Key,
    topic::{Leaf, Topic},
};

use super::{
    keyring::Keyring,
    member::{Heard, Member},
    payload::{MAX_PAYLOAD, seal},
};
use crate::controller::{
    conduct::{Conduct, Verdict},
    config::Kind,
    link::Order,
    report::{Report, What},
};

/// How often at most a device's state is looked at.
const STATE_EVERY_MS: u64 = 20;
const UNPAIRED: &str = "it has no key: make one with `edge-daemon device pair`";
const PAIRED_ANEW: &str = "it was paired anew";
/// What devices say, below `site/v1/<site>/<kind>/<device>/`.
const LEAVES: [&str; 5] = ["availability", "info", "state", "event/+", "result/+"];

/// The devices of a site that are reached over MQTT.
#[derive(Debug)]
pub(super) struct Exchange {
    site: SiteId,
    seats: Vec<Seat>,
    places: HashMap<DeviceId, usize>,
    /// Nobody wants to be looked at before.
    due_ms: u64,
    /// Whose turn it is to send.
    turn: usize,
}

/// A device, and what is known of how it talks.
#[derive(Debug)]
struct Seat {
    device: DeviceId,
    kind: Kind,
    member: Box<dyn Member>,
    key: Option<Key>,
    conduct: Conduct,
    /// The newest state, and whether it was retained, unread because it came too soon after
    /// another.
    waiting: Option<(Bytes, bool)>,
    next_state_at_ms: u64,
}

/// A message to publish.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub topic: String,
    pub payload: Vec<u8>,
    /// The command that it carries for the first time.
    pub first_of: Option<(DeviceId, CommandId)>,
}

impl Exchange {
    pub fn new(
        site: SiteId,
        members: impl IntoIterator<Item = (DeviceId, Kind, Box<dyn Member>)>,
        keyring: &Keyring,
        now_ms: u64,
    ) -> Self {
        let seat = |member| Seat::new(member, keyring, now_ms);
        let seats: Vec<_> = members.into_iter().map(seat).collect();
        let places = seats.iter().enumerate().map(|(place, seat)| (seat.device.clone(), place));
        let places = places.collect();
        Self { site, seats, places, due_ms: 0, turn: 0 }
    }

    /// What to subscribe to: what devices of our kinds say, not what they are told.
    pub fn filters(&self) -> impl Iterator<Item = String> {
        let kinds: BTreeSet<_> = self.seats.iter().map(|seat| seat.kind.word()).collect();
        kinds
            .into_iter()
            .flat_map(|kind| LEAVES.map(|leaf| format!("site/v1/{}/{kind}/+/{leaf}", self.site)))
    }

    /// Takes the keys that devices have now. Whose key is the same notices nothing.
    pub fn set_keys(&mut self, keyring: &Keyring, out: &mut Vec<Report>) {
        for seat in &mut self.seats {
            seat.set_key(keyring.get(&seat.device), out);
        }
        self.due_ms = 0;
    }

    pub fn order(&mut self, order: &Order, out: &mut Vec<Report>) {
        if let Some(&place) = self.places.get(&order.device) {
            self.seats[place].member.order(order, out);
            self.due_ms = 0;
        }
    }

    /// Takes a message; false where it is dropped: foreign, oversized, beyond measure, none of
    /// ours.
    pub fn receive(
        &mut self,
        topic: &str,
        payload: &Bytes,
        retained: bool,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool {
        let topic = Topic::parse(topic).filter(|topic| topic.site == self.site.as_str());
        let Some((topic, place)) = topic.and_then(|topic| Some((topic, self.place(&topic)?)))
        else {
            return false;
        };
        let seat = &mut self.seats[place];
        let taken = seat.receive(&topic, payload, retained, now_ms, out);
        self.due_ms = self.due_ms.min(seat.next_at_ms(now_ms));
        taken
    }

    fn place(&self, topic: &Topic<'_>) -> Option<usize> {
        let place = *self.places.get(topic.id)?;
        (self.seats[place].kind.word() == topic.kind).then_some(place)
    }

    /// Looks at the time.
    pub fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        if now_ms >= self.due_ms {
            let site = self.site.as_str();
            self.seats.iter_mut().for_each(|seat| seat.tick(site, now_ms, out));
            self.due_ms = self.earliest(now_ms);
        }
    }

    /// The broker is gone, and everybody behind it.
    pub fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.seats.iter_mut().for_each(|seat| seat.lost(reason, out));
        self.due_ms = 0;
    }

    /// When to look again.
    pub fn next_at_ms(&self) -> u64 {
        self.due_ms
    }

    fn earliest(&self, now_ms: u64) -> u64 {
        self.seats.iter().map(|seat| seat.next_at_ms(now_ms)).min().unwrap_or(u64::MAX)
    }

    /// The next message to publish; everybody in turn.
    pub fn transmit(&mut self, now_ms: u64) -> Option<Outgoing> {
        if now_ms < self.due_ms {
            return None;
        }
        let count = self.seats.len();
        let turn = self.turn;
        let (place, message) = (0..count).map(|i| (turn + i) % count).find_map(|place| {
            let message = self.seats[place].transmit(self.site.as_str(), now_ms)?;
            Some((place, message))
        })?;
        self.turn = place + 1;
        Some(message)
    }
}

impl Seat {
    fn new(
        (device, kind, member): (DeviceId, Kind, Box<dyn Member>),
        keyring: &Keyring,
        now_ms: u64,
    ) -> Self {
        let (key, conduct) = (keyring.get(&device).cloned(), Conduct::new(now_ms));
        Self { device, kind, member, key, conduct, waiting: None, next_state_at_ms: 0 }
    }

    fn set_key(&mut self, key: Option<&Key>, out: &mut Vec<Report>) {
        if self.key.as_ref() != key {
            self.key = key.cloned();
            self.lost(if key.is_some() { PAIRED_ANEW } else { UNPAIRED }, out);
        }
    }

    fn receive(
        &mut self,
        topic: &Topic<'_>,
        payload: &Bytes,
        retained: bool,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool {
        let has_room = self.conduct.hears(now_ms);
        if payload.len() > MAX_PAYLOAD {
            self.conduct.unreadable(now_ms);
            return false;
        }
        match topic.leaf {
            Leaf::State => {
                self.waiting = Some((payload.clone(), retained));
                self.settle(topic.site, now_ms, out)
            }
            _ if has_room => self.hear(topic, payload, retained, now_ms, out),
            _ => false,
        }
    }

    fn hear(
        &mut self,
        topic: &Topic<'_>,
        payload: &[u8],
        retained: bool,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool {
        let Some(key) = &self.key else { return true };
        let heard = Heard { topic: *topic, payload, retained, key };
        let readable = self.member.receive(&heard, now_ms, out);
        if !readable {
            self.conduct.unreadable(now_ms);
        }
        readable
    }

    /// Reads the state that waits, when it is time; false where it is none.
    fn settle(&mut self, site: &str, now_ms: u64, out: &mut Vec<Report>) -> bool {
        if now_ms < self.next_state_at_ms {
            return true;
        }
        let Some((payload, retained)) = self.waiting.take() else { return true };
        self.next_state_at_ms = now_ms + STATE_EVERY_MS;
        let (kind, device) = (self.kind.word(), self.device.clone());
        let topic = Topic { site, kind, id: device.as_str(), leaf: Leaf::State };
        self.hear(&topic, &payload, retained, now_ms, out)
    }

    fn tick(&mut self, site: &str, now_ms: u64, out: &mut Vec<Report>) {
        if self.key.is_some() {
            self.settle(site, now_ms, out);
            self.member.tick(now_ms, out);
        } else {
            // Said once.
            self.member.lost(UNPAIRED, out);
        }
        let what = match self.conduct.verdict(now_ms) {
            Some(Verdict::Misbehaves(how)) => What::Misbehaves { how: how.to_owned() },
            Some(Verdict::Behaves) => What::Behaves,
            None => return,
        };
        out.push(Report { device: self.device.clone(), what });
    }

    fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.waiting = None;
        self.member.lost(reason, out);
    }

    fn next_at_ms(&self, now_ms: u64) -> u64 {
        let settle = self.waiting.as_ref().map_or(u64::MAX, |_| self.next_state_at_ms);
        let member = self.key.as_ref().map_or(u64::MAX, |_| self.member.next_at_ms(now_ms));
        settle.min(member).min(self.conduct.next_at_ms())
    }

    /// The next message to publish at a site of this name.
    fn transmit(&mut self, site: &str, now_ms: u64) -> Option<Outgoing> {
        let key = self.key.as_ref()?;
        let message = self.member.transmit(now_ms)?;
        let (kind, id, leaf) =
            (self.kind.word(), self.device.as_str(), Leaf::Command(message.verb));
        let topic = Topic { site, kind, id, leaf };
        let payload = seal(message.object, &topic, key);
        let first_of = message.first_of.map(|command| (self.device.clone(), command));
        Some(Outgoing { topic: topic.to_string(), payload, first_of })
    }
}
