//! One device that speaks our protocol, on a line or through a broker, as its link sees it: turns
//! what it says into reports, each change once. What is particular to its kind is its [`Nature`].
//!
//! Pure: time comes in, reports go out. What a device did before it came online is not reported:
//! a button that was pressed while nobody listened must not open anything later.

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use domain::{
    event,
    ids::{CommandId, DeviceId},
};
use firmware_protocol::{
    command::{Hello, Reply, Request, Verdict},
    session::{Done, Host, Offer, Outcome, Pace, Run, Welcome},
};
use uuid::Uuid;

use super::{
    Action,
    link::Order,
    report::{Report, What},
};

/// What is particular to a kind of device.
pub(in crate::controller) trait Nature:
    Debug + Default + Send + Sync + 'static
{
    /// What it can be told.
    type Action: Copy + Debug + Send + Sync;
    /// Why it refuses.
    type Refusal: Copy;
    /// What it tells of itself.
    type Status;

    /// Whether it is online only once it has told its status; else from its session on.
    const STATUS_FIRST: bool;
    /// Whether it is told one thing at a time and of those that wait only the newest, so that what
    /// was meant before is not repeated after it.
    const NEWEST_ALONE: bool;

    /// In the words of our protocol; none for what another kind of device does.
    fn action(action: Action) -> Option<Self::Action>;

    /// The word for a refusal.
    fn word(refusal: Self::Refusal) -> &'static str;

    /// The run and the session of which it tells its status.
    fn run(status: &Self::Status) -> Run;

    /// A session began with this hello, when the device had been on for `uptime_ms`.
    fn greeted(&mut self, _hello: &Hello, _uptime_ms: u64, _now_ms: u64) {}

    /// What is new, while it is online.
    fn heard(&mut self, status: Self::Status) -> Vec<What>;

    /// It went offline: what was heard counts no more.
    fn forget(&mut self);
}

/// One device.
#[derive(Debug)]
pub(in crate::controller) struct Peer<N: Nature> {
    device: DeviceId,
    host: Host<N::Action>,
    /// Shared with whoever sends commands, so that one to an absent device is refused at once.
    online: Arc<AtomicBool>,
    /// What was reported last: online or not.
    reported: Option<bool>,
    since_ms: u64,
    /// What it is told when it has answered.
    next: Option<Offer<N::Action>>,
    nature: N,
}

impl<N: Nature> Peer<N> {
    pub fn new(device: DeviceId, pace: Pace, online: Arc<AtomicBool>, now_ms: u64) -> Self {
        let (host, nature) = (Host::new(pace), N::default());
        Self { device, host, online, reported: None, since_ms: now_ms, next: None, nature }
    }

    pub fn device(&self) -> &DeviceId {
        &self.device
    }

    pub fn nature(&self) -> &N {
        &self.nature
    }

    pub fn is_online(&self) -> bool {
        self.reported == Some(true)
    }

    pub fn has_urgent(&self, now_ms: u64) -> bool {
        self.host.has_urgent(now_ms)
    }

    pub fn due(&mut self, now_ms: u64) -> Option<Request<N::Action>> {
        self.host.due(now_ms)
    }

    /// The number of the next command, where messages are sealed.
    pub fn next_counter(&mut self) -> u64 {
        self.host.next_counter()
    }

    /// The command, where `request`, which is being sent, carries it for the first time.
    pub fn first_sending(&self, request: &Request<N::Action>) -> Option<CommandId> {
        match request {
            Request::Command(command) if self.host.attempts(&command.id) == 1 => {
                Some(CommandId(Uuid::from_bytes(command.id)))
            }
            _ => None,
        }
    }

    pub fn next_at_ms(&self, now_ms: u64) -> u64 {
        let unheard = self.reported.map_or(self.unheard_at_ms(), |_| u64::MAX);
        self.host.next_at_ms(now_ms).min(unheard)
    }

    fn unheard_at_ms(&self) -> u64 {
        self.since_ms + self.host.pace().silent_after_ms
    }

    /// Takes a command, or ends it at once where it cannot be taken.
    pub fn order(&mut self, order: &Order, out: &mut Vec<Report>) {
        let (id, expires_at_ms) = (order.id.0.into_bytes(), order.expires_at_ms);
        let action = N::action(order.action).filter(|_| self.is_online());
        let taken = action.is_some_and(|action| self.tell(Offer { id, action, expires_at_ms }));
        if !taken {
            self.end(unanswered(id), out);
        }
    }

