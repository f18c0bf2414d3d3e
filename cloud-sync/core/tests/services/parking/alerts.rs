//! Alerts that the clock raises and resolves.

use chrono::TimeDelta;
use cloud_core::{
    Alert, AlertFilter, AlertKind, AlertSettings, PayMethod, Payable, Settings, Window,
};

use super::lot::Lot;
use crate::world::{World, on_each_engine};

on_each_engine! {
    a_car_that_stays_a_day_is_told_of_until_it_leaves,
    a_fee_that_is_not_paid_is_told_of_until_it_is,
    what_an_admin_resolved_does_not_rise_again,
    how_long_is_too_long_is_a_setting,
}

async fn active(lot: &Lot) -> Vec<Alert> {
    let filter = AlertFilter { active: Some(true), ..AlertFilter::default() };
    let window = Window { skip: 0, limit: 100 };
    lot.parking().alerts(&lot.staff, filter, window).await.unwrap().0
}

async fn a_car_that_stays_a_day_is_told_of_until_it_leaves(world: World) {
    let lot = Lot::open(world, 1).await;
    let stay = lot.park("京A00001", "A001").await;
    lot.wait(TimeDelta::hours(23));
    assert!(active(&lot).await.is_empty());
    lot.wait(TimeDelta::hours(1));
    let raised = active(&lot).await;
    assert_eq!((raised.len(), raised[0].kind), (1, AlertKind::OvertimeParking));
    assert_eq!(raised[0].plate.as_deref(), Some("京A00001"));
    assert_eq!(raised[0].spot, stay.spot.map(|spot| spot.id));
    lot.wait(TimeDelta::hours(5));
    assert_eq!(active(&lot).await.len(), 1, "once");
    lot.leave(stay.id).await;
    assert!(active(&lot).await.is_empty());
    let all = lot.parking().alert(&lot.staff, raised[0].id).await.unwrap();
    assert_eq!(all.resolved_at_ms, Some(lot.parking().now_ms()));
}

async fn a_fee_that_is_not_paid_is_told_of_until_it_is(world: World) {
    let lot = Lot::open(world, 2).await;
    let stay = lot.park("京A00001", "A001").await.id;
    lot.leave(stay).await;
    lot.park("京A00002", "A002").await;
    lot.wait(TimeDelta::minutes(29));
    assert!(active(&lot).await.is_empty());
    lot.wait(TimeDelta::minutes(1));
    let raised = active(&lot).await;
    assert_eq!((raised.len(), raised[0].kind), (1, AlertKind::PaymentOverdue));
    let with = Payable { method: PayMethod::Cash, amount_fen: None };
    lot.parking().pay_stay(&lot.staff, stay, with).await.unwrap();
    assert!(active(&lot).await.is_empty());
}

async fn what_an_admin_resolved_does_not_rise_again(world: World) {
    let lot = Lot::open(world, 1).await;
    lot.park("京A00001", "A001").await;
    lot.wait(TimeDelta::hours(24));
    let alert = active(&lot).await[0].id;
    let resolved = lot.parking().resolve_alert(&lot.admin, alert).await.unwrap();
    assert!(resolved.resolved_at_ms.is_some());
    lot.wait(TimeDelta::hours(24));
    lot.world.cloud.tick().await.unwrap();
    assert!(active(&lot).await.is_empty());
}

async fn how_long_is_too_long_is_a_setting(mut world: World) {
    let alerts = AlertSettings {
        longest_stay_ms: 90 * 60_000,
        longest_debt_ms: 2 * 60 * 60_000,
        ..AlertSettings::default()
    };
    world.set(Settings { alerts, ..Settings::default() });
    let lot = Lot::open(world, 2).await;
    let left = lot.park("京A00001", "A001").await.id;
    lot.leave(left).await;
    lot.park("京A00002", "A002").await;
    lot.wait(TimeDelta::minutes(90));
    let raised = active(&lot).await;
    assert_eq!((raised.len(), raised[0].kind), (1, AlertKind::OvertimeParking));
    assert!(raised[0].message.ends_with("停车已超过90分钟"), "{}", raised[0].message);
    lot.wait(TimeDelta::minutes(30));
    let raised = active(&lot).await;
    assert_eq!((raised.len(), raised[0].kind), (2, AlertKind::PaymentOverdue));
    assert!(raised[0].message.contains("超过2小时"), "{}", raised[0].message);
}
