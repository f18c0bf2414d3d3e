//! The layout of MQTT topics: `site/v1/<site>/<kind>/<id>/<leaf>`, where the leaf is
//! `availability`, `info`, `state`, `event/<type>`, `cmd/<verb>` or `result/<verb>`.
//!
//! The version is in the topic, so that two versions live side by side on one broker and an access
//! list can tell them apart.

use core::fmt;

/// What a topic is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf<'a> {
    /// `online` or `offline`, retained; `offline` is the device's last will.
    Availability,
    /// What the device is; retained.
    Info,
    /// How the device is; never retained, at least once a second.
    State,
    /// Something that happened once.
    Event(&'a str),
    /// A command to the device; never retained.
    Command(&'a str),
    /// What became of a command.
    Result(&'a str),
}

/// The address of one kind of message of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic<'a> {
    /// The site.
    pub site: &'a str,
    /// What kind of device: `barrier`, …
    pub kind: &'a str,
    /// The device.
    pub id: &'a str,
    /// What it is about.
    pub leaf: Leaf<'a>,
}

impl<'a> Topic<'a> {
    /// Takes a topic apart; none for one of another layout or version.
    pub fn parse(topic: &'a str) -> Option<Self> {
        let mut levels = topic.strip_prefix("site/v1/")?.split('/');
        if !levels.clone().all(is_name) {
            return None;
        }
        let (site, kind, id) = (levels.next()?, levels.next()?, levels.next()?);
        let leaf = match (levels.next()?, levels.next()) {
            ("availability", None) => Leaf::Availability,
            ("info", None) => Leaf::Info,
            ("state", None) => Leaf::State,
            ("event", Some(kind)) => Leaf::Event(kind),
            ("cmd", Some(verb)) => Leaf::Command(verb),
            ("result", Some(verb)) => Leaf::Result(verb),
            _ => return None,
        };
        levels.next().is_none().then_some(Self { site, kind, id, leaf })
    }
}

/// Levels that neither end nor widen a filter.
fn is_name(level: &str) -> bool {
    !level.is_empty() && level.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl fmt::Display for Topic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, kind, id, leaf } = self;
        write!(f, "site/v1/{site}/{kind}/{id}/")?;
        match leaf {
            Leaf::Availability => f.write_str("availability"),
            Leaf::Info => f.write_str("info"),
            Leaf::State => f.write_str("state"),
            Leaf::Event(kind) => write!(f, "event/{kind}"),
            Leaf::Command(verb) => write!(f, "cmd/{verb}"),
            Leaf::Result(verb) => write!(f, "result/{verb}"),
        }
    }
}
