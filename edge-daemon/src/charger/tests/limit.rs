//! The site's limit: it holds at every moment, whatever is lost, late, restarted or dead.

use proptest::prelude::*;

use super::site::Site;
use crate::charger::{ChargerConfig, Config, Input, Meter};

fn amperes(site: &Site) -> Vec<u32> {
    site.hardware.iter().map(|hardware| hardware.limit_ma / 1_000).collect()
}

/// A site where a car stands at every charger and is to be charged.
fn busy(count: usize, limit_a: u32) -> Site {
    let mut site = Site::new(count, limit_a);
    site.hardware.iter_mut().for_each(|hardware| hardware.plugged = true);
    site.pass_s(10);
    for place in 0..count {
        site.assign(place, 500_000).unwrap();
        site.pass_s(5);
    }
    site.pass_s(20);
    site
}

#[test]
fn the_current_is_shared_and_who_came_first_is_sure_of_the_least() {
    assert_eq!(amperes(&busy(1, 63)), [32]);
    assert_eq!(amperes(&busy(3, 63)), [21, 21, 21]);
    assert_eq!(amperes(&busy(4, 20)), [6, 6, 6, 0]);
    let mut site = busy(4, 20);
    site.hardware[0].plugged = false;
    site.pass_s(20);
    assert_eq!(amperes(&site), [0, 6, 6, 6], "the next in line");
    assert!(site.worst_ma <= 20_000);
}

#[test]
fn the_limit_holds_when_the_program_ends() {
    let mut site = busy(3, 63);
    site.kill();
    site.pass_s(31);
    assert_eq!(amperes(&site), [0, 0, 0]);
    site.start();
    site.pass_s(60);
    assert_eq!(amperes(&site), [21, 21, 21]);
    assert!(site.worst_ma <= 63_000);
}

#[test]
fn what_one_that_cannot_be_reached_may_still_take_is_given_to_nobody() {
    let mut site = busy(2, 40);
    assert_eq!(amperes(&site), [20, 20]);
    site.hardware[0].reachable = false;
    site.pass_s(20);
    assert_eq!(amperes(&site), [20, 20], "its lease is not over");
    site.pass_s(40);
    assert_eq!(amperes(&site), [0, 32]);
    assert!(site.worst_ma <= 40_000);
}

/// Two chargers and other things behind a connection of 63 A that is metered.
fn metered() -> Site {
    let charging = "limit_a = 63\nmeter = 'grid'\nsafe_a = 8\nmeter_stale_s = 10";
    let charger = |place: usize| ChargerConfig {
        device: format!("charger-{place}").parse().unwrap(),
        pile: format!("FAST-{:03}", place + 1).parse().unwrap(),
        max_a: 32,
        fallback_a: 0,
        meter: None,
    };
    let chargers = (0..2).map(charger).collect();
    let mut site = Site::of(Config { charging: Some(toml::from_str(charging).unwrap()), chargers });
    site.hardware.iter_mut().for_each(|hardware| hardware.plugged = true);
    site.pass_s(10);
    for place in 0..2 {
        site.assign(place, 500_000);
    }
    site
}

/// Lets time pass while the meter shows what the chargers take and `others_a`.
fn pass_metered(site: &mut Site, seconds: u64, others_a: u32) {
    for _ in 0..seconds {
        let ours_ma: u32 = site.hardware.iter().map(|h| h.limit_ma).sum();
        let meter = Meter { energy_wh: None, current_ma: Some(ours_ma + others_a * 1_000) };
        site.step(Input::Metered("grid".parse().unwrap(), meter));
        site.pass_s(1);
    }
}

#[test]
fn what_the_rest_of_the_site_takes_is_left_to_it() {
    let mut site = metered();
    for (others_a, expected) in [(0, [31, 31]), (33, [15, 15]), (52, [11, 0]), (60, [0, 0])] {
        pass_metered(&mut site, 30, others_a);
        let sum: u32 = amperes(&site).iter().sum();
        assert!(sum + others_a <= 63 || sum == 0, "{others_a} A and {:?}", amperes(&site));
        assert_eq!(amperes(&site), expected, "{others_a} A for others");
    }
}

