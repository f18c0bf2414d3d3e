//! Cars that come in without a barrier: driven in by hand, seen by a camera, given a spot.

use domain::plate::normal_form;
use uuid::Uuid;

use super::{
    Entry,
    record::{Recorded, record},
};
use crate::{
    accounts::preference::is_member,
    caller::Actor,
    error::{Error, Result},
    logs,
    parking::{SpotStatus, VehicleType, site, spots, tariffs},
    plates::Movement,
    store::{Transaction, first, next_id, params},
    vehicles,
};

/// A car that arrives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrival<'a> {
    /// The site.
    pub(crate) site: &'a str,
    /// Its plate, as it was typed or read.
    pub(crate) plate: &'a str,
    /// Where it stands or shall stand.
    pub(crate) spot: Option<i64>,
    /// The area that it is in, where it has no spot.
    pub(crate) area: Option<i64>,
    /// The kind of vehicle, where it is known.
    pub(crate) vehicle_type: Option<VehicleType>,
    /// The account that it parks for.
    pub(crate) user: Option<i64>,
    /// Who says so.
    pub(crate) by: By,
}

/// Who says that a car is there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    /// A person, who typed its plate.
    Hand(Actor),
    /// A camera, which read it.
    Camera {
        /// Its number.
        camera: i64,
        /// Who handed that in.
        actor: Actor,
    },
}

impl Default for By {
    fn default() -> Self {
        Self::Hand(Actor::default())
    }
}

impl By {
    pub(crate) const fn actor(self) -> Actor {
        match self {
            Self::Hand(actor) | Self::Camera { actor, .. } => actor,
        }
    }
}

/// A car enters by hand; see [`crate::Parking::enter`].
pub(super) fn by_hand(
    tx: &mut dyn Transaction,
    entry: Entry,
    actor: Actor,
    now_ms: i64,
) -> Result<i64> {
    let not_there = |field| move |_| Error::invalid(field, "no such one");
    let vehicle = vehicles::find(tx, None, entry.vehicle).map_err(not_there("car"))?;
    let spot = spots::get(tx, entry.spot).map_err(not_there("slot"))?;
    let kept_for_it = spot.status == SpotStatus::Reserved
        && spot.plate.as_deref() == Some(normal_form(&vehicle.plate).as_str());
    if spot.status != SpotStatus::Available && !kept_for_it {
        return Err(Error::Refused("slot_not_available"));
    }
    let arrival = Arrival {
        site: &spot.site,
        plate: &vehicle.plate,
        spot: Some(spot.id),
        vehicle_type: vehicle.car_type.as_deref().and_then(VehicleType::meant),
        user: vehicle.owner,
        by: By::Hand(actor),
        ..Arrival::default()
    };
    Ok(enter(tx, &arrival, now_ms)?.stay)
}

/// The stay of a plate that is inside a site.
pub(crate) fn inside(tx: &mut dyn Transaction, site: &str, plate: &str) -> Result<Option<i64>> {
    let sql = "SELECT id FROM parking_sessions WHERE site_id = $1 AND inside_key = $2";
    let row = first(tx, sql, params![site, normal_form(plate)])?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// A car that has come in.
pub(crate) struct Entered {
    /// Its stay.
    pub(crate) stay: i64,
    /// The plate read that its entry made.
    pub(crate) read: i64,
}

/// A car comes in and its stay begins. A spot that is named is taken whatever it was; whether it
/// may be is for the caller to ask.
pub(crate) fn enter(
    tx: &mut dyn Transaction,
    arrival: &Arrival<'_>,
    now_ms: i64,
) -> Result<Entered> {
    if inside(tx, arrival.site, arrival.plate)?.is_some() {
        return Err(Error::Refused("already_inside"));
    }
    let read = record(tx, arrival, Movement::Entered, now_ms)?;
    Ok(Entered { stay: begin(tx, arrival, &read, now_ms)?, read: read.id })
}

/// The stay of a car begins with a read that is kept; its number.
pub(super) fn begin(
    tx: &mut dyn Transaction,
    arrival: &Arrival<'_>,
    read: &Recorded,
    now_ms: i64,
) -> Result<i64> {
    let stay = insert(tx, arrival, read, now_ms)?;
    if let Some(spot) = arrival.spot {
        spots::occupy(tx, spot, now_ms)?;
    }
    let message = format!("{} 已入场 (session_{stay})", arrival.plate);
    let site = arrival.site.to_owned();
    logs::Entry::of_person(site, now_ms, arrival.by.actor(), "parking", message).write(tx)?;
    Ok(stay)
}

fn insert(
    tx: &mut dyn Transaction,
    arrival: &Arrival<'_>,
    read: &Recorded,
    now_ms: i64,
) -> Result<i64> {
    let area = match arrival.spot {
        Some(spot) => Some(spots::get(tx, spot)?.area_id),
        None => arrival.area.or(site::first_area(tx, arrival.site)?),
    };
    let key = normal_form(arrival.plate);
    let vehicle = vehicles::known(tx, arrival.plate, now_ms)?;
    let is_member = is_member(tx, &key)?;
    let standing = tariffs::standing(tx, arrival.site, area, is_member)?;
    let tariff = serde_json::to_string(&standing.tariff)
        .map_err(|e| crate::store::StoreError::new("write a tariff", e))?;
    let id = next_id(tx, "parking_session")?;
    tx.execute(
        "INSERT INTO parking_sessions (site_id, session_id, id, origin, area_id, spot_id,
                vehicle_id, user_id, plate, plate_key, inside_key, kind, vehicle_type,
                entered_at_ms, entry_lane, entry_decision, tariff_id, tariff_name, tariff)
         VALUES ($1, $2, $3, 'cloud', $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, '', $13, $14,
                 $15, $16)",
        params![
            arrival.site,
            Uuid::new_v4().to_string(),
            id,
            area,
            arrival.spot,
            vehicle,
            arrival.user,
            arrival.plate,
            key,
            read.kind,
            arrival.vehicle_type.map(VehicleType::as_str),
            now_ms,
            &read.decision,
            standing.id,
            standing.name,
            tariff
        ],
    )?;
    Ok(id)
}
