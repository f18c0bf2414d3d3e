//! What charging costs: the metered energy, split over the periods it was delivered in, at their
//! rates, and the service fee. Each part is rounded half-up to the fen; the total is their sum.

use chrono::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Period, Periods, metered_wh};
use crate::money::Fen;

/// Rates per fen: a rate of 8000 is 80 fen, or 0.80 yuan.
const RATES_PER_FEN: i128 = 100;

/// The price of a kWh in ten-thousandths of a yuan, the resolution of electricity prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(pub i64);

impl Rate {
    /// What some energy costs.
    fn cost(self, energy_wh: i64) -> Fen {
        Fen::half_up(i128::from(self.0) * i128::from(energy_wh), RATES_PER_FEN * 1000)
    }
}

/// What a kWh costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// In peak periods.
    pub peak: Rate,
    /// In normal periods.
    pub normal: Rate,
    /// In valley periods.
    pub valley: Rate,
    /// For the service, at any time, beside the above.
    pub service: Rate,
}

impl Default for Rates {
    /// As the document has them: 1.20, 0.80, 0.40 and 0.80 yuan.
    fn default() -> Self {
        let [peak, normal, valley, service] = [12_000, 8000, 4000, 8000].map(Rate);
        Self { peak, normal, valley, service }
    }
}

impl Rates {
    /// The rate of one period.
    pub const fn of(&self, period: Period) -> Rate {
        match period {
            Period::Peak => self.peak,
            Period::Normal => self.normal,
            Period::Valley => self.valley,
        }
    }
}

/// How charging is billed. A session is billed by the tariff that held when it began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// What a kWh costs.
    pub rates: Rates,
    /// When which rate holds.
    pub periods: Periods,
}

/// What a pile's meter says about one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// When it began, in milliseconds UTC.
    pub started_at_ms: i64,
    /// When it ended, in milliseconds UTC.
    pub ended_at_ms: i64,
    /// The power, steady from beginning to end, in watts.
    pub power_w: i64,
    /// The energy in all, in watt-hours.
    pub energy_wh: i64,
}

/// A reading of a meter during a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When, in milliseconds UTC.
    pub at_ms: i64,
    /// What the session had got until then, in watt-hours.
    pub energy_wh: i64,
}

/// What fell into one period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// Time, in milliseconds.
    pub duration_ms: i64,
    /// Energy, in watt-hours.
    pub energy_wh: i64,
    /// What the energy costs, without the service fee.
    pub cost: Fen,
}

/// What a session costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bill {
    /// In peak periods.
    pub peak: Part,
    /// In normal periods.
    pub normal: Part,
    /// In valley periods.
    pub valley: Part,
    /// The service fee.
    pub service: Fen,
}

impl Bill {
    /// The parts of the three periods.
    pub const fn parts(&self) -> [Part; 3] {
        [self.peak, self.normal, self.valley]
    }

    /// All that is to be paid: the sum of the parts.
    pub fn total(&self) -> Fen {
        Fen(self.parts().iter().map(|part| part.cost.0).sum::<i64>() + self.service.0)
    }

    /// The energy of all periods, in watt-hours.
    pub fn energy_wh(&self) -> i64 {
        self.parts().iter().map(|part| part.energy_wh).sum()
    }

    fn part(&mut self, period: Period) -> &mut Part {
        match period {
            Period::Peak => &mut self.peak,
            Period::Normal => &mut self.normal,
            Period::Valley => &mut self.valley,
        }
    }
}

impl Tariff {
    /// The bill of a session, by the clocks of a time zone.
    pub fn bill<Z: TimeZone>(&self, zone: &Z, delivery: &Delivery) -> Bill {
        let mut bill = Bill::default();
        let start = Reading { at_ms: delivery.started_at_ms, energy_wh: 0 };
        self.split(&mut bill, zone, start, delivery.ended_at_ms, |at_ms| delivery.meter_wh(at_ms));
        self.price(&mut bill);
        bill
    }

    /// The bill of a session by the readings of its meter, in their order: all energy between the
    /// first and the last. Between two readings the power counts as steady; a reading that is not
    /// later or shows less than the one before adds nothing to the time or the energy.
    pub fn bill_metered<Z: TimeZone>(&self, zone: &Z, readings: &[Reading]) -> Bill {
        let mut bill = Bill::default();
        let mut last: Option<Reading> = None;
        for reading in readings {
            let Some(from) = last.replace(*reading) else { continue };
            let to = Reading {
                at_ms: reading.at_ms.max(from.at_ms),
                energy_wh: reading.energy_wh.max(from.energy_wh),
            };
            last = Some(to);
            if to.at_ms == from.at_ms {
                let period = self.periods.cut(zone, from.at_ms, from.at_ms + 1)[0].1;
                bill.part(period).energy_wh += to.energy_wh - from.energy_wh;
            } else {
                self.split(&mut bill, zone, from, to.at_ms, |at_ms| from.until(&to, at_ms));
            }
        }
        self.price(&mut bill);
        bill
    }

    /// Adds what was delivered between a reading and a moment, by the periods it fell into.
    fn split<Z: TimeZone>(
        &self,
        bill: &mut Bill,
        zone: &Z,
        from: Reading,
        until_ms: i64,
        meter_wh: impl Fn(i64) -> i64,
    ) {
        let Reading { mut at_ms, energy_wh: mut at_wh } = from;
        for (end_ms, period) in self.periods.cut(zone, at_ms, until_ms) {
            let end_wh = meter_wh(end_ms);
            let part = bill.part(period);
            part.duration_ms += end_ms - at_ms;
            part.energy_wh += end_wh - at_wh;
            (at_ms, at_wh) = (end_ms, end_wh);
        }
    }

    fn price(&self, bill: &mut Bill) {
        for period in Period::ALL {
            let part = bill.part(period);
            part.cost = self.rates.of(period).cost(part.energy_wh);
        }
        bill.service = self.rates.service.cost(bill.energy_wh());
    }
}

impl Reading {
    /// What a meter shows at a moment between this reading and a later one.
    fn until(&self, later: &Self, at_ms: i64) -> i64 {
        let (whole_ms, whole_wh) = (later.at_ms - self.at_ms, later.energy_wh - self.energy_wh);
        let passed = i128::from(at_ms - self.at_ms) * i128::from(whole_wh) / i128::from(whole_ms);
        self.energy_wh + i64::try_from(passed).unwrap_or(whole_wh)
    }
}

impl Delivery {
    /// What the meter shows at a moment; at the end it shows all.
    fn meter_wh(&self, at_ms: i64) -> i64 {
        if at_ms >= self.ended_at_ms {
            return self.energy_wh;
        }
        metered_wh(at_ms - self.started_at_ms, self.power_w).min(self.energy_wh)
    }
}
