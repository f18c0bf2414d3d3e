//! Plays vision for an edge that does not start its own: says over the real socket, in the real
//! protocol, what cameras would have seen, and connects again whenever the core was away.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::Utc;
use domain::event::{PlateKind, PlateSeen};
use edge_daemon::sightings::{Message, Sender, Sighting, monotonic_us};
use tokio::{task::JoinSet, time::sleep};

/// How soon a lost connection is tried again.
const RECONNECT: Duration = Duration::from_millis(20);

/// A vision process without cameras; gone with the last clone.
#[derive(Clone)]
pub struct Vision {
    sender: Sender,
    passages: Arc<AtomicU64>,
    _task: Arc<JoinSet<()>>,
}

impl Vision {
    /// Connects to the core's `socket` and stays connected.
    pub fn start(socket: PathBuf) -> Self {
        let sender = Sender::default();
        let mut task = JoinSet::new();
        task.spawn(carry(sender.clone(), socket));
        Self { sender, passages: Arc::default(), _task: Arc::new(task) }
    }

    /// A vehicle stands in front of `camera` and its plate has just been read, without a doubt.
    pub fn see(&self, camera: &str, plate: &str) {
        let now_us = monotonic_us();
        let passage = self.passages.fetch_add(1, Ordering::Relaxed);
        let plate = PlateSeen {
            text: plate.to_owned(),
            confidence: 0.99,
            kind: PlateKind::Blue,
            region: String::new(),
            camera: camera.parse().expect("the scenario names its cameras well"),
            readings: 2,
            agreeing: 2,
            bounds: [100.0, 200.0, 240.0, 245.0],
            picture: format!("{passage:064x}"),
            captured_at: Utc::now(),
        };
        self.sender.send(Message::Sighting(Box::new(Sighting {
            passage,
            revision: 0,
            plate,
            detect_ms: 0.0,
            read_ms: 0.0,
            captured_monotonic_us: now_us,
            decided_monotonic_us: now_us,
        })));
    }
}

async fn carry(sender: Sender, socket: PathBuf) {
    loop {
        // The core may be away for as long as it likes; what was seen waits.
        let _ = sender.carry(Path::new(&socket), || true).await;
        sleep(RECONNECT).await;
    }
}
