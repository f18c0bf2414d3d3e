//! The wire form of events, byte by byte. A journal that was written by any version must be read
//! by every later one, so that a line of `vectors/facts.jsonl` is never changed, only added to.
#![allow(clippy::unwrap_used)]

mod samples;

use domain::{
    charging::EndCause,
    clock::{ClockQuality, Stamp},
    event::{Action, Decision, Direction, Event, Fact, Outcome, PlateKind, Rule, Verdict},
    ids::BootId,
    locker::{LockerFact, Trouble},
};
use uuid::Uuid;

use self::samples::{bare_decision, facts, name, tariff};

const VECTORS: &str = include_str!("../vectors/facts.jsonl");

/// Does not compile when a kind is added, until it has a name here and a line in the vectors.
fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Started { .. } => "started",
        Fact::Stopped => "stopped",
        Fact::Decision(_) => "decision",
        Fact::CommandIntent { .. } => "command_intent",
        Fact::CommandOutcome { .. } => "command_outcome",
        Fact::Passage { .. } => "passage",
        Fact::Tailgate { .. } => "tailgate",
        Fact::SessionOpened { .. } => "session_opened",
        Fact::SessionClosed { .. } => "session_closed",
        Fact::Paid { .. } => "paid",
        Fact::DirectiveDone { .. } => "directive_done",
        Fact::DirectiveSkipped { .. } => "directive_skipped",
        Fact::ListInEffect { .. } => "list_in_effect",
        Fact::ParametersSet { .. } => "parameters_set",
        Fact::TariffSet { .. } => "tariff_set",
        Fact::SessionRenamed { .. } => "session_renamed",
        Fact::LaneFault { .. } => "lane_fault",
        Fact::LaneRecovered { .. } => "lane_recovered",
        Fact::ChargersFound(_) => "chargers_found",
        Fact::ChargeAssigned(_) => "charge_assigned",
        Fact::ChargeBlocked(_) => "charge_blocked",
        Fact::ChargeStarted(_) => "charge_started",
        Fact::ChargeMetered(_) => "charge_metered",
        Fact::ChargeStop(_) => "charge_stop",
        Fact::ChargeEnded(_) => "charge_ended",
        Fact::ChargerFault { .. } => "charger_fault",
        Fact::ChargerRecovered { .. } => "charger_recovered",
        Fact::Device { .. } => "device",
        Fact::DeviceMisbehaves { .. } => "device_misbehaves",
        Fact::DeviceBehaves { .. } => "device_behaves",
        Fact::Locker(_) => "locker",
        Fact::Camera { .. } => "camera",
        Fact::VisionRestarted { .. } => "vision_restarted",
        Fact::ClockChanged { .. } => "clock_changed",
        Fact::Quarantined { .. } => "quarantined",
        Fact::KeyShared { .. } => "key_shared",
        Fact::JournalRepaired { .. } => "journal_repaired",
        Fact::JournalUnwritable { .. } => "journal_unwritable",
        Fact::Thinned { .. } => "thinned",
        Fact::Unknown => "unknown",
    }
}

#[test]
fn facts_are_written_in_exactly_these_bytes() {
    let written: Vec<String> =
        facts().iter().map(|fact| serde_json::to_string(fact).unwrap()).collect();
    for (written, vector) in written.iter().zip(VECTORS.lines()) {
        assert_eq!(written, vector);
    }
    assert_eq!(written.len(), VECTORS.lines().count());
}

#[test]
fn these_bytes_are_read_as_the_same_facts() {
    for (fact, vector) in facts().into_iter().zip(VECTORS.lines()) {
        let read: Fact = serde_json::from_str(vector).unwrap();
        assert_eq!(read, fact);
        assert!(vector.starts_with(&format!("{{\"type\":\"{}\"", kind(&fact))));
    }
}

#[test]
fn only_what_tells_of_the_machine_may_be_dropped() {
    let telemetry: Vec<_> = facts().iter().filter(|f| f.is_telemetry()).map(kind).collect();
    assert_eq!(telemetry, ["device", "camera", "vision_restarted", "clock_changed"]);
    let again = Decision { rule: Rule::Cooldown, ..bare_decision() };
    assert!(Fact::Decision(Box::new(again)).is_telemetry());
}

