//! Reading stays.

use chrono::TimeDelta;
use domain::{access::Term, parking::DEFAULT_GRACE, site::Parameters};

use super::{Stay, StayFilter, StayTariff};
use crate::{
    caller::{Caller, Role},
    error::{Error, Result},
    parking::{
        VehicleType, moment,
        spots::{self, SPOT_COLUMNS, SPOT_JOINS},
    },
    plates::Window,
    store::{Conditions, Row, StoreError, Transaction, first, number, params},
    vehicles::Vehicle,
};

/// Whose stays and payments somebody may see.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose {
    /// Everybody's.
    All,
    /// Those that an account began, and those of its cars.
    Of(i64),
}

impl Whose {
    pub(crate) fn of(caller: &Caller) -> Result<Self> {
        if caller.role() >= Role::Operator { Ok(Self::All) } else { caller.own_id().map(Self::Of) }
    }

    /// Adds the condition to a search over `p`, the stay.
    fn narrow(self, conditions: Conditions) -> Conditions {
        match self {
            Self::All => conditions,
            Self::Of(account) => conditions.and(&format!("p.id IN ({OWN_STAYS})"), Some(account)),
        }
    }
}

/// Numbers of the stays of an account, for a condition whose `?` is the account.
pub(crate) const OWN_STAYS: &str = "SELECT m.id FROM parking_sessions m
        WHERE m.user_id = ?
    UNION ALL
    SELECT m.id FROM parking_sessions m JOIN vehicles o ON o.id = m.vehicle_id
        WHERE o.owner_id = ?";

fn select(what: &str, conditions: &str) -> String {
    format!(
        "SELECT {what} FROM parking_sessions p
         LEFT JOIN vehicles v ON v.id = p.vehicle_id
         LEFT JOIN access_entries a ON p.origin = 'edge' AND a.site_id = p.site_id
             AND a.kind = 'permit' AND a.plate_key = p.plate_key AND a.line <> ''
         LEFT JOIN spots sp ON sp.id = p.spot_id {SPOT_JOINS} {conditions}"
    )
}

fn columns() -> String {
    format!(
        "p.id, p.session_id, p.site_id, p.origin, p.plate, p.user_id, p.vehicle_type,
         p.entered_at_ms, p.tariff_id, p.tariff_name, p.tariff, p.exited_at_ms, p.fee_fen,
         p.paid_fen, p.paid_at_ms, v.id, v.plate, v.car_type, v.owner_id,
         v.created_at_ms,
         (SELECT told.body FROM site_parameters told WHERE told.site_id = p.site_id),
         (SELECT own.grace_minutes FROM sites own WHERE own.site_id = p.site_id),
         p.own_permit, a.plate_key, a.valid_from_ms, a.valid_until_ms,
         {SPOT_COLUMNS}"
    )
}
/// Columns before those of the spot.
const OWN: usize = 26;

pub(super) fn page(
    tx: &mut dyn Transaction,
    whose: Whose,
    filter: &StayFilter,
    window: Option<Window>,
) -> Result<(Vec<Stay>, i64)> {
    let always = match filter.active {
        None => "1 = 1",
        Some(true) => "p.exited_at_ms IS NULL",
        Some(false) => "p.exited_at_ms IS NOT NULL",
    };
    let mut conditions = whose
        .narrow(Conditions::new(always))
        .and("p.vehicle_id = ?", filter.vehicle)
        .and("p.spot_id = ?", filter.spot);
    let count = format!("SELECT COUNT(*) FROM parking_sessions p {}", conditions.sql());
    let total = number(tx, &count, conditions.params())?;
    let slice = window.map_or_else(String::new, |window| conditions.slice(window));
    let rest = format!("{} ORDER BY p.id DESC{slice}", conditions.sql());
    let rows = tx.query(&select(&columns(), &rest), conditions.params())?;
    Ok((rows.iter().map(stay).collect::<Result<_>>()?, total))
}

pub(crate) fn get(tx: &mut dyn Transaction, whose: Whose, id: i64) -> Result<Stay> {
    let conditions = whose.narrow(Conditions::new("1 = 1")).and("p.id = ?", Some(id));
    let row = first(tx, &select(&columns(), conditions.sql()), conditions.params())?;
    stay(&row.ok_or(Error::NotFound("session"))?)
}

/// The stay that a site calls so.
pub(crate) fn of_site(tx: &mut dyn Transaction, site: &str, session: &str) -> Result<Option<Stay>> {
    let sql = select(&columns(), "WHERE p.site_id = $1 AND p.session_id = $2");
    first(tx, &sql, params![site, session])?.as_ref().map(stay).transpose()
}

fn stay(row: &Row) -> Result<Stay> {
    let has_spot = row.get::<Option<i64>>(OWN)?.is_some();
    Ok(Stay {
        id: row.get(0)?,
        session_id: row.get(1)?,
        site: row.get(2)?,
        by_barrier: row.get::<String>(3)? == "edge",
        plate: row.get(4)?,
        user: row.get(5)?,
        vehicle_type: VehicleType::kept(row.get(6)?),
        entered_at_ms: row.get(7)?,
        tariff: tariff(row)?,
        exited_at_ms: row.get(11)?,
        fee_fen: row.get(12)?,
        paid_fen: row.get(13)?,
        paid_at_ms: row.get(14)?,
        grace: grace(row)?,
        permits: permits(row)?,
        vehicle: vehicle(row)?,
        spot: has_spot.then(|| spots::read(row, OWN)).transpose()?,
    })
}

/// The time to leave that the stay's site goes by: as it is set here, or else as its configuration
/// file says.
fn grace(row: &Row) -> Result<TimeDelta> {
    let body = row.get::<Option<String>>(20)?;
    let set = body.map(|body| serde_json::from_str::<Parameters>(&body)).transpose();
    let set = set.map_err(|e| StoreError::new("read parameters", e))?.unwrap_or_default();
    let minutes = set.grace_minutes.map(i64::from).or(row.get(21)?);
    Ok(minutes.map_or(DEFAULT_GRACE, TimeDelta::minutes))
}

/// When the permits of the plate hold: that of the site's configuration file, and that of the list.
fn permits(row: &Row) -> Result<Vec<Term>> {
    let own = row.get::<Option<String>>(22)?.map(|own| serde_json::from_str(&own)).transpose();
    let own = own.map_err(|e| StoreError::new("read a permit", e))?;
    let listed = row.get::<Option<String>>(23)?.map(|_| {
        let time = |column| Ok(row.get::<Option<i64>>(column)?.map(moment));
        Ok::<_, StoreError>(Term { from: time(24)?, until: time(25)? })
    });
    Ok(own.into_iter().chain(listed.transpose()?).collect())
}

fn vehicle(row: &Row) -> Result<Option<Vehicle>> {
    let Some(id) = row.get(15)? else { return Ok(None) };
    let (plate, car_type, owner) = (row.get(16)?, row.get(17)?, row.get(18)?);
    Ok(Some(Vehicle { id, plate, car_type, owner, created_at_ms: row.get(19)? }))
}

fn tariff(row: &Row) -> Result<Option<StayTariff>> {
    let Some(kept) = row.get::<Option<String>>(10)? else { return Ok(None) };
    let tariff = serde_json::from_str(&kept).map_err(|e| StoreError::new("read a tariff", e))?;
    let name = row.get::<Option<String>>(9)?.unwrap_or_default();
    Ok(Some(StayTariff { id: row.get(8)?, name, tariff }))
}
