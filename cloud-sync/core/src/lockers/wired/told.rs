//! What sites are told of cabinets. Each is told whole, and again only where it has changed, in the
//! transaction that changed it.

use chrono::{DateTime, TimeDelta};
use domain::{
    directive::Directive,
    locker::{Cabinet, CodeHash, Held, SALT_BYTES},
};
use ring::digest::{SHA256, digest};

use super::super::codes;
use crate::{
    directives,
    error::{Error, Result},
    store::{Row, StoreError, Transaction, first, params},
};

/// Tells the site that a cabinet is wired to how it stands now, and one where it was wired before
/// that it no longer is.
pub(in super::super) fn tell(tx: &mut dyn Transaction, cabinet: i64, now_ms: i64) -> Result<()> {
    let sql = "SELECT c.cabinet_id, MIN(s.site_id) FROM cabinets c
               LEFT JOIN locker_doors w ON w.cabinet_id = c.cabinet_id
               LEFT JOIN sites s ON s.site_id = w.site_id AND s.name = c.station
               WHERE c.id = $1 GROUP BY c.cabinet_id";
    let row = first(tx, sql, params![cabinet])?.ok_or(Error::NotFound("cabinet"))?;
    let (name, site): (String, Option<String>) = (row.get(0)?, row.get(1)?);
    let known =
        first(tx, "SELECT site_id, body FROM locker_told WHERE cabinet = $1", params![cabinet])?;
    let known: Option<(String, String)> =
        known.map(|row| Ok::<_, StoreError>((row.get(0)?, row.get(1)?))).transpose()?;
    if let Some((before, _)) = &known
        && Some(before) != site.as_ref()
    {
        let nobodys = Cabinet { cabinet: name.clone(), order: None };
        directives::issue(tx, before, &Directive::Cabinet(nobodys), now_ms)?;
        tx.execute("DELETE FROM locker_told WHERE cabinet = $1", params![cabinet])?;
    }
    let Some(site) = site else { return Ok(()) };
    let stands = Cabinet { cabinet: name, order: held(tx, cabinet)? };
    let body = serde_json::to_string(&stands)
        .map_err(|error| StoreError::new("write what a site is told", error))?;
    if known.is_some_and(|(before, told)| before == site && told == body) {
        return Ok(());
    }
    directives::issue(tx, &site, &Directive::Cabinet(stands), now_ms)?;
    let keep = "INSERT INTO locker_told (cabinet, site_id, body) VALUES ($1, $2, $3)
                ON CONFLICT (cabinet) DO UPDATE SET site_id = excluded.site_id,
                    body = excluded.body";
    tx.execute(keep, params![cabinet, site, body])?;
    Ok(())
}

/// Tells all cabinets of a station.
pub(in super::super) fn tell_station(
    tx: &mut dyn Transaction,
    station: &str,
    now_ms: i64,
) -> Result<()> {
    let rows =
        tx.query("SELECT id FROM cabinets WHERE station = $1 ORDER BY id", params![station])?;
    for row in rows {
        tell(tx, row.get(0)?, now_ms)?;
    }
    Ok(())
}

/// The order that has a cabinet.
fn held(tx: &mut dyn Transaction, cabinet: i64) -> Result<Option<Held>> {
    let sql = "SELECT id, order_no, code_salt, ends_at_ms FROM locker_orders
               WHERE cabinet = $1 AND status IN ('paid', 'in_use')";
    let (row, key) = (first(tx, sql, params![cabinet])?, codes::key(tx)?);
    let (Some(row), Some(key)) = (row, key) else { return Ok(None) };
    Ok(Some(read(&row, &key)?))
}

fn read(row: &Row, key: &codes::CodeKey) -> Result<Held, StoreError> {
    let salt: String = row.get(2)?;
    let ends_at_ms: Option<i64> = row.get(3)?;
    let ends_at = TimeDelta::milliseconds(ends_at_ms.unwrap_or_default());
    Ok(Held {
        order: row.get(0)?,
        order_no: row.get(1)?,
        code: CodeHash::new(&key.code(&salt), of_site(&salt)),
        valid_until: DateTime::UNIX_EPOCH + ends_at,
    })
}

/// A salt of its own for the site, the same each time, so that what has not changed is not told.
fn of_site(salt: &str) -> [u8; SALT_BYTES] {
    let mut bytes = [0; SALT_BYTES];
    let whole = digest(&SHA256, salt.as_bytes());
    bytes.iter_mut().zip(whole.as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}
