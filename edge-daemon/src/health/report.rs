//! What `/readyz` answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How the daemon is, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether the gate can decide and the journal can remember.
    pub ready: bool,
    /// `alive`, or since when the control loop stands.
    pub control_loop: String,
    /// `writable`, or why not.
    pub journal: String,
    /// `running` or `not running`.
    pub gate: String,
    /// What the replay is doing, and what hinders it. Without the cloud the site is ready all the
    /// same.
    pub replay: String,
    /// Events that the cloud has not got.
    pub backlog: u64,
    /// Each controller: `online`, or why not.
    pub controllers: BTreeMap<String, String>,
    /// Each camera: `online`, or why not.
    pub cameras: BTreeMap<String, String>,
    /// Each lane, door or controller that has a fault, with the fault.
    pub faults: BTreeMap<String, String>,
}
