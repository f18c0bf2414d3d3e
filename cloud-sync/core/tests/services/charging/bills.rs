//! What charging costs, whenever and wherever it is done.

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use cloud_core::{
    Caller,
    charging::{Bill, BillFilter, ParametersChange},
};
use domain::{
    charging::{Mode, Rate},
    money::Fen,
};

use crate::world::{World, on_each_engine};

on_each_engine! {
    a_bill_is_split_at_the_borders_of_the_periods_and_at_midnight,
    a_bill_goes_by_the_clocks_of_its_zone_when_they_are_changed,
    a_bill_goes_by_the_rates_of_when_charging_began,
    bills_are_found_by_day_and_page,
    what_is_charged_is_taken_from_the_balance,
}

async fn bills(world: &World, driver: &Caller, filter: BillFilter) -> (Vec<Bill>, i64) {
    world.cloud.charging.bills(driver, filter).await.unwrap()
}

/// Charges 30 kWh an hour, from a moment on.
async fn charged(world: &World, from: &str, hours: i64) -> Bill {
    let driver = world.visitor(&format!("driver-{from}")).await;
    world.clock.set(from.parse().unwrap());
    world.ask(&driver, Mode::Fast, 30 * hours).await.unwrap();
    world.pass_hours(hours + 1);
    let (mut found, _) = bills(world, &driver, BillFilter { limit: 1, ..Default::default() }).await;
    found.remove(0)
}

/// Milliseconds as hours, and fen, of peak, normal and valley.
fn split(bill: &Bill) -> [(i64, i64); 3] {
    bill.costs.parts().map(|part| (part.duration_ms / super::HOUR_MS, part.cost.0))
}

async fn a_bill_is_split_at_the_borders_of_the_periods_and_at_midnight(world: World) {
    // 22:00 in Shanghai: an hour of normal, then valley.
    let night = charged(&world, "2026-03-10T14:00:00Z", 3).await;
    assert_eq!(split(&night), [(0, 0), (1, 2400), (2, 2400)]);
    assert_eq!((night.costs.service, night.costs.total()), (Fen(7200), Fen(12_000)));
    // 09:00: an hour of normal, then peak.
    let morning = charged(&world, "2026-03-11T01:00:00Z", 2).await;
    assert_eq!(split(&morning), [(1, 3600), (1, 2400), (0, 0)]);
    assert_eq!(morning.generated_at_ms, morning.ended_at_ms);
}

async fn a_bill_goes_by_the_clocks_of_its_zone_when_they_are_changed(mut world: World) {
    world.move_to(Tz::Europe__Berlin);
    // From 01:00 on; valley ends at 07:00.
    let usual = charged(&world, "2026-03-28T00:00:00Z", 7).await;
    assert_eq!(split(&usual), [(0, 0), (1, 2400), (6, 7200)]);
    let hour_skipped = charged(&world, "2026-03-29T00:00:00Z", 7).await;
    assert_eq!(split(&hour_skipped), [(0, 0), (2, 4800), (5, 6000)]);
    let hour_repeated = charged(&world, "2026-10-24T23:00:00Z", 8).await;
    assert_eq!(split(&hour_repeated), [(0, 0), (1, 2400), (7, 8400)]);
}

async fn a_bill_goes_by_the_rates_of_when_charging_began(world: World) {
    let admin = world.admin().await;
    let drivers = world.drivers(3, Mode::Fast, 30).await; // the third begins after an hour
    world.clock.advance(TimeDelta::minutes(30));
    let dearer = ParametersChange { peak: Some(Rate(20_000)), ..Default::default() };
    world.cloud.charging.set_parameters(&admin, dearer).await.unwrap();
    world.pass_hours(3);
    let filter = || BillFilter { limit: 1, ..Default::default() };
    let first = bills(&world, &drivers[0], filter()).await.0.remove(0);
    let third = bills(&world, &drivers[2], filter()).await.0.remove(0);
    assert_eq!((first.costs.peak.cost, third.costs.peak.cost), (Fen(3600), Fen(6000)));
}

async fn bills_are_found_by_day_and_page(world: World) {
    let driver = world.visitor("driver").await;
    for _ in 0..3 {
        world.ask(&driver, Mode::Slow, 7).await.unwrap();
        world.pass_hours(24);
        world.cloud.tick().await.unwrap();
    }
    let day = |text: &str| Some(text.parse::<NaiveDate>().unwrap());
    let all = || BillFilter { limit: 2, ..Default::default() };
    let (page, count) = bills(&world, &driver, all()).await;
    assert_eq!((page.len(), count), (2, 3));
    assert!(page[0].generated_at_ms > page[1].generated_at_ms);
    assert_eq!(bills(&world, &driver, BillFilter { skip: 2, ..all() }).await.0.len(), 1);
    assert_eq!(bills(&world, &driver, BillFilter { skip: u64::MAX, ..all() }).await.0.len(), 0);
    for (from, until, found) in [
        (day("2026-03-11"), None, 2),
        (None, day("2026-03-11"), 2),
        (day("2026-03-11"), day("2026-03-11"), 1),
        (day("2026-03-12"), day("2026-03-11"), 0),
        (Some(NaiveDate::MIN), Some(NaiveDate::MAX), 3),
    ] {
        let (_, count) = bills(&world, &driver, BillFilter { from, until, ..all() }).await;
        assert_eq!(count, found, "{from:?} to {until:?}");
    }
}

async fn what_is_charged_is_taken_from_the_balance(world: World) {
    let admin = world.admin().await;
    let driver = world.drivers(1, Mode::Fast, 30).await.remove(0);
    world
        .cloud
        .accounts
        .top_up(&admin, driver.account_id().unwrap(), 10_000, "cash")
        .await
        .unwrap();
    world.pass_hours(2);
    let bill =
        bills(&world, &driver, BillFilter { limit: 1, ..Default::default() }).await.0.remove(0);
    assert_eq!((bill.costs.total(), bill.paid_at_ms), (Fen(6000), Some(bill.ended_at_ms)));
    let account = world.cloud.accounts.own(&driver).await.unwrap();
    assert_eq!(account.balance_fen, 4000);
    let again = world.cloud.charging.pay(&driver, &bill.id).await;
    assert!(matches!(again, Err(cloud_core::Error::Refused("already_paid"))), "{again:?}");
}
