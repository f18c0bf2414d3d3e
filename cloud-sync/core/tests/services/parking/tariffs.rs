//! What a stay costs, by the tariff that stood when it began.

use chrono::TimeDelta;
use cloud_core::PreferenceChange;
use domain::{money::Fen, tariff::TariffRule};

use super::lot::Lot;
use crate::world::{World, on_each_engine};

on_each_engine! {
    without_a_tariff_each_started_hour_costs_ten_yuan,
    the_worked_example_costs_twelve_fifty,
    an_area_has_its_own_tariff_before_its_site,
    a_stay_is_charged_as_it_stood_at_its_entry,
    each_started_day_has_its_limit_also_over_midnight,
    a_change_of_clocks_is_no_time_parked,
    members_park_by_their_tariff,
    a_tariff_that_cannot_be_charged_is_refused,
}

async fn without_a_tariff_each_started_hour_costs_ten_yuan(world: World) {
    let lot = Lot::open(world, 2).await;
    let short = lot.park("京A00001", "A001").await;
    assert_eq!(lot.leave(short.id).await.fee_fen, Some(1000), "a moment is an hour");
    let long = lot.park("京A00002", "A002").await;
    lot.wait(TimeDelta::minutes(121));
    assert_eq!(lot.leave(long.id).await.fee_fen, Some(3000));
}

async fn the_worked_example_costs_twelve_fifty(world: World) {
    let lot = Lot::open(world, 1).await;
    let config = lot.tariff(|_| {}).await;
    let stay = lot.park("京A00001", "A001").await;
    assert_eq!(stay.tariff.as_ref().unwrap().id, Some(config.id));
    lot.wait(TimeDelta::minutes(150));
    let now_ms = lot.parking().now_ms();
    assert_eq!((stay.fee_at(now_ms), stay.owed_at(now_ms)), (Fen(1250), Fen(1250)));
    assert_eq!(lot.leave(stay.id).await.fee_fen, Some(1250));
}

async fn an_area_has_its_own_tariff_before_its_site(world: World) {
    let lot = Lot::open(world, 1).await;
    let own = Some(lot.area.id);
    lot.tariff(|new| {
        (new.name, new.area_id) = ("A区".into(), own);
        new.tariff.base_fee = Fen(200);
    })
    .await;
    lot.tariff(|new| new.name = "全场".into()).await;
    let stay = lot.park("京A00001", "A001").await;
    assert_eq!(stay.tariff.unwrap().name, "A区");
}

async fn a_stay_is_charged_as_it_stood_at_its_entry(world: World) {
    let lot = Lot::open(world, 2).await;
    let config = lot.tariff(|new| new.tariff.free_minutes = 0).await;
    let before = lot.park("京A00001", "A001").await;
    let dearer = |mut config: cloud_core::NewFeeConfig| {
        config.tariff.base_fee = Fen(900);
        Ok(config)
    };
    lot.parking().change_fee_config(&lot.admin, config.id, dearer).await.unwrap();
    let after = lot.park("京A00002", "A002").await;
    assert_eq!(lot.leave(before.id).await.fee_fen, Some(500));
    assert_eq!(lot.leave(after.id).await.fee_fen, Some(900));
    lot.parking().remove_fee_config(&lot.admin, config.id).await.unwrap();
    let usual = lot.park("京A00003", "A001").await;
    assert_eq!(usual.tariff.unwrap().id, None);
}

async fn each_started_day_has_its_limit_also_over_midnight(world: World) {
    let lot = Lot::open(world, 1).await;
    lot.tariff(|_| {}).await;
    let stay = lot.park("京A00001", "A001").await;
    let fee = |hours| {
        let at_ms = stay.entered_at_ms + TimeDelta::hours(hours).num_milliseconds();
        stay.fee_at(at_ms).0
    };
    // From noon: midnight at the site is after 12 hours, and nothing happens to the fee then.
    assert_eq!(
        (fee(8), fee(12), fee(13), fee(24), fee(25), fee(49)),
        (2900, 3000, 3000, 3000, 6000, 9000)
    );
}

async fn a_change_of_clocks_is_no_time_parked(world: World) {
    let lot = Lot::open(world, 1).await;
    lot.tariff(|new| new.tariff.daily_max_fee = None).await;
    let stay = lot.park("京A00001", "A001").await;
    // Berlin's clocks go forward in the night to 29 March 2026: from 22:00 to 8:00 are nine hours.
    let berlin = |text: &str| {
        let local = text.parse::<chrono::NaiveDateTime>().unwrap();
        local.and_local_timezone(chrono_tz::Tz::Europe__Berlin).unwrap().timestamp_millis()
    };
    let stay = cloud_core::Stay { entered_at_ms: berlin("2026-03-28T22:00:00"), ..stay };
    assert_eq!(stay.fee_at(berlin("2026-03-29T08:00:00")), Fen(500 + 9 * 300));
}

async fn members_park_by_their_tariff(world: World) {
    let lot = Lot::open(world, 2).await;
    let anna = lot.world.visitor("anna").await;
    let member = PreferenceChange {
        plate: Some("京A00001".into()),
        is_member: Some(true),
        ..PreferenceChange::default()
    };
    lot.world.cloud.accounts.prefer(&anna, member).await.unwrap();
    lot.tariff(|new| {
        (new.name, new.for_members) = ("会员".into(), true);
        new.tariff.rule = TariffRule::Overtime;
    })
    .await;
    lot.tariff(|_| {}).await;
    let stay = lot.park("京A00001", "A001").await;
    assert_eq!(stay.tariff.unwrap().name, "会员");
    let guest = lot.park("京A00002", "A002").await;
    assert_eq!(guest.tariff.unwrap().name, "标准收费");
}

async fn a_tariff_that_cannot_be_charged_is_refused(world: World) {
    let lot = Lot::open(world, 0).await;
    let mut bad = super::lot::standard();
    bad.tariff.base_fee = Fen(-1);
    let refused = lot.parking().add_fee_config(&lot.admin, bad).await;
    assert!(refused.unwrap_err().to_string().contains("base_fee"));
    assert!(lot.parking().fee_configs(&lot.staff).await.unwrap().is_empty());
}
