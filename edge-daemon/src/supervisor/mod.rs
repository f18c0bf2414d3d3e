//! Keeps vision alive from the core, and tells what happens to it.
//!
//! Vision is started, listened to, and ended when it hangs or misbehaves; it is started again after
//! a pause that grows with every failure and shrinks back after a stable time. Whatever vision
//! does, the core only ever sees [`Event`]s. Where a service unit starts vision instead, only the
//! listening is done here: a peer that hangs is disconnected, and the unit's own restart applies.

mod child;
mod life;
mod policy;

pub use child::Launch;
pub use policy::Policy;

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    sightings::{Message, Receiver},
};
use life::{End, Life};

/// What the core hears of vision.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// A vision process connected.
    Connected {
        /// The process.
        pid: u32,
    },
    /// It said something; never a heartbeat.
    Message(Message),
    /// It ended, hung, flooded or could not be started, and is started again.
    Restarting {
        /// What happened.
        reason: String,
        /// How long the pause before the next start is; zero where a service unit starts it.
        back_off: Duration,
    },
}

/// Listens to vision and, where it has a [`Launch`], starts and restarts it.
#[derive(Debug)]
pub struct Supervisor {
    /// How vision is started; none where a service unit does it.
    pub launch: Option<Launch>,
    /// When it is restarted.
    pub policy: Policy,
    /// Where vision connects.
    pub receiver: Receiver,
    /// Where events go. When the core is slow to take them, vision keeps what it has to say.
    pub events: mpsc::Sender<Event>,
}

impl Supervisor {
    /// Supervises until `stop` is cancelled or nobody takes events any more, then ends vision:
    /// politely first, by force when [`Policy::stop_within`] has passed.
    pub async fn run(mut self, stop: CancellationToken) {
        let policy = &self.policy;
        let mut backoff = Backoff::new(policy.initial, policy.max, policy.stable_after);
        let epoch = Instant::now();
        loop {
            backoff.started(epoch.elapsed());
            let End::Failed(reason) = self.live_once(&stop).await else { return };
            self.receiver.disconnect();
            let back_off = match self.launch {
                Some(_) => backoff.failed(epoch.elapsed(), rand::random()),
                None => Duration::ZERO,
            };
            tracing::warn!(reason, back_off_ms = back_off.as_millis(), "vision failed");
            let told = tell(&self.events, Event::Restarting { reason, back_off }, &stop).await;
            if told.is_break() || stop.run_until_cancelled(time::sleep(back_off)).await.is_none() {
                return;
            }
        }
    }

    /// One life of vision, from its start to its end.
    async fn live_once(&mut self, stop: &CancellationToken) -> End {
        let child = match self.launch.as_ref().map(Launch::start).transpose() {
            Ok(child) => child,
            Err(error) => return End::Failed(format!("vision cannot be started: {error}")),
        };
        let mut life = Life::new(child, &self.policy);
        let end = life.watch(&mut self.receiver, &self.events, stop).await;
        match (&end, life.child) {
            (End::Stopped, Some(mut child)) => child.stop(self.policy.stop_within).await,
            (End::Failed(_), Some(mut child)) => child.kill().await,
            (_, None) => {}
        }
        end
    }
}

/// Tells the core, unless it stops or no longer listens.
async fn tell(
    events: &mpsc::Sender<Event>,
    event: Event,
    stop: &CancellationToken,
) -> std::ops::ControlFlow<()> {
    match stop.run_until_cancelled(events.send(event)).await {
        Some(Ok(())) => std::ops::ControlFlow::Continue(()),
        _ => std::ops::ControlFlow::Break(()),
    }
}
