//! Several instances of the service on one database.

use std::{path::PathBuf, time::Duration};

use chrono::TimeDelta;
use cloud_core::{Cloud, Error, Lease, SpotNews, SpotStatus};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    postgres::Database,
    world::{Place, World, on_each_engine},
};

on_each_engine! { a_limit_holds_over_all_instances }

const PATIENCE: Duration = Duration::from_secs(10);

/// The calls that instances, asked in turn, answer before none does any more.
async fn calls(instances: &[&Cloud]) -> u32 {
    let mut calls = 0;
    for turn in 0.. {
        let limits = &instances[turn % instances.len()].limits;
        match limits.lease("account 1 Query".to_owned(), 100).await.unwrap() {
            Lease::Calls(more) => calls += more,
            Lease::Wait(ms) => {
                assert_eq!(ms, 600, "a token of a hundred in a minute");
                return calls;
            }
        }
    }
    unreachable!("a bucket has an end")
}

async fn a_limit_holds_over_all_instances(world: World) {
    let (second, third) = (world.another(), world.another());
    let all = [&*world.cloud, &second, &third];
    assert_eq!(calls(&all).await, 100);
    world.clock.advance(TimeDelta::seconds(30));
    assert_eq!(calls(&all).await, 50);
    world.clock.advance(TimeDelta::minutes(10));
    world.cloud.tick().await.unwrap();
    assert_eq!(calls(&all).await, 100);
}

#[tokio::test]
async fn a_sqlite_file_is_served_by_one_and_the_next_after_it() {
    let mut world = World::on(Place::sqlite());
    world.cloud.serve().await.unwrap();
    let another = world.another();
    let Err(Error::Invalid { field: "database_url", problem }) = another.serve().await else {
        panic!("a second one serves the same file");
    };
    assert!(problem.contains("is served by another process"), "{problem}");
    drop(another);
    world.site("by-a-verb", 1).await;
    let file = world.cloud.clone();
    drop(file);
    world.restart();
    world.cloud.serve().await.unwrap();
}

#[tokio::test]
async fn instances_hear_from_each_other_and_one_does_what_is_due() {
    let world = World::on(Place::postgres());
    let other = world.another();
    world.cloud.serve().await.unwrap();
    other.serve().await.unwrap();
    let mut news = other.news();
    let told = SpotNews { from: Uuid::from_u128(1), spot_id: 5, status: SpotStatus::Reserved };
    let heard = async {
        loop {
            // What is told before anybody listens is lost.
            world.cloud.tell(told);
            if let Ok(heard) = timeout(Duration::from_millis(100), news.recv()).await {
                return heard.unwrap();
            }
        }
    };
    assert_eq!(timeout(PATIENCE, heard).await.unwrap(), told);

    let mut changes = other.changes();
    changes.mark_unchanged();
    world.site("north", 1).await;
    timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();

    // Both hear and speak again after their connections were cut.
    world.server().unwrap().cut_connections();
    let again = SpotNews { spot_id: 6, ..told };
    let heard = async {
        loop {
            world.cloud.tell(again);
            match timeout(Duration::from_millis(100), news.recv()).await {
                Ok(Ok(heard)) if heard == again => return,
                _ => {}
            }
        }
    };
    timeout(PATIENCE, heard).await.unwrap();
}

fn certificate(name: &str) -> PathBuf {
    Database::certificates().join(name)
}

#[tokio::test]
async fn tls_is_spoken_where_the_url_says_so() {
    let world = World::on(Place::postgres());
    let url = world.server().unwrap().url();
    let root = |name: &str| {
        format!("{url}?sslmode=verify-full&sslrootcert={}", certificate(name).display())
    };
    for good in [format!("{url}?sslmode=require"), root("server.crt")] {
        let cloud = Place::at(&good).open(world.clock.clone());
        cloud.check().await.unwrap();
        assert!(world.server().unwrap().has_encrypted_connections(), "{good}");
    }
    let localhost = root("server.crt").replace("127.0.0.1", "somebody.example");
    let elsewhere = localhost + "&hostaddr=127.0.0.1";
    for bad in [root("other.crt"), elsewhere] {
        let refused = Place::at(&bad).try_open(world.clock.clone()).err().unwrap().to_string();
        assert!(refused.contains("cannot reach the database"), "{bad}: {refused}");
    }
}
