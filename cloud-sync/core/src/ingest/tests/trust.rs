//! Who may send, once, and what people are told of everybody else.

use domain::envelope::{KEYS_PATH, MAX_BATCH_BYTES, Refusal, Rotation, to_hex};

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::site::{Scene, Site, acked, car, refused, scene_at};
use crate::{
    AlertFilter, AlertKind, IngestError, Window,
    store::tests::{Place, on_each_engine},
};

on_each_engine! {
    a_request_that_was_recorded_is_good_for_nothing,
    a_site_that_writes_as_another_is_refused_and_told_of,
    two_machines_with_one_key_are_told_of_by_name,
    a_key_is_changed_by_both_keys_and_the_old_one_is_void,
    a_site_without_rights_is_refused_until_it_enrols_again,
    a_machine_that_follows_another_begins_a_journal_behind_its,
    a_machine_that_gets_its_rights_back_goes_on_where_it_was,
    a_lost_place_stays_one_and_what_follows_is_taken,
    a_journal_that_was_changed_here_is_found_out,
    a_site_cannot_call_a_place_lost_that_is_here_and_write_another,
    a_batch_may_be_compressed_and_unfolds_to_no_more_than_a_batch,
    a_picture_comes_in_parts_and_is_not_sent_twice,
}

/// What is told of the site's safety, and of holes in its journal.
async fn alerts(scene: &Scene, kind: AlertKind) -> Vec<String> {
    let filter = AlertFilter { kind: Some(kind), ..AlertFilter::default() };
    let all = Window { skip: 0, limit: 50 };
    let (alerts, _) = scene.cloud.parking.alerts(&scene.caller, filter, all).await.unwrap();
    alerts.into_iter().map(|alert| alert.message).collect()
}

async fn a_request_that_was_recorded_is_good_for_nothing(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=2).flat_map(car));
    let (early, recorded) = (scene.site.batch(1, 2), scene.site.batch(1, 2));
    acked(&scene.cloud, recorded.clone()).await;
    let again = refused(&scene.cloud, recorded).await;
    assert_eq!(again, Refusal::Repeated { expected: 3 });
    // One that was overtaken on the way is no repetition.
    assert_eq!(acked(&scene.cloud, early).await, 2);
    let told = alerts(&scene, AlertKind::SiteSecurity).await;
    assert!(told.len() == 1 && told[0].contains("came again"), "{told:?}");
    let mut forged = scene.site.batch(3, 4);
    forged.sender.signature = "00".repeat(64);
    assert_eq!(refused(&scene.cloud, forged).await, Refusal::Unauthorised);
    let told = alerts(&scene, AlertKind::SiteSecurity).await;
    assert!(told.iter().any(|told| told.contains("signature is not the site's")), "{told:?}");
}

async fn a_site_that_writes_as_another_is_refused_and_told_of(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell(car(1));
    let mut other = Site::new("south", 1);
    other.tell(car(2));
    // Signed by the north gate, and it says that it is of the south gate.
    let delivery = scene.site.deliver(other.batch(1, 2).body);
    assert!(matches!(refused(&scene.cloud, delivery).await, Refusal::Malformed { .. }));
    let told = alerts(&scene, AlertKind::SiteSecurity).await;
    assert!(told.len() == 1 && told[0].contains("in the name of another site"), "{told:?}");
    assert_eq!(scene.counts().await, (0, 0));
}

async fn two_machines_with_one_key_are_told_of_by_name(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=2).flat_map(car));
    acked(&scene.cloud, scene.site.batch(1, 4)).await;
    scene.site.rewrite(4, "京A00002", "京B00002");
    let Refusal::Forked { sequence: 4, boot: Some(_) } =
        refused(&scene.cloud, scene.site.batch(3, 4)).await
    else {
        panic!("the run that wrote the other event is named");
    };
    let told = alerts(&scene, AlertKind::SiteSecurity).await;
    assert!(told.len() == 1 && told[0].contains("they part at event 4"), "{told:?}");
}

