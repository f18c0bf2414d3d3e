//! What is known about how the daemon is, as the wiring tells it.

use std::{
    collections::BTreeMap,
    fmt::Display,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{
    clock::Clock,
    event::{Event, Fact},
    locker::LockerFact,
};
use tokio::sync::watch;

use super::{JournalStatus, Metrics, Report, Status, resident, systemd::Watchdog};
use crate::{
    journal::{Commit, JournalHandle, StateDir},
    replay::{ReplayState, ReplayStatus},
};

/// How the daemon is. Shared by those who tell and those who ask.
pub struct Health {
    /// The figures.
    pub metrics: Metrics,
    clock: Arc<dyn Clock>,
    live_within: Duration,
    watchdog: Watchdog,
    /// When the control loop last went round, in milliseconds of the monotonic clock.
    beat_ms: AtomicU64,
    gate_running: AtomicBool,
    known: Mutex<Known>,
}

/// What changes seldom.
#[derive(Default)]
struct Known {
    commit_failed: Option<String>,
    controllers: BTreeMap<String, String>,
    cameras: BTreeMap<String, String>,
    faults: BTreeMap<String, String>,
    journal: Option<JournalHandle>,
    replay: Option<watch::Receiver<ReplayStatus>>,
    /// Why nothing is heard of the cloud.
    deaf: Option<watch::Receiver<String>>,
    room: Option<(StateDir, u64)>,
    unwritten: usize,
    vision: Option<u32>,
}

impl Health {
    /// Nothing runs yet. The control loop has until `live_within` from now to go round.
    pub fn new(clock: Arc<dyn Clock>, live_within: Duration, watchdog: Watchdog) -> Self {
        Self {
            metrics: Metrics::new(),
            live_within,
            watchdog,
            beat_ms: AtomicU64::new(clock.now().monotonic_ms),
            clock,
            gate_running: AtomicBool::new(false),
            known: Mutex::default(),
        }
    }

    /// The control loop went round. To be called by that loop and nobody else.
    pub fn beat(&self) {
        let now_ms = self.clock.now().monotonic_ms;
        self.beat_ms.store(now_ms, Ordering::Relaxed);
        self.watchdog.feed(now_ms);
    }

    /// The gate takes inputs, or no longer.
    pub fn gate_running(&self, running: bool) {
        self.gate_running.store(running, Ordering::Relaxed);
    }

    /// A commit of the journal: what [`Journal::spawn`](crate::journal::Journal::spawn) reports.
    pub fn commit(&self, commit: Commit<'_>) {
        self.metrics.commit(commit.took, commit.error.is_some());
        self.known().commit_failed = commit.error.map(ToString::to_string);
    }

    /// An event was journaled.
    pub fn event(&self, event: &Event) {
        self.metrics.event(event);
        let mut known = self.known();
        match &event.fact {
            Fact::Device { device, online, reason } => {
                known.controllers.insert(device.to_string(), reached(*online, reason));
            }
            Fact::Camera { camera, online, reason } => {
                known.cameras.insert(camera.to_string(), reached(*online, reason));
            }
            Fact::LaneFault { lane, fault } => {
                known.faults.insert(lane.to_string(), fault.clone());
            }
            Fact::LaneRecovered { lane } => {
                known.faults.remove(lane.as_str());
            }
            Fact::DeviceMisbehaves { device, how } => {
                known.faults.insert(device.to_string(), how.clone());
            }
            Fact::Locker(LockerFact::Trouble { cabinet, trouble }) => {
                known.faults.insert(cabinet.clone(), trouble.word().to_owned());
            }
            Fact::Locker(LockerFact::Recovered { cabinet }) => {
                known.faults.remove(cabinet);
            }
            Fact::DeviceBehaves { device } => {
                known.faults.remove(device.as_str());
            }
            _ => {}
        }
    }

    /// From now on, where the journal ends is read from here.
    pub fn watch_journal(&self, journal: JournalHandle) {
        self.known().journal = Some(journal);
    }

    /// From now on, how much room there is for the journal below `state`, which may have `max_bytes`,
    /// is told as well.
    pub fn watch_room(&self, state: StateDir, max_bytes: u64) {
        self.known().room = Some((state, max_bytes));
    }

    /// So many facts wait for a disk that does not take them.
    pub fn unwritten(&self, facts: usize) {
        self.metrics.unwritten(facts);
        self.known().unwritten = facts;
    }

    /// How everything is, what waits for the cloud, and for how long there is room. Looks at the
    /// disk.
    pub fn status(&self) -> Status {
        let (room, unwritten) = {
            let known = self.known();
            (known.room.clone(), known.unwritten)
        };
        let (now, running) = (self.clock.now(), Some(self.report()));
        let journal = room.map(|(state, max_bytes)| JournalStatus::read(&state, max_bytes, now));
        Status { clock: now, unwritten, running, journal: journal.and_then(Result::ok) }
    }

    /// From now on, how the replay goes is read from here.
    pub fn watch_replay(&self, status: watch::Receiver<ReplayStatus>) {
        self.known().replay = Some(status);
    }

    /// From now on, why nothing is heard of the cloud is read from here; nothing while it is heard.
    pub fn watch_directives(&self, trouble: watch::Receiver<String>) {
        self.known().deaf = Some(trouble);
    }

    /// The vision process, whose memory is reported beside our own; none while it is not there.
    pub fn vision(&self, pid: Option<u32>) {
        self.known().vision = pid;
    }

    /// Whether the control loop goes round; otherwise for how long it has not.
    pub fn live(&self) -> Result<(), Duration> {
        let stands_ms =
            self.clock.now().monotonic_ms.saturating_sub(self.beat_ms.load(Ordering::Relaxed));
        let stands = Duration::from_millis(stands_ms);
        if stands <= self.live_within { Ok(()) } else { Err(stands) }
    }

    /// How everything is.
    pub fn report(&self) -> Report {
        let live = self.live();
        let gate_running = self.gate_running.load(Ordering::Relaxed);
        let known = self.known();
        let (head, acked) = known.progress();
        Report {
            ready: live.is_ok() && gate_running && known.journal_word() == WRITABLE,
            control_loop: match live {
                Ok(()) => "alive".into(),
                Err(stands) => format!("stands since {} s", stands.as_secs()),
            },
            journal: known.journal_word(),
            gate: if gate_running { "running" } else { "not running" }.into(),
            replay: known.replay_words(),
            backlog: head.saturating_sub(acked),
            controllers: known.controllers.clone(),
            cameras: known.cameras.clone(),
            faults: known.faults.clone(),
        }
    }

    /// All figures, as of now, in Prometheus' text format.
    pub fn figures(&self) -> String {
        let (progress, replay, vision) = {
            let known = self.known();
            let replay = known.replay.as_ref().map(|status| status.borrow().clone());
            (known.progress(), replay, known.vision)
        };
        self.metrics.journal(progress.0, progress.1);
        replay.iter().for_each(|status| self.metrics.replay(status));
        self.metrics.resident("core", resident::bytes(None).unwrap_or(0));
        self.metrics.resident("vision", vision.and_then(|p| resident::bytes(Some(p))).unwrap_or(0));
        self.metrics.text()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const WRITABLE: &str = "writable";

impl Known {
    fn journal_word(&self) -> String {
        match (&self.journal, &self.commit_failed) {
            (None, _) => "not open".into(),
            (_, Some(why)) => why.clone(),
            _ => WRITABLE.into(),
        }
    }

    fn progress(&self) -> (u64, u64) {
        let ends = |journal: &JournalHandle| (*journal.head().borrow(), *journal.acked().borrow());
        self.journal.as_ref().map(ends).unwrap_or_default()
    }

    fn replay_words(&self) -> String {
        let Some(status) = &self.replay else { return "not running".into() };
        let status = status.borrow();
        // Whoever has nothing to send learns of no refusal by sending.
        let deaf = self.deaf.as_ref().map(|trouble| trouble.borrow().clone()).unwrap_or_default();
        if status.state == ReplayState::Synced && !deaf.is_empty() {
            return described("all was sent, and nothing is heard", &deaf);
        }
        described(status.state.word(), &status.detail)
    }
}

fn reached(online: bool, reason: &str) -> String {
    if online { "online".into() } else { described("offline", reason) }
}

fn described(word: impl Display, detail: &str) -> String {
    if detail.is_empty() { word.to_string() } else { format!("{word}: {detail}") }
}
