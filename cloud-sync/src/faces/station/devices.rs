//! `/api/devices/…`: what controllers say and fetch, and what is kept of it.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use cloud_core::{
    Admin, Device,
    lockers::{DeviceLog, DoorReport, OpenCommand},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    envelope::{Data, Done, done, found, said},
    input,
    time::{utc, with_offset},
};
use crate::http::{Answer, Call, Json};

/// Lines of a log where no page is asked for.
const LOG_LINES: u32 = 100;

/// A heartbeat.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct HeartbeatBody {
    /// Percent.
    battery_level: Option<i64>,
}

/// A report of doors and battery.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct StatusBody {
    /// For each cabinet whether its door is closed.
    #[serde(default)]
    cabinet_status: BTreeMap<String, bool>,
    /// Percent.
    battery_level: Option<i64>,
}

/// A command that was carried out.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct AckBody {
    /// Its number.
    command_id: String,
}

/// A controller that was heard.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct HeartbeatView {
    /// Its name.
    device_id: String,
    /// online.
    status: &'static str,
}

/// What a controller is to do.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CommandView {
    /// open_cabinet or none.
    command: &'static str,
    /// The command's own number; open once for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    command_id: Option<String>,
    /// The name on the door.
    #[serde(skip_serializing_if = "Option::is_none")]
    cabinet_id: Option<String>,
    /// When the command was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    /// When the command is void.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// A line of a controller's log.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LogView {
    /// Its number.
    id: i64,
    /// The controller.
    device_id: String,
    /// status, heartbeat, command or warning.
    log_type: String,
    /// What happened, for people.
    message: String,
    /// What came with it.
    data: Option<Value>,
    /// When.
    created_at: String,
}

impl LogView {
    fn new(line: DeviceLog, zone: Tz) -> Self {
        Self {
            id: line.id,
            device_id: line.device_id,
            log_type: line.log_type,
            message: line.message,
            data: line.data,
            created_at: with_offset(line.created_at_ms, zone),
        }
    }
}

impl From<OpenCommand> for CommandView {
    fn from(command: OpenCommand) -> Self {
        Self {
            command: "open_cabinet",
            command_id: Some(command.command_id),
            cabinet_id: Some(command.cabinet_id),
            timestamp: Some(utc(command.created_at_ms)),
            expires_at: Some(utc(command.expires_at_ms)),
        }
    }
}

const NOTHING_TO_DO: CommandView = CommandView {
    command: "none",
    command_id: None,
    cabinet_id: None,
    timestamp: None,
    expires_at: None,
};

pub(super) async fn heartbeat(
    call: Call<Device, Json<HeartbeatBody>>,
) -> Answer<Json<Data<HeartbeatView>>> {
    call.app.cloud.lockers.heartbeat(&call.who, call.body.0.battery_level).await?;
    let device_id = call.who.id().to_string();
    Ok(said("心跳接收成功", HeartbeatView { device_id, status: "online" }))
}

pub(super) async fn status(call: Call<Device, Json<StatusBody>>) -> Answer<Json<Done>> {
    let body = &call.body.0;
    let door = |(cabinet_id, is_closed): (&String, &bool)| DoorReport {
        cabinet_id: cabinet_id.clone(),
        is_closed: *is_closed,
    };
    let doors = body.cabinet_status.iter().map(door).collect();
    call.app.cloud.lockers.report(&call.who, doors, body.battery_level).await?;
    Ok(done("状态更新成功"))
}

pub(super) async fn poll(call: Call<Device>) -> Answer<Json<Data<CommandView>>> {
    let command = call.app.cloud.lockers.next_command(&call.who, call.path("device_id")).await?;
    Ok(match command {
        Some(command) => said("有待执行指令", command.into()),
        None => said("无待执行指令", NOTHING_TO_DO),
    })
}

pub(super) async fn acknowledge(call: Call<Device, Json<AckBody>>) -> Answer<Json<Done>> {
    let (device, command) = (call.path("device_id"), &call.body.0.command_id);
    call.app.cloud.lockers.acknowledge(&call.who, device, command).await?;
    Ok(done("指令确认成功"))
}

pub(super) async fn logs(call: Call<Admin>) -> Answer<Json<Data<Vec<LogView>>>> {
    let lockers = &call.app.cloud.lockers;
    let (page, size) = input::page(&call.query, LOG_LINES)?;
    let (device, skip) = (call.path("device_id"), (page - 1).saturating_mul(size));
    let lines = lockers.device_logs(&call.who, device, skip, size).await?;
    let views = lines.into_iter().map(|line| LogView::new(line, lockers.zone()));
    Ok(found(views.collect()))
}
