//! A charger on a serial line.

use firmware_protocol::{
    charger::{Answer, Request},
    frame::Payload,
};

use super::Pile;
use crate::{
    device::{Board, Simulated},
    serial::{Manners, Station},
};

/// A charger as its line knows it.
#[derive(Clone)]
pub struct SerialCharger(pub Simulated<Pile>);

impl Station for SerialCharger {
    fn manners(&self) -> Manners {
        self.0.board().faults.manners()
    }

    fn answer(&self, kind: u8, payload: &[u8]) -> Option<(u8, Payload)> {
        let request = Request::decode(kind, payload).ok()?;
        Some(answer(&mut self.0.board(), &request).encode())
    }

    fn unasked(&self) -> (u8, Payload) {
        status(&self.0.board()).encode()
    }
}

fn answer(board: &mut Board<Pile>, request: &Request) -> Answer {
    match request {
        Request::Poll => {}
        Request::Hello(hello) => {
            board.hello(hello);
        }
        Request::Command(command) => {
            return Answer::Reply(board.command_on_line(command));
        }
    }
    status(board)
}

fn status(board: &Board<Pile>) -> Answer {
    let (boot, session, uptime_ms) = (board.boot(), board.session(), board.uptime_ms());
    Answer::Status(board.hardware.status(boot, session, uptime_ms))
}
