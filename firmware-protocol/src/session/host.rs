//! The host's end of a session with one device.
//!
//! Decides what to ask next ([`Host::due`]) and when ([`Host::next_at_ms`]); whoever owns the line
//! sends it and passes on what comes back. `now_ms` is always the host's monotonic clock.

use heapless::Vec;

use crate::command::{Command, CommandId, Hello, Reply, Request, Verdict};

/// How long a device's time is trusted after a hello.
const HELLO_EVERY_MS: u64 = 300_000;
/// The shortest pause before a hello is repeated.
const MIN_HELLO_PAUSE_MS: u64 = 200;
/// How often an absent device is asked, so that it does not hold up the others on its line.
const POLL_ABSENT_EVERY_MS: u64 = 1_000;
/// The longest pause before a command is repeated.
const MAX_RETRY_MS: u64 = 400;
/// Most commands under way to one device.
const UNDER_WAY: usize = 4;

/// How fast a device is asked and how soon it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How often to ask for the status; none for a device that tells it by itself, on a link that
    /// loses nothing, so that nothing is repeated either.
    pub poll_every_ms: Option<u64>,
    /// An answer that takes longer does not count.
    pub answer_within_ms: u64,
    /// A device that was not heard for this long is offline.
    pub silent_after_ms: u64,
    /// Whether messages are sealed: then only a [`Welcome`] confirms a hello.
    pub sealed: bool,
}

/// Which run of a device, and which session in it, the device says it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The run.
    pub boot: u32,
    /// The session; 0 for none.
    pub session: u32,
}

/// A device's sealed answer to a hello that it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Welcome {
    /// The hello.
    pub hello: Hello,
    /// The device takes commands with higher numbers than this.
    pub counter: u64,
}

/// A command as it is given to a [`Host`], which adds the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<A> {
    /// The command.
    pub id: CommandId,
    /// What to do.
    pub action: A,
    /// The host's monotonic clock from which on it must do nothing, in milliseconds.
    pub expires_at_ms: u64,
}

/// What became of a command, seen from the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<R> {
    /// The device's verdict on it.
    Judged(Verdict<R>),
    /// The device had it before this host sent it.
    Duplicate,
    /// No answer came before its end.
    Unanswered,
}

/// The end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done<R> {
    /// The command.
    pub id: CommandId,
    /// What became of it.
    pub outcome: Outcome<R>,
    /// Milliseconds from when it was first sent to the answer, where there was one.
    pub elapsed_ms: Option<u64>,
}

/// A command under way.
#[derive(Debug)]
struct UnderWay<A> {
    offer: Offer<A>,
    first_sent_ms: Option<u64>,
    attempts: u32,
    next_at_ms: u64,
}

/// One device, which can do `A`, as the host knows it.
#[derive(Debug)]
pub struct Host<A> {
    pace: Pace,
    heard_at_ms: Option<u64>,
    boot: Option<u32>,
    /// The session that is trusted, and when its hello was sent.
    session: Option<(u32, u64)>,
    /// The hello that is not confirmed yet.
    hello: Option<Hello>,
    /// The largest session number that was used or heard of in this boot.
    highest: u32,
    poll_at_ms: u64,
    /// The highest number of a command that was used or heard of.
    counter: u64,
    commands: Vec<UnderWay<A>, UNDER_WAY>,
}

