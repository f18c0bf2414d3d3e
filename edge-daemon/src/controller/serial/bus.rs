//! Who may speak on a serial line, and when: one question at a time, commands first, then everybody
//! in turn. Pure.

use domain::ids::{CommandId, DeviceId};
use firmware_protocol::{
    barrier::{Answer, Request},
    frame::{Frame, OnLine},
    session::Offer,
};

use crate::controller::{peer::Peer, report::Report};

/// The devices on one line.
#[derive(Debug)]
pub(super) struct Bus {
    stations: Vec<Station>,
    question: Option<Question>,
    /// Whose turn it is.
    turn: usize,
    answer_within_ms: u64,
}

#[derive(Debug)]
pub(super) struct Station {
    pub address: u8,
    pub peer: Peer,
    pub sequence: u8,
}

/// A question that was not answered yet.
#[derive(Debug)]
struct Question {
    station: usize,
    until_ms: u64,
}

/// A frame to put on the line.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub bytes: OnLine,
    /// The command that it carries for the first time.
    pub first_of: Option<(DeviceId, CommandId)>,
}

impl Bus {
    pub fn new(stations: Vec<Station>, answer_within_ms: u64) -> Self {
        Self { stations, question: None, turn: 0, answer_within_ms }
    }

    pub fn order(&mut self, device: &DeviceId, offer: Offer, out: &mut Vec<Report>) {
        let mut stations = self.stations.iter_mut();
        if let Some(station) = stations.find(|station| station.peer.device() == device) {
            station.peer.order(offer, out);
        }
    }

    /// Looks at the time.
    pub fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        self.stations.iter_mut().for_each(|station| station.peer.tick(now_ms, out));
        if self.question.as_ref().is_some_and(|question| question.until_ms <= now_ms) {
            self.question = None;
        }
    }

    /// The line is gone, and everybody on it.
    pub fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.stations.iter_mut().for_each(|station| station.peer.lost(reason, out));
        self.question = None;
    }

    /// Whether anybody answers.
    pub fn is_alive(&self) -> bool {
        self.stations.iter().any(|station| station.peer.is_online())
    }

    /// When to look again.
    pub fn next_at_ms(&self, now_ms: u64) -> u64 {
        match &self.question {
            Some(question) => question.until_ms,
            None => {
                let each = self.stations.iter().map(|station| station.peer.next_at_ms(now_ms));
                each.min().unwrap_or(u64::MAX)
            }
        }
    }

    /// The next frame, where the line is free.
    pub fn transmit(&mut self, now_ms: u64) -> Option<Outgoing> {
        let urgent = self.in_turn().find(|&i| self.stations[i].peer.has_urgent(now_ms));
        if !self.is_free(urgent.is_some()) {
            return None;
        }
        let order: Vec<usize> = urgent.into_iter().chain(self.in_turn()).collect();
        let (index, request) = order.into_iter().find_map(|index| {
            self.stations[index].peer.due(now_ms).map(|request| (index, request))
        })?;
        self.turn = index + 1;
        self.question = Some(Question { station: index, until_ms: now_ms + self.answer_within_ms });
        Some(self.stations[index].ask(&request))
    }

    /// Takes a frame from the line; false where nobody asked for it.
    pub fn receive(&mut self, frame: &Frame, now_ms: u64, out: &mut Vec<Report>) -> bool {
        let Some(index) = self.question.as_ref().map(|question| question.station) else {
            return false;
        };
        let station = &mut self.stations[index];
        if (frame.address, frame.sequence) != (station.address, station.sequence) {
            return false;
        }
        let Ok(answer) = Answer::decode(frame.kind, &frame.payload) else { return false };
        self.question = None;
        match answer {
            Answer::Status(status) => station.peer.heard(&status, now_ms, out),
            Answer::Reply(reply) => return station.peer.replied(&reply, now_ms, out),
        }
        true
    }

    fn in_turn(&self) -> impl Iterator<Item = usize> + use<> {
        let count = self.stations.len();
        let turn = self.turn;
        (0..count).map(move |i| (turn + i) % count)
    }

    /// A command does not wait for a device that was absent anyway.
    fn is_free(&self, urgent: bool) -> bool {
        self.question
            .as_ref()
            .is_none_or(|question| urgent && !self.stations[question.station].peer.is_online())
    }
}

impl Station {
    fn ask(&mut self, request: &Request) -> Outgoing {
        self.sequence = self.sequence.wrapping_add(1);
        let (kind, payload) = request.encode();
        let frame = Frame { address: self.address, sequence: self.sequence, kind, payload };
        Outgoing { bytes: frame.encode(), first_of: self.peer.first_sending(request) }
    }
}
