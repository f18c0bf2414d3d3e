//! Reading alerts.

use super::{Alert, AlertFilter, AlertKind, Priority};
use crate::{
    error::{Error, Result},
    plates::Window,
    store::{Conditions, Row, Transaction, first, number, params},
};

const SELECT: &str = "SELECT a.id, COALESCE(s.name, ''), a.alert_type, a.message, a.priority,
        a.spot_id, a.plate, a.created_at_ms, a.resolved_at_ms
    FROM alerts a LEFT JOIN sites s ON s.site_id = a.site_id";

pub(super) fn page(
    tx: &mut dyn Transaction,
    filter: &AlertFilter,
    window: Window,
) -> Result<(Vec<Alert>, i64)> {
    let always = match filter.active {
        None => "1 = 1",
        Some(true) => "a.resolved_at_ms IS NULL",
        Some(false) => "a.resolved_at_ms IS NOT NULL",
    };
    let mut conditions = Conditions::new(always)
        .and("a.alert_type = ?", filter.kind.map(AlertKind::as_str))
        .and("a.priority = ?", filter.priority.map(Priority::as_str))
        .and("a.created_at_ms >= ?", filter.from_ms)
        .and("a.created_at_ms < ?", filter.until_ms);
    let count = format!("SELECT COUNT(*) FROM alerts a {}", conditions.sql());
    let total = number(tx, &count, conditions.params())?;
    let slice = conditions.slice(window);
    let sql = format!("{SELECT} {} ORDER BY a.id DESC{slice}", conditions.sql());
    let rows = tx.query(&sql, conditions.params())?;
    Ok((rows.iter().map(alert).collect::<Result<_>>()?, total))
}

pub(super) fn get(tx: &mut dyn Transaction, id: i64) -> Result<Alert> {
    let row = first(tx, &format!("{SELECT} WHERE a.id = $1"), params![id])?;
    alert(&row.ok_or(Error::NotFound("alert"))?)
}

fn alert(row: &Row) -> Result<Alert> {
    Ok(Alert {
        id: row.get(0)?,
        site_name: row.get(1)?,
        kind: row.get::<String>(2)?.parse::<AlertKind>()?,
        message: row.get(3)?,
        priority: row.get::<String>(4)?.parse::<Priority>()?,
        spot: row.get(5)?,
        plate: row.get::<Option<String>>(6)?.filter(|plate| !plate.is_empty()),
        created_at_ms: row.get(7)?,
        resolved_at_ms: row.get(8)?,
    })
}
