//! The device's end of a session.

use heapless::Vec;

use crate::command::{Command, CommandId, Hello, MAX_COMMAND_LIFE_MS, Refusal, Reply, Verdict};

/// How many unexpired commands a device remembers.
pub const REMEMBERED: usize = 32;

/// When and how a command came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The device's own counter since its start, in milliseconds.
    pub now_ms: u64,
    /// The command's number, where commands are sealed.
    pub counter: Option<u64>,
    /// Whether it is old for a reason beside the session: it was retained by the broker, or the
    /// device has a clock that is set, and by that it is over.
    pub stale: bool,
}

impl Arrival {
    /// On a line, where commands have no number.
    pub const fn on_line(now_ms: u64) -> Self {
        Self { now_ms, counter: None, stale: false }
    }
}

/// Judges hellos and commands, for reasons `R` that the device refuses for. `now_ms` is always the
/// device's own counter since its start.
#[derive(Debug)]
pub struct Device<R> {
    boot: u32,
    session: u32,
    /// The host's clock and the device's own at the hello.
    base: (u64, u64),
    /// The highest number of a command that was taken.
    counter: u64,
    seen: Vec<Seen<R>, REMEMBERED>,
}

#[derive(Debug)]
struct Seen<R> {
    id: CommandId,
    verdict: Verdict<R>,
    forget_at_ms: u64,
}

impl<R: Refusal> Device<R> {
    /// A device that just started and drew `boot`. It takes no command before a hello.
    pub fn new(boot: u32) -> Self {
        Self::resumed(boot, 0)
    }

    /// The same for one that kept the number of the last command it took, or a higher one.
    pub fn resumed(boot: u32, counter: u64) -> Self {
        Self { boot, session: 0, base: (0, 0), counter, seen: Vec::new() }
    }

    /// The boot number.
    pub fn boot(&self) -> u32 {
        self.boot
    }

    /// The session that holds; 0 for none.
    pub fn session(&self) -> u32 {
        self.session
    }

    /// A command must have a higher number than this, where commands are sealed.
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// What the host's clock says when the device's own says `now_ms`; it means nothing without a
    /// session.
    pub fn host_now_ms(&self, now_ms: u64) -> u64 {
        let (host_ms, own_ms) = self.base;
        host_ms.saturating_add(now_ms.saturating_sub(own_ms))
    }

    /// Takes a hello of this boot whose session is new; any other changes nothing. Says whether it
    /// did.
    pub fn hello(&mut self, hello: &Hello, now_ms: u64) -> bool {
        let taken = hello.boot == self.boot && hello.session > self.session;
        if taken {
            self.session = hello.session;
            self.base = (hello.now_ms, now_ms);
        }
        taken
    }

    /// Judges a command. `act` is called at most once for each command, and only in time; it
    /// begins what was asked, or says why it cannot. Where the command has a number, `act` must
    /// have that on disk before it moves anything.
    pub fn command<A>(
        &mut self,
        command: &Command<A>,
        arrival: Arrival,
        act: impl FnOnce() -> Result<(), R>,
    ) -> Reply<R> {
        self.seen.retain(|seen| arrival.now_ms < seen.forget_at_ms);
        let id = command.id;
        if let Some(seen) = self.seen.iter().find(|seen| seen.id == id && !arrival.stale) {
            return Reply { id, duplicate: true, verdict: seen.verdict };
        }
        Reply { id, duplicate: false, verdict: self.judge(command, arrival, act) }
    }

    fn judge<A>(
        &mut self,
        command: &Command<A>,
        arrival: Arrival,
        act: impl FnOnce() -> Result<(), R>,
    ) -> Verdict<R> {
        let life_ms = command.expires_at_ms.saturating_sub(self.host_now_ms(arrival.now_ms));
        let ours = (command.boot, command.session) == (self.boot, self.session);
        let used = arrival.counter.is_some_and(|counter| counter <= self.counter);
        if arrival.stale || used || self.session == 0 || !ours || life_ms == 0 {
            return Verdict::Expired;
        }
        if life_ms > MAX_COMMAND_LIFE_MS {
            return Verdict::Refused(R::TOO_LONG);
        }
        if self.seen.is_full() {
            return Verdict::Refused(R::BUSY);
        }
        self.counter = arrival.counter.unwrap_or(self.counter);
        let verdict = act().map_or_else(Verdict::Refused, |()| Verdict::Accepted);
        let seen = Seen { id: command.id, verdict, forget_at_ms: arrival.now_ms + life_ms };
        self.seen.push(seen).ok().expect("it was not full");
        verdict
    }
}
