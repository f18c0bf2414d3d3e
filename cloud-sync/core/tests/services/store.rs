//! What every service may rely on.

use std::{sync::Arc, time::Duration};

use cloud_core::{Error, NewSite};
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
    if let Some(server) = world.server() {
        server.cut_connections();
    }
    world.cloud.check().await.unwrap();
    world.site("after", 1).await;
    assert_eq!(areas(&world).await, [1, 2]);
}

#[tokio::test]
async fn while_the_database_is_away_callers_are_told_and_afterwards_all_is_well() {
    let world = World::on(Place::postgres());
    world.site("before", 1).await;
    let reader = world.visitor("reader").await;
    world.server().unwrap().close();
    for _ in 0..3 {
        assert!(matches!(world.cloud.check().await, Err(Error::Store(_))));
        assert!(matches!(world.cloud.sites.list(&reader).await, Err(Error::Store(_))));
    }
    world.server().unwrap().open();
    let back = async {
        while world.cloud.check().await.is_err() || world.cloud.sites.list(&reader).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), back).await.unwrap();
    world.site("after", 1).await;
    let dashboard = world.cloud.parking.dashboard(&reader).await.unwrap();
    assert_eq!(dashboard.areas.len(), 2);
}

#[tokio::test]
async fn what_is_wrong_with_a_url_is_told_without_its_password() {
    let told = |url: &str| {
        let clock = Arc::new(SimulatedClock::at(start()));
        Place::at(url).try_open(clock).err().unwrap().to_string()
    };
    let refused = [
        ("mysql://me:hush@db/gate", "sqlite:///relative.db"),
        ("postgres://me:hush@db:port/gate", "postgres://user:password@host:port/database"),
        ("postgres://me:hush@db", "names no host or no database"),
        ("postgres://me:hush@db/gate?sslmode=verify-ca", "sslmode=verify-full&sslrootcert=FILE"),
        ("postgres://me:hush@db/gate?sslmode=verify-full", "sslrootcert=FILE"),
        ("postgres://me:hush@db/gate?sslmode=verify-full&sslrootcert=/none", "sslrootcert=/none"),
        ("postgres://me:hush@127.0.0.1:1/gate", "cannot reach the database"),
    ];
    for (url, words) in refused {
        let told = told(url);
        assert!(told.contains(words) && !told.contains("hush"), "{url}: {told}");
    }
}
