//! From holding a cabinet to giving it back.

use cloud_core::{
    Error,
    lockers::{CabinetChange, CabinetFilter},
};
use domain::{
    clock::Clock,
    locker::{CabinetStatus, OrderStatus},
    money::Fen,
};

use super::station::{Station, hours, refusal};
use crate::world::{World, on_each_engine};

on_each_engine! {
    a_day_at_the_station,
    of_many_drivers_one_gets_the_cabinet,
    an_unpaid_order_lets_its_cabinet_go,
    only_pending_orders_are_cancelled_and_only_by_their_drivers,
    finishing_by_code_completes_when_the_door_is_closed,
    a_door_report_never_frees_a_cabinet,
    overtime_is_charged_per_started_hour,
    without_money_for_the_overtime_an_order_stays,
    an_extension_charges_the_difference,
    a_broken_cabinet_is_not_sold,
    an_account_holds_only_so_many_unpaid,
}

async fn a_day_at_the_station(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let held = station.order(&driver, "A001").await;
    assert_eq!(
        (held.status, held.total, held.pickup_code.clone()),
        (OrderStatus::Pending, Fen(400), None)
    );
    assert!(held.order_no.starts_with("O20260310040000") && held.order_no.len() == 19);
    assert_eq!(station.status("A001").await, "in_use");
    let paid = station.pay(&driver, held.id).await.unwrap();
    assert_eq!(paid.ends_at_ms, paid.paid_at_ms.map(|at| at + 2 * 3_600_000));
    assert_eq!(station.balance(&driver).await, 600);
    let opening = station.open_door(&driver, &paid).await.unwrap();
    assert_eq!(station.poll().await, opening.command_id);
    station.door("A001", false).await;
    assert!(!station.cloud().lockers.cabinet("A001").await.unwrap().is_locked);
    assert_eq!(station.reload(&driver, &paid).await.status, OrderStatus::InUse);
    assert_eq!(refusal(station.complete(&driver, paid.id).await), "door_open");
    station.door("A001", true).await;
    let done = station.complete(&driver, paid.id).await.unwrap();
    assert_eq!(
        (done.status, done.total, done.pickup_code),
        (OrderStatus::Completed, Fen(400), None)
    );
    assert_eq!((station.status("A001").await, station.balance(&driver).await), ("available", 600));
}

async fn of_many_drivers_one_gets_the_cabinet(world: World) {
    let station = Station::open(world).await;
    let mut attempts = Vec::new();
    for number in 0..10 {
        let driver = station.driver(&format!("driver{number}"), 0).await;
        let cloud = station.cloud().clone();
        attempts.push(tokio::spawn(async move {
            cloud.lockers.order(&driver, "A001", hours("1")).await
        }));
    }
    let mut got = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(_) => got += 1,
            refused => assert_eq!(refusal(refused), "cabinet_unavailable"),
        }
    }
    assert_eq!(got, 1);
}

async fn an_unpaid_order_lets_its_cabinet_go(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let order = station.order(&driver, "A001").await;
    station.wait(14);
    assert_eq!(station.status("A001").await, "in_use");
    station.wait(1);
    let free = CabinetFilter { status: Some(CabinetStatus::Available), ..CabinetFilter::default() };
    assert_eq!(station.cloud().lockers.cabinets(free).await.unwrap().len(), 2);
    assert_eq!(refusal(station.pay(&driver, order.id).await), "not_pending");
    assert_eq!(station.reload(&driver, &order).await.status, OrderStatus::Cancelled);
    assert_eq!(station.balance(&driver).await, 1000);
    let other = station.driver("other", 0).await;
    station.order(&other, "A001").await;
}

async fn only_pending_orders_are_cancelled_and_only_by_their_drivers(world: World) {
    let station = Station::open(world).await;
    let (driver, other) = (station.driver("driver", 1000).await, station.driver("other", 0).await);
    let order = station.order(&driver, "A001").await;
    let lockers = &station.cloud().lockers;
    for refused in [
        lockers.cancel(&other, order.id).await,
        lockers.get_order(&other, order.id).await,
        station.extend(&other, order.id, "1").await,
        station.complete(&other, order.id).await,
        station.pay(&other, order.id).await,
    ] {
        assert!(matches!(refused, Err(Error::NotFound("order"))), "{refused:?}");
    }
    lockers.cancel(&driver, order.id).await.unwrap();
    assert_eq!(refusal(lockers.cancel(&driver, order.id).await), "not_cancellable");
    assert_eq!(station.status("A001").await, "available");
    let paid = station.paid(&driver, "A001").await;
    assert_eq!(refusal(lockers.cancel(&driver, paid.id).await), "not_cancellable");
    assert!(lockers.get_order(&station.boss, paid.id).await.unwrap().pickup_code.is_none());
}

async fn finishing_by_code_completes_when_the_door_is_closed(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let order = station.paid(&driver, "A001").await;
    station.open_door(&driver, &order).await.unwrap();
    station.use_door("A001").await;
    station.enter_code(&driver, &order, true).await.unwrap();
    station.door("A001", true).await;
    let waiting = station.reload(&driver, &order).await.status;
    assert_eq!(waiting, OrderStatus::InUse, "the door has not been opened for it yet");
    station.use_door("A001").await;
    assert_eq!(station.reload(&driver, &order).await.status, OrderStatus::Completed);
    assert_eq!(station.status("A001").await, "available");
}

