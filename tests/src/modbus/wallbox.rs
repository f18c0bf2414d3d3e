//! What stands behind the registers: a contactor, a car, a meter, and a watchdog.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Phase voltage of three phases.
const VOLTS: f64 = 230.0;
const PHASES: f64 = 3.0;

/// What can be wrong, by switch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// It answers nothing.
    pub silent: bool,
    /// It says that it is broken, and lets nothing through.
    pub broken: bool,
    /// It answers only after 700 ms, when nobody waits any more.
    pub late: bool,
    /// Noise comes before each answer.
    pub noisy: bool,
}

/// A charging station with a car. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Wallbox(Arc<Mutex<State>>);

/// How it is.
#[derive(Debug)]
pub struct State {
    /// What is wrong with it.
    pub faults: Faults,
    /// Whether a car is plugged in.
    pub plugged: bool,
    /// What the car takes at most, in amperes; 0 for a full one.
    pub car_a: f64,
    /// What it was told as the most that a car may take, in amperes.
    pub limit_a: f64,
    /// Whether it was told to let a car take something; for makers without a switch always.
    pub is_enabled: bool,
    /// Seconds without any message after which it falls back; 0 for never.
    pub watchdog_s: f64,
    /// What it falls back to, in amperes.
    pub fallback_a: f64,
    /// What was written elsewhere.
    pub setup: u16,
    /// Its meter, in watt-hours.
    pub energy_wh: f64,
    /// What it has delivered in all, whatever became of its meter.
    pub delivered_wh: f64,
    /// Messages to it.
    pub messages: u64,
    heard: Instant,
    counted: Instant,
}

impl Wallbox {
    /// One without a car.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(State {
            faults: Faults::default(),
            plugged: false,
            car_a: 32.0,
            limit_a: 0.0,
            is_enabled: true,
            watchdog_s: 15.0,
            fallback_a: 0.0,
            setup: 0,
            energy_wh: 1_234_567.0,
            delivered_wh: 0.0,
            messages: 0,
            heard: now,
            counted: now,
        })))
    }

    /// It as it is now.
    pub fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.count();
        state
    }

    /// A car is plugged in that takes up to so many amperes.
    pub fn plug(&self, car_a: f64) {
        let mut state = self.state();
        (state.plugged, state.car_a) = (true, car_a);
    }

    /// The car is unplugged.
    pub fn unplug(&self) {
        self.state().plugged = false;
    }

    /// What flows through each phase now, in amperes.
    pub fn flows_a(&self) -> f64 {
        self.state().flows_a()
    }

    /// What it has delivered in all, in whole watt-hours.
    pub fn delivered_wh(&self) -> i64 {
        self.state().delivered_wh as i64
    }

    /// It loses its power for a moment: what it was told is gone. Its meter goes on.
    pub fn reboot(&self) {
        let mut state = self.state();
        (state.limit_a, state.watchdog_s, state.fallback_a, state.setup) = (0.0, 15.0, 0.0, 0);
    }
}

impl State {
    /// What is in force: what it was told, or what it falls back to.
    pub fn in_force_a(&self) -> f64 {
        let is_alone =
            self.watchdog_s > 0.0 && self.heard.elapsed().as_secs_f64() > self.watchdog_s;
        let told_a = if self.is_enabled { self.limit_a } else { 0.0 };
        if is_alone { told_a.min(self.fallback_a) } else { told_a }
    }

    /// What flows through each phase.
    pub fn flows_a(&self) -> f64 {
        let can = self.plugged && !self.faults.broken && self.in_force_a() >= 6.0;
        if can { self.in_force_a().min(self.car_a) } else { 0.0 }
    }

    /// A message came.
    pub(super) fn hears(&mut self) {
        self.messages += 1;
        self.heard = Instant::now();
    }

    fn count(&mut self) {
        let now = Instant::now();
        let hours = (now - self.counted).as_secs_f64() / 3_600.0;
        let more_wh = self.flows_a() * VOLTS * PHASES * hours;
        (self.energy_wh, self.delivered_wh) =
            (self.energy_wh + more_wh, self.delivered_wh + more_wh);
        self.counted = now;
    }
}
