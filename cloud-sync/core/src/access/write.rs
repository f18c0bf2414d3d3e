//! Writing entries: each that changes anything gets the next number, the digest of the list is kept
//! current, and the history says who did it; all in the transaction that is given.

use domain::access::Digest;

use super::entry::{Checked, Fate};
use crate::{
    access::query,
    caller::Actor,
    directives,
    error::{Error, Result},
    store::{StoreError, Transaction, Value, first, params},
};

/// Entries in one statement: many rows share a way to the database and back.
const CHUNK: usize = 100;
/// Most entries of a list.
const MOST_ENTRIES: i64 = 1_000_000;
/// How long after its end a permit is told to the site: as long as a vehicle that entered by it may
/// still be inside.
const ENDED_KEPT_MS: i64 = 90 * 24 * 60 * 60 * 1000;
/// Ended permits that are dropped at a time.
const MOST_FORGOTTEN: u32 = 100;

/// Who changes a list, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Author {
    pub(super) actor: Actor,
    pub(super) at_ms: i64,
}

/// A list as a whole.
struct List {
    version: i64,
    entries: i64,
    digest: Digest,
}

/// An entry with its text and its new number.
struct Numbered {
    entry: Checked,
    line: String,
    version: i64,
}

/// Writes entries, of which no two have the same plate and kind; returns how many changed.
pub(super) fn put(
    tx: &mut dyn Transaction,
    site: &str,
    author: &Author,
    entries: Vec<Checked>,
) -> Result<usize> {
    let mut list = read(tx, site)?;
    let before = list.version;
    for chunk in entries.chunks(CHUNK) {
        let changed = number(tx, site, &mut list, chunk)?;
        if !changed.is_empty() {
            write_entries(tx, site, author, &changed)?;
            write_history(tx, site, author, &changed)?;
        }
    }
    if list.entries > MOST_ENTRIES {
        return Err(Error::invalid("entries", format!("a site has at most {MOST_ENTRIES}")));
    }
    if list.version > before {
        keep(tx, site, &list)?;
        directives::wake(tx)?;
    }
    Ok(usize::try_from(list.version - before).unwrap_or(usize::MAX))
}

/// Drops permits that ended long ago.
pub(super) fn forget_ended(tx: &mut dyn Transaction, site: &str, author: &Author) -> Result<()> {
    let ended = query::ended(tx, site, author.at_ms - ENDED_KEPT_MS, MOST_FORGOTTEN)?;
    let author = Author { actor: Actor::default(), ..*author };
    let forgotten = ended.into_iter().map(|entry| entry.with(Fate::Forgotten));
    put(tx, site, &author, forgotten.collect::<Result<_>>()?).map(drop)
}

fn read(tx: &mut dyn Transaction, site: &str) -> Result<List, StoreError> {
    // Whoever else changes this list waits here until we are done.
    tx.execute(
        "INSERT INTO access_lists (site_id, version, entries, digest) VALUES ($1, 0, 0, $2)
         ON CONFLICT (site_id) DO UPDATE SET version = access_lists.version",
        params![site, Digest::default().to_string()],
    )?;
    let sql = "SELECT version, entries, digest FROM access_lists WHERE site_id = $1";
    let row = first(tx, sql, params![site])?;
    let row = row.ok_or_else(|| StoreError::new("read a list", "it is gone"))?;
    let digest = Digest::parse(&row.get::<String>(2)?);
    let digest = digest.ok_or_else(|| StoreError::new("read a list", "its digest is none"))?;
    Ok(List { version: row.get(0)?, entries: row.get(1)?, digest })
}

fn keep(tx: &mut dyn Transaction, site: &str, list: &List) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE access_lists SET version = $1, entries = $2, digest = $3 WHERE site_id = $4",
        params![list.version, list.entries, list.digest.to_string(), site],
    )?;
    Ok(())
}

/// Those of `chunk` that change anything, with their numbers.
fn number(
    tx: &mut dyn Transaction,
    site: &str,
    list: &mut List,
    chunk: &[Checked],
) -> Result<Vec<Numbered>> {
    let known = known(tx, site, chunk)?;
    let mut changed = Vec::new();
    for entry in chunk {
        let line = entry.line()?;
        let key = (entry.kind.as_str(), entry.plate.normal());
        let old = known.iter().find(|old| (old.kind.as_str(), old.key.as_str()) == key);
        if old.is_some_and(|old| old.line == line && old.note == entry.note) {
            continue;
        }
        if let Some(old) = old.filter(|old| !old.line.is_empty()) {
            list.digest.remove(&old.line);
            list.entries -= 1;
        }
        if !line.is_empty() {
            list.digest.add(&line);
            list.entries += 1;
        }
        list.version += 1;
        changed.push(Numbered { entry: entry.clone(), line, version: list.version });
    }
    Ok(changed)
}

