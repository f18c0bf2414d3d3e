//! What a charge gets and when it ends: counted once, whatever stops in between.

use chrono::TimeDelta;
use domain::{
    charging::{ChargeMetered, EndCause},
    clock::{ClockQuality, Stamp},
    event::Fact,
};

use super::site::{Site, noon};
use crate::charger::Input;

/// A site with one charger and a car that is plugged in there.
fn plugged() -> Site {
    let mut site = Site::new(1, 63);
    site.hardware[0].plugged = true;
    site.pass_s(10);
    site
}

fn readings(site: &Site) -> Vec<ChargeMetered> {
    let metered = |(fact, _): &(Fact, Stamp)| match fact {
        Fact::ChargeMetered(metered) => Some(metered.clone()),
        _ => None,
    };
    site.journal.iter().filter_map(metered).collect()
}

/// All that was delivered stands in the ends, to the watt-hours that a meter does not show.
fn nothing_lost(site: &Site) {
    let billed: i64 = site.ends().iter().map(|end| end.energy_wh).sum();
    let delivered = site.delivered_wh(0);
    assert!((delivered - 2..=delivered + 1).contains(&billed), "{billed} of {delivered}");
}

#[test]
fn nothing_flows_without_a_charge_and_one_ends_at_what_was_asked_for() {
    let mut site = plugged();
    site.pass_s(3600);
    assert_eq!(site.delivered_wh(0), 0);
    site.assign(0, 10_000).unwrap();
    site.pass_s(3600);
    let (cause, energy_wh) = site.end();
    assert_eq!(cause, EndCause::Reached);
    assert!((10_000..10_030).contains(&energy_wh), "{energy_wh}");
    nothing_lost(&site);
    site.pass_s(3600);
    assert_eq!(site.hardware[0].limit_ma, 0);
    nothing_lost(&site);
}

#[test]
fn it_ends_when_the_battery_has_what_it_holds_or_the_car_takes_no_more() {
    let mut site = plugged();
    site.assign_with(0, 10_000, Some(4_000), &[]).unwrap();
    site.pass_s(3600);
    assert_eq!(site.end().0, EndCause::Battery);
    let mut site = plugged();
    site.assign(0, 10_000).unwrap();
    site.pass_s(600);
    site.hardware[0].car_ma = 0;
    site.pass_s(299);
    assert_eq!(site.ends(), []);
    site.pass_s(30);
    assert_eq!(site.end().0, EndCause::Full);
    nothing_lost(&site);
}

#[test]
fn it_ends_on_unplug_on_fault_on_demand_and_where_nobody_comes() {
    type Deed = fn(&mut Site);
    let deeds: [(Deed, EndCause); 3] = [
        (|site| site.hardware[0].plugged = false, EndCause::Unplugged),
        (|site| site.hardware[0].fault = Some("residual".into()), EndCause::Fault),
        (|site| assert!(site.stop(site_session())), EndCause::Stopped),
    ];
    for (deed, cause) in deeds {
        let mut site = plugged();
        site.assign(0, 50_000).unwrap();
        site.pass_s(1800);
        deed(&mut site);
        site.pass_s(20);
        assert_eq!(site.end().0, cause);
        nothing_lost(&site);
    }
    let mut site = Site::new(1, 63);
    site.assign(0, 50_000).unwrap();
    site.pass_s(890);
    assert_eq!(site.ends(), []);
    site.pass_s(30);
    assert_eq!(site.end(), (EndCause::NoCar, 0));
}

fn site_session() -> domain::ids::ChargingId {
    domain::ids::ChargingId(uuid::Uuid::from_u128(1))
}

#[test]
fn a_fault_is_told_with_its_end_and_its_recovery() {
    let mut site = plugged();
    site.hardware[0].fault = Some("too hot".into());
    site.pass_s(5);
    site.hardware[0].fault = None;
    site.pass_s(5);
    let told = site.journal.iter().filter_map(|(fact, _)| match fact {
        Fact::ChargerFault { fault, .. } => Some(fault.as_str()),
        Fact::ChargerRecovered { .. } => Some("well"),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), ["too hot", "well"]);
}

#[test]
fn a_charger_takes_one_car_at_a_time_and_the_same_charge_once() {
    let mut site = plugged();
    site.assign(0, 50_000).unwrap();
    assert_eq!(site.assign(0, 50_000), None);
    assert!(!site.stop(domain::ids::ChargingId(uuid::Uuid::from_u128(77))));
}

#[test]
fn a_restart_of_the_program_loses_and_doubles_nothing() {
    let mut site = plugged();
    site.assign(0, 20_000).unwrap();
    for down_s in [1, 20, 200, 5] {
        site.pass_s(437);
        site.kill();
        site.pass_s(down_s);
        site.start();
    }
    site.pass_s(3 * 3600);
    assert_eq!(site.end().0, EndCause::Reached);
    nothing_lost(&site);
}

#[test]
fn one_that_is_killed_between_the_assignment_and_the_first_reading_counts_from_the_assignment() {
    let mut site = plugged();
    site.assign(0, 20_000).unwrap();
    site.kill();
    site.pass_s(25);
    assert!(site.delivered_wh(0) > 50, "the charger had been told already");
    site.start();
    site.pass_s(2 * 3600);
    nothing_lost(&site);
}

#[test]
fn a_restart_of_the_charger_goes_on_where_it_was() {
    let mut site = plugged();
    site.assign(0, 20_000).unwrap();
    site.pass_s(600);
    site.hardware[0].reboot();
    site.pass_s(600);
    // Another one loses its register as well.
    site.hardware[0].reboot();
    site.hardware[0].register_mwh = 0;
    site.pass_s(3 * 3600);
    assert_eq!(site.end().0, EndCause::Reached);
    nothing_lost(&site);
}

