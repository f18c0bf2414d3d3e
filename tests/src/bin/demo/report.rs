//! What the demo tells: a line for each car as it happens, and the sums at the end.
//!
//! Fed with the site's events in order and with what the cloud acknowledged; keeps no time of its
//! own.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Utc};
use domain::{
    event::{Decision, Event, Fact, Outcome, Verdict},
    ids::{CommandId, DecisionId},
    locker::LockerFact,
};

/// How a command to the barrier ended.
struct End {
    outcome: Outcome,
    vote_to_wire_ms: Option<f32>,
    capture_to_wire_ms: Option<f32>,
}

/// A car that was decided on and whose line is not printed yet.
struct Car {
    sequence: u64,
    at: DateTime<Utc>,
    decision: Box<Decision>,
    command: Option<CommandId>,
    end: Option<End>,
}

impl Car {
    fn is_complete(&self) -> bool {
        self.command.is_none() || self.end.is_some()
    }

    fn line(&self, zone: FixedOffset, acked_through: u64) -> String {
        let plate = self.decision.plate.as_ref();
        let text = plate.map_or("", |p| if p.text.is_empty() { "(unread)" } else { &p.text });
        let confidence = plate.map_or_else(String::new, |p| format!("{:.2}", p.confidence));
        let barrier = match (self.decision.verdict, &self.end) {
            (Verdict::Refuse, _) => "stays",
            (Verdict::Open, None | Some(End { outcome: Outcome::Accepted, .. })) => "opens",
            (Verdict::Open, Some(_)) => "fails",
        };
        let ms = |pick: fn(&End) -> Option<f32>| {
            self.end.as_ref().and_then(pick).map_or_else(String::new, |ms| format!("{ms:.1}"))
        };
        format!(
            "{:<9} {} {} {confidence:>5}  {barrier:<7} {} {:>9} {:>9}  {}",
            clock(self.at, zone),
            padded(self.decision.lane.as_str(), 6),
            padded(text, 11),
            padded(&self.decision.reason, 50),
            ms(|end| end.vote_to_wire_ms),
            ms(|end| end.capture_to_wire_ms),
            if self.sequence <= acked_through { "has it" } else { "waits" },
        )
    }
}

/// Collects events and turns them into lines and sums.
pub struct Report {
    zone: FixedOffset,
    waiting: BTreeMap<DecisionId, Car>,
    cars: u64,
    read: u64,
    opened: u64,
    refused: BTreeMap<String, u64>,
    vote_to_wire_ms: Vec<f32>,
}

impl Report {
    /// A report that shows times in `zone`.
    pub fn new(zone: FixedOffset) -> Self {
        Self {
            zone,
            waiting: BTreeMap::new(),
            cars: 0,
            read: 0,
            opened: 0,
            refused: BTreeMap::new(),
            vote_to_wire_ms: Vec::new(),
        }
    }

    /// The heading above the cars.
    pub fn heading() -> String {
        format!(
            "{:<9} {} {} {:>5}  {:<7} {} {:>9} {:>9}  cloud",
            "time",
            padded("lane", 6),
            padded("plate", 11),
            "conf",
            "barrier",
            padded("why", 50),
            "vote→ms",
            "frame→ms",
        )
    }

    /// How many cars were decided on.
    pub fn cars(&self) -> u64 {
        self.cars
    }

    /// Takes an event; returns a line where it is worth one at once.
    pub fn take(&mut self, event: Event) -> Option<String> {
        let at = event.at.wall;
        match event.fact {
            Fact::Decision(decision) => self.decided(event.sequence, at, decision),
            Fact::CommandIntent { command, decision, .. } => {
                if let Some(car) = self.waiting.get_mut(&decision) {
                    car.command = Some(command);
                }
            }
            Fact::CommandOutcome {
                command, outcome, vote_to_wire_ms, capture_to_wire_ms, ..
            } => {
                self.vote_to_wire_ms.extend(vote_to_wire_ms);
                if let Some(car) = self.waiting.values_mut().find(|c| c.command == Some(command)) {
                    car.end = Some(End { outcome, vote_to_wire_ms, capture_to_wire_ms });
                }
            }
            fact => return remark(&fact).map(|text| format!("{}  {text}", clock(at, self.zone))),
        }
        None
    }

