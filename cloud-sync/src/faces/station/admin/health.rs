//! `/api/admin/health/`.

use cloud_core::{
    Admin,
    lockers::{Alert, AlertKind},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::{
    envelope::{Data, found},
    time::with_offset,
};
use crate::http::{Answer, Call, Json};

/// How the service is.
#[derive(Debug, Serialize, JsonSchema)]
pub(in super::super) struct HealthView {
    /// healthy, or degraded where a controller that is in use is offline.
    status: &'static str,
    /// ok: it can be read and written.
    database: &'static str,
    /// Controllers that were heard of within ten minutes.
    devices_online: i64,
    /// The others.
    devices_offline: i64,
    /// The time here.
    timestamp: String,
}

/// Where the database is away, this is a 503 like everything else.
pub(in super::super) async fn health(call: Call<Admin>) -> Answer<Json<Data<HealthView>>> {
    let cloud = &call.app.cloud;
    cloud.check().await?;
    let devices = cloud.lockers.device_counts(&call.who).await?;
    let alerts = cloud.lockers.alerts(&call.who).await?;
    let is_away = |alert: &Alert| matches!(alert.kind, AlertKind::DeviceOffline { .. });
    let now_ms = cloud.clock().now().wall.timestamp_millis();
    Ok(found(HealthView {
        status: if alerts.iter().any(is_away) { "degraded" } else { "healthy" },
        database: "ok",
        devices_online: devices.online,
        devices_offline: devices.offline,
        timestamp: with_offset(now_ms, cloud.lockers.zone()),
    }))
}