async fn a_key_is_changed_by_both_keys_and_the_old_one_is_void(place: Place) {
    let mut scene = scene_at(place).await;
    let mut next = Site::new("north", 9);
    let public_key = next.public_key();
    let rotation = |signer: &Site| {
        let proof = signer.sign(&Rotation::proof("north", &public_key));
        let public_key = public_key.clone();
        serde_json::to_vec(&Rotation { public_key, proof }).unwrap()
    };
    let change = async |by: &Site, body: &[u8]| {
        scene.cloud.sites.rotate(by.sender("POST", KEYS_PATH, body), body).await
    };
    // Somebody enters a key that is not his, and somebody has not the old one.
    let unproven = rotation(&scene.site);
    let Err(IngestError::Refused(Refusal::Malformed { .. })) = change(&scene.site, &unproven).await
    else {
        panic!("the new key has to sign for itself");
    };
    let proven = rotation(&next);
    let Err(IngestError::Refused(Refusal::Unauthorised)) = change(&next, &proven).await else {
        panic!("the old key has to sign the request");
    };
    assert_eq!(change(&scene.site, &proven).await.unwrap().public_key, public_key);
    // The answer was lost: asked again by the new key.
    let again = next.sender_at(40, "POST", KEYS_PATH, &proven);
    assert!(scene.cloud.sites.rotate(again, &proven).await.is_ok());

    scene.site.tell(car(1));
    next.tell(car(1));
    assert_eq!(refused(&scene.cloud, scene.site.batch(1, 2)).await, Refusal::Unauthorised);
    assert_eq!(acked(&scene.cloud, next.batch(1, 2)).await, 2);
}

async fn a_site_without_rights_is_refused_until_it_enrols_again(place: Place) {
    let mut scene = scene_at(place).await;
    let north = "north".parse().unwrap();
    scene.site.tell((1..=2).flat_map(car));
    acked(&scene.cloud, scene.site.batch(1, 2)).await;
    scene.cloud.sites.revoke(&north).await.unwrap();
    assert!(scene.cloud.sites.revoke(&north).await.is_err(), "it has none any more");
    assert_eq!(refused(&scene.cloud, scene.site.batch(3, 4)).await, Refusal::Revoked);
    let told = alerts(&scene, AlertKind::SiteSecurity).await;
    assert!(told.len() == 1 && told[0].contains("rights were taken away"), "{told:?}");

    let code = scene.cloud.sites.renew_code(&north).await.unwrap();
    let public_key = scene.site.public_key();
    let enrolment = domain::envelope::Enrolment { code, public_key };
    scene.cloud.sites.enrol(&enrolment).await.unwrap();
    assert_eq!(acked(&scene.cloud, scene.site.batch(3, 4)).await, 4);
}

/// Enrols a machine at the site of another, whose rights are taken away.
async fn replace(scene: &Scene, next: &Site) {
    let north = "north".parse().unwrap();
    scene.cloud.sites.revoke(&north).await.unwrap();
    let code = scene.cloud.sites.renew_code(&north).await.unwrap();
    let enrolment = domain::envelope::Enrolment { code, public_key: next.public_key() };
    scene.cloud.sites.enrol(&enrolment).await.unwrap();
}

