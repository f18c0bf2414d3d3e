//! One of each kind of event at least, filled in.

use domain::{
    access::Term,
    charging::{
        ChargeAssigned, ChargeBlocked, ChargeEnded, ChargeMetered, ChargeStarted, ChargeStop,
        ChargerFound, ChargersFound, EndCause,
    },
    event::{
        Action, Candidate, Decision, Direction, Fact, Latency, Outcome, PlateKind, PlateSeen, Rule,
        Verdict,
    },
    ids::{ChargingId, CommandId, DecisionId, SessionId},
    locker::{By, Cabinet, CodeHash, Denial, Held, LockerFact, SALT_BYTES, Trouble},
    money::Fen,
    plate::Region,
    site::Parameters,
    tariff::{Tariff, TariffRule},
};
use uuid::Uuid;

fn decision() -> DecisionId {
    DecisionId(Uuid::from_u128(0xd))
}

fn command() -> CommandId {
    CommandId(Uuid::from_u128(0xc))
}

fn session() -> SessionId {
    SessionId(Uuid::from_u128(0x5))
}

pub fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn whole_decision() -> Decision {
    Decision {
        id: decision(),
        lane: name("exit"),
        direction: Direction::Exit,
        verdict: Verdict::Refuse,
        rule: Rule::FeeDue,
        reason: "fee of ¥12.50 is due since 14:02".into(),
        plate: Some(PlateSeen {
            text: "京A12345".into(),
            confidence: 0.96875,
            kind: PlateKind::Blue,
            region: "cn".into(),
            camera: name("exit"),
            readings: 4,
            agreeing: 3,
            bounds: [10.0, 20.5, 110.0, 52.25],
            picture: "00ff".into(),
            captured_at: "2026-11-20T06:02:03.250Z".parse().unwrap(),
        }),
        candidates: vec![Candidate { plate: "京A12345".into(), score: 1.0 }],
        fee_fen: Some(1250),
        session: Some(session()),
        requested_by: Some("Wang".into()),
        latency: Latency { detect_ms: 13.5, read_ms: 2.5, sighting_ms: 1.25, decide_ms: 0.0 },
        permits_age_s: 90,
        permits_version: None,
    }
}

pub fn bare_decision() -> Decision {
    Decision {
        id: decision(),
        lane: name("entry"),
        direction: Direction::Entry,
        verdict: Verdict::Open,
        rule: Rule::Button,
        reason: "the button was pressed".into(),
        plate: None,
        candidates: vec![],
        fee_fen: None,
        session: None,
        requested_by: None,
        latency: Latency::default(),
        permits_age_s: 0,
        permits_version: None,
    }
}

pub fn tariff() -> Tariff {
    Tariff {
        rule: TariffRule::Overtime,
        free_minutes: 15,
        base_fee: Fen(500),
        base_seconds: 3600,
        hourly_rate: Fen(300),
        daily_max_fee: Some(Fen(3000)),
    }
}

fn outcome(outcome: Outcome, times: bool) -> Fact {
    Fact::CommandOutcome {
        command: command(),
        outcome,
        elapsed_ms: times.then_some(12),
        vote_to_wire_ms: times.then_some(3.5),
        capture_to_wire_ms: times.then_some(40.25),
    }
}

fn passage(decision: Option<DecisionId>) -> Fact {
    Fact::Passage { lane: name("entry"), direction: Direction::Entry, decision }
}

pub fn opened(tariff: Option<Tariff>) -> Fact {
    Fact::SessionOpened {
        session: session(),
        plate: "京AD12345".into(),
        kind: PlateKind::Green,
        entered_at: "2026-11-20T06:00:00Z".parse().unwrap(),
        lane: name("entry"),
        decision: decision(),
        tariff,
        permit: None,
    }
}

/// A stay that costs nothing until its permit of the configuration file ends.
fn permitted() -> Fact {
    let mut opened = opened(Some(tariff()));
    if let Fact::SessionOpened { permit, .. } = &mut opened {
        *permit = Some(Term { from: None, until: Some("2027-01-01T00:00:00Z".parse().unwrap()) });
    }
    opened
}

