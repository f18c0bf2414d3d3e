//! Cars that come, stand somewhere and go.

use cloud_core::{CameraChange, Detection, Error, PlateFilter, SpotReport, SpotStatus, Window};

use super::lot::{Lot, refusal};
use crate::world::{World, on_each_engine};

on_each_engine! {
    a_stay_is_an_occupied_spot_and_one_plate_read,
    a_spot_can_be_taken_again_when_its_car_has_left,
    a_car_that_parks_keeps_its_stay,
    users_are_assigned_a_spot_for_themselves_alone,
    a_spot_that_is_kept_for_a_plate_waits_for_it,
    a_camera_finds_a_car_and_moves_it,
    what_somebody_says_of_a_spot_begins_and_ends_stays,
    nothing_is_removed_under_a_car,
    a_corrected_plate_is_corrected_in_its_stay,
}

const FEW: Window = Window { skip: 0, limit: 10 };

async fn a_stay_is_an_occupied_spot_and_one_plate_read(world: World) {
    let lot = Lot::open(world, 2).await;
    let stay = lot.park("京A12345", "A001").await;
    let spot = lot.spot("A001").await;
    assert_eq!((spot.status, spot.session), (SpotStatus::Occupied, Some(stay.id)));
    assert_eq!(spot.plate.as_deref(), Some("京A12345"));
    let filter = PlateFilter { text: Some("A12345".into()), ..PlateFilter::default() };
    let (reads, total) = lot.world.cloud.plates.page(&lot.staff, filter, FEW).await.unwrap();
    assert_eq!((total, reads[0].processed_by.as_str()), (1, "manual"));
    assert_eq!(
        (reads[0].spot.as_ref().map(|spot| spot.id), reads[0].kind.as_str()),
        (Some(spot.id), "blue")
    );
    let area = lot.parking().area(&lot.staff, lot.area.id).await.unwrap();
    assert_eq!((area.occupied_spots, area.available_spots()), (1, 1));
    assert_eq!(lot.parking().active_count().await.unwrap(), 1);
}

async fn a_spot_can_be_taken_again_when_its_car_has_left(world: World) {
    let lot = Lot::open(world, 1).await;
    let first = lot.park("京A00001", "A001").await;
    let left = lot.leave(first.id).await;
    assert!(left.exited_at_ms.is_some() && left.fee_fen.is_some());
    assert_eq!(lot.spot("A001").await.status, SpotStatus::Available);
    let again = lot.parking().exit(&lot.operator, first.id).await;
    assert!(matches!(again, Err(Error::NotFound("transaction"))), "{again:?}");
    let second = lot.park("京A00002", "A001").await;
    assert_ne!(second.id, first.id);
}

async fn a_car_that_parks_keeps_its_stay(world: World) {
    let lot = Lot::open(world, 3).await;
    let first = lot.assign(&lot.staff, "京A·12345").await.unwrap();
    let again = lot.assign(&lot.staff, "京a12345").await.unwrap();
    assert_eq!(first.id, again.id);
    assert_eq!(lot.parking().active_count().await.unwrap(), 1);
    lot.assign(&lot.staff, "京A00002").await.unwrap();
    lot.assign(&lot.staff, "京A00003").await.unwrap();
    assert_eq!(refusal(lot.assign(&lot.staff, "京A00004").await), "no_spot");
}

async fn users_are_assigned_a_spot_for_themselves_alone(world: World) {
    let lot = Lot::open(world, 3).await;
    let (anna, ben) = (lot.world.visitor("anna").await, lot.world.visitor("ben").await);
    let stay = lot.assign(&anna, "京A00001").await.unwrap();
    assert_eq!(stay.user, anna.account_id());
    assert_eq!(refusal(lot.assign(&ben, "京A00001").await), "already_inside");
    let wanted = cloud_core::Assignment {
        plate: "京A00002".into(),
        user: anna.account_id(),
        ..Default::default()
    };
    let others = lot.parking().auto_assign(&ben, wanted).await;
    assert!(matches!(others, Err(Error::Forbidden { .. })), "{others:?}");
    assert_eq!(lot.parking().stay(&anna, stay.id).await.unwrap().id, stay.id);
    let foreign = lot.parking().stay(&ben, stay.id).await;
    assert!(matches!(foreign, Err(Error::NotFound(_))), "{foreign:?}");
    let (own, total) = lot.parking().stays(&ben, Default::default(), None).await.unwrap();
    assert_eq!((own.len(), total), (0, 0));
}

fn report(status: SpotStatus, plate: Option<&str>) -> SpotReport {
    SpotReport { status, vehicle_type: None, plate: plate.map(str::to_owned) }
}

