//! Changing plates by hand.

use domain::plate::TypedPlate;

use crate::{
    caller::Actor,
    error::{Error, Result},
    logs::Entry,
    parking::{self, AlertKind},
    search,
    store::{Transaction, first, params},
};

use super::totals::changing;

const LONGEST_ALTERNATIVES: usize = 200;

/// What a person found out about a plate; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct Correction {
    /// The right text: 1 to 20 printable characters.
    pub plate: Option<String>,
    /// Whether it is confirmed.
    pub is_verified: Option<bool>,
    /// Other readings; `Some(None)` removes them.
    pub alternatives: Option<Option<String>>,
}

/// Who changes, and when.
pub(super) struct Author {
    pub(super) actor: Actor,
    pub(super) now_ms: i64,
}

pub(super) fn correct(
    tx: &mut dyn Transaction,
    author: &Author,
    id: i64,
    correction: &Correction,
) -> Result<()> {
    changing(tx, id, |tx| correct_counted(tx, author, id, correction))
}

fn correct_counted(
    tx: &mut dyn Transaction,
    author: &Author,
    id: i64,
    correction: &Correction,
) -> Result<()> {
    let read = find(tx, id)?;
    if let Some(plate) = check(correction)?.filter(|plate| plate.as_typed() != read.plate) {
        rename(tx, &read, id, &plate, author.now_ms)?;
        parking::resolve_about(tx, &read.site, AlertKind::LowConfidence, id, author.now_ms)?;
        let message = format!("plate {id} corrected from `{}` to `{plate}`", read.plate);
        author.log(&read, message).write(tx)?;
    }
    if let Some(is_verified) = correction.is_verified {
        let sql = "UPDATE plate_reads SET is_verified = $1 WHERE id = $2";
        tx.execute(sql, params![is_verified, id])?;
        if is_verified {
            parking::resolve_about(tx, &read.site, AlertKind::LowConfidence, id, author.now_ms)?;
        }
    }
    if let Some(alternatives) = &correction.alternatives {
        let sql = "UPDATE plate_reads SET alternatives = $1 WHERE id = $2";
        tx.execute(sql, params![alternatives.as_deref(), id])?;
    }
    Ok(())
}

pub(super) fn delete(tx: &mut dyn Transaction, author: &Author, id: i64) -> Result<()> {
    let read = find(tx, id)?;
    changing(tx, id, |tx| {
        tx.execute("UPDATE plate_reads SET is_deleted = 1 WHERE id = $1", params![id]).map(drop)
    })?;
    parking::resolve_about(tx, &read.site, AlertKind::LowConfidence, id, author.now_ms)?;
    author.log(&read, format!("plate {id} (`{}`) deleted", read.plate)).write(tx)?;
    Ok(())
}

impl Author {
    fn log(&self, read: &Found, message: String) -> Entry {
        Entry::of_person(read.site.clone(), self.now_ms, self.actor, "plates", message)
    }
}

struct Found {
    site: String,
    plate: String,
    decision: String,
}

fn find(tx: &mut dyn Transaction, id: i64) -> Result<Found> {
    let sql = "SELECT site_id, plate, decision_id FROM plate_reads
               WHERE id = $1 AND is_deleted = 0";
    let row = first(tx, sql, params![id])?.ok_or(Error::NotFound("plate"))?;
    Ok(Found { site: row.get(0)?, plate: row.get(1)?, decision: row.get(2)? })
}

fn rename(
    tx: &mut dyn Transaction,
    read: &Found,
    id: i64,
    plate: &TypedPlate,
    now_ms: i64,
) -> Result<()> {
    tx.execute(
        "UPDATE plate_reads SET plate = $1, plate_key = $2, processed_by = 'manual' WHERE id = $3",
        params![plate.as_typed(), plate.normal(), id],
    )?;
    search::remember(tx, &read.site, plate.normal())?;
    parking::renamed(tx, &read.site, &read.decision, plate.as_typed(), now_ms)
}

/// The plate as it is meant, and the readings as they can be kept.
fn check(correction: &Correction) -> Result<Option<TypedPlate>> {
    let printable = |text: &str| !text.chars().any(char::is_control) && !text.trim().is_empty();
    if let Some(Some(text)) = &correction.alternatives
        && (text.chars().count() > LONGEST_ALTERNATIVES || !printable(text))
    {
        let problem = "use 1 to 200 printable characters, or null";
        return Err(Error::invalid("alternative_readings", problem));
    }
    let typed = correction.plate.as_deref().map(TypedPlate::parse).transpose();
    typed.map_err(|problem| Error::invalid("plate_number", problem.to_string()))
}
