//! The way down to a site, over a real database file.
#![allow(clippy::unwrap_used)]

use std::{
    future::{pending, ready},
    sync::Arc,
};

use domain::{
    directive::{Ask, Directive, Page},
    envelope::Refusal,
    event::Fact,
    ids::SessionId,
};
use uuid::Uuid;

use super::{Payment, Request, issue, tell_paid};
use crate::{
    Error, IngestError,
    ingest::tests::site::{Scene, Site, acked, car, noon, scene},
};

fn session(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number))
}

/// A payment of a stay at `site`, as the service that takes it writes it.
async fn pay(scene: &Scene, site: &'static str, session_id: String, amount_fen: i64) {
    let now_ms = scene.cloud.base.now_ms();
    let paid = scene.cloud.base.store.write(move |tx| {
        let (method, paid_at_ms) = ("wechat", now_ms);
        let payment = Payment { session_id: &session_id, amount_fen, method, paid_at_ms };
        Ok(tell_paid(tx, site, payment, now_ms)?)
    });
    paid.await.unwrap();
    scene.cloud.base.changed();
}

fn request(site: &Site, after: u64, count: u64) -> Request {
    let ask = Ask { after, list: None };
    Request { sender: site.sender_at(count, "GET", &ask.target(), &[]), ask }
}

async fn told(scene: &Scene, after: u64, count: u64) -> Vec<(u64, i64)> {
    let asked = scene.cloud.directives.ask(request(&scene.site, after, count), ready(())).await;
    amounts(asked.unwrap())
}

fn amounts(page: Page) -> Vec<(u64, i64)> {
    let amount = |directive| match directive {
        Directive::Paid { amount_fen, .. } => amount_fen,
        other => panic!("no payment: {other:?}"),
    };
    page.directives.iter().map(|told| (told.sequence, amount(told.read().unwrap()))).collect()
}

async fn declined(scene: &Scene, request: Request) -> Refusal {
    match scene.cloud.directives.ask(request, ready(())).await {
        Err(IngestError::Refused(refusal)) => refusal,
        other => panic!("expected to be declined, got {other:?}"),
    }
}

#[tokio::test]
async fn a_site_is_told_in_order_and_from_where_it_was() {
    let scene = scene().await;
    assert_eq!(told(&scene, 0, 1).await, []);
    for amount in [100, 200, 300] {
        pay(&scene, "north", session(1).to_string(), amount).await;
    }
    assert_eq!(told(&scene, 0, 2).await, [(1, 100), (2, 200), (3, 300)]);
    assert_eq!(told(&scene, 2, 3).await, [(3, 300)]);
    assert_eq!(told(&scene, 3, 4).await, []);
}

#[tokio::test]
async fn a_site_that_waits_is_told_when_it_is_paid_and_not_of_others() {
    let scene = Arc::new(scene().await);
    let waits = {
        let scene = scene.clone();
        let request = request(&scene.site, 0, 1);
        tokio::spawn(async move { scene.cloud.directives.ask(request, pending()).await.unwrap() })
    };
    // What others are told, and what concerns no site at all, ends no waiting.
    pay(&scene, "south", session(2).to_string(), 1).await;
    scene.cloud.base.changed();
    pay(&scene, "north", session(1).to_string(), 1250).await;
    assert_eq!(amounts(waits.await.unwrap()), [(1, 1250)]);
}

#[tokio::test]
async fn a_request_is_answered_once_and_only_to_its_site() {
    let scene = scene().await;
    assert_eq!(told(&scene, 0, 7).await, []);
    let again = declined(&scene, request(&scene.site, 0, 7)).await;
    assert_eq!(again, Refusal::Repeated { expected: 8 });
    let mut other = request(&scene.site, 0, 8);
    other.ask.after = 1;
    assert_eq!(declined(&scene, other).await, Refusal::Unauthorised);
    let mut forged = request(&Site::new("north", 2), 0, 9);
    assert_eq!(declined(&scene, forged.clone()).await, Refusal::Unauthorised);
    forged.sender.site = "nowhere".into();
    assert_eq!(declined(&scene, forged).await, Refusal::Unauthorised);
    assert_eq!(declined(&scene, request(&scene.site, 3, 10)).await, Refusal::Ahead { last: 0 });
    assert_eq!(told(&scene, 0, 10).await, []);
}