async fn a_spot_that_is_kept_for_a_plate_waits_for_it(world: World) {
    let lot = Lot::open(world, 2).await;
    let kept = lot.spot("A002").await.id;
    let reserve = report(SpotStatus::Reserved, Some("京A99999"));
    lot.parking().report_spot(&lot.operator, kept, reserve).await.unwrap();
    let other = lot.assign(&lot.staff, "京A00001").await.unwrap();
    assert_eq!(other.spot.unwrap().number, "A001");
    assert_eq!(refusal(lot.assign(&lot.staff, "京A00002").await), "no_spot");
    let guest = lot.assign(&lot.staff, "京A·99999").await.unwrap();
    assert_eq!(guest.spot.unwrap().number, "A002");
}

async fn a_camera_finds_a_car_and_moves_it(world: World) {
    let lot = Lot::open(world, 2).await;
    let new = CameraChange { name: Some("east".into()), ..CameraChange::default() };
    let camera = lot.parking().add_camera(&lot.admin, new).await.unwrap().id;
    let see = |spot: i64, plate: &str| {
        let seen = Detection { camera, spot, plate: plate.to_owned() };
        lot.parking().detect_car(&lot.operator, seen)
    };
    let (one, two) = (lot.spot("A001").await.id, lot.spot("A002").await.id);
    see(one, "京A00001").await.unwrap();
    see(one, "京A00001").await.unwrap();
    assert_eq!(lot.parking().active_count().await.unwrap(), 1);
    see(two, "京A00001").await.unwrap();
    assert_eq!(lot.spot("A001").await.status, SpotStatus::Available);
    assert_eq!(lot.spot("A002").await.plate.as_deref(), Some("京A00001"));
    assert_eq!(refusal(see(two, "京A00002").await), "slot_not_available");
    let (seen, total) = lot.parking().sightings(&lot.staff, None).await.unwrap();
    assert_eq!((seen.len(), total, seen[0].camera), (3, 3, camera));
}

async fn what_somebody_says_of_a_spot_begins_and_ends_stays(world: World) {
    let lot = Lot::open(world, 2).await;
    let spot = lot.spot("A001").await.id;
    let say = |status, plate| lot.parking().report_spot(&lot.operator, spot, report(status, plate));
    let taken = say(SpotStatus::Occupied, Some("京A00001")).await.unwrap();
    assert!(taken.session.is_some() && taken.entered_at_ms.is_some());
    let other = say(SpotStatus::Occupied, Some("京A00002")).await;
    assert_eq!(refusal(other), "slot_not_available");
    let free = say(SpotStatus::Available, None).await.unwrap();
    assert_eq!((free.session, free.plate), (None, None));
    assert_eq!(lot.parking().active_count().await.unwrap(), 0);
    say(SpotStatus::Maintenance, None).await.unwrap();
    let area = lot.parking().area(&lot.staff, lot.area.id).await.unwrap();
    assert_eq!((area.maintenance_spots, area.available_spots()), (1, 1));
}

async fn nothing_is_removed_under_a_car(world: World) {
    let lot = Lot::open(world, 1).await;
    let stay = lot.park("京A00001", "A001").await;
    let spot = lot.spot("A001").await.id;
    assert_eq!(refusal(lot.parking().remove_spot(&lot.admin, spot).await), "spot_in_use");
    assert_eq!(refusal(lot.parking().remove_area(&lot.admin, lot.area.id).await), "area_in_use");
    lot.leave(stay.id).await;
    lot.parking().remove_area(&lot.admin, lot.area.id).await.unwrap();
    let gone = lot.parking().spot(&lot.staff, spot).await;
    assert!(matches!(gone, Err(Error::NotFound("spot"))), "{gone:?}");
    let of_the_past = lot.parking().stay(&lot.staff, stay.id).await.unwrap();
    assert_eq!(of_the_past.spot.unwrap().number, "A001");
}

async fn a_corrected_plate_is_corrected_in_its_stay(world: World) {
    let lot = Lot::open(world, 2).await;
    let stay = lot.assign(&lot.staff, "京A0000O").await.unwrap();
    let filter = PlateFilter { text: Some("A0000O".into()), ..PlateFilter::default() };
    let read = lot.world.cloud.plates.list(&lot.staff, filter, FEW).await.unwrap()[0].id;
    let correction =
        cloud_core::Correction { plate: Some("京A00000".into()), ..Default::default() };
    lot.world.cloud.plates.correct(&lot.operator, read, correction).await.unwrap();
    let stay = lot.parking().stay(&lot.staff, stay.id).await.unwrap();
    assert_eq!(stay.plate, "京A00000");
    assert_eq!(stay.vehicle.unwrap().plate, "京A00000");
    let again = lot.assign(&lot.staff, "京A00000").await.unwrap();
    assert_eq!(again.id, stay.id, "it is found by its right plate");
    let (vehicles, _) = lot.world.cloud.vehicles.list(&lot.staff, FEW).await.unwrap();
    assert_eq!(vehicles.len(), 1, "there never was a car of the wrong one");
}