#[test]
fn an_event_is_its_place_and_its_fact() {
    let event = Event {
        sequence: 42,
        site: name("demo"),
        boot: BootId(Uuid::from_u128(0xb)),
        at: Stamp {
            wall: "2026-11-20T06:00:00.125Z".parse().unwrap(),
            monotonic_ms: 1_000,
            quality: ClockQuality::Unsynchronised,
        },
        fact: Fact::Stopped,
    };
    let written = r#"{"sequence":42,"site":"demo","boot":"00000000-0000-0000-0000-00000000000b","at":{"wall":"2026-11-20T06:00:00.125Z","monotonic_ms":1000,"quality":"unsynchronised"},"fact":{"type":"stopped"}}"#;
    assert_eq!(serde_json::to_string(&event).unwrap(), written);
    assert_eq!(serde_json::from_str::<Event>(written).unwrap(), event);
}

#[test]
fn every_word_of_every_list_is_as_it_was() {
    fn words<T: serde::Serialize>(all: &[T]) -> String {
        let words = all.iter().map(|word| serde_json::to_string(word).unwrap());
        words.map(|word| word.trim_matches('"').to_owned()).collect::<Vec<_>>().join(" ")
    }
    use {Outcome as O, PlateKind as K, Rule as R};
    let rules = [
        R::Permit,
        R::Public,
        R::Full,
        R::Denied,
        R::NoPermit,
        R::Unreadable,
        R::Ambiguous,
        R::Free,
        R::Paid,
        R::FeeDue,
        R::NotInside,
        R::AlreadyInside,
        R::Cooldown,
        R::Operator,
        R::Button,
        R::Fire,
        R::BarrierFault,
        R::PowerLoss,
        R::Obstructed,
    ];
    assert_eq!(
        words(&rules),
        "permit public full denied no_permit unreadable ambiguous free paid fee_due not_inside \
         already_inside cooldown operator button fire barrier_fault power_loss obstructed"
    );
    let outcomes = [O::Accepted, O::Expired, O::Duplicate, O::Refused, O::Unanswered, O::Unknown];
    assert_eq!(words(&outcomes), "accepted expired duplicate refused unanswered unknown");
    let kinds = [K::Blue, K::Green, K::Yellow, K::White, K::Black, K::Other];
    assert_eq!(words(&kinds), "blue green yellow white black other");
    use EndCause as E;
    let ends =
        [E::Reached, E::Battery, E::Full, E::Unplugged, E::Stopped, E::Fault, E::NoCar, E::Refused];
    assert_eq!(words(&ends), "reached battery full unplugged stopped fault no_car refused");
    assert_eq!(words(&[Verdict::Open, Verdict::Refuse]), "open refuse");
    assert_eq!(words(&[Action::Open, Action::Close]), "open close");
    assert_eq!(words(&[Direction::Entry, Direction::Exit]), "entry exit");
}

#[test]
fn a_kind_of_a_later_version_is_kept_unread() {
    let later = r#"{"type":"door_opened","door":7,"by":{"name":"x"}}"#;
    assert_eq!(serde_json::from_str::<Fact>(later).unwrap(), Fact::Unknown);
}

#[test]
fn what_a_later_version_tells_of_lockers_is_kept_unread() {
    let read = |text: &str| serde_json::from_str::<Fact>(text).unwrap();
    let later = r#"{"type":"locker","what":"sung","cabinet":"A001","song":["x"]}"#;
    assert_eq!(read(later), Fact::Locker(LockerFact::Unknown));
    let later = r#"{"type":"locker","what":"trouble","cabinet":"A001","trouble":"haunted"}"#;
    let trouble = LockerFact::Trouble { cabinet: "A001".into(), trouble: Trouble::Other };
    assert_eq!(read(later), Fact::Locker(trouble));
}

#[test]
fn words_of_a_later_version_do_not_make_an_event_unreadable() {
    let line = |kind: &str| VECTORS.lines().find(|l| l.contains(kind)).unwrap().to_owned();
    let decided = line("fee_due").replace("fee_due", "booked").replace("blue", "orange");
    let Fact::Decision(decision) = serde_json::from_str(&decided).unwrap() else { panic!() };
    assert_eq!(decision.rule, Rule::Other);
    assert_eq!(decision.plate.unwrap().kind, PlateKind::Other);
    let opened = line("free_minutes").replace("\"free_minutes\"", "\"night\":1,\"free_minutes\"");
    assert_eq!(serde_json::from_str::<Fact>(&opened).unwrap(), samples::opened(Some(tariff())));
}

#[test]
fn a_field_of_a_later_version_is_no_obstacle() {
    let later = r#"{"type":"started","version":"9.0.0","kernel":"7.1"}"#;
    assert_eq!(
        serde_json::from_str::<Fact>(later).unwrap(),
        Fact::Started { version: "9.0.0".into(), grace_minutes: None }
    );
}
