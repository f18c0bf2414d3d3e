//! A request from asking to its end.

use std::future::ready;

use chrono::TimeDelta;
use cloud_core::charging::WishChange;
use domain::charging::Mode;
use uuid::Uuid;

use super::{HOUR_MS, refusal, wish};
use crate::world::{World, on_each_engine, start};

on_each_engine! {
    a_car_charges_by_the_clock_and_its_charging_ends_by_itself,
    what_was_due_while_nobody_looked_happened_when_it_was_due,
    a_full_area_and_a_second_request_are_refused,
    amount_and_mode_change_and_requests_are_called_off,
    a_request_is_its_users_alone,
    numbers_begin_anew_at_the_sites_midnight,
    amounts_that_cannot_be_charged_are_refused,
    a_notification_is_read_by_its_user_alone,
}

async fn a_car_charges_by_the_clock_and_its_charging_ends_by_itself(world: World) {
    let driver = world.visitor("driver").await;
    let asked = world.ask(&driver, Mode::Fast, 60).await.unwrap();
    assert_eq!((asked.position, asked.wait_ms), (0, 0));
    assert_eq!(asked.pile.unwrap().to_string(), "FAST-001");
    world.pass_hours(1);
    assert_eq!(world.current(&driver).await.unwrap().delivered_wh, 30_000);
    world.pass_hours(5);
    assert_eq!(refusal(world.current(&driver).await), "not_found");
    let (bills, count) = world.cloud.charging.bills(&driver, Default::default()).await.unwrap();
    assert_eq!((bills.len(), count), (0, 1), "a limit of 0 shows none");
    assert_eq!(world.told(&driver).await, [("start", 0.0), ("complete", 2.0)]);
}

async fn what_was_due_while_nobody_looked_happened_when_it_was_due(mut world: World) {
    let drivers = world.drivers(6, Mode::Fast, 30).await;
    world.pass_hours(10);
    world.restart();
    world.cloud.tick().await.unwrap();
    let told = world.told(&drivers[4]).await;
    let expected =
        [("queue", 0.0), ("queue", 1.0), ("queue", 1.0), ("start", 2.0), ("complete", 3.0)];
    assert_eq!(told, expected, "the fifth at two piles moves up twice when two cars leave");
    let filter = cloud_core::charging::BillFilter { limit: 10, ..Default::default() };
    let (bills, _) = world.cloud.charging.bills(&drivers[4], filter).await.unwrap();
    let start_ms = start().timestamp_millis();
    assert_eq!(bills[0].started_at_ms, start_ms + 2 * HOUR_MS);
    assert_eq!(bills[0].generated_at_ms, start_ms + 3 * HOUR_MS);
    assert_eq!(bills[0].energy_wh, 30_000);
}

async fn a_full_area_and_a_second_request_are_refused(world: World) {
    let drivers = world.drivers(10, Mode::Fast, 30).await;
    let late = world.visitor("late").await;
    assert_eq!(refusal(world.ask(&late, Mode::Fast, 30).await), "queue_full");
    assert_eq!(refusal(world.ask(&drivers[9], Mode::Slow, 7).await), "duplicate_request");
    let queues = world.cloud.charging.queues().await.unwrap();
    assert_eq!((queues.fast.len(), queues.in_waiting_area, queues.waiting_places), (8, 6, 6));
    let minutes: Vec<_> = queues.fast.iter().map(|waiting| waiting.wait_ms / 60_000).collect();
    assert_eq!(minutes, [60, 60, 120, 120, 180, 180, 240, 240]);
    world.pass_hours(1);
    assert_eq!(world.ask(&late, Mode::Fast, 30).await.unwrap().position, 7);
}

