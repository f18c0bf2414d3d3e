//! Areas, spots, stays, fees and alerts.

mod alerts;
mod barrier;
pub(crate) mod edge;
pub(crate) mod lot;
mod money;
mod races;
mod refunds;
mod stays;
mod tariffs;

use crate::world::{World, on_each_engine};

on_each_engine! { a_new_site_has_an_area_with_its_spots }

async fn a_new_site_has_an_area_with_its_spots(mut world: World) {
    let operator = world.visitor("somebody").await;
    world.site("north", 40).await;
    world.restart();
    let dashboard = world.cloud.parking.dashboard(&operator).await.unwrap();
    assert_eq!((dashboard.areas.len(), dashboard.areas[0].total_spots), (1, 40));
}
