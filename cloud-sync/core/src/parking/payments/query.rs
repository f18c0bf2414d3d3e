//! Reading orders.

use super::{Payment, PaymentFilter, PaymentStatus};
use crate::{
    error::{Error, Result},
    parking::stays::{OWN_STAYS, Whose},
    plates::Window,
    store::{Conditions, Row, Transaction, first, number, params},
};

const SELECT: &str = "SELECT y.id, y.order_number, y.session, COALESCE(p.plate, ''), y.amount_fen,
        y.status, y.method, y.created_at_ms, y.paid_at_ms, y.refunded_fen";
const FROM: &str = "FROM payments y LEFT JOIN parking_sessions p ON p.id = y.session";

pub(super) fn page(
    tx: &mut dyn Transaction,
    whose: Whose,
    filter: &PaymentFilter,
    window: Option<Window>,
) -> Result<(Vec<Payment>, i64)> {
    let always = match filter.paid {
        true => "y.is_deleted = 0 AND y.paid_at_ms IS NOT NULL",
        false => "y.is_deleted = 0",
    };
    let mut conditions = narrow(whose, Conditions::new(always))
        .and("y.status = ?", filter.status.map(PaymentStatus::as_str))
        .and("y.created_at_ms >= ?", filter.from_ms)
        .and("y.created_at_ms < ?", filter.until_ms);
    let count = format!("SELECT COUNT(*) FROM payments y {}", conditions.sql());
    let total = number(tx, &count, conditions.params())?;
    let slice = window.map_or_else(String::new, |window| conditions.slice(window));
    let sql = format!("{SELECT} {FROM} {} ORDER BY y.id DESC{slice}", conditions.sql());
    let rows = tx.query(&sql, conditions.params())?;
    Ok((rows.iter().map(payment).collect::<Result<_>>()?, total))
}

fn narrow(whose: Whose, conditions: Conditions) -> Conditions {
    match whose {
        Whose::All => conditions,
        Whose::Of(account) => {
            let own = format!(
                "y.id IN (SELECT n.id FROM payments n WHERE n.user_id = ?
                 UNION ALL SELECT n.id FROM payments n WHERE n.session IN ({OWN_STAYS}))"
            );
            conditions.and(&own, Some(account))
        }
    }
}

pub(super) fn get(tx: &mut dyn Transaction, whose: Whose, id: i64) -> Result<Payment> {
    let conditions = narrow(whose, Conditions::new("y.is_deleted = 0")).and("y.id = ?", Some(id));
    let row = first(tx, &format!("{SELECT} {FROM} {}", conditions.sql()), conditions.params())?;
    payment(&row.ok_or(Error::NotFound("order"))?)
}

/// The order of a stay that waits to be paid.
pub(super) fn open(tx: &mut dyn Transaction, stay: i64) -> Result<Option<Payment>> {
    let sql = format!(
        "{SELECT} {FROM} WHERE y.session = $1 AND y.status = 'pending' AND y.is_deleted = 0"
    );
    first(tx, &sql, params![stay])?.as_ref().map(payment).transpose()
}

/// Whether anything was ever paid for a stay, be it nothing.
pub(super) fn was_paid(tx: &mut dyn Transaction, stay: i64) -> Result<bool> {
    let sql = "SELECT COUNT(*) FROM payments
               WHERE session = $1 AND is_deleted = 0 AND paid_at_ms IS NOT NULL";
    Ok(number(tx, sql, params![stay])? > 0)
}

pub(super) fn exists(tx: &mut dyn Transaction, order_number: &str) -> Result<bool> {
    let sql = "SELECT COUNT(*) FROM payments WHERE order_number = $1 AND is_deleted = 0";
    Ok(number(tx, sql, params![order_number])? > 0)
}

fn payment(row: &Row) -> Result<Payment> {
    Ok(Payment {
        id: row.get(0)?,
        order_number: row.get(1)?,
        stay: row.get(2)?,
        plate: row.get(3)?,
        amount_fen: row.get(4)?,
        status: row.get::<String>(5)?.parse()?,
        method: row.get(6)?,
        created_at_ms: row.get(7)?,
        paid_at_ms: row.get(8)?,
        refunded_fen: row.get(9)?,
    })
}
