//! What the cloud says at a lane: its list, its parameters, its tariffs, corrected plates.

use std::sync::Arc;

use domain::{
    access::{Change, Denial, Permit},
    clock::ClockQuality,
    event::{Fact, Rule, Verdict},
    money::Fen,
    plate::Region,
    site::Parameters,
    tariff::{Tariff, TariffRule},
};

use super::site::{Site, config, ruled, start};
use crate::gate::{Journaled, Listed};

const PERMITS_ONLY: (&str, &str) = ("access = \"public\"", "access = \"permits\"");

fn permit(plate: &str) -> Permit {
    Permit {
        plate: plate.to_owned().try_into().unwrap(),
        holder: "Li Na".into(),
        valid_from: None,
        valid_until: None,
        lanes: vec![],
        revoked: false,
    }
}

fn denial(plate: &str) -> Change {
    Change::Deny(Denial { plate: plate.to_owned().try_into().unwrap(), reason: "debts".into() })
}

fn list(version: u64, entries: impl IntoIterator<Item = Change>) -> Listed {
    Listed::new(version, entries)
}

fn permits(version: u64, permits: impl IntoIterator<Item = Permit>) -> Listed {
    list(version, permits.into_iter().map(Change::Permit))
}

fn tariff(hourly_fen: i64) -> Tariff {
    Tariff {
        rule: TariffRule::Overtime,
        free_minutes: 0,
        base_fee: Fen(hourly_fen),
        base_seconds: 3600,
        hourly_rate: Fen(hourly_fen),
        daily_max_fee: None,
    }
}

#[test]
fn a_permit_that_arrives_opens_for_the_car_that_waits_for_it() {
    let mut site = Site::with(&[PERMITS_ONLY]);
    let refused = site.see("entry", "京C00001").unwrap();
    assert_eq!((refused.rule, refused.permits_version), (Rule::NoPermit, None));
    site.take_list(permits(7, [permit("京C·00001")]));
    let opened = site.last_decision();
    assert_eq!((opened.verdict, opened.rule), (Verdict::Open, Rule::Permit));
    assert_eq!(opened.permits_version, Some(7));
    assert!(site.has(|fact| *fact == Fact::ListInEffect { version: 7, entries: 1 }));
}

#[test]
fn the_age_of_the_list_counts_from_its_last_confirmation() {
    let mut site = Site::new();
    site.wait_s(90);
    site.gate.confirm_list(site.now.monotonic_ms - 5_000);
    assert_eq!(site.see("entry", "京C00001").unwrap().permits_age_s, 5);
    let journaled = Journaled { confirmed_ago_ms: Some(3_600_000), ..Journaled::default() };
    let mut site = Site::started(config(&[]), journaled, start());
    assert_eq!(site.see("entry", "京C00002").unwrap().permits_age_s, 3600);
}

#[test]
fn a_denial_comes_before_a_permit_whoever_says_so() {
    let mut site = Site::new();
    // The configuration has a permit for 京A88888 and denies 京D00007.
    let entries = [denial("京A88888"), Change::Permit(permit("京D00007"))];
    site.take_list(list(1, entries));
    assert_eq!(ruled(site.see("entry", "京A88888")), (Verdict::Refuse, Rule::Denied));
    assert_eq!(ruled(site.see("entry", "京D00007")), (Verdict::Refuse, Rule::Denied));
}

#[test]
fn the_cloud_cannot_revoke_a_permit_of_the_configuration() {
    let mut site = Site::with(&[PERMITS_ONLY]);
    let revoked = Permit { revoked: true, valid_until: Some(site.now.wall), ..permit("京A88888") };
    site.take_list(permits(2, [revoked]));
    assert_eq!(ruled(site.see("entry", "京A88888")), (Verdict::Open, Rule::Permit));
}

#[test]
fn an_operator_opens_what_the_cloud_denies_and_the_record_says_both() {
    let mut site = Site::new();
    site.take_list(list(1, [denial("京C00001")]));
    assert_eq!(ruled(site.see("entry", "京C00001")), (Verdict::Refuse, Rule::Denied));
    let opened = site.ask("entry", crate::gate::Requester::Operator("Wang".into()));
    assert_eq!((opened.verdict, opened.rule), (Verdict::Open, Rule::Operator));
    assert_eq!(opened.reason, "Wang opened; otherwise: on the deny list: debts");
}

#[test]
fn a_permit_that_is_revoked_while_its_car_is_inside_is_charged_from_then_on() {
    let mut site = Site::new();
    site.take_list(permits(1, [permit("京C00001")]));
    site.let_through("entry", "京C00001");
    site.stay_min(120);
    let revoked = Permit { revoked: true, valid_until: Some(site.now.wall), ..permit("京C00001") };
    site.take_list(permits(2, [revoked]));
    site.stay_min(180);
    // One hour, not three; and the clock being lost does not bring the permit back.
    let leaving = site.see("exit", "京C00001").unwrap();
    assert_eq!((leaving.rule, leaving.fee_fen), (Rule::FeeDue, Some(500)));
    site.now.quality = ClockQuality::Unsynchronised;
    let entering = site.see("entry", "京C00001").unwrap();
    assert!(entering.rule != Rule::Permit, "{}", entering.reason);
}

#[test]
fn the_cloud_hears_of_a_permit_that_it_does_not_know() {
    let mut site = Site::new();
    site.take_list(permits(1, [permit("京C00001")]));
    site.let_through("entry", "京C00001");
    site.let_through("entry", "京A88888");
    let told = |of: &str, is_told: bool| {
        site.has(|fact| {
            matches!(fact, Fact::SessionOpened { plate, permit, .. }
                if plate == of && permit.is_some() == is_told)
        })
    };
    assert!(told("京C00001", false) && told("京A88888", true));
}

