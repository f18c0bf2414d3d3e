//! A site in time: chargers that do what they are told when it arrives and fall back by themselves,
//! cars, and a journal that survives.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    charging::{ChargeEnded, EndCause},
    clock::{ClockQuality, Stamp},
    event::Fact,
    ids::{ChargingId, DeviceId},
};
use uuid::Uuid;

use crate::charger::{
    Assignment, ChargerConfig, Chargers, Commit, Config, Input, Meter, OpenCharge, Plug, Status,
    Target,
};

/// What a step of time is.
pub(super) const STEP_MS: u64 = 500;
/// Chargers tell how they are so often.
const TELL_MS: u64 = 1_000;
/// What is told is void after so long.
const VOID_AFTER_MS: u64 = 3_000;

/// A charger as it really is.
#[derive(Debug, Clone)]
pub(super) struct Hardware {
    pub plugged: bool,
    /// What the car takes at most; 0 for a full one.
    pub car_ma: u32,
    pub limit_ma: u32,
    fallback_ma: u32,
    lease_until_ms: u64,
    pub register_mwh: u64,
    pub delivered_mwh: u64,
    pub fault: Option<String>,
    pub reachable: bool,
    reported_online: bool,
    cut_since_ms: u64,
}

impl Hardware {
    const fn new() -> Self {
        Self {
            plugged: false,
            car_ma: 32_000,
            limit_ma: 0,
            fallback_ma: 0,
            lease_until_ms: 0,
            register_mwh: 5_000_000_000,
            delivered_mwh: 0,
            fault: None,
            reachable: true,
            reported_online: false,
            cut_since_ms: 0,
        }
    }

    fn flows_ma(&self) -> u32 {
        let takes = self.plugged && self.fault.is_none() && self.limit_ma >= 6_000;
        if takes { self.car_ma.min(self.limit_ma) } else { 0 }
    }

    fn status(&self) -> Status {
        let plug = match (self.plugged, self.flows_ma()) {
            (false, _) => Plug::Free,
            (true, 0) => Plug::Plugged,
            (true, _) => Plug::Charging,
        };
        let energy_wh = Some(self.register_mwh / 1_000);
        let meter = Meter { energy_wh, current_ma: Some(self.flows_ma()) };
        Status { plug, limit_ma: self.limit_ma, fault: self.fault.clone(), meter }
    }

    /// Loses what it was told, as a restart does; its register stays.
    pub fn reboot(&mut self) {
        (self.limit_ma, self.fallback_ma, self.lease_until_ms) = (0, 0, 0);
    }
}

/// A site.
pub(super) struct Site {
    config: Config,
    /// None while the program is down.
    edge: Option<Chargers>,
    pub hardware: Vec<Hardware>,
    pub journal: Vec<(Fact, Stamp)>,
    in_flight: Vec<(u64, u64, usize, Target)>,
    pub latency_ms: u64,
    pub now_ms: u64,
    /// How far the wall clock is from the true time.
    pub wall_off: TimeDelta,
    pub quality: ClockQuality,
    /// When the machine was started last.
    pub machine_ms: u64,
    next: u128,
    pub worst_ma: u64,
}

/// The true time at the beginning.
pub(super) fn noon() -> DateTime<Utc> {
    "2026-11-20T04:00:00Z".parse().unwrap()
}

fn device(place: usize) -> DeviceId {
    format!("charger-{place}").parse().unwrap()
}

impl Site {
    /// A site with so many chargers of 32 A each behind a connection of `limit_a`.
    pub fn new(count: usize, limit_a: u32) -> Self {
        let charging = format!("limit_a = {limit_a}\njournal_every_s = 300");
        let charger = |place: usize| ChargerConfig {
            device: device(place),
            pile: format!("FAST-{:03}", place + 1).parse().unwrap(),
            max_a: 32,
            fallback_a: 0,
            meter: None,
        };
        let config = Config {
            charging: Some(toml::from_str(&charging).unwrap()),
            chargers: (0..count).map(charger).collect(),
        };
        Self::of(config)
    }

