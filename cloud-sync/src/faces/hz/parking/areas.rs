//! Areas, at both of their paths.

use cloud_core::{Admin, Area, AreaChange, Caller, NewArea};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wire::{Done, percent, utc};
use crate::http::{Answer, Call, Created, Json, Route, delete, get, post, put};

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/hzsystem_parking/parking-areas/", list).summary("Areas in use"),
        post("/hzsystem_parking/parking-areas/", create).summary("Make an area"),
        get("/hzsystem_parking/parking-areas/{area_id}/", detail).summary("One area"),
        put("/hzsystem_parking/parking-areas/{area_id}/", update).summary("Change an area"),
        delete("/hzsystem_parking/parking-areas/{area_id}/", remove)
            .summary("Take an area and its spots out of use"),
        get("/hzsystem_parking/parking/areas/", list).summary("Areas in use"),
        post("/hzsystem_parking/parking/areas/", create).summary("Make an area"),
        get("/hzsystem_parking/parking/areas/{area_id}/", detail).summary("One area"),
        put("/hzsystem_parking/parking/areas/{area_id}/", update).summary("Change an area"),
        delete("/hzsystem_parking/parking/areas/{area_id}/", remove)
            .summary("Take an area and its spots out of use"),
    ]
}

/// An area that is to be made.
#[derive(Debug, Deserialize, JsonSchema)]
struct AreaInput {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    total_spots: i64,
    /// The site that it belongs to; the first one where none is named.
    #[serde(default)]
    site_id: Option<String>,
}

/// What changes of an area.
#[derive(Debug, Deserialize, JsonSchema)]
struct AreaPatch {
    name: Option<String>,
    description: Option<String>,
    total_spots: Option<i64>,
    is_active: Option<bool>,
}

/// An area and how full it is.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AreaView {
    id: i64,
    name: String,
    description: String,
    total_spots: i64,
    available_spots: i64,
    occupied_spots: i64,
    reserved_spots: i64,
    maintenance_spots: i64,
    /// In percent.
    occupancy_rate: f64,
    is_active: bool,
    site_id: String,
    created_time: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Areas {
    areas: Vec<AreaView>,
    total_count: usize,
    total_areas: usize,
}

impl From<Area> for AreaView {
    fn from(area: Area) -> Self {
        Self {
            available_spots: area.available_spots(),
            occupancy_rate: percent(area.occupied_spots, area.total_spots),
            id: area.id,
            name: area.name,
            description: area.description,
            total_spots: area.total_spots,
            occupied_spots: area.occupied_spots,
            reserved_spots: area.reserved_spots,
            maintenance_spots: area.maintenance_spots,
            is_active: area.is_active,
            site_id: area.site,
            created_time: utc(area.created_at_ms),
        }
    }
}

async fn list(call: Call<Caller>) -> Answer<Json<Areas>> {
    let areas = call.app.cloud.parking.areas(&call.who).await?;
    let areas: Vec<_> = areas.into_iter().map(AreaView::from).collect();
    Ok(Json(Areas { total_count: areas.len(), total_areas: areas.len(), areas }))
}

async fn create(call: Call<Admin, Json<AreaInput>>) -> Answer<Created<AreaView>> {
    let Json(input) = &call.body;
    let new = NewArea {
        name: input.name.clone(),
        description: input.description.clone().unwrap_or_default(),
        total_spots: input.total_spots,
        site: input.site_id.clone(),
    };
    Ok(Created(call.app.cloud.parking.add_area(&call.who, new).await?.into()))
}

async fn detail(call: Call<Caller>) -> Answer<Json<AreaView>> {
    let id = call.id("area_id", "area")?;
    Ok(Json(call.app.cloud.parking.area(&call.who, id).await?.into()))
}

async fn update(call: Call<Admin, Json<AreaPatch>>) -> Answer<Json<Done<AreaView>>> {
    let id = call.id("area_id", "area")?;
    let Json(patch) = &call.body;
    let change = AreaChange {
        name: patch.name.clone(),
        description: patch.description.clone(),
        total_spots: patch.total_spots,
        is_active: patch.is_active,
    };
    let area = call.app.cloud.parking.change_area(&call.who, id, change).await?;
    Ok(Json(Done::new("停车区域更新成功", area.into())))
}

async fn remove(call: Call<Admin>) -> Answer<Json<Done<AreaView>>> {
    let id = call.id("area_id", "area")?;
    let area = call.app.cloud.parking.remove_area(&call.who, id).await?;
    Ok(Json(Done::new("停车区域删除成功", area.into())))
}
