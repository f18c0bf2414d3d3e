//! Alerts that arise and resolve with what a site reports of its lanes, controllers and cameras.

use domain::event::Event;

use crate::{
    parking::{self, AlertKind, NewAlert},
    store::{StoreError, Transaction},
};

pub(super) fn lane_fault(
    tx: &mut dyn Transaction,
    event: &Event,
    lane: &str,
    fault: &str,
) -> Result<(), StoreError> {
    raise(tx, event, AlertKind::GateFault, lane, &format!("barrier of {lane}: {fault}"))
}

pub(super) fn lane_recovered(
    tx: &mut dyn Transaction,
    event: &Event,
    lane: &str,
) -> Result<(), StoreError> {
    resolve(tx, event, AlertKind::GateFault, lane)
}

/// A controller or camera that answers, or no longer.
pub(super) fn reachable(
    tx: &mut dyn Transaction,
    event: &Event,
    what: &str,
    name: &str,
    online: bool,
    reason: &str,
) -> Result<(), StoreError> {
    let subject = format!("{what} {name}");
    if online {
        resolve(tx, event, AlertKind::DeviceOffline, &subject)
    } else {
        raise(tx, event, AlertKind::DeviceOffline, &subject, &format!("{subject}: {reason}"))
    }
}

/// Something that a site reports of itself and that wants looking at.
pub(super) fn alert(
    tx: &mut dyn Transaction,
    event: &Event,
    kind: AlertKind,
    subject: &str,
    detail: &str,
) -> Result<(), StoreError> {
    let detail: String = detail.chars().filter(|c| !c.is_control()).take(300).collect();
    raise(tx, event, kind, subject, &format!("{}: {detail}", event.site))
}

fn raise(
    tx: &mut dyn Transaction,
    event: &Event,
    kind: AlertKind,
    subject: &str,
    message: &str,
) -> Result<(), StoreError> {
    let at_ms = event.at.wall.timestamp_millis();
    let (spot, plate) = (None, None);
    let site = event.site.as_str();
    let since_ms = at_ms;
    parking::raise(tx, &NewAlert { site, kind, subject, since_ms, message, spot, plate, at_ms })
}

fn resolve(
    tx: &mut dyn Transaction,
    event: &Event,
    kind: AlertKind,
    subject: &str,
) -> Result<(), StoreError> {
    parking::resolve(tx, event.site.as_str(), kind, subject, event.at.wall.timestamp_millis())
}
