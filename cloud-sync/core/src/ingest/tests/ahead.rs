//! What is sent ahead is applied when the journal has arrived at it, in its order, whoever runs beside.

use std::sync::Arc;

use domain::{
    charging::{ChargerFound, ChargersFound, Mode, PileId},
    event::Fact,
};

use super::{
    super::chain,
    site::{Scene, Site, acked, car, scene_at},
};
use crate::store::{
    number,
    tests::{Place, on_each_engine},
};

on_each_engine! {
    what_comes_ahead_is_applied_in_the_journals_order,
    what_comes_ahead_and_is_not_what_the_journal_says_changes_nothing,
    what_comes_ahead_while_a_batch_is_on_its_way_keeps_the_queue_for_charging_out_of_its_hands,
}

/// Rows of a table.
async fn count(scene: &Scene, table: &'static str) -> i64 {
    let count = move |tx: &mut dyn crate::store::Transaction| {
        Ok(number(tx, &format!("SELECT COUNT(*) FROM {table}"), &[])?)
    };
    scene.cloud.base.store.read(count).await.unwrap()
}

async fn what_comes_ahead_is_applied_in_the_journals_order(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=5).flat_map(car));
    for _ in 0..2 {
        let taken = scene.cloud.ingest.take(scene.site.ahead(7, 8)).await.unwrap();
        assert_eq!((taken.acked_through, taken.ahead_through), (0, Some(8)));
        assert_eq!(scene.counts().await, (0, 0), "it is put by and says nothing");
    }
    assert_eq!(acked(&scene.cloud, scene.site.batch(1, 4)).await, 4);
    assert_eq!(scene.counts().await, (2, 2));
    // The journal arrives at what was put by, and goes on behind it.
    assert_eq!(acked(&scene.cloud, scene.site.batch(5, 6)).await, 8);
    assert_eq!(scene.counts().await, (4, 4));
    assert_eq!(acked(&scene.cloud, scene.site.batch(8, 10)).await, 10);
    assert_eq!(scene.counts().await, (5, 5));
    assert_eq!(count(&scene, "events_ahead").await, 0);
}

async fn what_comes_ahead_and_is_not_what_the_journal_says_changes_nothing(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=3).flat_map(car));
    let mut other = Site::new("north", 1);
    other.tell((1..=3).flat_map(|number| car(number + 50)));
    let delivery = scene.site.deliver(other.ahead(5, 6).body);
    scene.cloud.ingest.take(delivery).await.unwrap();
    assert_eq!(acked(&scene.cloud, scene.site.batch(1, 4)).await, 4);
    assert_eq!(acked(&scene.cloud, scene.site.batch(5, 6)).await, 6);
    assert_eq!(scene.counts().await, (3, 3));
}

/// Between the look at what a batch changes and its transaction, which then has one site for itself
/// alone, something of the queue that all sites share is sent ahead.
async fn what_comes_ahead_while_a_batch_is_on_its_way_keeps_the_queue_for_charging_out_of_its_hands(
    place: Place,
) {
    let mut scene = scene_at(place).await;
    let charger = "charger-1".parse().unwrap();
    let found = ChargerFound { charger, pile: PileId { mode: Mode::Fast, number: 1 } };
    scene.site.tell((1..=2).flat_map(car));
    scene.site.tell([Fact::ChargersFound(ChargersFound { chargers: vec![found] })]);
    scene.site.tell(car(3));

    let (ingest, first) = (&scene.cloud.ingest, scene.site.batch(1, 2));
    let batch = Arc::new(chain::parse("north", &first.body).unwrap());
    let crosses_sites = ingest.crosses_sites("north", &batch).await.unwrap();
    assert!(!crosses_sites, "nothing of it changes what all share");
    ingest.take(scene.site.ahead(3, 7)).await.unwrap();
    let kept = ingest.keep_as(&first.sender, &batch, crosses_sites).await.unwrap();

    assert_eq!(kept.acked_through, 4, "the cars are taken in, the charger waits");
    assert_eq!((scene.counts().await, count(&scene, "charging_drivers").await), ((2, 2), 0));
    assert_eq!(count(&scene, "events_ahead").await, 3);
    // What comes next sees what is put by, and has all for itself.
    assert_eq!(acked(&scene.cloud, scene.site.batch(3, 4)).await, 7);
    assert_eq!((scene.counts().await, count(&scene, "charging_drivers").await), ((3, 3), 1));
    assert_eq!(count(&scene, "events_ahead").await, 0);
}
