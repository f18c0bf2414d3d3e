//! Alerts that arise and resolve with what a site reports of its lanes, controllers and cameras.

use domain::event::Event;

use crate::store::{StoreError, Transaction, next_id, params};

const GATE_FAULT: &str = "gate_fault";
const DEVICE_OFFLINE: &str = "device_offline";

pub(super) fn lane_fault(
    tx: &mut dyn Transaction,
    event: &Event,
    lane: &str,
    fault: &str,
) -> Result<(), StoreError> {
    raise(tx, event, GATE_FAULT, lane, &format!("barrier of {lane}: {fault}"), "critical")
}

pub(super) fn lane_recovered(
    tx: &mut dyn Transaction,
    event: &Event,
    lane: &str,
) -> Result<(), StoreError> {
    resolve(tx, event, GATE_FAULT, lane)
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
        resolve(tx, event, DEVICE_OFFLINE, &subject)
    } else {
        raise(tx, event, DEVICE_OFFLINE, &subject, &format!("{subject}: {reason}"), "high")
    }
}

/// An alert that is active already is not raised again.
fn raise(
    tx: &mut dyn Transaction,
    event: &Event,
    alert_type: &str,
    subject: &str,
    message: &str,
    priority: &str,
) -> Result<(), StoreError> {
    let id = next_id(tx, "alert")?;
    tx.execute(
        "INSERT INTO alerts (site_id, id, alert_type, subject, message, priority, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        params![
            event.site.as_str(),
            id,
            alert_type,
            subject,
            message,
            priority,
            event.at.wall.timestamp_millis()
        ],
    )?;
    Ok(())
}

fn resolve(
    tx: &mut dyn Transaction,
    event: &Event,
    alert_type: &str,
    subject: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE alerts SET resolved_at_ms = $1
         WHERE site_id = $2 AND alert_type = $3 AND subject = $4 AND resolved_at_ms IS NULL",
        params![event.at.wall.timestamp_millis(), event.site.as_str(), alert_type, subject],
    )?;
    Ok(())
}