    pub fn of(config: Config) -> Self {
        let mut site = Self {
            hardware: vec![Hardware::new(); config.chargers.len()],
            config,
            edge: None,
            journal: Vec::new(),
            in_flight: Vec::new(),
            latency_ms: 0,
            now_ms: 1_000_000,
            wall_off: TimeDelta::zero(),
            quality: ClockQuality::Synchronised,
            machine_ms: 0,
            next: 1,
            worst_ma: 0,
        };
        site.start();
        site
    }

    pub fn truth(&self) -> DateTime<Utc> {
        noon() + TimeDelta::milliseconds(self.now_ms as i64 - 1_000_000)
    }

    pub fn stamp(&self) -> Stamp {
        let wall = self.truth() + self.wall_off;
        Stamp { wall, monotonic_ms: self.now_ms - self.machine_ms, quality: self.quality }
    }

    pub fn is_up(&self) -> bool {
        self.edge.is_some()
    }

    /// The program ends without warning.
    pub fn kill(&mut self) {
        self.edge = None;
        self.hardware.iter_mut().for_each(|hardware| hardware.reported_online = false);
    }

    /// The program starts from the journal.
    pub fn start(&mut self) {
        let open = open(&self.journal);
        let left_over = left_over(&self.journal);
        let now = self.stamp();
        let started = Chargers::recovered(self.config.clone(), open, &left_over, now);
        let (edge, commit) = started.unwrap();
        self.edge = Some(edge);
        self.carry_out(commit);
    }

    /// The cloud assigns a car; none where it is refused.
    pub fn assign(&mut self, place: usize, energy_wh: i64) -> Option<ChargingId> {
        self.assign_with(place, energy_wh, None, &[])
    }

    pub fn assign_with(
        &mut self,
        place: usize,
        energy_wh: i64,
        battery_wh: Option<i64>,
        borders: &[i64],
    ) -> Option<ChargingId> {
        let session = ChargingId(Uuid::from_u128(self.next));
        let assignment = Assignment {
            session,
            pile: self.config.chargers[place].pile,
            energy_wh,
            battery_wh,
            begin_within_s: 900,
            borders: borders.to_vec(),
            directive: self.next as u64,
            told_at: self.truth(),
        };
        let now = self.stamp();
        let commit = self.edge.as_mut()?.assign(assignment, now).ok()?;
        self.next += 1;
        self.carry_out(commit);
        Some(session)
    }

    pub fn stop(&mut self, session: ChargingId) -> bool {
        let now = self.stamp();
        let Some(edge) = &mut self.edge else { return false };
        let Ok(commit) = edge.stop(session, 9, now) else { return false };
        self.carry_out(commit);
        true
    }

    pub fn step(&mut self, input: Input) {
        let now = self.stamp();
        let Some(edge) = &mut self.edge else { return };
        let commit = edge.step(input, now);
        self.carry_out(commit);
    }

    fn carry_out(&mut self, commit: Commit) {
        let now = self.stamp();
        self.journal.extend(commit.facts.into_iter().map(|fact| (fact, now)));
        for (device, target) in commit.targets {
            let name = device.as_str().strip_prefix("charger-").unwrap();
            let void_ms = self.now_ms + VOID_AFTER_MS;
            let arrives_ms = self.now_ms + self.latency_ms;
            self.in_flight.push((arrives_ms, void_ms, name.parse().unwrap(), target));
        }
    }

    /// Lets time pass.
    pub fn pass_s(&mut self, seconds: u64) {
        for _ in 0..seconds * 1_000 / STEP_MS {
            self.tick();
        }
    }

    pub fn tick(&mut self) {
        self.now_ms += STEP_MS;
        self.arrive();
        for hardware in &mut self.hardware {
            if self.now_ms >= hardware.lease_until_ms {
                hardware.limit_ma = hardware.fallback_ma;
            }
            // 230 V on three phases.
            let mwh = u64::from(hardware.flows_ma()) * 690 * STEP_MS / 3_600_000;
            hardware.register_mwh += mwh;
            hardware.delivered_mwh += mwh;
        }
        let sum: u64 = self.hardware.iter().map(|hardware| u64::from(hardware.limit_ma)).sum();
        self.worst_ma = self.worst_ma.max(sum);
        if self.now_ms.is_multiple_of(TELL_MS) {
            for place in 0..self.hardware.len() {
                self.tell(place);
            }
            self.step(Input::Tick);
        }
    }

