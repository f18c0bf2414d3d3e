//! What every way to reach devices has in common.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Action,
    report::{Report, What},
};
use crate::backoff::Backoff;
use domain::{
    clock::Clock,
    event::Outcome,
    ids::{CommandId, DeviceId},
};
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A line that stood for this long is opened again at once.
const STABLE_AFTER: Duration = Duration::from_secs(10);

/// A way to reach one or more devices.
pub(super) trait Link: Send + 'static {
    /// Opens the line and works on it until it fails; gives the reason, or none at the shutdown.
    fn serve(&mut self, desk: &mut Desk) -> impl Future<Output = Option<String>> + Send;

    /// Takes note that the line is gone, and why.
    fn lost(&mut self, reason: &str, out: &mut Vec<Report>);
}

/// Serves a link until the shutdown, through every failure of its line.
pub(super) async fn run(name: String, mut link: impl Link, mut desk: Desk) {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE, STABLE_AFTER);
    loop {
        backoff.started(Duration::from_millis(desk.now_ms()));
        let Some(reason) = link.serve(&mut desk).await else { return };
        let pause = backoff.failed(Duration::from_millis(desk.now_ms()), rand::random());
        warn!(line = name, reason, ?pause, "line down");
        let mut reports = Vec::new();
        link.lost(&reason, &mut reports);
        desk.deliver(&mut reports).await;
        if !desk.rest(pause).await {
            return;
        }
    }
}

/// A command for one device of a link.
#[derive(Debug)]
pub(super) struct Order {
    pub device: DeviceId,
    pub id: CommandId,
    pub action: Action,
    /// The monotonic clock from which on it must move nothing, in milliseconds.
    pub expires_at_ms: u64,
}

/// What a link is given to work with.
pub(super) struct Desk {
    pub orders: mpsc::Receiver<Order>,
    pub reports: mpsc::Sender<Report>,
    pub clock: Arc<dyn Clock>,
    pub shutdown: CancellationToken,
    /// Frames and messages that were thrown away.
    pub dropped: Arc<AtomicU64>,
}

impl Desk {
    pub fn now_ms(&self) -> u64 {
        self.clock.now().monotonic_ms
    }

    /// Passes reports on, in order. A receiver that is gone needs none.
    pub async fn deliver(&self, reports: &mut Vec<Report>) {
        for report in reports.drain(..) {
            let _ = self.reports.send(report).await;
        }
    }

    /// Waits before the next attempt; false at the shutdown. A command that slipped in ends here.
    async fn rest(&mut self, pause: Duration) -> bool {
        let over = sleep(pause);
        tokio::pin!(over);
        loop {
            let order = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return false,
                () = &mut over => return true,
                Some(order) = self.orders.recv() => order,
            };
            let what = What::Result {
                command: order.id,
                outcome: Outcome::Unanswered,
                refusal: None,
                sent_to_result_ms: None,
            };
            self.deliver(&mut vec![Report { device: order.device, what }]).await;
        }
    }

    pub fn count_dropped(&self, more: u64) {
        self.dropped.fetch_add(more, Ordering::Relaxed);
    }
}
