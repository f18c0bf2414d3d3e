//! What admins are told: alerts, and figures of days and stations.

use chrono::NaiveDate;
use cloud_core::lockers::{AlertKind, CabinetChange, OrderFilter, RevenueOf};
use domain::{
    locker::{CabinetStatus, OrderStatus},
    money::Fen,
};

use super::station::{DEVICE, STATION, Station};
use crate::world::{World, on_each_engine};

on_each_engine! {
    alerts_come_and_go_with_their_reasons,
    a_silent_controller_is_offline_after_ten_minutes,
    figures_go_by_the_sites_calendar,
    orders_are_found_by_state_station_and_day,
}

async fn kinds(station: &Station) -> Vec<AlertKind> {
    let alerts = station.cloud().lockers.alerts(&station.admin).await.unwrap();
    alerts.into_iter().map(|alert| alert.kind).collect()
}

async fn alerts_come_and_go_with_their_reasons(world: World) {
    let station = Station::open(world).await;
    let lockers = &station.cloud().lockers;
    assert_eq!(kinds(&station).await, []);
    let driver = station.driver("driver", 1000).await;
    let order = station.paid(&driver, "A001").await;
    station.wait(121);
    lockers.heartbeat(&station.device, Some(19)).await.unwrap();
    let broken =
        CabinetChange { status: Some(CabinetStatus::Maintenance), ..CabinetChange::default() };
    station.wait(1);
    lockers.change_cabinet(&station.admin, "A002", broken).await.unwrap();
    let (order_id, order_no) = (order.id, order.order_no.clone());
    let expected = [
        AlertKind::CabinetMaintenance { cabinet_id: "A002".into() },
        AlertKind::LowBattery { device_id: DEVICE.into(), battery_level: 19 },
        AlertKind::OrderOverdue { order_id, order_no, cabinet_id: "A001".into() },
    ];
    assert_eq!(kinds(&station).await, expected);
    station.complete(&driver, order.id).await.unwrap();
    lockers.heartbeat(&station.device, Some(20)).await.unwrap();
    let whole =
        CabinetChange { status: Some(CabinetStatus::Available), ..CabinetChange::default() };
    lockers.change_cabinet(&station.admin, "A002", whole).await.unwrap();
    assert_eq!(kinds(&station).await, []);
}

async fn a_silent_controller_is_offline_after_ten_minutes(world: World) {
    let station = Station::open(world).await;
    let lockers = &station.cloud().lockers;
    let is_online = async || lockers.devices(&station.admin).await.unwrap()[0].is_online;
    assert!(!is_online().await, "it was never heard of");
    lockers.heartbeat(&station.device, Some(85)).await.unwrap();
    station.wait(9);
    assert!(is_online().await);
    station.wait(1);
    assert!(!is_online().await);
    let offline = AlertKind::DeviceOffline { device_id: DEVICE.into() };
    assert_eq!(kinds(&station).await, [offline]);
    let counts = lockers.device_counts(&station.admin).await.unwrap();
    assert_eq!((counts.total, counts.online, counts.offline), (1, 0, 1));
}

async fn figures_go_by_the_sites_calendar(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 10_000).await;
    let lockers = &station.cloud().lockers;
    // 23:59 in Shanghai is 15:59 UTC; two minutes later it is another day there.
    station.wait(12 * 60 - 1);
    let first = station.paid(&driver, "A001").await;
    station.complete(&driver, first.id).await.unwrap();
    station.wait(2);
    let second = station.paid(&driver, "A001").await;
    station.extend(&driver, second.id, "1").await.unwrap();
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let figures = lockers.statistics(&station.admin, 7).await.unwrap();
    assert_eq!(figures.daily_orders, [(day("2026-03-10"), 1), (day("2026-03-11"), 1)]);
    assert_eq!(figures.peak_hours, [(15, 1), (16, 1)]);
    assert_eq!((figures.orders.total, figures.orders.completed), (2, 1));
    assert_eq!((figures.orders.amount, figures.users), (Fen(1000), 2));
    assert_eq!((figures.cabinets.total, figures.cabinets.in_use), (2, 1));
    let today = lockers.statistics(&station.admin, 1).await.unwrap();
    assert_eq!((today.orders.total, today.orders_ever), (1, 2));
    let revenue = lockers.revenue(&station.admin, 7).await.unwrap();
    let (whole, parts) = (RevenueOf { revenue: Fen(1000), orders: 2 }, [Fen(400), Fen(600)]);
    assert_eq!((revenue.total, revenue.average()), (whole, Fen(500)));
    assert_eq!(revenue.days.iter().map(|(_, part)| part.revenue).collect::<Vec<_>>(), parts);
    assert_eq!(revenue.stations, [(STATION.to_owned(), whole)]);
}

async fn orders_are_found_by_state_station_and_day(world: World) {
    let station = Station::open(world).await;
    let driver = station.driver("driver", 10_000).await;
    station.paid(&driver, "A001").await;
    station.wait(24 * 60);
    station.order(&driver, "A002").await;
    let lockers = &station.cloud().lockers;
    let count = async |filter| lockers.orders(&station.admin, filter, 0, 10).await.unwrap().1;
    let any = OrderFilter::default();
    let now_ms = chrono::DateTime::timestamp_millis(&crate::world::start());
    for (filter, found) in [
        (any.clone(), 2),
        (OrderFilter { status: Some(OrderStatus::Pending), ..any.clone() }, 1),
        (OrderFilter { station: Some("汽车站".into()), ..any.clone() }, 0),
        (OrderFilter { from_ms: Some(now_ms + 1), ..any.clone() }, 1),
        (OrderFilter { until_ms: Some(now_ms + 1), ..any.clone() }, 1),
    ] {
        assert_eq!(count(filter.clone()).await, found, "{filter:?}");
    }
    let (page, total) = lockers.orders(&station.admin, any, 1, 1).await.unwrap();
    assert_eq!((page.len(), page[0].cabinet_id.as_str(), total), (1, "A001", 2));
    assert!(page[0].pickup_code.is_none());
}
