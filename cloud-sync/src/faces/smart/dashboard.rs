//! `/api/dashboard/`: everything at a glance. Users see their own cars and payments in it, and no
//! OCR logs.

use cloud_core::{Caller, PaymentFilter, SpotFilter, StayFilter, Window};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    cameras::LogView, cars::CarView, listing::WHOLE, payments::PaymentView, slots::SlotView,
};
use crate::http::{Answer, Call, Json, Local};

/// Most payments and OCR logs that are shown.
const RECENT: Window = Window { skip: 0, limit: 100 };
const LAST_LOGS: usize = 5;

/// Everything at a glance.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DashboardView {
    /// All slots.
    slots: Vec<SlotView>,
    /// The cars.
    cars: Vec<CarView>,
    /// The latest 100 payments.
    payments: Vec<PaymentView>,
    /// The latest 100 plates that cameras saw.
    ocr_logs: Vec<LogView>,
    /// How many slots there are.
    total_slots: usize,
    /// How many a car stands on.
    occupied_slots: usize,
    /// How many are kept.
    reserved_slots: usize,
    /// How many are free.
    available_slots: usize,
    /// How many cars are inside.
    active_transactions: i64,
    /// How many payments there are.
    total_payments: i64,
    /// What was taken in all, net of refunds, in yuan.
    total_income: f64,
    /// The latest 5 plates that cameras saw.
    last_ocr_logs: Vec<LogView>,
}

pub(super) async fn show(call: Call<Local<Caller>>) -> Answer<Json<DashboardView>> {
    let (caller, cloud) = (&call.who.0, &call.app.cloud);
    let (spots, _) = cloud.parking.spots(caller, SpotFilter::default(), None).await?;
    let (cars, _) = cloud.vehicles.list(caller, WHOLE).await?;
    let paid = PaymentFilter { paid: true, ..PaymentFilter::default() };
    let (payments, total_payments) = cloud.parking.payments(caller, paid, Some(RECENT)).await?;
    let seen = match caller.operator() {
        Ok(_) => cloud.parking.sightings(caller, Some(RECENT)).await?.0,
        Err(_) => Vec::new(),
    };
    let active = StayFilter { active: Some(true), ..StayFilter::default() };
    let one = Some(Window { skip: 0, limit: 1 });
    let (_, active_transactions) = cloud.parking.stays(caller, active, one).await?;
    let figures = cloud.parking.payment_figures(caller).await?;
    let slots: Vec<SlotView> = spots.into_iter().map(SlotView::from).collect();
    let count = |status| slots.iter().filter(|slot| slot.is(status)).count();
    let ocr_logs: Vec<LogView> = seen.into_iter().map(LogView::from).collect();
    Ok(Json(DashboardView {
        total_slots: slots.len(),
        occupied_slots: count("occupied"),
        reserved_slots: count("reserved"),
        available_slots: count("available"),
        active_transactions,
        total_payments,
        total_income: figures.total_fen as f64 / 100.0,
        last_ocr_logs: ocr_logs.iter().take(LAST_LOGS).cloned().collect(),
        slots,
        cars: cars.into_iter().map(CarView::from).collect(),
        payments: payments.into_iter().map(PaymentView::from).collect(),
        ocr_logs,
    }))
}
