//! The status that everybody is shown, kept current by one task however many watch.

use std::{sync::Arc, time::Duration};

use chrono::SecondsFormat;
use cloud_core::Cloud;
use serde::Serialize;
use tokio::{
    sync::watch,
    time::{interval, sleep},
};

use super::machine::Machine;

/// How often the status is told even if nothing changes.
const PERIOD: Duration = Duration::from_secs(5);
/// Least time between two tellings, so that a backlog that drains does not flood those who watch.
const PAUSE: Duration = Duration::from_millis(100);

/// How the system is.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct SystemStatus {
    pub(crate) cpu_usage: f64,
    pub(crate) memory_usage: f64,
    pub(crate) active_sessions: i64,
    timestamp: String,
}

/// Keeps the status current for as long as anybody can watch it.
pub(crate) async fn keep_current(cloud: Arc<Cloud>, board: watch::Sender<SystemStatus>) {
    let (mut period, mut changes) = (interval(PERIOD), cloud.changes());
    let mut machine = Machine::default();
    let mut cpu_usage = 0.0;
    loop {
        tokio::select! {
            () = board.closed() => return,
            _ = period.tick() => cpu_usage = machine.cpu_percent(),
            changed = changes.changed() => if changed.is_err() { return },
        }
        let last = board.borrow().active_sessions;
        // While the database is away, the last count is shown.
        let active_sessions = cloud.parking.active_count().await.unwrap_or(last);
        let now = cloud.clock().now().wall;
        board.send_replace(SystemStatus {
            cpu_usage,
            memory_usage: Machine::memory_percent(),
            active_sessions,
            timestamp: now.to_rfc3339_opts(SecondsFormat::Secs, true),
        });
        sleep(PAUSE).await;
    }
}
