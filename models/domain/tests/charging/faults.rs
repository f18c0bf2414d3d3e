//! Piles that break and come back.

use domain::charging::{Cause, Mode, PileStatus, Rank, Refusal, What};

use super::site::{HOUR, MINUTE, Site, ends, id, starts};

#[test]
fn a_fault_bills_what_was_delivered_and_serves_the_rest_before_all_others() {
    let mut site = Site::new();
    site.fast(6, 30);
    site.now_ms = 20 * MINUTE;
    let events = site.set("FAST-001", PileStatus::Fault);
    assert_eq!(ends(&events), [(1, 20 * MINUTE, 10_000)]);
    assert!(
        events.iter().any(|event| matches!(event.what, What::Ended { cause: Cause::PileDown, .. }))
    );
    assert_eq!(
        (site.number(1), site.station.request_of(1).unwrap().remaining_wh()),
        ("F1".into(), 20_000)
    );
    assert_eq!(site.queue(Mode::Fast), [1, 3, 4, 5, 6], "the rest, the queue, everybody else");
    assert_eq!(site.station.in_waiting_area(), 4);
    let events = site.wait(40 * MINUTE);
    assert_eq!(starts(&events), [(4, HOUR)], "who waits at another pile stays there");
    assert_eq!(site.at("FAST-002"), [4, 1]);
    assert_eq!(starts(&site.wait(HOUR)), [(1, 2 * HOUR)]);
    let events = site.wait(40 * MINUTE);
    assert_eq!(ends(&events), [(1, 2 * HOUR + 40 * MINUTE, 20_000)]);
    assert_eq!(starts(&events), [(3, 2 * HOUR + 40 * MINUTE)]);
}

#[test]
fn who_comes_new_does_not_overtake_who_was_handed_back() {
    let mut site = Site::new();
    site.fast(4, 30);
    site.set("FAST-001", PileStatus::Offline);
    site.ask(5, Mode::Fast, 30).unwrap();
    assert_eq!(site.queue(Mode::Fast), [1, 3, 4, 5]);
    let wait = site.station.waits_ms(site.now_ms);
    assert!(wait[&id(1)] < wait[&id(3)] && wait[&id(3)] < wait[&id(5)], "{wait:?}");
}

#[test]
fn after_a_recovery_all_line_up_in_the_order_of_their_numbers() {
    let mut site = Site::new();
    site.fast(6, 30);
    site.set("FAST-001", PileStatus::Fault);
    let events = site.set("FAST-001", PileStatus::Normal);
    assert_eq!(starts(&events), [(1, 0)]);
    assert_eq!((site.at("FAST-001"), site.at("FAST-002")), (vec![1, 3], vec![2, 4]));
    assert_eq!(site.queue(Mode::Fast), [3, 4, 5, 6]);
    assert!(
        site.station
            .requests()
            .values()
            .all(|request| request.rank == Rank::Usual || request.user == 1)
    );
}

#[test]
fn what_is_said_twice_changes_nothing() {
    let mut site = Site::new();
    site.fast(6, 30);
    let before = site.station.clone();
    assert_eq!(site.set("FAST-001", PileStatus::Normal), []);
    assert_eq!(site.station, before);
    site.set("FAST-001", PileStatus::Fault);
    let queue = site.queue(Mode::Fast);
    assert_eq!(site.set("FAST-001", PileStatus::Offline), []);
    assert_eq!(site.queue(Mode::Fast), queue);
    let unknown = site.station.set_pile(0, super::site::pile("FAST-009"), PileStatus::Fault);
    assert_eq!(unknown, Err(Refusal::NoPile));
}

#[test]
fn without_any_pile_everybody_waits_and_is_told_how_long_it_takes_at_best() {
    let mut site = Site::new();
    for name in ["FAST-001", "FAST-002"] {
        site.set(name, PileStatus::Fault);
    }
    site.fast(3, 30);
    assert_eq!([1, 2, 3].map(|user| site.wait_min(user)), [0, 0, 60]);
    assert_eq!(site.wait(24 * HOUR), []);
    assert_eq!(starts(&site.set("FAST-002", PileStatus::Normal)), [(1, 24 * HOUR)]);
}
