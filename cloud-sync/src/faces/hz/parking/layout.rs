//! `dashboard/layout/`: the areas with their spots, in the document's form and in the one that the
//! original page reads.

use cloud_core::{Caller, Spot, SpotFilter, VehicleType};
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::utc;
use crate::http::{Answer, Call, Json, Route, get};

pub(super) fn routes() -> Vec<Route> {
    vec![get("/hzsystem_parking/dashboard/layout/", layout).summary("Areas with their spots")]
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct Layout {
    areas: Vec<AreaLayout>,
    layout: Vec<PageLayout>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AreaLayout {
    id: i64,
    name: String,
    spots: Vec<SpotLayout>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SpotLayout {
    id: i64,
    number: String,
    status: &'static str,
    vehicle_type: Option<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PageLayout {
    area_id: i64,
    area_name: String,
    spots: Vec<PageSpot>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PageSpot {
    id: i64,
    spot_number: String,
    status: &'static str,
    vehicle_type: Option<&'static str>,
    license_plate: Option<String>,
    entry_time: Option<String>,
}

async fn layout(call: Call<Caller>) -> Answer<Json<Layout>> {
    let parking = &call.app.cloud.parking;
    let areas = parking.areas(&call.who).await?;
    let (spots, _) = parking.spots(&call.who, SpotFilter::default(), None).await?;
    let mut both = Layout::default();
    for area in areas {
        let inside = || spots.iter().filter(|spot| spot.area_id == area.id);
        both.areas.push(AreaLayout {
            id: area.id,
            name: area.name.clone(),
            spots: inside().map(documented).collect(),
        });
        both.layout.push(PageLayout {
            area_id: area.id,
            area_name: area.name.clone(),
            spots: inside().map(on_page).collect(),
        });
    }
    Ok(Json(both))
}

fn documented(spot: &Spot) -> SpotLayout {
    SpotLayout {
        id: spot.id,
        number: spot.number.clone(),
        status: spot.status.as_str(),
        vehicle_type: spot.vehicle_type.map(VehicleType::as_str),
    }
}

fn on_page(spot: &Spot) -> PageSpot {
    PageSpot {
        id: spot.id,
        spot_number: spot.number.clone(),
        status: spot.status.as_str(),
        vehicle_type: spot.vehicle_type.map(VehicleType::as_str),
        license_plate: spot.plate.clone(),
        entry_time: spot.entered_at_ms.map(utc),
    }
}
