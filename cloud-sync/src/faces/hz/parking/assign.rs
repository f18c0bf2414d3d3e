//! `parking/auto-assign/`.

use cloud_core::{Assignment, Caller, Spot};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::input::{self, Id};
use crate::http::{Answer, Call, Json, Route, post};

pub(super) fn routes() -> Vec<Route> {
    vec![
        post("/hzsystem_parking/parking/auto-assign/", assign)
            .summary("Find a spot for a car; one that parks keeps the session that it has")
            .idempotent(),
    ]
}

/// What somebody wants of a spot.
#[derive(Debug, Deserialize, JsonSchema)]
struct AssignInput {
    license_plate: String,
    #[serde(default)]
    vehicle_type: Option<String>,
    /// Whom the car parks for; users can only name themselves.
    #[serde(default)]
    user_id: Option<Id>,
    /// Name of an area.
    #[serde(default)]
    preferred_area: Option<String>,
    /// Number of a spot.
    #[serde(default)]
    spot_number: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Assigned {
    success: bool,
    message: &'static str,
    assigned_spot: Option<SpotRef>,
    session_id: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SpotRef {
    id: i64,
    number: String,
    area_name: String,
}

impl From<Spot> for SpotRef {
    fn from(spot: Spot) -> Self {
        Self { id: spot.id, number: spot.number, area_name: spot.area_name }
    }
}

async fn assign(call: Call<Caller, Json<AssignInput>>) -> Answer<Json<Assigned>> {
    let Json(input) = &call.body;
    let wanted = Assignment {
        plate: input.license_plate.clone(),
        vehicle_type: input::vehicle_type(input.vehicle_type.as_deref())?,
        user: input.user_id.map(|Id(user)| user),
        preferred_area: input.preferred_area.clone(),
        spot_number: input.spot_number.clone(),
    };
    let stay = call.app.cloud.parking.auto_assign(&call.who, wanted).await?;
    Ok(Json(Assigned {
        success: true,
        message: "车位分配成功",
        assigned_spot: stay.spot.map(SpotRef::from),
        session_id: stay.id,
    }))
}
