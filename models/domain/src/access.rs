//! Who may enter a site and who may not, as the cloud keeps it, and how it travels to the site.
//!
//! A list has one entry for each plate and kind. Each change of an entry has a number, larger than
//! all before it; the number of the last change is the list's version. A site asks with
//! `GET /edge/v1/access?after=N` for the entries that have changed since N, in the order of their
//! changes, and gets as many as a part holds ([`Header`]). Where N is the version that it goes by,
//! that is what is new; where N is 0, the whole list; where a part broke off, the rest.
//!
//! - A site goes by whole versions: by what it has until it has everything of a newer one.
//! - What it puts together must have the [`Digest`] that the cloud says; where it has not, the list
//!   is fetched anew.
//! - A permit that is revoked stays in the list as such, since a vehicle that is inside by it is
//!   charged from its end on.

mod digest;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::digest::Digest;
use crate::{ids::LaneId, plate::TypedPlate};

/// Where a site asks.
pub const PATH: &str = "/edge/v1/access";
/// Most entries in one part.
pub const MAX_PART_ENTRIES: usize = 10_000;
/// Most bytes of one entry as it travels.
pub const MAX_ENTRY_BYTES: usize = 2048;
/// Most bytes of the entries in one part, before they are compressed.
pub const MAX_PART_BYTES: usize = 1 << 20;

/// A permit of one plate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// The plate.
    pub plate: TypedPlate,
    /// Whose it is, for people.
    pub holder: String,
    /// From when it holds; none for always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<DateTime<Utc>>,
    /// Until when it holds, that moment not included; none for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<DateTime<Utc>>,
    /// The entry lanes that it opens; all where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<LaneId>,
    /// Whether it was revoked, at `valid_until`: it opens nothing any more, whatever the clock says.
    #[serde(default, skip_serializing_if = "is_false")]
    pub revoked: bool,
}

/// A plate that may not enter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The plate.
    pub plate: TypedPlate,
    /// Why, for people.
    pub reason: String,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A permit.
    Permit,
    /// A denial.
    Deny,
}

impl Kind {
    /// The word for it, as it is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Deny => "deny",
        }
    }
}

/// An entry as it stands after a change, or that it is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A permit.
    Permit(Permit),
    /// A denial.
    Deny(Denial),
    /// It is no more.
    Gone {
        /// What it was.
        kind: Kind,
        /// Its plate.
        plate: TypedPlate,
    },
}

impl Change {
    /// The plate that it is about.
    pub const fn plate(&self) -> &TypedPlate {
        match self {
            Self::Permit(Permit { plate, .. })
            | Self::Deny(Denial { plate, .. })
            | Self::Gone { plate, .. } => plate,
        }
    }

    /// What the entry is or was.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Permit(_) => Kind::Permit,
            Self::Deny(_) => Kind::Deny,
            Self::Gone { kind, .. } => *kind,
        }
    }
}

/// The first line of a part. What follows is one [`Change`] a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The list's version when the part was made.
    pub version: u64,
    /// The last change in this part; the version where nothing is left to ask for.
    pub through: u64,
    /// How many entries the list has at `version`.
    pub entries: u64,
    /// The digest of the list at `version`.
    pub digest: Digest,
}

/// A part that is none.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of a list cannot be read: {reason}")]
pub struct BadPart {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Changes, each with its exact text.
pub type Changes<'a> = Vec<(Change, &'a str)>;

/// Reads a part: what it says of itself, and the changes with their exact texts.
///
/// # Errors
/// [`BadPart`] names the first line that cannot be read.
pub fn read_part(text: &str) -> Result<(Header, Changes<'_>), BadPart> {
    fn parse<'a, T: Deserialize<'a>>(line: usize, text: &'a str) -> Result<T, BadPart> {
        serde_json::from_str(text).map_err(|error| BadPart { line, reason: error.to_string() })
    }
    let mut lines = text.lines().zip(1..);
    let header = lines.next().map_or_else(|| parse(1, ""), |(text, line)| parse(line, text))?;
    let changes = lines.map(|(text, line)| Ok((parse(line, text)?, text)));
    Ok((header, changes.collect::<Result<_, _>>()?))
}

/// What a site asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The last change that it has.
    pub after: u64,
}

impl Ask {
    /// Path and query, as they are signed.
    pub fn target(&self) -> String {
        format!("{PATH}?after={}", self.after)
    }
}

/// When a permit holds. Its end belongs to it no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// From when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl Term {
    /// Whether `at` is in it.
    pub fn covers(self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|end| at < end)
    }
}

impl Permit {
    /// When it holds.
    pub const fn term(&self) -> Term {
        Term { from: self.valid_from, until: self.valid_until }
    }

    /// Whether it held at `at`, as far as its dates go.
    pub fn covers(&self, at: DateTime<Utc>) -> bool {
        self.term().covers(at)
    }

    /// Whether it opens the entry lane `lane`.
    pub fn opens(&self, lane: &LaneId) -> bool {
        self.lanes.is_empty() || self.lanes.contains(lane)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_false(value: &bool) -> bool {
    !*value
}
