//! A topic and a payload may be anything: nothing panics, nothing without the seal is taken for
//! sealed, and what is read is written alike.

use std::fmt::Debug;

use firmware_protocol::{
    barrier as wire_barrier, charger as wire_charger, locker as wire_locker,
    seal::Key,
    topic::{Leaf, Topic},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::payload::{
    Availability, Command, CommandResult, Event, Hello, Nothing, Welcome, barrier, charger, locker,
    read, write,
};

const KEY: [u8; 32] = [7; 32];

/// Takes the first line for the topic, and the rest for the payload.
///
/// # Panics
/// Where a promise is broken.
pub fn run(data: &[u8]) {
    let usual = Topic { site: "east", kind: "locker", id: "hall", leaf: Leaf::State };
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (line, payload) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let parsed = std::str::from_utf8(line).ok().and_then(|line| Some((line, Topic::parse(line)?)));
    if let Some((line, topic)) = parsed {
        assert_eq!(topic.to_string(), line);
    }
    let topic = parsed.map_or(usual, |(_, topic)| topic);
    assert!(!Key::new(KEY).sealed(&topic, payload), "a seal is not made without the key");
    everything(payload, &topic);
}

fn everything(payload: &[u8], topic: &Topic<'_>) {
    one::<Availability>(payload, topic);
    one::<Hello>(payload, topic);
    one::<Welcome>(payload, topic);
    one::<Command<Nothing>>(payload, topic);
    one::<Command<locker::Open>>(payload, topic);
    one::<Command<locker::Deny>>(payload, topic);
    one::<Command<charger::Allowed>>(payload, topic);
    one::<Event<locker::AtDoor>>(payload, topic);
    one::<Event<locker::Code>>(payload, topic);
    one::<Event<charger::AtCharger>>(payload, topic);
    one::<locker::Info>(payload, topic);
    one::<locker::State>(payload, topic);
    one::<charger::Info>(payload, topic);
    one::<charger::State>(payload, topic);
    one::<barrier::State>(payload, topic);
    one::<barrier::Info>(payload, topic);
    if let Some(result) = one::<CommandResult<locker::Refusal>>(payload, topic)
        && let Some(reply) = result.to_reply::<wire_locker::Refusal>()
    {
        let again = CommandResult::<locker::Refusal>::new(reply);
        assert_eq!(again.to_reply::<wire_locker::Refusal>(), Some(reply));
    }
    if let Some(result) = one::<CommandResult<charger::Refusal>>(payload, topic) {
        let _ = result.to_reply::<wire_charger::Refusal>();
    }
    if let Some(result) = one::<CommandResult<barrier::Refusal>>(payload, topic) {
        let _ = result.to_reply::<wire_barrier::Refusal>();
    }
}

/// Reads it as one message; gives that.
fn one<T>(payload: &[u8], topic: &Topic<'_>) -> Option<T>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let key = Key::new(KEY);
    assert_eq!(read::<T>(payload, topic, Some(&key)), None);
    let message = read::<T>(payload, topic, None)?;
    let sealed = write(&message, topic, Some(&key));
    if sealed.len() <= crate::payload::MAX_PAYLOAD {
        assert_eq!(read::<T>(&sealed, topic, Some(&key)).as_ref(), Some(&message));
    }
    Some(message)
}
