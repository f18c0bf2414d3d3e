//! What happened at a site, as it is journaled there and replayed to the cloud.
//!
//! The wire form is JSON with the kind of event in `type`. It only ever grows: fields that are
//! added are optional, kinds that are added are kept unread by an older cloud
//! ([`Fact::Unknown`], [`Rule::Other`], [`PlateKind::Other`]), nothing is renamed or removed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    charging::{
        ChargeAssigned, ChargeEnded, ChargeMetered, ChargeStarted, ChargeStop, ChargersFound,
    },
    clock::Stamp,
    ids::{BootId, CameraId, CommandId, DecisionId, DeviceId, LaneId, SessionId, SiteId},
    locker::LockerFact,
    site::Parameters,
    tariff::Tariff,
};

/// One journaled event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the site's journal: from 1, without gaps.
    pub sequence: u64,
    /// The site that journaled it.
    pub site: SiteId,
    /// The run of the core process that journaled it.
    pub boot: BootId,
    /// When it was journaled.
    pub at: Stamp,
    /// What happened.
    pub fact: Fact,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Fact {
    /// The core process started.
    Started {
        /// Version of the program.
        version: String,
    },
    /// The core process stopped in order.
    Stopped,
    /// A lane decided about a vehicle or a person's request.
    Decision(Box<Decision>),
    /// A command is about to be sent (the intent, on disk before the act).
    CommandIntent {
        /// The command.
        command: CommandId,
        /// The decision it carries out.
        decision: DecisionId,
        /// The lane it is for.
        lane: LaneId,
        /// The controller it goes to.
        device: DeviceId,
        /// What the controller is told to do.
        action: Action,
    },
    /// What became of a command.
    CommandOutcome {
        /// The command.
        command: CommandId,
        /// What became of it.
        outcome: Outcome,
        /// Milliseconds from sending to the outcome, where one was seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        elapsed_ms: Option<u64>,
        /// Milliseconds from the vote's completion to the command's bytes on the line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vote_to_wire_ms: Option<f32>,
        /// Milliseconds from the capture of the deciding frame to the command's bytes on the line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        capture_to_wire_ms: Option<f32>,
    },
    /// A vehicle passed a barrier.
    Passage {
        /// The lane it passed.
        lane: LaneId,
        /// The way it went.
        direction: Direction,
        /// The decision that let it through; none for one that followed another.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decision: Option<DecisionId>,
    },
    /// A vehicle followed another one through without being let through itself.
    Tailgate {
        /// The lane.
        lane: LaneId,
        /// The decision that had opened the barrier.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decision: Option<DecisionId>,
    },
    /// A vehicle is inside from now on.
    SessionOpened {
        /// The session.
        session: SessionId,
        /// Its plate in normal form; empty where it was let in unread.
        plate: String,
        /// The kind of plate.
        kind: PlateKind,
        /// When it entered.
        entered_at: DateTime<Utc>,
        /// Where it entered.
        lane: LaneId,
        /// The decision that let it in.
        decision: DecisionId,
        /// The tariff as it stands at the entry; none where parking costs nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tariff: Option<Tariff>,
    },
    /// A vehicle left.
    SessionClosed {
        /// The session.
        session: SessionId,
        /// When it left.
        exited_at: DateTime<Utc>,
        /// Where it left.
        lane: LaneId,
        /// What the stay cost in all, in fen.
        fee_fen: i64,
        /// The decision that let it out.
        decision: DecisionId,
    },
    /// A fee was taken, at the site or at the cloud.
    Paid {
        /// The session it was for.
        session: SessionId,
        /// The amount in fen.
        amount_fen: i64,
        /// How: `cash`, `card`, …
        method: String,
        /// Who took it.
        by: String,
        /// The cloud's directive that told of it; none for a fee that was taken at the site.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directive: Option<u64>,
        /// When it was paid, on the site's clock, where that was before it was journaled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paid_at: Option<DateTime<Utc>>,
    },
    /// A directive of the cloud was carried out; what followed from it is in the same transaction.
    DirectiveDone {
        /// Its number.
        directive: u64,
        /// Its kind, as the cloud named it.
        kind: String,
    },
    /// A directive of the cloud was not carried out; it is not asked for again.
    DirectiveSkipped {
        /// Its number.
        directive: u64,
        /// Its kind, as the cloud named it.
        kind: String,
        /// Why.
        reason: String,
    },
    /// The site goes by this version of the cloud's list of who may enter.
    ListInEffect {
        /// Its version.
        version: u64,
        /// How many entries it has.
        entries: u64,
    },
    /// The site goes by these parameters of the cloud.
    ParametersSet {
        /// All that the cloud has set.
        parameters: Parameters,
    },
    /// Stays that begin from now on are charged by this tariff of the cloud.
    TariffSet {
        /// The number of the area it is for; none for the whole site.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        area: Option<i64>,
        /// Its name.
        name: String,
        /// What it asks; none where the cloud has none any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tariff: Option<Tariff>,
    },
    /// The plate of a vehicle that is inside was corrected.
    SessionRenamed {
        /// The session.
        session: SessionId,
        /// Its plate from now on, in normal form.
        plate: String,
    },
    /// A barrier does not do what it should.
    LaneFault {
        /// The lane.
        lane: LaneId,
        /// What is wrong, as a word: `stuck`, `open_timeout`, `close_timeout`, `occupied`,
        /// `reported` (by the controller itself).
        fault: String,
    },
    /// A barrier works again.
    LaneRecovered {
        /// The lane.
        lane: LaneId,
    },
    /// The chargers that stand at the site: all of them.
    ChargersFound(ChargersFound),
    /// A car was assigned to a charger.
    ChargeAssigned(ChargeAssigned),
    /// A car began to charge.
    ChargeStarted(ChargeStarted),
    /// What a car that charges has got so far.
    ChargeMetered(ChargeMetered),
    /// The cloud asked to end a charge.
    ChargeStop(ChargeStop),
    /// A charge has ended, or came to nothing.
    ChargeEnded(ChargeEnded),
    /// A charger does not do what it should.
    ChargerFault {
        /// The charger.
        charger: DeviceId,
        /// What is wrong, as its maker or its driver calls it.
        fault: String,
    },
    /// A charger works again.
    ChargerRecovered {
        /// The charger.
        charger: DeviceId,
    },
    /// A controller answers, or no longer.
    Device {
        /// The controller.
        device: DeviceId,
        /// Whether it answers.
        online: bool,
        /// Why that is thought.
        reason: String,
    },
    /// A controller says more than it may, or what cannot be read; most of that is thrown away.
    DeviceMisbehaves {
        /// The controller.
        device: DeviceId,
        /// How, for people.
        how: String,
    },
    /// A controller that misbehaved has not for a while.
    DeviceBehaves {
        /// The controller.
        device: DeviceId,
    },
    /// Something happened at a locker.
    Locker(LockerFact),
    /// A camera delivers, or no longer.
    Camera {
        /// The camera.
        camera: CameraId,
        /// Whether it delivers.
        online: bool,
        /// Why that is thought.
        reason: String,
    },
    /// The recognition process ended, hung or flooded and was started again.
    VisionRestarted {
        /// Why.
        reason: String,
        /// Milliseconds before the next start.
        back_off_ms: u64,
    },
    /// The wall clock became trustworthy, lost its source, or jumped.
    ClockChanged {
        /// What changed, for people.
        what: String,
        /// Milliseconds by which it jumped against the monotonic clock.
        jump_ms: i64,
    },
    /// An event that the cloud would not take was set aside.
    Quarantined {
        /// Its place in the journal.
        sequence: u64,
        /// What the cloud said.
        reason: String,
    },
    /// Another machine signs with this site's key, or has another copy of this journal.
    KeyShared {
        /// What showed it.
        detail: String,
    },
    /// The journal was damaged and was mended; what is lost stays named.
    JournalRepaired {
        /// Places of which the events are lost: first and last of each run.
        lost: Vec<[u64; 2]>,
        /// What was found and done, for people.
        detail: String,
    },
    /// The journal could not be written for a while. What the gate decided meanwhile follows.
    JournalUnwritable {
        /// For how many milliseconds.
        for_ms: u64,
        /// Commits that failed.
        failures: u64,
        /// Facts that there was no room to remember.
        lost: u64,
        /// What the disk said first.
        reason: String,
    },
    /// Telemetry was dropped for want of room; the places stay.
    Thinned {
        /// None of the telemetry up to here is left.
        through: u64,
        /// How many events went this time.
        events: u64,
    },
    /// A kind of event that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Fact {
    /// Whether it only tells how the machine fares: the first to go where room is short. What moves
    /// money or a barrier, and what says where the journal begins, ends or has a hole, never goes.
    pub fn is_telemetry(&self) -> bool {
        match self {
            Self::Device { .. }
            | Self::Camera { .. }
            | Self::VisionRestarted { .. }
            | Self::ClockChanged { .. } => true,
            // The same vehicle once more: what became of it, an earlier decision says.
            Self::Decision(decision) => decision.rule == Rule::Cooldown,
            _ => false,
        }
    }
}

