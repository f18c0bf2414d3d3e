//! The life of the arm.

use domain::event::{Action, Fact, Outcome, Rule, Verdict};

use super::site::{Site, lane, ruled};
use crate::gate::{Arm, Report};

fn is_passage(fact: &Fact) -> bool {
    matches!(fact, Fact::Passage { .. })
}

fn is_tailgate(fact: &Fact) -> bool {
    matches!(fact, Fact::Tailgate { .. })
}

fn is_stay(fact: &Fact) -> bool {
    matches!(fact, Fact::SessionOpened { .. })
}

#[test]
fn a_stay_begins_at_the_trailing_edge_and_not_before() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.obey("entry");
    site.report("entry", Report::UnderArm(true));
    site.wait_s(2);
    assert!(!site.has(is_passage) && site.commands.is_empty());
    site.report("entry", Report::UnderArm(false));
    assert!(site.has(is_passage) && site.has(is_stay));
    assert_eq!(site.obey("entry"), Action::Close, "and the arm comes down at once");
    assert!(site.faults().is_empty());
}

#[test]
fn whoever_does_not_drive_through_has_not_entered() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.obey("entry");
    site.wait_s(19);
    assert!(site.commands.is_empty());
    site.wait_s(1);
    assert_eq!(site.obey("entry"), Action::Close);
    assert!(!site.has(is_passage) && !site.has(is_stay));
}

#[test]
fn a_vehicle_that_follows_is_a_tailgate_and_is_counted() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.obey("entry");
    site.drive("entry");
    site.commands.clear();
    site.drive("entry");
    assert_eq!((site.count(is_passage), site.count(is_tailgate), site.count(is_stay)), (2, 1, 1));
    let unauthorised = |f: &Fact| matches!(f, Fact::Passage { decision: None, .. });
    assert_eq!(site.count(unauthorised), 1);
}

#[test]
fn two_authorised_vehicles_share_one_opening() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.obey("entry");
    assert_eq!(ruled(site.see("entry", "京B00002")), (Verdict::Open, Rule::Public));
    assert!(site.commands.is_empty(), "the arm is up");
    site.drive("entry");
    assert!(site.commands.is_empty(), "and stays up");
    site.drive("entry");
    assert_eq!(site.obey("entry"), Action::Close);
    assert_eq!((site.count(is_stay), site.count(is_tailgate)), (2, 0));
}

#[test]
fn where_the_controller_closes_by_itself_the_second_vehicle_has_its_own_opening() {
    let mut site =
        Site::with(&[("direction = \"entry\"", "direction = \"entry\"\nclose = \"controller\"")]);
    site.see("entry", "京B00001");
    site.obey("entry");
    site.see("entry", "京B00002");
    site.drive("entry");
    assert!(site.commands.is_empty());
    site.report("entry", Report::Arm(Arm::Closing));
    assert_eq!(site.obey("entry"), Action::Open);
    site.drive("entry");
    assert_eq!(site.count(is_stay), 2);
    site.wait_s(60);
    assert!(site.commands.is_empty(), "never told to close");
}

#[test]
fn something_under_a_closing_arm_raises_it_again() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.obey("entry");
    site.drive("entry");
    site.answer("entry", Outcome::Accepted);
    site.report("entry", Report::Arm(Arm::Closing));
    site.report("entry", Report::UnderArm(true));
    assert!(site.has(|f| matches!(f, Fact::Decision(d) if d.rule == Rule::Obstructed)));
    assert_eq!(site.obey("entry"), Action::Open);
    site.wait_s(30);
    assert!(site.commands.is_empty(), "never down on an occupied loop");
    site.report("entry", Report::UnderArm(false));
    assert_eq!(site.obey("entry"), Action::Close);
}

#[test]
fn an_arm_that_does_not_move_is_stuck_within_five_seconds() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.answer("entry", Outcome::Accepted);
    site.wait_ms(4_999);
    assert!(site.faults().is_empty());
    site.wait_ms(1);
    assert_eq!(site.faults(), ["stuck"]);
    assert!(site.commands.is_empty(), "and is not tried again by itself");
    assert_eq!(ruled(site.see("entry", "京B00002")), (Verdict::Open, Rule::Public));
    site.obey("entry");
    assert_eq!(site.faults(), ["stuck", "recovered"]);
}

