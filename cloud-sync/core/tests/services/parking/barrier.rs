//! What a site's journal tells is a stay like any other.

use chrono::TimeDelta;
use cloud_core::{
    AccessKind, Admin, AlertFilter, AlertKind, Assignment, Correction, Error, NewEntry, PayMethod,
    Payable, PlateFilter, SpotStatus, Window,
};
use domain::{access::Term, clock::Clock, event::Fact, site::Parameters};

use super::{
    edge::{Edge, enters, leaves, session},
    lot::{Lot, standard},
};
use crate::world::{World, on_each_engine};

on_each_engine! {
    a_journaled_car_takes_a_free_spot_and_leaves_it,
    more_cars_than_spots_are_inside_all_the_same,
    who_was_assigned_a_spot_keeps_it_at_the_barrier,
    a_fee_that_a_site_took_is_a_payment,
    who_has_paid_has_the_time_to_leave_that_is_set_for_the_site,
    who_has_paid_has_the_time_to_leave_that_the_sites_own_file_says,
    a_car_with_a_permit_owes_nothing_until_it_ends,
    a_stay_that_ended_at_the_cloud_ends_as_the_barrier_says,
    a_car_that_stays_on_a_spot_of_a_barrier_is_only_moved,
    a_correction_of_a_plate_inside_twice_is_taken,
    a_silent_site_is_told_of_until_it_calls,
    a_fee_that_is_taken_at_both_ends_is_a_refund_that_is_due,
    a_plate_that_is_corrected_while_its_stay_ends_keeps_both,
}

const FEW: Window = Window { skip: 0, limit: 10 };

async fn site(world: World, spots: usize) -> (Lot, Edge) {
    let edge = Edge::enrol(&world).await;
    (Lot::open(world, spots).await, edge)
}

async fn a_journaled_car_takes_a_free_spot_and_leaves_it(world: World) {
    let (lot, mut edge) = site(world, 2).await;
    edge.tell(&lot.world, enters(&lot.world, 1, "京A00001", None)).await;
    let spot = lot.spot("A001").await;
    assert_eq!((spot.status, spot.plate.as_deref()), (SpotStatus::Occupied, Some("京A00001")));
    let filter = PlateFilter { spot_id: Some(spot.id), ..PlateFilter::default() };
    assert_eq!(lot.world.cloud.plates.page(&lot.staff, filter, FEW).await.unwrap().1, 1);
    lot.wait(TimeDelta::hours(1));
    edge.tell(&lot.world, leaves(&lot.world, 1, "京A00001", 1250)).await;
    assert_eq!(lot.spot("A001").await.status, SpotStatus::Available);
    let (stays, _) = lot.parking().stays(&lot.staff, Default::default(), None).await.unwrap();
    assert_eq!((stays.len(), stays[0].fee_fen, stays[0].by_barrier), (1, Some(1250), true));
    assert_eq!(stays[0].vehicle.as_ref().unwrap().plate, "京A00001");
}

async fn more_cars_than_spots_are_inside_all_the_same(world: World) {
    let (lot, mut edge) = site(world, 1).await;
    for number in 1..=2 {
        let plate = format!("京A0000{number}");
        edge.tell(&lot.world, enters(&lot.world, number, &plate, None)).await;
    }
    edge.tell(&lot.world, enters(&lot.world, 3, "", None)).await;
    edge.tell(&lot.world, enters(&lot.world, 4, "", None)).await;
    assert_eq!(lot.parking().active_count().await.unwrap(), 4);
    let dashboard = lot.parking().dashboard(&lot.staff).await.unwrap();
    let area = dashboard.areas.iter().find(|area| area.id == lot.area.id).unwrap();
    assert_eq!((area.occupied_spots, area.available_spots()), (1, 0), "no spot is taken twice");
}

