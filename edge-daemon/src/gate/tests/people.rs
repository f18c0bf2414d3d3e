//! Operators and the button.

use domain::event::{Fact, Rule, Verdict};

use super::site::Site;
use crate::gate::{Report, Requester};

fn wang() -> Requester {
    Requester::Operator("Wang".into())
}

#[test]
fn an_operator_opens_for_the_vehicle_that_waits() {
    let mut site = Site::new();
    site.let_through("entry", "京B00001");
    let session = site.last_session();
    site.stay_min(150);
    site.see("exit", "京B00001");
    let decision = site.ask("exit", wang());
    assert_eq!((decision.verdict, decision.rule), (Verdict::Open, Rule::Operator));
    assert_eq!(decision.reason, "Wang opened; otherwise: fee of ¥12.50 is due since 14:15");
    assert_eq!(decision.requested_by.as_deref(), Some("Wang"));
    site.obey("exit");
    site.drive("exit");
    let closed = |f: &Fact| matches!(f, Fact::SessionClosed { session: s, fee_fen: 1250, .. } if *s == session);
    assert!(site.has(closed));
}

#[test]
fn an_unread_vehicle_that_is_let_in_has_a_stay_without_a_plate() {
    let mut site = Site::new();
    site.see("entry", "");
    site.ask("entry", wang());
    site.obey("entry");
    site.drive("entry");
    assert!(site.has(|f| matches!(f, Fact::SessionOpened { plate, .. } if plate.is_empty())));
    assert_eq!(site.gate.knowledge().count_inside(), 1);
}

#[test]
fn whoever_has_driven_away_is_not_opened_for() {
    let mut site = Site::new();
    site.report("entry", Report::InFront(true));
    site.see("entry", "京D00007");
    site.report("entry", Report::InFront(false));
    assert_eq!(site.ask("entry", wang()).plate, None);
}

#[test]
fn asking_twice_lets_one_vehicle_through() {
    let mut site = Site::new();
    site.ask("entry", wang());
    assert_eq!(site.ask("entry", wang()).rule, Rule::Cooldown);
    site.obey("entry");
    site.drive("entry");
    site.obey("entry");
    assert_eq!(site.ask("entry", wang()).verdict, Verdict::Open);
}

#[test]
fn the_button_opens_only_where_it_is_configured_to() {
    let mut site = Site::new();
    let decision = site.ask("entry", Requester::Button);
    assert_eq!((decision.verdict, decision.rule), (Verdict::Refuse, Rule::Button));
    let mut site =
        Site::with(&[("direction = \"entry\"", "direction = \"entry\"\nbutton = \"open\"")]);
    assert_eq!(site.ask("entry", Requester::Button).verdict, Verdict::Open);
}

#[test]
fn nothing_is_commanded_where_the_barrier_does_not_answer() {
    let mut site = Site::new();
    site.report("entry", Report::Offline { reason: "unplugged".into() });
    let decision = site.ask("entry", wang());
    assert_eq!((decision.verdict, decision.rule), (Verdict::Refuse, Rule::BarrierFault));
    assert!(site.commands.is_empty());
}
