//! Charging as users, staff and the clock do it.

mod bills;
mod piles;
mod races;
mod requests;
mod site;

use chrono::TimeDelta;
use cloud_core::{
    Caller, Error, Result,
    charging::{Notice, RequestStatus, Wish},
};
use domain::charging::Mode;

use crate::world::World;

const HOUR_MS: i64 = 3_600_000;

fn wish(mode: Mode, kwh: i64) -> Wish {
    Wish { mode, requested_wh: kwh * 1000, battery_wh: Some(500_000) }
}

impl World {
    async fn ask(&self, caller: &Caller, mode: Mode, kwh: i64) -> Result<RequestStatus> {
        self.cloud.charging.ask(caller, wish(mode, kwh)).await
    }

    /// So many users, `driver1` and on, who want the same in that order.
    async fn drivers(&self, count: usize, mode: Mode, kwh: i64) -> Vec<Caller> {
        let mut drivers = Vec::new();
        for index in 1..=count {
            let driver = self.visitor(&format!("driver{index}")).await;
            self.ask(&driver, mode, kwh).await.unwrap();
            drivers.push(driver);
        }
        drivers
    }

    fn pass_hours(&self, hours: i64) {
        self.clock.advance(TimeDelta::hours(hours));
    }

    async fn current(&self, caller: &Caller) -> Result<RequestStatus> {
        self.cloud.charging.current(caller).await
    }

    /// What a user was told, the first first: a word, and when in hours after the start.
    async fn told(&self, caller: &Caller) -> Vec<(&'static str, f64)> {
        let mut told = self.cloud.charging.notifications(caller, 100).await.unwrap();
        told.sort_by_key(|notification| notification.id);
        let start_ms = crate::world::start().timestamp_millis();
        let word = |notice: &Notice| match notice {
            Notice::QueueUpdate { .. } => "queue",
            Notice::ChargingStart { .. } => "start",
            Notice::ChargingComplete { .. } => "complete",
            Notice::PileFault { .. } => "fault",
            Notice::PileBlocked { .. } => "blocked",
        };
        told.iter()
            .map(|told| (word(&told.notice), (told.at_ms - start_ms) as f64 / HOUR_MS as f64))
            .collect()
    }
}

/// The word of a refusal.
fn refusal<T: std::fmt::Debug>(outcome: Result<T>) -> &'static str {
    match outcome.unwrap_err() {
        Error::Refused(reason) => reason,
        Error::NotFound(_) => "not_found",
        Error::Invalid { field, .. } => field,
        other => panic!("{other}"),
    }
}
