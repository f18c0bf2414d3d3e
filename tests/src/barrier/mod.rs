//! A barrier as it stands at a lane: an arm that takes its time, two loops, a button, vehicles, and
//! faults that can be switched on. It speaks the real protocol over a pty or a broker.
//!
//! Every movement is on record with the command that caused it.

mod board;
mod mechanics;
mod mqtt;
mod vehicle;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use tokio::time::sleep;
use uuid::Uuid;

pub use self::{
    board::{Board, Faults, Happening},
    mechanics::{Movement, Timing},
    mqtt::{Account, MqttBarrier},
};
pub use crate::serial::SerialLine;
use crate::serial::{Manners, Station};
use firmware_protocol::{
    barrier::{Answer, Arm, Request},
    frame::Payload,
};

/// A simulated barrier, shared by the scenario and the link that serves it.
#[derive(Debug, Clone)]
pub struct Barrier {
    board: Arc<Mutex<Board>>,
    started: Instant,
}

impl Barrier {
    /// A closed barrier with nobody in front.
    pub fn new(timing: Timing) -> Self {
        let boot = Uuid::new_v4().as_fields().0;
        Self { board: Arc::new(Mutex::new(Board::new(boot, timing))), started: Instant::now() }
    }

    /// The board, brought up to the present.
    pub fn board(&self) -> MutexGuard<'_, Board> {
        let mut board = self.board.lock().expect("no scenario panics while it holds the board");
        board.advance(self.now_ms());
        board
    }

    /// The device's own counter.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).expect("a simulation is short")
    }

    /// Every movement so far.
    pub fn movements(&self) -> Vec<Movement> {
        self.board().movements().to_vec()
    }

    /// Switches faults on and off.
    pub fn set_faults(&self, faults: Faults) {
        self.board().faults = faults;
    }

    /// Waits until the arm is there.
    ///
    /// # Panics
    /// When it is not within ten seconds.
    pub async fn arm(&self, arm: Arm) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.board().arm() != arm {
            assert!(Instant::now() < deadline, "the arm is {:?}, not {arm:?}", self.board().arm());
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Station for Barrier {
    fn manners(&self) -> Manners {
        let Faults { silent, babbling, duplicates, slow_ms, .. } = self.board().faults;
        Manners { silent, babbling, duplicates, slow: Duration::from_millis(slow_ms) }
    }

    fn answer(&self, kind: u8, payload: &[u8]) -> Option<(u8, Payload)> {
        let request = Request::decode(kind, payload).ok()?;
        Some(self.board().answer(&request).encode())
    }

    fn unasked(&self) -> (u8, Payload) {
        Answer::Status(self.board().status()).encode()
    }
}
