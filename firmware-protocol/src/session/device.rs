//! The device's end of a session.

use heapless::Vec;

use crate::barrier::{Command, CommandId, Hello, MAX_COMMAND_LIFE_MS, Refusal, Reply, Verdict};

/// How many unexpired commands a device remembers.
pub const REMEMBERED: usize = 32;

/// Judges hellos and commands. `now_ms` is always the device's own counter since its start.
#[derive(Debug)]
pub struct Device {
    boot: u32,
    session: u32,
    /// The host's clock and the device's own at the hello.
    base: (u64, u64),
    seen: Vec<Seen, REMEMBERED>,
}

#[derive(Debug)]
struct Seen {
    id: CommandId,
    verdict: Verdict,
    forget_at_ms: u64,
}

impl Device {
    /// A device that just started and drew `boot`. It takes no command before a hello.
    pub fn new(boot: u32) -> Self {
        Self { boot, session: 0, base: (0, 0), seen: Vec::new() }
    }

    /// The boot number.
    pub fn boot(&self) -> u32 {
        self.boot
    }

    /// The session that holds; 0 for none.
    pub fn session(&self) -> u32 {
        self.session
    }

    /// Takes a hello of this boot whose session is new; any other changes nothing.
    pub fn hello(&mut self, hello: &Hello, now_ms: u64) {
        if hello.boot == self.boot && hello.session > self.session {
            self.session = hello.session;
            self.base = (hello.now_ms, now_ms);
        }
    }

    /// Judges a command. `act` is called at most once for each command, and only in time; it
    /// begins the movement or says why it cannot.
    pub fn command(
        &mut self,
        command: &Command,
        now_ms: u64,
        act: impl FnOnce() -> Result<(), Refusal>,
    ) -> Reply {
        self.seen.retain(|seen| now_ms < seen.forget_at_ms);
        let id = command.id;
        if let Some(seen) = self.seen.iter().find(|seen| seen.id == id) {
            return Reply { id, duplicate: true, verdict: seen.verdict };
        }
        Reply { id, duplicate: false, verdict: self.judge(command, now_ms, act) }
    }

    fn judge(
        &mut self,
        command: &Command,
        now_ms: u64,
        act: impl FnOnce() -> Result<(), Refusal>,
    ) -> Verdict {
        let (host_ms, own_ms) = self.base;
        let host_now_ms = host_ms.saturating_add(now_ms.saturating_sub(own_ms));
        let life_ms = command.expires_at_ms.saturating_sub(host_now_ms);
        let ours = (command.boot, command.session) == (self.boot, self.session);
        if self.session == 0 || !ours || life_ms == 0 {
            return Verdict::Expired;
        }
        if life_ms > MAX_COMMAND_LIFE_MS {
            return Verdict::Refused(Refusal::TooLong);
        }
        if self.seen.is_full() {
            return Verdict::Refused(Refusal::Busy);
        }
        let verdict = act().map_or_else(Verdict::Refused, |()| Verdict::Accepted);
        let seen = Seen { id: command.id, verdict, forget_at_ms: now_ms + life_ms };
        self.seen.push(seen).expect("it was not full");
        verdict
    }
}
