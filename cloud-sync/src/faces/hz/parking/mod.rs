//! `/hzsystem_parking/` but for its detections: areas, spots, fees, orders, logs and alerts.

mod alerts;
mod areas;
mod assign;
mod fees;
mod health;
mod input;
mod layout;
mod logs;
mod orders;
mod process;
mod qr;
mod spots;
mod wire;

pub(super) use self::wire::refusal;
use crate::http::Route;

/// The routes.
pub(super) fn routes() -> impl Iterator<Item = Route> {
    let groups = [
        areas::routes(),
        spots::routes(),
        assign::routes(),
        layout::routes(),
        fees::routes(),
        orders::routes(),
        process::routes(),
        logs::routes(),
        alerts::routes(),
        health::routes(),
    ];
    groups.into_iter().flatten()
}
