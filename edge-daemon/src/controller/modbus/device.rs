//! One device on a Modbus line: a charger, a meter, or both, by the registers of its model.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use domain::ids::DeviceId;

use super::{
    line::{Line, Trouble},
    model::{ChargerMap, FallBack, Model, Register},
};
use crate::controller::{
    charger::{Capability, Meter, News, Plug, Status, Target},
    report::{Report, What},
};

/// How often each device is visited.
const VISIT_EVERY_MS: u64 = 1_000;
/// How often one that does not answer is.
const ABSENT_EVERY_MS: u64 = 5_000;
/// How often it is seen to that a charger would still fall back.
const PREPARE_EVERY_MS: u64 = 60_000;
/// One that leaves so many visits unanswered is away.
const MOST_MISSES: u32 = 3;

/// A device.
pub(super) struct Device {
    id: DeviceId,
    address: u8,
    model: Model,
    /// Shared with whoever sends commands.
    online: Arc<AtomicBool>,
    /// What was reported last: whether it can be reached.
    reported: Option<bool>,
    misses: u32,
    due_ms: u64,
    /// What it is told, and until when.
    target: Option<(Target, u64)>,
    /// When its fallback was seen to last; none since it was away.
    prepared_ms: Option<u64>,
    status: Option<Status>,
}

impl Capability for Device {
    fn set(&mut self, target: Target, now_ms: u64) {
        let is_new = self.target.is_none_or(|(known, _)| known != target);
        self.target = Some((target, now_ms + u64::from(target.lease_s) * 1_000));
        if is_new && self.reported == Some(true) {
            self.due_ms = now_ms;
        }
    }

    fn status(&self) -> Option<&Status> {
        self.status.as_ref()
    }
}

impl Device {
    pub fn new(id: DeviceId, address: u8, model: Model, online: Arc<AtomicBool>) -> Self {
        Self {
            id,
            address,
            model,
            online,
            reported: None,
            misses: 0,
            due_ms: 0,
            target: None,
            prepared_ms: None,
            status: None,
        }
    }

    pub fn id(&self) -> &DeviceId {
        &self.id
    }

    pub fn due_ms(&self) -> u64 {
        self.due_ms
    }

    /// Tells it what it does not know, and asks how it is. Whether the line is to begin anew.
    pub async fn visit(&mut self, line: &mut Line, now_ms: u64, out: &mut Vec<Report>) -> bool {
        self.due_ms = now_ms + VISIT_EVERY_MS;
        match self.converse(line, now_ms).await {
            Ok(metered) => {
                self.misses = 0;
                self.reach(true, out, || What::Online);
                let news = self.news().or(metered.map(News::Meter));
                let report = |news| Report { device: self.id.clone(), what: What::Charger(news) };
                out.extend(news.map(report));
                false
            }
            Err(trouble) => {
                self.misses += 1;
                if self.misses >= MOST_MISSES {
                    self.due_ms = now_ms + ABSENT_EVERY_MS;
                    self.lost(&trouble.to_string(), out);
                }
                !matches!(trouble, Trouble::Refused { .. } | Trouble::Nonsense { .. })
            }
        }
    }