#[test]
fn a_permit_opens_the_lanes_that_it_names() {
    let mut site = Site::with(&[PERMITS_ONLY]);
    let elsewhere = Permit { lanes: vec!["staff".parse().unwrap()], ..permit("京C00001") };
    let here = Permit { lanes: vec!["entry".parse().unwrap()], ..permit("京C00002") };
    site.take_list(permits(1, [elsewhere, here]));
    let refused = site.see("entry", "京C00001").unwrap();
    assert_eq!(
        (refused.rule, refused.reason.as_str()),
        (Rule::NoPermit, "its permit is for staff only")
    );
    site.let_through("entry", "京C00002");
    assert_eq!(ruled(site.see("exit", "京C00002")), (Verdict::Open, Rule::Permit));
}

#[test]
fn a_stay_keeps_the_tariff_that_it_began_by() {
    let mut site = Site::with(&[("places = 2", "places = 3")]);
    site.let_through("entry", "京C00001");
    let changed = Fact::TariffSet { area: None, name: "dear".into(), tariff: Some(tariff(900)) };
    site.set(changed);
    site.stay_min(30);
    assert_eq!(site.see("exit", "京C00001").unwrap().fee_fen, Some(500));
    site.let_through("entry", "京C00002");
    site.stay_min(30);
    assert_eq!(site.see("exit", "京C00002").unwrap().fee_fen, Some(900));
    // Without one of the cloud the configuration's holds again.
    site.set(Fact::TariffSet { area: None, name: String::new(), tariff: None });
    site.wait_s(130);
    site.let_through("entry", "京C00003");
    site.stay_min(30);
    assert_eq!(site.see("exit", "京C00003").unwrap().fee_fen, Some(500));
}

#[test]
fn a_lane_s_area_has_its_own_tariff() {
    let mut site = Site::with(&[("access = \"public\"", "access = \"public\"\narea = 3")]);
    site.set(Fact::TariffSet { area: None, name: "site".into(), tariff: Some(tariff(700)) });
    site.set(Fact::TariffSet { area: Some(3), name: "area".into(), tariff: Some(tariff(900)) });
    site.let_through("entry", "京C00001");
    site.stay_min(30);
    assert_eq!(site.see("exit", "京C00001").unwrap().fee_fen, Some(900));
}

#[test]
fn what_the_cloud_sets_holds_and_the_rest_is_as_configured() {
    let mut site = Site::new();
    let set = |parameters| Fact::ParametersSet { parameters };
    site.set(set(Parameters { public_lanes: Some(vec![]), ..Parameters::default() }));
    assert_eq!(ruled(site.see("entry", "京C00001")), (Verdict::Refuse, Rule::NoPermit));
    // The same car waits: the lane is open to everybody again.
    site.set(set(Parameters { places: Some(1), ..Parameters::default() }));
    assert_eq!(site.last_decision().rule, Rule::Public);
    assert_eq!(site.last_decision().reason, "open to everybody, 1 of 1 places free");
}

#[test]
fn look_alikes_and_regions_can_be_left_out() {
    let set = |parameters| Fact::ParametersSet { parameters };
    let mut site = Site::with(&[PERMITS_ONLY]);
    assert_eq!(ruled(site.see("entry", "京A8888B")), (Verdict::Open, Rule::Permit));
    let mut site = Site::with(&[PERMITS_ONLY]);
    site.set(set(Parameters { look_alikes: Some(false), ..Parameters::default() }));
    assert_eq!(ruled(site.see("entry", "京A8888B")), (Verdict::Refuse, Rule::NoPermit));
    assert_eq!(ruled(site.see("entry", "京A88888")), (Verdict::Open, Rule::Permit));

    let mut site = Site::new();
    site.set(set(Parameters { regions: Some(vec![Region::Cn]), ..Parameters::default() }));
    let foreign = site.see("entry", "A123BC77").unwrap();
    assert_eq!(
        (foreign.rule, foreign.reason.as_str()),
        (Rule::Unreadable, "A123BC77 is no plate of cn")
    );
    assert_eq!(ruled(site.see("entry", "京C00002")), (Verdict::Open, Rule::Public));
}

#[test]
fn a_plate_that_was_corrected_lets_its_car_out() {
    let mut site = Site::new();
    site.let_through("entry", "京C00001");
    let session = site.last_session();
    assert_eq!(ruled(site.see("exit", "京X99999")), (Verdict::Refuse, Rule::NotInside));
    site.rename(session, "京X·99999");
    assert_eq!(ruled(Some(site.last_decision())), (Verdict::Open, Rule::Free));
    assert!(site.gate.knowledge().session_of("京C00001").is_none());
}

#[test]
fn a_start_goes_by_what_the_cloud_had_said() {
    let settings = vec![
        Fact::ParametersSet {
            parameters: Parameters { public_lanes: Some(vec![]), ..Parameters::default() },
        },
        Fact::TariffSet { area: None, name: "dear".into(), tariff: Some(tariff(900)) },
    ];
    let listed = Arc::new(permits(9, [permit("京C00001")]));
    let journaled = Journaled { settings, listed, ..Journaled::default() };
    let mut site = Site::started(config(&[]), journaled, start());
    ["entry", "exit"].iter().for_each(|lane| site.connect(lane, crate::gate::Arm::Closed));
    assert_eq!(ruled(site.see("entry", "京C00002")), (Verdict::Refuse, Rule::NoPermit));
    let permitted = site.let_through("entry", "京C00001");
    assert_eq!((permitted.rule, permitted.permits_version), (Rule::Permit, Some(9)));
    let opened = |fact: &Fact| matches!(fact, Fact::SessionOpened { tariff: Some(t), .. } if *t == tariff(900));
    assert!(site.has(opened));
}
