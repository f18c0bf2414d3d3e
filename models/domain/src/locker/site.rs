//! Lockers at a site: what the cloud tells of a cabinet, and what happens at one.
//!
//! An order ends at the cloud and is used at the site, and either may be out of the other's sight.
//! One rule settles what then disagrees: **the cloud's word holds for the order and its money, the
//! site's for the door.** A code that was good by what the site knew opens, and what was opened
//! stays in the books of both; an order that had ended at the cloud meanwhile stays ended and costs
//! nothing more. Whoever looks after the station is told, since something may lie in the cabinet.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::code::CodeHash;
use crate::{
    event::Outcome,
    ids::{CommandId, DeviceId},
};

/// A cabinet as its site is told of it: whole each time, so that the last word counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cabinet {
    /// The name on its door.
    pub cabinet: String,
    /// The order that has it; none where nobody may open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Held>,
}

/// A paid order that has a cabinet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its number at the cloud.
    pub order: i64,
    /// Its number for people.
    pub order_no: String,
    /// What its code is known by.
    pub code: CodeHash,
    /// From then on the code opens nothing.
    pub valid_until: DateTime<Utc>,
}

/// What happened at a locker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum LockerFact {
    /// Which doors a controller has, whenever that has changed.
    Installed {
        /// The controller.
        device: DeviceId,
        /// The names on its doors, in the order of their numbers; none where it was taken away.
        doors: Vec<String>,
    },
    /// The site was told of a cabinet.
    Told {
        /// The directive that told of it.
        directive: u64,
        /// What it told.
        cabinet: Cabinet,
    },
    /// A door is about to be unlocked (the intent, on disk before the act).
    Opening {
        /// The command.
        command: CommandId,
        /// The controller.
        device: DeviceId,
        /// The name on the door.
        cabinet: String,
        /// The order that it is opened for; none where an operator asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<i64>,
        /// Who asked.
        by: By,
        /// The name of the operator who asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operator: Option<String>,
        /// The cloud's directive that asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directive: Option<u64>,
    },
    /// Somebody asked for a door, and nothing opens.
    Denied {
        /// The controller where it was asked, or of the door that was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<DeviceId>,
        /// The name on the door, where one was named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cabinet: Option<String>,
        /// Why.
        why: Denial,
        /// Who asked.
        by: By,
        /// The cloud's command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<CommandId>,
        /// The cloud's directive that asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directive: Option<u64>,
    },
    /// Too many wrong codes: for a while none counts.
    LockedOut {
        /// The controller where they were entered.
        device: DeviceId,
        /// The door that they were for; none where all doors of the controller share a keypad.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cabinet: Option<String>,
        /// For how long, in seconds.
        seconds: u32,
    },
    /// What became of a command to unlock a door.
    Outcome {
        /// The command.
        command: CommandId,
        /// The name on the door.
        cabinet: String,
        /// What became of it; `accepted` says that the lock was released.
        outcome: Outcome,
        /// Why, as a word, where the controller refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refusal: Option<String>,
        /// Milliseconds from sending to the outcome, where one was seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        elapsed_ms: Option<u64>,
    },
    /// A door was opened or closed.
    Door {
        /// The name on it.
        cabinet: String,
        /// Whether it is closed now.
        closed: bool,
        /// The command that it was opened by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<CommandId>,
    },
    /// A door does not do as it should.
    Trouble {
        /// The name on it.
        cabinet: String,
        /// What is wrong.
        trouble: Trouble,
    },
    /// All is well with a door again.
    Recovered {
        /// The name on it.
        cabinet: String,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Who asks for a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Somebody with a code at the locker's keypad.
    Keypad,
    /// Somebody with a code before the locker's scanner.
    Scanner,
    /// The cloud, for somebody with a code.
    Cloud,
    /// An operator at the site.
    Operator,
    /// Somebody that this version does not know.
    #[serde(other)]
    Other,
}

/// Why nothing opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// The code opens nothing here.
    WrongCode,
    /// No code counts for a while.
    LockedOut,
    /// The order's time is over.
    Over,
    /// The controller cannot be reached, or is opening already.
    Unavailable,
    /// No controller of the site has this door.
    UnknownCabinet,
    /// It was asked too long ago.
    Expired,
    /// For a reason that this version does not know.
    #[serde(other)]
    Other,
}

/// What is wrong with a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The lock does not follow.
    Jammed,
    /// It was unlocked, and did not open.
    NeverOpened,
    /// It stands open for too long.
    LeftOpen,
    /// It was opened while the lock held.
    ForcedOpen,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

impl LockerFact {
    /// The directive that this says was carried out.
    pub const fn directive(&self) -> Option<u64> {
        match self {
            Self::Told { directive, .. } => Some(*directive),
            Self::Opening { directive, .. } | Self::Denied { directive, .. } => *directive,
            _ => None,
        }
    }
}

impl Trouble {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Jammed => "jammed",
            Self::NeverOpened => "never_opened",
            Self::LeftOpen => "left_open",
            Self::ForcedOpen => "forced_open",
            Self::Other => "other",
        }
    }
}

impl Denial {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::WrongCode => "wrong_code",
            Self::LockedOut => "locked_out",
            Self::Over => "over",
            Self::Unavailable => "unavailable",
            Self::UnknownCabinet => "unknown_cabinet",
            Self::Expired => "expired",
            Self::Other => "other",
        }
    }
}
