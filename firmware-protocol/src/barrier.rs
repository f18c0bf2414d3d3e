//! What a barrier is asked and what it answers.
//!
//! A barrier never speaks unasked on a serial line (several may share it). Everything it knows is
//! in one [`Status`], with counters for what could pass between two of them, so that a lost or
//! repeated answer loses and repeats nothing.

use crate::{
    Malformed,
    frame::Payload,
    wire::{Reader, Writer, wire_enum},
};

/// The longest life that a device grants a command, in milliseconds. One that claims more is
/// refused: it could be remembered too short and move again.
pub const MAX_COMMAND_LIFE_MS: u64 = 10_000;

/// 128 bits that no two commands share: a UUID in its usual byte order.
pub type CommandId = [u8; 16];

/// What the arm is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Rise and stay up.
    Open,
    /// Come down, unless something is under it.
    Close,
}

/// From the host to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Asks for the [`Status`].
    Poll,
    /// Starts a session; answered by the [`Status`], which says whether it was taken.
    Hello(Hello),
    /// Moves the arm; answered by a [`Reply`].
    Command(Command),
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

/// One movement, once, and not late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// The run of the device that this is for.
    pub boot: u32,
    /// The session in whose time `expires_at_ms` counts.
    pub session: u32,
    /// The command.
    pub id: CommandId,
    /// The host's monotonic clock from which on it must move nothing, in milliseconds.
    pub expires_at_ms: u64,
    /// What to do.
    pub action: Action,
}

/// From a device to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// How the device is.
    Status(Status),
    /// What became of a command.
    Reply(Reply),
}

wire_enum! {
    /// Where the arm is.
    Arm as "arm" {
        /// Down.
        Closed = 0,
        /// On its way up.
        Opening = 1,
        /// Up.
        Open = 2,
        /// On its way down.
        Closing = 3,
        /// Halted on its way, by something under it or by hand.
        Stopped = 4,
        /// It does not move as it should.
        Fault = 5,
    }
}

wire_enum! {
    /// What the device runs on.
    Power as "power" {
        /// The mains.
        Mains = 0,
        /// Its battery.
        Battery = 1,
    }
}

/// Everything that a barrier has to say about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Drawn anew at each start of the device.
    pub boot: u32,
    /// The session that holds; 0 for none.
    pub session: u32,
    /// Seconds since the device started.
    pub uptime_s: u32,
    /// Where the arm is.
    pub arm: Arm,
    /// What it runs on.
    pub power: Power,
    /// Whether something is on the safety loop, under the arm.
    pub under_arm: bool,
    /// Whether something is on the presence loop, in front of the arm.
    pub in_front: bool,
    /// Whether the fire input is active.
    pub fire: bool,
    /// How often the safety loop became occupied since the start; wraps.
    pub under_arm_count: u16,
    /// How often the presence loop became occupied since the start; wraps.
    pub in_front_count: u16,
    /// The last press of the button, counted since the start; 0 for none yet.
    pub press: u32,
}

wire_enum! {
    /// Why a device refuses a command.
    Refusal as "refusal" {
        /// Something is under the arm.
        UnderArm = 0,
        /// The mechanics have a fault.
        Fault = 1,
        /// More unexpired commands than it can remember.
        Busy = 2,
        /// The command claims a longer life than [`MAX_COMMAND_LIFE_MS`].
        TooLong = 3,
    }
}

/// What a device decided about a command when it first saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It moves.
    Accepted,
    /// It came after its end, or belongs to a session that is over. Nothing moves.
    Expired,
    /// It cannot be done. Nothing moves.
    Refused(Refusal),
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The command.
    pub id: CommandId,
    /// Whether it had been seen before; then nothing moves and `verdict` is that of the first time.
    pub duplicate: bool,
    /// What was decided.
    pub verdict: Verdict,
}

