//! The JSON of MQTT messages, as `firmware-protocol/docs/mqtt.md` describes it: what a device's
//! firmware, its simulator and the host have in common. Fields that are not known are skipped: a
//! later version may add some.
//!
//! Every message is one object without objects in it but where a state lists doors, so that small
//! firmware needs no JSON library for what it is told. Whole numbers stay below 2^53.

pub mod barrier;
pub mod charger;
pub mod locker;

use firmware_protocol::{
    command::{self, CommandId},
    seal::Key,
    session,
    topic::Topic,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// Most bytes in a payload; longer ones are not read.
pub const MAX_PAYLOAD: usize = 4_096;

/// An enum of the wire by its name.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident of $wire:path { $($variant:ident)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs)]
        pub enum $name {
            $($variant,)*
        }

        impl From<$wire> for $name {
            fn from(value: $wire) -> Self {
                match value {
                    $(<$wire>::$variant => Self::$variant,)*
                }
            }
        }

        impl From<$name> for $wire {
            fn from(value: $name) -> Self {
                match value {
                    $($name::$variant => Self::$variant,)*
                }
            }
        }
    };
}
use named;

/// Whether a device is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is.
    Online,
    /// It is not.
    Offline,
}

/// `availability`, retained; with `offline` the device's last will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Availability {
    /// Whether the device is connected.
    pub status: Presence,
    /// The run of the device.
    pub boot_id: u32,
    /// Counts the device's connections to the broker in this run, from 1. The will of a connection
    /// that was replaced may come after the next one began; it is told from that one by this.
    pub connection: u32,
}

/// `cmd/hello`: gives the device the host's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// The run of the device that this is for.
    pub boot_id: u32,
    /// Number of the session: larger than any before in this run.
    pub session: u32,
    /// The host's monotonic clock in milliseconds.
    pub now_ms: u64,
}

/// `result/hello`: the device took the hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Welcome {
    /// As in the hello.
    pub boot_id: u32,
    /// As in the hello.
    pub session: u32,
    /// As in the hello.
    pub now_ms: u64,
    /// Milliseconds since the device started.
    pub uptime_ms: u64,
    /// Commands must have a higher number than this.
    pub counter: u64,
}

/// `cmd/…`: one deed, once, and not late. `V` is what the verb wants to know beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Command<V> {
    /// The command.
    pub cmd_id: Uuid,
    /// The run of the device that this is for.
    pub boot_id: u32,
    /// The session in whose time `deadline_ms` counts.
    pub session: u32,
    /// Higher than that of any command before.
    pub counter: u64,
    /// The host's monotonic clock from which on it must do nothing, in milliseconds.
    pub deadline_ms: u64,
    /// The same in milliseconds of Unix time, where the host's clock is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_unix_ms: Option<u64>,
    /// What the verb wants to know.
    #[serde(flatten)]
    pub arguments: V,
}

/// The arguments of a verb that wants none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

/// What became of a command, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done, or begun where it takes a while.
    Ok,
    /// It cannot be done. Nothing is done.
    Error,
    /// It came too late. Nothing is done.
    Expired,
    /// It was seen before. Nothing is done.
    Duplicate,
}

/// `result/…`, for reasons `R` that the device refuses for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandResult<R> {
    /// The command.
    pub cmd_id: Uuid,
    /// What became of it.
    pub outcome: Outcome,
    /// For a duplicate: what became of it the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Outcome>,
    /// For an error, now or the first time: why.
    #[serde(default = "none::<R>", skip_serializing_if = "Option::is_none")]
    pub reason: Option<R>,
}

fn none<R>() -> Option<R> {
    None
}

/// `event/…`: something that happened once. `V` is what the type of event has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event<V> {
    /// The event; the same when it is sent again.
    pub event_id: Uuid,
    /// The run of the device in which it happened.
    pub boot_id: u32,
    /// Counts the events of this run from 1, without a gap.
    pub seq: u32,
    /// The session that held when this was sent. Only an event of the present session may open
    /// anything.
    pub session: u32,
    /// When it happened, in milliseconds since the device started.
    pub uptime_ms: u64,
    /// What the event has to say.
    #[serde(flatten)]
    pub what: V,
}

