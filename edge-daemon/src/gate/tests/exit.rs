//! Who gets out, and for how much.

use domain::{
    clock::ClockQuality,
    event::{Fact, Rule, Verdict},
};

use super::site::{Site, ruled};

fn closed_with_fee(site: &Site) -> Option<i64> {
    site.facts.iter().find_map(|fact| match fact {
        Fact::SessionClosed { fee_fen, .. } => Some(*fee_fen),
        _ => None,
    })
}

#[test]
fn a_short_stay_is_free() {
    let mut site = Site::new();
    site.let_through("entry", "京B00001");
    site.wait_s(600);
    let decision = site.let_through("exit", "京B00001");
    assert_eq!((decision.rule, decision.fee_fen), (Rule::Free, Some(0)));
    assert_eq!(closed_with_fee(&site), Some(0));
    assert_eq!(site.gate.knowledge().count_inside(), 0);
}

#[test]
fn a_long_stay_is_paid_before_the_barrier_opens() {
    let mut site = Site::new();
    site.let_through("entry", "京B00001");
    let session = site.last_session();
    site.stay_min(150);
    let refused = site.see("exit", "京B00001").unwrap();
    assert_eq!((refused.verdict, refused.rule), (Verdict::Refuse, Rule::FeeDue));
    assert_eq!(refused.reason, "fee of ¥12.50 is due since 14:15");
    assert_eq!((refused.fee_fen, refused.session), (Some(1250), Some(session)));

    site.pay(session, 1250);
    site.obey("exit");
    site.drive("exit");
    assert_eq!(closed_with_fee(&site), Some(1250));
    let paid = |f: &Fact| {
        matches!(f, Fact::Decision(d) if d.rule == Rule::Paid
        && d.reason == "fee of ¥12.50 is paid, time to leave until 16:45")
    };
    assert!(site.has(paid), "paying opens for the vehicle that waits");
}

#[test]
fn a_fee_that_was_paid_at_the_cloud_counts_from_when_it_was_paid() {
    let mut site = Site::new();
    site.let_through("entry", "京B00001");
    let session = site.last_session();
    // 2 h 40 min cost more, but the line was slow.
    site.stay_min(160);
    assert_eq!(ruled(site.see("exit", "京B00001")), (Verdict::Refuse, Rule::FeeDue));
    site.pay_at_cloud(session, 1250, 1, 10);
    site.obey("exit");
    site.drive("exit");
    assert_eq!(closed_with_fee(&site), Some(1250));
    let paid = |f: &Fact| matches!(f, Fact::Decision(d) if d.rule == Rule::Paid && d.reason.ends_with("until 16:45"));
    assert!(site.has(paid), "the time to leave runs from the payment");
}

#[test]
fn a_directive_that_is_told_again_pays_nothing_more() {
    let mut site = Site::new();
    site.let_through("entry", "京B00001");
    let session = site.last_session();
    site.stay_min(150);
    site.pay_at_cloud(session, 500, 4, 0);
    site.pay_at_cloud(session, 500, 4, 0);
    site.pay_at_cloud(session, 500, 5, 0);
    let refused = site.see("exit", "京B00001").unwrap();
    assert!(refused.reason.contains("beside ¥10.00 that is paid"), "{}", refused.reason);
}

#[test]
fn after_the_time_to_leave_the_additional_time_is_due() {
    let mut site = Site::new();
    site.let_through("entry", "京B00001");
    site.stay_min(150);
    site.pay(site.last_session(), 1250);
    site.stay_min(164);
    assert_eq!(ruled(site.see("exit", "京B00001")), (Verdict::Open, Rule::Paid));
    site.obey("exit");
    site.wait_s(90); // never drives through
    let late = site.see("exit", "京B00001").unwrap();
    assert_eq!(late.rule, Rule::FeeDue);
    assert!(
        late.reason.ends_with("is due since 16:45, beside ¥12.50 that is paid"),
        "{}",
        late.reason
    );
}

#[test]
fn permits_leave_without_paying_even_where_no_entry_is_known() {
    let mut site = Site::new();
    site.let_through("entry", "京A88888");
    site.wait_s(3600 * 30);
    assert_eq!(site.let_through("exit", "京A88888").rule, Rule::Permit);
    assert_eq!(closed_with_fee(&site), Some(0));
    let again = site.let_through("exit", "京A88888");
    assert_eq!(again.reason, "permit of Chen Wei; no entry is known");
}

#[test]
fn a_permit_that_ended_is_charged_from_its_end() {
    let dated = "holder = \"Chen Wei\"\nvalid_until = \"2026-11-20T08:00:00Z\"";
    let mut site = Site::with(&[("holder = \"Chen Wei\"", dated)]);
    site.let_through("entry", "京A88888");
    site.stay_min(179); // 59 minutes beyond the permit
    let decision = site.see("exit", "京A88888").unwrap();
    assert_eq!((decision.rule, decision.fee_fen), (Rule::FeeDue, Some(500)));
}

#[test]
fn whoever_never_entered_is_answered_as_configured() {
    let mut site = Site::new();
    assert_eq!(ruled(site.see("exit", "京B00001")), (Verdict::Refuse, Rule::NotInside));
    let mut open =
        Site::with(&[("direction = \"exit\"", "direction = \"exit\"\nnot_inside = \"open\"")]);
    assert_eq!(open.let_through("exit", "京B00001").rule, Rule::NotInside);
}

#[test]
fn a_misread_plate_finds_its_stay_where_only_one_can_be_meant() {
    let mut site = Site::with(&[("places = 2", "places = 9")]);
    site.let_through("entry", "京C80001");
    assert_eq!(site.let_through("exit", "京CB0001").rule, Rule::Free);
    site.let_through("entry", "京C80001");
    site.let_through("entry", "京C8000I");
    assert_eq!(ruled(site.see("exit", "京CB0001")), (Verdict::Refuse, Rule::Ambiguous));
    assert_eq!(ruled(site.see("exit", "京C8000I")), (Verdict::Open, Rule::Free));
}

#[test]
fn nobody_is_kept_inside_by_the_deny_list() {
    let mut site = Site::new();
    site.see("entry", "京D00007");
    site.ask("entry", crate::gate::Requester::Operator("Wang".into()));
    site.obey("entry");
    site.drive("entry");
    site.obey("entry");
    assert_eq!(site.let_through("exit", "京D00007").rule, Rule::Free);
}

#[test]
fn a_clock_that_jumps_during_the_stay_changes_no_fee() {
    for jump_s in [-3 * 3600, 2 * 365 * 24 * 3600] {
        let mut site = Site::new();
        site.let_through("entry", "京B00001");
        site.now.wall += chrono::TimeDelta::seconds(jump_s);
        site.stay_min(150);
        let decision = site.see("exit", "京B00001").unwrap();
        assert_eq!(decision.fee_fen, Some(1250), "a jump by {jump_s} s");
    }
}

#[test]
fn a_stay_that_began_in_1970_is_measured_once_the_clock_is_set() {
    let mut site = Site::new();
    let set = site.now;
    site.now.wall = "1970-01-01T00:00:00Z".parse().unwrap();
    site.now.quality = ClockQuality::Unsynchronised;
    site.let_through("entry", "京B00001");
    (site.now.wall, site.now.quality) = (set.wall, set.quality);
    site.stay_min(150);
    let session = site.last_session();
    assert_eq!(site.see("exit", "京B00001").unwrap().fee_fen, Some(1250));
    site.pay(session, 1250);
    site.obey("exit");
    site.drive("exit");
    assert_eq!(closed_with_fee(&site), Some(1250));
}
