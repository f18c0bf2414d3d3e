//! What sites report of their chargers. A controller that goes away is a charger that cannot be
//! reached, beside what it is for everybody.

use domain::{
    charging::PileStatus,
    event::{Event, Fact},
};

use crate::{
    charging::{self, Moment},
    directives,
    error::Result,
    logs::{Entry, Level},
    store::Transaction,
};

/// Whether a fact may change what is not of its site alone: the queue for charging, directly or, where
/// a controller turns out to be a charger's.
pub(in crate::ingest) const fn may_cross_sites(fact: &Fact) -> bool {
    is_of_charging(fact) || matches!(fact, Fact::Device { .. })
}

/// Whether a fact changes the queue for charging, whatever its site.
pub(in crate::ingest) const fn is_of_charging(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::ChargersFound(_)
            | Fact::ChargeAssigned(_)
            | Fact::ChargeBlocked(_)
            | Fact::ChargeStarted(_)
            | Fact::ChargeMetered(_)
            | Fact::ChargeStop(_)
            | Fact::ChargeEnded(_)
            | Fact::ChargerFault { .. }
            | Fact::ChargerRecovered { .. }
            | Fact::DirectiveSkipped { .. }
    )
}

pub(super) fn apply(tx: &mut dyn Transaction, event: &Event, moment: Moment) -> Result<()> {
    match &event.fact {
        Fact::ChargersFound(found) => charging::chargers_found(tx, moment, event, found),
        Fact::ChargeAssigned(assigned) => {
            Ok(directives::carried_out(tx, event, assigned.directive)?)
        }
        Fact::ChargeStop(stop) => Ok(directives::carried_out(tx, event, stop.directive)?),
        Fact::DirectiveSkipped { directive, kind, .. } if kind == "charge" => {
            charging::refused(tx, moment, event, *directive)
        }
        Fact::ChargeBlocked(blocked) => charging::blocked(tx, moment, event, blocked),
        Fact::ChargeStarted(started) => charging::started(tx, moment, event, started),
        Fact::ChargeMetered(metered) => charging::metered(tx, event, metered),
        Fact::ChargeEnded(ended) => charging::ended(tx, moment, event, ended),
        Fact::ChargerFault { charger, fault } => {
            let message = format!("charger {charger}: {fault}");
            Entry::of_site(event, Level::Error, "charging", message).write(tx)?;
            charging::charger_is(tx, moment, event, charger.as_str(), PileStatus::Fault)
        }
        Fact::ChargerRecovered { charger } => {
            charging::charger_is(tx, moment, event, charger.as_str(), PileStatus::Normal)
        }
        Fact::Device { device, online, .. } => {
            let status = if *online { PileStatus::Normal } else { PileStatus::Offline };
            charging::charger_is(tx, moment, event, device.as_str(), status)
        }
        _ => Ok(()),
    }
}
