//! A barrier as it stands at a lane: an arm that takes its time, two loops, a button, vehicles, and
//! faults that can be switched on. It speaks the real protocol over a pty or a broker.
//!
//! Every movement is on record with the command that caused it.

mod boom;
mod mechanics;
mod vehicle;

use std::{
    sync::MutexGuard,
    time::{Duration, Instant},
};

use tokio::time::sleep;

pub use self::{
    boom::{Boom, Happening},
    mechanics::{Movement, Timing},
};
use crate::{
    device::{Board, Faults, Simulated},
    serial::{Manners, Station},
};
use firmware_protocol::{
    barrier::{Answer, Arm, Request, Status},
    frame::Payload,
};

/// A simulated barrier, shared by the scenario and the link that serves it.
#[derive(Clone)]
pub struct Barrier(Simulated<Boom>);

impl Barrier {
    /// A closed barrier with nobody in front.
    pub fn new(timing: Timing) -> Self {
        Self(Simulated::new(Boom::new(timing)))
    }

    /// The device, for a link that serves any kind.
    pub fn device(&self) -> Simulated<Boom> {
        self.0.clone()
    }

    /// The board, brought up to the present.
    pub fn board(&self) -> MutexGuard<'_, Board<Boom>> {
        self.0.board()
    }

    /// How it is, in the words of the protocol.
    pub fn status(&self) -> Status {
        status(&self.board())
    }

    /// Every movement so far.
    pub fn movements(&self) -> Vec<Movement> {
        self.board().hardware.movements().to_vec()
    }

    /// Switches faults of its firmware on and off.
    pub fn set_faults(&self, faults: Faults) {
        self.0.set_faults(faults);
    }

    /// Waits until the arm is there.
    ///
    /// # Panics
    /// When it is not within ten seconds.
    pub async fn arm(&self, arm: Arm) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let is = self.status().arm;
            if is == arm {
                return;
            }
            assert!(Instant::now() < deadline, "the arm is {is:?}, not {arm:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Station for Barrier {
    fn manners(&self) -> Manners {
        self.board().faults.manners()
    }

    fn answer(&self, kind: u8, payload: &[u8]) -> Option<(u8, Payload)> {
        let request = Request::decode(kind, payload).ok()?;
        Some(answer(&mut self.board(), &request).encode())
    }

    fn unasked(&self) -> (u8, Payload) {
        Answer::Status(self.status()).encode()
    }
}

fn answer(board: &mut Board<Boom>, request: &Request) -> Answer {
    match request {
        Request::Poll => {}
        Request::Hello(hello) => {
            board.hello(hello);
        }
        Request::Command(command) => return Answer::Reply(board.command_on_line(command)),
    }
    Answer::Status(status(board))
}

fn status(board: &Board<Boom>) -> Status {
    board.hardware.status(board.boot(), board.session(), board.uptime_ms())
}
