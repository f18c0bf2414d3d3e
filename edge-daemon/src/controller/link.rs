//! What every way to reach devices has in common.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{
    clock::Clock,
    event::Outcome,
    ids::{CommandId, DeviceId},
};
use firmware_protocol::session::Offer;
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::report::{Report, What};

/// A way to reach one or more devices.
pub(super) trait Link: Send + 'static {
    /// Serves its devices until the shutdown, through every failure of the line.
    fn run(self, desk: Desk) -> impl Future<Output = ()> + Send;
}

/// A command for one device of a link.
#[derive(Debug)]
pub(super) struct Order {
    pub device: DeviceId,
    pub offer: Offer,
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
    pub async fn rest(&mut self, pause: Duration) -> bool {
        let over = sleep(pause);
        tokio::pin!(over);
        loop {
            let order = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return false,
                () = &mut over => return true,
                Some(order) = self.orders.recv() => order,
            };
            let command = CommandId(Uuid::from_bytes(order.offer.id));
            let what = What::Result {
                command,
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
