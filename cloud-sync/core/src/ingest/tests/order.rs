//! Every event once, in the journal's order, whatever the line does.

use domain::{
    envelope::{Enrolment, Refusal},
    ids::BootId,
};
use proptest::prelude::*;

use super::site::{Site, acked, car, open, refused, scene, scene_at};
use crate::{
    Delivery, Error, NewSite, Sender,
    store::tests::{Place, on_each_engine},
};

on_each_engine! {
    a_batch_that_comes_twice_is_acknowledged_twice_and_changes_nothing,
    what_overlaps_is_passed_over_and_the_rest_is_kept,
    a_gap_is_refused_with_the_sequence_that_is_wanted,
    a_journal_that_was_rewritten_is_a_fork,
    only_what_the_sites_own_key_signed_is_taken,
    a_poisonous_event_is_named_and_goes_on_once_it_is_set_aside,
    an_event_that_speaks_for_another_place_is_unacceptable,
    a_kind_that_is_not_known_yet_is_kept_unread,
    what_is_no_batch_is_malformed,
    what_was_acknowledged_is_there_after_the_program_was_started_again,
    a_code_enrols_one_key_once_for_a_day,
}

async fn a_batch_that_comes_twice_is_acknowledged_twice_and_changes_nothing(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=3).flat_map(car));
    for _ in 0..3 {
        assert_eq!(acked(&scene.cloud, scene.site.batch(1, 6)).await, 6);
        assert_eq!(scene.counts().await, (3, 3));
    }
    // A part of what is here is acknowledged with all that is here.
    assert_eq!(acked(&scene.cloud, scene.site.batch(2, 3)).await, 6);
}

async fn what_overlaps_is_passed_over_and_the_rest_is_kept(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=5).flat_map(car));
    acked(&scene.cloud, scene.site.batch(1, 5)).await;
    assert_eq!(acked(&scene.cloud, scene.site.batch(3, 10)).await, 10);
    assert_eq!(scene.counts().await, (5, 5));
}

async fn a_gap_is_refused_with_the_sequence_that_is_wanted(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=3).flat_map(car));
    let early = refused(&scene.cloud, scene.site.batch(3, 4)).await;
    assert_eq!(early, Refusal::OutOfOrder { expected: 1 });
    acked(&scene.cloud, scene.site.batch(1, 2)).await;
    let gap = refused(&scene.cloud, scene.site.batch(4, 6)).await;
    assert_eq!(gap, Refusal::OutOfOrder { expected: 3 });
}

async fn a_journal_that_was_rewritten_is_a_fork(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=3).flat_map(car));
    acked(&scene.cloud, scene.site.batch(1, 4)).await;
    scene.site.rewrite(3, "京A00002", "京B00002");
    let overlap = refused(&scene.cloud, scene.site.batch(1, 6)).await;
    assert_eq!(overlap, fork(3));
    let next = refused(&scene.cloud, scene.site.batch(5, 6)).await;
    assert_eq!(next, fork(4));
    assert_eq!(scene.counts().await, (2, 2));
}

fn fork(sequence: u64) -> Refusal {
    Refusal::Forked { sequence, boot: Some(BootId(uuid::Uuid::nil())) }
}

async fn only_what_the_sites_own_key_signed_is_taken(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell(car(1));
    let good = scene.site.batch(1, 2);
    let mut forged = good.clone();
    *forged.body.last_mut().unwrap() = b' ';
    let mut stranger = Site::new("north", 2);
    stranger.tell(car(1));
    let from = |sender| Delivery { sender, ..good.clone() };
    let unknown = from(Sender { site: "south".into(), ..good.sender.clone() });
    let unsigned = from(Sender { signature: String::new(), ..good.sender.clone() });
    let recounted = from(Sender { count: good.sender.count + 1, ..good.sender.clone() });
    for delivery in [forged, stranger.batch(1, 2), unknown, unsigned, recounted] {
        assert_eq!(refused(&scene.cloud, delivery).await, Refusal::Unauthorised);
    }
    assert_eq!(scene.counts().await, (0, 0));
    assert_eq!(acked(&scene.cloud, good).await, 2);
}

