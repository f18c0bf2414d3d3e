//! `/api/admin/alerts/`.

use chrono_tz::Tz;
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

/// What wants a person's eye.
#[derive(Debug, Serialize, JsonSchema)]
pub(in super::super) struct AlertsView {
    /// How many there are.
    total: usize,
    /// The alerts, the latest first.
    alerts: Vec<AlertView>,
}

/// One alert.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct AlertView {
    /// device_offline, low_battery, order_overdue, cabinet_maintenance, door_jammed,
    /// door_left_open, door_forced or used_after_end.
    r#type: &'static str,
    /// warning or info.
    level: &'static str,
    /// What is wrong, in a word.
    title: &'static str,
    /// What is wrong, in a sentence.
    message: String,
    /// The controller, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    /// The cabinet, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    cabinet_id: Option<String>,
    /// The order, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<i64>,
    /// The order's number for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_no: Option<String>,
    /// Percent, where it is about a battery.
    #[serde(skip_serializing_if = "Option::is_none")]
    battery_level: Option<i64>,
    /// Where.
    station: String,
    /// Since when.
    created_at: String,
}

impl AlertView {
    fn new(alert: Alert, zone: Tz) -> Self {
        let created_at = with_offset(alert.created_at_ms, zone);
        let place =
            Self { station: alert.station, created_at, level: "warning", ..Self::default() };
        let station = &place.station;
        match alert.kind {
            AlertKind::DeviceOffline { device_id } => Self {
                r#type: "device_offline",
                title: "设备离线",
                message: format!("设备 {device_id} ({station}) 已离线"),
                device_id: Some(device_id),
                ..place
            },
            AlertKind::LowBattery { device_id, battery_level } => Self {
                r#type: "low_battery",
                title: "设备电量低",
                message: format!("设备 {device_id} ({station}) 电量仅剩 {battery_level}%"),
                device_id: Some(device_id),
                battery_level: Some(battery_level),
                ..place
            },
            AlertKind::OrderOverdue { order_id, order_no, cabinet_id } => Self {
                r#type: "order_overdue",
                title: "订单逾期",
                message: format!("订单 {order_no}（柜子 {cabinet_id}）超过结束时间未取件"),
                cabinet_id: Some(cabinet_id),
                order_id: Some(order_id),
                order_no: Some(order_no),
                ..place
            },
            AlertKind::DoorTrouble { cabinet_id, trouble } => {
                let (kind, title) = of_door(&trouble);
                Self {
                    r#type: kind,
                    title,
                    message: format!("柜子 {cabinet_id} ({station}) {title}"),
                    cabinet_id: Some(cabinet_id),
                    ..place
                }
            }
            AlertKind::CabinetMaintenance { cabinet_id } => Self {
                r#type: "cabinet_maintenance",
                level: "info",
                title: "柜子维护中",
                message: format!("柜子 {cabinet_id} ({station}) 正在维护"),
                cabinet_id: Some(cabinet_id),
                ..place
            },
        }
    }
}

/// The type and the title of what is wrong with a door.
fn of_door(trouble: &str) -> (&'static str, &'static str) {
    match trouble {
        "left_open" => ("door_left_open", "柜门未关"),
        "forced_open" => ("door_forced", "柜门被强行打开"),
        "used_after_end" => ("used_after_end", "订单结束后柜门被打开"),
        _ => ("door_jammed", "柜门无法打开"),
    }
}

pub(in super::super) async fn alerts(call: Call<Admin>) -> Answer<Json<Data<AlertsView>>> {
    let lockers = &call.app.cloud.lockers;
    let alerts = lockers.alerts(&call.who).await?;
    let views = alerts.into_iter().map(|alert| AlertView::new(alert, lockers.zone()));
    let alerts: Vec<_> = views.collect();
    Ok(found(AlertsView { total: alerts.len(), alerts }))
}