    fn arrive(&mut self) {
        let now_ms = self.now_ms;
        let (due, later) = std::mem::take(&mut self.in_flight)
            .into_iter()
            .partition(|(arrives_ms, ..)| *arrives_ms <= now_ms);
        self.in_flight = later;
        let due: Vec<(u64, u64, usize, Target)> = due;
        for (_, void_ms, place, target) in due {
            let hardware = &mut self.hardware[place];
            if hardware.reachable && now_ms < void_ms {
                (hardware.limit_ma, hardware.fallback_ma) = (target.limit_ma, target.fallback_ma);
                hardware.lease_until_ms = now_ms + u64::from(target.lease_s) * 1_000;
            }
        }
    }

    fn tell(&mut self, place: usize) {
        let now_ms = self.now_ms;
        let hardware = &mut self.hardware[place];
        if !hardware.reachable {
            if hardware.reported_online && now_ms >= hardware.cut_since_ms + 2_000 {
                hardware.reported_online = false;
                self.step(Input::Offline(device(place), "it does not answer".into()));
            }
            return;
        }
        hardware.cut_since_ms = now_ms;
        let status = hardware.status();
        if !std::mem::replace(&mut hardware.reported_online, self.edge.is_some())
            && self.edge.is_some()
        {
            self.step(Input::Online(device(place)));
        }
        self.step(Input::Status(device(place), status));
    }

    /// The ends of charges, in order.
    pub fn ends(&self) -> Vec<ChargeEnded> {
        let ended = |(fact, _): &(Fact, Stamp)| match fact {
            Fact::ChargeEnded(ended) => Some(ended.clone()),
            _ => None,
        };
        self.journal.iter().filter_map(ended).collect()
    }

    /// The only end: why, and with how many watt-hours.
    pub fn end(&self) -> (EndCause, i64) {
        let ends = self.ends();
        assert_eq!(ends.len(), 1, "{ends:?}");
        (ends[0].cause, ends[0].energy_wh)
    }

    /// What a car has really got, in watt-hours.
    pub fn delivered_wh(&self, place: usize) -> i64 {
        (self.hardware[place].delivered_mwh / 1_000) as i64
    }
}

/// Where the last charge has ended with the car plugged in, as it is read at a start.
fn left_over(journal: &[(Fact, Stamp)]) -> Vec<DeviceId> {
    let mut left_over = Vec::new();
    for (fact, _) in journal {
        if let Fact::ChargeEnded(ended) = fact {
            left_over.retain(|device| *device != ended.charger);
            if ended.cause != EndCause::Unplugged {
                left_over.push(ended.charger.clone());
            }
        }
    }
    left_over
}

/// What the journal has not seen the end of, as it is read at a start.
pub(super) fn open(journal: &[(Fact, Stamp)]) -> Vec<OpenCharge> {
    let mut open: Vec<OpenCharge> = Vec::new();
    for (fact, at) in journal {
        let of = |open: &mut Vec<OpenCharge>, session| {
            open.iter().position(|open| open.assigned.session == session)
        };
        match fact {
            Fact::ChargeAssigned(assigned) => open.push(OpenCharge {
                assigned: assigned.clone(),
                assigned_at: *at,
                started: None,
                metered: None,
                is_to_stop: false,
            }),
            Fact::ChargeStarted(s) => {
                let place = of(&mut open, s.session).unwrap();
                open[place].started = Some((s.at, 0, s.meter_wh, *at));
            }
            Fact::ChargeMetered(m) => {
                let place = of(&mut open, m.session).unwrap();
                open[place].metered = Some((m.at, m.energy_wh, m.meter_wh, *at));
            }
            Fact::ChargeStop(stop) => {
                let place = of(&mut open, stop.session).unwrap();
                open[place].is_to_stop = true;
            }
            Fact::ChargeEnded(ended) => {
                let place = of(&mut open, ended.session).unwrap();
                open.remove(place);
            }
            _ => {}
        }
    }
    open
}