async fn who_was_assigned_a_spot_keeps_it_at_the_barrier(world: World) {
    let (lot, mut edge) = site(world, 3).await;
    let anna = lot.world.visitor("anna").await;
    let wanted = Assignment {
        plate: "京A·00001".into(),
        spot_number: Some("A003".into()),
        ..Assignment::default()
    };
    let assigned = lot.parking().auto_assign(&anna, wanted).await.unwrap();
    lot.wait(TimeDelta::minutes(5));
    let tariff = Some(standard().tariff);
    edge.tell(&lot.world, enters(&lot.world, 1, "京A00001", tariff)).await;
    let stay = lot.parking().stay(&anna, assigned.id).await.unwrap();
    assert!(stay.by_barrier);
    assert_eq!((stay.spot.unwrap().number.as_str(), stay.user), ("A003", anna.account_id()));
    assert_eq!(stay.entered_at_ms, lot.parking().now_ms(), "it entered when the barrier says");
    assert_eq!(lot.parking().active_count().await.unwrap(), 1);
}

async fn a_fee_that_a_site_took_is_a_payment(world: World) {
    let (lot, mut edge) = site(world, 1).await;
    edge.tell(&lot.world, enters(&lot.world, 1, "京A00001", Some(standard().tariff))).await;
    lot.wait(TimeDelta::minutes(150));
    let stays = lot.parking().stays(&lot.staff, Default::default(), None).await.unwrap().0;
    let order = lot.parking().order(&lot.staff, stays[0].id).await.unwrap();
    edge.tell(&lot.world, vec![cash(1, order.amount_fen)]).await;
    let figures = lot.parking().payment_figures(&lot.staff).await.unwrap();
    assert_eq!((figures.today_fen, figures.completed, figures.pending), (1250, 1, 0));
    assert_eq!(figures.by_method, [("cash".to_owned(), 1)]);
}

/// Sets the time to leave at the cloud, or takes back what was set.
async fn set_grace(lot: &Lot, admin: &Admin, grace_minutes: Option<u32>) {
    let set = move |before| Parameters { grace_minutes, ..before };
    let north = "north".parse().unwrap();
    lot.world.cloud.sites.set_parameters(admin, &north, set).await.unwrap();
}

async fn who_has_paid_has_the_time_to_leave_that_is_set_for_the_site(world: World) {
    let (lot, mut edge) = site(world, 1).await;
    set_grace(&lot, &lot.world.admin().await, Some(30)).await;
    edge.tell(&lot.world, enters(&lot.world, 1, "京A00001", Some(standard().tariff))).await;
    let stay = lot.parking().stays(&lot.staff, Default::default(), None).await.unwrap().0[0].id;
    lot.wait(TimeDelta::minutes(150));
    edge.tell(&lot.world, vec![cash(1, 1250)]).await;
    lot.wait(TimeDelta::minutes(29));
    let nothing_due = lot.parking().order(&lot.staff, stay).await;
    assert!(matches!(nothing_due, Err(Error::Refused("already_paid"))), "{nothing_due:?}");
    lot.wait(TimeDelta::minutes(2));
    let due = lot.parking().order(&lot.staff, stay).await.unwrap().amount_fen;
    assert_eq!(due, 155, "31 minutes more at 3.00 an hour");
}

async fn who_has_paid_has_the_time_to_leave_that_the_sites_own_file_says(world: World) {
    let (lot, mut edge) = site(world, 1).await;
    let admin = lot.world.admin().await;
    let by_file = |minutes| vec![Fact::Started { version: "1".into(), grace_minutes: minutes }];
    edge.tell(&lot.world, by_file(Some(30))).await;
    edge.tell(&lot.world, enters(&lot.world, 1, "京A00001", Some(standard().tariff))).await;
    let stay = lot.parking().stays(&lot.staff, Default::default(), None).await.unwrap().0[0].id;
    lot.wait(TimeDelta::minutes(150));
    edge.tell(&lot.world, vec![cash(1, 1250)]).await;
    lot.wait(TimeDelta::minutes(20));
    let owed = async || {
        let stay = lot.parking().stay(&lot.staff, stay).await.unwrap();
        stay.owed_at(lot.parking().now_ms()).0
    };
    assert_eq!(owed().await, 0, "half an hour by the file");
    set_grace(&lot, &admin, Some(10)).await;
    assert_eq!(owed().await, 100, "20 minutes at 3.00 an hour: what is set here comes first");
    set_grace(&lot, &admin, None).await;
    assert_eq!(owed().await, 0, "the file's again");
    edge.tell(&lot.world, by_file(Some(5))).await;
    assert_eq!(owed().await, 100, "the file was edited");
    edge.tell(&lot.world, by_file(None)).await;
    assert_eq!(owed().await, 100, "a site that does not say: 15 minutes");
}