fn closed() -> Fact {
    Fact::SessionClosed {
        session: session(),
        exited_at: "2026-11-20T08:30:00Z".parse().unwrap(),
        lane: name("exit"),
        fee_fen: 1250,
        decision: decision(),
    }
}

fn held() -> Held {
    Held {
        order: 2,
        order_no: "O20260119122632B6BZ".into(),
        code: CodeHash::new("578674", [7; SALT_BYTES]),
        valid_until: "2026-11-20T10:00:00Z".parse().unwrap(),
    }
}

fn locker_facts() -> Vec<LockerFact> {
    let cabinet = || "A001".to_owned();
    let told =
        |order| LockerFact::Told { directive: 5, cabinet: Cabinet { cabinet: cabinet(), order } };
    let opening = |by, order, operator, directive| LockerFact::Opening {
        command: command(),
        device: name("locker-1"),
        cabinet: cabinet(),
        order,
        by,
        operator,
        directive,
    };
    vec![
        LockerFact::Installed { device: name("locker-1"), doors: vec![cabinet(), "A002".into()] },
        told(Some(held())),
        told(None),
        opening(By::Keypad, Some(2), None, None),
        opening(By::Operator, None, Some("Wang".into()), None),
        opening(By::Cloud, Some(2), None, Some(6)),
        LockerFact::Denied {
            device: Some(name("locker-1")),
            cabinet: None,
            why: Denial::WrongCode,
            by: By::Scanner,
            command: None,
            directive: None,
        },
        LockerFact::Denied {
            device: None,
            cabinet: Some(cabinet()),
            why: Denial::UnknownCabinet,
            by: By::Cloud,
            command: Some(command()),
            directive: Some(7),
        },
        LockerFact::LockedOut { device: name("locker-1"), cabinet: Some(cabinet()), seconds: 600 },
        LockerFact::Outcome {
            command: command(),
            cabinet: cabinet(),
            outcome: Outcome::Refused,
            refusal: Some("jammed".into()),
            elapsed_ms: Some(12),
        },
        LockerFact::Door { cabinet: cabinet(), closed: false, command: Some(command()) },
        LockerFact::Door { cabinet: cabinet(), closed: true, command: None },
        LockerFact::Trouble { cabinet: cabinet(), trouble: Trouble::ForcedOpen },
        LockerFact::Recovered { cabinet: cabinet() },
    ]
}

fn assigned(battery_wh: Option<i64>, borders: &[i64]) -> Fact {
    Fact::ChargeAssigned(ChargeAssigned {
        session: charging(),
        charger: name("charger-1"),
        energy_wh: 30_000,
        battery_wh,
        begin_within_s: 900,
        borders: borders.to_vec(),
        directive: 5,
        told_at: at("01:59:00"),
        meter_wh: battery_wh.map(|_| 1_234_567),
    })
}

fn charging() -> ChargingId {
    ChargingId(Uuid::from_u128(0xe))
}

fn at(time: &str) -> chrono::DateTime<chrono::Utc> {
    format!("2026-11-20T{time}Z").parse().unwrap()
}

/// How a car was charged, in order.
fn charge() -> Vec<Fact> {
    let (session, charger) = (charging(), name::<domain::ids::DeviceId>("charger-1"));
    let found = ChargerFound { charger: charger.clone(), pile: name("FAST-001") };
    let started = ChargeStarted {
        session,
        charger: charger.clone(),
        at: at("01:59:30"),
        meter_wh: 1_234_567,
    };
    let metered =
        ChargeMetered { session, at: at("02:00:00"), energy_wh: 250, meter_wh: 1_234_817 };
    let (at, energy_wh, cause) = (at("02:30:00"), 12_000, EndCause::Unplugged);
    vec![
        Fact::ChargersFound(ChargersFound { chargers: vec![found] }),
        assigned(Some(60_000), &[1_763_604_000, 1_763_622_000]),
        assigned(None, &[]),
        Fact::ChargeStarted(started),
        Fact::ChargeMetered(metered),
        Fact::ChargeStop(ChargeStop { session, directive: 6 }),
        Fact::ChargeEnded(ChargeEnded { session, charger: charger.clone(), at, energy_wh, cause }),
        Fact::ChargerFault { charger: charger.clone(), fault: "residual current".into() },
        Fact::ChargerRecovered { charger: charger.clone() },
        Fact::ChargeBlocked(ChargeBlocked { session, charger }),
    ]
}

