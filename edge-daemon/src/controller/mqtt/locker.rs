//! Lockers behind the broker. Nothing that is old opens anything: a code counts in the session that
//! holds, and for ten seconds.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use domain::{
    event,
    ids::{CommandId, DeviceId},
};
use firmware_protocol::{
    command,
    locker::{Action, Refusal, Request, Verdict},
    session::{Done, Host, Offer, Outcome, Pace, Run},
    topic::Leaf,
};
use uuid::Uuid;

use super::{
    member::{Heard, Member, Message},
    payload::{
        Availability, CommandResult, Event, Hello, Presence, Welcome,
        locker::{
            AtDoor, CODE, Code, Happening, Lock, Refusal as RefusalWord, Source, State, encode,
        },
    },
    told::pace,
};
use crate::controller::{
    Action as AnyAction,
    link::Order,
    locker::{self, DoorState, News},
    report::{Report, What},
};

/// A locker tells its state at least every ten seconds.
const PACE: Pace = pace(30_000);
/// A code that was entered longer ago opens nothing.
const CODE_LIFE_MS: u64 = 10_000;

/// A locker's controller.
#[derive(Debug)]
pub(in crate::controller) struct Locker {
    device: DeviceId,
    host: Host<Action>,
    /// Shared with whoever sends commands, so that one to an absent device is refused at once.
    online: Arc<AtomicBool>,
    /// What was reported last: online or not.
    reported: Option<bool>,
    since_ms: u64,
    /// The hello that was sent last.
    hello: Option<command::Hello>,
    session: Option<Session>,
    /// The last connection to the broker that it told of, and in which run.
    connection: (u32, u32),
    /// The last event that was taken, and in which run.
    seen: (u32, u32),
    doors: Vec<DoorState>,
}

/// The session that holds.
#[derive(Debug, Clone, Copy)]
struct Session {
    boot: u32,
    number: u32,
    /// The device's counter when it began, and the host's clock then.
    began_ms: (u64, u64),
    /// The device's counter in its last state.
    state_ms: u64,
}

impl Session {
    /// How long ago something happened in this run of the device.
    fn age_ms(&self, uptime_ms: u64, now_ms: u64) -> u64 {
        let (uptime, at) = self.began_ms;
        (uptime + now_ms.saturating_sub(at)).saturating_sub(uptime_ms)
    }
}

impl Locker {
    /// A locker's controller that was not heard yet.
    pub fn new(device: DeviceId, online: Arc<AtomicBool>, now_ms: u64) -> Self {
        Self {
            device,
            host: Host::new(PACE),
            online,
            reported: None,
            since_ms: now_ms,
            hello: None,
            session: None,
            connection: (0, 0),
            seen: (0, 0),
            doors: Vec::new(),
        }
    }

    /// That a device is connected does not say that it works: only its answers do. The will of a
    /// connection that was replaced says nothing.
    fn availability(&mut self, told: Availability, out: &mut Vec<Report>) {
        let Availability { status, boot_id, connection } = told;
        let is_old = self.connection.0 == boot_id && connection < self.connection.1;
        if is_old {
            return;
        }
        self.connection = (boot_id, connection);
        if status == Presence::Offline {
            self.lost("it left the broker", out);
        }
    }

    fn welcomed(&mut self, welcome: Welcome, now_ms: u64, out: &mut Vec<Report>) {
        let Welcome { boot_id, session, uptime_ms, .. } = welcome;
        let welcome = firmware_protocol::session::Welcome::from(welcome);
        self.host.welcomed(&welcome, now_ms);
        if self.hello != Some(welcome.hello) || !self.host.is_online(now_ms) {
            return;
        }
        let began_ms = (uptime_ms, now_ms);
        self.session = Some(Session { boot: boot_id, number: session, began_ms, state_ms: 0 });
        if self.reported != Some(true) {
            self.set_online(true);
            self.report(What::Online, out);
        }
    }

    /// Of a state of another session only that the device is there counts.
    fn state(&mut self, state: State, now_ms: u64, out: &mut Vec<Report>) {
        let State { boot_id, session, uptime_ms, doors, .. } = state;
        self.host.heard(Run { boot: boot_id, session }, now_ms);
        self.tick(now_ms, out);
        let Some(holds) = &mut self.session else { return };
        if (holds.boot, holds.number) != (boot_id, session) || uptime_ms < holds.state_ms {
            return;
        }
        holds.state_ms = uptime_ms;
        let doors: Vec<_> = doors
            .iter()
            .take(usize::from(locker::MAX_DOORS))
            .map(|d| DoorState { door: d.door, closed: d.closed, jammed: d.lock == Lock::Jammed })
            .collect();
        if doors != self.doors {
            self.doors.clone_from(&doors);
            self.report(What::Locker(News::Doors(doors)), out);
        }
    }

    /// Whether an event is of this run and was not taken before.
    fn is_new<V>(&mut self, event: &Event<V>) -> bool {
        let known = if self.seen.0 == event.boot_id { self.seen.1 } else { 0 };
        let ours = self.session.is_some_and(|session| session.boot == event.boot_id);
        let is_new = ours && event.seq > known;
        if is_new {
            self.seen = (event.boot_id, event.seq);
        }
        is_new
    }

    fn happened(&mut self, what: Happening, event: &Event<AtDoor>, out: &mut Vec<Report>) {
        if self.is_new(event) {
            let AtDoor { door, cmd_id } = event.what;
            let (what, command) = (what.into(), cmd_id.map(CommandId));
            self.report(What::Locker(News::Happened { door, what, command }), out);
        }
    }

