//! What the journal holds is enough to go on after a crash.

use domain::{
    clock::{ClockQuality, Stamp},
    event::{Action, Decision, Fact, Outcome, Rule, Verdict},
    ids::SessionId,
    parking::Session,
};
use uuid::Uuid;

use super::site::{Site, config, lane, ruled, start};
use crate::gate::{Arm, Inside, Intent, Journaled, Report, Since};

/// A site whose program ends while the arm rises for a vehicle, and starts again `later_ms` on.
fn restarted(later_ms: u64, arm: Arm) -> (Site, Decision) {
    let mut before = Site::new();
    let decision = before.see("entry", "京B00001").unwrap();
    let command = before.commands.pop_front().unwrap();
    let intent = Intent { command: command.id, decision: decision.id, lane: lane("entry") };
    let journaled = Journaled {
        unpassed: vec![(decision.clone(), before.now)],
        intents: vec![intent],
        ..Journaled::default()
    };
    before.wait_ms(later_ms);
    let mut site = Site::started(config(&[]), journaled, before.now);
    site.connect("entry", arm);
    (site, decision)
}

fn stays(site: &Site) -> usize {
    site.count(|fact| matches!(fact, Fact::SessionOpened { .. }))
}

#[test]
fn an_intent_without_an_outcome_is_unknown_and_never_sent_again() {
    let (mut site, _) = restarted(500, Arm::Closed);
    let unknown = |f: &Fact| matches!(f, Fact::CommandOutcome { outcome: Outcome::Unknown, .. });
    assert_eq!(site.count(unknown), 1);
    site.wait_s(120);
    assert!(site.commands.is_empty());
}

#[test]
fn a_vehicle_that_is_just_driving_through_gets_its_stay() {
    for arm in [Arm::Closed, Arm::Opening, Arm::Open] {
        let (mut site, decision) = restarted(500, arm);
        site.report("entry", Report::Arm(Arm::Opening));
        site.report("entry", Report::Arm(Arm::Open));
        site.drive("entry");
        let stay = |f: &Fact| {
            matches!(f, Fact::SessionOpened { plate, decision: d, .. }
            if plate == "京B00001" && *d == decision.id)
        };
        assert_eq!(site.count(stay), 1, "{arm:?}");
        assert_eq!(site.obey("entry"), Action::Close, "{arm:?}");
    }
}

#[test]
fn an_old_decision_takes_no_stay_from_the_next_vehicle() {
    let (mut site, _) = restarted(10_000, Arm::Closed);
    assert_eq!(ruled(site.see("entry", "京B00002")), (Verdict::Open, Rule::Public));
    site.obey("entry");
    site.drive("entry");
    assert!(site.has(|f| matches!(f, Fact::SessionOpened { plate, .. } if plate == "京B00002")));
    assert_eq!(stays(&site), 1);
}

#[test]
fn a_vehicle_that_still_stands_there_is_decided_on_once_nothing_can_move_for_it() {
    let (mut site, before) = restarted(500, Arm::Closed);
    assert_eq!(site.see("entry", "京B00001"), None, "its opening may still come");
    site.wait_s(5);
    assert_eq!(site.obey("entry"), Action::Open);
    site.drive("entry");
    let stay =
        |f: &Fact| matches!(f, Fact::SessionOpened { decision, .. } if *decision != before.id);
    assert_eq!((site.count(stay), stays(&site)), (1, 1));
}

#[test]
fn the_tail_of_a_vehicle_that_entered_just_before_opens_nothing() {
    let entered = Inside {
        session: Session {
            entered_at: start().wall - chrono::TimeDelta::seconds(3),
            ..inside(0, ClockQuality::Synchronised).session
        },
        since: Since::EarlierRun(ClockQuality::Synchronised),
    };
    let journaled = Journaled { inside: vec![entered], ..Journaled::default() };
    let mut site = Site::started(config(&[]), journaled, start());
    site.connect("entry", Arm::Closed);
    assert_eq!(ruled(site.see("entry", "京B00001")), (Verdict::Refuse, Rule::Cooldown));
}

#[test]
fn a_decision_from_before_the_machine_started_is_over() {
    let mut before = Site::new();
    let decision = before.see("entry", "京B00001").unwrap();
    let journaled = Journaled { unpassed: vec![(decision, before.now)], ..Journaled::default() };
    let mut site =
        Site::started(config(&[]), journaled, Stamp { monotonic_ms: 9_000, ..before.now });
    site.connect("entry", Arm::Open);
    site.drive("entry");
    assert_eq!(stays(&site), 0);
}

#[test]
fn an_arm_that_was_left_up_comes_down_once_the_loop_is_known_to_be_free() {
    let (mut site, _) = restarted(60_000, Arm::Open);
    assert_eq!(site.obey("entry"), Action::Close);
    site.wait_s(60);
    assert!(site.commands.is_empty());
}

fn inside(hours_ago: i64, clock: ClockQuality) -> Inside {
    let entered_at = start().wall - chrono::TimeDelta::hours(hours_ago);
    let tariff = config(&[]).parking.tariff;
    let session =
        Session::open(SessionId(Uuid::from_u128(7)), "京B00001".into(), entered_at, tariff);
    Inside { session, since: Since::EarlierRun(clock) }
}

fn leaving(inside: Inside, now: Stamp) -> Decision {
    let journaled = Journaled { inside: vec![inside], ..Journaled::default() };
    let mut site = Site::started(config(&[]), journaled, now);
    site.connect("exit", Arm::Closed);
    site.see("exit", "京B00001").unwrap()
}

#[test]
fn stays_of_an_earlier_run_are_charged_by_the_wall_clock() {
    let decision = leaving(inside(3, ClockQuality::Synchronised), start());
    assert_eq!((decision.rule, decision.fee_fen), (Rule::FeeDue, Some(1400)));
}

#[test]
fn a_stay_whose_length_nobody_can_say_is_not_charged_and_says_so() {
    let unset = Stamp { quality: ClockQuality::Unsynchronised, ..start() };
    for decision in [
        leaving(inside(3, ClockQuality::Unsynchronised), start()),
        leaving(inside(3, ClockQuality::Synchronised), unset),
    ] {
        assert_eq!((decision.verdict, decision.rule), (Verdict::Open, Rule::Free));
        assert!(decision.reason.contains("the clock was not set"), "{}", decision.reason);
    }
}
