//! Whatever people and piles do, in whatever order: nothing panics, and what a charging site
//! promises holds after every step.

use std::collections::{BTreeMap, BTreeSet};

use domain::charging::{
    Cause, Event, Mode, Parameters, Pile, PileStatus, Rank, Station, What, charge_ms,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::site::{HOUR, Site, id};

#[derive(Debug, Clone)]
enum Act {
    Ask { user: i64, mode: Mode, kwh: i64 },
    Change { user: i64, mode: Option<Mode>, kwh: Option<i64> },
    Cancel { user: i64 },
    Complete { user: i64 },
    Pile { index: usize, status: PileStatus },
    Set { piles: u32, places: u32, length: u32, power_w: i64 },
    Wait { ms: i64 },
    Tomorrow,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let user = 1i64..25;
    let mode = prop::sample::select(Mode::ALL.to_vec());
    let status = prop::sample::select(PileStatus::ALL.to_vec());
    let act = prop_oneof![
        6 => (user.clone(), mode.clone(), 1i64..100)
            .prop_map(|(user, mode, kwh)| Act::Ask { user, mode, kwh }),
        2 => (user.clone(), prop::option::of(mode), prop::option::of(1i64..100))
            .prop_map(|(user, mode, kwh)| Act::Change { user, mode, kwh }),
        1 => user.clone().prop_map(|user| Act::Cancel { user }),
        1 => user.prop_map(|user| Act::Complete { user }),
        2 => (0usize..10, status).prop_map(|(index, status)| Act::Pile { index, status }),
        1 => (1u32..5, 0u32..8, 1u32..4, 1000i64..100_000).prop_map(
            |(piles, places, length, power_w)| Act::Set { piles, places, length, power_w }),
        4 => (0i64..3 * HOUR).prop_map(|ms| Act::Wait { ms }),
        1 => Just(Act::Tomorrow),
    ];
    prop::collection::vec(act, 1..60)
}

/// Does it; a refusal is as good as a deed.
fn play(site: &mut Site, act: &Act) -> Vec<Event> {
    let now_ms = site.now_ms;
    match *act {
        Act::Ask { user, mode, kwh } => site.ask(user, mode, kwh).unwrap_or_default(),
        Act::Change { user, mode, kwh } => site
            .station
            .change(now_ms, site.day, id(user), mode, kwh.map(|kwh| kwh * 1000))
            .unwrap_or_default(),
        Act::Cancel { user } => site.station.cancel(now_ms, id(user)).unwrap_or_default(),
        Act::Complete { user } => site.complete(user).unwrap_or_default(),
        Act::Pile { index, status } => {
            let name = site.station.piles().keys().nth(index).copied();
            name.and_then(|name| site.station.set_pile(now_ms, name, status).ok())
                .unwrap_or_default()
        }
        Act::Set { piles, places, length, power_w } => {
            let set = Parameters {
                fast_piles: piles,
                waiting_places: places,
                queue_length: length,
                fast_power_w: power_w,
                ..site.station.parameters().clone()
            };
            site.station.set_parameters(now_ms, set, &BTreeMap::new())
        }
        Act::Wait { ms } => site.wait(ms),
        Act::Tomorrow => {
            site.day = site.day.succ_opt().unwrap();
            Vec::new()
        }
    }
}

/// Nobody is at two places or at none, and no pile of a mode is idle while somebody waits for it.
pub(crate) fn holds(station: &Station) {
    let at_piles = station.piles().values().flat_map(|pile| {
        pile.running.iter().map(|running| running.request).chain(pile.queue.iter().copied())
    });
    let at_piles: Vec<_> = at_piles.collect();
    let distinct: BTreeSet<_> = at_piles.iter().collect();
    assert_eq!(distinct.len(), at_piles.len(), "somebody is at two places");
    assert_eq!(at_piles.len() + station.in_waiting_area(), station.requests().len());
    assert!(at_piles.iter().all(|id| station.requests().contains_key(id)));
    for mode in Mode::ALL {
        let idle = |pile: &Pile| pile.is_in_service() && pile.running.is_none();
        let idle = station.piles().iter().any(|(id, pile)| id.mode == mode && idle(pile));
        assert!(!idle || station.queue(mode).is_empty(), "a pile is idle while somebody waits");
        let orders: Vec<_> =
            station.queue(mode).iter().map(|request| (request.rank, request.ticket)).collect();
        assert!(orders.is_sorted());
    }
}

/// Nobody of the usual rank starts before somebody of the usual rank in the waiting area who came
/// earlier.
fn first_come_first_served(station: &Station, events: &[Event]) {
    let at_pile: BTreeSet<_> =
        station.piles().values().flat_map(|pile| pile.queue.clone()).collect();
    for event in events.iter().filter(|event| matches!(event.what, What::Started { .. })) {
        let request = &event.request;
        let overtaken = station.queue(request.mode).into_iter().any(|waiting| {
            !at_pile.contains(&waiting.id)
                && (waiting.rank, request.rank) == (Rank::Usual, Rank::Usual)
                && waiting.ticket < request.ticket
        });
        assert!(!overtaken, "{request:?} overtook somebody");
    }
}

/// What was delivered by request, checked against power and time on the way. A car that a fault sent
/// back to the queue goes on from what it has, also after it changed its mode; a user's next request
/// begins at nothing.
fn account(events: &[Event], delivered_wh: &mut BTreeMap<Uuid, i64>) {
    for event in events {
        let What::Ended { running, energy_wh, cause, .. } = &event.what else { continue };
        let request = &event.request;
        assert!(charge_ms(*energy_wh, running.power_w) <= event.at_ms - running.started_at_ms);
        let before = delivered_wh.insert(request.id, request.delivered_wh).unwrap_or_default();
        assert!([before, 0].contains(&(request.delivered_wh - energy_wh)));
        assert!(request.delivered_wh <= request.requested_wh);
        assert_eq!(*cause == Cause::Full, request.delivered_wh == request.requested_wh);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_happens_the_promises_hold(acts in acts()) {
        let (mut site, mut delivered_wh) = (Site::new(), BTreeMap::new());
        for act in &acts {
            let events = play(&mut site, act);
            holds(&site.station);
            first_come_first_served(&site.station, &events);
            account(&events, &mut delivered_wh);
            let waits = site.station.waits_ms(site.now_ms);
            for mode in Mode::ALL {
                prop_assert!(site.station.queue(mode).iter().all(|r| waits.contains_key(&r.id)));
            }
        }
        // Nobody starves: with all piles back, everybody gets what was wanted.
        for name in site.station.piles().keys().copied().collect::<Vec<_>>() {
            let _ = site.station.set_pile(site.now_ms, name, PileStatus::Normal);
        }
        let wanted = site.station.requests().len();
        let events = site.wait(10_000 * HOUR);
        prop_assert!(site.station.requests().is_empty());
        prop_assert_eq!(super::site::ends(&events).len(), wanted);
    }

    #[test]
    fn one_big_step_equals_many_small_ones(acts in acts(), steps in prop::collection::vec(1i64..HOUR, 1..40)) {
        let mut site = Site::new();
        for act in &acts {
            play(&mut site, act);
        }
        let mut at_once = site.station.clone();
        let small: Vec<Event> = steps.iter().flat_map(|ms| site.wait(*ms)).collect();
        prop_assert_eq!(at_once.advance(site.now_ms), small);
        prop_assert_eq!(at_once, site.station);
    }

    #[test]
    fn a_site_that_was_kept_and_restored_is_the_same(acts in acts()) {
        let mut site = Site::new();
        for act in &acts {
            play(&mut site, act);
        }
        let kept = &site.station;
        let restored = Station::restore(
            kept.parameters().clone(),
            *kept.numbers(),
            kept.piles().clone(),
            kept.requests().clone(),
        );
        prop_assert_eq!(&restored, kept);
    }
}

#[test]
fn what_is_told_to_wait_so_long_waits_so_long() {
    let mut site = Site::new();
    site.fast(10, 30);
    let expected = site.station.waits_ms(0);
    for (user, at_ms) in super::site::starts(&site.wait(100 * HOUR)) {
        assert_eq!(expected[&id(user)], at_ms);
    }
}
