//! Looking at entries and at what became of them.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::{access::Kind, ids::LaneId, plate::normal_form};

use super::entry::{Checked, Fate};
use crate::{
    error::{Error, Result},
    plates::Window,
    store::{Conditions, Row, StoreError, Transaction, first, number, params},
    text,
};

/// A permit or a denial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The site.
    pub site: String,
    /// Whether it is a permit or a denial.
    pub kind: Kind,
    /// The plate as it was typed.
    pub plate: String,
    /// Whose permit it is, or why the plate may not enter.
    pub about: String,
    /// From when a permit holds.
    pub valid_from: Option<DateTime<Utc>>,
    /// Until when a permit holds, that moment not included.
    pub valid_until: Option<DateTime<Utc>>,
    /// The entry lanes that a permit opens; all where none is named.
    pub lanes: Vec<LaneId>,
    /// For people at the cloud.
    pub note: String,
    /// Whether the permit was revoked.
    pub revoked: bool,
    /// Number of its last change.
    pub version: i64,
    /// When that was, in milliseconds UTC.
    pub changed_at_ms: i64,
}

/// Which entries are wanted; none of it means all that stand.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// Of this site.
    pub site: Option<String>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// With a plate that has this in it.
    pub plate: Option<String>,
}

/// One change of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// Its number.
    pub version: i64,
    /// Of what.
    pub kind: String,
    /// The plate in normal form.
    pub plate: String,
    /// What became of it: put, revoked, removed, forgotten.
    pub what: String,
    /// The entry afterwards, as JSON; empty where it is gone.
    pub entry: String,
    /// When, in milliseconds UTC.
    pub at_ms: i64,
    /// The name of the account that did it; none for the command line.
    pub by: Option<String>,
}

impl Entry {
    /// The entry as it is once it was taken away.
    pub(super) fn taken_away(self, now_ms: i64) -> Result<Checked> {
        match self.kind {
            Kind::Deny => self.with(Fate::Removed),
            Kind::Permit => {
                let now = DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
                let end = self.valid_until.map_or(now, |end| end.min(now));
                Self { valid_until: Some(end), ..self }.with(Fate::Revoked)
            }
        }
    }

    pub(super) fn with(self, fate: Fate) -> Result<Checked> {
        let plate = text::plate("plate", &self.plate)?;
        let Self { kind, about, valid_from, valid_until, lanes, note, .. } = self;
        Ok(Checked { kind, plate, about, valid_from, valid_until, lanes, note, fate })
    }
}

const SELECT: &str = "SELECT site_id, kind, plate, about, valid_from_ms, valid_until_ms, lanes,
        note, revoked, version, changed_at_ms FROM access_entries";

pub(super) fn get(tx: &mut dyn Transaction, site: &str, kind: Kind, key: &str) -> Result<Entry> {
    let sql =
        format!("{SELECT} WHERE site_id = $1 AND kind = $2 AND plate_key = $3 AND line <> ''");
    let row = first(tx, &sql, params![site, kind.as_str(), key])?;
    Ok(entry(&row.ok_or(Error::NotFound("entry"))?)?)
}

pub(super) fn page(
    tx: &mut dyn Transaction,
    filter: &EntryFilter,
    window: Window,
) -> Result<(Vec<Entry>, i64)> {
    let pattern = filter.plate.as_deref().map(|part| like(&normal_form(part)));
    let mut conditions = Conditions::new("line <> ''")
        .and("site_id = ?", filter.site.as_deref())
        .and("kind = ?", filter.kind.map(Kind::as_str))
        .and("plate_key LIKE ? ESCAPE '\\'", pattern);
    let count = format!("SELECT COUNT(*) FROM access_entries {}", conditions.sql());
    let total = number(tx, &count, conditions.params())?;
    let slice = conditions.slice(window);
    let sql = format!("{SELECT} {} ORDER BY plate_key, site_id, kind{slice}", conditions.sql());
    let rows = tx.query(&sql, conditions.params())?;
    Ok((rows.iter().map(entry).collect::<Result<_, _>>()?, total))
}

/// Entries of a kind that stand and whose plates are not among `keep`.
pub(super) fn others(
    tx: &mut dyn Transaction,
    site: &str,
    kind: Kind,
    keep: &HashSet<String>,
) -> Result<Vec<Entry>> {
    let sql = format!("{SELECT} WHERE site_id = $1 AND kind = $2 AND line <> '' AND revoked = 0");
    let rows = tx.query(&sql, params![site, kind.as_str()])?;
    let entries = rows.iter().map(|row| Ok(entry(row)?));
    let is_other = |entry: &Result<Entry>| {
        entry.as_ref().map_or(true, |entry| !keep.contains(&normal_form(&entry.plate)))
    };
    entries.filter(is_other).collect()
}

/// Permits that ended before a moment.
pub(super) fn ended(
    tx: &mut dyn Transaction,
    site: &str,
    before_ms: i64,
    most: u32,
) -> Result<Vec<Entry>> {
    let sql = format!(
        "{SELECT} WHERE site_id = $1 AND valid_until_ms IS NOT NULL AND valid_until_ms < $2
         AND line <> '' ORDER BY valid_until_ms LIMIT $3"
    );
    let rows = tx.query(&sql, params![site, before_ms, i64::from(most)])?;
    Ok(rows.iter().map(entry).collect::<Result<_, _>>()?)
}

pub(super) fn history(
    tx: &mut dyn Transaction,
    site: &str,
    plate: Option<&str>,
    window: Window,
) -> Result<Vec<HistoryLine>> {
    let mut conditions =
        Conditions::new("1 = 1").and("c.site_id = ?", Some(site)).and("c.plate_key = ?", plate);
    let slice = conditions.slice(window);
    let sql = format!(
        "SELECT c.version, c.kind, c.plate_key, c.what, c.line, c.at_ms, a.username
         FROM access_changes c LEFT JOIN users a ON a.id = c.user_id
         {} ORDER BY c.version DESC{slice}",
        conditions.sql()
    );
    let rows = tx.query(&sql, conditions.params())?;
    rows.iter()
        .map(|row| {
            Ok(HistoryLine {
                version: row.get(0)?,
                kind: row.get(1)?,
                plate: row.get(2)?,
                what: row.get(3)?,
                entry: row.get(4)?,
                at_ms: row.get(5)?,
                by: row.get(6)?,
            })
        })
        .collect()
}

fn entry(row: &Row) -> Result<Entry, StoreError> {
    let time = |column| {
        let ms: Option<i64> = row.get(column)?;
        Ok::<_, StoreError>(ms.and_then(DateTime::from_timestamp_millis))
    };
    let lanes: String = row.get(6)?;
    Ok(Entry {
        site: row.get(0)?,
        kind: if row.get::<String>(1)? == "deny" { Kind::Deny } else { Kind::Permit },
        plate: row.get(2)?,
        about: row.get(3)?,
        valid_from: time(4)?,
        valid_until: time(5)?,
        lanes: lanes.split_whitespace().filter_map(|lane| lane.parse().ok()).collect(),
        note: row.get(7)?,
        revoked: row.get(8)?,
        version: row.get(9)?,
        changed_at_ms: row.get(10)?,
    })
}

/// A pattern for `LIKE … ESCAPE '\'` that finds a text anywhere.
fn like(part: &str) -> String {
    let escaped = part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
