//! Money that is to be given back: a stay for which more was taken than it cost, as when the fee was
//! taken at the site and here while neither could hear of the other. It is an alert until it has
//! been refunded; nobody's money is lost by it, and nobody refunds by himself.

use domain::money::Fen;

use crate::{
    error::Result,
    parking::{
        AlertKind, NewAlert, raise, resolve_about,
        stays::{Whose, get as get_stay},
    },
    store::{StoreError, Transaction, number, params},
};

/// Raises the alert where more was taken for a stay than it cost, and resolves it where that is no
/// longer so. While the car is inside, what was taken may still be used up.
pub(crate) fn notice_overpaid(tx: &mut dyn Transaction, stay: i64, at_ms: i64) -> Result<()> {
    let stay = get_stay(tx, Whose::All, stay)?;
    let Some(fee) = stay.fee_fen else { return Ok(()) };
    let left = stay.paid_fen - refunded(tx, stay.id)? - fee;
    if left <= 0 {
        return Ok(resolve_about(tx, AlertKind::RefundDue, stay.id, at_ms)?);
    }
    let message = format!("{} 多收停车费，应退 ¥{}", stay.plate, Fen(left));
    Ok(raise(
        tx,
        &NewAlert {
            site: &stay.site,
            kind: AlertKind::RefundDue,
            subject: &stay.id.to_string(),
            since_ms: at_ms,
            message: &message,
            spot: None,
            plate: Some(&stay.plate),
            at_ms,
        },
    )?)
}

fn refunded(tx: &mut dyn Transaction, stay: i64) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(COALESCE(SUM(refunded_fen), 0) AS BIGINT) FROM payments
               WHERE session = $1 AND is_deleted = 0";
    number(tx, sql, params![stay])
}
