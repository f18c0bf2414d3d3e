//! What a charger is asked and what it answers.
//!
//! A charger decides nothing about who may charge: the site enables it, tells it how much current
//! it may offer, and reads its meter. Two things it does by itself, whatever the site says or does
//! not say: it opens its contactor on a fault, and it falls back to the current it was told for
//! that case when the site does not renew what it allowed.
//!
//! Currents are in milliamperes for each phase, voltages in millivolts between phase and neutral.

pub use crate::command::{CommandId, Hello, MAX_COMMAND_LIFE_MS};
use crate::{
    Malformed,
    command::{self, HELLO, POLL},
    frame::Payload,
    wire::{Reader, Writer, wire_enum},
};

/// The least current that a vehicle can be offered (IEC 61851-1), in milliamperes. Less, but for
/// 0, is refused.
pub const MIN_OFFER_MA: u32 = 6_000;
/// The longest time for which a current is allowed without being renewed, in seconds.
pub const MAX_LEASE_S: u16 = 3_600;

/// From the host to a charger; a command is answered by a [`Reply`], all else by the [`Status`].
pub type Request = command::Request<Action>;
/// One change, once, and not late.
pub type Command = command::Command<Action>;
/// What became of a command.
pub type Reply = command::Reply<Refusal>;
/// What a charger decided about a command when it first saw it.
pub type Verdict = command::Verdict<Refusal>;
/// From a charger to the host.
pub type Answer = command::Answer<Status, Refusal>;

/// How much current a vehicle may be offered, and for how long that is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// The most that may be offered, for each phase; 0 offers nothing, which a vehicle takes for a
    /// pause.
    pub limit_ma: u32,
    /// For how long, in seconds from when the command came, at most [`MAX_LEASE_S`].
    pub lease_s: u16,
    /// The most that may be offered when that time is over and nothing new was said.
    pub fallback_ma: u32,
}

/// What the charger is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Let the vehicle that is plugged in, or is next, take energy.
    Enable(Allowance),
    /// Go on as it is with another allowance. Does not enable.
    Limit(Allowance),
    /// Let no vehicle take energy.
    Disable,
}

wire_enum! {
    /// What the control pilot says (IEC 61851-1).
    Pilot as "pilot" {
        /// A: no vehicle.
        Unplugged = 0,
        /// B: a vehicle, which takes nothing.
        Plugged = 1,
        /// C: a vehicle asks for energy.
        Charging = 2,
        /// D: a vehicle asks for energy and for ventilation.
        Ventilation = 3,
        /// E or F: the pilot is short or the charger not ready.
        Error = 4,
    }
}

wire_enum! {
    /// What keeps a charger from working. It lets no energy through with any but `None` and
    /// `Meter`.
    Fault as "fault" {
        /// Nothing.
        None = 0,
        /// A current to earth.
        Residual = 1,
        /// More current than was offered.
        OverCurrent = 2,
        /// Too much or too little voltage, or a phase that is missing.
        Voltage = 3,
        /// Too hot.
        Temperature = 4,
        /// The contactor does not follow.
        Contactor = 5,
        /// The control pilot is not as it must be.
        Pilot = 6,
        /// The meter does not answer, or says what cannot be.
        Meter = 7,
        /// Something else.
        Other = 8,
    }
}

wire_enum! {
    /// Why a charger refuses a command.
    Refusal as "refusal" {
        /// It has a fault.
        Fault = 0,
        /// More unexpired commands than it can remember.
        Busy = 1,
        /// The command claims a longer life than [`MAX_COMMAND_LIFE_MS`].
        TooLong = 2,
        /// A current that it cannot offer, or a lease that is longer than [`MAX_LEASE_S`] or 0.
        OutOfRange = 3,
        /// The command's seal is missing or wrong; only where commands are sealed.
        Unauthenticated = 4,
    }
}

impl command::Refusal for Refusal {
    const BUSY: Self = Self::Busy;
    const TOO_LONG: Self = Self::TooLong;
    const UNAUTHENTICATED: Self = Self::Unauthenticated;
}

/// What the meter says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meter {
    /// Counts for ever, also through a restart and a loss of power; never goes back.
    pub energy_wh: u64,
    /// What flows now, all phases together.
    pub power_w: u32,
    /// For each phase; 0 for one that is not there.
    pub current_ma: [u32; 3],
    /// For each phase; 0 for one that is not there.
    pub voltage_mv: [u32; 3],
}