#[test]
fn an_arm_that_stops_half_way_is_a_timeout() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.answer("entry", Outcome::Accepted);
    site.report("entry", Report::Arm(Arm::Opening));
    site.wait_s(5);
    assert_eq!(site.faults(), ["open_timeout"]);
    site.report("entry", Report::Arm(Arm::Open));
    site.drive("entry");
    site.answer("entry", Outcome::Accepted);
    site.report("entry", Report::Arm(Arm::Closing));
    site.wait_s(5);
    assert_eq!(site.faults(), ["open_timeout", "recovered", "close_timeout"]);
    assert!(site.has(is_stay));
}

#[test]
fn a_vehicle_that_stays_under_the_arm_is_a_fault() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.obey("entry");
    site.report("entry", Report::UnderArm(true));
    site.wait_s(120);
    assert_eq!(site.faults(), ["occupied"]);
    site.report("entry", Report::UnderArm(false));
    assert_eq!(site.faults(), ["occupied", "recovered"]);
    assert!(site.has(is_stay), "it had leave to drive through, however long it took");
}

#[test]
fn what_the_controller_calls_a_fault_refuses_and_what_it_mends_opens() {
    let mut site = Site::new();
    site.report("entry", Report::Arm(Arm::Fault));
    assert_eq!(ruled(site.see("entry", "京B00001")), (Verdict::Refuse, Rule::BarrierFault));
    site.report("entry", Report::Arm(Arm::Closed));
    assert_eq!(site.faults(), ["reported", "recovered"]);
    assert_eq!(site.obey("entry"), Action::Open, "the vehicle still stands there");
}

#[test]
fn every_command_has_exactly_one_outcome() {
    for outcome in [Outcome::Accepted, Outcome::Expired, Outcome::Duplicate, Outcome::Refused] {
        let mut site = Site::new();
        site.see("entry", "京B00001");
        let command = site.answer("entry", outcome);
        site.wait_s(60);
        let outcomes = |f: &Fact| {
            matches!(f, Fact::CommandOutcome { command: c, outcome: o, .. }
            if *c == command.id && *o == outcome)
        };
        assert_eq!(site.count(outcomes), 1, "{outcome:?}");
        assert!(site.commands.is_empty(), "{outcome:?}: nothing is sent again");
    }
}

#[test]
fn a_command_that_nobody_answers_is_unanswered_and_its_late_answer_is_ignored() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.wait_s(4);
    let unanswered =
        |f: &Fact| matches!(f, Fact::CommandOutcome { outcome: Outcome::Unanswered, .. });
    assert_eq!(site.count(unanswered), 1);
    site.answer("entry", Outcome::Accepted);
    assert_eq!(site.count(|f| matches!(f, Fact::CommandOutcome { .. })), 1);
}

#[test]
fn an_opening_that_moved_nothing_is_decided_anew_when_the_barrier_is_back() {
    let mut site = Site::new();
    let first = site.see("entry", "京B00001").unwrap();
    site.answer("entry", Outcome::Expired);
    site.report("entry", Report::Offline { reason: "no answer".into() });
    site.connect("entry", Arm::Closed);
    assert_eq!(site.commands.len(), 1);
    let anew =
        |f: &Fact| matches!(f, Fact::Decision(d) if d.verdict == Verdict::Open && d.id != first.id);
    assert_eq!(site.count(anew), 1, "as a decision of its own");
    site.obey("entry");
    site.drive("entry");
    assert_eq!(site.count(is_stay), 1);
}

#[test]
fn a_close_that_was_refused_is_tried_again_later() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.obey("entry");
    site.drive("entry");
    site.answer("entry", Outcome::Refused);
    site.wait_s(19);
    assert!(site.commands.is_empty());
    site.wait_s(1);
    assert_eq!(site.obey("entry"), Action::Close);
}

