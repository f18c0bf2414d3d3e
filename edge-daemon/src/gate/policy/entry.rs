//! Who may enter.

use chrono::TimeDelta;
use domain::event::{Rule, Verdict};

use super::{Query, Ruling, valid_permit, words};
use crate::gate::{
    config::{Access, Answer},
    knowledge::Inside,
};

/// The rule for a vehicle with the plate `plate`.
pub(super) fn rule(query: &Query, plate: &str) -> Ruling {
    if let Some(denied) = query.knowledge.lists.denied(plate) {
        return Ruling::refuse(Rule::Denied, format!("on the deny list: {}", denied.reason));
    }
    let ruling = admission(query, plate);
    match query.knowledge.inside(plate) {
        Some(inside) if ruling.verdict == Verdict::Open && has_just_entered(query, inside) => {
            Ruling::refuse(Rule::Cooldown, "the same vehicle entered a moment ago".into())
        }
        Some(inside) if ruling.verdict == Verdict::Open => {
            let since = words::time(query, inside.session.entered_at);
            let reason = format!("inside since {since} already; otherwise: {}", ruling.reason);
            let verdict = match query.lane.already_inside {
                Answer::Open => Verdict::Open,
                Answer::Refuse => Verdict::Refuse,
            };
            let session = Some(inside.session.id);
            Ruling { session, ..Ruling::new(verdict, Rule::AlreadyInside, reason) }
        }
        _ => ruling,
    }
}

/// A camera may see the tail of a vehicle that has just passed, even after a start in between.
fn has_just_entered(query: &Query, inside: &Inside) -> bool {
    let cooldown = TimeDelta::seconds(query.lane.cooldown_s.into());
    let stay = inside.present(query.now).map(|present| present - inside.session.entered_at);
    stay.is_some_and(|stay| (TimeDelta::zero()..cooldown).contains(&stay))
}

fn admission(query: &Query, plate: &str) -> Ruling {
    if let Some(permit) = valid_permit(query, plate) {
        return Ruling::open(Rule::Permit, words::permit(query, &permit));
    }
    match query.lane.access {
        Access::Permits => Ruling::refuse(Rule::NoPermit, words::no_permit(query, plate)),
        Access::Public => public(query),
    }
}

fn public(query: &Query) -> Ruling {
    let places = query.parking.places as usize;
    let taken = query.knowledge.count_inside() + query.expected;
    if taken < places {
        let free = places - taken;
        Ruling::open(Rule::Public, format!("open to everybody, {free} of {places} places free"))
    } else {
        Ruling::refuse(Rule::Full, format!("all {places} places are taken"))
    }
}