impl From<command::Hello> for Hello {
    fn from(hello: command::Hello) -> Self {
        let command::Hello { boot, session, now_ms } = hello;
        Self { boot_id: boot, session, now_ms }
    }
}

impl From<Hello> for command::Hello {
    fn from(hello: Hello) -> Self {
        let Hello { boot_id, session, now_ms } = hello;
        Self { boot: boot_id, session, now_ms }
    }
}

impl From<Welcome> for session::Welcome {
    fn from(welcome: Welcome) -> Self {
        let Welcome { boot_id, session, now_ms, counter, .. } = welcome;
        let hello = command::Hello { boot: boot_id, session, now_ms };
        Self { hello, counter }
    }
}

impl<V> Command<V> {
    /// A command without its deed, as [`session::Host`] gives it.
    pub fn new<A>(command: &command::Command<A>, counter: u64, arguments: V) -> Self {
        Self {
            cmd_id: Uuid::from_bytes(command.id),
            boot_id: command.boot,
            session: command.session,
            counter,
            deadline_ms: command.expires_at_ms,
            expires_at_unix_ms: None,
            arguments,
        }
    }

    /// As [`session::Device`] judges it, with the deed that the verb and its arguments mean.
    pub fn with_action<A>(&self, action: A) -> command::Command<A> {
        let id: CommandId = self.cmd_id.into_bytes();
        let Self { boot_id, session, deadline_ms, .. } = *self;
        command::Command { boot: boot_id, session, id, expires_at_ms: deadline_ms, action }
    }
}

impl<R> CommandResult<R> {
    /// What a device says about a command.
    pub fn new<W: Into<R>>(reply: command::Reply<W>) -> Self {
        let (verdict, reason) = match reply.verdict {
            command::Verdict::Accepted => (Outcome::Ok, None),
            command::Verdict::Expired => (Outcome::Expired, None),
            command::Verdict::Refused(refusal) => (Outcome::Error, Some(refusal.into())),
        };
        let (outcome, first) =
            if reply.duplicate { (Outcome::Duplicate, Some(verdict)) } else { (verdict, None) };
        Self { cmd_id: Uuid::from_bytes(reply.id), outcome, first, reason }
    }

    /// As [`session::Host`] takes it; none where it contradicts itself.
    pub fn to_reply<W>(self) -> Option<command::Reply<W>>
    where
        R: Into<W>,
    {
        let duplicate = self.outcome == Outcome::Duplicate;
        let verdict = match if duplicate { self.first? } else { self.outcome } {
            Outcome::Ok => command::Verdict::Accepted,
            Outcome::Expired => command::Verdict::Expired,
            Outcome::Error => command::Verdict::Refused(self.reason?.into()),
            Outcome::Duplicate => return None,
        };
        Some(command::Reply { id: self.cmd_id.into_bytes(), duplicate, verdict })
    }
}

/// A message as it is published: sealed where the device has a key.
pub fn write(message: &impl Serialize, topic: &Topic<'_>, key: Option<&Key>) -> Vec<u8> {
    let object = object(message);
    match key {
        Some(key) => seal(object, topic, key),
        None => object,
    }
}

/// A message before it is sealed.
pub fn object(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("numbers, words and identifiers are always JSON")
}

/// Seals a message of [`object`] for the topic that it is published to.
pub fn seal(mut object: Vec<u8>, topic: &Topic<'_>, key: &Key) -> Vec<u8> {
    object.pop();
    let ending = key.ending(topic, &object);
    object.extend_from_slice(&ending);
    object
}

/// Reads a message that came on `topic`; none where it is too long, is not sealed by `key`, where
/// there is one, or is no such message.
pub fn read<T: DeserializeOwned>(
    payload: &[u8],
    topic: &Topic<'_>,
    key: Option<&Key>,
) -> Option<T> {
    let genuine = key.is_none_or(|key| key.sealed(topic, payload));
    let usable = payload.len() <= MAX_PAYLOAD && genuine;
    usable.then(|| serde_json::from_slice(payload).ok()).flatten()
}
