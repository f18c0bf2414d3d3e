//! What simulated devices of every newer kind have in common: a run, a session, flash, a key, the
//! rules of the protocol, and what may be wrong with their firmware.

mod faults;
mod mqtt;
mod outbox;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

use edge_daemon::controller::mqtt::payload::{Command, CommandResult, Event, Outcome};
use firmware_protocol::{
    command::{self as line, Hello, Refusal, Reply, Verdict},
    session::{Arrival, Device},
};
use rand::random;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use self::outbox::Outbox;
pub use self::{
    faults::Faults,
    mqtt::{Account, MqttDevice, read_key},
};

/// Happenings that are kept until somebody takes them.
const MAX_HAPPENINGS: usize = 10_000;

/// How often a device tells its state when nothing changes, in milliseconds.
const HEARTBEAT_MS: u64 = 10_000;

/// What the state of every device begins with.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// The run.
    pub boot_id: u32,
    /// The session that holds; 0 for none.
    pub session: u32,
    /// Milliseconds since the start.
    pub uptime_ms: u64,
    /// The number of the last event.
    pub seq: u32,
}

/// The hardware of a kind of device: what it can do, and what happens to it. Pure.
pub trait Hardware: Send + 'static {
    /// Its kind in topics.
    const KIND: &'static str;
    /// What it can be told.
    type Action: Copy + Send;
    /// Why it refuses.
    type Why: Refusal + Into<Self::Reason> + Send;
    /// The same as a word.
    type Reason: Serialize;

    /// Lets time pass.
    fn advance(&mut self, now_ms: u64);
    /// What people want to know about it.
    fn info(&self) -> Value;
    /// How it is.
    fn state(&self, head: Head) -> Value;
    /// What of its state is told at once when it changes.
    fn news(&self) -> Value;
    /// How long its state stands without being told again, in milliseconds.
    fn heartbeat_ms(&self) -> u64 {
        HEARTBEAT_MS
    }
    /// What a verb means with these arguments; none where they are none.
    fn parse(&self, verb: &str, payload: &[u8]) -> Option<Self::Action>;
    /// Does what it is told, or says why not.
    fn act(&mut self, action: Self::Action, command: Uuid) -> Result<(), Self::Why>;
    /// A command was judged like this.
    fn judged(&mut self, _action: Self::Action, _reply: Reply<Self::Why>) {}
    /// What happened since the last time: type, moment, and what there is to say.
    fn take_events(&mut self) -> Vec<(&'static str, u64, Value)>;
    /// It loses power and starts anew.
    fn restart(&mut self);
}

/// A command that came, and what was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The verb.
    pub verb: String,
    /// The command.
    pub cmd_id: Uuid,
    /// What was said.
    pub outcome: Outcome,
}

/// The board of a device: its hardware and its firmware.
pub struct Board<H: Hardware> {
    /// What there is to move and to measure.
    pub hardware: H,
    /// What is wrong with the firmware.
    pub faults: Faults,
    session: Device<H::Why>,
    /// What survives a restart: the highest counter.
    flash: u64,
    booted_ms: u64,
    now_ms: u64,
    connection: u32,
    outbox: Outbox,
    judged: Vec<Judged>,
}

impl<H: Hardware> Board<H> {
    /// Milliseconds since its start.
    pub fn uptime_ms(&self) -> u64 {
        self.now_ms - self.booted_ms
    }

    /// The number of this run.
    pub fn boot(&self) -> u32 {
        self.session.boot()
    }

    /// The session that holds; 0 for none.
    pub fn session(&self) -> u32 {
        self.session.session()
    }

    /// The number of the last event.
    pub fn seq(&self) -> u32 {
        self.outbox.seq()
    }

    fn state(&self) -> Value {
        let (boot_id, session) = (self.boot(), self.session());
        let (uptime_ms, seq) = (self.uptime_ms(), self.seq());
        self.hardware.state(Head { boot_id, session, uptime_ms, seq })
    }

    /// Every command that came since the last time, with what was said.
    pub fn take_judged(&mut self) -> Vec<Judged> {
        std::mem::take(&mut self.judged)
    }

    /// It loses power for a moment: it forgets everything but what is in flash.
    pub fn restart(&mut self) {
        self.hardware.restart();
        if self.faults.forgets_counter {
            self.flash = 0;
        }
        self.session = Device::resumed(random::<u32>().max(1), self.flash);
        (self.booted_ms, self.connection, self.outbox) = (self.now_ms, 0, Outbox::default());
    }

    fn advance(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        self.hardware.advance(now_ms);
        let (boot, booted_ms) = (self.session.boot(), self.booted_ms);
        for (kind, at_ms, what) in self.hardware.take_events() {
            self.outbox.push(kind, boot, at_ms.saturating_sub(booted_ms), what, &self.faults);
        }
    }

