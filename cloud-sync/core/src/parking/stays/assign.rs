//! Giving a car a spot by itself.

use super::{Arrival, By, Whose, enter, place, query};
use crate::{
    accounts::preference,
    caller::{Caller, Role},
    error::{Error, Result},
    parking::{SpotStatus, VehicleType, areas, spots},
    sites::default_site,
    store::{Transaction, first, params},
    text,
};

/// What somebody wants of a spot.
#[derive(Debug, Clone, Default)]
pub struct Assignment {
    /// The plate of the car.
    pub plate: String,
    /// The kind of vehicle, where it is known.
    pub vehicle_type: Option<VehicleType>,
    /// The account that it parks for; the caller where it is none and no operator's.
    pub user: Option<i64>,
    /// Name of the area that it should be in.
    pub preferred_area: Option<String>,
    /// The number painted on the spot that it should get.
    pub spot_number: Option<String>,
}

pub(super) fn assign(
    tx: &mut dyn Transaction,
    caller: &Caller,
    wanted: &Assignment,
    now_ms: i64,
) -> Result<i64> {
    let plate = text::plate("license_plate", &wanted.plate)?;
    let user = user(tx, caller, wanted)?;
    let area = wanted_area(tx, wanted, user)?;
    if let Some(stay) = inside_anywhere(tx, plate.normal())? {
        return keep(tx, caller, stay, area, now_ms);
    }
    let (site, spot) = match &wanted.spot_number {
        Some(number) => numbered(tx, number, area)?,
        None => free_anywhere(tx, area, plate.as_typed(), now_ms)?,
    };
    let arrival = Arrival {
        site: &site,
        plate: plate.as_typed(),
        spot: Some(spot),
        vehicle_type: wanted.vehicle_type,
        user,
        by: By::Hand(caller.actor()),
        ..Arrival::default()
    };
    Ok(enter::enter(tx, &arrival, now_ms)?.stay)
}

/// The stay of a plate that is inside some site.
fn inside_anywhere(tx: &mut dyn Transaction, plate_key: &str) -> Result<Option<i64>> {
    let sql = "SELECT id FROM parking_sessions WHERE inside_key = $1 ORDER BY id DESC LIMIT 1";
    Ok(first(tx, sql, params![plate_key])?.map(|row| row.get(0)).transpose()?)
}

/// A free spot in an area, or where none is wanted at the default site before all others.
fn free_anywhere(
    tx: &mut dyn Transaction,
    area: Option<i64>,
    plate: &str,
    now_ms: i64,
) -> Result<(String, i64)> {
    let at_first = default_site(tx, now_ms)?;
    let sql = "SELECT site_id FROM sites
               ORDER BY CASE WHEN site_id = $1 THEN 0 ELSE 1 END, site_id";
    for row in tx.query(sql, params![at_first])? {
        let site: String = row.get(0)?;
        if let Some(spot) = spots::free(tx, &site, area, plate)? {
            return Ok((site, spot));
        }
    }
    Err(Error::Refused("no_spot"))
}

/// Whom the car parks for.
fn user(tx: &mut dyn Transaction, caller: &Caller, wanted: &Assignment) -> Result<Option<i64>> {
    if caller.role() < Role::Operator {
        let own = caller.own_id()?;
        if wanted.user.is_some_and(|user| user != own) {
            return Err(Error::Forbidden {
                role: caller.role().as_str(),
                needed: Role::Operator.as_str(),
            });
        }
        return Ok(Some(own));
    }
    let Some(user) = wanted.user else { return Ok(None) };
    match first(tx, "SELECT id FROM users WHERE id = $1", params![user])? {
        Some(_) => Ok(Some(user)),
        None => Err(Error::invalid("user_id", "no such user")),
    }
}

/// The area that is wanted, else the one that the user prefers, where something is free there.
fn wanted_area(
    tx: &mut dyn Transaction,
    wanted: &Assignment,
    user: Option<i64>,
) -> Result<Option<i64>> {
    if let Some(name) = wanted.preferred_area.as_deref().filter(|name| !name.trim().is_empty()) {
        let area = areas::by_name(tx, name)?;
        let (area, _) = area.ok_or_else(|| Error::invalid("preferred_area", "no such area"))?;
        return Ok(Some(area));
    }
    let preferred = match user {
        Some(user) if wanted.spot_number.is_none() => preference::preferred_area(tx, user)?,
        _ => None,
    };
    let Some(name) = preferred else { return Ok(None) };
    let Some((area, site)) = areas::by_name(tx, &name)? else { return Ok(None) };
    Ok(spots::free(tx, &site, Some(area), "")?.map(|_| area))
}

/// The stay that the car has; it gets a spot where it has none and one is free.
fn keep(
    tx: &mut dyn Transaction,
    caller: &Caller,
    id: i64,
    area: Option<i64>,
    now_ms: i64,
) -> Result<i64> {
    let stay = query::get(tx, Whose::All, id)?;
    let owners = [stay.user, stay.vehicle.as_ref().and_then(|vehicle| vehicle.owner)];
    let mut owners = owners.into_iter().flatten().peekable();
    let is_others =
        owners.peek().is_some() && !owners.any(|owner| Some(owner) == caller.account_id());
    if is_others && caller.role() < Role::Operator {
        return Err(Error::Refused("already_inside"));
    }
    if stay.spot.is_none()
        && let Some(spot) = spots::free(tx, &stay.site, area, &stay.plate)?
    {
        let area = spots::get(tx, spot)?.area_id;
        place::move_to(tx, id, spot, area, now_ms)?;
    }
    Ok(id)
}

/// The spot of a number that can be taken, and its site.
fn numbered(tx: &mut dyn Transaction, painted: &str, area: Option<i64>) -> Result<(String, i64)> {
    let sql = "SELECT site_id, id, status FROM spots WHERE number = $1 AND is_active = 1
               AND (CAST($2 AS BIGINT) IS NULL OR area_id = $2)
               ORDER BY CASE WHEN status = 'available' THEN 0 ELSE 1 END, id LIMIT 1";
    let row = first(tx, sql, params![painted.trim(), area])?
        .ok_or_else(|| Error::invalid("spot_number", "no such spot"))?;
    if row.get::<String>(2)? != SpotStatus::Available.as_str() {
        return Err(Error::Refused("slot_not_available"));
    }
    Ok((row.get(0)?, row.get(1)?))
}
