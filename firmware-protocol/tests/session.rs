//! A host and a device on a line that delays, loses and repeats.
#![allow(clippy::unwrap_used)]

use firmware_protocol::{
    barrier::{Action, Command, CommandId, Hello, Refusal, Reply, Request, Verdict},
    session::{Arrival, Device, Done, Host, Offer, Outcome, Pace, REMEMBERED, Run},
};
use proptest::prelude::*;

const PACE: Pace =
    Pace { poll_every_ms: Some(50), answer_within_ms: 40, silent_after_ms: 3_000, sealed: false };

/// The device's counter started long before the host's.
const AHEAD_MS: u64 = 1_000_000;

/// A host and a device, with the number of times that the arm was moved.
struct Line {
    host: Host<Action>,
    device: Device<Refusal>,
    moved: Vec<CommandId>,
    now_ms: u64,
}

impl Line {
    fn new() -> Self {
        Self { host: Host::new(PACE), device: Device::new(77), moved: Vec::new(), now_ms: 1 }
    }

    fn online() -> Self {
        let mut line = Self::new();
        line.run(20);
        assert!(line.host.is_online(line.now_ms));
        line
    }

    /// Lets whatever is due arrive at once, both ways, for a while.
    fn run(&mut self, duration_ms: u64) -> Vec<Done<Refusal>> {
        let end = self.now_ms + duration_ms;
        let mut done = Vec::new();
        while self.now_ms < end {
            done.extend(self.host.give_up(self.now_ms));
            while let Some(request) = self.host.due(self.now_ms) {
                match self.arrive(&request) {
                    Ok(reply) => done.extend(self.host.replied(&reply, self.now_ms)),
                    Err(run) => self.host.heard(run, self.now_ms),
                }
            }
            self.now_ms += 1;
        }
        done
    }

    /// A request reaches the device now.
    fn arrive(&mut self, request: &Request) -> Result<Reply, Run> {
        let now_ms = self.now_ms + AHEAD_MS;
        match request {
            Request::Poll => {}
            Request::Hello(hello) => {
                self.device.hello(hello, now_ms);
            }
            Request::Command(command) => {
                let moved = &mut self.moved;
                return Ok(self.device.command(command, Arrival::on_line(now_ms), || {
                    moved.push(command.id);
                    Ok(())
                }));
            }
        }
        Err(run(&self.device))
    }

    fn offer(&mut self, id: u8) -> Offer<Action> {
        let offer =
            Offer { id: [id; 16], action: Action::Open, expires_at_ms: self.now_ms + 3_000 };
        self.host.offer(offer).unwrap();
        offer
    }

    /// The command that the host sends next.
    fn sent(&mut self) -> Request {
        loop {
            if let Some(request @ Request::Command(_)) = self.host.due(self.now_ms) {
                return request;
            }
            self.now_ms += 1;
        }
    }
}

fn run(device: &Device<Refusal>) -> Run {
    Run { boot: device.boot(), session: device.session() }
}

#[test]
fn a_command_moves_once_and_ends_once() {
    let mut line = Line::online();
    let offer = line.offer(1);
    let done = line.run(10);
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].id, offer.id);
    assert_eq!(done[0].outcome, Outcome::Judged(Verdict::Accepted));
    assert_eq!(line.moved, [offer.id]);
}

#[test]
fn a_lost_answer_is_asked_for_again_and_the_first_verdict_counts() {
    let mut line = Line::online();
    line.offer(1);
    let request = line.sent();
    line.arrive(&request).unwrap();
    let done = line.run(100);
    assert_eq!(done[0].outcome, Outcome::Judged(Verdict::Accepted));
    assert_eq!(line.moved.len(), 1);
}

#[test]
fn a_command_that_somebody_sent_before_is_a_duplicate() {
    let mut line = Line::online();
    line.offer(1);
    let request = line.sent();
    line.arrive(&request).unwrap();
    let again = line.arrive(&request).unwrap();
    assert!(again.duplicate);
    assert_eq!(line.host.replied(&again, line.now_ms).unwrap().outcome, Outcome::Duplicate);
    assert_eq!(line.moved.len(), 1);
}