/// Everything that a charger has to say about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Drawn anew at each start of the device.
    pub boot: u32,
    /// The session that holds; 0 for none.
    pub session: u32,
    /// Milliseconds since the device started.
    pub uptime_ms: u64,
    /// What the control pilot says.
    pub pilot: Pilot,
    /// What is wrong.
    pub fault: Fault,
    /// Whether a vehicle may take energy. Not after a start.
    pub enabled: bool,
    /// Whether the contactor is closed.
    pub closed: bool,
    /// The most that a vehicle may be offered now, whoever said so.
    pub limit_ma: u32,
    /// How long that is true, in seconds; 0 when the charger has fallen back.
    pub lease_s: u16,
    /// How often a vehicle was plugged in since the start; wraps.
    pub plugged_count: u16,
    /// How often a fault came since the start; wraps.
    pub fault_count: u16,
    /// None while the meter says nothing that can be believed.
    pub meter: Option<Meter>,
}

/// Kind of the frame that carries [`Action::Enable`].
pub const ENABLE: u8 = 0x10;
/// Kind of the frame that carries [`Action::Disable`].
pub const DISABLE: u8 = 0x11;
/// Kind of the frame that carries [`Action::Limit`].
pub const LIMIT: u8 = 0x12;
/// Kind of the frame that carries a [`Status`].
pub const STATUS: u8 = 0x90;
/// Kind of the frame that carries a [`Reply`].
pub const REPLY: u8 = 0x91;

impl Allowance {
    fn encode(&self, head: Writer) -> Payload {
        head.u32(self.limit_ma).u16(self.lease_s).u32(self.fallback_ma).0
    }

    fn decode(fields: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (limit_ma, lease_s) = (fields.u32()?, fields.u16()?);
        Ok(Self { limit_ma, lease_s, fallback_ma: fields.u32()? })
    }

    /// Whether a charger that can offer up to `max_ma` can do this.
    pub fn is_possible(&self, max_ma: u32) -> bool {
        let offer = |ma: u32| ma == 0 || (MIN_OFFER_MA..=max_ma).contains(&ma);
        let lease = (1..=MAX_LEASE_S).contains(&self.lease_s);
        offer(self.limit_ma) && offer(self.fallback_ma) && lease
    }
}

impl Request {
    /// The frame's kind and payload.
    pub fn encode(&self) -> (u8, Payload) {
        match self {
            Self::Poll => (POLL, Payload::new()),
            Self::Hello(hello) => (HELLO, hello.encode()),
            Self::Command(command) => match &command.action {
                Action::Enable(allowance) => (ENABLE, allowance.encode(command.encode_head())),
                Action::Limit(allowance) => (LIMIT, allowance.encode(command.encode_head())),
                Action::Disable => (DISABLE, command.encode_head().0),
            },
        }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// When `kind` and `payload` are none of this version.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, Malformed> {
        let fields = Reader(payload);
        let command = match kind {
            POLL => return Ok(Self::Poll),
            HELLO => return Hello::decode(fields).map(Self::Hello),
            ENABLE => Command::decode(fields, |f| Allowance::decode(f).map(Action::Enable)),
            LIMIT => Command::decode(fields, |f| Allowance::decode(f).map(Action::Limit)),
            DISABLE => Command::decode(fields, |_| Ok(Action::Disable)),
            kind => return Err(Malformed::UnknownKind(kind)),
        };
        command.map(Self::Command)
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
        let flags = u8::from(self.enabled)
            | u8::from(self.closed) << 1
            | u8::from(self.meter.is_some()) << 2;
        let who = Writer::default().u32(self.boot).u32(self.session).u64(self.uptime_ms);
        let how = who.u8(self.pilot as u8).u8(self.fault as u8).u8(flags);
        let how = how.u32(self.limit_ma).u16(self.lease_s);
        let how = how.u16(self.plugged_count).u16(self.fault_count);
        let meter = self.meter.unwrap_or_default();
        let sums = how.u64(meter.energy_wh).u32(meter.power_w);
        let phases = meter.current_ma.into_iter().chain(meter.voltage_mv);
        phases.fold(sums, Writer::u32).0
    }

    fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Reader(payload);
        let (boot, session, uptime_ms) = (fields.u32()?, fields.u32()?, fields.u64()?);
        let (pilot, fault) = (Pilot::from_wire(fields.u8()?)?, Fault::from_wire(fields.u8()?)?);
        let flags = fields.u8()?;
        Ok(Self {
            boot,
            session,
            uptime_ms,
            pilot,
            fault,
            enabled: flags & 1 != 0,
            closed: flags & 2 != 0,
            limit_ma: fields.u32()?,
            lease_s: fields.u16()?,
            plugged_count: fields.u16()?,
            fault_count: fields.u16()?,
            meter: Some(Meter::decode(&mut fields)?).filter(|_| flags & 4 != 0),
        })
    }
}

impl Meter {
    fn decode(fields: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (energy_wh, power_w) = (fields.u64()?, fields.u32()?);
        let mut phases = || Ok([fields.u32()?, fields.u32()?, fields.u32()?]);
        Ok(Self { energy_wh, power_w, current_ma: phases()?, voltage_mv: phases()? })
    }
}
