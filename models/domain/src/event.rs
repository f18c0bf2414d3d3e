//! What happened at a site, as it is journaled there and replayed to the cloud.
//!
//! The wire form is JSON with the kind of event in `type`. It only ever grows: fields that are
//! added are optional, kinds that are added are kept unread by an older cloud
//! ([`Fact::Unknown`], [`Rule::Other`], [`PlateKind::Other`]), nothing is renamed or removed.

mod decision;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::decision::{
    Candidate, Decision, Direction, Latency, PlateKind, PlateSeen, Rule, Verdict,
};
use crate::{
    access::Term,
    charging::{
        ChargeAssigned, ChargeBlocked, ChargeEnded, ChargeMetered, ChargeStarted, ChargeStop,
        ChargersFound,
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
        /// Minutes from paying to the exit during which nothing more is due, as the site's
        /// configuration file says. It holds where the cloud has set none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grace_minutes: Option<u32>,
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
        /// When the plate's permit of the site's configuration file holds, where there is one:
        /// nothing is due then. Those of the cloud's list are known there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        permit: Option<Term>,
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
    /// A car has to wait until the one before is unplugged.
    ChargeBlocked(ChargeBlocked),
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

impl From<LockerFact> for Fact {
    fn from(fact: LockerFact) -> Self {
        Self::Locker(fact)
    }
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