/// The way a lane leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the site.
    Entry,
    /// Out of the site.
    Exit,
}

/// Kinds of number plates, by their ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlateKind {
    /// China: cars.
    Blue,
    /// China: new-energy vehicles.
    Green,
    /// China: large vehicles; elsewhere as drawn.
    Yellow,
    /// White: police and army in China, ordinary in Europe and Russia.
    White,
    /// China: embassies, Hong Kong and Macau.
    Black,
    /// None of these, or not seen.
    #[serde(other)]
    Other,
}

/// What a controller is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Raise the arm.
    Open,
    /// Lower the arm.
    Close,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The controller took it and moves.
    Accepted,
    /// It came too late and moved nothing.
    Expired,
    /// It had been seen before and moved nothing.
    Duplicate,
    /// The controller refused: the loop is occupied, or it has a fault.
    Refused,
    /// No answer came within its life.
    Unanswered,
    /// The core stopped in between; it is not sent again.
    Unknown,
}

/// What a lane decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The barrier opens.
    Open,
    /// It stays closed.
    Refuse,
}

/// The rule that decided, as people and statistics know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A permit of this plate.
    Permit,
    /// The site is open to everybody and has free places.
    Public,
    /// The site is full.
    Full,
    /// The plate is on the deny list.
    Denied,
    /// The site takes permits only and this plate has none.
    NoPermit,
    /// No plate, or none that can be trusted.
    Unreadable,
    /// Several known plates differ from the reading by look-alikes alone.
    Ambiguous,
    /// Nothing is due: within the free time.
    Free,
    /// The fee is paid and the time to leave runs.
    Paid,
    /// The fee is due.
    FeeDue,
    /// The plate is leaving and never entered.
    NotInside,
    /// The plate is entering and is inside already.
    AlreadyInside,
    /// The same vehicle was decided on a moment ago.
    Cooldown,
    /// An operator asked for it.
    Operator,
    /// The button at the lane was pressed.
    Button,
    /// The fire input opened the lane.
    Fire,
    /// The barrier cannot be commanded.
    BarrierFault,
    /// Power was lost and the lane opens without it.
    PowerLoss,
    /// Something stands under the arm while it closes.
    Obstructed,
    /// A rule that this version does not know.
    #[serde(other)]
    Other,
}

