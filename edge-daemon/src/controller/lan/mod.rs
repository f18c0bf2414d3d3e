//! Controllers of lockers on the site's own network that speak the documented HTTP device API
//! (heartbeat, status, poll, acknowledge, with `X-API-Key`), so that they live without the internet.
//!
//! - It is off unless configured, and the one listener of the edge that may be reached from outside
//!   this machine. Of a key only the hash is configured.
//! - A command waits until its controller fetches it, for as long as it may open anything and no
//!   longer; who does not call for ten minutes is offline.
//! - Connections, bodies, times and what one controller may say are bounded.

mod board;
mod server;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use domain::{
    clock::{Clock, Stamp},
    envelope::to_hex,
    ids::DeviceId,
};
use ring::digest::{SHA256, digest};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use self::board::Board;
pub use self::server::serve;
use super::{
    link::{Desk, Order},
    report::Report,
};

/// How often the boards look at the time.
const TICK: Duration = Duration::from_millis(250);

/// One controller, as configured.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub device: DeviceId,
    /// SHA-256 of its API key, in hex.
    pub key_sha256: String,
    pub doors: Vec<String>,
    pub online: Arc<AtomicBool>,
}

/// What is configured of an API key: its SHA-256, in hex.
pub fn hash_of(key: &str) -> String {
    to_hex(digest(&SHA256, key.as_bytes()).as_ref())
}

/// The controllers that call by themselves.
pub struct Lan {
    boards: Mutex<Boards>,
    reports: mpsc::Sender<Report>,
    clock: Arc<dyn Clock>,
}

struct Boards {
    all: HashMap<DeviceId, Board>,
    /// Whose key has this hash.
    keys: HashMap<String, DeviceId>,
}

impl Lan {
    pub(super) fn new(
        members: Vec<Member>,
        reports: mpsc::Sender<Report>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let keys = members.iter().map(|m| (m.key_sha256.clone(), m.device.clone())).collect();
        let now = clock.now();
        let board = |member: Member| (member.device.clone(), Board::new(member, now));
        let all = members.into_iter().map(board).collect();
        Self { boards: Mutex::new(Boards { all, keys }), reports, clock }
    }

    /// The controller that an API key stands for.
    fn by_key(&self, key: &str) -> Option<DeviceId> {
        self.boards().keys.get(&hash_of(key)).cloned()
    }

    /// Lets a board do something, and passes on what follows.
    async fn with<T>(
        &self,
        device: &DeviceId,
        act: impl FnOnce(&mut Board, Stamp, &mut Vec<Report>) -> T,
    ) -> Option<T> {
        let mut reports = Vec::new();
        let answer = {
            let mut boards = self.boards();
            let board = boards.all.get_mut(device)?;
            act(board, self.clock.now(), &mut reports)
        };
        self.deliver(reports).await;
        Some(answer)
    }

    /// Passes reports on, in order. A receiver that is gone needs none.
    async fn deliver(&self, reports: Vec<Report>) {
        for report in reports {
            let _ = self.reports.send(report).await;
        }
    }

    fn boards(&self) -> MutexGuard<'_, Boards> {
        self.boards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes commands and looks at the time, until the shutdown.
pub(super) async fn run(lan: Arc<Lan>, mut desk: Desk) {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let shutdown: CancellationToken = desk.shutdown.clone();
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            Some(order) = desk.orders.recv() => {
                let Order { device, .. } = &order;
                lan.with(device, |board, now, out| board.order(&order, now, out)).await;
            }
            _ = tick.tick() => {
                let mut reports = Vec::new();
                let now = lan.clock.now();
                lan.boards().all.values_mut().for_each(|board| board.tick(now, &mut reports));
                lan.deliver(reports).await;
            }
        }
    }
}
