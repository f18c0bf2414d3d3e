//! What a barrier is asked and what it answers.
//!
//! A barrier never speaks unasked on a serial line (several may share it). Everything it knows is
//! in one [`Status`], with counters for what could pass between two of them, so that a lost or
//! repeated answer loses and repeats nothing.

pub use crate::command::{CommandId, Hello, MAX_COMMAND_LIFE_MS};
use crate::{
    Malformed,
    command::{self, HELLO, POLL},
    frame::Payload,
    wire::{Reader, Writer, wire_enum},
};

/// From the host to a barrier; a command is answered by a [`Reply`], all else by the [`Status`].
pub type Request = command::Request<Action>;
/// One movement, once, and not late.
pub type Command = command::Command<Action>;
/// What became of a command.
pub type Reply = command::Reply<Refusal>;
/// What a barrier decided about a command when it first saw it.
pub type Verdict = command::Verdict<Refusal>;
/// From a barrier to the host.
pub type Answer = command::Answer<Status, Refusal>;

/// What the arm is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Rise and stay up.
    Open,
    /// Come down, unless something is under it.
    Close,
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
        /// The command's seal is missing or wrong; only over MQTT, where commands are sealed.
        Unauthenticated = 4,
    }
}

impl command::Refusal for Refusal {
    const BUSY: Self = Self::Busy;
    const TOO_LONG: Self = Self::TooLong;
    const UNAUTHENTICATED: Self = Self::Unauthenticated;
}

/// Kind of the frame that carries [`Action::Open`].
pub const OPEN: u8 = 0x03;
/// Kind of the frame that carries [`Action::Close`].
pub const CLOSE: u8 = 0x04;
/// Kind of the frame that carries a [`Status`].
pub const STATUS: u8 = 0x81;
/// Kind of the frame that carries a [`Reply`].
pub const REPLY: u8 = 0x82;

impl Request {
    /// The frame's kind and payload.
    pub fn encode(&self) -> (u8, Payload) {
        match self {
            Self::Poll => (POLL, Payload::new()),
            Self::Hello(hello) => (HELLO, hello.encode()),
            Self::Command(command) => {
                let kind = if command.action == Action::Open { OPEN } else { CLOSE };
                (kind, command.encode_head().0)
            }
        }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// When `kind` and `payload` are none of this version.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, Malformed> {
        let fields = Reader(payload);
        let action = match kind {
            POLL => return Ok(Self::Poll),
            HELLO => return Hello::decode(fields).map(Self::Hello),
            OPEN => Action::Open,
            CLOSE => Action::Close,
            kind => return Err(Malformed::UnknownKind(kind)),
        };
        Command::decode(fields, |_| Ok(action)).map(Self::Command)
    }
}

impl Answer {
    /// The frame's kind and payload.
    pub fn encode(&self) -> (u8, Payload) {
        match self {
            Self::Status(status) => (STATUS, status.encode()),
            Self::Reply(reply) => (REPLY, reply.encode(|refusal| refusal as u8)),
        }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// When `kind` and `payload` are none of this version.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, Malformed> {
        match kind {
            STATUS => Status::decode(payload).map(Self::Status),
            REPLY => Reply::decode(payload, Refusal::from_wire).map(Self::Reply),
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