#[tokio::test]
async fn what_is_not_committed_is_not_told_and_leaves_no_gap() {
    let scene = scene().await;
    let failed = scene.cloud.base.store.write(|tx| {
        let session_id = &session(1).to_string();
        let payment = Payment { session_id, amount_fen: 1, method: "wechat", paid_at_ms: 0 };
        tell_paid(tx, "north", payment, 0)?;
        Err::<(), _>(Error::NotFound("money"))
    });
    failed.await.unwrap_err();
    pay(&scene, "north", session(1).to_string(), 2).await;
    assert_eq!(told(&scene, 0, 1).await, [(1, 2)]);
}

#[tokio::test]
async fn one_answer_holds_what_fits_and_nothing_is_larger_than_a_site_takes() {
    let scene = scene().await;
    let long = |bytes| Directive::Open { lane: "entry".parse().unwrap(), by: "x".repeat(bytes) };
    let write = |bytes| {
        let directive = long(bytes);
        scene.cloud.base.store.write(move |tx| Ok(issue(tx, "north", &directive, 0)?))
    };
    for _ in 0..40 {
        write(8000).await.unwrap();
    }
    write(9000).await.unwrap_err();
    let page =
        |after, count| scene.cloud.directives.ask(request(&scene.site, after, count), ready(()));
    let first = page(0, 1).await.unwrap().directives;
    assert!((30..33).contains(&first.len()), "{}", first.len());
    assert_eq!(page(first.len() as u64, 2).await.unwrap().directives.len(), 40 - first.len());
}

#[tokio::test]
async fn a_lane_is_opened_within_seconds_or_not_at_all() {
    let scene = scene().await;
    let operator = scene.caller.operator().unwrap();
    let lane = || "entry".parse().unwrap();
    let open = |site| scene.cloud.directives.open(&operator, site, lane());
    assert_eq!(open("north").await.unwrap(), 1);
    assert!(matches!(open("nowhere").await, Err(Error::NotFound("site"))));
    let page = scene.cloud.directives.ask(request(&scene.site, 0, 1), ready(())).await.unwrap();
    let told = &page.directives[0];
    assert_eq!(told.read().unwrap(), Directive::Open { lane: lane(), by: "operator".into() });
    assert_eq!(told.expires_at.unwrap() - page.now, domain::directive::OPEN_LIFE);
}

#[tokio::test]
async fn a_stay_that_no_edge_keeps_is_told_to_nobody() {
    let scene = scene().await;
    pay(&scene, "north", "begun-here".into(), 1).await;
    pay(&scene, "nowhere", session(1).to_string(), 1).await;
    let count = "SELECT COUNT(*) FROM directives";
    let rows = scene.cloud.base.store.read(move |tx| Ok(crate::store::number(tx, count, &[])?));
    assert_eq!(rows.await.unwrap(), 0);
}

#[tokio::test]
async fn a_payment_that_comes_back_in_the_journal_is_not_counted_again() {
    let mut scene = scene().await;
    pay(&scene, "north", session(1).to_string(), 1250).await;
    let paid = |directive| Fact::Paid {
        session: session(1),
        amount_fen: 1250,
        method: "wechat".into(),
        by: "cloud".into(),
        directive,
        paid_at: Some(noon()),
    };
    let skipped =
        Fact::DirectiveSkipped { directive: 1, kind: "sing".into(), reason: "unknown".into() };
    scene.site.tell(car(1));
    // The second was never told: whatever it is, it is not what stands here already.
    scene.site.tell([paid(Some(1)), paid(Some(9)), paid(None), skipped]);
    assert_eq!(acked(&scene.cloud, scene.site.batch(1, 6)).await, 6);
    let dashboard = scene.cloud.parking.dashboard(&scene.caller).await.unwrap();
    assert_eq!(dashboard.days.last().unwrap().revenue_fen, 2 * 1250);
    let told = "SELECT event FROM directives WHERE site_id = 'north' AND sequence = 1";
    let event = scene.cloud.base.store.read(move |tx| Ok(crate::store::number(tx, told, &[])?));
    assert_eq!(event.await.unwrap(), 6);
}
