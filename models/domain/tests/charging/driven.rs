//! Piles at which a site's own charger stands: the station assigns, the site says what was.

use std::collections::BTreeMap;

use domain::charging::{
    AtSite, Cause, EndCause, Event, Mode, PileStatus, Refusal, SiteEnd, Stopping, What,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    invariants::holds,
    site::{HOUR, MINUTE, Site, ends, id, pile, starts},
};

fn driven() -> Site {
    let mut site = Site::new();
    site.drive(&["FAST-001", "FAST-002"]);
    site
}

fn assigned(events: &[Event]) -> Vec<(i64, String)> {
    let assigned = |event: &Event| match event.what {
        What::Assigned { pile, .. } => Some((event.request.user, pile.to_string())),
        _ => None,
    };
    events.iter().filter_map(assigned).collect()
}

impl Site {
    fn begins(&mut self, user: i64) -> Vec<Event> {
        self.station.site_started(self.now_ms, id(user), self.now_ms).unwrap()
    }

    fn stops(&mut self, user: i64, kwh: i64, cause: EndCause) -> Vec<Event> {
        let end = SiteEnd { at_ms: self.now_ms, energy_wh: kwh * 1000, cause };
        self.station.site_ended(self.now_ms, id(user), end).unwrap()
    }
}

#[test]
fn a_site_is_told_and_nothing_begins_or_ends_but_by_its_word() {
    let mut site = driven();
    let events = site.ask(1, Mode::Fast, 30).unwrap();
    assert_eq!((assigned(&events), starts(&events)), (vec![(1, "FAST-001".into())], vec![]));
    assert_eq!(site.wait(24 * HOUR), [], "nobody has plugged in");
    assert_eq!(starts(&site.begins(1)), [(1, 24 * HOUR)]);
    assert_eq!(site.begins(1), [], "it has begun already");
    assert_eq!((site.station.due_ms(), site.wait(24 * HOUR)), (None, vec![]));
    let events = site.stops(1, 29, EndCause::Full);
    assert_eq!(ends(&events), [(1, 48 * HOUR, 29_000)]);
    assert_eq!(site.station.request_of(1), None);
    let end = SiteEnd { at_ms: 0, energy_wh: 9, cause: EndCause::Full };
    assert_eq!(site.station.site_ended(0, id(1), end), Err(Refusal::NoRequest));
}

#[test]
fn what_a_site_tells_late_bears_its_own_time_and_the_next_is_told_now() {
    let mut site = driven();
    site.fast(3, 30);
    site.begins(1);
    site.now_ms = 5 * HOUR;
    let end = SiteEnd { at_ms: HOUR, energy_wh: 30_000, cause: EndCause::Reached };
    let events = site.station.site_ended(site.now_ms, id(1), end).unwrap();
    assert_eq!(ends(&events), [(1, HOUR, 30_000)]);
    assert_eq!(assigned(&events), [(3, "FAST-001".into())]);
    assert!(events.iter().all(|e| e.request.user == 1 || e.at_ms == 5 * HOUR));
}

#[test]
fn a_broken_charger_requeues_before_all_others_and_waits_for_the_site_s_last_word() {
    let mut site = driven();
    site.fast(5, 30);
    site.begins(1);
    let down = site.station.site_pile(0, pile("FAST-001"), PileStatus::Fault).unwrap();
    assert_eq!(ends(&down), [], "how much it delivered is the site's to say");
    assert_eq!(site.at("FAST-001"), [1]);
    let events = site.stops(1, 10, EndCause::Fault);
    assert_eq!(ends(&events), [(1, 0, 10_000)]);
    assert!(events.iter().any(|e| matches!(e.what, What::Ended { cause: Cause::PileDown, .. })));
    assert_eq!(site.queue(Mode::Fast), [1, 3, 4, 5]);
    assert_eq!(site.station.request_of(1).unwrap().remaining_wh(), 20_000);
    let back = site.station.site_pile(0, pile("FAST-001"), PileStatus::Normal).unwrap();
    assert_eq!(assigned(&back), [(1, "FAST-001".into())], "in the order of their numbers");
}

