//! Vehicles that come and go, and what was taken for it.

use domain::{
    event::{Event, PlateKind},
    tariff::Tariff,
};

use super::kind_name;
use crate::{
    logs::{Entry, Level},
    store::{StoreError, Transaction, next_id, params},
};

pub(super) struct Opened<'a> {
    pub(super) session: String,
    pub(super) plate: &'a str,
    pub(super) kind: PlateKind,
    pub(super) entered_at_ms: i64,
    pub(super) lane: &'a str,
    pub(super) decision: String,
    pub(super) tariff: Option<&'a Tariff>,
}

pub(super) struct Closed<'a> {
    pub(super) session: String,
    pub(super) exited_at_ms: i64,
    pub(super) lane: &'a str,
    pub(super) decision: String,
    pub(super) fee_fen: i64,
}

pub(super) fn opened(
    tx: &mut dyn Transaction,
    event: &Event,
    opened: &Opened<'_>,
) -> Result<(), StoreError> {
    let id = next_id(tx, "parking_session")?;
    let tariff = opened.tariff.map(serde_json::to_string).transpose();
    let tariff = tariff.map_err(|e| StoreError::new("write a tariff", e))?;
    tx.execute(
        "INSERT INTO parking_sessions (site_id, session_id, id, area_id, plate, kind,
                entered_at_ms, entry_lane, entry_decision, tariff)
         VALUES ($1, $2, $3, (SELECT MIN(id) FROM areas WHERE site_id = $1), $4, $5, $6, $7, $8,
                 $9)
         ON CONFLICT (site_id, session_id) DO NOTHING",
        params![
            event.site.as_str(),
            &opened.session,
            id,
            opened.plate,
            kind_name(opened.kind),
            opened.entered_at_ms,
            opened.lane,
            &opened.decision,
            tariff
        ],
    )?;
    Ok(())
}

pub(super) fn closed(
    tx: &mut dyn Transaction,
    event: &Event,
    closed: &Closed<'_>,
) -> Result<(), StoreError> {
    let changed = tx.execute(
        "UPDATE parking_sessions SET exited_at_ms = $1, exit_lane = $2, exit_decision = $3,
                fee_fen = $4
         WHERE site_id = $5 AND session_id = $6 AND exited_at_ms IS NULL",
        params![
            closed.exited_at_ms,
            closed.lane,
            &closed.decision,
            closed.fee_fen,
            event.site.as_str(),
            &closed.session
        ],
    )?;
    if changed == 0 {
        let message = format!("session {} was closed and was not open", closed.session);
        return Entry::of_site(event, Level::Warning, "parking", message).write(tx);
    }
    Ok(())
}

pub(super) fn paid(
    tx: &mut dyn Transaction,
    event: &Event,
    session: &str,
    amount_fen: i64,
    method: &str,
    by: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO payments (site_id, sequence, session_id, amount_fen, method, taken_by,
                paid_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            event.site.as_str(),
            event.sequence as i64,
            session,
            amount_fen,
            method,
            by,
            event.at.wall.timestamp_millis()
        ],
    )?;
    Ok(())
}
