//! Who may speak on a serial line, and when: one question at a time, commands first, then everybody
//! in turn. Pure.

use domain::ids::{CommandId, DeviceId};
use firmware_protocol::frame::{Frame, OnLine};

use super::member::{Member, Question};
use crate::controller::{link::Order, report::Report};

/// The devices on one line.
#[derive(Debug)]
pub(super) struct Bus {
    stations: Vec<Station>,
    asked: Option<Asked>,
    /// Whose turn it is.
    turn: usize,
    patience: Patience,
}

/// How long a question keeps the line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For so long its answer can be on the line; who speaks meanwhile destroys both.
    pub quiet_ms: u64,
    /// For so long its answer counts: an adapter or a busy computer may pass it on late.
    pub answer_ms: u64,
}

#[derive(Debug)]
pub(super) struct Station {
    pub address: u8,
    pub member: Box<dyn Member>,
    pub sequence: u8,
}

/// A question that was not answered yet.
#[derive(Debug)]
struct Asked {
    station: usize,
    at_ms: u64,
}

/// A frame to put on the line.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub bytes: OnLine,
    /// The command that it carries for the first time.
    pub first_of: Option<(DeviceId, CommandId)>,
}

impl Bus {
    pub fn new(stations: Vec<Station>, patience: Patience) -> Self {
        Self { stations, asked: None, turn: 0, patience }
    }

    pub fn order(&mut self, order: &Order, out: &mut Vec<Report>) {
        let mut stations = self.stations.iter_mut();
        if let Some(station) = stations.find(|station| *station.member.device() == order.device) {
            station.member.order(order, out);
        }
    }

    /// Looks at the time.
    pub fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        self.stations.iter_mut().for_each(|station| station.member.tick(now_ms, out));
        let over = |asked: &Asked| asked.at_ms + self.patience.answer_ms <= now_ms;
        if self.asked.as_ref().is_some_and(over) {
            self.asked = None;
        }
    }

    /// The line is gone, and everybody on it.
    pub fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.stations.iter_mut().for_each(|station| station.member.lost(reason, out));
        self.asked = None;
    }

    /// When to look again.
    pub fn next_at_ms(&self, now_ms: u64) -> u64 {
        match &self.asked {
            Some(asked) if self.has_urgent(now_ms) => asked.at_ms + self.patience.quiet_ms,
            Some(asked) => asked.at_ms + self.patience.answer_ms,
            None => {
                let each = self.stations.iter().map(|station| station.member.next_at_ms(now_ms));
                each.min().unwrap_or(u64::MAX)
            }
        }
    }

    /// The next frame, where the line is free.
    pub fn transmit(&mut self, now_ms: u64) -> Option<Outgoing> {
        let urgent = self.in_turn().find(|&i| self.stations[i].member.has_urgent(now_ms));
        if !self.is_free(urgent.is_some(), now_ms) {
            return None;
        }
        let order: Vec<usize> = urgent.into_iter().chain(self.in_turn()).collect();
        let (index, question) = order.into_iter().find_map(|index| {
            self.stations[index].member.due(now_ms).map(|question| (index, question))
        })?;
        self.turn = index + 1;
        self.asked = Some(Asked { station: index, at_ms: now_ms });
        Some(self.stations[index].ask(question))
    }

    /// Takes a frame from the line; false where nobody asked for it. A status counts in time only,
    /// what became of a command whenever it comes.
    pub fn receive(&mut self, frame: &Frame, now_ms: u64, out: &mut Vec<Report>) -> bool {
        let from = self.stations.iter().position(|station| station.address == frame.address);
        let Some(index) = from else { return false };
        let station = &mut self.stations[index];
        let is_asked = self.asked.as_ref().is_some_and(|asked| asked.station == index);
        let in_time = is_asked && frame.sequence == station.sequence;
        let taken = station.member.receive(frame.kind, &frame.payload, in_time, now_ms, out);
        if in_time && taken.is_some() {
            self.asked = None;
        }
        taken.unwrap_or(false)
    }

    fn in_turn(&self) -> impl Iterator<Item = usize> + use<> {
        let count = self.stations.len();
        let turn = self.turn;
        (0..count).map(move |i| (turn + i) % count)
    }

    fn has_urgent(&self, now_ms: u64) -> bool {
        self.stations.iter().any(|station| station.member.has_urgent(now_ms))
    }

    /// A command waits only while an answer can be on the line, and not for a device that was
    /// absent anyway.
    fn is_free(&self, urgent: bool, now_ms: u64) -> bool {
        self.asked.as_ref().is_none_or(|asked| {
            let quiet = now_ms >= asked.at_ms + self.patience.quiet_ms;
            urgent && (quiet || !self.stations[asked.station].member.is_online())
        })
    }
}

