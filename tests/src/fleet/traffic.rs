//! What sites journal while cars come and go: the facts of real visits, in their order, without
//! pictures.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    event::{
        Action, Decision, Direction, Fact, Latency, Outcome, PlateKind, PlateSeen, Rule, Verdict,
    },
    ids::{CommandId, DecisionId, SessionId},
    money::Fen,
    tariff::{Tariff, TariffRule},
};
use uuid::Uuid;

/// Facts of one visit, entry and exit together.
pub const VISIT: usize = 11;

/// One car's visit to a site.
#[derive(Debug, Clone)]
pub struct Visit {
    plate: String,
    session: SessionId,
    entered_at: DateTime<Utc>,
    tariff: Option<Tariff>,
}

impl Visit {
    /// The visit of a car that comes now; `number` tells it from others.
    pub fn new(number: usize, now: DateTime<Utc>) -> Self {
        let plate = format!(
            "京{}{:05}",
            char::from(b'A' + (number / 100_000 % 26) as u8),
            number % 100_000
        );
        Self { plate, session: SessionId(Uuid::new_v4()), entered_at: now, tariff: None }
    }

    /// The same where it costs 5 yuan an hour.
    pub fn charged(number: usize, now: DateTime<Utc>) -> Self {
        let tariff = Tariff {
            rule: TariffRule::Documented,
            free_minutes: 0,
            base_fee: Fen(500),
            base_seconds: 3600,
            hourly_rate: Fen(500),
            daily_max_fee: None,
        };
        Self { tariff: Some(tariff), ..Self::new(number, now) }
    }

    /// The plate.
    pub fn plate(&self) -> &str {
        &self.plate
    }

    /// The car is decided on, let in, and inside.
    pub fn entry(&self) -> Vec<Fact> {
        let decision = DecisionId(Uuid::new_v4());
        let opened = Fact::SessionOpened {
            session: self.session,
            plate: self.plate.clone(),
            kind: PlateKind::Blue,
            entered_at: self.entered_at,
            lane: name("entry"),
            decision,
            tariff: self.tariff.clone(),
            permit: None,
        };
        self.passing(decision, Direction::Entry, self.entered_at, opened)
    }

    /// The car pays, is decided on, let out, and gone.
    pub fn exit(&self) -> Vec<Fact> {
        let (decision, now) = (DecisionId(Uuid::new_v4()), self.entered_at + TimeDelta::hours(1));
        let paid = Fact::Paid {
            session: self.session,
            amount_fen: 500,
            method: "cash".to_owned(),
            by: "booth".to_owned(),
            directive: None,
            paid_at: Some(now),
        };
        let closed = Fact::SessionClosed {
            session: self.session,
            exited_at: now,
            lane: name("exit"),
            fee_fen: 500,
            decision,
        };
        let mut facts = vec![paid];
        facts.extend(self.passing(decision, Direction::Exit, now, closed));
        facts
    }

    fn passing(
        &self,
        decision: DecisionId,
        direction: Direction,
        now: DateTime<Utc>,
        stay: Fact,
    ) -> Vec<Fact> {
        let lane = if direction == Direction::Entry { "entry" } else { "exit" };
        let command = CommandId(Uuid::new_v4());
        let intent = Fact::CommandIntent {
            command,
            decision,
            lane: name(lane),
            device: name(&format!("{lane}-barrier")),
            action: Action::Open,
        };
        let outcome = Fact::CommandOutcome {
            command,
            outcome: Outcome::Accepted,
            elapsed_ms: Some(12),
            vote_to_wire_ms: Some(1.8),
            capture_to_wire_ms: Some(96.0),
        };
        let passage = Fact::Passage { lane: name(lane), direction, decision: Some(decision) };
        let decided = Fact::Decision(Box::new(self.decision(decision, direction, lane, now)));
        vec![decided, intent, outcome, passage, stay]
    }

    fn decision(
        &self,
        id: DecisionId,
        direction: Direction,
        lane: &str,
        captured_at: DateTime<Utc>,
    ) -> Decision {
        Decision {
            id,
            lane: name(lane),
            direction,
            verdict: Verdict::Open,
            rule: if direction == Direction::Entry { Rule::Public } else { Rule::Paid },
            reason: "open to everybody, 1999 of 2000 places".to_owned(),
            plate: Some(PlateSeen {
                text: self.plate.clone(),
                confidence: 0.98,
                kind: PlateKind::Blue,
                region: "cn".to_owned(),
                camera: name(&format!("{lane}-camera")),
                readings: 5,
                agreeing: 5,
                bounds: [410.0, 300.0, 560.0, 350.0],
                picture: String::new(),
                captured_at,
            }),
            candidates: Vec::new(),
            fee_fen: None,
            session: Some(self.session),
            requested_by: None,
            latency: Latency { detect_ms: 17.7, read_ms: 4.0, sighting_ms: 60.0, decide_ms: 0.2 },
            permits_age_s: 0,
            permits_version: None,
        }
    }
}

fn name<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("it is a name")
}