#[test]
fn who_calls_off_or_has_enough_is_let_go_when_the_site_says_so() {
    let mut site = driven();
    site.fast(3, 30);
    let asked = site.station.cancel(0, id(1)).unwrap();
    let stopping = |why| What::Stopping { pile: pile("FAST-001"), why };
    assert_eq!(asked[0].what, stopping(Stopping::Cancelled));
    assert_eq!(site.station.cancel(0, id(1)), Ok(vec![]), "it was asked to");
    assert_eq!(site.complete(2), Err(Refusal::NotCharging), "it has not begun");
    let gone = site.stops(1, 0, EndCause::Stopped);
    assert_eq!(gone[0].what, What::Released { pile: pile("FAST-001") });
    assert_eq!(assigned(&gone), [(3, "FAST-001".into())]);
    site.begins(3);
    assert_eq!(site.station.cancel(0, id(3)), Err(Refusal::Charging));
    assert_eq!(site.complete(3).unwrap()[0].what, stopping(Stopping::Enough));
    assert_eq!(site.at("FAST-001"), [3]);
    assert_eq!(ends(&site.stops(3, 7, EndCause::Stopped)), [(3, 0, 7000)]);
}

#[test]
fn what_began_before_it_heard_of_the_cancellation_is_billed() {
    let mut site = driven();
    site.fast(1, 30);
    site.station.cancel(0, id(1)).unwrap();
    site.begins(1);
    assert_eq!(ends(&site.stops(1, 2, EndCause::Stopped)), [(1, 0, 2000)]);
}

#[test]
fn a_pile_that_staff_take_out_is_asked_to_stop_and_its_car_is_served_elsewhere() {
    let mut site = driven();
    site.fast(2, 30);
    site.begins(1);
    let events = site.set("FAST-001", PileStatus::Offline);
    let why = Stopping::PileDown;
    assert!(events.iter().any(|e| e.what == What::Stopping { pile: pile("FAST-001"), why }));
    site.stops(1, 4, EndCause::Stopped);
    assert_eq!(site.station.request_of(1).unwrap().remaining_wh(), 26_000);
}

#[test]
fn beside_a_real_charger_nothing_is_simulated() {
    let mut site = Site::new();
    site.fast(3, 60);
    site.now_ms = HOUR;
    let driven = [pile("FAST-002")].into();
    let events = site.station.set_driven(site.now_ms, &driven);
    assert_eq!(ends(&events), [(1, HOUR, 30_000), (2, HOUR, 30_000)]);
    assert_eq!(site.queue(Mode::Fast), [1, 2, 3]);
    let back = site.station.site_pile(site.now_ms, pile("FAST-002"), PileStatus::Normal).unwrap();
    assert_eq!(assigned(&back), [(1, "FAST-002".into())]);
    assert_eq!(site.wait(24 * HOUR), []);
    let more = domain::charging::Parameters { fast_piles: 3, ..site.station.parameters().clone() };
    let at_sites = [(pile("FAST-002"), PileStatus::Normal)].into();
    assert!(assigned(&site.station.set_parameters(site.now_ms, more, &at_sites)).is_empty());
    assert_eq!(site.station.piles()[&pile("FAST-003")].status, PileStatus::Offline);
}

#[test]
fn a_pile_that_is_added_where_a_site_s_charger_works_takes_whoever_waits() {
    let mut site = driven();
    site.fast(5, 30);
    let at_sites = ["FAST-001", "FAST-002", "FAST-003"].map(|p| (pile(p), PileStatus::Normal));
    let more = domain::charging::Parameters { fast_piles: 4, ..site.station.parameters().clone() };
    let events = site.station.set_parameters(site.now_ms, more, &at_sites.into());
    assert_eq!(assigned(&events).len(), 1, "{events:?}");
    assert_eq!(
        site.station.piles()[&pile("FAST-003")].running.as_ref().unwrap().site,
        Some(AtSite::default())
    );
    assert_eq!(site.station.piles()[&pile("FAST-004")].status, PileStatus::Offline);
}

#[test]
fn who_waits_behind_a_site_s_charger_is_told_by_its_meter() {
    let mut site = driven();
    site.fast(3, 30);
    site.begins(1);
    site.begins(2);
    assert_eq!(site.wait_min(3), 60);
    site.now_ms = 30 * MINUTE;
    assert_eq!(site.wait_min(3), 30);
    site.now_ms = 3 * HOUR;
    assert_eq!(site.wait_min(3), 0, "it is slower than its power says");
}

