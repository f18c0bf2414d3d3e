//! Vision's end: any thread puts messages in without waiting, one task carries them out.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use domain::ids::CameraId;
use futures_util::{SinkExt, StreamExt};
use tokio::{net::UnixStream, sync::Notify, time};
use tokio_util::codec::Framed;

use super::{HEARTBEAT_INTERVAL, Message, Stats, VERSION, codec};

/// Messages that may wait for the core; at a few a second this is over a minute.
const MAX_WAITING: usize = 256;

/// Why messages no longer reach the core.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nobody listens.
    #[error("the core's socket {path} cannot be reached; is the core running?")]
    Connect {
        /// The socket.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The connection broke.
    #[error("writing to the core failed")]
    Write(#[from] std::io::Error),
}

/// Where vision's threads leave what they have to say. Cheap to clone; never blocks.
#[derive(Debug, Clone, Default)]
pub struct Sender(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    ordered: VecDeque<Message>,
    stats: BTreeMap<CameraId, Stats>,
    lost_sightings: u64,
}

impl Sender {
    /// Leaves a message for the core. Statistics replace older ones of the same camera; everything
    /// else keeps its order.
    pub fn send(&self, message: Message) {
        self.lock().push(message);
        self.0.wake.notify_one();
    }

    /// Whether nothing waits any more.
    pub fn is_empty(&self) -> bool {
        let waiting = self.lock();
        waiting.ordered.is_empty() && waiting.stats.is_empty() && waiting.lost_sightings == 0
    }

    /// Carries messages to the core's socket until the core goes away (`Ok`) or writing fails,
    /// with a heartbeat each second as long as `alive` says so.
    pub async fn carry(&self, path: &Path, alive: impl Fn() -> bool) -> Result<(), SendError> {
        let stream = UnixStream::connect(path)
            .await
            .map_err(|source| SendError::Connect { path: path.display().to_string(), source })?;
        let mut wire = Framed::new(stream, codec());
        let hello = Message::Hello { version: VERSION, pid: std::process::id() };
        wire.send(encode(&hello)).await?;
        let mut beat = time::interval(HEARTBEAT_INTERVAL);
        beat.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                message = self.next() => message,
                _ = beat.tick() => if alive() { Message::Heartbeat } else { continue },
                // The core never speaks: whatever comes is its end.
                _ = wire.next() => return Ok(()),
            };
            wire.send(encode(&message)).await?;
        }
    }

    async fn next(&self) -> Message {
        loop {
            let woken = self.0.wake.notified();
            if let Some(message) = self.lock().pop() {
                return message;
            }
            woken.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, message: Message) {
        if let Message::Stats(stats) = message {
            self.stats.insert(stats.camera.clone(), stats);
            return;
        }
        self.ordered.push_back(message);
        // A sighting that waited for over a minute opens no barrier: the oldest goes first.
        if self.ordered.len() > MAX_WAITING
            && let Some(Message::Sighting(_)) = self.ordered.pop_front()
        {
            self.lost_sightings += 1;
        }
    }

    fn pop(&mut self) -> Option<Message> {
        if self.lost_sightings > 0 {
            return Some(Message::Lost { sightings: std::mem::take(&mut self.lost_sightings) });
        }
        self.ordered
            .pop_front()
            .or_else(|| self.stats.pop_first().map(|(_, stats)| Message::Stats(stats)))
    }
}

fn encode(message: &Message) -> Bytes {
    serde_json::to_vec(message).expect("messages have only string keys").into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{
        super::message::{sighting, stats},
        *,
    };

    #[test]
    fn a_slow_core_gets_every_sighting_or_their_number() {
        let mut waiting = Waiting::default();
        for passage in 0..300 {
            waiting.push(sighting(passage));
        }
        assert_eq!(waiting.pop(), Some(Message::Lost { sightings: 44 }));
        assert_eq!(waiting.pop(), Some(sighting(44)));
        assert_eq!(std::iter::from_fn(|| waiting.pop()).count(), 255);
    }

    #[test]
    fn the_newest_statistics_win_and_sightings_go_first() {
        let mut waiting = Waiting::default();
        waiting.push(stats("entry", 1));
        waiting.push(stats("entry", 2));
        waiting.push(stats("exit", 3));
        waiting.push(sighting(7));
        let order: Vec<_> = std::iter::from_fn(|| waiting.pop()).collect();
        assert_eq!(order, [sighting(7), stats("entry", 2), stats("exit", 3)]);
    }
}
