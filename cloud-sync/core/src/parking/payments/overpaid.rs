//! Money that is to be given back: a stay for which more was taken than it cost, as when the fee was
//! taken at the site and here while neither could hear of the other. It is an alert until it has
//! been refunded; nobody's money is lost by it, and nobody refunds by himself.

use domain::money::Fen;

use crate::{
    error::{Error, Result},
    parking::{AlertKind, NewAlert, raise, resolve_about},
    store::{Transaction, first, params},
};

/// Raises the alert where more was taken for a stay than it cost, and resolves it where that is no
/// longer so. While the car is inside, what was taken may still be used up.
pub(crate) fn notice_overpaid(tx: &mut dyn Transaction, stay: i64, at_ms: i64) -> Result<()> {
    let sql = "SELECT p.site_id, p.plate, p.fee_fen, p.paid_fen - CAST(
                          (SELECT COALESCE(SUM(o.refunded_fen), 0) FROM payments o
                           WHERE o.session = p.id AND o.site_id = p.site_id
                           AND o.is_deleted = 0) AS BIGINT)
               FROM parking_sessions p WHERE p.id = $1";
    let row = first(tx, sql, params![stay])?.ok_or(Error::NotFound("session"))?;
    let (site, plate): (String, String) = (row.get(0)?, row.get(1)?);
    let Some(fee) = row.get::<Option<i64>>(2)? else { return Ok(()) };
    let left = row.get::<i64>(3)? - fee;
    if left <= 0 {
        return Ok(resolve_about(tx, &site, AlertKind::RefundDue, stay, at_ms)?);
    }
    let message = format!("{plate} 多收停车费，应退 ¥{}", Fen(left));
    Ok(raise(
        tx,
        &NewAlert {
            site: &site,
            kind: AlertKind::RefundDue,
            subject: &stay.to_string(),
            since_ms: at_ms,
            message: &message,
            spot: None,
            plate: Some(&plate),
            at_ms,
        },
    )?)
}