async fn a_car_with_a_permit_owes_nothing_until_it_ends(world: World) {
    let (lot, mut edge) = site(world, 2).await;
    let mut of_the_file = enters(&lot.world, 1, "京A00001", Some(standard().tariff));
    if let Some(Fact::SessionOpened { permit, .. }) = of_the_file.last_mut() {
        let until = lot.world.clock.now().wall + TimeDelta::hours(2);
        *permit = Some(Term { from: None, until: Some(until) });
    }
    edge.tell(&lot.world, of_the_file).await;
    edge.tell(&lot.world, enters(&lot.world, 2, "京A00002", Some(standard().tariff))).await;
    let (admin, access) = (lot.world.admin().await, &lot.world.cloud.access);
    let listed = NewEntry {
        kind: AccessKind::Permit,
        plate: "京A·00002".into(),
        about: "Li".into(),
        valid_from: None,
        valid_until: None,
        lanes: Vec::new(),
        note: String::new(),
    };
    let owed = async || {
        let (mut stays, _) =
            lot.parking().stays(&lot.staff, Default::default(), None).await.unwrap();
        stays.sort_by_key(|stay| stay.id);
        let now_ms = lot.parking().now_ms();
        stays.iter().map(|stay| (stay.fee_at(now_ms).0, stay.owed_at(now_ms).0)).collect::<Vec<_>>()
    };
    lot.wait(TimeDelta::hours(1));
    assert_eq!(owed().await, [(0, 0), (500, 500)]);
    access.put(&admin, "north", listed).await.unwrap();
    assert_eq!(owed().await, [(0, 0), (0, 0)], "its driver got a permit");
    lot.wait(TimeDelta::hours(1));
    access.remove(&admin, "north", AccessKind::Permit, "京A00002").await.unwrap();
    lot.wait(TimeDelta::hours(1));
    assert_eq!(owed().await, [(500, 500), (500, 500)], "an hour since their permits ended");
    edge.tell(&lot.world, leaves(&lot.world, 2, "京A00002", 0)).await;
    assert_eq!(owed().await[1], (0, 0), "what the site says at the end stands");
}

/// A car that entered at the barrier, and that the cloud says has left after an hour and paid.
async fn left_and_paid_at_the_cloud(world: World) -> (Lot, Edge, i64) {
    let (lot, mut edge) = site(world, 1).await;
    edge.tell(&lot.world, enters(&lot.world, 1, "京A00001", Some(standard().tariff))).await;
    let stay = lot.parking().stays(&lot.staff, Default::default(), None).await.unwrap().0[0].id;
    lot.wait(TimeDelta::minutes(60));
    lot.leave(stay).await;
    let with = Payable { method: PayMethod::Card, amount_fen: None };
    lot.parking().pay_stay(&lot.staff, stay, with).await.unwrap();
    (lot, edge, stay)
}

async fn a_stay_that_ended_at_the_cloud_ends_as_the_barrier_says(world: World) {
    let (lot, mut edge, stay) = left_and_paid_at_the_cloud(world).await;
    assert_eq!(edge.told_paid(&lot.world).await, [500], "its barrier opens");
    let next = lot.park("京A00002", "A001").await;
    lot.wait(TimeDelta::minutes(5));
    edge.tell(&lot.world, leaves(&lot.world, 1, "京A00001", 500)).await;
    let left = lot.parking().stay(&lot.staff, stay).await.unwrap();
    assert_eq!(left.exited_at_ms, Some(lot.parking().now_ms()));
    assert_eq!((left.fee_fen, left.paid_fen), (Some(500), 500));
    assert_eq!(lot.spot("A001").await.session, Some(next.id), "who stands there stays");
}

async fn a_car_that_stays_on_a_spot_of_a_barrier_is_only_moved(world: World) {
    let (lot, mut edge) = site(world, 2).await;
    edge.tell(&lot.world, enters(&lot.world, 1, "京A00001", None)).await;
    let say = |spot, status, plate: Option<&str>| {
        let plate = plate.map(str::to_owned);
        let report = cloud_core::SpotReport { status, vehicle_type: None, plate };
        lot.parking().report_spot(&lot.operator, spot, report)
    };
    let (one, two) = (lot.spot("A001").await.id, lot.spot("A002").await.id);
    say(two, SpotStatus::Occupied, Some("京A00001")).await.unwrap();
    assert_eq!(lot.spot("A001").await.status, SpotStatus::Available);
    say(two, SpotStatus::Available, None).await.unwrap();
    assert_eq!(lot.parking().active_count().await.unwrap(), 1, "the barrier will see it leave");
    say(one, SpotStatus::Occupied, Some("京A00001")).await.unwrap();
    assert_eq!(lot.parking().active_count().await.unwrap(), 1);
}