/// An entry as it is before the change.
struct Known {
    kind: String,
    key: String,
    line: String,
    note: String,
}

fn known(tx: &mut dyn Transaction, site: &str, chunk: &[Checked]) -> Result<Vec<Known>> {
    let mut params = vec![Value::from(site)];
    params.extend(chunk.iter().map(|entry| Value::from(entry.plate.normal())));
    let places: Vec<_> = (2..=params.len()).map(|at| format!("${at}")).collect();
    let sql = format!(
        "SELECT kind, plate_key, line, note FROM access_entries
         WHERE site_id = $1 AND kind IN ('permit', 'deny') AND plate_key IN ({})",
        places.join(", ")
    );
    let rows = tx.query(&sql, &params)?;
    let known = rows.iter().map(|row| {
        let (kind, key) = (row.get(0)?, row.get(1)?);
        Ok(Known { kind, key, line: row.get(2)?, note: row.get(3)? })
    });
    known.collect()
}

fn write_entries(
    tx: &mut dyn Transaction,
    site: &str,
    author: &Author,
    changed: &[Numbered],
) -> Result<(), StoreError> {
    let ms = |time: Option<chrono::DateTime<chrono::Utc>>| time.map(|t| t.timestamp_millis());
    let row = |one: &Numbered| {
        let Numbered { entry, line, version } = one;
        let lanes: Vec<_> = entry.lanes.iter().map(|lane| lane.as_str()).collect();
        params![
            site,
            entry.kind.as_str(),
            entry.plate.normal(),
            entry.plate.as_typed(),
            &entry.about,
            ms(entry.valid_from),
            ms(entry.valid_until),
            lanes.join(" "),
            &entry.note,
            entry.fate == Fate::Revoked,
            line,
            *version,
            author.at_ms
        ]
        .to_vec()
    };
    let head = "INSERT INTO access_entries (site_id, kind, plate_key, plate, about, valid_from_ms,
                    valid_until_ms, lanes, note, revoked, line, version, changed_at_ms) VALUES ";
    let tail = " ON CONFLICT (site_id, kind, plate_key) DO UPDATE SET plate = excluded.plate,
                    about = excluded.about, valid_from_ms = excluded.valid_from_ms,
                    valid_until_ms = excluded.valid_until_ms, lanes = excluded.lanes,
                    note = excluded.note, revoked = excluded.revoked, line = excluded.line,
                    version = excluded.version, changed_at_ms = excluded.changed_at_ms";
    insert(tx, head, changed.iter().map(row), tail)
}

fn write_history(
    tx: &mut dyn Transaction,
    site: &str,
    author: &Author,
    changed: &[Numbered],
) -> Result<(), StoreError> {
    let Author { actor, at_ms } = author;
    let address = actor.address.map(|address| address.to_string());
    let row = |one: &Numbered| {
        let (entry, line) = (&one.entry, &one.line);
        params![
            site,
            one.version,
            entry.kind.as_str(),
            entry.plate.normal(),
            entry.what(),
            line,
            *at_ms,
            actor.account,
            address.as_deref()
        ]
        .to_vec()
    };
    let head = "INSERT INTO access_changes (site_id, version, kind, plate_key, what, line, at_ms,
                    user_id, ip_address) VALUES ";
    insert(tx, head, changed.iter().map(row), "")
}

/// Writes many rows with one statement.
fn insert(
    tx: &mut dyn Transaction,
    head: &str,
    rows: impl Iterator<Item = Vec<Value>>,
    tail: &str,
) -> Result<(), StoreError> {
    let (mut values, mut params) = (Vec::new(), Vec::new());
    for row in rows {
        let places = (params.len() + 1..=params.len() + row.len()).map(|at| format!("${at}"));
        values.push(format!("({})", places.collect::<Vec<_>>().join(", ")));
        params.extend(row);
    }
    tx.execute(&format!("{head}{}{tail}", values.join(", ")), &params).map(drop)
}
