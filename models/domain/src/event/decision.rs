//! The record of a decision at a lane: what was decided, by which rule, and on what it rests.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{CameraId, DecisionId, LaneId, SessionId};

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