    /// Takes a hello; says whether it started a session.
    pub fn hello(&mut self, hello: &Hello) -> bool {
        self.session.hello(hello, self.now_ms)
    }

    /// Judges a command by the rules, or as its broken firmware does.
    fn command<V>(
        &mut self,
        verb: &str,
        command: &Command<V>,
        action: H::Action,
        retained: bool,
    ) -> CommandResult<H::Reason> {
        let faults = self.faults;
        let mut judged = command.with_action(action);
        let mut counter = command.counter;
        if faults.ignores_expiry {
            judged.expires_at_ms = self.session.host_now_ms(self.now_ms) + 1_000;
        }
        if faults.ignores_session {
            (judged.boot, judged.session) = (self.boot(), self.session());
        }
        if faults.ignores_counter {
            counter = counter.max(self.session.counter() + 1);
        }
        let repeated = self.judged.iter().any(|earlier| earlier.cmd_id == command.cmd_id);
        if faults.ignores_duplicates && repeated {
            judged.id = random();
            counter = counter.max(self.session.counter() + 1);
        }
        let stale = retained && !faults.ignores_retained;
        let arrival = Arrival { now_ms: self.now_ms, counter: Some(counter), stale };
        let (hardware, flash, cmd_id) = (&mut self.hardware, &mut self.flash, command.cmd_id);
        let mut reply = self.session.command(&judged, arrival, || {
            *flash = counter;
            hardware.act(action, cmd_id)
        });
        reply.id = cmd_id.into_bytes();
        self.hardware.judged(action, reply);
        self.answered(verb, reply)
    }

    /// Judges a command of a serial line, where nothing is sealed or numbered.
    pub fn command_on_line(&mut self, command: &line::Command<H::Action>) -> Reply<H::Why> {
        let faults = self.faults;
        let mut judged = *command;
        if faults.ignores_expiry {
            judged.expires_at_ms = self.session.host_now_ms(self.now_ms) + 1_000;
        }
        if faults.ignores_session {
            (judged.boot, judged.session) = (self.boot(), self.session());
        }
        if faults.ignores_duplicates {
            judged.id = random();
        }
        let (hardware, id) = (&mut self.hardware, Uuid::from_bytes(command.id));
        let arrival = Arrival::on_line(self.now_ms);
        let reply = self.session.command(&judged, arrival, || hardware.act(command.action, id));
        let reply = Reply { id: command.id, ..reply };
        self.hardware.judged(command.action, reply);
        reply
    }

    /// A command whose seal is wrong.
    fn unauthenticated(&mut self, verb: &str, cmd_id: Uuid) -> CommandResult<H::Reason> {
        let verdict = Verdict::Refused(H::Why::UNAUTHENTICATED);
        self.answered(verb, Reply { id: cmd_id.into_bytes(), duplicate: false, verdict })
    }

    fn answered(&mut self, verb: &str, reply: Reply<H::Why>) -> CommandResult<H::Reason> {
        let result = CommandResult::new(reply);
        if self.judged.len() < MAX_HAPPENINGS {
            let (verb, outcome) = (verb.to_owned(), result.outcome);
            self.judged.push(Judged { verb, cmd_id: result.cmd_id, outcome });
        }
        result
    }

    /// The event that is to be sent next.
    fn next_event(&mut self) -> Option<(&'static str, Event<Value>)> {
        let session = self.session();
        self.outbox.next(session)
    }
}

/// A simulated device, shared by the scenario and the link that serves it.
pub struct Simulated<H: Hardware> {
    board: Arc<Mutex<Board<H>>>,
    started: Instant,
}

impl<H: Hardware> Clone for Simulated<H> {
    fn clone(&self) -> Self {
        Self { board: Arc::clone(&self.board), started: self.started }
    }
}

impl<H: Hardware> Simulated<H> {
    /// A device that just started for the first time.
    pub fn new(hardware: H) -> Self {
        let board = Board {
            hardware,
            faults: Faults::default(),
            session: Device::new(random::<u32>().max(1)),
            flash: 0,
            booted_ms: 0,
            now_ms: 0,
            connection: 0,
            outbox: Outbox::default(),
            judged: Vec::new(),
        };
        Self { board: Arc::new(Mutex::new(board)), started: Instant::now() }
    }

    /// The board, brought up to the present.
    pub fn board(&self) -> MutexGuard<'_, Board<H>> {
        let mut board = self.board.lock().expect("no scenario panics while it holds the board");
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        board.advance(now_ms);
        board
    }

    /// Switches faults of the firmware on and off.
    pub fn set_faults(&self, faults: Faults) {
        self.board().faults = faults;
    }
}
