//! Who gets in, and what is said about it.

use domain::event::{Fact, Rule, Verdict};

use super::site::{Site, ruled};

#[test]
fn a_permit_opens_and_the_decision_explains_itself() {
    let mut site = Site::with(&[("access = \"public\"", "access = \"permits\"")]);
    site.wait_s(90);
    let decision = site.see("entry", "京A-88888").unwrap();
    assert_eq!((decision.verdict, decision.rule), (Verdict::Open, Rule::Permit));
    assert_eq!(decision.reason, "permit of Chen Wei");
    assert_eq!(decision.plate.as_ref().unwrap().text, "京A88888", "in normal form");
    assert_eq!(decision.plate.unwrap().region, "cn");
    assert_eq!(
        (decision.candidates[0].plate.as_str(), decision.candidates[0].score),
        ("京A88888", 1.0)
    );
    assert_eq!((decision.permits_age_s, decision.permits_version), (90, None));
}

#[test]
fn a_permit_lane_refuses_everybody_else() {
    let mut site = Site::with(&[("access = \"public\"", "access = \"permits\"")]);
    assert_eq!(ruled(site.see("entry", "京B12345")), (Verdict::Refuse, Rule::NoPermit));
    assert!(site.commands.is_empty());
}

#[test]
fn permits_hold_for_their_time_alone() {
    let dated = "holder = \"Chen Wei\"\nvalid_from = \"2026-11-20T06:10:00Z\"\nvalid_until = \"2026-11-20T06:20:00Z\"";
    let changes =
        [("access = \"public\"", "access = \"permits\""), ("holder = \"Chen Wei\"", dated)];
    let mut site = Site::with(&changes);
    let early = site.see("entry", "京A88888").unwrap();
    assert_eq!(
        (early.rule, early.reason.as_str()),
        (Rule::NoPermit, "its permit holds from 14:10 only")
    );
    site.wait_s(600);
    let inside = site.see("entry", "京A88888").unwrap();
    assert_eq!(inside.reason, "permit of Chen Wei, valid until 14:20");
    site.wait_s(600);
    let late = site.see("entry", "京A88888").unwrap();
    assert_eq!(late.reason, "its permit ended at 14:20");
}

#[test]
fn while_the_clock_is_not_set_a_permit_is_a_permit() {
    let dated = "holder = \"Chen Wei\"\nvalid_from = \"2026-01-01T00:00:00Z\"";
    let mut site = Site::with(&[
        ("access = \"public\"", "access = \"permits\""),
        ("holder = \"Chen Wei\"", dated),
    ]);
    site.now.wall = "1970-01-01T00:01:00Z".parse().unwrap();
    site.now.quality = domain::clock::ClockQuality::Unsynchronised;
    let decision = site.see("entry", "京A88888").unwrap();
    assert_eq!(decision.verdict, Verdict::Open);
    assert!(decision.reason.contains("the clock is not set"), "{}", decision.reason);
}

#[test]
fn the_deny_list_comes_first() {
    let mut site = Site::new();
    let decision = site.see("entry", "京D00007").unwrap();
    assert_eq!((decision.verdict, decision.rule), (Verdict::Refuse, Rule::Denied));
    assert_eq!(decision.reason, "on the deny list: unpaid damage");
}

#[test]
fn a_full_site_takes_permits_alone_and_counts_who_is_on_the_way_in() {
    let mut site = Site::new();
    site.let_through("entry", "京B00001");
    assert_eq!(ruled(site.see("entry", "京B00002")), (Verdict::Open, Rule::Public));
    assert_eq!(ruled(site.see("entry", "京B00003")), (Verdict::Refuse, Rule::Full));
    assert_eq!(ruled(site.see("entry", "京A88888")), (Verdict::Open, Rule::Permit));
}

#[test]
fn a_place_that_becomes_free_lets_the_next_one_in() {
    let mut site = Site::with(&[("places = 2", "places = 1")]);
    site.let_through("entry", "京B00001");
    assert_eq!(ruled(site.see("entry", "京B00002")), (Verdict::Refuse, Rule::Full));
    site.see("exit", "京B00001");
    site.obey("exit");
    site.drive("exit");
    let opened = |f: &Fact| {
        matches!(f, Fact::Decision(d) if d.verdict == Verdict::Open
        && d.plate.as_ref().is_some_and(|p| p.text == "京B00002"))
    };
    assert!(site.has(opened), "the waiting vehicle is let in by the commit that freed the place");
}