async fn a_machine_that_follows_another_begins_a_journal_behind_its(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=4).flat_map(car));
    acked(&scene.cloud, scene.site.batch(1, 4)).await;
    // The third car was on its way, and is lost with the card; the fourth was sent ahead.
    scene.cloud.ingest.take(scene.site.ahead(7, 8)).await.unwrap();
    let mut next = Site::new("north", 9);
    next.tell((11..=13).flat_map(car));
    replace(&scene, &next).await;
    assert_eq!(refused(&scene.cloud, scene.site.batch(5, 6)).await, Refusal::Unauthorised);

    // Until it is seen whether its journal begins anew, it goes in order. It counts for itself.
    assert_eq!(refused(&scene.cloud, next.ahead(5, 6)).await, Refusal::NoRoomAhead);
    assert_eq!(acked(&scene.cloud, next.batch(1, 2)).await, 2);
    assert_eq!(acked(&scene.cloud, next.batch(1, 2)).await, 2, "the answer was lost");
    let gap = Refusal::OutOfOrder { expected: 3 };
    assert_eq!(refused(&scene.cloud, next.batch(4, 4)).await, gap);
    let taken = scene.cloud.ingest.take(next.ahead(5, 6)).await.unwrap();
    assert_eq!((taken.acked_through, taken.ahead_through), (2, Some(6)));
    assert_eq!(acked(&scene.cloud, next.batch(3, 4)).await, 6);
    assert_eq!(scene.counts().await, (6, 6), "three cars of the old machine, three of the new");
    let told = alerts(&scene, AlertKind::JournalDamaged).await;
    assert!(told.len() == 1 && told[0].contains("2 events from 5 to 6 are lost"), "{told:?}");
    let report = scene.cloud.ingest.verify(&"north".parse().unwrap()).await.unwrap();
    assert_eq!(
        (report.places, &report.replaced[..], &report.lost[..]),
        (15, &[9][..], &[[5, 6]][..])
    );
    assert_eq!(report.findings, []);

    // Without a fresh code a journal that begins anew is a fork, as before.
    let mut copied = Site::new("north", 9);
    copied.tell((21..=22).flat_map(car));
    let delivery = next.deliver(copied.batch(1, 2).body);
    assert!(matches!(refused(&scene.cloud, delivery).await, Refusal::Forked { sequence: 1, .. }));
    // And a third machine follows the second.
    let mut third = Site::new("north", 10);
    third.tell(car(31));
    replace(&scene, &third).await;
    assert_eq!(acked(&scene.cloud, third.batch(1, 2)).await, 2);
    let report = scene.cloud.ingest.verify(&"north".parse().unwrap()).await.unwrap();
    assert_eq!((report.head, &report.replaced[..]), (18, &[9, 16][..]));
    assert_eq!(report.findings, []);
    assert_eq!(scene.counts().await, (7, 7));
}

async fn a_machine_that_gets_its_rights_back_goes_on_where_it_was(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=3).flat_map(car));
    acked(&scene.cloud, scene.site.batch(1, 4)).await;
    // The same journal by another key.
    let mut next = Site::new("north", 9);
    (1..=6).for_each(|sequence| next.tell_raw(scene.site.event(sequence)));
    replace(&scene, &next).await;
    assert_eq!(acked(&scene.cloud, next.batch(3, 6)).await, 6);
    // From then on it is not new any more.
    next.rewrite(1, "京A00001", "京B00001");
    assert!(matches!(refused(&scene.cloud, next.batch(1, 2)).await, Refusal::Forked { .. }));
    let report = scene.cloud.ingest.verify(&"north".parse().unwrap()).await.unwrap();
    assert_eq!((report.places, &report.replaced[..]), (6, &[][..]));
    assert_eq!(scene.counts().await, (3, 3));
}

async fn a_lost_place_stays_one_and_what_follows_is_taken(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=3).flat_map(car));
    let (hash, event) = (scene.site.hash(5), scene.site.event(5));
    let items = format!(
        r#"{{"lost":{{"reason":"rot"}}}},{{"lost":{{"reason":"rot"}}}},{{"resumed":{{"hash":"{hash}","event":{event}}}}}"#
    );
    acked(&scene.cloud, scene.site.batch(1, 2)).await;
    assert_eq!(acked(&scene.cloud, scene.site.request(3, &items)).await, 5);
    assert_eq!(acked(&scene.cloud, scene.site.batch(6, 6)).await, 6);
    assert_eq!(scene.counts().await, (2, 2), "the second car is lost and the others are not");
    let told = alerts(&scene, AlertKind::JournalDamaged).await;
    assert!(told.len() == 1 && told[0].contains("2 events from 3 to 4 are lost"), "{told:?}");
    let report = scene.cloud.ingest.verify(&"north".parse().unwrap()).await.unwrap();
    assert_eq!((report.places, report.head, &report.lost[..]), (6, 6, &[[3, 4]][..]));
    assert_eq!(report.findings, []);
}

