//! What one was told.

use chrono_tz::Tz;
use cloud_core::{
    Caller,
    charging::{Notice, Notification},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::{Data, moment, thousands};
use crate::http::{Answer, Call, Json};

/// A notification.
#[derive(Serialize, JsonSchema)]
pub(super) struct NotificationView {
    id: i64,
    /// `queue_update`, `charging_start`, `charging_complete` or `pile_fault`.
    #[serde(rename = "type")]
    kind: &'static str,
    message: String,
    timestamp: String,
    read: bool,
}

/// What was marked.
#[derive(Serialize, JsonSchema)]
pub(super) struct Marked {
    id: i64,
    read: bool,
}

impl NotificationView {
    fn new(notification: &Notification, zone: Tz) -> Self {
        let (kind, message) = words(&notification.notice);
        Self {
            id: notification.id,
            kind,
            message,
            timestamp: moment(zone, notification.at_ms),
            read: notification.is_read,
        }
    }
}

fn words(notice: &Notice) -> (&'static str, String) {
    match notice {
        Notice::QueueUpdate { queue_number, position: 0, pile: Some(pile) } => {
            ("queue_update", format!("轮到排队号 {queue_number}，请到充电桩 {pile} 插上充电枪"))
        }
        Notice::QueueUpdate { queue_number, position, pile } => {
            let place =
                pile.as_ref().map_or("等候区".to_owned(), |pile| format!("充电桩 {pile}"));
            let words =
                format!("您的排队号 {queue_number} 当前排在第 {position} 位，请在{place}等候");
            ("queue_update", words)
        }
        Notice::ChargingStart { queue_number, pile } => {
            ("charging_start", format!("排队号 {queue_number} 已在充电桩 {pile} 开始充电"))
        }
        Notice::ChargingComplete { queue_number, pile, energy_wh, total } => {
            let kwh = thousands(*energy_wh);
            let words = format!(
                "排队号 {queue_number} 在充电桩 {pile} 充电结束，共 {kwh} 度，费用 {total} 元"
            );
            ("charging_complete", words)
        }
        Notice::PileBlocked { queue_number, pile } => {
            let words = format!(
                "充电桩 {pile} 仍被前一辆车占用，请排队号 {queue_number} 稍候，该车离开后即可开始充电"
            );
            ("pile_fault", words)
        }
        Notice::PileFault { queue_number, pile, delivered } => {
            let billed = delivered.map_or(String::new(), |(energy_wh, total)| {
                format!("已充 {} 度，费用 {total} 元，", thousands(energy_wh))
            });
            let words =
                format!("充电桩 {pile} 停止服务，{billed}排队号 {queue_number} 将优先重新安排");
            ("pile_fault", words)
        }
    }
}

pub(super) async fn list(call: Call<Caller>) -> Answer<Json<Data<Vec<NotificationView>>>> {
    let limit = call.query.clamped("limit", 100, 1..=100)?;
    let charging = &call.app.cloud.charging;
    let told = charging.notifications(&call.who, limit).await?;
    let views = told.iter().map(|one| NotificationView::new(one, charging.zone()));
    Ok(Json(Data::of(views.collect())))
}

pub(super) async fn read(call: Call<Caller>) -> Answer<Json<Data<Marked>>> {
    let id = call.id("notification_id", "notification")?;
    call.app.cloud.charging.mark_read(&call.who, id).await?;
    Ok(Json(Data::done("通知已标记为已读", Marked { id, read: true })))
}
