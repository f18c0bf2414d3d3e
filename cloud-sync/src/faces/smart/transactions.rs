//! `/api/parking/transactions/`: stays, from entering to leaving.

use cloud_core::{Caller, Entry, Operator, Stay, StayFilter, Vehicle};
use domain::money::Fen;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    cars::CarView,
    listing::{Listing, Wanted},
    slots::SlotView,
    time::utc,
};
use crate::http::{Answer, Call, Created, Json, Local};

const PATH: &str = "/api/parking/transactions/";
const HOUR_MS: i64 = 3_600_000;

/// A transaction.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TransactionView {
    /// Its number.
    id: i64,
    /// The car; none where it was let in unread.
    car: Option<CarView>,
    /// Where it stands or stood; none where that is not known.
    slot: Option<SlotView>,
    /// When it entered.
    entry_time: String,
    /// When it left.
    exit_time: Option<String>,
    /// What that cost, in yuan; none while it is inside.
    fee: Option<String>,
    /// active or completed.
    status: &'static str,
}

impl From<Stay> for TransactionView {
    fn from(stay: Stay) -> Self {
        // The plate that it parked with, whatever it has now.
        let plate = stay.plate.clone();
        let as_parked = |vehicle| CarView::from(Vehicle { plate, ..vehicle });
        Self {
            id: stay.id,
            status: if stay.is_active() { "active" } else { "completed" },
            car: stay.vehicle.map(as_parked),
            slot: stay.spot.map(SlotView::from),
            entry_time: utc(stay.entered_at_ms),
            exit_time: stay.exited_at_ms.map(utc),
            fee: stay.fee_fen.map(|fee| Fen(fee).to_string()),
        }
    }
}

/// A car that drives in.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct EnterBody {
    /// The number of the car.
    car: i64,
    /// The number of the slot.
    slot: i64,
}

/// A car that drives out.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ExitBody {
    /// The number of the transaction.
    id: i64,
}

/// A car that has left.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ExitView {
    /// That it has.
    message: &'static str,
    /// The number of the transaction.
    id: i64,
    /// When it entered.
    entry_time: String,
    /// When it left.
    exit_time: String,
    /// How many hours were begun, at least 1.
    hours: i64,
    /// What that cost, in yuan.
    fee: String,
    /// What is painted on the slot that is free now.
    slot: Option<String>,
}

impl From<Stay> for ExitView {
    fn from(stay: Stay) -> Self {
        let exited_at_ms = stay.exited_at_ms.unwrap_or(stay.entered_at_ms);
        let hours = (exited_at_ms - stay.entered_at_ms + HOUR_MS - 1) / HOUR_MS;
        Self {
            message: "Car exited successfully.",
            id: stay.id,
            entry_time: utc(stay.entered_at_ms),
            exit_time: utc(exited_at_ms),
            hours: hours.max(1),
            fee: Fen(stay.fee_fen.unwrap_or_default()).to_string(),
            slot: stay.spot.map(|spot| spot.number),
        }
    }
}

pub(super) async fn list(call: Call<Local<Caller>>) -> Answer<Json<Listing<TransactionView>>> {
    let wanted = Wanted::of(&call.query)?;
    let parking = &call.app.cloud.parking;
    let stays = parking.stays(&call.who.0, StayFilter::default(), wanted.window()).await?;
    Ok(wanted.answer(PATH, stays))
}

pub(super) async fn one(call: Call<Local<Caller>>) -> Answer<Json<TransactionView>> {
    let id = call.id("id", "session")?;
    Ok(Json(call.app.cloud.parking.stay(&call.who.0, id).await?.into()))
}

pub(super) async fn enter(
    call: Call<Local<Operator>, Json<EnterBody>>,
) -> Answer<Created<TransactionView>> {
    let entry = Entry { vehicle: call.body.0.car, spot: call.body.0.slot };
    Ok(Created(call.app.cloud.parking.enter(&call.who.0, entry).await?.into()))
}

pub(super) async fn exit(call: Call<Local<Operator>, Json<ExitBody>>) -> Answer<Json<ExitView>> {
    Ok(Json(call.app.cloud.parking.exit(&call.who.0, call.body.0.id).await?.into()))
}
