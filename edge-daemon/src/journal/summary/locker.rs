//! What happened at a locker, for people.

use domain::locker::LockerFact;

use super::{after, word};

/// What happened, in words.
pub(super) fn what(fact: &LockerFact) -> String {
    match fact {
        LockerFact::Installed { device, doors } if doors.is_empty() => {
            format!("locker      {device} was taken away")
        }
        LockerFact::Installed { device, doors } => {
            format!("locker      {device} has the doors {}", doors.join(", "))
        }
        LockerFact::Told { cabinet, .. } => {
            let order = cabinet.order.as_ref().map(|held| format!("has order {}", held.order_no));
            let order = order.unwrap_or_else(|| "has no order".to_owned());
            format!("told        {} {order}", cabinet.cabinet)
        }
        LockerFact::Opening { cabinet, device, by, operator, .. } => {
            let who = operator.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            format!("unlock      {cabinet} at {device}, asked by {}{who}", word(by))
        }
        LockerFact::Denied { device, cabinet, why, by, .. } => {
            let at = cabinet.clone().or(device.as_ref().map(ToString::to_string));
            format!("denied      {}: {}, {}", at.unwrap_or_default(), word(by), word(why))
        }
        LockerFact::LockedOut { device, cabinet, seconds } => {
            let at = cabinet.as_deref().unwrap_or(device.as_str());
            format!("locked out  {at} for {seconds} s: too many wrong codes")
        }
        LockerFact::Outcome { cabinet, outcome, refusal, elapsed_ms, .. } => {
            let why = refusal.as_ref().map(|why| format!(", {why}")).unwrap_or_default();
            format!("outcome     {cabinet}: {}{why}{}", word(outcome), after(elapsed_ms.as_ref()))
        }
        LockerFact::Door { cabinet, closed, .. } => {
            format!("door        {cabinet} {}", if *closed { "closed" } else { "opened" })
        }
        LockerFact::Trouble { cabinet, trouble } => {
            format!("fault       {cabinet}: {}", word(trouble))
        }
        LockerFact::Recovered { cabinet } => format!("recovered   {cabinet}"),
        LockerFact::Unknown => "of a kind that this version does not know".into(),
    }
}
