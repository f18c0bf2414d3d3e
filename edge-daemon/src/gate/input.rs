//! What a lane is told. Everything that happens at a lane arrives as one of these, in the order it
//! happened.

use domain::{
    event::{Latency, Outcome, PlateSeen},
    ids::CommandId,
};

/// Something that happened at a lane.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A camera of the lane saw a vehicle.
    Sighting(Box<Sighting>),
    /// A person wants the barrier to open.
    Request(Requester),
    /// The lane's barrier reports.
    Barrier(Report),
    /// A command came to its end.
    Result(CommandResult),
    /// Time has passed; due at [`Gate::next_deadline`](super::Gate::next_deadline) at the latest.
    Tick,
}

/// A vehicle, as the cameras of a lane saw it over several frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// What was read.
    pub plate: PlateSeen,
    /// How long recognition took.
    pub latency: Latency,
    /// Number of the vehicle's passage before the camera. A second sighting of one passage is a
    /// better reading of the same vehicle.
    pub passage: u64,
    /// When it arrived, on the monotonic clock in milliseconds.
    pub arrived_ms: u64,
}

/// A person who wants the barrier to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requester {
    /// Somebody who has logged in, by name.
    Operator(String),
    /// Whoever pressed the button at the lane.
    Button,
}

/// News of a barrier. After `Online` its whole state is reported once, then what changes;
/// repetitions do no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Commands can be sent.
    Online,
    /// It does not answer, and nothing is known of it.
    Offline {
        /// Why that is thought, for people.
        reason: String,
    },
    /// Where the arm is.
    Arm(Arm),
    /// Whether something is on the safety loop, under the arm.
    UnderArm(bool),
    /// Whether something is on the presence loop, in front of the arm.
    InFront(bool),
    /// Whether the fire input is active.
    Fire(bool),
    /// Whether the mains are lost and it runs on its battery.
    OnBattery(bool),
}

/// Where an arm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arm {
    /// Down.
    Closed,
    /// On its way up.
    Opening,
    /// Up.
    Open,
    /// On its way down.
    Closing,
    /// Halted on its way, by something under it or by hand.
    Stopped,
    /// It does not move as it should, says the controller.
    Fault,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandResult {
    /// The command.
    pub command: CommandId,
    /// What became of it.
    pub outcome: Outcome,
    /// Milliseconds from sending to the outcome, where one was seen.
    pub elapsed_ms: Option<u64>,
    /// Milliseconds from the vote's completion to the command's bytes on the line.
    pub vote_to_wire_ms: Option<f32>,
    /// Milliseconds from the capture of the deciding frame to the command's bytes on the line.
    pub capture_to_wire_ms: Option<f32>,
}
