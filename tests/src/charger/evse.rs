//! What is inside a charger: pilot, contactor, meter, and the vehicle at its plug. Pure: all is as
//! it is at the time that it was advanced to.

use firmware_protocol::charger::{Action, Allowance, Fault, Meter, Pilot, Refusal};

const VOLTAGE_MV: u32 = 230_000;
/// Milliwatts for milliseconds in a watt-hour.
const MW_MS_PER_WH: u128 = 3_600_000_000;

/// A vehicle at the plug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vehicle {
    /// The most that it takes, for each phase.
    pub max_ma: u32,
    /// How many phases it uses.
    pub phases: u8,
    /// What fits into its battery.
    pub room_wh: u64,
}

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Plugged,
    Unplugged,
    Started,
    Stopped,
    Fault,
    Recovered,
    FellBack,
}

/// The electronics of one charger.
#[derive(Debug)]
pub(super) struct Evse {
    pub max_ma: u32,
    pub phases: u8,
    /// How much faster than in life energy flows.
    pub speed: u32,
    pub fault: Fault,
    pub meter_broken: bool,
    pub enabled: bool,
    pub plugged_count: u16,
    pub fault_count: u16,
    closed: bool,
    vehicle: Option<Vehicle>,
    allowance: Option<(Allowance, u64)>,
    fell_back: bool,
    now_ms: u64,
    /// Milliwatts for milliseconds, for ever.
    energy: u128,
    /// The same since the vehicle came.
    taken: u128,
    changes: Vec<(u64, Change)>,
}

impl Evse {
    pub fn new(max_ma: u32, phases: u8, energy_wh: u64) -> Self {
        Self {
            max_ma,
            phases,
            speed: 1,
            fault: Fault::None,
            meter_broken: false,
            enabled: false,
            plugged_count: 0,
            fault_count: 0,
            closed: false,
            vehicle: None,
            allowance: None,
            fell_back: false,
            now_ms: 0,
            energy: u128::from(energy_wh) * MW_MS_PER_WH,
            taken: 0,
            changes: Vec::new(),
        }
    }

    pub fn take_changes(&mut self) -> Vec<(u64, Change)> {
        std::mem::take(&mut self.changes)
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    pub fn plug(&mut self, vehicle: Option<Vehicle>) {
        if self.vehicle.is_some() && vehicle != self.vehicle {
            self.note(Change::Unplugged);
        }
        if let Some(new) = vehicle
            && self.vehicle != Some(new)
        {
            self.plugged_count = self.plugged_count.wrapping_add(1);
            self.taken = 0;
            self.note(Change::Plugged);
        }
        self.vehicle = vehicle;
        self.switch();
    }

    pub fn set_fault(&mut self, fault: Fault) {
        if fault != self.fault {
            let came = fault != Fault::None;
            self.fault_count = self.fault_count.wrapping_add(u16::from(came));
            self.fault = fault;
            self.note(if came { Change::Fault } else { Change::Recovered });
            self.switch();
        }
    }

    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        match action {
            Action::Disable => self.enabled = false,
            Action::Enable(allowance) | Action::Limit(allowance) => {
                if !allowance.is_possible(self.max_ma) {
                    return Err(Refusal::OutOfRange);
                }
                if matches!(action, Action::Enable(_)) {
                    if !self.may_close() {
                        return Err(Refusal::Fault);
                    }
                    self.enabled = true;
                }
                let until_ms = self.now_ms + u64::from(allowance.lease_s) * 1_000;
                (self.allowance, self.fell_back) = (Some((allowance, until_ms)), false);
            }
        }
        self.switch();
        Ok(())
    }

    /// A loss of power: the register stays, and the vehicle.
    pub fn restart(&mut self) {
        (self.enabled, self.closed, self.allowance) = (false, false, None);
        (self.plugged_count, self.fault_count, self.fell_back) = (0, 0, false);
        self.changes.clear();
    }

    pub fn advance(&mut self, now_ms: u64) {
        // The lease ends in between: what flows before and after differs.
        if let Some((_, until_ms)) = self.allowance
            && (self.now_ms..now_ms).contains(&until_ms)
        {
            self.flow(until_ms);
        }
        self.flow(now_ms);
        if self.allowance.is_some() && self.lease_s() == 0 && !self.fell_back {
            self.fell_back = true;
            self.note(Change::FellBack);
        }
        self.switch();
    }

    pub fn limit_ma(&self) -> u32 {
        match self.allowance {
            Some((allowance, until_ms)) if self.now_ms < until_ms => allowance.limit_ma,
            Some((allowance, _)) => allowance.fallback_ma,
            None => 0,
        }
    }

    pub fn lease_s(&self) -> u16 {
        let left_ms = self.allowance.map_or(0, |(_, until)| until.saturating_sub(self.now_ms));
        u16::try_from(left_ms.div_ceil(1_000)).unwrap_or(u16::MAX)
    }

    pub fn pilot(&self) -> Pilot {
        match self.vehicle {
            _ if self.fault == Fault::Pilot => Pilot::Error,
            None => Pilot::Unplugged,
            Some(_) if self.enabled && self.wants() => Pilot::Charging,
            Some(_) => Pilot::Plugged,
        }
    }

    /// None while the meter is broken.
    pub fn meter(&self) -> Option<Meter> {
        let current = self.current_ma();
        let phases = usize::from(self.phases.min(3));
        let mut meter = Meter { energy_wh: self.energy_wh(), ..Meter::default() };
        meter.voltage_mv[..phases].fill(VOLTAGE_MV);
        let used = usize::from(self.vehicle.map_or(0, |vehicle| vehicle.phases)).min(phases);
        meter.current_ma[..used].fill(current);
        meter.power_w = u32::try_from(self.power_mw() / 1_000).unwrap_or(u32::MAX);
        (!self.meter_broken).then_some(meter)
    }

    pub fn energy_wh(&self) -> u64 {
        u64::try_from(self.energy / MW_MS_PER_WH).unwrap_or(u64::MAX)
    }

    fn may_close(&self) -> bool {
        matches!(self.fault, Fault::None | Fault::Meter)
    }

    fn wants(&self) -> bool {
        let room = self.vehicle.map_or(0, |vehicle| vehicle.room_wh);
        self.taken < u128::from(room) * MW_MS_PER_WH
    }

    fn current_ma(&self) -> u32 {
        let most = self.vehicle.map_or(0, |vehicle| vehicle.max_ma);
        if self.closed { self.limit_ma().min(most) } else { 0 }
    }

    fn power_mw(&self) -> u128 {
        let phases = self.vehicle.map_or(0, |vehicle| vehicle.phases).min(self.phases);
        let each = u128::from(self.current_ma()) * u128::from(VOLTAGE_MV) / 1_000;
        each * u128::from(phases)
    }

    fn flow(&mut self, until_ms: u64) {
        let passed_ms = u128::from(until_ms.saturating_sub(self.now_ms));
        let flown = self.power_mw() * passed_ms * u128::from(self.speed);
        self.energy += flown;
        self.taken += flown;
        self.now_ms = until_ms;
        self.switch();
    }

    /// The contactor follows at once.
    fn switch(&mut self) {
        let asked = self.pilot() == Pilot::Charging && self.limit_ma() > 0;
        let closed = asked && self.enabled && self.may_close();
        if closed != self.closed {
            self.closed = closed;
            self.note(if closed { Change::Started } else { Change::Stopped });
        }
    }

    fn note(&mut self, change: Change) {
        self.changes.push((self.now_ms, change));
    }
}
