//! One device as its link sees it: turns what it says into reports, each change once.
//!
//! Pure: time comes in, reports go out. What a device did before it came online is not reported:
//! a button that was pressed while nobody listened must not open anything later.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use domain::{
    event,
    ids::{CommandId, DeviceId},
};
use firmware_protocol::{
    barrier::{self, Refusal, Reply, Request, Status, Verdict},
    session::{Done, Host, Offer, Outcome, Pace, Run, Welcome},
};
use uuid::Uuid;

use super::{News, word};
use crate::controller::{
    Action,
    link::Order,
    report::{Report, What},
};

/// More passages than this between two looks are not vehicles.
const MAX_MISSED: u16 = 4;

/// One device.
#[derive(Debug)]
pub(in crate::controller) struct Peer {
    device: DeviceId,
    host: Host<barrier::Action>,
    /// Shared with whoever sends commands, so that one to an absent device is refused at once.
    online: Arc<AtomicBool>,
    /// What was reported last: online or not.
    reported: Option<bool>,
    since_ms: u64,
    last: Option<Status>,
}

impl Peer {
    pub fn new(device: DeviceId, pace: Pace, online: Arc<AtomicBool>, now_ms: u64) -> Self {
        let host = Host::new(pace);
        Self { device, host, online, reported: None, since_ms: now_ms, last: None }
    }

    pub fn device(&self) -> &DeviceId {
        &self.device
    }

    pub fn is_online(&self) -> bool {
        self.reported == Some(true)
    }

    pub fn has_urgent(&self, now_ms: u64) -> bool {
        self.host.has_urgent(now_ms)
    }

    pub fn due(&mut self, now_ms: u64) -> Option<Request> {
        self.host.due(now_ms)
    }

    /// The device and the command, where `request`, which is being sent, carries it for the first
    /// time.
    pub fn first_sending(&self, request: &Request) -> Option<(DeviceId, CommandId)> {
        match request {
            Request::Command(command) if self.host.attempts(&command.id) == 1 => {
                Some((self.device.clone(), CommandId(Uuid::from_bytes(command.id))))
            }
            _ => None,
        }
    }

    fn unheard_at_ms(&self) -> u64 {
        self.since_ms + self.host.pace().silent_after_ms
    }

    pub fn next_at_ms(&self, now_ms: u64) -> u64 {
        let unheard = self.reported.map_or(self.unheard_at_ms(), |_| u64::MAX);
        self.host.next_at_ms(now_ms).min(unheard)
    }

    /// Takes a command, or ends it at once where it cannot be taken.
    pub fn order(&mut self, order: &Order, out: &mut Vec<Report>) {
        let taken = self.is_online() && offer(order).is_some_and(|o| self.host.offer(o).is_ok());
        if !taken {
            let (id, outcome) = (order.id.0.into_bytes(), Outcome::Unanswered);
            self.end(Done { id, outcome, elapsed_ms: None }, out);
        }
    }

    /// Takes what the device said about itself.
    pub fn heard(&mut self, status: &Status, now_ms: u64, out: &mut Vec<Report>) {
        self.host.heard(Run { boot: status.boot, session: status.session }, now_ms);
        self.tick(now_ms, out);
        if !self.host.is_online(now_ms) {
            return;
        }
        if !self.is_online() {
            self.come_online(status, out);
        } else if let Some(last) = self.last.replace(*status) {
            self.report_changes(&last, status, out);
        }
    }

    /// Takes the device's sealed answer to a hello. It is online once it tells its state.
    pub fn welcomed(&mut self, welcome: &Welcome, now_ms: u64, out: &mut Vec<Report>) {
        self.host.welcomed(welcome, now_ms);
        self.tick(now_ms, out);
    }

    /// The number of the next command, where messages are sealed.
    pub fn next_counter(&mut self) -> u64 {
        self.host.next_counter()
    }

    /// Takes what the device said about a command; false where it is none that it was sent.
    pub fn replied(&mut self, reply: &Reply, now_ms: u64, out: &mut Vec<Report>) -> bool {
        let done = self.host.replied(reply, now_ms);
        done.is_some_and(|done| {
            self.end(done, out);
            true
        })
    }

