//! Who goes where and waits how long.

use std::collections::BTreeMap;

use domain::charging::{Mode, Parameters, Refusal};

use super::site::{HOUR, MINUTE, Site, ends, id, starts};

#[test]
fn a_request_goes_to_the_pile_that_finishes_it_soonest() {
    let mut site = Site::new();
    site.ask(1, Mode::Fast, 60).unwrap(); // two hours at FAST-001
    site.ask(2, Mode::Fast, 30).unwrap(); // one hour at FAST-002
    site.ask(3, Mode::Fast, 15).unwrap();
    assert_eq!((site.at("FAST-001"), site.at("FAST-002")), (vec![1], vec![2, 3]));
    assert_eq!(site.wait_min(3), 60);
    site.ask(4, Mode::Fast, 15).unwrap();
    assert_eq!(site.at("FAST-001"), [1, 4]);
    assert_eq!(site.wait_min(4), 90, "FAST-002 will stand idle half an hour before FAST-001");
}

#[test]
fn who_finds_no_pile_waits_in_the_area_and_is_called_in_order() {
    let mut site = Site::new();
    site.fast(6, 30);
    assert_eq!(site.station.in_waiting_area(), 2);
    assert_eq!(site.queue(Mode::Fast), [3, 4, 5, 6]);
    let events = site.wait(HOUR);
    assert_eq!(ends(&events), [(1, HOUR, 30_000), (2, HOUR, 30_000)]);
    assert_eq!(starts(&events), [(3, HOUR), (4, HOUR)]);
    assert_eq!((site.at("FAST-001"), site.at("FAST-002")), (vec![3, 5], vec![4, 6]));
}

#[test]
fn the_waiting_area_is_for_both_modes_and_full_at_its_size() {
    let mut site = Site::new();
    site.fast(10, 30); // 2 charge, 2 wait at a pile, 6 in the area
    assert_eq!(site.ask(11, Mode::Fast, 30), Err(Refusal::QueueFull));
    for user in 21..=26 {
        site.ask(user, Mode::Slow, 7).unwrap(); // there is room at the slow piles
    }
    assert_eq!(site.ask(27, Mode::Slow, 7), Err(Refusal::QueueFull));
    site.station.cancel(site.now_ms, id(9)).unwrap();
    site.ask(27, Mode::Slow, 7).unwrap();
}

#[test]
fn a_user_has_one_request() {
    let mut site = Site::new();
    site.fast(1, 30);
    assert_eq!(site.ask(1, Mode::Slow, 7), Err(Refusal::Duplicate));
    site.complete(1).unwrap();
    site.ask(1, Mode::Slow, 7).unwrap();
}

#[test]
fn numbers_count_per_mode_and_begin_anew_each_day() {
    let mut site = Site::new();
    site.fast(2, 30);
    site.ask(3, Mode::Slow, 7).unwrap();
    assert_eq!([1, 2, 3].map(|user| site.number(user)), ["F1", "F2", "T1"]);
    site.day = site.day.succ_opt().unwrap();
    site.ask(4, Mode::Fast, 30).unwrap();
    assert_eq!(site.number(4), "F1");
    site.day = site.day.pred_opt().unwrap();
    site.ask(5, Mode::Fast, 30).unwrap();
    assert_eq!(site.number(5), "F2", "a clock that is set back gives no number twice");
}

#[test]
fn another_amount_keeps_the_place_and_another_mode_takes_the_last() {
    let mut site = Site::new();
    site.fast(6, 30);
    site.station.change(0, site.day, id(3), None, Some(10_000)).unwrap();
    assert_eq!(site.queue(Mode::Fast), [3, 4, 5, 6]);
    assert_eq!(site.wait_min(5), 80);
    site.station.change(0, site.day, id(3), Some(Mode::Slow), None).unwrap();
    assert_eq!((site.number(3), site.at("SLOW-001")), ("T1".to_owned(), vec![3]));
    assert_eq!(site.at("FAST-001"), [1, 5], "the first of the area takes the place");
    for change in [(Some(Mode::Slow), None), (None, Some(1000))] {
        let refused = site.station.change(0, site.day, id(1), change.0, change.1);
        assert_eq!(refused, Err(Refusal::Charging));
    }
}

#[test]
fn a_change_of_mode_needs_a_place_there() {
    let mut site = Site::with(|set| (set.waiting_places, set.slow_piles) = (1, 1));
    site.ask(11, Mode::Slow, 7).unwrap();
    site.ask(12, Mode::Slow, 7).unwrap();
    site.fast(4, 30);
    site.ask(13, Mode::Slow, 7).unwrap(); // takes the only place of the area
    let before = site.station.clone();
    let refused = site.station.change(0, site.day, id(4), Some(Mode::Slow), None);
    assert_eq!((refused, &site.station), (Err(Refusal::QueueFull), &before));
    site.station.change(0, site.day, id(13), None, Some(1000)).unwrap();
}

#[test]
fn a_battery_is_not_charged_over_what_it_holds() {
    let mut site = Site::new();
    let new = domain::charging::NewRequest {
        id: id(1),
        user: 1,
        mode: Mode::Fast,
        requested_wh: 60_001,
        battery_wh: Some(60_000),
    };
    assert_eq!(site.station.submit(0, site.day, new), Err(Refusal::OverCapacity));
}

#[test]
fn a_pile_that_would_stand_idle_takes_over_who_waits_elsewhere() {
    let mut site = Site::new();
    site.fast(3, 30);
    assert_eq!(site.at("FAST-001"), [1, 3]);
    site.now_ms = 10 * MINUTE;
    let events = site.complete(2).unwrap();
    assert_eq!(starts(&events), [(3, 10 * MINUTE)]);
    assert_eq!((site.at("FAST-001"), site.at("FAST-002")), (vec![1], vec![3]));
}

#[test]
fn what_is_running_goes_on_as_it_began_when_settings_change() {
    let mut site = Site::new();
    site.fast(4, 30);
    let set = Parameters { fast_power_w: 60_000, fast_piles: 1, ..Parameters::default() };
    site.station.set_parameters(site.now_ms, set, &BTreeMap::new());
    assert_eq!((site.at("FAST-001"), site.at("FAST-002")), (vec![1, 3], vec![2]));
    let events = site.wait(2 * HOUR);
    assert_eq!(ends(&events)[..2], [(1, HOUR, 30_000), (2, HOUR, 30_000)]);
    assert_eq!(starts(&events), [(3, HOUR), (4, HOUR + HOUR / 2)]);
    assert_eq!(site.station.piles().len(), 4, "FAST-002 has gone with its last car");
}
