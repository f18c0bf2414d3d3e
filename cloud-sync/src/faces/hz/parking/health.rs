//! `system/health/`.

use std::time::Instant;

use cloud_core::Caller;
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::utc;
use crate::{
    http::{Answer, Call, Json, Route, get},
    push::{disk_percent, uptime},
};

pub(super) fn routes() -> Vec<Route> {
    vec![get("/hzsystem_parking/system/health/", health).summary("Whether everything works")]
}

#[derive(Debug, Serialize, JsonSchema)]
struct Health {
    /// healthy, or unhealthy while the database is away
    status: &'static str,
    overall_status: &'static str,
    uptime: String,
    database_status: &'static str,
    /// What is shown from memory is kept current.
    cache_status: &'static str,
    disk_usage: f64,
    memory_usage: f64,
    cpu_usage: f64,
    active_sessions: i64,
    /// How long the database took to write, in milliseconds.
    api_response_time: f64,
    last_check: String,
}

async fn health(call: Call<Caller>) -> Answer<Json<Health>> {
    let (cloud, machine) = (&call.app.cloud, call.app.status.borrow().clone());
    let begun = Instant::now();
    let is_healthy = cloud.check().await.is_ok();
    let api_response_time = (begun.elapsed().as_secs_f64() * 100_000.0).round() / 100.0;
    let active_sessions = cloud.parking.active_count().await.unwrap_or(machine.active_sessions);
    let (status, database_status) =
        if is_healthy { ("healthy", "connected") } else { ("unhealthy", "disconnected") };
    Ok(Json(Health {
        status,
        overall_status: status,
        uptime: uptime(cloud.clock().now().monotonic_ms),
        database_status,
        cache_status: "active",
        disk_usage: disk_percent(),
        memory_usage: machine.memory_usage,
        cpu_usage: machine.cpu_usage,
        active_sessions,
        api_response_time,
        last_check: utc(cloud.parking.now_ms()),
    }))
}
