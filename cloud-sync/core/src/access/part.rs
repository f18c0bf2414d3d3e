//! What a site fetches of its list: what has changed since a change that it has, as much as a part
//! holds, put together in one view of the database.

use domain::{
    access::{Ask, Change, Digest, Header, Kind, MAX_PART_BYTES, MAX_PART_ENTRIES},
    envelope::Channel,
    plate::TypedPlate,
};

use super::Access;
use crate::{
    error::Error,
    ingest::{IngestError, Sender, authenticate, spend},
    store::{Row, StoreError, Transaction, first, params},
};

/// A request of a site for its list, as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who says that he asks.
    pub sender: Sender,
    /// What it asks for.
    pub ask: Ask,
}

impl Access {
    /// The part of its list that a site asks for, as text (`domain::access`).
    ///
    /// # Errors
    /// [`IngestError::Refused`] with what the site should do, [`IngestError::Failed`] when the
    /// database is in trouble.
    pub async fn part(&self, request: Request) -> Result<String, IngestError> {
        let Request { sender, ask } = request;
        authenticate(&self.base, &sender, "GET", &ask.target(), &[]).await?;
        let site = sender.site.clone();
        let count =
            move |tx: &mut dyn Transaction| spend(tx, &sender.site, Channel::Lists, sender.count);
        self.base.store.write_of(&site, count).await?;
        let after = i64::try_from(ask.after).unwrap_or(i64::MAX);
        let part = self.base.store.read(move |tx| Ok::<_, Error>(part(tx, &site, after)?));
        Ok(part.await?)
    }
}

fn part(tx: &mut dyn Transaction, site: &str, after: i64) -> Result<String, StoreError> {
    let rows = tx.query(
        "SELECT version, line, kind, plate FROM access_entries
         WHERE site_id = $1 AND version > $2 ORDER BY version LIMIT $3",
        params![site, after, MAX_PART_ENTRIES as i64],
    )?;
    let (mut lines, mut bytes, mut through) = (Vec::new(), 0, None);
    for row in &rows {
        let line = line(row)?;
        bytes += line.len() + 1;
        if bytes > MAX_PART_BYTES {
            break;
        }
        through = Some(row.get::<i64>(0)?.unsigned_abs());
        lines.push(line);
    }
    let header = header(tx, site, through)?;
    let header = serde_json::to_string(&header).map_err(|e| StoreError::new("write a part", e))?;
    lines.insert(0, header);
    Ok(lines.join("\n"))
}

/// What a part says of itself that goes up to the change `through`; to the last one, where there is
/// nothing in it.
fn header(
    tx: &mut dyn Transaction,
    site: &str,
    through: Option<u64>,
) -> Result<Header, StoreError> {
    let sql = "SELECT version, entries, digest FROM access_lists WHERE site_id = $1";
    let Some(row) = first(tx, sql, params![site])? else {
        return Ok(Header { version: 0, through: 0, entries: 0, digest: Digest::default() });
    };
    let version = row.get::<i64>(0)?.unsigned_abs();
    let digest = Digest::parse(&row.get::<String>(2)?);
    let digest = digest.ok_or_else(|| StoreError::new("read a list", "its digest is none"))?;
    let entries = row.get::<i64>(1)?.unsigned_abs();
    Ok(Header { version, through: through.unwrap_or(version), entries, digest })
}

/// An entry as it travels.
fn line(row: &Row) -> Result<String, StoreError> {
    let line: String = row.get(1)?;
    if !line.is_empty() {
        return Ok(line);
    }
    let kind = if row.get::<String>(2)? == "deny" { Kind::Deny } else { Kind::Permit };
    let refuse = |reason: String| StoreError::new("write an entry", reason);
    let plate = TypedPlate::parse(&row.get::<String>(3)?).map_err(|e| refuse(e.to_string()))?;
    serde_json::to_string(&Change::Gone { kind, plate }).map_err(|e| refuse(e.to_string()))
}