impl<A: Copy> Host<A> {
    /// A device that nothing is known of.
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            heard_at_ms: None,
            boot: None,
            session: None,
            hello: None,
            highest: 0,
            poll_at_ms: 0,
            counter: 0,
            commands: Vec::new(),
        }
    }

    /// How fast the device is asked.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Whether the device was heard lately and would know a late command.
    pub fn is_online(&self, now_ms: u64) -> bool {
        self.session.is_some() && self.is_present(now_ms)
    }

    /// Whether the device was heard lately.
    pub fn is_present(&self, now_ms: u64) -> bool {
        self.heard_at_ms.is_some_and(|heard| now_ms < heard + self.pace.silent_after_ms)
    }

    /// Forgets the device and ends every command, because its line is gone.
    pub fn lost(&mut self) {
        *self = Self::new(self.pace);
    }

    /// Whether no command is under way.
    pub fn is_idle(&self) -> bool {
        self.commands.is_empty()
    }

    /// Takes a command to send as soon as the line is free.
    ///
    /// # Errors
    /// Gives it back when too many are under way.
    pub fn offer(&mut self, offer: Offer<A>) -> Result<(), Offer<A>> {
        let command = UnderWay { offer, first_sent_ms: None, attempts: 0, next_at_ms: 0 };
        self.commands.push(command).map_err(|command| command.offer)
    }

    /// When to look at [`Host::give_up`] and [`Host::due`] again.
    pub fn next_at_ms(&self, now_ms: u64) -> u64 {
        let silent = self.heard_at_ms.map_or(u64::MAX, |heard| heard + self.pace.silent_after_ms);
        let poll = self.pace.poll_every_ms.map_or(u64::MAX, |_| self.poll_at_ms);
        let sendable = self.may_command(now_ms);
        let commands = self.commands.iter().map(|command| {
            let expiry = command.offer.expires_at_ms;
            if sendable { expiry.min(command.next_at_ms) } else { expiry }
        });
        let silent = if silent > now_ms { silent } else { u64::MAX };
        commands.fold(self.hello_at_ms(now_ms).min(silent).min(poll), u64::min)
    }

    /// A command whose time is over without an answer; ask until there is none. With `u64::MAX`,
    /// every one.
    pub fn give_up<R>(&mut self, now_ms: u64) -> Option<Done<R>> {
        let over = |command: &UnderWay<A>| command.offer.expires_at_ms <= now_ms;
        let index = self.commands.iter().position(over)?;
        let id = self.commands.remove(index).offer.id;
        Some(Done { id, outcome: Outcome::Unanswered, elapsed_ms: None })
    }

    /// Whether a command waits that may be sent now.
    pub fn has_urgent(&self, now_ms: u64) -> bool {
        self.may_command(now_ms) && self.commands.iter().any(|c| c.next_at_ms <= now_ms)
    }

    /// What to ask the device now: commands first, then a hello, then its status.
    pub fn due(&mut self, now_ms: u64) -> Option<Request<A>> {
        self.command(now_ms).or_else(|| self.say_hello(now_ms)).or_else(|| self.poll(now_ms))
    }

    /// How often a command under way was sent.
    pub fn attempts(&self, id: &CommandId) -> u32 {
        let command = self.commands.iter().find(|command| command.offer.id == *id);
        command.map_or(0, |command| command.attempts)
    }

    /// Takes what the device said about itself.
    pub fn heard(&mut self, run: Run, now_ms: u64) {
        self.heard_at_ms = Some(now_ms);
        if self.boot != Some(run.boot) {
            (self.boot, self.session, self.hello) = (Some(run.boot), None, None);
            self.highest = 0;
        }
        self.highest = self.highest.max(run.session);
        match self.hello.filter(|hello| hello.session == run.session) {
            Some(hello) if !self.pace.sealed => self.confirm(&hello, now_ms),
            // Its welcome is on its way.
            Some(_) => {}
            None if self.session.is_some_and(|(number, _)| number != run.session) => {
                self.session = None;
            }
            None => {}
        }
    }

    /// Takes the device's answer to a hello, where messages are sealed; whether its session holds
    /// now. Any other than the one under way changes nothing.
    pub fn welcomed(&mut self, welcome: &Welcome, now_ms: u64) -> bool {
        let is_ours = self.pace.sealed && self.hello == Some(welcome.hello);
        if is_ours {
            self.heard_at_ms = Some(now_ms);
            self.counter = self.counter.max(welcome.counter);
            self.confirm(&welcome.hello, now_ms);
        }
        is_ours && self.session.is_some()
    }

    /// The number of the next command, where messages are sealed.
    pub fn next_counter(&mut self) -> u64 {
        self.counter = self.counter.saturating_add(1);
        self.counter
    }

    fn confirm(&mut self, hello: &Hello, now_ms: u64) {
        self.hello = None;
        let soon = now_ms.saturating_sub(hello.now_ms) <= self.pace.answer_within_ms;
        self.session = soon.then_some((hello.session, hello.now_ms));
    }

    /// Takes what the device said about a command; none where it is not under way.
    pub fn replied<R: Copy>(&mut self, reply: &Reply<R>, now_ms: u64) -> Option<Done<R>> {
        let index = self.commands.iter().position(|command| command.offer.id == reply.id)?;
        let repeated = self.commands[index].attempts > 1;
        let outcome = match reply.verdict {
            _ if reply.duplicate && !repeated => Outcome::Duplicate,
            verdict => Outcome::Judged(verdict),
        };
        self.poll_at_ms = now_ms;
        let command = self.commands.remove(index);
        let elapsed_ms = command.first_sent_ms.map(|sent| now_ms.saturating_sub(sent));
        Some(Done { id: reply.id, outcome, elapsed_ms })
    }

    /// While a hello is under way the device may be between two sessions.
    fn may_command(&self, now_ms: u64) -> bool {
        self.is_online(now_ms) && self.hello.is_none()
    }

    fn command(&mut self, now_ms: u64) -> Option<Request<A>> {
        let boot = self.boot.filter(|_| self.may_command(now_ms))?;
        let (session, _) = self.session?;
        let command = self.commands.iter_mut().find(|command| command.next_at_ms <= now_ms)?;
        command.first_sent_ms.get_or_insert(now_ms);
        let pause_ms = self.pace.answer_within_ms << command.attempts.min(8);
        command.next_at_ms = match self.pace.poll_every_ms {
            Some(_) => now_ms + pause_ms.min(MAX_RETRY_MS),
            None => u64::MAX,
        };
        command.attempts += 1;
        let Offer { id, action, expires_at_ms } = command.offer;
        Some(Request::Command(Command { boot, session, id, expires_at_ms, action }))
    }

    /// When to say hello: at once without a session, else when its time is no longer trusted.
    fn hello_at_ms(&self, now_ms: u64) -> u64 {
        if !self.is_present(now_ms) {
            return u64::MAX;
        }
        let renewal = self.session.map_or(0, |(_, since)| since + HELLO_EVERY_MS);
        let patience_ms = self.pace.answer_within_ms.max(MIN_HELLO_PAUSE_MS);
        let unanswered = self.hello.map_or(0, |hello| hello.now_ms + patience_ms);
        renewal.max(unanswered)
    }

    fn say_hello(&mut self, now_ms: u64) -> Option<Request<A>> {
        let boot = self.boot.filter(|_| self.hello_at_ms(now_ms) <= now_ms)?;
        self.highest = self.highest.checked_add(1)?;
        let hello = Hello { boot, session: self.highest, now_ms };
        self.hello = Some(hello);
        Some(Request::Hello(hello))
    }

    fn poll(&mut self, now_ms: u64) -> Option<Request<A>> {
        let every_ms = self.pace.poll_every_ms.filter(|_| self.poll_at_ms <= now_ms)?;
        let present = self.is_present(now_ms) || self.heard_at_ms.is_none();
        self.poll_at_ms = now_ms + if present { every_ms } else { POLL_ABSENT_EVERY_MS };
        Some(Request::Poll)
    }
}
