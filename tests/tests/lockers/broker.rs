//! A broker that stops, forgets, and denies: nothing opens by itself, nothing is lost, and all
//! comes back.

use std::time::Duration;

use domain::{event::Event, locker::LockerFact};
use system_tests::hall::Hall;
use tokio::time::sleep;

use crate::at_lockers;

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_loses_everything_and_one_that_denies_everything_open_nothing() {
    let mut hall = Hall::start("").await.unwrap();
    hall.locker.board().hardware.set_people(true);
    let (order, code) = hall.rent("A001").await.unwrap();
    hall.type_code(&code);
    hall.released(1).await.unwrap();

    hall.broker.stop();
    hall.online("bank-1", false).await.unwrap();
    hall.type_code(&code);
    // Longer than a code counts.
    sleep(Duration::from_secs(11)).await;
    let (status, answer) = hall.enter_at_cloud("A001", &code, false).await.unwrap();
    assert_eq!(status, 400, "{answer}");
    hall.broker.resume().unwrap();
    hall.online("bank-1", true).await.unwrap();
    assert_eq!(hall.locker.board().hardware.releases().len(), 1, "the old code opens nothing");
    hall.type_code(&code);
    hall.released(2).await.unwrap();

    hall.broker.deny_everything().unwrap();
    hall.online("bank-1", false).await.unwrap();
    let (status, answer) = hall.enter_at_cloud("A001", &code, false).await.unwrap();
    assert_eq!(status, 400, "{answer}");
    hall.broker.allow_everything().unwrap();
    hall.online("bank-1", true).await.unwrap();
    hall.synced().await.unwrap();
    let (status, answer) = hall.enter_at_cloud("A001", &code, true).await.unwrap();
    assert!(status.is_success(), "{answer}");
    hall.order_is(order, "completed").await.unwrap();
    hall.synced().await.unwrap();
    assert_eq!(hall.locker.board().hardware.releases().len(), 3);
    let opened = |events: &[Event]| {
        at_lockers(events).filter(|f| matches!(f, LockerFact::Door { closed: false, .. })).count()
    };
    assert_eq!(opened(&hall.edge.events().unwrap()), 3);
}