#[test]
fn a_charger_that_cannot_be_reached_is_billed_by_its_register_when_it_is_back() {
    let mut site = plugged();
    site.assign(0, 20_000).unwrap();
    site.pass_s(600);
    site.hardware[0].reachable = false;
    site.pass_s(1200);
    assert_eq!(site.hardware[0].limit_ma, 0, "it has fallen back by itself");
    site.hardware[0].reachable = true;
    site.pass_s(3 * 3600);
    assert_eq!(site.end().0, EndCause::Reached);
    nothing_lost(&site);
}

#[test]
fn the_meter_is_journaled_regularly_and_when_another_tariff_begins() {
    let mut site = plugged();
    let border = noon() + TimeDelta::seconds(1_111);
    site.assign_with(0, 20_000, None, &[border.timestamp()]).unwrap();
    site.pass_s(1_200);
    let at: Vec<i64> = readings(&site).iter().map(|r| (r.at - noon()).num_seconds()).collect();
    assert!(at.contains(&1_111) && at.len() == 4, "{at:?}");
    assert!(readings(&site).is_sorted_by_key(|reading| (reading.at, reading.energy_wh)));
}

#[test]
fn a_car_that_stays_takes_nothing_on_the_next_ones_bill() {
    let mut site = plugged();
    site.assign(0, 10_000).unwrap();
    site.pass_s(3600);
    let first = site.end();
    // The next driver is sent here while it still stands, also after a restart of the program.
    for restarts in [false, true] {
        if restarts {
            site.kill();
            site.start();
        }
        let before = site.ends().len();
        site.assign(0, 10_000).unwrap();
        site.pass_s(910);
        assert_eq!(site.ends().len(), before + 1, "it gives its place away");
        assert_eq!(site.ends()[before].cause, EndCause::NoCar);
    }
    assert_eq!(site.delivered_wh(0), first.1, "nothing more has flown");
    let blocked = |(fact, _): &&(Fact, Stamp)| matches!(fact, Fact::ChargeBlocked(_));
    assert_eq!(site.journal.iter().filter(blocked).count(), 2, "each was told once");
    site.assign(0, 5_000).unwrap();
    site.pass_s(60);
    site.hardware[0].plugged = false;
    site.pass_s(30);
    site.hardware[0].plugged = true;
    site.pass_s(3600);
    let last = site.ends().pop().unwrap();
    assert_eq!(last.cause, EndCause::Reached);
    assert!((5_000..5_030).contains(&last.energy_wh), "{last:?}");
    nothing_lost(&site);
}

#[test]
fn a_wall_clock_that_is_set_moves_nothing() {
    let mut site = Site::new(1, 63);
    (site.quality, site.wall_off) = (ClockQuality::Unsynchronised, TimeDelta::days(-20_000));
    site.hardware[0].plugged = true;
    site.pass_s(10);
    let began = site.truth();
    site.assign(0, 60_000).unwrap();
    site.pass_s(900);
    (site.quality, site.wall_off) = (ClockQuality::Synchronised, TimeDelta::hours(-3));
    site.pass_s(900);
    site.kill();
    site.start();
    site.wall_off = TimeDelta::zero();
    site.pass_s(1800);
    site.hardware[0].plugged = false;
    site.pass_s(10);
    let end = &site.ends()[0];
    let elapsed = (end.at - began).num_seconds();
    assert!((3_600..3_620).contains(&elapsed), "{elapsed}");
    let late = readings(&site).iter().map(|r| (r.at - began).num_seconds()).collect::<Vec<_>>();
    assert!(late.is_sorted() && late.last().unwrap() > &3_200, "{late:?}");
    nothing_lost(&site);
}

#[test]
fn a_machine_that_was_off_asks_the_clock_once_it_is_set() {
    let mut site = plugged();
    let began = site.truth();
    site.assign(0, 60_000).unwrap();
    site.pass_s(900);
    site.kill();
    site.pass_s(600);
    site.machine_ms = site.now_ms;
    (site.quality, site.wall_off) = (ClockQuality::Unsynchronised, TimeDelta::days(-20_000));
    site.start();
    site.pass_s(60);
    (site.quality, site.wall_off) = (ClockQuality::Synchronised, TimeDelta::zero());
    site.pass_s(240);
    site.hardware[0].plugged = false;
    site.pass_s(10);
    let elapsed = (site.ends()[0].at - began).num_seconds();
    assert!((1_800..1_820).contains(&elapsed), "{elapsed}");
    nothing_lost(&site);
}

#[test]
fn a_charge_whose_charger_is_gone_ends_with_what_was_read() {
    let mut site = plugged();
    site.assign(0, 60_000).unwrap();
    site.pass_s(1000);
    let open = super::site::open(&site.journal);
    let config = crate::charger::Config {
        charging: Some(toml::from_str("limit_a = 63").unwrap()),
        chargers: Vec::new(),
    };
    let (mut chargers, commit) =
        crate::charger::Chargers::recovered(config, open, &[], site.stamp()).unwrap();
    let ended = commit.facts.iter().find_map(|fact| match fact {
        Fact::ChargeEnded(ended) => Some((ended.cause, ended.energy_wh)),
        _ => None,
    });
    assert_eq!(ended, readings(&site).last().map(|last| (EndCause::Fault, last.energy_wh)));
    assert_eq!(chargers.step(Input::Tick, site.stamp()), crate::charger::Commit::default());
}