/// One of each kind at least, in the order of `vectors/facts.jsonl`.
pub fn facts() -> Vec<Fact> {
    let intent = |action| Fact::CommandIntent {
        command: command(),
        decision: decision(),
        lane: name("entry"),
        device: name("barrier-1"),
        action,
    };
    let tailgate = |decision| Fact::Tailgate { lane: name("entry"), decision };
    let mut facts = vec![
        Fact::Started { version: "0.1.0".into(), grace_minutes: None },
        Fact::Stopped,
        Fact::Decision(Box::new(whole_decision())),
        Fact::Decision(Box::new(bare_decision())),
        intent(Action::Open),
        intent(Action::Close),
        outcome(Outcome::Accepted, true),
        outcome(Outcome::Unanswered, false),
        passage(Some(decision())),
        passage(None),
        tailgate(Some(decision())),
        tailgate(None),
        opened(Some(tariff())),
        opened(None),
        closed(),
        Fact::Paid {
            session: session(),
            amount_fen: 1250,
            method: "cash".into(),
            by: "Wang".into(),
            directive: None,
            paid_at: None,
        },
        Fact::LaneFault { lane: name("entry"), fault: "stuck".into() },
        Fact::LaneRecovered { lane: name("entry") },
        Fact::Device {
            device: name("barrier-1"),
            online: false,
            reason: "no answer for 2 s".into(),
        },
        Fact::Camera { camera: name("exit"), online: true, reason: "it delivers".into() },
        Fact::VisionRestarted { reason: "signal 9".into(), back_off_ms: 500 },
        Fact::ClockChanged { what: "set".into(), jump_ms: -10_800_000 },
        Fact::Quarantined { sequence: 7, reason: "no such site".into() },
        Fact::Paid {
            session: session(),
            amount_fen: 1250,
            method: "wechat".into(),
            by: "cloud".into(),
            directive: Some(3),
            paid_at: Some("2026-11-20T08:15:00Z".parse().unwrap()),
        },
        Fact::DirectiveSkipped {
            directive: 4,
            kind: "sing".into(),
            reason: "this version does not know it".into(),
        },
        Fact::DirectiveDone { directive: 5, kind: "open".into() },
        Fact::DeviceMisbehaves { device: name("locker-1"), how: "it babbles".into() },
        Fact::DeviceBehaves { device: name("locker-1") },
        Fact::KeyShared { detail: "another run".into() },
        Fact::JournalRepaired { lost: vec![[4, 4], [7, 9]], detail: "rot".into() },
        Fact::JournalUnwritable { for_ms: 1500, failures: 3, lost: 0, reason: "full".into() },
        Fact::Thinned { through: 900, events: 12 },
        Fact::ListInEffect { version: 200_001, entries: 200_000 },
        Fact::ParametersSet {
            parameters: Parameters {
                places: Some(12),
                regions: Some(vec![Region::Cn]),
                ..Parameters::default()
            },
        },
        Fact::TariffSet { area: Some(3), name: "night".into(), tariff: Some(tariff()) },
        Fact::TariffSet { area: None, name: String::new(), tariff: None },
        Fact::SessionRenamed { session: session(), plate: "京A12345".into() },
        Fact::Decision(Box::new(Decision { permits_version: Some(7), ..bare_decision() })),
        Fact::Started { version: "0.2.0".into(), grace_minutes: Some(20) },
        permitted(),
    ];
    facts.extend(locker_facts().into_iter().map(Fact::Locker));
    facts.extend(charge());
    facts
}
