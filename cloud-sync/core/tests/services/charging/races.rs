//! What happens at once is decided once.

use std::{future::ready, sync::Arc};

use cloud_core::{Caller, Cloud, Result, charging::BillFilter};
use domain::charging::Mode;
use tokio::task::JoinSet;

use super::{refusal, wish};
use crate::world::{World, on_each_engine};

on_each_engine! {
    of_many_requests_of_one_user_one_is_taken,
    ten_parallel_completions_give_one_bill,
    no_more_than_the_places_are_given_away,
    a_completion_at_the_moment_of_the_end_gives_one_bill,
    a_bill_is_paid_once_and_no_balance_is_below_nothing,
}

/// Two services on one database, as two processes would be.
fn both(world: &World) -> [Arc<Cloud>; 2] {
    [world.cloud.clone(), Arc::new(world.another())]
}

async fn of_many_requests_of_one_user_one_is_taken(world: World) {
    let driver = world.visitor("driver").await;
    let mut tasks = JoinSet::new();
    for index in 0..10 {
        let (cloud, driver) = (both(&world)[index % 2].clone(), driver.clone());
        tasks.spawn(async move { cloud.charging.ask(&driver, wish(Mode::Fast, 30)).await });
    }
    let outcomes = tasks.join_all().await;
    let (taken, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(taken.len(), 1);
    assert!(refused.into_iter().all(|outcome| refusal(outcome) == "duplicate_request"));
}

async fn ten_parallel_completions_give_one_bill(world: World) {
    let driver = world.drivers(1, Mode::Fast, 60).await.remove(0);
    world.pass_hours(1);
    let mut tasks = JoinSet::new();
    for index in 0..10 {
        let (cloud, driver) = (both(&world)[index % 2].clone(), driver.clone());
        tasks.spawn(async move { cloud.charging.complete(&driver, None, ready(())).await });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(one_bill(&world, &driver).await, 30_000);
}

async fn no_more_than_the_places_are_given_away(world: World) {
    let mut drivers = Vec::new();
    for index in 0..20 {
        drivers.push(world.visitor(&format!("driver{index}")).await);
    }
    let clouds = both(&world);
    let mut tasks = JoinSet::new();
    for (index, driver) in drivers.iter().cloned().enumerate() {
        let cloud = clouds[index % 2].clone();
        tasks.spawn(async move { cloud.charging.ask(&driver, wish(Mode::Fast, 30)).await });
    }
    let outcomes = tasks.join_all().await;
    let (taken, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(taken.len(), 10, "two charge, two wait at the piles, six in the area");
    assert!(refused.into_iter().all(|outcome| refusal(outcome) == "queue_full"));
    let mut numbers: Vec<_> =
        taken.into_iter().map(|asked| asked.unwrap().request.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    let piles = world.cloud.charging.piles(None).await.unwrap();
    let charging = piles.iter().filter(|pile| pile.charging.is_some()).count();
    let waiting: usize = piles.iter().map(|pile| pile.queue.len()).sum();
    assert_eq!((charging, waiting), (2, 2));
}

async fn a_completion_at_the_moment_of_the_end_gives_one_bill(world: World) {
    let driver = world.drivers(1, Mode::Fast, 60).await.remove(0);
    world.pass_hours(2);
    let mut tasks = JoinSet::new();
    for index in 0..6 {
        let (cloud, driver) = (both(&world)[index % 2].clone(), driver.clone());
        tasks.spawn(async move {
            if index < 3 {
                cloud.charging.complete(&driver, None, ready(())).await.map(drop)
            } else {
                cloud.tick().await
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(one_bill(&world, &driver).await, 60_000);
}

/// The energy of somebody's only bill.
async fn one_bill(world: &World, driver: &Caller) -> i64 {
    let filter = BillFilter { limit: 10, ..BillFilter::default() };
    let (bills, count) = world.cloud.charging.bills(driver, filter).await.unwrap();
    assert_eq!((bills.len(), count), (1, 1));
    bills[0].energy_wh
}

async fn a_bill_is_paid_once_and_no_balance_is_below_nothing(world: World) {
    let admin = world.admin().await;
    let driver = world.drivers(1, Mode::Fast, 30).await.remove(0);
    let account = driver.account_id().unwrap();
    world.cloud.accounts.top_up(&admin, account, 5999, "cash").await.unwrap();
    world.pass_hours(2);
    let filter = || BillFilter { limit: 1, ..BillFilter::default() };
    let bill = world.cloud.charging.bills(&driver, filter()).await.unwrap().0.remove(0);
    assert_eq!((bill.costs.total().0, bill.paid_at_ms), (6000, None), "a fen is missing");
    assert_eq!(refusal(world.cloud.charging.pay(&driver, &bill.id).await), "balance_too_low");
    world.cloud.accounts.top_up(&admin, account, 6001, "cash").await.unwrap();
    let mut tasks = JoinSet::new();
    for index in 0..10 {
        let (cloud, driver, id) =
            (both(&world)[index % 2].clone(), driver.clone(), bill.id.clone());
        tasks.spawn(async move { cloud.charging.pay(&driver, &id).await });
    }
    let outcomes = tasks.join_all().await;
    let (paid, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(paid.len(), 1);
    assert!(refused.into_iter().all(|outcome| refusal(outcome) == "already_paid"));
    assert_eq!(world.cloud.accounts.own(&driver).await.unwrap().balance_fen, 6000);
    let stranger = world.visitor("stranger").await;
    let others = world.cloud.charging.pay(&stranger, &bill.id).await;
    assert!(matches!(others, Err(cloud_core::Error::NotFound("bill"))), "{others:?}");
}
