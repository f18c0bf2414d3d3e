//! Piles that break, come back, become more and fewer, and who may see whom there.

use cloud_core::charging::{Notice, ParametersChange};
use domain::{
    charging::{Mode, PileId, PileStatus},
    money::Fen,
};

use super::refusal;
use crate::world::{World, on_each_engine};

on_each_engine! {
    a_fault_ends_the_session_with_a_bill_and_the_rest_is_served_first,
    after_a_recovery_all_line_up_in_the_order_of_their_numbers,
    settings_are_kept_and_bounded,
    a_name_is_shown_to_its_user_and_staff_alone,
}

fn pile(name: &str) -> PileId {
    name.parse().unwrap()
}

async fn a_fault_ends_the_session_with_a_bill_and_the_rest_is_served_first(mut world: World) {
    let admin = world.admin().await;
    let drivers = world.drivers(6, Mode::Fast, 60).await;
    world.pass_hours(1);
    let id = pile("FAST-001");
    let view = world.cloud.charging.set_pile(&admin, id, PileStatus::Fault).await.unwrap();
    assert_eq!((view.status, view.charging, view.queue), (PileStatus::Fault, None, vec![]));
    assert_eq!((view.total_sessions, view.total_revenue), (1, Some(Fen(6000))));
    world.restart();
    let first = world.current(&drivers[0]).await.unwrap();
    assert_eq!((first.request.queue_number(), first.position), ("F1".to_owned(), 1));
    assert_eq!((first.delivered_wh, first.started_at_ms), (30_000, None));
    assert_eq!(world.told(&drivers[0]).await, [("start", 0.0), ("fault", 1.0), ("queue", 1.0)]);
    assert!(world.told(&drivers[2]).await.contains(&("fault", 1.0)));
    world.pass_hours(2); // the second has left, the fourth charges, the first is next
    let first = world.current(&drivers[0]).await.unwrap();
    assert_eq!((first.position, first.pile), (1, Some(pile("FAST-002"))));
    world.pass_hours(2);
    let told = world.cloud.charging.notifications(&drivers[0], 1).await.unwrap().remove(0);
    let Notice::ChargingComplete { energy_wh, .. } = told.notice else { panic!("{told:?}") };
    assert_eq!(energy_wh, 30_000, "the rest");
}

async fn after_a_recovery_all_line_up_in_the_order_of_their_numbers(world: World) {
    let admin = world.admin().await;
    let drivers = world.drivers(6, Mode::Fast, 60).await;
    let charging = &world.cloud.charging;
    charging.set_pile(&admin, pile("FAST-001"), PileStatus::Offline).await.unwrap();
    charging.set_pile(&admin, pile("FAST-001"), PileStatus::Normal).await.unwrap();
    let mut seen = Vec::new();
    for driver in &drivers {
        let status = world.current(driver).await.unwrap();
        seen.push((status.position, status.pile.map(|pile| pile.number)));
    }
    let expected = [(0, Some(1)), (0, Some(2)), (1, Some(1)), (2, Some(2)), (3, None), (4, None)];
    assert_eq!(seen, expected);
    let unknown = charging.set_pile(&admin, pile("FAST-009"), PileStatus::Fault).await;
    assert_eq!(refusal(unknown), "not_found");
}

async fn settings_are_kept_and_bounded(mut world: World) {
    let admin = world.admin().await;
    let more = ParametersChange {
        fast_piles: Some(3),
        queue_length: Some(1),
        waiting_places: Some(0),
        ..Default::default()
    };
    world.cloud.charging.set_parameters(&admin, more).await.unwrap();
    world.restart();
    world.drivers(3, Mode::Fast, 30).await;
    let late = world.visitor("late").await;
    assert_eq!(refusal(world.ask(&late, Mode::Fast, 30).await), "queue_full");
    for (bad, field) in [
        (ParametersChange { fast_piles: Some(0), ..Default::default() }, "fast_piles"),
        (ParametersChange { slow_power_w: Some(0), ..Default::default() }, "slow_power_w"),
        (
            ParametersChange { waiting_places: Some(u32::MAX), ..Default::default() },
            "waiting_places",
        ),
    ] {
        let refused = world.cloud.charging.set_parameters(&admin, bad).await;
        assert_eq!(refusal(refused), field);
    }
    let fewer = ParametersChange { fast_piles: Some(1), ..Default::default() };
    world.cloud.charging.set_parameters(&admin, fewer).await.unwrap();
    let fast = || async {
        let piles = world.cloud.charging.piles(None).await.unwrap();
        piles.iter().filter(|pile| pile.id.mode == Mode::Fast).count()
    };
    assert_eq!(fast().await, 3, "those that are too many still charge");
    world.pass_hours(2);
    assert_eq!(fast().await, 1);
}

async fn a_name_is_shown_to_its_user_and_staff_alone(world: World) {
    let drivers = world.drivers(4, Mode::Fast, 60).await;
    let staff = world.caller("boss", cloud_core::Role::Admin).await;
    for (viewer, charging, waiting) in [
        (None, "d***1", "d***3"),
        (Some(&drivers[0]), "driver1", "d***3"),
        (Some(&drivers[2]), "d***1", "driver3"),
        (Some(&staff), "driver1", "driver3"),
    ] {
        let piles = world.cloud.charging.piles(viewer).await.unwrap();
        assert_eq!(piles[0].charging.as_ref().unwrap().user, charging);
        assert_eq!(piles[0].queue[0].user, waiting);
        let sees_revenue = viewer.is_some_and(|viewer| viewer.is_staff());
        assert_eq!(piles[0].total_revenue.is_some(), sees_revenue);
    }
}
