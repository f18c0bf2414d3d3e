//! `/hzsystem_websocket/`: cameras whose frames come in over a detection channel, and this program
//! itself.

use cloud_core::Caller;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    http::{Answer, Call, Json, Route, get},
    push::{disk_percent, uptime},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/hzsystem_websocket/camera/status/", camera)
            .summary("Whether a camera sends frames, and which"),
        get("/hzsystem_websocket/system/status/", system).summary("How this program does"),
    ]
}

#[derive(Serialize, JsonSchema)]
struct CameraStatus {
    status: &'static str,
    message: &'static str,
    camera_info: Option<CameraInfo>,
}

#[derive(Serialize, JsonSchema)]
struct CameraInfo {
    width: u32,
    height: u32,
    /// Frames in a second, as they come in.
    fps: f64,
    index: u32,
}

#[derive(Serialize, JsonSchema)]
struct Status {
    status: &'static str,
    message: &'static str,
    system_info: SystemInfo,
}

#[derive(Serialize, JsonSchema)]
struct SystemInfo {
    cpu_usage: f64,
    memory_usage: f64,
    disk_usage: f64,
    uptime: String,
    active_connections: usize,
}

async fn camera(call: Call<Caller>) -> Answer<Json<CameraStatus>> {
    let now_ms = call.app.cloud.clock().now().monotonic_ms;
    let camera = call.app.channels.camera(now_ms).map(|camera| CameraInfo {
        width: camera.width,
        height: camera.height,
        fps: (camera.fps * 10.0).round() / 10.0,
        index: 0,
    });
    let (status, message) = match camera {
        Some(_) => ("available", "摄像头可用"),
        None => ("unavailable", "摄像头不可用"),
    };
    Ok(Json(CameraStatus { status, message, camera_info: camera }))
}

async fn system(call: Call<Caller>) -> Answer<Json<Status>> {
    let app = &call.app;
    let machine = app.status.borrow().clone();
    Ok(Json(Status {
        status: "running",
        message: "系统运行正常",
        system_info: SystemInfo {
            cpu_usage: machine.cpu_usage,
            memory_usage: machine.memory_usage,
            disk_usage: disk_percent(),
            uptime: uptime(app.cloud.clock().now().monotonic_ms),
            active_connections: app.open_connections() + app.channels.open(),
        },
    }))
}
