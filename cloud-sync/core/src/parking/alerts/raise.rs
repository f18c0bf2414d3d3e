//! Raising and resolving alerts within the transaction of their cause.

use super::AlertKind;
use crate::{
    plates::NewRead,
    store::{StoreError, Transaction, next_id, params},
};

/// An alert that is to arise.
pub(crate) struct NewAlert<'a> {
    pub(crate) site: &'a str,
    pub(crate) kind: AlertKind,
    /// What it is about; the same is not raised twice.
    pub(crate) subject: &'a str,
    /// Since when it is so, in milliseconds UTC; the same cause is not raised again.
    pub(crate) since_ms: i64,
    pub(crate) message: &'a str,
    pub(crate) spot: Option<i64>,
    pub(crate) plate: Option<&'a str>,
    pub(crate) at_ms: i64,
}

/// Raises an alert, unless it is active or was resolved for the same cause.
pub(crate) fn raise(tx: &mut dyn Transaction, new: &NewAlert<'_>) -> Result<(), StoreError> {
    let id = next_id(tx, "alert")?;
    tx.defer(
        "INSERT INTO alerts (site_id, id, alert_type, subject, since_ms, message, priority,
                spot_id, plate, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        params![
            new.site,
            id,
            new.kind.as_str(),
            new.subject,
            new.since_ms,
            new.message,
            new.kind.priority().as_str(),
            new.spot,
            new.plate,
            new.at_ms
        ],
    )?;
    Ok(())
}

/// Resolves the active alert of a site about something, where there is one.
pub(crate) fn resolve(
    tx: &mut dyn Transaction,
    site: &str,
    kind: AlertKind,
    subject: &str,
    at_ms: i64,
) -> Result<(), StoreError> {
    tx.defer(
        "UPDATE alerts SET resolved_at_ms = $1
         WHERE site_id = $2 AND alert_type = $3 AND subject = $4 AND resolved_at_ms IS NULL",
        params![at_ms, site, kind.as_str(), subject],
    )?;
    Ok(())
}

/// Resolves the active alert about the stay or the plate read of a number.
pub(crate) fn resolve_about(
    tx: &mut dyn Transaction,
    site: &str,
    kind: AlertKind,
    number: i64,
    at_ms: i64,
) -> Result<(), StoreError> {
    resolve(tx, site, kind, &number.to_string(), at_ms)
}

/// The alerts about a stay tell its corrected plate.
pub(in crate::parking) fn renamed(
    tx: &mut dyn Transaction,
    stay: i64,
    plate: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE alerts SET plate = $1 WHERE subject = $2 AND resolved_at_ms IS NULL
         AND alert_type IN ('overtime_parking', 'payment_overdue', 'refund_due')",
        params![plate, stay.to_string()],
    )?;
    Ok(())
}

/// Raises an alert where a plate was read with less confidence than `doubtless`.
pub(crate) fn doubt(
    tx: &mut dyn Transaction,
    read: &NewRead<'_>,
    number: i64,
    doubtless: f64,
) -> Result<(), StoreError> {
    if read.plate.is_empty() || read.confidence >= doubtless {
        return Ok(());
    }
    let message = format!("车牌 {} 识别置信度仅为 {:.2}", read.plate, read.confidence);
    let alert = NewAlert {
        site: read.site,
        kind: AlertKind::LowConfidence,
        subject: &number.to_string(),
        since_ms: read.read_at_ms,
        message: &message,
        spot: read.spot_id,
        plate: Some(read.plate),
        at_ms: read.read_at_ms,
    };
    raise(tx, &alert)
}
