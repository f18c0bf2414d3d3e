//! Vehicles: one for each plate, of an owner or of nobody yet. A vehicle that enters without being
//! known becomes known.

use domain::plate::TypedPlate;

use crate::{
    base::Base,
    caller::{Caller, Role},
    error::{Error, Result},
    plates::Window,
    store::{Conditions, Row, Transaction, first, next_id, number, params},
};

const LONGEST_TYPE: usize = 50;
/// Vehicles that a user may have who is no operator.
const MOST_OF_A_USER: i64 = 20;

/// A vehicle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vehicle {
    /// Its number.
    pub id: i64,
    /// Its plate, as typed or read.
    pub plate: String,
    /// What kind it is, for people.
    pub car_type: Option<String>,
    /// The account that it belongs to.
    pub owner: Option<i64>,
    /// When it became known, in milliseconds UTC.
    pub created_at_ms: i64,
}

/// What is told of a vehicle; what is not given stays, `Some(None)` removes.
#[derive(Debug, Clone, Default)]
pub struct VehicleChange {
    /// The plate: 1 to 20 printable characters.
    pub plate: Option<String>,
    /// What kind it is: at most 50 characters.
    pub car_type: Option<Option<String>>,
    /// The account that it belongs to.
    pub owner: Option<Option<i64>>,
}

/// The vehicles.
pub struct Vehicles {
    base: Base,
}

const COLUMNS: &str = "id, plate, car_type, owner_id, created_at_ms";

impl Vehicles {
    pub(crate) const fn new(base: Base) -> Self {
        Self { base }
    }

    /// Vehicles in the order of their numbers, and how many there are: all for operators, one's
    /// own for everybody else.
    pub async fn list(&self, caller: &Caller, window: Window) -> Result<(Vec<Vehicle>, i64)> {
        let owner = only_of(caller);
        let read = self.base.store.read(move |tx| {
            let mut those = Conditions::new("removed_at_ms IS NULL").and("owner_id = ?", owner);
            let count = format!("SELECT COUNT(*) FROM vehicles {}", those.sql());
            let count = number(tx, &count, those.params())?;
            let slice = those.slice(window);
            let sql = format!("SELECT {COLUMNS} FROM vehicles {} ORDER BY id{slice}", those.sql());
            let rows = tx.query(&sql, those.params())?;
            Ok((rows.iter().map(vehicle).collect::<Result<_>>()?, count))
        });
        read.await
    }

    /// A vehicle.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is not there or not the caller's.
    pub async fn get(&self, caller: &Caller, id: i64) -> Result<Vehicle> {
        let owner = only_of(caller);
        self.base.store.read(move |tx| find(tx, owner, id)).await
    }

    /// Makes a vehicle known. Without an owner it is the caller's, where the caller has an account
    /// and is no operator.
    ///
    /// A vehicle that was here before it had an owner shows where it was and is; whoever asks for it
    /// first need not be who drives it. So users take only plates that nobody knows yet, and
    /// operators, who see papers, give the others to whom they belong.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text that is no plate, a plate of another vehicle, or an owner
    /// that is not there; [`Error::Forbidden`] for somebody else's vehicle; [`Error::Refused`]
    /// `too_many_vehicles`.
    pub async fn add(&self, caller: &Caller, new: VehicleChange) -> Result<Vehicle> {
        check_owner_is_own(caller, &new)?;
        let (own, now_ms) = (only_of(caller), self.base.now_ms());
        self.base.store.write(move |tx| add(tx, own, &new, now_ms)).await
    }

    /// Changes a vehicle.
    ///
    /// # Errors
    /// As [`Vehicles::get`] and [`Vehicles::add`]; [`Error::Refused`] `vehicle_inside` for another
    /// plate while it is inside.
    pub async fn change(&self, caller: &Caller, id: i64, change: VehicleChange) -> Result<Vehicle> {
        check_owner_is_own(caller, &change)?;
        let own = only_of(caller);
        let changed = self.base.store.write(move |tx| {
            find(tx, own, id)?;
            update(tx, id, &change)?;
            find(tx, own, id)
        });
        changed.await
    }

