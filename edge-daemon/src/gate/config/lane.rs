//! What is configured about one lane.

use std::ops::RangeInclusive;

use domain::{
    event::Direction,
    ids::{CameraId, DeviceId, LaneId},
};
use serde::Deserialize;

/// One lane with its barrier.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneConfig {
    /// Its name.
    pub id: LaneId,
    /// The way it leads.
    pub direction: Direction,
    /// The cameras that look at it.
    #[serde(default)]
    pub cameras: Vec<CameraId>,
    /// The controller of its barrier.
    pub device: DeviceId,
    /// The number of the area at the cloud that it leads into, whose tariff its stays have; without
    /// it, or where the cloud has none for that area, they have the site's.
    pub area: Option<i64>,
    /// Who may enter; of no meaning at an exit.
    #[serde(default)]
    pub access: Access,
    /// A reading that is right with less than this probability is taken for none.
    #[serde(default = "usual_min_confidence")]
    pub min_confidence: f32,
    /// Seconds during which a vehicle that was decided on is not decided on again.
    #[serde(default = "usual_cooldown_s")]
    pub cooldown_s: u32,
    /// Seconds for which a refused vehicle is taken to stand at the barrier: while it does, a
    /// payment or a free place opens, and an operator's opening is for it.
    #[serde(default = "usual_wait_s")]
    pub wait_s: u32,
    /// Seconds within which the arm is up after it was told to rise.
    #[serde(default = "usual_move_s")]
    pub open_timeout_s: u32,
    /// Seconds within which the arm is down after it was told to come down.
    #[serde(default = "usual_move_s")]
    pub close_timeout_s: u32,
    /// Seconds that a vehicle has to drive through once the arm is up.
    #[serde(default = "usual_pass_timeout_s")]
    pub pass_timeout_s: u32,
    /// Seconds after which a vehicle that stands under the arm is a fault.
    #[serde(default = "usual_occupied_timeout_s")]
    pub occupied_timeout_s: u32,
    /// Who brings the arm down behind a vehicle.
    #[serde(default)]
    pub close: Closing,
    /// What the lane does when the mains are lost or the fire input becomes active.
    #[serde(default)]
    pub fail: Fail,
    /// What the button at the lane does.
    #[serde(default)]
    pub button: Answer,
    /// What happens to a plate that enters and is inside already.
    #[serde(default = "open")]
    pub already_inside: Answer,
    /// What happens to a plate that leaves, never entered and has no permit.
    #[serde(default)]
    pub not_inside: Answer,
}

/// Who may enter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Everybody who is not denied, as long as there are places.
    Public,
    /// Permits alone.
    #[default]
    Permits,
}

/// Who brings the arm down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// The lane commands it, once the safety loop is free.
    #[default]
    Command,
    /// The controller does it by itself.
    Controller,
}

/// What a lane does without power or in a fire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fail {
    /// It opens and stays open until that is over.
    #[default]
    Open,
    /// It goes on as always.
    Closed,
}

/// A fixed answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The barrier opens.
    Open,
    /// It stays closed.
    #[default]
    Refuse,
}

impl LaneConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        let lane = &self.id;
        if !(0.0..=1.0).contains(&self.min_confidence) {
            let given = self.min_confidence;
            return Err(format!("lanes.min_confidence of `{lane}` is {given}: use 0.0 to 1.0"));
        }
        let times: [(&str, u32, RangeInclusive<u32>); 6] = [
            ("cooldown_s", self.cooldown_s, 0..=3600),
            ("wait_s", self.wait_s, 0..=3600),
            ("open_timeout_s", self.open_timeout_s, 1..=60),
            ("close_timeout_s", self.close_timeout_s, 1..=60),
            ("pass_timeout_s", self.pass_timeout_s, 3..=600),
            ("occupied_timeout_s", self.occupied_timeout_s, 10..=3600),
        ];
        for (key, given, range) in times {
            if !range.contains(&given) {
                let (least, most) = (range.start(), range.end());
                return Err(format!("lanes.{key} of `{lane}` is {given}: use {least} to {most}"));
            }
        }
        Ok(())
    }
}

fn usual_min_confidence() -> f32 {
    0.8
}

fn usual_cooldown_s() -> u32 {
    10
}

fn usual_wait_s() -> u32 {
    120
}

fn usual_move_s() -> u32 {
    5
}

fn usual_pass_timeout_s() -> u32 {
    20
}

fn usual_occupied_timeout_s() -> u32 {
    120
}

fn open() -> Answer {
    Answer::Open
}