#[test]
fn an_arm_that_somebody_else_raised_is_left_alone() {
    let mut site = Site::new();
    site.report("entry", Report::Arm(Arm::Opening));
    site.report("entry", Report::Arm(Arm::Open));
    site.drive("entry");
    site.wait_s(600);
    assert!(site.commands.is_empty());
    assert_eq!((site.count(is_passage), site.count(is_tailgate)), (1, 0));
}

#[test]
fn fire_holds_the_lane_open_until_it_is_over() {
    let mut site = Site::new();
    site.report("exit", Report::Fire(true));
    assert!(site.has(|f| matches!(f, Fact::Decision(d) if d.rule == Rule::Fire)));
    assert_eq!(site.obey("exit"), Action::Open);
    for _ in 0..3 {
        site.drive("exit");
    }
    site.wait_s(3600);
    assert!(site.commands.is_empty());
    assert_eq!((site.count(is_passage), site.count(is_tailgate)), (3, 0), "everybody has leave");
    site.report("exit", Report::Fire(false));
    assert_eq!(site.obey("exit"), Action::Close);
}

#[test]
fn in_a_fire_even_the_unpaid_leave_and_their_stay_ends() {
    let mut site = Site::new();
    site.let_through("entry", "京B00001");
    site.wait_s(150 * 60);
    assert_eq!(ruled(site.see("exit", "京B00001")), (Verdict::Refuse, Rule::FeeDue));
    site.report("exit", Report::Fire(true));
    assert_eq!(site.obey("exit"), Action::Open);
    site.drive("exit");
    assert_eq!(site.gate.knowledge().count_inside(), 0);
}

#[test]
fn an_arm_that_does_not_rise_in_a_fire_is_tried_again_as_a_new_decision() {
    let mut site = Site::new();
    site.report("exit", Report::Fire(true));
    site.answer("exit", Outcome::Expired);
    site.wait_s(20);
    assert_eq!(site.obey("exit"), Action::Open);
    assert_eq!(site.count(|f| matches!(f, Fact::Decision(d) if d.rule == Rule::Fire)), 2);
}

#[test]
fn a_lane_that_fails_closed_says_so_and_goes_on() {
    let mut site =
        Site::with(&[("direction = \"exit\"", "direction = \"exit\"\nfail = \"closed\"")]);
    site.report("exit", Report::OnBattery(true));
    let told = |f: &Fact| matches!(f, Fact::Decision(d) if d.rule == Rule::PowerLoss && d.verdict == Verdict::Refuse);
    assert_eq!(site.count(told), 1);
    assert!(site.commands.is_empty());
    assert_eq!(ruled(site.see("exit", "京A88888")), (Verdict::Open, Rule::Permit));
}

#[test]
fn a_device_that_comes_and_goes_is_told_once_each_time() {
    let mut site = Site::new();
    for _ in 0..2 {
        site.report("entry", Report::Offline { reason: "no answer for 2 s".into() });
    }
    site.connect("entry", Arm::Closed);
    site.report("entry", Report::Online);
    let online: Vec<bool> = site
        .facts
        .iter()
        .filter_map(|f| match f {
            Fact::Device { online, .. } => Some(*online),
            _ => None,
        })
        .collect();
    assert_eq!(online, [false, true]);
}

#[test]
fn what_was_known_of_the_loop_before_the_device_was_lost_closes_nothing() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.obey("entry");
    for report in [
        Report::Offline { reason: "no answer for 2 s".into() },
        Report::UnderArm(false),
        Report::Offline { reason: "no answer for 4 s".into() },
        Report::Online,
        Report::Arm(Arm::Open),
    ] {
        site.report("entry", report);
    }
    site.wait_s(60);
    assert!(site.commands.is_empty());
    site.report("entry", Report::UnderArm(false));
    assert_eq!(site.obey("entry"), Action::Close);
}

#[test]
fn the_view_shows_what_people_ask_about() {
    let mut site = Site::new();
    site.see("entry", "京D00007");
    site.report("exit", Report::UnderArm(true));
    let views = site.gate.views(site.now);
    assert_eq!(views[0].lane, lane("entry"));
    assert_eq!((views[0].arm, views[0].online), ("closed", true));
    assert_eq!(views[0].waiting.as_deref(), Some("京D00007"));
    assert!(views[1].occupied);
}
