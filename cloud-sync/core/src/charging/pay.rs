//! Paying for what was charged. A bill is taken from its user's balance in the transaction that
//! makes it, where the balance has all of it; else it is owed until its user pays it. A balance is
//! never below nothing, and a bill is paid once.

use domain::money::Fen;

use super::{Bill, Charging, bills, log};
use crate::{
    accounts,
    caller::Caller,
    error::{Error, Result},
    store::{Transaction, params},
};

impl Charging {
    /// Pays one of the caller's bills from the balance.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the caller has no such bill; [`Error::Refused`] with
    /// `already_paid` or `balance_too_low`.
    pub async fn pay(&self, caller: &Caller, id: &str) -> Result<Bill> {
        let (user, actor, id) = (caller.own_id()?, caller.actor(), id.to_owned());
        self.write(move |tx, moment| {
            let bill = bills::find(tx, user, &id)?;
            if bill.paid_at_ms.is_some() {
                return Err(Error::Refused("already_paid"));
            }
            take(tx, user, &id, bill.costs.total(), moment.now_ms)?;
            let total = bill.costs.total();
            log(tx, moment, actor, format!("bill {id} of {total} yuan is paid"))?;
            bills::find(tx, user, &id)
        })
        .await
    }
}

/// Takes a new bill from the balance, where that has all of it.
pub(super) fn from_balance(
    tx: &mut dyn Transaction,
    user: i64,
    bill: &str,
    total: Fen,
    now_ms: i64,
) -> Result<()> {
    match take(tx, user, bill, total, now_ms) {
        // The account may be gone by now; what it charged stays owed.
        Err(Error::Refused(_) | Error::NotFound(_)) => Ok(()),
        other => other,
    }
}

fn take(tx: &mut dyn Transaction, user: i64, bill: &str, total: Fen, now_ms: i64) -> Result<()> {
    if total > Fen::ZERO {
        accounts::debit(tx, user, total.0, &format!("charging bill {bill}"), now_ms)?;
    }
    let sql = "UPDATE charging_bills SET paid_at_ms = $1, method = 'balance'
               WHERE id = $2 AND paid_at_ms IS NULL";
    match tx.execute(sql, params![now_ms, bill])? {
        0 => Err(Error::Refused("already_paid")),
        _ => Ok(()),
    }
}
