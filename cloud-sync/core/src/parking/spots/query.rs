//! Reading spots.

use super::{Spot, SpotFilter, SpotStatus};
use crate::{
    error::{Error, Result},
    parking::VehicleType,
    plates::Window,
    store::{Conditions, Row, StoreError, Transaction, first, number, params},
};

/// The columns of a spot; `sp` is the spot.
pub(in crate::parking) const COLUMNS: &str = "sp.id, sp.number, sp.area_id, ar.name, sp.spot_type,
        sp.status, COALESCE(st.vehicle_type, sp.vehicle_type), st.id,
        COALESCE(st.plate, sp.reserved_for), st.entered_at_ms, sp.is_active, sp.created_at_ms,
        sp.updated_at_ms, sp.site_id";
/// The tables that they are from, beside `sp`.
pub(in crate::parking) const JOINS: &str = "LEFT JOIN areas ar ON ar.id = sp.area_id
    LEFT JOIN parking_sessions st ON st.spot_id = sp.id AND st.exited_at_ms IS NULL";

pub(in crate::parking) fn get(tx: &mut dyn Transaction, id: i64) -> Result<Spot> {
    let sql =
        format!("SELECT {COLUMNS} FROM spots sp {JOINS} WHERE sp.is_active = 1 AND sp.id = $1");
    let row = first(tx, &sql, params![id])?.ok_or(Error::NotFound("spot"))?;
    read(&row, 0)
}

pub(super) fn page(
    tx: &mut dyn Transaction,
    filter: &SpotFilter,
    window: Option<Window>,
) -> Result<(Vec<Spot>, i64)> {
    let mut conditions = Conditions::new("sp.is_active = 1")
        .and("sp.area_id = ?", filter.area)
        .and("sp.status = ?", filter.status.map(SpotStatus::as_str))
        .and(
            "COALESCE(st.vehicle_type, sp.vehicle_type) = ?",
            filter.vehicle_type.map(VehicleType::as_str),
        );
    let count = format!("SELECT COUNT(*) FROM spots sp {JOINS} {}", conditions.sql());
    let total = number(tx, &count, conditions.params())?;
    let slice = window.map_or_else(String::new, |window| conditions.slice(window));
    let wanted = conditions.sql();
    let sql = format!(
        "SELECT {COLUMNS} FROM spots sp {JOINS} {wanted} ORDER BY sp.area_id, sp.number{slice}"
    );
    let rows = tx.query(&sql, conditions.params())?;
    Ok((rows.iter().map(|row| read(row, 0)).collect::<Result<_>>()?, total))
}

/// Reads the columns of a spot that begin at `from`.
pub(in crate::parking) fn read(row: &Row, from: usize) -> Result<Spot> {
    let status: String = row.get(from + 5)?;
    Ok(Spot {
        id: row.get(from)?,
        number: row.get(from + 1)?,
        area_id: row.get(from + 2)?,
        area_name: row.get(from + 3)?,
        spot_type: row.get(from + 4)?,
        status: status.parse().map_err(|_| StoreError::new("read a spot's status", status))?,
        vehicle_type: VehicleType::kept(row.get(from + 6)?),
        session: row.get(from + 7)?,
        plate: row.get::<Option<String>>(from + 8)?.filter(|plate| !plate.is_empty()),
        entered_at_ms: row.get(from + 9)?,
        is_active: row.get(from + 10)?,
        created_at_ms: row.get(from + 11)?,
        updated_at_ms: row.get(from + 12)?,
        site: row.get(from + 13)?,
    })
}
