//! An entry as somebody wants it, and whether it can be.

use chrono::{DateTime, Utc};
use domain::{
    access::{Change, Denial, Kind, MAX_ENTRY_BYTES, Permit},
    ids::LaneId,
    plate::TypedPlate,
};

use crate::{
    error::{Error, Result},
    store::StoreError,
    text,
};

/// Most lanes that a permit may be restricted to.
const MOST_LANES: usize = 16;

/// An entry as it shall be.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Whether it is a permit or a denial.
    pub kind: Kind,
    /// The plate as typed.
    pub plate: String,
    /// Whose permit it is, or why the plate may not enter; 1 to 100 characters.
    pub about: String,
    /// From when a permit holds.
    pub valid_from: Option<DateTime<Utc>>,
    /// Until when a permit holds, that moment not included.
    pub valid_until: Option<DateTime<Utc>>,
    /// The entry lanes that a permit opens; all where none is named.
    pub lanes: Vec<LaneId>,
    /// For people at the cloud, at most 200 characters; it does not travel.
    pub note: String,
}

/// An entry that can be written.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) kind: Kind,
    pub(super) plate: TypedPlate,
    pub(super) about: String,
    pub(super) valid_from: Option<DateTime<Utc>>,
    pub(super) valid_until: Option<DateTime<Utc>>,
    pub(super) lanes: Vec<LaneId>,
    pub(super) note: String,
    pub(super) fate: Fate,
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stands.
    Stands,
    /// It stays in the list as one that opens nothing any more.
    Revoked,
    /// It is no more, because somebody said so.
    Removed,
    /// It is no more, because it ended long ago.
    Forgotten,
}

impl NewEntry {
    pub(super) fn checked(self) -> Result<Checked> {
        let Self { kind, valid_from, valid_until, lanes, .. } = self;
        let is_bare = valid_from.is_none() && valid_until.is_none() && lanes.is_empty();
        if kind == Kind::Deny && !is_bare {
            return Err(Error::invalid("kind", "a denial has no dates and no lanes"));
        }
        if let (Some(from), Some(until)) = (valid_from, valid_until)
            && until <= from
        {
            let problem = format!("{until} is not after valid_from, {from}");
            return Err(Error::invalid("valid_until", problem));
        }
        if lanes.len() > MOST_LANES {
            return Err(Error::invalid("lanes", format!("name at most {MOST_LANES}")));
        }
        let checked = Checked {
            kind,
            plate: text::plate("plate", &self.plate)?,
            about: text::required(about_field(kind), &self.about, 100)?,
            valid_from,
            valid_until,
            lanes,
            note: text::optional("note", &self.note, 200)?,
            fate: Fate::Stands,
        };
        if checked.line()?.len() > MAX_ENTRY_BYTES {
            return Err(Error::invalid("lanes", "the entry is too long: name fewer lanes"));
        }
        Ok(checked)
    }
}

impl Checked {
    /// The entry as it travels; empty where it is no more.
    pub(super) fn line(&self) -> Result<String, StoreError> {
        let plate = self.plate.clone();
        let change = match (self.fate, self.kind) {
            (Fate::Removed | Fate::Forgotten, _) => return Ok(String::new()),
            (_, Kind::Permit) => Change::Permit(Permit {
                plate,
                holder: self.about.clone(),
                valid_from: self.valid_from,
                valid_until: self.valid_until,
                lanes: self.lanes.clone(),
                revoked: self.fate == Fate::Revoked,
            }),
            (_, Kind::Deny) => Change::Deny(Denial { plate, reason: self.about.clone() }),
        };
        serde_json::to_string(&change).map_err(|e| StoreError::new("write an entry", e))
    }

    /// What the history says of it.
    pub(super) const fn what(&self) -> &'static str {
        match self.fate {
            Fate::Stands => "put",
            Fate::Revoked => "revoked",
            Fate::Removed => "removed",
            Fate::Forgotten => "forgotten",
        }
    }
}

/// What people call the text of an entry.
const fn about_field(kind: Kind) -> &'static str {
    match kind {
        Kind::Permit => "holder",
        Kind::Deny => "reason",
    }
}
