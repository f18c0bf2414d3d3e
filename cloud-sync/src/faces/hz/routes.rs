//! The family's endpoints.

use cloud_core::{Caller, Window};

use super::{dashboard::DashboardView, params, problem, records::Records};
use crate::http::{Answer, Call, Face, Json, Parameter, get, limit::Class};

const RECORDS: &[Parameter] = &[
    Parameter { name: "page", about: "From 1" },
    Parameter { name: "page_size", about: "1 to 100, 20 by default" },
    Parameter { name: "license_plate", about: "A part of the plate" },
    Parameter { name: "detection_type", about: "What the vehicle did" },
    Parameter { name: "vehicle_type", about: "The type of vehicle" },
    Parameter { name: "spot_id", about: "The spot" },
    Parameter { name: "start_date", about: "The first day, YYYY-MM-DD" },
    Parameter { name: "end_date", about: "The last day, YYYY-MM-DD" },
];

/// The family.
pub(crate) fn face() -> Face {
    Face::new("hz", problem)
        .prefixes(&["/hzsystem_parking", "/hzsystem_yolo", "/hzsystem_websocket"])
        .class(Class::Query)
        .routes([
            get("/hzsystem_parking/dashboard/", dashboard).summary("Occupancy and revenue"),
            get("/hzsystem_parking/detection/records/", records)
                .summary("Vehicles that were seen")
                .query(RECORDS),
        ])
}

async fn dashboard(call: Call<Caller>) -> Answer<Json<DashboardView>> {
    let dashboard = call.app.cloud.parking.dashboard(&call.who).await?;
    Ok(Json(DashboardView::from(dashboard)))
}

async fn records(call: Call<Caller>) -> Answer<Json<Records>> {
    let zone = call.app.cloud.parking.zone();
    let page = params::page(&call.query)?;
    let filter = params::records(&call.query, zone)?;
    let skip = (page.number - 1).saturating_mul(page.size);
    let window = Window { skip, limit: page.size };
    let (reads, total) = call.app.cloud.plates.page(&call.who, filter, window).await?;
    Ok(Json(Records::new(reads, total, page, zone)))
}