    /// Tells it something as soon as it can be told; false where it cannot.
    pub fn tell(&mut self, offer: Offer<N::Action>) -> bool {
        if N::NEWEST_ALONE && !self.host.is_idle() {
            self.next = Some(offer);
            return true;
        }
        self.host.offer(offer).is_ok()
    }

    /// Takes what the device said about itself.
    pub fn heard(&mut self, status: N::Status, now_ms: u64, out: &mut Vec<Report>) {
        self.host.heard(N::run(&status), now_ms);
        self.tick(now_ms, out);
        if self.host.is_online(now_ms) {
            self.come_online(out);
            let news = self.nature.heard(status);
            self.tell_of(news, out);
        }
    }

    /// Takes the device's sealed answer to a hello, given when it had been on for `uptime_ms`.
    pub fn welcomed(
        &mut self,
        welcome: &Welcome,
        uptime_ms: u64,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) {
        if self.host.welcomed(welcome, now_ms) {
            self.nature.greeted(&welcome.hello, uptime_ms, now_ms);
        }
        self.tick(now_ms, out);
        if self.host.is_online(now_ms) && !N::STATUS_FIRST {
            self.come_online(out);
        }
    }

    /// Takes what the device said about a command; false where it is none that it was sent.
    pub fn replied(
        &mut self,
        reply: &Reply<N::Refusal>,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool {
        let Some(done) = self.host.replied(reply, now_ms) else { return false };
        self.end(done, out);
        self.go_on(now_ms, out);
        true
    }

    /// Reports what `read` makes of what the device said; false where that is nothing that a device
    /// of its kind says.
    pub fn said(
        &mut self,
        read: impl FnOnce(&mut N) -> Option<Vec<What>>,
        out: &mut Vec<Report>,
    ) -> bool {
        let news = read(&mut self.nature);
        let is_understood = news.is_some();
        self.tell_of(news.unwrap_or_default(), out);
        is_understood
    }

    /// Looks at the time: ends commands that were not answered, notices silence.
    pub fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        while let Some(done) = self.host.give_up(now_ms) {
            self.end(done, out);
            self.go_on(now_ms, out);
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
        if let Some(Offer { id, .. }) = self.next.take() {
            self.end(unanswered(id), out);
        }
        while let Some(done) = self.host.give_up(u64::MAX) {
            self.end(done, out);
        }
        self.host.lost();
        if self.reported != Some(false) {
            self.go_offline(reason, out);
        }
    }

    /// Tells it what is newest, where that is not too old.
    fn go_on(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        match self.next.take() {
            Some(next) if now_ms < next.expires_at_ms => {
                self.tell(next);
            }
            Some(Offer { id, .. }) => self.end(unanswered(id), out),
            None => {}
        }
    }

    fn end(&self, done: Done<N::Refusal>, out: &mut Vec<Report>) {
        let (outcome, refusal) = match done.outcome {
            Outcome::Judged(Verdict::Accepted) => (event::Outcome::Accepted, None),
            Outcome::Judged(Verdict::Expired) => (event::Outcome::Expired, None),
            Outcome::Judged(Verdict::Refused(why)) => (event::Outcome::Refused, Some(N::word(why))),
            Outcome::Duplicate => (event::Outcome::Duplicate, None),
            Outcome::Unanswered => (event::Outcome::Unanswered, None),
        };
        let command = CommandId(Uuid::from_bytes(done.id));
        let sent_to_result_ms = done.elapsed_ms;
        self.report(What::Result { command, outcome, refusal, sent_to_result_ms }, out);
    }

    fn come_online(&mut self, out: &mut Vec<Report>) {
        if !self.is_online() {
            self.set_online(true);
            self.report(What::Online, out);
        }
    }

    fn go_offline(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.set_online(false);
        self.nature.forget();
        self.report(What::Offline { reason: reason.to_owned() }, out);
    }

    fn set_online(&mut self, online: bool) {
        self.reported = Some(online);
        self.online.store(online, Ordering::Release);
    }

    fn tell_of(&self, news: Vec<What>, out: &mut Vec<Report>) {
        news.into_iter().for_each(|what| self.report(what, out));
    }

    fn report(&self, what: What, out: &mut Vec<Report>) {
        out.push(Report { device: self.device.clone(), what });
    }
}

fn unanswered<R>(id: firmware_protocol::command::CommandId) -> Done<R> {
    Done { id, outcome: Outcome::Unanswered, elapsed_ms: None }
}

#[cfg(test)]
mod tests;
