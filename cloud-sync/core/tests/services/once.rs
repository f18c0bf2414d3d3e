//! At most once, whatever happens in between.

use chrono::TimeDelta;
use cloud_core::{Begun, Kept, OnceKey};

use crate::world::{World, on_each_engine};

on_each_engine! {
    a_second_request_gets_the_first_answer,
    of_requests_at_once_one_is_done_and_the_others_wait_for_its_answer,
    after_a_crash_in_between_nothing_is_done_again,
    what_changed_nothing_may_be_tried_again,
    answers_are_forgotten_after_a_day,
}

fn key(owner: &str, content: &str) -> OnceKey {
    OnceKey::new(owner.to_owned(), "key-1", &[content.as_bytes()]).unwrap()
}

fn answer() -> Kept {
    Kept { status: 201, media_type: "application/json".into(), body: "{\"n\": 1}".into() }
}

async fn a_second_request_gets_the_first_answer(world: World) {
    let once = &world.cloud.once;
    let pay = key("account 1 pay", "50.00");
    assert_eq!(once.begin(&pay).await.unwrap(), Begun::New);
    once.finish(pay.clone(), answer()).await.unwrap();
    assert_eq!(once.begin(&pay).await.unwrap(), Begun::Done(answer()));
    let other = key("account 1 pay", "60.00");
    assert_eq!(once.begin(&other).await.unwrap(), Begun::Mismatch);
    let somebody = key("account 2 pay", "50.00");
    assert_eq!(once.begin(&somebody).await.unwrap(), Begun::New);
}

async fn of_requests_at_once_one_is_done_and_the_others_wait_for_its_answer(world: World) {
    let calls = (0..8).map(|_| {
        let cloud = world.cloud.clone();
        tokio::spawn(async move {
            let pay = key("account 1 pay", "50.00");
            match cloud.once.begin(&pay).await.unwrap() {
                Begun::New => {
                    cloud.once.finish(pay, answer()).await.unwrap();
                    None
                }
                begun => Some(begun),
            }
        })
    });
    let mut done = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            None => done += 1,
            Some(begun) => assert_eq!(begun, Begun::Done(answer())),
        }
    }
    assert_eq!(done, 1);
}

async fn after_a_crash_in_between_nothing_is_done_again(mut world: World) {
    let pay = key("account 1 pay", "50.00");
    assert_eq!(world.cloud.once.begin(&pay).await.unwrap(), Begun::New);
    world.restart();
    world.clock.advance(TimeDelta::minutes(2));
    for _ in 0..2 {
        assert_eq!(world.cloud.once.begin(&pay).await.unwrap(), Begun::Unanswered);
    }
}

async fn what_changed_nothing_may_be_tried_again(world: World) {
    let once = &world.cloud.once;
    let pay = key("account 1 pay", "50.00");
    assert_eq!(once.begin(&pay).await.unwrap(), Begun::New);
    once.release(pay.clone()).await.unwrap();
    assert_eq!(once.begin(&pay).await.unwrap(), Begun::New);
}

async fn answers_are_forgotten_after_a_day(world: World) {
    let once = &world.cloud.once;
    let (pay, open) = (key("account 1 pay", "50.00"), key("account 1 open", ""));
    for used in [&pay, &open] {
        assert_eq!(once.begin(used).await.unwrap(), Begun::New);
        once.finish(used.clone(), answer()).await.unwrap();
    }
    world.clock.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
    assert_eq!(once.begin(&pay).await.unwrap(), Begun::New);
    world.cloud.tick().await.unwrap();
    assert_eq!(once.begin(&open).await.unwrap(), Begun::New);
}

#[test]
fn a_key_is_printable_and_not_too_long() {
    for bad in ["", "a\nb", "钥匙", &"k".repeat(256)] {
        assert!(OnceKey::new("account 1".to_owned(), bad, &[]).is_err(), "{bad:?}");
    }
}