impl Station {
    fn ask(&mut self, question: Question) -> Outgoing {
        self.sequence = self.sequence.wrapping_add(1);
        let Question { kind, payload, first_of } = question;
        let frame = Frame { address: self.address, sequence: self.sequence, kind, payload };
        Outgoing { bytes: frame.encode(), first_of }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::{Arc, atomic::AtomicBool};

    use domain::event::Action;
    use firmware_protocol::{
        barrier::{Answer, Arm, Power, Refusal, Request, Status},
        frame::Decoder,
        session::{Device, Pace},
    };
    use uuid::Uuid;

    use super::*;
    use crate::controller::{barrier::Barrier, peer::Peer};

    const ANSWER_WITHIN_MS: u64 = 40;
    const QUIET_MS: u64 = 10;

    fn bus(addresses: &[u8]) -> Bus {
        let pace = Pace {
            poll_every_ms: Some(50),
            answer_within_ms: ANSWER_WITHIN_MS,
            silent_after_ms: 3_000,
            sealed: false,
        };
        let patience = Patience { quiet_ms: QUIET_MS, answer_ms: ANSWER_WITHIN_MS };
        let station = |&address: &u8| {
            let name = format!("device-{address}").parse().unwrap();
            let online = Arc::new(AtomicBool::new(false));
            let member = Box::new(Peer::<Barrier>::new(name, pace, online, 0));
            Station { address, member, sequence: 0 }
        };
        Bus::new(addresses.iter().map(station).collect(), patience)
    }

    fn question(bus: &mut Bus, now_ms: u64) -> Option<(Frame, Request)> {
        let outgoing = bus.transmit(now_ms)?;
        let mut decoder = Decoder::new();
        let frame = outgoing.bytes.iter().find_map(|&byte| decoder.push(byte)).unwrap();
        let request = Request::decode(frame.kind, &frame.payload).unwrap();
        Some((frame, request))
    }

    fn status(question: &Frame, device: &Device<Refusal>) -> Frame {
        let (kind, payload) = Answer::Status(Status {
            boot: device.boot(),
            session: device.session(),
            uptime_s: 0,
            arm: Arm::Closed,
            power: Power::Mains,
            under_arm: false,
            in_front: false,
            fire: false,
            under_arm_count: 0,
            in_front_count: 0,
            press: 0,
        })
        .encode();
        Frame { kind, payload, ..question.clone() }
    }

    /// Lets the device of address 1 answer, and the others not, until `until_ms`.
    fn run(bus: &mut Bus, device: &mut Device<Refusal>, until_ms: u64) -> Vec<Report> {
        let mut out = Vec::new();
        for now_ms in 0..until_ms {
            bus.tick(now_ms, &mut out);
            if let Some((frame, request)) = question(bus, now_ms)
                && frame.address == 1
            {
                if let Request::Hello(hello) = request {
                    device.hello(&hello, now_ms);
                }
                assert!(bus.receive(&status(&frame, device), now_ms, &mut out));
            }
        }
        out
    }

    fn order(bus: &mut Bus, now_ms: u64) {
        let device = "device-1".parse().unwrap();
        let expires_at_ms = now_ms + 3_000;
        let (id, action) = (CommandId(Uuid::nil()), Action::Open.into());
        bus.order(&Order { device, id, action, expires_at_ms }, &mut Vec::new());
    }

    #[test]
    fn one_question_at_a_time_and_everybody_in_turn() {
        let mut bus = bus(&[1, 2, 3]);
        let mut asked = Vec::new();
        for now_ms in 0..3 * ANSWER_WITHIN_MS {
            bus.tick(now_ms, &mut Vec::new());
            asked.extend(question(&mut bus, now_ms).map(|(frame, _)| (now_ms, frame.address)));
        }
        assert_eq!(asked, [(0, 1), (ANSWER_WITHIN_MS, 2), (2 * ANSWER_WITHIN_MS, 3)]);
    }

    #[test]
    fn an_answer_counts_only_for_its_own_question() {
        let mut bus = bus(&[1, 2]);
        let device = Device::new(5);
        let (first, _) = question(&mut bus, 0).unwrap();
        let answer = status(&first, &device);
        let mut out = Vec::new();
        let echo = first.clone();
        assert!(!bus.receive(&echo, 1, &mut out), "our own question came back");
        let stranger = Frame { address: 2, ..answer.clone() };
        assert!(!bus.receive(&stranger, 1, &mut out));
        assert!(bus.receive(&answer, 1, &mut out));
        assert!(!bus.receive(&answer, 1, &mut out), "it was answered already");
        bus.tick(2, &mut out);
        question(&mut bus, 2).unwrap();
        bus.tick(2 + ANSWER_WITHIN_MS, &mut out);
        assert!(!bus.receive(&answer, 2 + ANSWER_WITHIN_MS, &mut out), "it is late");
    }

    #[test]
    fn a_command_goes_before_polls_and_waits_for_no_absent_device() {
        let (mut bus, mut device) = (bus(&[1, 2]), Device::new(5));
        run(&mut bus, &mut device, 5_000);
        let mut now_ms = 5_000;
        let asks_absent = |bus: &mut Bus, now_ms| {
            bus.tick(now_ms, &mut Vec::new());
            question(bus, now_ms).is_some_and(|(frame, _)| frame.address == 2)
        };
        while !asks_absent(&mut bus, now_ms) {
            now_ms += 1;
        }
        order(&mut bus, now_ms);
        let (frame, request) = question(&mut bus, now_ms).unwrap();
        assert_eq!(frame.address, 1);
        assert!(matches!(request, Request::Command(_)));
        assert_eq!(question(&mut bus, now_ms), None, "the line is taken");
    }

    #[test]
    fn a_command_waits_while_an_answer_can_be_on_the_line_and_no_longer() {
        let (mut bus, mut device) = (bus(&[1]), Device::new(5));
        run(&mut bus, &mut device, 5_000);
        let mut now_ms = 5_000;
        while question(&mut bus, now_ms).is_none() {
            now_ms += 1;
        }
        order(&mut bus, now_ms);
        assert_eq!(bus.next_at_ms(now_ms), now_ms + QUIET_MS);
        assert_eq!(question(&mut bus, now_ms + QUIET_MS - 1), None);
        let (_, request) = question(&mut bus, now_ms + QUIET_MS).unwrap();
        assert!(matches!(request, Request::Command(_)));
    }
}