#[test]
fn a_meter_that_says_nothing_leaves_the_safe_minimum() {
    let mut site = metered();
    site.pass_s(60);
    assert_eq!(amperes(&site), [8, 0], "it was never heard");
    pass_metered(&mut site, 60, 0);
    assert_eq!(amperes(&site), [31, 31]);
    site.pass_s(15);
    assert_eq!(amperes(&site), [8, 0], "it is silent");
}

#[derive(Debug, Clone)]
enum Act {
    Assign { place: usize, kwh: i64 },
    Stop { number: u128 },
    Plug { place: usize, plugged: bool },
    Line { place: usize, up: bool },
    Fault { place: usize, on: bool },
    Reboot { place: usize },
    Kill,
    Start,
    Latency { ms: u64 },
    Wait { s: u64 },
}

fn acts(count: usize) -> impl Strategy<Value = Vec<Act>> {
    let place = 0..count;
    let act = prop_oneof![
        8 => (place.clone(), 1i64..30).prop_map(|(place, kwh)| Act::Assign { place, kwh }),
        2 => (1u128..40).prop_map(|number| Act::Stop { number }),
        6 => (place.clone(), any::<bool>()).prop_map(|(place, plugged)| Act::Plug { place, plugged }),
        3 => (place.clone(), any::<bool>()).prop_map(|(place, up)| Act::Line { place, up }),
        1 => (place.clone(), any::<bool>()).prop_map(|(place, on)| Act::Fault { place, on }),
        1 => place.prop_map(|place| Act::Reboot { place }),
        1 => Just(Act::Kill),
        2 => Just(Act::Start),
        1 => prop::sample::select(vec![0u64, 500, 1_000, 1_500]).prop_map(|ms| Act::Latency { ms }),
        12 => (1u64..60).prop_map(|s| Act::Wait { s }),
    ];
    prop::collection::vec(act, 1..80)
}

fn play(site: &mut Site, act: &Act) {
    match *act {
        Act::Assign { place, kwh } => drop(site.assign(place, kwh * 1_000)),
        Act::Stop { number } => {
            site.stop(domain::ids::ChargingId(uuid::Uuid::from_u128(number)));
        }
        Act::Plug { place, plugged } => site.hardware[place].plugged = plugged,
        Act::Line { place, up } => site.hardware[place].reachable = up,
        Act::Fault { place, on } => site.hardware[place].fault = on.then(|| "broken".into()),
        Act::Reboot { place } => site.hardware[place].reboot(),
        Act::Kill => site.kill(),
        Act::Start if site.is_up() => {}
        Act::Start => site.start(),
        Act::Latency { ms } => site.latency_ms = ms,
        Act::Wait { s } => site.pass_s(s),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn whatever_happens_the_sum_is_never_more_than_the_limit(
        acts in acts(5),
        limit_a in 6u32..100,
    ) {
        let mut site = Site::new(5, limit_a);
        for act in &acts {
            play(&mut site, act);
            prop_assert!(site.worst_ma <= u64::from(limit_a) * 1_000, "{act:?}: {}", site.worst_ma);
        }
        // Nobody is billed for more than all that was delivered, and each end is told once.
        let billed: i64 = site.ends().iter().map(|end| end.energy_wh).sum();
        let delivered: i64 = (0..5).map(|place| site.delivered_wh(place)).sum();
        prop_assert!(billed <= delivered + site.ends().len() as i64, "{billed} of {delivered}");
        let mut ended: Vec<_> = site.ends().iter().map(|end| end.session).collect();
        let count = ended.len();
        ended.sort();
        ended.dedup();
        prop_assert_eq!(ended.len(), count);
    }
}
