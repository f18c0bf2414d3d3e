//! Somebody rents a cabinet.

use domain::{
    event::{Event, Outcome},
    locker::LockerFact,
};
use firmware_protocol::locker::Denial;
use serde_json::{Value, json};
use system_tests::{device::Faults, hall::Hall};
use tokio::time::Instant;

use crate::at_lockers;

fn doors_closed(events: &[Event]) -> usize {
    let closed = |fact: &&LockerFact| matches!(fact, LockerFact::Door { closed: true, .. });
    at_lockers(events).filter(closed).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn reserved_paid_opened_without_the_cloud_and_given_back() {
    let hall = Hall::start("").await.unwrap();
    hall.locker.board().hardware.set_people(true);
    let (order, code) = hall.rent("A002").await.unwrap();
    assert_eq!(hall.order(order).await.unwrap()["status"], "paid");

    hall.internet.cut();
    hall.type_code("000000");
    hall.type_code(&code);
    hall.released(1).await.unwrap();
    hall.until("the door is closed", |events| doors_closed(events) == 1).await.unwrap();
    let opening = hall.locker.board().hardware.openings()[0];
    assert_eq!(opening.door, 2);
    assert_eq!(hall.locker.board().hardware.take_denials(), [Denial::WrongCode]);
    hall.type_code(&code);
    hall.released(2).await.unwrap();
    hall.until("the door is closed again", |events| doors_closed(events) == 2).await.unwrap();
    assert_eq!(hall.order(order).await.unwrap()["status"], "paid", "the cloud knows nothing yet");

    hall.internet.mend();
    hall.order_is(order, "in_use").await.unwrap();
    hall.synced().await.unwrap();
    let began = Instant::now();
    let (status, answer) = hall.enter_at_cloud("A002", &code, true).await.unwrap();
    println!("from the code at the cloud to the released lock and back: {:?}", began.elapsed());
    assert!(status.is_success(), "{answer}");
    assert_eq!(answer["data"]["action"], "open");
    hall.order_is(order, "completed").await.unwrap();
    hall.vacant("A002").await.unwrap();
    hall.type_code(&code);
    let denied = |events: &[Event]| {
        at_lockers(events).filter(|f| matches!(f, LockerFact::Denied { .. })).count() == 2
    };
    hall.until("the old code is denied", denied).await.unwrap();
    assert_eq!(hall.locker.board().hardware.releases().len(), 3);
    hall.synced().await.unwrap();
    let cabinet = hall.good(&hall.visitor, "GET", "cabinets/A002/", Value::Null).await.unwrap();
    assert_eq!((&cabinet["status"], &cabinet["is_locked"]), (&json!("available"), &json!(true)));
    assert_eq!(cabinet["device_id"], "bank-1");
    assert_eq!(hall.alerts().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_site_is_away_the_cloud_says_so_and_nothing_opens_later() {
    let hall = Hall::start("").await.unwrap();
    let (_, code) = hall.rent("A001").await.unwrap();
    hall.internet.cut();
    let (status, answer) = hall.enter_at_cloud("A001", &code, false).await.unwrap();
    assert_eq!(status, 400, "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("站点离线"), "{answer}");
    hall.internet.mend();
    // What is told after the command shows that that has been told too.
    let _ = hall.rent("A003").await.unwrap();
    hall.synced().await.unwrap();
    assert!(hall.locker.board().hardware.releases().is_empty());
    let (status, answer) = hall.enter_at_cloud("A001", &code, false).await.unwrap();
    assert!(status.is_success(), "{answer}");
    hall.released(1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_ended_at_the_cloud_while_it_was_used_stays_ended_and_somebody_is_told() {
    let hall = Hall::start("").await.unwrap();
    hall.locker.board().hardware.set_people(true);
    let (order, code) = hall.rent("A001").await.unwrap();
    hall.internet.cut();
    let end = format!("orders/{order}/complete/");
    let ended = hall.good(&hall.admin, "POST", &end, json!({})).await.unwrap();
    assert_eq!(ended["status"], "completed");
    hall.type_code(&code);
    hall.released(1).await.unwrap();
    hall.internet.mend();
    hall.until("the door is closed", |events| doors_closed(events) == 1).await.unwrap();
    hall.synced().await.unwrap();
    let known = hall.order(order).await.unwrap();
    assert_eq!(known["status"], "completed", "{known}");
    assert!(known["start_time"].is_string(), "it was used: {known}");
    assert_eq!(known["total_amount"], "4.00", "and cost nothing more: {known}");
    assert_eq!(hall.alerts().await.unwrap(), ["used_after_end"]);
    hall.vacant("A001").await.unwrap();
    hall.type_code(&code);
    let denied =
        |events: &[Event]| at_lockers(events).any(|fact| matches!(fact, LockerFact::Denied { .. }));
    hall.until("the code opens nothing any more", denied).await.unwrap();
    assert_eq!(hall.locker.board().hardware.releases().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_power_cut_nothing_is_opened_twice_and_what_is_unknown_is_said() {
    let mut hall = Hall::start("").await.unwrap();
    let (_, code) = hall.rent("A001").await.unwrap();
    hall.locker.set_faults(Faults { slow_ms: 1_500, ..Faults::default() });
    hall.type_code(&code);
    let asked = |events: &[Event]| {
        at_lockers(events).any(|fact| matches!(fact, LockerFact::Opening { .. }))
    };
    hall.until("the intent is on disk", asked).await.unwrap();
    hall.edge.kill().await.unwrap();
    hall.edge.restart().await.unwrap();
    let unknown = |events: &[Event]| {
        at_lockers(events)
            .any(|fact| matches!(fact, LockerFact::Outcome { outcome: Outcome::Unknown, .. }))
    };
    hall.until("its outcome is unknown", unknown).await.unwrap();
    hall.locker.set_faults(Faults::default());
    hall.online("bank-1", true).await.unwrap();
    assert!(hall.locker.board().hardware.releases().len() <= 1);
    let before = hall.locker.board().hardware.releases().len();
    hall.type_code(&code);
    hall.released(before + 1).await.unwrap();
    hall.synced().await.unwrap();
}