    /// It cannot be reached, and what it was told may be forgotten.
    pub fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        (self.status, self.prepared_ms) = (None, None);
        self.reach(false, out, || What::Offline { reason: reason.to_owned() });
    }

    fn reach(&mut self, is_online: bool, out: &mut Vec<Report>, what: impl FnOnce() -> What) {
        self.online.store(is_online, Ordering::Release);
        if self.reported.replace(is_online) != Some(is_online) {
            out.push(Report { device: self.id.clone(), what: what() });
        }
    }

    /// What a meter shows; a charger's status is kept.
    async fn converse(&mut self, line: &mut Line, now_ms: u64) -> Result<Option<Meter>, Trouble> {
        let Some(map) = self.model.charger.clone() else {
            return self.meter(line).await.map(Some);
        };
        if let Some((target, until_ms)) = self.target {
            let is_prepared = self.prepared_ms.is_some_and(|ms| now_ms < ms + PREPARE_EVERY_MS);
            if !is_prepared {
                self.prepare(line, &map, target).await?;
                self.prepared_ms = Some(now_ms);
            }
            // Where nobody renews it, this end falls back as the other one would.
            let renewed = now_ms < until_ms;
            let most_ma = if renewed { u32::MAX } else { target.fallback_ma };
            self.allow(line, &map, target.limit_ma.min(most_ma)).await?;
        }
        self.status = Some(self.ask(line, &map).await?);
        Ok(None)
    }

    /// Sees to it that it is set up, and falls back by itself.
    async fn prepare(
        &mut self,
        line: &mut Line,
        map: &ChargerMap,
        target: Target,
    ) -> Result<(), Trouble> {
        for setup in &map.setup {
            self.put(line, setup.register, setup.value.into()).await?;
        }
        let Some(FallBack { after, per_second, current, per_ampere }) = &map.fall_back else {
            return Ok(());
        };
        self.put(line, *current, scaled(target.fallback_ma, *per_ampere)).await?;
        self.put(line, *after, u32::from(target.lease_s) * per_second).await
    }

    /// Lets a car take so much; nothing below what counts for one ampere.
    async fn allow(
        &mut self,
        line: &mut Line,
        map: &ChargerMap,
        limit_ma: u32,
    ) -> Result<(), Trouble> {
        let (limit, enable) = (&map.limit, &map.enable);
        if let Some(enable) = enable.as_ref().filter(|_| limit_ma == 0) {
            self.put(line, enable.register, enable.off.into()).await?;
        }
        self.put(line, limit.register, scaled(limit_ma, limit.per_ampere)).await?;
        match enable.as_ref().filter(|_| limit_ma > 0) {
            Some(enable) => self.put(line, enable.register, enable.on.into()).await,
            None => Ok(()),
        }
    }

    /// Writes what is not there already: some devices wear with every write.
    async fn put(&self, line: &mut Line, register: Register, value: u32) -> Result<(), Trouble> {
        if self.one(line, register).await? == f64::from(value) {
            return Ok(());
        }
        line.write(self.address, register, value).await
    }

    async fn ask(&self, line: &mut Line, map: &ChargerMap) -> Result<Status, Trouble> {
        let state = self.one(line, map.state.register).await?;
        let is_one_of = |values: &[u16]| values.iter().any(|value| f64::from(*value) == state);
        let plug = match () {
            () if is_one_of(&map.state.charging) => Plug::Charging,
            () if is_one_of(&map.state.plugged) => Plug::Plugged,
            () => Plug::Free,
        };
        let is_known = plug != Plug::Free || is_one_of(&map.state.free);
        let named = map.state.fault.get(&state.to_string()).cloned();
        let mut fault = named.or_else(|| (!is_known).then(|| format!("state {state}")));
        if let Some(error) = &map.error {
            let code = self.one(line, error.register).await?;
            fault = fault.or_else(|| (code != 0.0).then(|| format!("error {code}")));
        }
        let limit_ma = self.limit_ma(line, map).await?;
        Ok(Status { plug, limit_ma, fault, meter: self.meter(line).await? })
    }

    async fn limit_ma(&self, line: &mut Line, map: &ChargerMap) -> Result<u32, Trouble> {
        if let Some(enable) = &map.enable
            && self.one(line, enable.register).await? == f64::from(enable.off)
        {
            return Ok(0);
        }
        let value = self.one(line, map.limit.register).await?;
        Ok((value * 1000.0 / f64::from(map.limit.per_ampere)) as u32)
    }

    async fn meter(&self, line: &mut Line) -> Result<Meter, Trouble> {
        let mut meter = Meter::default();
        let Some(map) = &self.model.meter else { return Ok(meter) };
        if let Some(energy) = &map.energy {
            let value = self.one(line, energy.register).await?;
            meter.energy_wh = Some((value.max(0.0) * energy.unit_wh) as u64);
        }
        if let Some(current) = &map.current {
            let phases = line.read(self.address, current.register, current.phases).await?;
            let most = phases.into_iter().fold(0.0, |most, phase| f64::max(most, phase.abs()));
            meter.current_ma = Some((most * current.unit_ma) as u32);
        }
        Ok(meter)
    }

    async fn one(&self, line: &mut Line, register: Register) -> Result<f64, Trouble> {
        let values = line.read(self.address, register, 1).await?;
        let none = Trouble::Nonsense { address: register.address, reason: "it shows nothing" };
        values.first().copied().ok_or(none)
    }
}

/// A current in a register's own unit; what it cannot show is left out, so that it is never more.
fn scaled(ma: u32, per_ampere: u32) -> u32 {
    (u64::from(ma) * u64::from(per_ampere) / 1000) as u32
}
