//! What the console shows: how the site is, and what stands there to be opened.

use std::sync::Arc;

use serde_json::json;

use crate::{config::Config, console, health::Health};

/// Tells both, each time as it is then.
pub(super) fn status(health: &Arc<Health>, config: &Config) -> console::Status {
    let health = Arc::clone(health);
    let lanes: Vec<_> = config.gate.lanes.iter().map(|lane| lane.id.clone()).collect();
    let doors = config.banks().into_iter().flat_map(|bank| bank.doors);
    let cabinets: Vec<_> = doors.filter(|door| !door.is_empty()).collect();
    let site = config.site.id.clone();
    Arc::new(move || {
        let mut told = json!(health.status());
        told["site"] = json!(site);
        told["lanes"] = json!(lanes);
        told["cabinets"] = json!(cabinets);
        told
    })
}
