//! Who may leave.

use domain::{
    access::Permit,
    event::{Rule, Verdict},
    money::Fen,
    parking::{Session, Standing, charged_from},
};

use super::{Query, Ruling, valid_permit, words};
use crate::gate::{config::Answer, knowledge::Inside};

/// The rule for a vehicle with the plate `plate`.
pub(super) fn rule(query: &Query, plate: &str) -> Ruling {
    let Some(inside) = query.knowledge.inside(plate) else {
        return not_inside(query, plate);
    };
    let ruling = match valid_permit(query, plate) {
        Some(permit) => {
            let reason = words::permit(query, &permit);
            Ruling { fee: Some(Fen::ZERO), ..Ruling::open(Rule::Permit, reason) }
        }
        None => charge(query, inside),
    };
    Ruling { session: Some(inside.session.id), ..ruling }
}

fn not_inside(query: &Query, plate: &str) -> Ruling {
    if let Some(permit) = valid_permit(query, plate) {
        let reason = format!("{}; no entry is known", words::permit(query, &permit));
        return Ruling::open(Rule::Permit, reason);
    }
    let verdict = match query.lane.not_inside {
        Answer::Open => Verdict::Open,
        Answer::Refuse => Verdict::Refuse,
    };
    Ruling::new(verdict, Rule::NotInside, "no entry of this plate is known".into())
}

/// What the stay costs decides. One whose length nobody can say, because the clock was not set
/// when it began or is not set now, is not charged rather than locked in.
fn charge(query: &Query, inside: &Inside) -> Ruling {
    let Some(present) = inside.present(query.now) else {
        let reason = "the clock was not set, so that the length of the stay is not known";
        return Ruling { fee: Some(Fen::ZERO), ..Ruling::open(Rule::Free, reason.into()) };
    };
    let session = without_permitted_time(query, inside);
    let bill = session.bill(present, query.parking.grace());
    let ruling = match bill.standing {
        Standing::Free => Ruling::open(Rule::Free, words::free(&session)),
        Standing::Paid { until } => Ruling::open(Rule::Paid, words::paid(query, &session, until)),
        Standing::Owed { since } => {
            Ruling::refuse(Rule::FeeDue, words::owed(query, bill.owed, session.paid, since))
        }
    };
    Ruling { fee: Some(bill.total), ..ruling }
}

/// The stay as it is charged: from the end of a permit that held at the entry and has ended since,
/// or was revoked.
fn without_permitted_time(query: &Query, inside: &Inside) -> Session {
    let entered_at = inside.session.entered_at;
    let permits = query.knowledge.lists.permits(&inside.session.plate);
    let from = charged_from(entered_at, permits.iter().map(Permit::term));
    Session { entered_at: from, ..inside.session.clone() }
}
