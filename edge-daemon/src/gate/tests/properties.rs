//! What holds for any input in any order. The promises themselves are in [`Site`]; here they are
//! put to the test.

use domain::{
    clock::ClockQuality,
    event::{Fact, Outcome, Verdict},
};
use proptest::prelude::*;

use super::site::Site;
use crate::gate::{Arm, Input, Report, Requester};

#[derive(Debug, Clone)]
enum Event {
    See(&'static str),
    SeeAgain(&'static str),
    Report(Report),
    Answer(Outcome),
    Obey,
    Ask(Requester),
    Pay(i64),
    Wait(u64),
    Jump(i64),
    SetClock(bool),
}

fn reports() -> impl Strategy<Value = Report> {
    let arms = [Arm::Closed, Arm::Opening, Arm::Open, Arm::Closing, Arm::Stopped, Arm::Fault];
    prop_oneof![
        6 => proptest::sample::select(arms.to_vec()).prop_map(Report::Arm),
        6 => any::<bool>().prop_map(Report::UnderArm),
        1 => any::<bool>().prop_map(Report::InFront),
        1 => any::<bool>().prop_map(Report::Fire),
        1 => any::<bool>().prop_map(Report::OnBattery),
        1 => Just(Report::Online),
        1 => Just(Report::Offline { reason: "test".into() }),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let plates = ["京B00001", "京BO0001", "京B00002", "京A88888", "京D00007", "", "---"];
    let outcomes = [
        Outcome::Accepted,
        Outcome::Expired,
        Outcome::Duplicate,
        Outcome::Refused,
        Outcome::Unanswered,
    ];
    let people = [Requester::Operator("Wang".into()), Requester::Button];
    prop_oneof![
        6 => proptest::sample::select(plates.to_vec()).prop_map(Event::See),
        1 => proptest::sample::select(plates.to_vec()).prop_map(Event::SeeAgain),
        8 => reports().prop_map(Event::Report),
        3 => proptest::sample::select(outcomes.to_vec()).prop_map(Event::Answer),
        4 => Just(Event::Obey),
        1 => proptest::sample::select(people.to_vec()).prop_map(Event::Ask),
        1 => (1i64..3000).prop_map(Event::Pay),
        4 => prop_oneof![0u64..30_000, 0u64..4_000_000].prop_map(Event::Wait),
        1 => (-100_000i64..100_000_000).prop_map(Event::Jump),
        1 => any::<bool>().prop_map(Event::SetClock),
    ]
}

fn happen(site: &mut Site, lane: &str, event: Event) {
    let on_the_line = site.commands.front().is_some_and(|c| c.device == device(lane));
    match event {
        Event::See(text) => drop(site.see(lane, text)),
        Event::SeeAgain(text) => drop(site.see_again(lane, text, 0.9)),
        Event::Report(report) => site.report(lane, report),
        Event::Answer(outcome) if on_the_line => drop(site.answer(lane, outcome)),
        Event::Obey if on_the_line => drop(site.obey(lane)),
        Event::Answer(_) | Event::Obey => site.step(lane, Input::Tick),
        Event::Ask(by) => drop(site.ask(lane, by)),
        Event::Pay(fen) => {
            let stays = |f: &Fact| matches!(f, Fact::SessionOpened { .. });
            let session = site.has(stays).then(|| site.last_session());
            let inside = session.filter(|s| site.gate.knowledge().session(*s).is_some());
            inside.into_iter().for_each(|session| site.pay(session, fen));
        }
        Event::Wait(ms) => site.wait_ms(ms),
        Event::Jump(s) => site.now.wall += chrono::TimeDelta::seconds(s),
        Event::SetClock(set) => {
            let quality = [ClockQuality::Unsynchronised, ClockQuality::Synchronised];
            site.now.quality = quality[usize::from(set)];
        }
    }
}

fn device(lane: &str) -> domain::ids::DeviceId {
    if lane == "entry" { "barrier-1" } else { "barrier-2" }.parse().unwrap()
}

/// Passages at the entry that somebody had leave for, but for alarms, are exactly the stays.
fn stays_match_passages(site: &Site) {
    let opened = site.count(|f| matches!(f, Fact::SessionOpened { .. }));
    let closed = site.count(|f| matches!(f, Fact::SessionClosed { .. }));
    assert_eq!(opened - closed, site.gate.knowledge().count_inside());
    for fact in &site.facts {
        if let Fact::SessionOpened { decision, .. } | Fact::SessionClosed { decision, .. } = fact {
            let passed =
                |f: &Fact| matches!(f, Fact::Passage { decision: Some(d), .. } if d == decision);
            assert_eq!(site.count(passed), 1, "one passage for one decision");
            let opened = |f: &Fact| matches!(f, Fact::Decision(d) if d.id == *decision && d.verdict == Verdict::Open);
            assert!(site.has(opened));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn promises_hold_for_any_input_in_any_order(
        story in proptest::collection::vec((any::<bool>(), events()), 1..80),
        controller_closes in any::<bool>(),
    ) {
        let close = if controller_closes { "controller" } else { "command" };
        let lane = format!("direction = \"entry\"\nclose = \"{close}\"");
        let mut site = Site::with(&[("direction = \"entry\"", &lane)]);
        for (entry, event) in story {
            happen(&mut site, if entry { "entry" } else { "exit" }, event);
        }
        stays_match_passages(&site);
        site.wait_s(1800);
        let idle = site.gate.views(site.now);
        prop_assert!(idle.iter().all(|lane| lane.authorised == 0 || lane.occupied));
    }

    #[test]
    fn well_behaved_traffic_leaves_no_trace_of_trouble(
        cars in proptest::collection::vec((0u8..6, 0u64..40), 1..40),
    ) {
        let mut site = Site::with(&[("places = 2", "places = 100"), ("free_minutes = 15", "free_minutes = 600")]);
        for (car, pause_s) in cars {
            let plate = format!("京C1234{car}");
            let inside = site.gate.knowledge().inside(&plate).is_some();
            site.let_through(if inside { "exit" } else { "entry" }, &plate);
            site.wait_s(pause_s);
        }
        prop_assert!(site.faults().is_empty());
        prop_assert_eq!(site.count(|f| matches!(f, Fact::Tailgate { .. })), 0);
        stays_match_passages(&site);
    }
}