#[test]
fn what_cannot_be_trusted_is_unreadable_until_it_reads_better() {
    let mut site = Site::new();
    assert_eq!(ruled(site.see("entry", "")), (Verdict::Refuse, Rule::Unreadable));
    let poor = site.see_again("entry", "京B12345", 0.5).unwrap();
    assert_eq!(poor.reason, "read with a confidence of 0.50, below 0.80");
    assert_eq!(ruled(site.see_again("entry", "京B12345", 0.9)), (Verdict::Open, Rule::Public));
    assert_eq!(site.see_again("entry", "京B12345", 0.99), None, "one vehicle, one opening");
}

#[test]
fn one_look_alike_is_taken_for_the_known_plate() {
    let mut site = Site::with(&[("access = \"public\"", "access = \"permits\"")]);
    let decision = site.let_through("entry", "京AB8888");
    assert_eq!(decision.rule, Rule::Permit);
    assert!(decision.candidates[0].score < 1.0);
    let stays = |f: &Fact| matches!(f, Fact::SessionOpened { plate, .. } if plate == "京A88888");
    assert!(site.has(stays), "the stay is of the known plate, so that it is found at the exit");
}

#[test]
fn two_look_alikes_open_for_nobody() {
    let second = "京A88888\"\nholder = \"Li Na\"\n[[permits]]\nplate = \"京A8888B";
    let mut site = Site::with(&[("京A·88888", second)]);
    let decision = site.see("entry", "京A888B8").unwrap();
    assert_eq!((decision.verdict, decision.rule), (Verdict::Refuse, Rule::Ambiguous));
    assert_eq!(decision.candidates.len(), 2);
    assert_eq!(ruled(site.see("entry", "京A8888B")), (Verdict::Open, Rule::Permit), "exact wins");
}

#[test]
fn a_look_alike_of_a_denied_plate_is_denied() {
    let mut site = Site::new();
    assert_eq!(ruled(site.see("entry", "京DO0007")), (Verdict::Refuse, Rule::Denied));
}

#[test]
fn whoever_is_inside_already_begins_a_new_stay_or_is_refused_as_configured() {
    let mut site = Site::new();
    site.let_through("entry", "京B00001");
    let first = site.last_session();
    let decision = site.let_through("entry", "京B00001");
    assert_eq!(decision.rule, Rule::AlreadyInside);
    let ended = |f: &Fact| matches!(f, Fact::SessionClosed { session, .. } if *session == first);
    assert!(site.has(ended));
    assert_eq!(site.gate.knowledge().count_inside(), 1);

    let mut strict =
        Site::with(&[("access = \"public\"", "access = \"public\"\nalready_inside = \"refuse\"")]);
    strict.let_through("entry", "京B00001");
    assert_eq!(ruled(strict.see("entry", "京B00001")), (Verdict::Refuse, Rule::AlreadyInside));
}

#[test]
fn the_same_vehicle_is_not_decided_on_again_and_again() {
    let mut site = Site::new();
    site.let_through("entry", "京D00001"); // waits 20 s at the end
    site.see("entry", "京D00007");
    assert_eq!(ruled(site.see("entry", "京D00007")), (Verdict::Refuse, Rule::Cooldown));
    assert_eq!(site.see("entry", "京DOOO07"), None, "noted once; look-alikes are the same vehicle");
    site.wait_s(11);
    assert_eq!(ruled(site.see("entry", "京D00007")), (Verdict::Refuse, Rule::Denied));
}

#[test]
fn the_tail_of_a_vehicle_that_has_passed_opens_nothing() {
    let mut site = Site::new();
    site.see("entry", "京B00001");
    site.obey("entry");
    site.wait_s(12);
    site.drive("entry");
    site.obey("entry");
    assert_eq!(ruled(site.see("entry", "京B00001")), (Verdict::Refuse, Rule::Cooldown));
}
