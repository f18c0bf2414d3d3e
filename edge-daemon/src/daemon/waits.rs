//! How long drivers waited: from the frame that decided to the command's bytes on the line.

use std::{collections::HashMap, time::Instant};

use domain::ids::CommandId;

use super::translate::milliseconds;
use crate::sightings::{Sighting, monotonic_us};

/// Commands under way whose sighting is known. Each leaves with its result, so that there are
/// never more than the barriers have in hand.
#[derive(Debug, Default)]
pub(super) struct Waits(HashMap<CommandId, Wait>);

/// How long one driver waited.
#[derive(Debug)]
pub(super) struct Wait {
    captured_us: u64,
    decided_us: u64,
    sent_us: Option<u64>,
}

impl Wait {
    /// Milliseconds from the vote's completion to the command's bytes on the line.
    pub fn vote_to_wire_ms(&self) -> Option<f32> {
        Some(milliseconds(self.sent_us?.saturating_sub(self.decided_us)))
    }

    /// Milliseconds from the capture of the deciding frame to the command's bytes on the line.
    pub fn capture_to_wire_ms(&self) -> Option<f32> {
        Some(milliseconds(self.sent_us?.saturating_sub(self.captured_us)))
    }
}

impl Waits {
    /// A command follows at once from a sighting.
    pub fn begin(&mut self, command: CommandId, sighting: &Sighting) {
        let wait = Wait {
            captured_us: sighting.captured_monotonic_us,
            decided_us: sighting.decided_monotonic_us,
            sent_us: None,
        };
        self.0.insert(command, wait);
    }

    /// Its bytes were handed to the line at `at`.
    pub fn sent(&mut self, command: CommandId, at: Instant) {
        if let Some(wait) = self.0.get_mut(&command) {
            let ago_us = u64::try_from(at.elapsed().as_micros()).unwrap_or(u64::MAX);
            wait.sent_us = Some(monotonic_us().saturating_sub(ago_us));
        }
    }

    /// It came to its end.
    pub fn end(&mut self, command: CommandId) -> Option<Wait> {
        self.0.remove(&command)
    }
}
