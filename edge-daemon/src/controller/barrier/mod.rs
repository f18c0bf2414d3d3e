//! Barriers: what they report, and each as its link sees it.

mod nature;

pub use firmware_protocol::barrier::{Arm, Power};

pub(in crate::controller) use self::nature::Barrier;

/// What is new about a barrier. Once it is online its whole state is reported, then only what
/// changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Where the arm is.
    Arm(Arm),
    /// Whether something is on the safety loop, under the arm. A vehicle that came and went
    /// between two looks is reported all the same, as occupied and free.
    Loop(bool),
    /// Whether something is on the presence loop, in front of the arm.
    Presence(bool),
    /// The button was pressed while the device was online.
    Button {
        /// Number of the press since the device started.
        press: u32,
    },
    /// Whether the fire input is active.
    Fire(bool),
    /// What the device runs on.
    Power(Power),
}
