//! Giving a car a spot by itself.

use super::{Arrival, By, Whose, enter, query};
use crate::{
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
    let area = wanted_area(tx, wanted)?;
    let site = match &area {
        Some((_, site)) => site.clone(),
        None => default_site(tx, now_ms)?,
    };
    if let Some(stay) = enter::inside(tx, &site, plate.as_typed())? {
        return keep(tx, caller, stay, area.map(|(area, _)| area), now_ms);
    }
    let spot = match &wanted.spot_number {
        Some(number) => numbered(tx, &site, number)?,
        None => spots::free(tx, &site, area.map(|(area, _)| area), plate.as_typed())?
            .ok_or(Error::Refused("no_spot"))?,
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

/// The area that is wanted.
fn wanted_area(tx: &mut dyn Transaction, wanted: &Assignment) -> Result<Option<(i64, String)>> {
    if let Some(name) = wanted.preferred_area.as_deref().filter(|name| !name.trim().is_empty()) {
        let area = areas::by_name(tx, name)?;
        return area.map(Some).ok_or_else(|| Error::invalid("preferred_area", "no such area"));
    }
    Ok(None)
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
        enter::move_to(tx, id, spot, area, now_ms)?;
    }
    Ok(id)
}

/// The spot of a number that can be taken.
fn numbered(tx: &mut dyn Transaction, site: &str, painted: &str) -> Result<i64> {
    let sql = "SELECT id, status FROM spots WHERE site_id = $1 AND number = $2 AND is_active = 1
               ORDER BY CASE WHEN status = 'available' THEN 0 ELSE 1 END, id LIMIT 1";
    let row = first(tx, sql, params![site, painted.trim()])?
        .ok_or_else(|| Error::invalid("spot_number", "no such spot"))?;
    if row.get::<String>(1)? != SpotStatus::Available.as_str() {
        return Err(Error::Refused("slot_not_available"));
    }
    Ok(row.get(0)?)
}
