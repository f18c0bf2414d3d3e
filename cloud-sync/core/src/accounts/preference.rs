//! Where somebody likes to park, with which vehicle, and whether as a member.

use domain::plate::TypedPlate;

use super::Accounts;
use crate::{
    caller::Caller,
    error::{Error, Result},
    store::{Row, Transaction, first, params},
};

/// What somebody prefers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParkingPreference {
    /// The plate of the vehicle, as typed.
    pub plate: Option<String>,
    /// The name of an area.
    pub area: Option<String>,
    /// Whether a spot is to be assigned on entering.
    pub auto_assign: bool,
    /// Since when somebody is a member, in milliseconds UTC; none for who is no member.
    pub member_since_ms: Option<i64>,
}

/// What is to change; what is not given stays, an empty text removes.
#[derive(Debug, Clone, Default)]
pub struct PreferenceChange {
    /// The plate of the vehicle: 1 to 20 printable characters.
    pub plate: Option<String>,
    /// The name of an area that is there.
    pub area: Option<String>,
    /// Whether a spot is to be assigned on entering.
    pub auto_assign: Option<bool>,
    /// Whether to be a member from now on.
    pub is_member: Option<bool>,
}

impl Accounts {
    /// What the caller prefers.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for somebody without an account.
    pub async fn preference(&self, caller: &Caller) -> Result<ParkingPreference> {
        let id = caller.own_id()?;
        self.base.store.read(move |tx| read(tx, id)).await
    }

    /// Changes what the caller prefers.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text that is no plate and for an area that is not there.
    pub async fn prefer(
        &self,
        caller: &Caller,
        change: PreferenceChange,
    ) -> Result<ParkingPreference> {
        let (id, now_ms) = (caller.own_id()?, self.base.now_ms());
        self.base.store.write(move |tx| write(tx, id, &change, now_ms)).await
    }
}

/// Whether the vehicle of a plate, in its normal form, belongs to a member.
pub(crate) fn is_member(tx: &mut dyn Transaction, plate_key: &str) -> Result<bool> {
    let sql = "SELECT user_id FROM parking_preferences
               WHERE plate_key = $1 AND member_since_ms IS NOT NULL LIMIT 1";
    Ok(first(tx, sql, params![plate_key])?.is_some())
}

/// The name of the area that an account prefers.
pub(crate) fn preferred_area(tx: &mut dyn Transaction, account: i64) -> Result<Option<String>> {
    Ok(read(tx, account)?.area)
}

fn read(tx: &mut dyn Transaction, id: i64) -> Result<ParkingPreference> {
    let sql = "SELECT license_plate, preferred_area, auto_assign, member_since_ms
               FROM parking_preferences WHERE user_id = $1";
    let preference = |row: &Row| {
        Ok(ParkingPreference {
            plate: row.get(0)?,
            area: row.get(1)?,
            auto_assign: row.get(2)?,
            member_since_ms: row.get(3)?,
        })
    };
    first(tx, sql, params![id])?.as_ref().map_or_else(|| Ok(Default::default()), preference)
}

fn write(
    tx: &mut dyn Transaction,
    id: i64,
    change: &PreferenceChange,
    now_ms: i64,
) -> Result<ParkingPreference> {
    let before = read(tx, id)?;
    let given = |text: &Option<String>| {
        text.as_deref().map(str::trim).map(|text| (!text.is_empty()).then(|| text.to_owned()))
    };
    let preference = ParkingPreference {
        plate: given(&change.plate).unwrap_or(before.plate),
        area: given(&change.area).unwrap_or(before.area),
        auto_assign: change.auto_assign.unwrap_or(before.auto_assign),
        member_since_ms: match change.is_member {
            Some(false) => None,
            Some(true) => before.member_since_ms.or(Some(now_ms)),
            None => before.member_since_ms,
        },
    };
    let plate = preference.plate.as_deref().map(TypedPlate::parse).transpose();
    let plate = plate.map_err(|bad| Error::invalid("license_plate", bad.to_string()))?;
    if change.area.is_some() {
        check_area(tx, preference.area.as_deref())?;
    }
    tx.execute(
        "INSERT INTO parking_preferences (user_id, license_plate, plate_key, preferred_area,
                auto_assign, member_since_ms)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (user_id) DO UPDATE SET license_plate = excluded.license_plate,
                plate_key = excluded.plate_key, preferred_area = excluded.preferred_area,
                auto_assign = excluded.auto_assign, member_since_ms = excluded.member_since_ms",
        params![
            id,
            plate.as_ref().map(TypedPlate::as_typed),
            plate.as_ref().map(TypedPlate::normal),
            preference.area.as_deref(),
            preference.auto_assign,
            preference.member_since_ms
        ],
    )?;
    Ok(preference)
}

fn check_area(tx: &mut dyn Transaction, area: Option<&str>) -> Result<()> {
    let Some(area) = area else { return Ok(()) };
    let sql = "SELECT id FROM areas WHERE name = $1 LIMIT 1";
    match first(tx, sql, params![area])? {
        Some(_) => Ok(()),
        None => Err(Error::invalid("preferred_area", format!("there is no area `{area}`"))),
    }
}