#[test]
fn repetitions_back_off_and_stop_at_the_end_of_the_command() {
    let mut line = Line::online();
    let offer = line.offer(1);
    let mut sent_at = Vec::new();
    while line.now_ms < offer.expires_at_ms {
        if let Some(Request::Command(_)) = line.host.due(line.now_ms) {
            sent_at.push(line.now_ms);
        }
        // It is there, and hears no command.
        line.host.heard(run(&line.device), line.now_ms);
        line.now_ms += 1;
    }
    assert!((8..15).contains(&sent_at.len()), "{sent_at:?}");
    let end: Done<Refusal> = line.host.give_up(line.now_ms).unwrap();
    assert_eq!(end.outcome, Outcome::Unanswered);
    assert_eq!(line.host.due(line.now_ms + 1).filter(|r| matches!(r, Request::Command(_))), None);
}

#[test]
fn a_command_that_stayed_on_the_line_too_long_is_expired() {
    let mut line = Line::online();
    line.offer(1);
    let request = line.sent();
    line.now_ms += 3_000;
    assert_eq!(line.arrive(&request).unwrap().verdict, Verdict::Expired);
    assert_eq!(line.moved.len(), 0);
}

#[test]
fn a_recording_of_everything_moves_nothing_later() {
    let mut line = Line::new();
    let mut recording = Vec::new();
    for id in 0..3 {
        while !line.host.is_online(line.now_ms) {
            let request = line.host.due(line.now_ms).unwrap();
            recording.push(request);
            let run = line.arrive(&request).unwrap_err();
            line.host.heard(run, line.now_ms);
            line.now_ms += 1;
        }
        line.offer(id);
        let request = line.sent();
        recording.push(request);
        let reply = line.arrive(&request).unwrap();
        line.host.replied(&reply, line.now_ms).unwrap();
        line.host.lost();
    }
    assert_eq!(line.moved.len(), 3);
    for _ in 0..3 {
        line.now_ms += 5_000;
        for request in &recording {
            let _ = line.arrive(request);
        }
        assert_eq!(line.moved.len(), 3);
        // Even to a device that has forgotten everything.
        line.device = Device::new(line.device.boot() + 1);
    }
}

#[test]
fn a_hello_that_came_late_is_not_trusted() {
    let mut line = Line::new();
    let poll = line.host.due(line.now_ms).unwrap();
    let answer = line.arrive(&poll).unwrap_err();
    line.host.heard(answer, line.now_ms);
    let hello = line.host.due(line.now_ms).unwrap();
    assert!(matches!(hello, Request::Hello(_)));
    line.now_ms += 500;
    let answer = line.arrive(&hello).unwrap_err();
    line.host.heard(answer, line.now_ms);
    assert!(!line.host.is_online(line.now_ms));
    line.run(300);
    assert!(line.host.is_online(line.now_ms));
}

#[test]
fn a_device_that_restarts_is_greeted_before_it_is_commanded() {
    let mut line = Line::online();
    line.device = Device::new(78);
    line.run(60);
    assert!(line.host.is_online(line.now_ms));
    line.offer(1);
    assert_eq!(line.run(10)[0].outcome, Outcome::Judged(Verdict::Accepted));
}

#[test]
fn a_silent_device_is_offline_after_three_seconds_and_asked_rarely() {
    let mut line = Line::online();
    let silent_since = line.now_ms;
    let mut asked = 0;
    while line.now_ms < silent_since + 13_000 {
        asked +=
            u32::from(line.host.due(line.now_ms).is_some() && line.now_ms > silent_since + 4_000);
        line.now_ms += 1;
    }
    assert!(!line.host.is_online(silent_since + 3_100));
    assert!((8..=10).contains(&asked), "{asked}");
}