#[derive(Debug, Clone)]
enum Act {
    Ask { user: i64, kwh: i64 },
    Cancel { user: i64 },
    Complete { user: i64 },
    Begin { user: i64 },
    End { user: i64, kwh: i64, cause: EndCause },
    Charger { index: usize, status: PileStatus },
    Staff { index: usize, status: PileStatus },
    Drive { count: usize },
    Wait { ms: i64 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    use EndCause::{Fault, Full, NoCar, Reached, Refused, Stopped, Unplugged};
    let user = 1i64..9;
    let cause =
        prop::sample::select(vec![Reached, Full, Unplugged, Stopped, Fault, NoCar, Refused]);
    let status = prop::sample::select(PileStatus::ALL.to_vec());
    let act = prop_oneof![
        6 => (user.clone(), 1i64..50).prop_map(|(user, kwh)| Act::Ask { user, kwh }),
        2 => user.clone().prop_map(|user| Act::Cancel { user }),
        2 => user.clone().prop_map(|user| Act::Complete { user }),
        5 => user.clone().prop_map(|user| Act::Begin { user }),
        5 => (user, 0i64..50, cause).prop_map(|(user, kwh, cause)| Act::End { user, kwh, cause }),
        2 => (0usize..5, status.clone()).prop_map(|(index, status)| Act::Charger { index, status }),
        1 => (0usize..5, status).prop_map(|(index, status)| Act::Staff { index, status }),
        1 => (0usize..3).prop_map(|count| Act::Drive { count }),
        2 => (0i64..3 * HOUR).prop_map(|ms| Act::Wait { ms }),
    ];
    prop::collection::vec(act, 1..80)
}

fn play(site: &mut Site, act: &Act) -> Vec<Event> {
    let now_ms = site.now_ms;
    let named =
        |index: usize| pile(["FAST-001", "FAST-002", "SLOW-001", "SLOW-002", "SLOW-003"][index]);
    let station = &mut site.station;
    let done = match *act {
        Act::Ask { user, kwh } => return site.ask(user, Mode::Fast, kwh).unwrap_or_default(),
        Act::Cancel { user } => station.cancel(now_ms, id(user)),
        Act::Complete { user } => station.complete(now_ms, id(user)),
        Act::Begin { user } => station.site_started(now_ms, id(user), now_ms),
        Act::End { user, kwh, cause } => station.site_ended(
            now_ms,
            id(user),
            SiteEnd { at_ms: now_ms, energy_wh: kwh * 1000, cause },
        ),
        Act::Charger { index, status } => station.site_pile(now_ms, named(index), status),
        Act::Staff { index, status } => station.set_pile(now_ms, named(index), status),
        Act::Drive { count } => Ok(station.set_driven(now_ms, &(0..count).map(named).collect())),
        Act::Wait { ms } => return site.wait(ms),
    };
    done.unwrap_or_default()
}

/// What the site has delivered to whom began, against what is billed.
fn account(act: &Act, before: &Site, events: &[Event], owed_wh: &mut BTreeMap<Uuid, i64>) {
    if let Act::End { user, kwh, .. } = *act
        && before.station.running(id(user)).is_some_and(|(_, r)| r.site.is_some_and(|s| s.began))
    {
        *owed_wh.entry(id(user)).or_default() += kwh * 1000;
    }
    for event in events {
        if let What::Ended { running, energy_wh, .. } = &event.what
            && running.site.is_some_and(|site| site.began)
        {
            *owed_wh.entry(event.request.id).or_default() -= energy_wh;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_sites_say_the_promises_hold_and_all_they_delivered_is_billed_once(acts in acts()) {
        let (mut site, mut owed_wh) = (driven(), BTreeMap::new());
        for act in &acts {
            let before = Site { station: site.station.clone(), now_ms: site.now_ms, day: site.day };
            let events = play(&mut site, act);
            holds(&site.station);
            account(act, &before, &events, &mut owed_wh);
            prop_assert!(owed_wh.values().all(|wh| *wh == 0), "{:?} {:?}", act, owed_wh);
        }
    }
}
