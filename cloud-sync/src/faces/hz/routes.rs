//! The family's endpoints.

use cloud_core::Caller;

use super::{dashboard::DashboardView, detections, parking, problem, status, yolo};
use crate::http::{Answer, Call, Face, Json, get, limit::Class};

/// The family.
pub(crate) fn face() -> Face {
    Face::new("hz", problem)
        .prefixes(&["/hzsystem_parking", "/hzsystem_yolo", "/hzsystem_websocket"])
        .class(Class::Query)
        .routes([get("/hzsystem_parking/dashboard/", dashboard).summary("Occupancy and revenue")])
        .routes(detections::routes())
        .routes(parking::routes())
        .routes(yolo::routes())
        .routes(status::routes())
}

async fn dashboard(call: Call<Caller>) -> Answer<Json<DashboardView>> {
    let dashboard = call.app.cloud.parking.dashboard(&call.who).await?;
    Ok(Json(DashboardView::from(dashboard)))
}
