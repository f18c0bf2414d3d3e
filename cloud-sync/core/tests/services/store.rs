//! What every service may rely on.

use std::sync::Arc;

use cloud_core::NewSite;
use domain::clock::SimulatedClock;

use crate::world::{Place, World, on_each_engine, start};

on_each_engine! {
    what_many_write_at_once_is_all_kept_and_what_fails_leaves_nothing,
    two_instances_on_one_database_never_give_one_number_twice,
    a_connection_that_is_cut_is_made_again,
}

fn site(index: usize) -> NewSite {
    NewSite { id: format!("site-{index}").parse().unwrap(), name: "站".into(), spots: 1 }
}

/// The numbers of all areas; each site has one.
async fn areas(world: &World) -> Vec<i64> {
    let caller = world.visitor("reader").await;
    let dashboard = world.cloud.parking.dashboard(&caller).await.unwrap();
    dashboard.areas.iter().map(|area| area.id).collect()
}

async fn what_many_write_at_once_is_all_kept_and_what_fails_leaves_nothing(world: World) {
    // Every tenth comes a second time and is refused.
    let indices = (0..100).chain((0..100).step_by(10));
    let writes = indices.map(|index| {
        let cloud = world.cloud.clone();
        tokio::spawn(async move { cloud.sites.add(site(index)).await })
    });
    let mut refused = 0;
    for write in writes.collect::<Vec<_>>() {
        refused += i32::from(write.await.unwrap().is_err());
    }
    assert_eq!((refused, areas(&world).await), (10, (1..=100).collect()));
}

async fn two_instances_on_one_database_never_give_one_number_twice(world: World) {
    let instances = [world.cloud.clone(), Arc::new(world.another())];
    let writes = (0..60).map(|index| {
        let cloud = instances[index % 2].clone();
        tokio::spawn(async move { cloud.sites.add(site(index)).await })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap().unwrap();
    }
    assert_eq!(areas(&world).await, (1..=60).collect::<Vec<_>>());
}

async fn several_instances_may_open_an_empty_database_at_once(place: Place) {
    let (place, clock) = (Arc::new(place), Arc::new(SimulatedClock::at(start())));
    let starts = (0..4).map(|_| {
        let (place, clock) = (place.clone(), clock.clone());
        tokio::task::spawn_blocking(move || place.open(clock))
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.unwrap().check().await.unwrap();
    }
}

#[tokio::test]
async fn several_instances_may_open_an_empty_sqlite_file_at_once() {
    several_instances_may_open_an_empty_database_at_once(Place::sqlite()).await;
}

#[tokio::test]
async fn several_instances_may_open_an_empty_postgres_database_at_once() {
    several_instances_may_open_an_empty_database_at_once(Place::postgres()).await;
}

async fn a_connection_that_is_cut_is_made_again(world: World) {
    world.site("before", 1).await;
    world.cut_connections();
    world.cloud.check().await.unwrap();
    world.site("after", 1).await;
    assert_eq!(areas(&world).await, [1, 2]);
}
