//! What a decision to open allows: one vehicle to drive through, once, before it lapses.

use domain::{
    event::{Decision, Direction, Fact, PlateKind, Rule},
    ids::{DecisionId, SessionId},
    plate::look_alike_key,
};

use super::{config::LaneConfig, input::Sighting, turn::Turn};

#[derive(Debug, Clone)]
pub(super) struct Authorisation {
    pub decision: DecisionId,
    /// When it lapses if nobody has driven through, on the monotonic clock in milliseconds.
    pub lapses_ms: u64,
    /// When the barrier was commanded for it, which happens once at most.
    pub commanded_ms: Option<u64>,
    /// The vehicle; none for a person's request, and for one that was seen before the start.
    pub vehicle: Option<Sighting>,
    /// Whether it is from before the program started.
    pub resumed: bool,
    /// Whether a person asked for it.
    pub by_request: bool,
    plate: String,
    kind: PlateKind,
    session: Option<SessionId>,
    fee_fen: i64,
}

impl Authorisation {
    /// What `decision` allows. Everything but the vehicle is in the decision, so that it is the
    /// same after a start from the journal.
    pub fn of(decision: &Decision, vehicle: Option<Sighting>, lapses_ms: u64) -> Self {
        Self {
            decision: decision.id,
            lapses_ms,
            commanded_ms: None,
            vehicle,
            resumed: false,
            by_request: decision.requested_by.is_some(),
            plate: acted_on(decision),
            kind: decision.plate.as_ref().map_or(PlateKind::Other, |plate| plate.kind),
            session: decision.session,
            fee_fen: decision.fee_fen.unwrap_or(0),
        }
    }

    /// Whether it is for the vehicle of this sighting.
    pub fn is_for(&self, sighting: &Sighting) -> bool {
        let same_passage = self.vehicle.as_ref().is_some_and(|v| v.passage == sighting.passage);
        let text = &sighting.plate.text;
        let same_plate = !text.is_empty() && look_alike_key(text) == look_alike_key(&self.plate);
        same_passage || same_plate
    }

    /// Records that the vehicle has driven through, and what follows for its stay.
    pub fn pass(self, lane: &LaneConfig, turn: &mut Turn) {
        turn.record(Fact::Passage {
            lane: lane.id.clone(),
            direction: lane.direction,
            decision: Some(self.decision),
        });
        // At an entry, the session is one that it was still inside by.
        let ends = self.session.filter(|session| turn.knowledge.session(*session).is_some());
        if let Some(session) = ends {
            turn.record(Fact::SessionClosed {
                session,
                exited_at: turn.now.wall,
                lane: lane.id.clone(),
                fee_fen: self.fee_fen,
                decision: self.decision,
            });
        }
        if lane.direction == Direction::Entry {
            self.begin_stay(lane, turn);
        }
    }

    fn begin_stay(self, lane: &LaneConfig, turn: &mut Turn) {
        let session = turn.new_session();
        let permit = turn.knowledge.lists.own_term(&self.plate, turn.now.wall);
        turn.record(Fact::SessionOpened {
            session,
            plate: self.plate,
            kind: self.kind,
            entered_at: turn.now.wall,
            lane: lane.id.clone(),
            decision: self.decision,
            tariff: turn.parking.tariff_of(lane.area).cloned(),
            permit,
        });
    }
}

/// The plate that a decision was about: the one known plate that the reading stood for, else the
/// reading. Empty where none was seen.
fn acted_on(decision: &Decision) -> String {
    match (decision.candidates.as_slice(), &decision.plate) {
        ([only], _) => only.plate.clone(),
        (_, Some(read)) => read.text.clone(),
        (_, None) => String::new(),
    }
}

/// Whether the decision let a vehicle through, and did not open for other reasons.
pub(super) fn is_for_a_vehicle(decision: &Decision) -> bool {
    let is_of_an_input = matches!(decision.rule, Rule::Fire | Rule::PowerLoss);
    let by_nobody = decision.plate.is_none() && decision.requested_by.is_none();
    !(decision.rule == Rule::Obstructed || is_of_an_input && by_nobody)
}