    fn code(&mut self, event: Event<Code>, now_ms: u64, out: &mut Vec<Report>) {
        if !self.is_new(&event) {
            return;
        }
        let counts = self.session.is_some_and(|session| {
            session.number == event.session
                && session.age_ms(event.uptime_ms, now_ms) <= CODE_LIFE_MS
        });
        let Code { source, code, door } = event.what;
        if counts && (1..=locker::MAX_CODE).contains(&code.len()) {
            let source = match source {
                Source::Keypad => locker::Source::Keypad,
                Source::Scanner => locker::Source::Scanner,
            };
            self.report(What::Locker(News::Code { source, code, door }), out);
        }
    }

    fn result(&mut self, result: CommandResult<RefusalWord>, now_ms: u64, out: &mut Vec<Report>) {
        let reply = result.to_reply::<Refusal>();
        if let Some(done) = reply.and_then(|reply| self.host.replied(&reply, now_ms)) {
            self.end(done, out);
        }
    }

    fn end(&self, done: Done<Refusal>, out: &mut Vec<Report>) {
        let (outcome, refusal) = match done.outcome {
            Outcome::Judged(Verdict::Accepted) => (event::Outcome::Accepted, None),
            Outcome::Judged(Verdict::Expired) => (event::Outcome::Expired, None),
            Outcome::Judged(Verdict::Refused(why)) => {
                (event::Outcome::Refused, Some(locker::word(why)))
            }
            Outcome::Duplicate => (event::Outcome::Duplicate, None),
            Outcome::Unanswered => (event::Outcome::Unanswered, None),
        };
        let command = CommandId(Uuid::from_bytes(done.id));
        let sent_to_result_ms = done.elapsed_ms;
        self.report(What::Result { command, outcome, refusal, sent_to_result_ms }, out);
    }

    fn go_offline(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.set_online(false);
        (self.session, self.doors) = (None, Vec::new());
        self.report(What::Offline { reason: reason.to_owned() }, out);
    }

    fn set_online(&mut self, online: bool) {
        self.reported = Some(online);
        self.online.store(online, Ordering::Release);
    }

    fn report(&self, what: What, out: &mut Vec<Report>) {
        out.push(Report { device: self.device.clone(), what });
    }

    fn event(
        &mut self,
        event: &str,
        heard: &Heard<'_>,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool {
        if event == CODE {
            return heard.read().map(|told| self.code(told, now_ms, out)).is_some();
        }
        let Some(what) = Happening::of_event(event) else { return false };
        heard.read().map(|told| self.happened(what, &told, out)).is_some()
    }
}

impl Member for Locker {
    fn order(&mut self, order: &Order, now_ms: u64, out: &mut Vec<Report>) {
        let (id, expires_at_ms) = (order.id.0.into_bytes(), order.expires_at_ms);
        let taken = match order.action {
            AnyAction::Locker(action) if self.host.is_online(now_ms) => {
                self.host.offer(Offer { id, action, expires_at_ms }).is_ok()
            }
            _ => false,
        };
        if !taken {
            self.end(Done { id, outcome: Outcome::Unanswered, elapsed_ms: None }, out);
        }
    }

    fn receive(&mut self, heard: &Heard<'_>, now_ms: u64, out: &mut Vec<Report>) -> bool {
        match heard.topic.leaf {
            Leaf::Availability => heard.read().map(|told| self.availability(told, out)).is_some(),
            // For people, who ask the broker.
            Leaf::Info => true,
            Leaf::State => heard.read().map(|told| self.state(told, now_ms, out)).is_some(),
            Leaf::Event(event) if !heard.retained => self.event(event, heard, now_ms, out),
            Leaf::Result("hello") if !heard.retained => {
                heard.read().map(|told| self.welcomed(told, now_ms, out)).is_some()
            }
            Leaf::Result(_) if !heard.retained => {
                heard.read().map(|told| self.result(told, now_ms, out)).is_some()
            }
            _ => false,
        }
    }

    fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        while let Some(done) = self.host.give_up(now_ms) {
            self.end(done, out);
        }
        let online = self.host.is_online(now_ms);
        if self.reported == Some(true) && !online {
            let restarted = self.host.is_present(now_ms);
            let reason = if restarted { "it restarted" } else { "it does not answer" };
            self.go_offline(reason, out);
        } else if self.reported.is_none() && now_ms >= self.since_ms + PACE.silent_after_ms {
            self.go_offline("it was not heard since the start", out);
        }
    }

    fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        while let Some(done) = self.host.give_up(u64::MAX) {
            self.end(done, out);
        }
        self.host.lost();
        if self.reported != Some(false) {
            self.go_offline(reason, out);
        }
    }

    fn next_at_ms(&self, now_ms: u64) -> u64 {
        let unheard = self.reported.map_or(self.since_ms + PACE.silent_after_ms, |_| u64::MAX);
        self.host.next_at_ms(now_ms).min(unheard)
    }

    fn transmit(&mut self, now_ms: u64) -> Option<Message> {
        match self.host.due(now_ms)? {
            Request::Poll => None,
            Request::Hello(hello) => {
                self.hello = Some(hello);
                Some(Message::new("hello", &Hello::from(hello), None))
            }
            Request::Command(command) => {
                let counter = self.host.next_counter();
                let (verb, message) = encode(&command, counter);
                let first_of = Some(CommandId(Uuid::from_bytes(command.id)));
                Some(Message::new(verb, &message, first_of))
            }
        }
    }
}
