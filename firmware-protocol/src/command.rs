//! What every kind of device has in common: how it is greeted, commanded, and answers.
//!
//! A kind of device adds what it can be told (its `Action`) and why it may refuse (its `Refusal`).

use crate::{
    Malformed,
    frame::Payload,
    wire::{Reader, Writer},
};

/// The longest life that a device grants a command, in milliseconds. One that claims more is
/// refused: it could be remembered too short and move again.
pub const MAX_COMMAND_LIFE_MS: u64 = 10_000;

/// 128 bits that no two commands share: a UUID in its usual byte order.
pub type CommandId = [u8; 16];

/// From the host to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<A> {
    /// Asks for the device's status.
    Poll,
    /// Starts a session; answered by the status, which says whether it was taken.
    Hello(Hello),
    /// Moves something; answered by a [`Reply`].
    Command(Command<A>),
}

/// Gives a device without a clock the host's time. See [`crate::session`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// The run of the device that this is for.
    pub boot: u32,
    /// Number of the session: larger than any before in this run of the device.
    pub session: u32,
    /// The host's monotonic clock when it sent this, in milliseconds.
    pub now_ms: u64,
}

/// One deed, once, and not late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command<A> {
    /// The run of the device that this is for.
    pub boot: u32,
    /// The session in whose time `expires_at_ms` counts.
    pub session: u32,
    /// The command.
    pub id: CommandId,
    /// The host's monotonic clock from which on it must do nothing, in milliseconds.
    pub expires_at_ms: u64,
    /// What to do.
    pub action: A,
}

/// What a device decided about a command when it first saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<R> {
    /// It is done, or begun where it takes a while.
    Accepted,
    /// It came after its end, or belongs to a session or a count that is over. Nothing is done.
    Expired,
    /// It cannot be done. Nothing is done.
    Refused(R),
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<R> {
    /// The command.
    pub id: CommandId,
    /// Whether it had been seen before; then nothing is done and `verdict` is that of the first
    /// time.
    pub duplicate: bool,
    /// What was decided.
    pub verdict: Verdict<R>,
}

/// From a device to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<S, R> {
    /// How the device is.
    Status(S),
    /// What became of a command.
    Reply(Reply<R>),
}

/// The reasons that a kind of device refuses for, of which every kind has these.
pub trait Refusal: Copy {
    /// More unexpired commands than the device can remember.
    const BUSY: Self;
    /// The command claims a longer life than [`MAX_COMMAND_LIFE_MS`].
    const TOO_LONG: Self;
    /// The command's seal is missing or wrong, where commands are sealed.
    const UNAUTHENTICATED: Self;
}

/// Kind of the frame that carries [`Request::Poll`].
pub const POLL: u8 = 0x01;
/// Kind of the frame that carries [`Request::Hello`].
pub const HELLO: u8 = 0x02;

impl Hello {
    pub(crate) fn encode(&self) -> Payload {
        Writer::default().u32(self.boot).u32(self.session).u64(self.now_ms).0
    }

    pub(crate) fn decode(mut fields: Reader<'_>) -> Result<Self, Malformed> {
        let (boot, session, now_ms) = (fields.u32()?, fields.u32()?, fields.u64()?);
        Ok(Self { boot, session, now_ms })
    }
}

impl<A> Command<A> {
    /// Everything but the action.
    pub(crate) fn encode_head(&self) -> Writer {
        let run = Writer::default().u32(self.boot).u32(self.session);
        run.bytes(&self.id).u64(self.expires_at_ms)
    }

    /// Reads the head, and what follows it with `action`.
    pub(crate) fn decode(
        mut fields: Reader<'_>,
        action: impl FnOnce(&mut Reader<'_>) -> Result<A, Malformed>,
    ) -> Result<Self, Malformed> {
        Ok(Self {
            boot: fields.u32()?,
            session: fields.u32()?,
            id: fields.bytes()?,
            expires_at_ms: fields.u64()?,
            action: action(&mut fields)?,
        })
    }
}

impl<R: Copy> Reply<R> {
    /// `reason` gives a refusal's value on the wire.
    pub(crate) fn encode(&self, reason: impl FnOnce(R) -> u8) -> Payload {
        let (verdict, reason) = match self.verdict {
            Verdict::Accepted => (0, 0),
            Verdict::Expired => (1, 0),
            Verdict::Refused(refusal) => (2, reason(refusal)),
        };
        Writer::default().bytes(&self.id).u8(u8::from(self.duplicate)).u8(verdict).u8(reason).0
    }

    /// `reason` reads a refusal's value on the wire.
    pub(crate) fn decode(
        payload: &[u8],
        reason: impl FnOnce(u8) -> Result<R, Malformed>,
    ) -> Result<Self, Malformed> {
        let mut fields = Reader(payload);
        let (id, duplicate) = (fields.bytes()?, fields.u8()? != 0);
        let verdict = match (fields.u8()?, fields.u8()?) {
            (0, _) => Verdict::Accepted,
            (1, _) => Verdict::Expired,
            (2, refusal) => Verdict::Refused(reason(refusal)?),
            (value, _) => return Err(Malformed::UnknownValue { field: "verdict", value }),
        };
        Ok(Self { id, duplicate, verdict })
    }
}