    /// Removes a vehicle from all lists; what it did stays.
    ///
    /// # Errors
    /// As [`Vehicles::get`].
    pub async fn remove(&self, caller: &Caller, id: i64) -> Result<()> {
        let (own, now_ms) = (only_of(caller), self.base.now_ms());
        let removed = self.base.store.write(move |tx| {
            find(tx, own, id)?;
            let sql = "UPDATE vehicles SET removed_at_ms = $1 WHERE id = $2";
            tx.execute(sql, params![now_ms, id])?;
            Ok(())
        });
        removed.await
    }
}

const MAKE_KNOWN: &str = "INSERT INTO vehicles (id, plate, plate_key, created_at_ms)
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

/// The number of the vehicle of a plate, which becomes known where it was not.
pub(crate) fn known(tx: &mut dyn Transaction, plate: &str, now_ms: i64) -> Result<i64> {
    let plate = parse(plate)?;
    if let Some(vehicle) = of_plate(tx, plate.normal())? {
        return Ok(vehicle.id);
    }
    // Another site may come to know it at this moment.
    let id = next_id(tx, "vehicle")?;
    let made = tx.execute(MAKE_KNOWN, params![id, plate.as_typed(), plate.normal(), now_ms])?;
    if made > 0 {
        return Ok(id);
    }
    let vehicle = of_plate(tx, plate.normal())?;
    vehicle.map(|vehicle| vehicle.id).ok_or(Error::NotFound("vehicle"))
}

/// Makes the vehicle of a plate known, which it is not, unless another site does at this moment.
/// Statements that follow find it by its plate.
pub(crate) fn make_known(tx: &mut dyn Transaction, plate: &str, now_ms: i64) -> Result<()> {
    let plate = parse(plate)?;
    let id = next_id(tx, "vehicle")?;
    tx.defer(MAKE_KNOWN, params![id, plate.as_typed(), plate.normal(), now_ms])?;
    Ok(())
}

/// The vehicle of a plate in its normal form.
pub(crate) fn of_plate(tx: &mut dyn Transaction, plate_key: &str) -> Result<Option<Vehicle>> {
    let sql =
        format!("SELECT {COLUMNS} FROM vehicles WHERE plate_key = $1 AND removed_at_ms IS NULL");
    first(tx, &sql, params![plate_key])?.as_ref().map(vehicle).transpose()
}

/// A vehicle by its number, of an owner where one is given.
pub(crate) fn find(tx: &mut dyn Transaction, owner: Option<i64>, id: i64) -> Result<Vehicle> {
    let sql = format!(
        "SELECT {COLUMNS} FROM vehicles WHERE id = $1 AND removed_at_ms IS NULL
           AND (CAST($2 AS BIGINT) IS NULL OR owner_id = $2)"
    );
    let row = first(tx, &sql, params![id, owner])?;
    vehicle(&row.ok_or(Error::NotFound("vehicle"))?)
}

/// Whose vehicles the caller sees: all, or those of one account.
pub(crate) fn only_of(caller: &Caller) -> Option<i64> {
    match caller.operator() {
        Ok(_) => None,
        // An account that does not exist owns nothing.
        Err(_) => Some(caller.account_id().unwrap_or_default()),
    }
}

fn check_owner_is_own(caller: &Caller, change: &VehicleChange) -> Result<()> {
    let Some(own) = only_of(caller) else { return Ok(()) };
    match change.owner {
        None | Some(None) => Ok(()),
        Some(Some(owner)) if owner == own => Ok(()),
        _ => {
            let (role, needed) = (caller.role().as_str(), Role::Operator.as_str());
            Err(Error::Forbidden { role, needed })
        }
    }
}

fn add(
    tx: &mut dyn Transaction,
    own: Option<i64>,
    new: &VehicleChange,
    now_ms: i64,
) -> Result<Vehicle> {
    let Some(plate) = &new.plate else {
        return Err(Error::invalid("plate_number", "is missing"));
    };
    let plate = parse(plate)?;
    let owner = new.owner.flatten().or(own);
    let car_type = new.car_type.clone().flatten();
    check(tx, car_type.as_deref(), owner)?;
    if let Some(own) = own {
        check_number(tx, own)?;
    }
    let id = match of_plate(tx, plate.normal())? {
        None => insert(tx, &plate, car_type.as_deref(), owner, now_ms)?,
        Some(nobodys) if own.is_none() && nobodys.owner.is_none() && owner.is_some() => {
            let claim = "UPDATE vehicles SET plate = $1, owner_id = $2,
                                car_type = COALESCE($3, car_type) WHERE id = $4";
            tx.execute(claim, params![plate.as_typed(), owner, car_type, nobodys.id])?;
            nobodys.id
        }
        Some(_) => return Err(taken()),
    };
    find(tx, None, id)
}