#[test]
fn time_is_told_again_before_two_clocks_drift_apart() {
    let mut line = Line::online();
    let first = line.device.session();
    line.run(601_000);
    assert!(line.device.session() >= first + 2);
    assert!(line.host.is_online(line.now_ms));
}

#[test]
fn a_command_to_the_boot_before_moves_nothing_in_the_session_of_the_same_number() {
    let mut line = Line::online();
    line.offer(1);
    let request = line.sent();
    line.device = Device::new(78);
    line.host.lost();
    line.run(60);
    assert_eq!(line.device.session(), 1);
    assert_eq!(line.arrive(&request).unwrap().verdict, Verdict::Expired);
}

#[test]
fn a_device_without_a_hello_moves_nothing() {
    let mut device = Device::<Refusal>::new(1);
    let command =
        Command { boot: 1, session: 0, id: [1; 16], expires_at_ms: 2_000, action: Action::Open };
    let reply = device.command(&command, Arrival::on_line(0), || panic!("it must not move"));
    assert_eq!(reply.verdict, Verdict::Expired);
}

#[test]
fn a_command_that_claims_to_live_for_ever_is_refused() {
    let mut line = Line::online();
    let mut request = Command {
        boot: 77,
        session: line.device.session(),
        id: [1; 16],
        expires_at_ms: u64::MAX,
        action: Action::Open,
    };
    let verdict = line.arrive(&Request::Command(request)).unwrap().verdict;
    assert_eq!(verdict, Verdict::Refused(Refusal::TooLong));
    request.expires_at_ms = line.now_ms + 10_000;
    assert_eq!(line.arrive(&Request::Command(request)).unwrap().verdict, Verdict::Accepted);
}

#[test]
fn a_device_refuses_rather_than_forget_a_command() {
    let mut line = Line::online();
    let session = line.device.session();
    let command = |id: usize, now_ms: u64| {
        let id = [u8::try_from(id).unwrap(); 16];
        Request::Command(Command {
            boot: 77,
            session,
            id,
            expires_at_ms: now_ms + 1_000,
            action: Action::Open,
        })
    };
    for id in 0..REMEMBERED {
        let request = command(id, line.now_ms);
        assert_eq!(line.arrive(&request).unwrap().verdict, Verdict::Accepted);
    }
    let one_more = line.arrive(&command(REMEMBERED, line.now_ms)).unwrap();
    assert_eq!(one_more.verdict, Verdict::Refused(Refusal::Busy));
    assert!(line.arrive(&command(0, line.now_ms)).unwrap().duplicate);
    line.now_ms += 1_000;
    let later = line.arrive(&command(REMEMBERED, line.now_ms)).unwrap();
    assert_eq!(later.verdict, Verdict::Accepted);
}

proptest! {
    /// Whatever arrives, in whatever order and however often: no command moves twice.
    #[test]
    fn no_command_ever_moves_twice(
        deeds in prop::collection::vec((0..8u8, 0..40u8, 0..2_000u64), 1..300),
    ) {
        let mut line = Line::online();
        let mut heard = Vec::new();
        for (deed, which, pause_ms) in deeds {
            line.now_ms += pause_ms;
            let session = line.device.session();
            let request = match deed {
                0 | 1 => Request::Command(Command {
                    session,
                    boot: 77,
                    id: [which; 16],
                    expires_at_ms: line.now_ms + 3_000,
                    action: Action::Open,
                }),
                2 => Request::Hello(Hello { boot: 77, session: session + 1, now_ms: line.now_ms }),
                _ if heard.is_empty() => Request::Poll,
                _ => heard[usize::from(which) * 7 % heard.len()],
            };
            // A host uses no identifier twice: what is sent again is what was sent before.
            let is_new = !heard.iter().any(|old| matches!((old, &request),
                (Request::Command(old), Request::Command(new)) if old.id == new.id));
            if deed > 1 || is_new {
                let _ = line.arrive(&request);
                heard.push(request);
            }
        }
        let mut moved = line.moved.clone();
        moved.sort_unstable();
        moved.dedup();
        prop_assert_eq!(moved.len(), line.moved.len());
    }
}
