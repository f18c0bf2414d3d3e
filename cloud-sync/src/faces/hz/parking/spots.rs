//! Spots, at both of their paths.

use chrono_tz::Tz;
use cloud_core::{
    Admin, Caller, Error, NewSpot, Operator, Spot, SpotChange, SpotFilter, SpotReport, SpotStatus,
    VehicleType,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::{self, Id},
    wire::{Done, local, utc, window},
};
use crate::{
    faces::hz::params,
    http::{
        Answer, BadValue, Call, Created, Json, Parameter, Problem, Query, Route, delete, get, post,
        put,
    },
};

const FILTERS: &[Parameter] = &[
    Parameter { name: "area_id", about: "The area" },
    Parameter { name: "status", about: "available, occupied, reserved or maintenance" },
    Parameter { name: "vehicle_type", about: "What stands there" },
    Parameter { name: "page", about: "From 1; without it and page_size the list is whole" },
    Parameter { name: "page_size", about: "1 to 100, 20 by default" },
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/hzsystem_parking/parking/spots/", list).summary("Spots in use").query(FILTERS),
        post("/hzsystem_parking/parking/spots/", create).summary("Make a spot"),
        get("/hzsystem_parking/parking/spots/{spot_id}/", detail).summary("One spot"),
        put("/hzsystem_parking/parking/spots/{spot_id}/", update).summary("Change a spot"),
        delete("/hzsystem_parking/parking/spots/{spot_id}/", remove)
            .summary("Take a spot out of use"),
        put("/hzsystem_parking/parking/spots/{spot_id}/status/", report)
            .summary("Say what a spot is, and which car stands there"),
        post("/hzsystem_parking/parking/spots/{spot_id}/status/", report)
            .summary("Say what a spot is, and which car stands there"),
        get("/hzsystem_parking/parking-spots/", list).summary("Spots in use").query(FILTERS),
        post("/hzsystem_parking/parking-spots/", create).summary("Make a spot"),
        get("/hzsystem_parking/parking-spots/{spot_id}/", detail).summary("One spot"),
        put("/hzsystem_parking/parking-spots/{spot_id}/", update).summary("Change a spot"),
        delete("/hzsystem_parking/parking-spots/{spot_id}/", remove)
            .summary("Take a spot out of use"),
        put("/hzsystem_parking/parking-spots/{spot_id}/status/", report)
            .summary("Say what a spot is, and which car stands there"),
        post("/hzsystem_parking/parking-spots/{spot_id}/status/", report)
            .summary("Say what a spot is, and which car stands there"),
    ]
}

/// A spot that is to be made, or what changes of one.
#[derive(Debug, Deserialize, JsonSchema)]
struct SpotInput {
    #[serde(alias = "spot_number")]
    number: Option<String>,
    #[serde(alias = "area")]
    area_id: Option<Id>,
    spot_type: Option<String>,
}

