//! What many do at once, and one of them gets.

use std::sync::Arc;

use cloud_core::{Assignment, Entry, Error, PayMethod, Payable};

use super::lot::{Lot, refusal};
use crate::world::{World, on_each_engine};

on_each_engine! {
    two_cars_at_once_never_get_one_spot,
    ten_cars_get_ten_spots,
    one_plate_is_inside_once,
    an_order_is_paid_once,
    no_more_is_given_back_than_was_paid,
    a_stay_ends_once,
}

/// Runs all at once and returns what became of them.
async fn at_once<T, F>(tasks: impl Iterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let running: Vec<_> = tasks.map(tokio::spawn).collect();
    let mut outcomes = Vec::new();
    for task in running {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

async fn two_cars_at_once_never_get_one_spot(world: World) {
    let lot = Lot::open(world, 1).await;
    let spot = lot.spot("A001").await.id;
    let vehicles = [lot.vehicle("京A00001").await, lot.vehicle("京A00002").await];
    let other = Arc::new(lot.world.another());
    let clouds = [lot.world.cloud.clone(), other];
    let outcomes = at_once(vehicles.into_iter().zip(clouds).map(|(vehicle, cloud)| {
        let operator = lot.operator;
        async move { cloud.parking.enter(&operator, Entry { vehicle, spot }).await }
    }))
    .await;
    let (in_, out): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((in_.len(), out.len()), (1, 1));
    assert_eq!(refusal(out.into_iter().next().unwrap()), "slot_not_available");
}

async fn ten_cars_get_ten_spots(world: World) {
    let lot = Lot::open(world, 10).await;
    let outcomes = at_once((0..12).map(|number| {
        let (cloud, staff) = (lot.world.cloud.clone(), lot.staff.clone());
        let wanted = Assignment { plate: format!("京A{number:05}"), ..Assignment::default() };
        async move { cloud.parking.auto_assign(&staff, wanted).await }
    }))
    .await;
    let mut spots: Vec<_> =
        outcomes.iter().flatten().map(|stay| stay.spot.as_ref().unwrap().id).collect();
    spots.sort_unstable();
    spots.dedup();
    assert_eq!((spots.len(), outcomes.iter().filter(|o| o.is_err()).count()), (10, 2));
}

async fn one_plate_is_inside_once(world: World) {
    let lot = Lot::open(world, 5).await;
    let outcomes = at_once((0..5).map(|_| {
        let (cloud, staff) = (lot.world.cloud.clone(), lot.staff.clone());
        let wanted = Assignment { plate: "京A00001".into(), ..Assignment::default() };
        async move { cloud.parking.auto_assign(&staff, wanted).await.unwrap().id }
    }))
    .await;
    assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]), "{outcomes:?}");
    assert_eq!(lot.parking().active_count().await.unwrap(), 1);
}

async fn an_order_is_paid_once(world: World) {
    let lot = Lot::open(world, 1).await;
    let stay = lot.park("京A00001", "A001").await;
    let order = lot.parking().order(&lot.staff, stay.id).await.unwrap();
    let other = Arc::new(lot.world.another());
    let outcomes = at_once((0..10).map(|number| {
        let cloud = if number % 2 == 0 { lot.world.cloud.clone() } else { other.clone() };
        let staff = lot.staff.clone();
        let with = Payable { method: PayMethod::Cash, amount_fen: Some(order.amount_fen) };
        async move { cloud.parking.pay_order(&staff, order.id, with).await }
    }))
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let figures = lot.parking().payment_figures(&lot.staff).await.unwrap();
    assert_eq!((figures.today_fen, figures.completed), (1000, 1));
    assert_eq!(lot.parking().stay(&lot.staff, stay.id).await.unwrap().paid_fen, 1000);
}

async fn no_more_is_given_back_than_was_paid(world: World) {
    let lot = Lot::open(world, 1).await;
    let stay = lot.park("京A00001", "A001").await;
    let order = lot.parking().order(&lot.staff, stay.id).await.unwrap();
    lot.take(order.id, 1000).await.unwrap();
    let outcomes = at_once((0..5).map(|_| {
        let (cloud, operator) = (lot.world.cloud.clone(), lot.operator);
        async move { cloud.parking.refund(&operator, order.id, Some(400), "x".into()).await }
    }))
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2);
    let kept = lot.parking().payment(&lot.staff, order.id).await.unwrap();
    assert_eq!(kept.refunded_fen, 800);
    assert_eq!(lot.parking().payment_figures(&lot.staff).await.unwrap().today_fen, 200);
}

async fn a_stay_ends_once(world: World) {
    let lot = Lot::open(world, 1).await;
    let stay = lot.park("京A00001", "A001").await.id;
    let outcomes = at_once((0..5).map(|_| {
        let (cloud, operator) = (lot.world.cloud.clone(), lot.operator);
        async move { cloud.parking.exit(&operator, stay).await }
    }))
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().flatten().count() == 1);
    let late = outcomes.into_iter().find(Result::is_err).unwrap();
    assert!(matches!(late, Err(Error::NotFound("transaction"))), "{late:?}");
}