    /// The lines of all cars whose command has ended.
    pub fn lines(&mut self, acked_through: u64) -> Vec<String> {
        let (complete, waiting) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(_, car)| car.is_complete());
        self.waiting = waiting;
        let mut cars: Vec<Car> = BTreeMap::into_values(complete).collect();
        cars.sort_by_key(|car| car.sequence);
        cars.iter().map(|car| car.line(self.zone, acked_through)).collect()
    }

    /// The sums, beside what stands in the journal and at the cloud.
    pub fn summary(&self, journaled: u64, at_cloud: u64) -> String {
        let mut text = format!(
            "\ncars {}   read {}   opened {}   refused {}\n",
            self.cars,
            self.read,
            self.opened,
            self.refused.values().sum::<u64>()
        );
        for (rule, count) in &self.refused {
            text += &format!("  refused, {rule}: {count}\n");
        }
        if !self.vote_to_wire_ms.is_empty() {
            let mut sorted = self.vote_to_wire_ms.clone();
            sorted.sort_by(f32::total_cmp);
            let rank = |p: usize| sorted[(sorted.len() - 1) * p / 100];
            text += &format!(
                "vote → command on the wire: median {:.1} ms, p99 {:.1} ms\n",
                rank(50),
                rank(99)
            );
        }
        let verdict = if journaled == at_cloud { "nothing lost" } else { "THEY DIFFER" };
        text + &format!(
            "events journaled {journaled}   events at the cloud {at_cloud}   {verdict}\n"
        )
    }

    fn decided(&mut self, sequence: u64, at: DateTime<Utc>, decision: Box<Decision>) {
        if let Some(plate) = &decision.plate {
            self.cars += 1;
            self.read += u64::from(!plate.text.is_empty());
        }
        match decision.verdict {
            Verdict::Open => self.opened += 1,
            Verdict::Refuse => *self.refused.entry(named(decision.rule)).or_default() += 1,
        }
        let id = decision.id;
        self.waiting.insert(id, Car { sequence, at, decision, command: None, end: None });
    }
}

/// What else happens at a site that a person would want to be told.
fn remark(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::Locker(LockerFact::Door { cabinet, closed: false, command: Some(_) }) => {
            format!("locker {cabinet}: somebody's code opened the door")
        }
        Fact::Locker(LockerFact::Trouble { cabinet, trouble }) => {
            format!("locker {cabinet}: {}", trouble.word().replace('_', " "))
        }
        Fact::Tailgate { lane, .. } => format!("{lane}: a second vehicle followed through"),
        Fact::LaneFault { lane, fault } => format!("{lane}: barrier fault, {fault}"),
        Fact::LaneRecovered { lane } => format!("{lane}: barrier works again"),
        Fact::Device { device, online: false, reason } => format!("{device} is offline: {reason}"),
        Fact::Camera { camera, online: false, reason } => format!("camera {camera}: {reason}"),
        Fact::VisionRestarted { reason, .. } => format!("recognition starts again: {reason}"),
        Fact::ClockChanged { what, .. } => what.clone(),
        Fact::ChargeAssigned(charge) => {
            format!("{}: a car is to get {} kWh", charge.charger, kwh(charge.energy_wh))
        }
        Fact::ChargeBlocked(charge) => format!("{}: the car before is in the way", charge.charger),
        Fact::ChargeStarted(charge) => format!("{}: energy flows", charge.charger),
        Fact::ChargeEnded(charge) => {
            let (charger, energy) = (&charge.charger, kwh(charge.energy_wh));
            format!("{charger}: {energy} kWh charged, {}", named(charge.cause))
        }
        Fact::ChargerFault { charger, fault } => format!("{charger}: fault, {fault}"),
        Fact::ChargerRecovered { charger } => format!("{charger}: works again"),
        Fact::Quarantined { sequence, reason } => format!("event {sequence} set aside: {reason}"),
        _ => return None,
    })
}

fn kwh(wh: i64) -> String {
    format!("{}.{:03}", wh / 1_000, wh % 1_000)
}

/// Anything with a name in the journal, in words.
fn named(named: impl serde::Serialize) -> String {
    serde_json::to_value(named)
        .ok()
        .and_then(|name| name.as_str().map(|name| name.replace('_', " ")))
        .unwrap_or_default()
}

fn clock(at: DateTime<Utc>, zone: FixedOffset) -> String {
    at.with_timezone(&zone).format("%H:%M:%S").to_string()
}

/// `text` cut or filled to `columns` of a terminal, where a Chinese character takes two.
fn padded(text: &str, columns: usize) -> String {
    let width = |c: char| {
        if u32::from(c) >= 0x1100 && !('\u{2000}'..'\u{2e80}').contains(&c) { 2 } else { 1 }
    };
    let mut shown = String::new();
    let mut used = 0;
    for c in text.chars() {
        if used + width(c) > columns {
            break;
        }
        used += width(c);
        shown.push(c);
    }
    shown + &" ".repeat(columns - used)
}
