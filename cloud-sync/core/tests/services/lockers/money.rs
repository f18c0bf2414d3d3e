//! Money: it is taken once, never more than there is, and it always adds up.

use std::sync::Arc;

use cloud_core::{
    Caller, Error,
    lockers::{Order, PayMethod},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::station::{Station, hours, refusal};
use crate::world::{World, on_each_engine};

on_each_engine! {
    ten_payments_of_one_order_take_the_money_once,
    a_balance_pays_for_one_of_two_orders,
    two_processes_sell_and_charge_once,
    whatever_happens_the_money_adds_up,
}

async fn ten_payments_of_one_order_take_the_money_once(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 10_000).await;
    let order = station.order(&driver, "A001").await;
    let attempts = (0..10).map(|_| {
        let (cloud, driver) = (station.cloud().clone(), driver.clone());
        tokio::spawn(async move { cloud.lockers.pay(&driver, order.id, PayMethod::Balance).await })
    });
    let mut paid = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            Ok(_) => paid += 1,
            refused => assert_eq!(refusal(refused), "not_pending"),
        }
    }
    assert_eq!((paid, station.balance(&driver).await), (1, 10_000 - 400));
}

async fn a_balance_pays_for_one_of_two_orders(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 500).await;
    let orders = [station.order(&driver, "A001").await, station.order(&driver, "A002").await];
    let (first, second) =
        tokio::join!(station.pay(&driver, orders[0].id), station.pay(&driver, orders[1].id));
    let refused = if first.is_ok() { second } else { first };
    assert_eq!(refusal(refused), "balance_too_low");
    assert_eq!(station.balance(&driver).await, 100);
}

/// Two programs on one database: neither sells what the other has sold.
async fn two_processes_sell_and_charge_once(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 10_000).await;
    let clouds = [station.cloud().clone(), Arc::new(station.world.another())];
    let each = |number: usize| (clouds[number % 2].clone(), driver.clone());
    let orders = (0..8).map(|number| {
        let (cloud, driver) = each(number);
        tokio::spawn(async move { cloud.lockers.order(&driver, "A001", hours("2")).await })
    });
    let mut made = Vec::new();
    for order in orders.collect::<Vec<_>>() {
        made.extend(order.await.unwrap().ok());
    }
    assert_eq!(made.len(), 1);
    let id = made[0].id;
    let payments = (0..8).map(|number| {
        let (cloud, driver) = each(number);
        tokio::spawn(async move { cloud.lockers.pay(&driver, id, PayMethod::Balance).await })
    });
    let mut paid = 0;
    for payment in payments.collect::<Vec<_>>() {
        paid += i32::from(payment.await.unwrap().is_ok());
    }
    assert_eq!((paid, station.balance(&driver).await), (1, 10_000 - 400));
}

/// Drivers do anything at any time; what was topped up is on the balances or was taken for
/// orders, and what was taken is what the orders say.
async fn whatever_happens_the_money_adds_up(world: World) {
    let station = Station::open(world).await;
    let mut drivers = Vec::new();
    for number in 0..3 {
        drivers.push(station.driver(&format!("driver{number}"), 3000).await);
    }
    let mut random = StdRng::seed_from_u64(20_260_310);
    let mut orders: Vec<(Caller, Order)> = Vec::new();
    for _ in 0..250 {
        if let Some(made) = act(&station, &mut random, &drivers, &orders).await {
            orders.push(made);
        }
    }
    let (mut spent, mut left) = (0, 0);
    for driver in &drivers {
        let balance = station.balance(driver).await;
        assert!(balance >= 0);
        left += balance;
        for order in station.cloud().lockers.own_orders(driver, None).await.unwrap() {
            spent += if order.paid_at_ms.is_some() { order.total.0 } else { 0 };
        }
    }
    assert_eq!(left + spent, 3 * 3000);
    let revenue = station.cloud().lockers.revenue(&station.admin, 365).await.unwrap();
    assert_eq!(revenue.total.revenue.0, spent);
    assert!(spent > 2000, "the drivers did something: {spent}");
}

async fn act(
    station: &Station,
    random: &mut StdRng,
    drivers: &[Caller],
    orders: &[(Caller, Order)],
) -> Option<(Caller, Order)> {
    let lockers = &station.cloud().lockers;
    let driver = drivers.choose(random).unwrap();
    let cabinet = ["A001", "A002"].choose(random).unwrap();
    let (choice, known) = (random.random_range(0..10), orders.choose(random));
    let outcome = match (choice, known) {
        (0..=2, _) | (_, None) => {
            let length = hours(["0.5", "1.37", "3"].choose(random).unwrap());
            return lockers.order(driver, cabinet, length).await.ok().map(|o| (driver.clone(), o));
        }
        (3..=4, Some((driver, order))) => station.pay(driver, order.id).await.map(drop),
        (5, Some((driver, order))) => station.extend(driver, order.id, "0.51").await.map(drop),
        (6, Some((driver, order))) => lockers.cancel(driver, order.id).await.map(drop),
        (7, Some((driver, order))) => station.complete(driver, order.id).await.map(drop),
        (8, Some((driver, order))) => {
            let order = station.reload(driver, order).await;
            match order.pickup_code {
                Some(_) => station.enter_code(driver, &order, random.random()).await.map(drop),
                None => Ok(()),
            }
        }
        (_, Some(_)) => {
            station.wait(random.random_range(1..40));
            station.door(cabinet, random.random()).await;
            Ok(())
        }
    };
    assert!(matches!(outcome, Ok(()) | Err(Error::Refused(_))), "{outcome:?}");
    None
}