/// What somebody says of a spot.
#[derive(Debug, Deserialize, JsonSchema)]
struct StatusInput {
    /// available, occupied, reserved or maintenance
    status: String,
    #[serde(default)]
    vehicle_type: Option<String>,
    #[serde(default)]
    license_plate: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AreaRef {
    id: i64,
    name: String,
}

/// A spot; `area` is what an answer shows of its area.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct SpotView<A> {
    id: i64,
    number: String,
    spot_number: String,
    area: A,
    area_name: String,
    status: &'static str,
    spot_type: String,
    vehicle_type: Option<&'static str>,
    license_plate: Option<String>,
    entry_time: Option<String>,
    is_active: bool,
    created_time: String,
    updated_time: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Spots {
    spots: Vec<SpotView<AreaRef>>,
    total_count: i64,
    page: u32,
    page_size: u32,
}

/// One spot, flat and as a list of one.
#[derive(Debug, Serialize, JsonSchema)]
struct OneSpot {
    #[serde(flatten)]
    spot: SpotView<i64>,
    spots: [SpotView<i64>; 1],
    total_count: u32,
}

impl<A> SpotView<A> {
    fn new(spot: Spot, area: A, zone: Tz) -> Self {
        Self {
            id: spot.id,
            spot_number: spot.number.clone(),
            number: spot.number,
            area,
            area_name: spot.area_name,
            status: spot.status.as_str(),
            spot_type: spot.spot_type,
            vehicle_type: spot.vehicle_type.map(VehicleType::as_str),
            license_plate: spot.plate,
            entry_time: spot.entered_at_ms.map(utc),
            is_active: spot.is_active,
            created_time: local(spot.created_at_ms, zone),
            updated_time: local(spot.updated_at_ms, zone),
        }
    }
}

fn listed(spot: Spot, zone: Tz) -> SpotView<AreaRef> {
    let area = AreaRef { id: spot.area_id, name: spot.area_name.clone() };
    SpotView::new(spot, area, zone)
}

fn filter(query: &Query) -> Result<SpotFilter, Problem> {
    let status = query.get("status").map(str::parse::<SpotStatus>).transpose()?;
    let wanted = "car / truck / suv / motorcycle / bus / mpv";
    let vehicle_type = query
        .get("vehicle_type")
        .map(|word| VehicleType::named(word).ok_or(BadValue { name: "vehicle_type", wanted }));
    Ok(SpotFilter {
        area: query.parsed("area_id", "应为整数")?,
        status,
        vehicle_type: vehicle_type.transpose()?,
    })
}

async fn list(call: Call<Caller>) -> Answer<Json<Spots>> {
    let (filter, page) = (filter(&call.query)?, params::page(&call.query)?);
    let is_paged = call.query.get("page").or(call.query.get("page_size")).is_some();
    let parking = &call.app.cloud.parking;
    let (spots, total_count) =
        parking.spots(&call.who, filter, is_paged.then(|| window(page))).await?;
    let zone = parking.zone();
    Ok(Json(Spots {
        spots: spots.into_iter().map(|spot| listed(spot, zone)).collect(),
        total_count,
        page: page.number,
        page_size: page.size,
    }))
}

async fn create(call: Call<Admin, Json<SpotInput>>) -> Answer<Created<SpotView<AreaRef>>> {
    let Json(input) = &call.body;
    let missing = || Error::invalid("number", "该字段必填");
    let new = NewSpot {
        number: input.number.clone().ok_or_else(missing)?,
        area: input.area_id.map(|Id(area)| area),
        spot_type: input.spot_type.clone().unwrap_or_else(|| "standard".to_owned()),
    };
    let parking = &call.app.cloud.parking;
    Ok(Created(listed(parking.add_spot(&call.who, new).await?, parking.zone())))
}

async fn detail(call: Call<Caller>) -> Answer<Json<OneSpot>> {
    let id = call.id("spot_id", "spot")?;
    let parking = &call.app.cloud.parking;
    let spot = parking.spot(&call.who, id).await?;
    let area = spot.area_id;
    let spot = SpotView::new(spot, area, parking.zone());
    Ok(Json(OneSpot { spots: [spot.clone()], spot, total_count: 1 }))
}

async fn update(call: Call<Admin, Json<SpotInput>>) -> Answer<Json<Done<SpotView<AreaRef>>>> {
    let id = call.id("spot_id", "spot")?;
    let Json(input) = &call.body;
    let change = SpotChange {
        number: input.number.clone(),
        spot_type: input.spot_type.clone(),
        area: input.area_id.map(|Id(area)| area),
    };
    let parking = &call.app.cloud.parking;
    let spot = parking.change_spot(&call.who, id, change).await?;
    Ok(Json(Done::new("车位更新成功", listed(spot, parking.zone()))))
}

async fn remove(call: Call<Admin>) -> Answer<Json<Done<SpotView<AreaRef>>>> {
    let id = call.id("spot_id", "spot")?;
    let parking = &call.app.cloud.parking;
    let spot = parking.remove_spot(&call.who, id).await?;
    Ok(Json(Done::new("车位删除成功", listed(spot, parking.zone()))))
}

async fn report(call: Call<Operator, Json<StatusInput>>) -> Answer<Json<Done<SpotView<AreaRef>>>> {
    let Json(input) = &call.body;
    let report = SpotReport {
        status: input.status.parse()?,
        vehicle_type: input::vehicle_type(input.vehicle_type.as_deref())?,
        plate: input.license_plate.clone(),
    };
    let id = call.id("spot_id", "spot")?;
    let parking = &call.app.cloud.parking;
    let spot = parking.report_spot(&call.who, id, report).await?;
    Ok(Json(Done::new("车位状态更新成功", listed(spot, parking.zone()))))
}
