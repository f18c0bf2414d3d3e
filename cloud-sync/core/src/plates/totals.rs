//! How many plates there are, kept with every change, so that nobody has to read them all.

use crate::store::{StoreError, Transaction, first, params};

/// All plates that are not deleted.
pub(super) struct Totals {
    pub(super) plates: i64,
    pub(super) verified: i64,
    pub(super) unread: i64,
    /// Of those that could be read; none without any.
    pub(super) mean_confidence: Option<f64>,
    pub(super) recognitions: i64,
}

pub(super) fn read(tx: &mut dyn Transaction) -> Result<Totals, StoreError> {
    let sql = "SELECT plates, verified, unread, confidence_micros, recognitions FROM plate_totals";
    let row = first(tx, sql, &[])?.ok_or_else(|| StoreError::new("count plates", "no row"))?;
    let (plates, unread, micros): (i64, i64, i64) = (row.get(0)?, row.get(2)?, row.get(3)?);
    let known = plates - unread;
    Ok(Totals {
        plates,
        verified: row.get(1)?,
        unread,
        mean_confidence: (known > 0).then(|| micros as f64 / 1e6 / known as f64),
        recognitions: row.get(4)?,
    })
}

/// Counts a new plate.
pub(super) fn plate_added(tx: &mut dyn Transaction, id: i64) -> Result<(), StoreError> {
    count(tx, id, 1)
}

/// Counts a new look at a picture.
pub(super) fn look_added(tx: &mut dyn Transaction) -> Result<(), StoreError> {
    tx.execute("UPDATE plate_totals SET recognitions = recognitions + 1", &[]).map(drop)
}

/// Changes a plate and keeps the totals.
pub(crate) fn changing<E: From<StoreError>>(
    tx: &mut dyn Transaction,
    id: i64,
    change: impl FnOnce(&mut dyn Transaction) -> Result<(), E>,
) -> Result<(), E> {
    count(tx, id, -1)?;
    change(tx)?;
    Ok(count(tx, id, 1)?)
}

/// Takes a plate, as it stands, in or out.
fn count(tx: &mut dyn Transaction, id: i64, sign: i64) -> Result<(), StoreError> {
    let sql = "UPDATE plate_totals
               SET plates = plates + $1, verified = verified + $1 * r.is_verified,
                   unread = plate_totals.unread + $1 * r.unread,
                   confidence_micros = confidence_micros + $1 * r.micros
               FROM (SELECT is_verified,
                            CASE WHEN plate = '' THEN 1 ELSE 0 END AS unread,
                            CASE WHEN plate = '' THEN 0
                                 ELSE CAST(ROUND(confidence * 1000000.0) AS BIGINT) END AS micros
                     FROM plate_reads WHERE id = $2 AND is_deleted = 0) r
               WHERE plate_totals.id = 1";
    tx.execute(sql, params![sign, id]).map(drop)
}
