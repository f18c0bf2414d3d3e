//! Who may pass, and why: a function of what was read and what is known.
//!
//! The order of the rules is the policy. At an entry: the deny list, permits, then everybody else
//! as long as there are places. At an exit: permits, then whatever is due.

mod entry;
mod exit;
mod words;

use domain::{
    access::Permit,
    clock::{ClockQuality, Stamp},
    event::{Candidate, Direction, PlateSeen, Rule, Verdict},
    ids::SessionId,
    money::Fen,
    plate::Region,
};

use super::{
    config::{LaneConfig, ParkingConfig},
    knowledge::Knowledge,
    matching::Identified,
};

/// A vehicle at a lane, and all that counts for the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'a> {
    pub lane: &'a LaneConfig,
    pub parking: &'a ParkingConfig,
    pub knowledge: &'a Knowledge,
    /// The plate, its text in normal form.
    pub plate: &'a PlateSeen,
    pub now: Stamp,
    /// Vehicles that were let in and have not driven through yet.
    pub expected: usize,
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ruling {
    pub verdict: Verdict,
    pub rule: Rule,
    pub reason: String,
    pub candidates: Vec<Candidate>,
    /// What the stay costs in all.
    pub fee: Option<Fen>,
    pub session: Option<SessionId>,
}

impl Ruling {
    pub fn new(verdict: Verdict, rule: Rule, reason: String) -> Self {
        Self { verdict, rule, reason, candidates: Vec::new(), fee: None, session: None }
    }

    fn open(rule: Rule, reason: String) -> Self {
        Self::new(Verdict::Open, rule, reason)
    }

    fn refuse(rule: Rule, reason: String) -> Self {
        Self::new(Verdict::Refuse, rule, reason)
    }
}

/// Answers a query.
pub(super) fn decide(query: &Query) -> Ruling {
    if let Some(refusal) = unreadable(query) {
        return refusal;
    }
    let text = &query.plate.text;
    let (identified, rule): (Identified, fn(&Query, &str) -> Ruling) = match query.lane.direction {
        Direction::Entry => (query.knowledge.identify_entering(text), entry::rule),
        Direction::Exit => (query.knowledge.identify_leaving(text), exit::rule),
    };
    let identified = match query.parking.look_alikes {
        true => identified,
        false => identified.exactly(text),
    };
    if identified.candidates.is_empty()
        && let Some(refusal) = foreign(query)
    {
        return refusal;
    }
    let ruling = match &identified.plate {
        Some(plate) => rule(query, plate),
        None => Ruling::refuse(Rule::Ambiguous, words::ambiguous(text, &identified.candidates)),
    };
    Ruling { candidates: identified.candidates, ..ruling }
}

fn unreadable(query: &Query) -> Option<Ruling> {
    let (read, wanted) = (query.plate.confidence, query.lane.min_confidence);
    let reason = if query.plate.text.is_empty() {
        "no plate could be read".to_owned()
    } else if read < wanted {
        format!("read with a confidence of {read:.2}, below {wanted:.2}")
    } else {
        return None;
    };
    Some(Ruling::refuse(Rule::Unreadable, reason))
}

/// A reading that fits none of the regions whose plates are taken here.
fn foreign(query: &Query) -> Option<Ruling> {
    let regions = &query.parking.regions;
    let fits = |region: &Region| query.plate.region == region.as_str();
    if regions.is_empty() || regions.iter().any(fits) {
        return None;
    }
    let taken: Vec<_> = regions.iter().map(|region| region.as_str()).collect();
    let reason = format!("{} is no plate of {}", query.plate.text, taken.join(", "));
    Some(Ruling::refuse(Rule::Unreadable, reason))
}

/// The permit of a plate that holds now. While the clock is not set its dates are not judged:
/// whoever has a permit that was not revoked is let through.
fn valid_permit(query: &Query, plate: &str) -> Option<Permit> {
    let clock_is_set = query.now.quality == ClockQuality::Synchronised;
    let is_entry = query.lane.direction == Direction::Entry;
    query.knowledge.lists.permits(plate).into_iter().find(|permit| {
        !permit.revoked
            && (!clock_is_set || permit.covers(query.now.wall))
            && (!is_entry || permit.opens(&query.lane.id))
    })
}
