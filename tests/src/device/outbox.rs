//! Events until the broker has them: in order, numbered without a gap, never more than fit.

use std::collections::VecDeque;

use edge_daemon::controller::mqtt::payload::Event;
use serde_json::Value;
use uuid::Uuid;

use super::Faults;

/// Events that are kept; the oldest goes first.
const KEPT: usize = 64;

/// What was not sent yet, and what was sent and not acknowledged.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    seq: u32,
    events: VecDeque<(&'static str, Event<Value>)>,
    /// How many of `events`, from the front, are on their way.
    sent: usize,
}

impl Outbox {
    pub fn seq(&self) -> u32 {
        self.seq
    }

    pub fn push(
        &mut self,
        kind: &'static str,
        boot_id: u32,
        uptime_ms: u64,
        what: Value,
        faults: &Faults,
    ) {
        for _ in 0..if faults.repeats_events { 2 } else { 1 } {
            self.seq += if faults.skips_events { 2 } else { 1 };
            let (event_id, seq, what) = (Uuid::new_v4(), self.seq, what.clone());
            let event = Event { event_id, boot_id, seq, session: 0, uptime_ms, what };
            self.events.push_back((kind, event));
        }
        while self.events.len() > KEPT {
            self.events.pop_front();
            self.sent = self.sent.saturating_sub(1);
        }
    }

    /// The next event to send, in the session of now.
    pub fn next(&mut self, session: u32) -> Option<(&'static str, Event<Value>)> {
        let (kind, event) = self.events.get_mut(self.sent)?;
        event.session = session;
        self.sent += 1;
        Some((kind, event.clone()))
    }

    /// The broker has the oldest of those that were sent.
    pub fn acknowledged(&mut self) {
        if self.sent > 0 {
            self.events.pop_front();
            self.sent -= 1;
        }
    }

    /// The connection is gone: what was not acknowledged is sent again.
    pub fn disconnected(&mut self) {
        self.sent = 0;
    }
}
