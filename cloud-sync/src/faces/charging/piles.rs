//! The queues and the piles, as everybody may see them, and piles taken out of service.

use cloud_core::{
    Admin, Error,
    charging::{Car, PileView as Pile, Waiting},
};
use domain::charging::{Mode, PileId, PileStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wire::{Data, ModeWord, minutes, thousands, yuan};
use crate::http::{Answer, Anyone, Call, Json};

/// Both queues and the waiting area.
#[derive(Serialize, JsonSchema)]
pub(super) struct QueuesView {
    fast_charging: QueueView,
    slow_charging: QueueView,
    waiting_area_capacity: Capacity,
}

/// Everybody of one mode who does not charge yet, in order.
#[derive(Serialize, JsonSchema)]
struct QueueView {
    waiting_count: usize,
    queue_list: Vec<WaitingView>,
}

/// Somebody who waits.
#[derive(Serialize, JsonSchema)]
struct WaitingView {
    queue_number: String,
    /// Minutes.
    estimated_wait_time: f64,
}

/// How full the waiting area is.
#[derive(Serialize, JsonSchema)]
struct Capacity {
    current: usize,
    max: u32,
}

/// All piles.
#[derive(Serialize, JsonSchema)]
pub(super) struct PilesView {
    fast_piles: Vec<PileView>,
    slow_piles: Vec<PileView>,
}

/// A pile.
#[derive(Serialize, JsonSchema)]
pub(super) struct PileView {
    pile_id: String,
    pile_type: ModeWord,
    /// `normal`, `fault` or `offline`.
    status: &'static str,
    is_working: bool,
    /// Who charges; masked except for that user and staff.
    current_user: Option<String>,
    current_queue_number: Option<String>,
    /// kWh delivered to who charges.
    current_amount: Option<f64>,
    /// Who waits here, in order.
    queue: Vec<CarView>,
    /// kW.
    charging_power: f64,
    total_sessions: i64,
    /// Yuan; for staff alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_revenue: Option<f64>,
}

/// A car that waits at a pile.
#[derive(Serialize, JsonSchema)]
struct CarView {
    queue_number: String,
    /// Masked except for that user and staff.
    user: String,
    /// kWh.
    requested_amount: f64,
    /// Minutes.
    estimated_wait_time: f64,
}

/// What becomes of a pile.
#[derive(Deserialize, JsonSchema)]
pub(super) struct PileChange {
    status: StatusWord,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum StatusWord {
    Normal,
    Fault,
    /// Out of reach, or kept from use: `maintenance` is the same.
    #[serde(alias = "maintenance")]
    Offline,
}

impl QueueView {
    fn new(waiting: Vec<Waiting>) -> Self {
        let view = |waiting: Waiting| WaitingView {
            queue_number: waiting.queue_number,
            estimated_wait_time: minutes(waiting.wait_ms),
        };
        Self { waiting_count: waiting.len(), queue_list: waiting.into_iter().map(view).collect() }
    }
}

impl From<Pile> for PileView {
    fn from(pile: Pile) -> Self {
        let current = pile.charging;
        Self {
            pile_id: pile.id.to_string(),
            pile_type: pile.id.mode.into(),
            status: pile.status.as_str(),
            is_working: current.is_some(),
            current_queue_number: current.as_ref().map(|car| car.queue_number.clone()),
            current_amount: current.as_ref().map(|car| thousands(car.delivered_wh)),
            current_user: current.map(|car| car.user),
            queue: pile.queue.into_iter().map(CarView::from).collect(),
            charging_power: thousands(pile.power_w),
            total_sessions: pile.total_sessions,
            total_revenue: pile.total_revenue.map(yuan),
        }
    }
}

impl From<Car> for CarView {
    fn from(car: Car) -> Self {
        Self {
            queue_number: car.queue_number,
            user: car.user,
            requested_amount: thousands(car.requested_wh),
            estimated_wait_time: minutes(car.wait_ms),
        }
    }
}

pub(super) async fn queues(call: Call<Anyone>) -> Answer<Json<Data<QueuesView>>> {
    let queues = call.app.cloud.charging.queues().await?;
    Ok(Json(Data::of(QueuesView {
        fast_charging: QueueView::new(queues.fast),
        slow_charging: QueueView::new(queues.slow),
        waiting_area_capacity: Capacity {
            current: queues.in_waiting_area,
            max: queues.waiting_places,
        },
    })))
}

pub(super) async fn piles(call: Call<Anyone>) -> Answer<Json<Data<PilesView>>> {
    let piles = call.app.cloud.charging.piles(call.who.0.as_ref()).await?;
    let (fast, slow): (Vec<_>, Vec<_>) =
        piles.into_iter().partition(|pile| pile.id.mode == Mode::Fast);
    let views = |piles: Vec<Pile>| piles.into_iter().map(PileView::from).collect();
    Ok(Json(Data::of(PilesView { fast_piles: views(fast), slow_piles: views(slow) })))
}

pub(super) async fn set(call: Call<Admin, Json<PileChange>>) -> Answer<Json<Data<PileView>>> {
    let status = match call.body.0.status {
        StatusWord::Normal => PileStatus::Normal,
        StatusWord::Fault => PileStatus::Fault,
        StatusWord::Offline => PileStatus::Offline,
    };
    let id: PileId = call.path("pile_id").parse().map_err(|_| Error::NotFound("pile"))?;
    let pile = call.app.cloud.charging.set_pile(&call.who, id, status).await?;
    Ok(Json(Data::done("充电桩状态已更新", pile.into())))
}