    /// Looks at the time: ends commands that were not answered, notices silence.
    pub fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        while let Some(done) = self.host.give_up(now_ms) {
            self.end(done, out);
        }
        if self.is_online() && !self.host.is_online(now_ms) {
            let restarted = self.host.is_present(now_ms);
            let reason = if restarted { "it restarted" } else { "it does not answer" };
            self.go_offline(reason, out);
        } else if self.reported.is_none() && now_ms >= self.unheard_at_ms() {
            self.go_offline("it was not heard since the start", out);
        }
    }

    /// The way to the device is gone.
    pub fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        while let Some(done) = self.host.give_up(u64::MAX) {
            self.end(done, out);
        }
        self.host.lost();
        if self.reported != Some(false) {
            self.go_offline(reason, out);
        }
    }

    fn come_online(&mut self, status: &Status, out: &mut Vec<Report>) {
        self.set_online(true);
        self.last = Some(*status);
        self.report(What::Online, out);
        for news in [
            News::Power(status.power),
            News::Fire(status.fire),
            News::Arm(status.arm),
            News::Loop(status.under_arm),
            News::Presence(status.in_front),
        ] {
            self.report(What::Barrier(news), out);
        }
    }

    fn go_offline(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.set_online(false);
        self.last = None;
        self.report(What::Offline { reason: reason.to_owned() }, out);
    }

    fn set_online(&mut self, online: bool) {
        self.reported = Some(online);
        self.online.store(online, Ordering::Release);
    }

    fn report_changes(&self, last: &Status, status: &Status, out: &mut Vec<Report>) {
        let mut changed = |differs: bool, news: News| {
            if differs {
                self.report(What::Barrier(news), out);
            }
        };
        changed(last.power != status.power, News::Power(status.power));
        changed(last.fire != status.fire, News::Fire(status.fire));
        changed(last.press != status.press, News::Button { press: status.press });
        changed(last.arm != status.arm, News::Arm(status.arm));
        let seen = status.in_front_count.wrapping_sub(last.in_front_count);
        for occupied in changes(last.in_front, seen, status.in_front) {
            self.report(What::Barrier(News::Presence(occupied)), out);
        }
        let seen = status.under_arm_count.wrapping_sub(last.under_arm_count);
        for occupied in changes(last.under_arm, seen, status.under_arm) {
            self.report(What::Barrier(News::Loop(occupied)), out);
        }
    }

    fn end(&self, done: Done<Refusal>, out: &mut Vec<Report>) {
        let (outcome, refusal) = match done.outcome {
            Outcome::Judged(Verdict::Accepted) => (event::Outcome::Accepted, None),
            Outcome::Judged(Verdict::Expired) => (event::Outcome::Expired, None),
            Outcome::Judged(Verdict::Refused(why)) => (event::Outcome::Refused, Some(word(why))),
            Outcome::Duplicate => (event::Outcome::Duplicate, None),
            Outcome::Unanswered => (event::Outcome::Unanswered, None),
        };
        let command = CommandId(Uuid::from_bytes(done.id));
        let sent_to_result_ms = done.elapsed_ms;
        self.report(What::Result { command, outcome, refusal, sent_to_result_ms }, out);
    }

    fn report(&self, what: What, out: &mut Vec<Report>) {
        out.push(Report { device: self.device.clone(), what });
    }
}

/// What a barrier's session is offered; none for an order that is for another kind of device.
fn offer(order: &Order) -> Option<Offer<barrier::Action>> {
    let Action::Barrier(action) = order.action else { return None };
    let action = match action {
        event::Action::Open => barrier::Action::Open,
        event::Action::Close => barrier::Action::Close,
    };
    let (id, expires_at_ms) = (order.id.0.into_bytes(), order.expires_at_ms);
    Some(Offer { id, action, expires_at_ms })
}

/// The states of a loop from `was` to `is` that became occupied `count` times in between.
fn changes(was: bool, count: u16, is: bool) -> Vec<bool> {
    let mut states = Vec::new();
    let mut now = was;
    for _ in 0..count.min(MAX_MISSED) {
        if now {
            states.push(false);
        }
        states.push(true);
        now = true;
    }
    if now != is {
        states.push(is);
    }
    states
}

#[cfg(test)]
mod tests {
    use super::changes;

    #[test]
    fn passages_between_two_looks_are_told_in_order() {
        assert!(changes(false, 0, false).is_empty());
        assert_eq!(changes(false, 1, true), [true]);
        assert_eq!(changes(true, 0, false), [false]);
        assert_eq!(changes(false, 1, false), [true, false]);
        assert_eq!(changes(true, 1, true), [false, true]);
        assert_eq!(changes(false, 2, true), [true, false, true]);
    }

    #[test]
    fn a_counter_that_leaps_tells_a_bounded_tale() {
        assert!(changes(false, u16::MAX, true).len() < 10);
    }
}