async fn a_correction_of_a_plate_inside_twice_is_taken(world: World) {
    let (lot, mut edge) = site(world, 2).await;
    edge.tell(&lot.world, enters(&lot.world, 1, "京A00001", None)).await;
    edge.tell(&lot.world, enters(&lot.world, 2, "京A0000I", None)).await;
    let filter = PlateFilter { text: Some("A0000I".into()), ..PlateFilter::default() };
    let read = lot.world.cloud.plates.list(&lot.staff, filter, FEW).await.unwrap()[0].id;
    let right = Correction { plate: Some("京A00001".into()), ..Correction::default() };
    lot.world.cloud.plates.correct(&lot.operator, read, right).await.unwrap();
    edge.tell(&lot.world, leaves(&lot.world, 2, "京A00001", 0)).await;
    edge.tell(&lot.world, leaves(&lot.world, 1, "京A00001", 0)).await;
    assert_eq!(lot.parking().active_count().await.unwrap(), 0);
}

async fn a_silent_site_is_told_of_until_it_calls(world: World) {
    let (lot, mut edge) = site(world, 1).await;
    assert_eq!(alerts(&lot, AlertKind::SiteOffline).await, 0);
    lot.wait(TimeDelta::minutes(10));
    assert_eq!(alerts(&lot, AlertKind::SiteOffline).await, 1);
    edge.tell(&lot.world, vec![Fact::Stopped]).await;
    assert_eq!(alerts(&lot, AlertKind::SiteOffline).await, 0);
}

async fn alerts(lot: &Lot, kind: AlertKind) -> i64 {
    let filter = AlertFilter { kind: Some(kind), active: Some(true), ..AlertFilter::default() };
    lot.parking().alerts(&lot.staff, filter, FEW).await.unwrap().1
}

fn cash(number: u128, amount_fen: i64) -> Fact {
    Fact::Paid {
        session: session(number),
        amount_fen,
        method: "cash".into(),
        by: "li".into(),
        directive: None,
        paid_at: None,
    }
}

async fn a_fee_that_is_taken_at_both_ends_is_a_refund_that_is_due(world: World) {
    let (lot, mut edge, stay) = left_and_paid_at_the_cloud(world).await;
    assert_eq!(alerts(&lot, AlertKind::RefundDue).await, 0);
    let mut unheard = vec![cash(1, 500)];
    unheard.extend(leaves(&lot.world, 1, "京A00001", 500));
    edge.tell(&lot.world, unheard).await;
    let left = lot.parking().stay(&lot.staff, stay).await.unwrap();
    assert_eq!((left.fee_fen, left.paid_fen), (Some(500), 1000), "both payments are real");
    assert_eq!(alerts(&lot, AlertKind::RefundDue).await, 1);
}

async fn a_plate_that_is_corrected_while_its_stay_ends_keeps_both(world: World) {
    let (lot, mut edge) = site(world, 1).await;
    edge.tell(&lot.world, enters(&lot.world, 1, "京A0000I", None)).await;
    let filter = PlateFilter { text: Some("A0000I".into()), ..PlateFilter::default() };
    let read = lot.world.cloud.plates.list(&lot.staff, filter, FEW).await.unwrap()[0].id;
    let right = Correction { plate: Some("京A00001".into()), ..Correction::default() };
    lot.world.cloud.plates.correct(&lot.operator, read, right).await.unwrap();
    edge.tell(&lot.world, leaves(&lot.world, 1, "京A0000I", 700)).await;
    let stays = lot.parking().stays(&lot.staff, Default::default(), None).await.unwrap().0;
    assert_eq!((stays.len(), stays[0].fee_fen), (1, Some(700)), "it ends as the site says");
    assert_eq!(stays[0].vehicle.as_ref().unwrap().plate, "京A00001");
}