async fn amount_and_mode_change_and_requests_are_called_off(world: World) {
    let drivers = world.drivers(4, Mode::Fast, 30).await;
    let charging = &world.cloud.charging;
    let (third, fourth) =
        (world.current(&drivers[2]).await.unwrap(), world.current(&drivers[3]).await.unwrap());
    assert_eq!((third.position, fourth.position), (1, 2));
    let amount = WishChange { requested_wh: Some(5000), ..Default::default() };
    let changed = charging.change(&drivers[2], third.request.id, amount).await.unwrap();
    assert_eq!((changed.position, changed.request.number), (1, 3));
    let mode = WishChange { mode: Some(Mode::Slow), ..Default::default() };
    let changed = charging.change(&drivers[2], third.request.id, mode).await.unwrap();
    assert_eq!((changed.request.queue_number(), changed.position), ("T1".to_owned(), 0));
    for change in [amount, mode] {
        let refused = charging.change(&drivers[2], third.request.id, change).await;
        assert_eq!(refusal(refused), "charging");
    }
    assert_eq!(refusal(charging.cancel(&drivers[2], third.request.id).await), "charging");
    assert_eq!(charging.cancel(&drivers[3], fourth.request.id).await.unwrap(), "F4");
    assert_eq!(refusal(world.current(&drivers[3]).await), "not_found");
    assert_eq!(refusal(charging.cancel(&drivers[3], fourth.request.id).await), "not_found");
    world.ask(&drivers[3], Mode::Fast, 10).await.unwrap();
}

async fn a_request_is_its_users_alone(world: World) {
    let drivers = world.drivers(4, Mode::Fast, 30).await;
    let id = world.current(&drivers[3]).await.unwrap().request.id;
    let (charging, stranger) = (&world.cloud.charging, &drivers[0]);
    for id in [id, Uuid::from_u128(1)] {
        let change = WishChange { requested_wh: Some(5000), ..Default::default() };
        assert_eq!(refusal(charging.change(stranger, id, change).await), "not_found");
        assert_eq!(refusal(charging.cancel(stranger, id).await), "not_found");
        assert_eq!(refusal(charging.complete(stranger, Some(id), ready(())).await), "not_found");
    }
    let bill = charging.complete(stranger, None, ready(())).await.unwrap();
    assert_eq!(refusal(charging.bill(&drivers[1], &bill.id).await), "not_found");
    assert_eq!(charging.bill(stranger, &bill.id).await.unwrap(), bill);
    assert_eq!(refusal(charging.complete(&drivers[3], None, ready(())).await), "not_charging");
}

async fn numbers_begin_anew_at_the_sites_midnight(world: World) {
    world.clock.set("2026-03-10T15:59:59Z".parse().unwrap()); // a second before, in Shanghai
    world.drivers(2, Mode::Fast, 30).await;
    world.clock.advance(TimeDelta::seconds(1));
    let driver = world.visitor("driver").await;
    let asked = world.ask(&driver, Mode::Fast, 30).await.unwrap();
    assert_eq!((asked.request.queue_number(), asked.position), ("F1".to_owned(), 1));
}

async fn amounts_that_cannot_be_charged_are_refused(world: World) {
    let driver = world.visitor("driver").await;
    for kwh in [0, -5, 1001, i64::MAX / 1000] {
        assert_eq!(refusal(world.ask(&driver, Mode::Fast, kwh).await), "requested_amount");
    }
    assert_eq!(refusal(world.ask(&driver, Mode::Fast, 501).await), "requested_amount");
    let mut flat = wish(Mode::Fast, 30);
    flat.battery_wh = Some(0);
    assert_eq!(refusal(world.cloud.charging.ask(&driver, flat).await), "battery_capacity");
}

async fn a_notification_is_read_by_its_user_alone(world: World) {
    let drivers = world.drivers(2, Mode::Fast, 30).await;
    let charging = &world.cloud.charging;
    let told = charging.notifications(&drivers[0], 10).await.unwrap();
    assert!(!told[0].is_read);
    assert_eq!(refusal(charging.mark_read(&drivers[1], told[0].id).await), "not_found");
    charging.mark_read(&drivers[0], told[0].id).await.unwrap();
    charging.mark_read(&drivers[0], told[0].id).await.unwrap();
    assert!(charging.notifications(&drivers[0], 10).await.unwrap()[0].is_read);
}