const POLL: u8 = 0x01;
const HELLO: u8 = 0x02;
const OPEN: u8 = 0x03;
const CLOSE: u8 = 0x04;
const STATUS: u8 = 0x81;
const REPLY: u8 = 0x82;

impl Request {
    /// The frame's kind and payload.
    pub fn encode(&self) -> (u8, Payload) {
        match self {
            Self::Poll => (POLL, Payload::new()),
            Self::Hello(hello) => {
                let payload =
                    Writer::default().u32(hello.boot).u32(hello.session).u64(hello.now_ms);
                (HELLO, payload.0)
            }
            Self::Command(command) => {
                let payload = Writer::default()
                    .u32(command.boot)
                    .u32(command.session)
                    .bytes(&command.id)
                    .u64(command.expires_at_ms);
                (if command.action == Action::Open { OPEN } else { CLOSE }, payload.0)
            }
        }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// When `kind` and `payload` are none of this version.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Reader(payload);
        let action = match kind {
            POLL => return Ok(Self::Poll),
            HELLO => {
                let (boot, session, now_ms) = (fields.u32()?, fields.u32()?, fields.u64()?);
                return Ok(Self::Hello(Hello { boot, session, now_ms }));
            }
            OPEN => Action::Open,
            CLOSE => Action::Close,
            kind => return Err(Malformed::UnknownKind(kind)),
        };
        Ok(Self::Command(Command {
            boot: fields.u32()?,
            session: fields.u32()?,
            id: fields.bytes()?,
            expires_at_ms: fields.u64()?,
            action,
        }))
    }
}

impl Answer {
    /// The frame's kind and payload.
    pub fn encode(&self) -> (u8, Payload) {
        match self {
            Self::Status(status) => (STATUS, status.encode()),
            Self::Reply(reply) => {
                let (verdict, refusal) = match reply.verdict {
                    Verdict::Accepted => (0, 0),
                    Verdict::Expired => (1, 0),
                    Verdict::Refused(refusal) => (2, refusal as u8),
                };
                let payload = Writer::default().bytes(&reply.id).u8(u8::from(reply.duplicate));
                (REPLY, payload.u8(verdict).u8(refusal).0)
            }
        }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// When `kind` and `payload` are none of this version.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, Malformed> {
        match kind {
            STATUS => Status::decode(payload).map(Self::Status),
            REPLY => Reply::decode(payload).map(Self::Reply),
            kind => Err(Malformed::UnknownKind(kind)),
        }
    }
}

impl Status {
    fn encode(&self) -> Payload {
        let inputs =
            u8::from(self.under_arm) | u8::from(self.in_front) << 1 | u8::from(self.fire) << 2;
        let who = Writer::default().u32(self.boot).u32(self.session).u32(self.uptime_s);
        let how = who.u8(self.arm as u8).u8(self.power as u8).u8(inputs);
        how.u16(self.under_arm_count).u16(self.in_front_count).u32(self.press).0
    }

    fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Reader(payload);
        let (boot, session, uptime_s) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (arm, power) = (Arm::from_wire(fields.u8()?)?, Power::from_wire(fields.u8()?)?);
        let inputs = fields.u8()?;
        Ok(Self {
            boot,
            session,
            uptime_s,
            arm,
            power,
            under_arm: inputs & 1 != 0,
            in_front: inputs & 2 != 0,
            fire: inputs & 4 != 0,
            under_arm_count: fields.u16()?,
            in_front_count: fields.u16()?,
            press: fields.u32()?,
        })
    }
}

impl Reply {
    fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Reader(payload);
        let (id, duplicate) = (fields.bytes()?, fields.u8()? != 0);
        let verdict = match (fields.u8()?, fields.u8()?) {
            (0, _) => Verdict::Accepted,
            (1, _) => Verdict::Expired,
            (2, refusal) => Verdict::Refused(Refusal::from_wire(refusal)?),
            (value, _) => return Err(Malformed::UnknownValue { field: "verdict", value }),
        };
        Ok(Self { id, duplicate, verdict })
    }
}