/// A decision, with everything needed to explain it later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The decision.
    pub id: DecisionId,
    /// The lane that decided.
    pub lane: LaneId,
    /// The way it leads.
    pub direction: Direction,
    /// What was decided.
    pub verdict: Verdict,
    /// The rule that decided.
    pub rule: Rule,
    /// The reason in one sentence, for people.
    pub reason: String,
    /// The plate that was acted on, in normal form; none for a person's request where no vehicle
    /// had been seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<PlateSeen>,
    /// Known plates that were considered, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// What the stay costs in all, in fen, where a fee was worked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_fen: Option<i64>,
    /// The session it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Who asked, for a person's request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// How long each step took.
    pub latency: Latency,
    /// Seconds since the permit list was last confirmed.
    pub permits_age_s: u64,
    /// The version of the cloud's list; none where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permits_version: Option<u64>,
}

/// A plate as the cameras saw it over several frames.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlateSeen {
    /// The text in normal form; empty where it could not be read.
    pub text: String,
    /// Probability that the whole text is right, 0 to 1.
    pub confidence: f32,
    /// Kind of plate.
    pub kind: PlateKind,
    /// Region whose grammar the text fits: `cn`, `ru`, `eu`; empty for none.
    pub region: String,
    /// The camera.
    pub camera: CameraId,
    /// Readings that were voted over, and how many of them agreed with the result.
    pub readings: u32,
    /// See `readings`.
    pub agreeing: u32,
    /// The plate in the deciding frame: x1, y1, x2, y2 in pixels.
    pub bounds: [f32; 4],
    /// SHA-256 of the picture that is kept, in hex; its name in the picture store.
    pub picture: String,
    /// When the deciding frame was captured.
    pub captured_at: DateTime<Utc>,
}

/// A known plate that a reading was compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The known plate.
    pub plate: String,
    /// 1 for the same text, less for one that differs by look-alikes.
    pub score: f32,
}

/// Milliseconds that each step took, on the monotonic clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Finding plates in the deciding frame.
    pub detect_ms: f32,
    /// Reading them.
    pub read_ms: f32,
    /// From the capture of the deciding frame to the sighting's arrival at the lane.
    pub sighting_ms: f32,
    /// From there to the decision.
    pub decide_ms: f32,
}