async fn a_poisonous_event_is_named_and_goes_on_once_it_is_set_aside(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell(car(1));
    scene.site.tell_raw(r#"{"sequence":3,"site":"north","fact":7}"#);
    scene.site.tell(car(2));
    let Refusal::Unacceptable { sequence: 3, reason } =
        refused(&scene.cloud, scene.site.batch(1, 5)).await
    else {
        panic!("the third event is named");
    };
    assert!(!reason.is_empty());
    assert_eq!(scene.counts().await, (0, 0), "nothing of the batch is kept");

    acked(&scene.cloud, scene.site.batch(1, 2)).await;
    let hash = scene.site.hash(3);
    let aside = format!(r#"{{"quarantined":{{"hash":"{hash}","reason":"no event"}}}}"#);
    assert_eq!(acked(&scene.cloud, scene.site.request(3, &aside)).await, 3);
    assert_eq!(acked(&scene.cloud, scene.site.batch(4, 5)).await, 5);
    assert_eq!(scene.counts().await, (2, 2));
}

async fn an_event_that_speaks_for_another_place_is_unacceptable(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell(car(1));
    for (from, to) in [("\"sequence\":1", "\"sequence\":9"), ("\"north\"", "\"south\"")] {
        let original = scene.site.hash(1);
        scene.site.rewrite(1, from, to);
        assert_ne!(original, scene.site.hash(1));
        let refusal = refused(&scene.cloud, scene.site.batch(1, 2)).await;
        assert!(matches!(refusal, Refusal::Unacceptable { sequence: 1, .. }), "{refusal:?}");
        scene.site.rewrite(1, to, from);
    }
}

async fn a_kind_that_is_not_known_yet_is_kept_unread(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell(car(1));
    let newer = r#"{"type":"drone_landed","pad":{"x":1}}"#;
    scene.site.tell([domain::event::Fact::Stopped]);
    scene.site.rewrite(3, r#"{"type":"stopped"}"#, newer);
    assert_eq!(acked(&scene.cloud, scene.site.batch(1, 3)).await, 3);
    let kept = scene.cloud.base.store.read(|tx| {
        let sql = "SELECT kind, body FROM events WHERE sequence = 3";
        let row = crate::store::first(tx, sql, &[])?.unwrap();
        Ok((row.get::<String>(0)?, row.get::<String>(1)?))
    });
    let (kind, body) = kept.await.unwrap();
    assert_eq!(kind, "unknown");
    assert!(body.contains(newer), "{body}");
}

async fn what_is_no_batch_is_malformed(place: Place) {
    let scene = scene_at(place).await;
    for items in ["", r#"{"event":1},"#, r#"{"pudding":{}}"#] {
        let refusal = refused(&scene.cloud, scene.site.request(1, items)).await;
        assert!(matches!(refusal, Refusal::Malformed { .. }), "{items}: {refusal:?}");
    }
    let many = vec![r#"{"event":{}}"#; domain::envelope::MAX_BATCH_EVENTS + 1].join(",");
    let refusal = refused(&scene.cloud, scene.site.request(1, &many)).await;
    assert!(matches!(refusal, Refusal::Malformed { .. }), "{refusal:?}");
}

async fn what_was_acknowledged_is_there_after_the_program_was_started_again(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=2).flat_map(car));
    acked(&scene.cloud, scene.site.batch(1, 2)).await;
    scene.cloud = open(&scene.place, scene.clock.clone());
    assert_eq!(scene.counts().await, (1, 1));
    assert_eq!(acked(&scene.cloud, scene.site.batch(1, 4)).await, 4);
    assert_eq!(scene.counts().await, (2, 2));
}

async fn a_code_enrols_one_key_once_for_a_day(place: Place) {
    let scene = scene_at(place).await;
    let add = |name: &str| {
        scene.cloud.sites.add(NewSite { id: name.parse().unwrap(), name: name.into(), spots: 0 })
    };
    let enrol = async |code: &str, seed| {
        let public_key = Site::new("x", seed).public_key();
        scene.cloud.sites.enrol(&Enrolment { code: code.to_owned(), public_key }).await
    };
    let code = add("east").await.unwrap();
    assert_eq!(enrol(&code.to_lowercase(), 5).await.unwrap().site.as_str(), "east");
    // The answer may have been lost: the same key may ask again, no other.
    assert!(enrol(&code, 5).await.is_ok());
    assert!(matches!(enrol(&code, 6).await, Err(Error::Unauthenticated)));
    assert!(add("east").await.unwrap_err().to_string().contains("registered already"));

    let guessed = add("south").await.unwrap();
    let wrong = format!("{}-{}", &guessed[..8], "0000000000000000");
    for _ in 0..10 {
        assert!(enrol(&wrong, 7).await.is_err());
    }
    assert!(enrol(&guessed, 7).await.is_err(), "void after ten wrong tries");

    let late = add("west").await.unwrap();
    scene.clock.advance_hours(24);
    assert!(enrol(&late, 8).await.is_err(), "expired");
    let again = scene.cloud.sites.renew_code(&"west".parse().unwrap()).await.unwrap();
    assert!(enrol(&again, 8).await.is_ok());
    assert!(scene.cloud.sites.renew_code(&"west".parse().unwrap()).await.is_err(), "enrolled");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// However a journal is cut into batches, and however often each comes: every car once.
    #[test]
    fn any_cut_of_the_journal_ends_in_the_same_state(
        cuts in proptest::collection::vec((1_usize..=20, 0_usize..=6), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut scene = scene().await;
            scene.site.tell((1..=10).flat_map(car));
            let mut known = 0;
            for (from, length) in cuts {
                let (from, through) = (from.min(known + 1), (from + length).min(20));
                if from <= through {
                    known = acked(&scene.cloud, scene.site.batch(from, through)).await as usize;
                }
            }
            assert_eq!(acked(&scene.cloud, scene.site.batch(known.max(1), 20)).await, 20);
            assert_eq!(scene.counts().await, (10, 10));
        });
    }
}
