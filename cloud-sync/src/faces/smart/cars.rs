//! `/api/users/cars/`: vehicles and whose they are. Users see and change their own.

use cloud_core::{Caller, Vehicle, VehicleChange};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::required,
    listing::{Listing, WHOLE, Wanted},
    time::utc,
};
use crate::http::{Answer, Call, Created, Json, Local, NoContent, fields};

const PATH: &str = "/api/users/cars/";

/// A car.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CarView {
    /// Its number.
    id: i64,
    /// Its plate.
    plate_number: String,
    /// What kind it is.
    car_type: Option<String>,
    /// The number of the user that it belongs to.
    owner: Option<i64>,
    /// When it became known.
    created_at: String,
}

impl From<Vehicle> for CarView {
    fn from(vehicle: Vehicle) -> Self {
        Self {
            id: vehicle.id,
            plate_number: vehicle.plate,
            car_type: vehicle.car_type,
            owner: vehicle.owner,
            created_at: utc(vehicle.created_at_ms),
        }
    }
}

/// What is said of a car.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct CarBody {
    /// Its plate: 1 to 20 printable characters.
    plate_number: Option<String>,
    /// What kind it is: at most 50 characters.
    #[serde(default, deserialize_with = "fields::given")]
    car_type: Option<Option<String>>,
    /// The number of the user that it belongs to; for users themselves.
    #[serde(default, deserialize_with = "fields::given")]
    owner: Option<Option<i64>>,
}

impl From<&CarBody> for VehicleChange {
    fn from(body: &CarBody) -> Self {
        Self {
            plate: body.plate_number.clone(),
            car_type: body.car_type.clone(),
            owner: body.owner,
        }
    }
}

pub(super) async fn list(call: Call<Local<Caller>>) -> Answer<Json<Listing<CarView>>> {
    let wanted = Wanted::of(&call.query)?;
    let window = wanted.window().unwrap_or(WHOLE);
    let vehicles = call.app.cloud.vehicles.list(&call.who.0, window).await?;
    Ok(wanted.answer(PATH, vehicles))
}

pub(super) async fn create(call: Call<Local<Caller>, Json<CarBody>>) -> Answer<Created<CarView>> {
    required("plate_number", call.body.0.plate_number.as_ref())?;
    let new = VehicleChange::from(&call.body.0);
    Ok(Created(call.app.cloud.vehicles.add(&call.who.0, new).await?.into()))
}

pub(super) async fn one(call: Call<Local<Caller>>) -> Answer<Json<CarView>> {
    let id = call.id("id", "vehicle")?;
    Ok(Json(call.app.cloud.vehicles.get(&call.who.0, id).await?.into()))
}

pub(super) async fn replace(call: Call<Local<Caller>, Json<CarBody>>) -> Answer<Json<CarView>> {
    required("plate_number", call.body.0.plate_number.as_ref())?;
    change(call).await
}

pub(super) async fn change(call: Call<Local<Caller>, Json<CarBody>>) -> Answer<Json<CarView>> {
    let (id, change) = (call.id("id", "vehicle")?, VehicleChange::from(&call.body.0));
    Ok(Json(call.app.cloud.vehicles.change(&call.who.0, id, change).await?.into()))
}

pub(super) async fn remove(call: Call<Local<Caller>>) -> Answer<NoContent> {
    let id = call.id("id", "vehicle")?;
    call.app.cloud.vehicles.remove(&call.who.0, id).await?;
    Ok(NoContent)
}