async fn a_journal_that_was_changed_here_is_found_out(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=3).flat_map(car));
    acked(&scene.cloud, scene.site.batch(1, 6)).await;
    let north = "north".parse().unwrap();
    assert_eq!(scene.cloud.ingest.verify(&north).await.unwrap().findings, []);
    let change = scene.cloud.base.store.write(|tx| {
        let sql =
            "UPDATE events SET body = replace(body, '京A00001', '京B00001') WHERE sequence = 2";
        tx.execute(sql, &[])?;
        tx.execute("DELETE FROM events WHERE sequence = 5", &[])?;
        Ok(())
    });
    change.await.unwrap();
    let findings = scene.cloud.ingest.verify(&north).await.unwrap().findings;
    let named: Vec<_> = findings.iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(named, [2, 5], "{findings:?}");
    assert!(scene.cloud.ingest.verify(&"nowhere".parse().unwrap()).await.is_err());
}

async fn a_site_cannot_call_a_place_lost_that_is_here_and_write_another(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell((1..=3).flat_map(car));
    acked(&scene.cloud, scene.site.batch(1, 4)).await;
    // It has lost what is here, which changes nothing; what it goes on with must follow all the same.
    let lost = r#"{"lost":{"reason":"rot"}}"#;
    assert_eq!(acked(&scene.cloud, scene.site.request(4, lost)).await, 4);
    let event = scene.site.event(5);
    let unknown = domain::envelope::ChainHash::GENESIS;
    let resume = |hash| format!(r#"{{"resumed":{{"hash":"{hash}","event":{event}}}}}"#);
    let other = scene.site.request_after(unknown, 5, "", &resume(scene.site.hash(6)));
    assert!(matches!(refused(&scene.cloud, other).await, Refusal::Forked { sequence: 4, .. }));
    let same = scene.site.request_after(unknown, 5, "", &resume(scene.site.hash(5)));
    assert_eq!(acked(&scene.cloud, same).await, 5);
    assert_eq!(alerts(&scene, AlertKind::JournalDamaged).await, [""; 0]);
}

async fn a_batch_may_be_compressed_and_unfolds_to_no_more_than_a_batch(place: Place) {
    let mut scene = scene_at(place).await;
    scene.site.tell(car(1));
    let plain = scene.site.batch(1, 2).body;
    let fold = |bytes: &[u8]| compress_to_vec(bytes, CompressionLevel::Fastest);
    let folded = fold(&plain);
    assert!(folded.len() < plain.len());
    assert_eq!(acked(&scene.cloud, scene.site.deliver(folded.clone())).await, 2);
    let bomb = fold(&vec![b' '; 8 * MAX_BATCH_BYTES]);
    let cut = folded[..folded.len() - 3].to_vec();
    for body in [bomb, cut] {
        let refusal = refused(&scene.cloud, scene.site.deliver(body)).await;
        assert!(matches!(refusal, Refusal::Malformed { .. }), "{refusal:?}");
    }
}

async fn a_picture_comes_in_parts_and_is_not_sent_twice(place: Place) {
    let mut scene = scene_at(place).await;
    let jpeg: Vec<u8> = [0xFF, 0xD8, 0xFF].into_iter().chain((0..997).map(|n| n as u8)).collect();
    let name = to_hex(ring::digest::digest(&ring::digest::SHA256, &jpeg).as_ref());
    scene.site.tell(car(1));
    scene.site.rewrite(1, &super::site::picture_name(1), &name);
    acked(&scene.cloud, scene.site.batch(1, 1)).await;
    let put = async |offset: usize, end: usize| {
        let part = scene.part(jpeg[offset..end].to_vec(), name.clone(), offset, 1000);
        let receipt = scene.cloud.pictures.put(part).await.unwrap();
        (receipt.kept, receipt.has)
    };
    assert_eq!(put(0, 400).await, (false, 400));
    // The answer was lost and the part comes again; one that leaves a gap is not taken.
    assert_eq!(put(0, 400).await, (false, 400));
    assert_eq!(put(500, 600).await, (false, 400));
    assert_eq!(put(400, 1000).await, (true, 1000));
    assert_eq!(scene.cloud.pictures.get(&scene.caller, &name).await.unwrap(), jpeg);
    assert_eq!(put(0, 3).await, (true, 1000), "nothing more is wanted");

    let other = "ab".repeat(32);
    scene.site.rewrite(1, &name, &other);
    let wrong = scene.part(jpeg.clone(), other, 0, 1000);
    assert!(scene.cloud.pictures.put(wrong).await.is_err(), "no event has named it");
}