fn update(tx: &mut dyn Transaction, id: i64, change: &VehicleChange) -> Result<()> {
    let car_type = change.car_type.as_ref().and_then(Option::as_deref);
    check(tx, car_type, change.owner.flatten())?;
    if let Some(plate) = &change.plate {
        let plate = parse(plate)?;
        if of_plate(tx, plate.normal())?.is_some_and(|other| other.id != id) {
            return Err(taken());
        }
        check_outside(tx, id, &plate)?;
        let sql = "UPDATE vehicles SET plate = $1, plate_key = $2 WHERE id = $3";
        tx.execute(sql, params![plate.as_typed(), plate.normal(), id])?;
    }
    if change.car_type.is_some() {
        tx.execute("UPDATE vehicles SET car_type = $1 WHERE id = $2", params![car_type, id])?;
    }
    if let Some(owner) = change.owner {
        tx.execute("UPDATE vehicles SET owner_id = $1 WHERE id = $2", params![owner, id])?;
    }
    Ok(())
}

/// # Errors
/// [`Error::Refused`] `vehicle_inside` for another plate while a vehicle is inside: the exit looks
/// for the one that entered, and what was read wrongly is corrected where it was read.
fn check_outside(tx: &mut dyn Transaction, id: i64, plate: &TypedPlate) -> Result<()> {
    let sql = "SELECT id FROM parking_sessions
               WHERE vehicle_id = $1 AND exited_at_ms IS NULL AND plate_key <> $2 LIMIT 1";
    match first(tx, sql, params![id, plate.normal()])? {
        Some(_) => Err(Error::Refused("vehicle_inside")),
        None => Ok(()),
    }
}

fn check(tx: &mut dyn Transaction, car_type: Option<&str>, owner: Option<i64>) -> Result<()> {
    let unusable =
        |text: &str| text.chars().count() > LONGEST_TYPE || text.chars().any(char::is_control);
    if car_type.is_some_and(unusable) {
        return Err(Error::invalid("car_type", "use at most 50 printable characters"));
    }
    let Some(owner) = owner else { return Ok(()) };
    let sql = "SELECT id FROM users WHERE id = $1 AND removed_at_ms IS NULL";
    match first(tx, sql, params![owner])? {
        Some(_) => Ok(()),
        None => Err(Error::invalid("owner", format!("there is no account {owner}"))),
    }
}

fn parse(plate: &str) -> Result<TypedPlate> {
    TypedPlate::parse(plate).map_err(|bad| Error::invalid("plate_number", bad.to_string()))
}

fn taken() -> Error {
    let problem = "is known here already; choose another, or have an operator give it to you";
    Error::invalid("plate_number", problem)
}

/// # Errors
/// [`Error::Refused`] `too_many_vehicles` for a user who has as many as one may have.
fn check_number(tx: &mut dyn Transaction, owner: i64) -> Result<()> {
    let sql = "SELECT COUNT(*) FROM vehicles WHERE owner_id = $1 AND removed_at_ms IS NULL";
    match number(tx, sql, params![owner])? {
        0..MOST_OF_A_USER => Ok(()),
        _ => Err(Error::Refused("too_many_vehicles")),
    }
}

fn insert(
    tx: &mut dyn Transaction,
    plate: &TypedPlate,
    car_type: Option<&str>,
    owner: Option<i64>,
    now_ms: i64,
) -> Result<i64> {
    let id = next_id(tx, "vehicle")?;
    tx.execute(
        "INSERT INTO vehicles (id, plate, plate_key, car_type, owner_id, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![id, plate.as_typed(), plate.normal(), car_type, owner, now_ms],
    )?;
    Ok(id)
}

fn vehicle(row: &Row) -> Result<Vehicle> {
    Ok(Vehicle {
        id: row.get(0)?,
        plate: row.get(1)?,
        car_type: row.get(2)?,
        owner: row.get(3)?,
        created_at_ms: row.get(4)?,
    })
}