async fn a_door_report_never_frees_a_cabinet(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let order = station.paid(&driver, "A001").await;
    station.open_door(&driver, &order).await.unwrap();
    for is_closed in [false, true, false, true] {
        station.door("A001", is_closed).await;
        assert_eq!(station.status("A001").await, "in_use");
    }
    assert_eq!(station.reload(&driver, &order).await.status, OrderStatus::InUse);
}

async fn overtime_is_charged_per_started_hour(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 2000).await;
    let order = station.paid(&driver, "A001").await;
    station.open_door(&driver, &order).await.unwrap();
    station.use_door("A001").await;
    station.wait(120);
    station.open_door(&driver, &order).await.unwrap();
    station.use_door("A001").await;
    station.wait(61);
    assert_eq!(refusal(station.open_door(&driver, &order).await), "bad_code");
    let now_ms = station.world.clock.now().wall.timestamp_millis();
    assert_eq!(station.reload(&driver, &order).await.overtime_due(now_ms), Fen(400));
    station.enter_code(&driver, &order, true).await.unwrap();
    station.wait(10);
    station.use_door_late("A001").await;
    let waiting = station.reload(&driver, &order).await;
    assert_eq!(waiting.status, OrderStatus::InUse, "its command was void");
    station.enter_code(&driver, &order, true).await.unwrap();
    station.use_door("A001").await;
    let done = station.reload(&driver, &order).await;
    assert_eq!((done.status, done.total), (OrderStatus::Completed, Fen(400 + 2 * 200)));
    assert_eq!(station.balance(&driver).await, 2000 - 800);
}

async fn without_money_for_the_overtime_an_order_stays(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 450).await;
    let order = station.paid(&driver, "A001").await;
    station.open_door(&driver, &order).await.unwrap();
    station.use_door("A001").await;
    station.wait(121);
    assert_eq!(refusal(station.enter_code(&driver, &order, true).await), "balance_too_low");
    assert_eq!(refusal(station.complete(&driver, order.id).await), "balance_too_low");
    assert_eq!((station.balance(&driver).await, station.status("A001").await), (50, "in_use"));
    let done = station.complete(&station.boss, order.id).await.unwrap();
    assert_eq!((done.status, done.total), (OrderStatus::Completed, Fen(450)));
    assert_eq!(station.balance(&driver).await, 0);
}

async fn an_extension_charges_the_difference(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 700).await;
    let order = station.order(&driver, "A001").await;
    assert_eq!(refusal(station.extend(&driver, order.id, "1").await), "not_running");
    let paid = station.pay(&driver, order.id).await.unwrap();
    let longer = station.extend(&driver, order.id, "1.25").await.unwrap();
    assert_eq!((longer.hours, longer.total), (hours("3.25"), Fen(650)));
    assert_eq!(longer.ends_at_ms, paid.ends_at_ms.map(|at| at + 75 * 60_000));
    assert_eq!(station.balance(&driver).await, 50);
    assert_eq!(refusal(station.extend(&driver, order.id, "1").await), "balance_too_low");
    assert_eq!(station.reload(&driver, &order).await, longer);
    let far = station.extend(&driver, order.id, "8760").await;
    assert!(matches!(far, Err(Error::Invalid { field: "additional_hours", .. })));
}

async fn a_broken_cabinet_is_not_sold(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 1000).await;
    let order = station.order(&driver, "A001").await;
    let lockers = &station.cloud().lockers;
    let set = |status| CabinetChange { status: Some(status), ..CabinetChange::default() };
    let available = lockers.change_cabinet(&station.admin, "A001", set(CabinetStatus::Available));
    assert_eq!(refusal(available.await), "cabinet_ordered");
    let broken = set(CabinetStatus::Maintenance);
    lockers.change_cabinet(&station.admin, "A001", broken).await.unwrap();
    assert_eq!(refusal(station.pay(&driver, order.id).await), "cabinet_unavailable");
    lockers.change_cabinet(&station.admin, "A001", set(CabinetStatus::InUse)).await.unwrap();
    station.pay(&driver, order.id).await.unwrap();
    station.complete(&driver, order.id).await.unwrap();
    assert_eq!(station.status("A001").await, "available");
    lockers.change_cabinet(&station.admin, "A001", set(CabinetStatus::InUse)).await.unwrap();
    let blocked = lockers.order(&driver, "A001", hours("1")).await;
    assert_eq!(refusal(blocked), "cabinet_unavailable");
}

async fn an_account_holds_only_so_many_unpaid(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 0).await;
    for number in 0..51 {
        station.cabinet(&format!("B{number:03}")).await;
    }
    for number in 0..50 {
        station.order(&driver, &format!("B{number:03}")).await;
    }
    let last = station.cloud().lockers.order(&driver, "B050", hours("1")).await;
    assert_eq!(refusal(last), "too_many_unpaid");
}
