//! A user's request: ask, look, change, call off, end.

use std::time::Duration;

use chrono_tz::Tz;
use cloud_core::{
    Caller, Error,
    charging::{RequestStatus, Wish, WishChange},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    bills::payment_status,
    number::Thousandths,
    wire::{Data, ModeWord, hours, minutes, moment, thousands, yuan},
};
use crate::http::{Answer, Call, Created, Json, Problem};

/// How long a site is waited for that is asked to end charging.
const SITE_WITHIN: Duration = Duration::from_secs(8);

/// What is asked for.
#[derive(Deserialize, JsonSchema)]
pub(super) struct NewRequest {
    charging_mode: ModeWord,
    /// kWh, more than 0 and at most what the battery holds.
    requested_amount: Thousandths,
    /// What the battery holds, in kWh.
    battery_capacity: Option<Thousandths>,
}

/// What is to be different.
#[derive(Deserialize, JsonSchema)]
pub(super) struct RequestChange {
    charging_mode: Option<ModeWord>,
    /// kWh, more than 0 and at most what the battery holds.
    requested_amount: Option<Thousandths>,
}

/// Which charging is to end.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Completion {
    /// The caller's only one where it is left out.
    request_id: Option<String>,
}

/// A request.
#[derive(Serialize, JsonSchema)]
pub(super) struct RequestView {
    id: String,
    request_id: String,
    /// `F<n>` or `T<n>` (slow), counted per day and mode.
    queue_number: String,
    charging_mode: ModeWord,
    /// kWh.
    requested_amount: f64,
    /// kWh.
    battery_capacity: Option<f64>,
    /// `waiting` or `charging`.
    current_status: &'static str,
    /// From 1 among those who wait; 0 while charging.
    queue_position: usize,
    ahead_count: usize,
    /// Minutes.
    estimated_wait_time: f64,
    charging_pile_id: Option<String>,
    charging_pile: Option<String>,
    start_time: Option<String>,
    /// kWh delivered so far.
    current_amount: f64,
    created_at: String,
}

/// What was called off.
#[derive(Serialize, JsonSchema)]
pub(super) struct Cancelled {
    id: String,
    request_id: String,
    queue_number: String,
    current_status: &'static str,
}

/// What a user is told at the end.
#[derive(Serialize, JsonSchema)]
pub(super) struct Ended {
    bill_id: String,
    /// kWh.
    total_amount: f64,
    /// Yuan.
    total_cost: f64,
    /// `paid`, or `unpaid` where the balance had not enough.
    payment_status: &'static str,
    /// Hours.
    charging_duration: f64,
}

impl RequestView {
    fn new(status: &RequestStatus, zone: Tz) -> Self {
        let request = &status.request;
        let pile = status.pile.map(|pile| pile.to_string());
        Self {
            id: request.id.to_string(),
            request_id: request.id.to_string(),
            queue_number: request.queue_number(),
            charging_mode: request.mode.into(),
            requested_amount: thousands(request.requested_wh),
            battery_capacity: request.battery_wh.map(thousands),
            current_status: if status.started_at_ms.is_some() { "charging" } else { "waiting" },
            queue_position: status.position,
            ahead_count: status.position.saturating_sub(1),
            estimated_wait_time: minutes(status.wait_ms),
            charging_pile_id: pile.clone(),
            charging_pile: pile,
            start_time: status.started_at_ms.map(|at_ms| moment(zone, at_ms)),
            current_amount: thousands(status.delivered_wh),
            created_at: moment(zone, request.created_at_ms),
        }
    }
}

pub(super) async fn ask(
    call: Call<Caller, Json<NewRequest>>,
) -> Answer<Created<Data<RequestView>>> {
    let (charging, body) = (&call.app.cloud.charging, &call.body.0);
    let wish = Wish {
        mode: body.charging_mode.into(),
        requested_wh: body.requested_amount.0,
        battery_wh: body.battery_capacity.map(|capacity| capacity.0),
    };
    let status = charging.ask(&call.who, wish).await?;
    let view = RequestView::new(&status, charging.zone());
    Ok(Created(Data::done("充电请求提交成功", view)))
}

pub(super) async fn status(call: Call<Caller>) -> Answer<Json<Data<RequestView>>> {
    let charging = &call.app.cloud.charging;
    let status = charging.current(&call.who).await?;
    Ok(Json(Data::of(RequestView::new(&status, charging.zone()))))
}

pub(super) async fn change(
    call: Call<Caller, Json<RequestChange>>,
) -> Answer<Json<Data<RequestView>>> {
    let (charging, body) = (&call.app.cloud.charging, &call.body.0);
    if body.charging_mode.is_none() && body.requested_amount.is_none() {
        let field = "requested_amount".to_owned();
        let problem = "give charging_mode, requested_amount or both".to_owned();
        return Err(Problem::Field { field, problem });
    }
    let change = WishChange {
        mode: body.charging_mode.map(Into::into),
        requested_wh: body.requested_amount.map(|amount| amount.0),
    };
    let status = charging.change(&call.who, id(call.path("request_id"))?, change).await?;
    Ok(Json(Data::done("充电请求修改成功", RequestView::new(&status, charging.zone()))))
}

pub(super) async fn cancel(call: Call<Caller>) -> Answer<Json<Data<Cancelled>>> {
    let id = id(call.path("request_id"))?;
    let queue_number = call.app.cloud.charging.cancel(&call.who, id).await?;
    let (id, request_id) = (id.to_string(), id.to_string());
    let cancelled = Cancelled { id, request_id, queue_number, current_status: "cancelled" };
    Ok(Json(Data::done("充电请求已取消", cancelled)))
}

pub(super) async fn complete(call: Call<Caller, Json<Completion>>) -> Answer<Json<Data<Ended>>> {
    let id = call.body.0.request_id.as_deref().map(id).transpose()?;
    let end = tokio::time::sleep(SITE_WITHIN);
    let bill = call.app.cloud.charging.complete(&call.who, id, end).await?;
    let ended = Ended {
        total_amount: thousands(bill.energy_wh),
        total_cost: yuan(bill.costs.total()),
        charging_duration: hours(bill.ended_at_ms - bill.started_at_ms),
        payment_status: payment_status(&bill),
        bill_id: bill.id,
    };
    Ok(Json(Data::done("充电已结束", ended)))
}

/// What is no UUID is the id of nothing.
fn id(text: &str) -> Result<Uuid, Error> {
    text.parse().map_err(|_| Error::NotFound("request"))
}
