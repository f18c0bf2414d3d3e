//! A site's controllers and what they reported so far.

use std::{
    collections::HashSet,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::Utc;
use domain::{
    clock::{Clock, ClockQuality, Stamp},
    event::{Action, Outcome},
    ids::{CommandId, DeviceId},
};
use edge_daemon::controller::{
    Command, Config, Controllers, Report, SendError, What, barrier::News, keys::Keys, start,
};
use system_tests::barrier::Timing;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(20);

/// Fast hardware.
pub const TIMING: Timing = Timing { travel_ms: 60, approach_ms: 120, passing_ms: 150 };

struct SinceStart(Instant);

impl Clock for SinceStart {
    fn now(&self) -> Stamp {
        let monotonic_ms = u64::try_from(self.0.elapsed().as_millis()).unwrap();
        Stamp { wall: Utc::now(), monotonic_ms, quality: ClockQuality::Synchronised }
    }
}

pub struct Scene {
    pub controllers: Controllers,
    reports: mpsc::Receiver<Report>,
    _running: DropGuard,
}

impl Scene {
    /// Starts the controllers of a configuration in TOML at the site `site`.
    pub fn new(config: &str) -> Self {
        Self::with_keys(config, Path::new("/nowhere"))
    }

    /// The same where devices have keys below a state directory.
    pub fn with_keys(config: &str, state: &Path) -> Self {
        let config: Config = toml::from_str(config).unwrap();
        config.check().unwrap();
        let shutdown = CancellationToken::new();
        let clock = Arc::new(SinceStart(Instant::now()));
        let site = "site".parse().unwrap();
        let keys = Keys::new(state);
        let (controllers, reports) = start(&config, &site, &keys, clock, shutdown.clone());
        Self { controllers, reports, _running: shutdown.drop_guard() }
    }

    /// The next report of `device` for which `pick` gives something.
    pub async fn until<T>(&mut self, device: &str, pick: impl Fn(&What) -> Option<T>) -> T {
        let found = timeout(PATIENCE, async {
            loop {
                let report = self.reports.recv().await.unwrap();
                if let Some(found) = pick(&report.what)
                    && report.device.as_str() == device
                {
                    return found;
                }
            }
        });
        found.await.expect("the report comes within twenty seconds")
    }

    /// Waits until a barrier reports this.
    pub async fn seen(&mut self, device: &str, news: News) {
        self.until(device, |what| (*what == What::Barrier(news)).then_some(())).await;
    }

    pub async fn online(&mut self, device: &str) {
        self.until(device, |what| (*what == What::Online).then_some(())).await;
    }

    /// Waits until so many devices have been heard of as online.
    pub async fn all_online(&mut self, count: usize) {
        let mut online = HashSet::new();
        let all = async {
            while online.len() < count {
                let report = self.reports.recv().await.unwrap();
                if report.what == What::Online {
                    online.insert(report.device);
                }
            }
        };
        timeout(PATIENCE, all).await.expect("all are online within twenty seconds");
    }

    /// Waits until the device is offline; gives the reason.
    pub async fn offline(&mut self, device: &str) -> String {
        let reason = |what: &What| match what {
            What::Offline { reason } => Some(reason.clone()),
            _ => None,
        };
        self.until(device, reason).await
    }

    /// Everything that was reported and not looked at yet.
    pub fn rest(&mut self) -> Vec<Report> {
        std::iter::from_fn(|| self.reports.try_recv().ok()).collect()
    }

    pub fn send(&self, device: &str, action: Action) -> Result<CommandId, SendError> {
        let id = CommandId(Uuid::new_v4());
        let command = Command { id, action: action.into(), expires_in: Duration::from_secs(3) };
        self.controllers.send(&name(device), command).map(|()| id)
    }

    /// Sends a command and waits for its end.
    pub async fn command(&mut self, device: &str, action: Action) -> Outcome {
        let id = self.send(device, action).unwrap();
        self.result(device, id).await
    }

    pub async fn result(&mut self, device: &str, id: CommandId) -> Outcome {
        let outcome = |what: &What| match what {
            What::Result { command, outcome, .. } if *command == id => Some(*outcome),
            _ => None,
        };
        self.until(device, outcome).await
    }

    /// How much was thrown away on all links.
    pub fn dropped(&self) -> u64 {
        self.controllers.dropped().map(|(_, dropped)| dropped).sum()
    }
}

pub fn name(device: &str) -> DeviceId {
    device.parse().unwrap()
}
