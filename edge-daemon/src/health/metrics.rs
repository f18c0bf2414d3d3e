//! The figures. Most follow from what is journaled, so that a figure and an event never disagree.

use std::time::Duration;

use domain::{
    event::{Decision, Event, Fact, Outcome},
    ids::{CameraId, DeviceId, LaneId},
    locker::LockerFact,
};
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder, core::Collector,
};

use crate::{
    journal::word,
    replay::{ReplayState, ReplayStatus},
    sightings::Stats,
};

/// Upper bounds of latencies, in seconds.
const SECONDS: [f64; 15] = [
    0.000_5, 0.001, 0.002, 0.003, 0.005, 0.010, 0.020, 0.050, 0.100, 0.200, 0.500, 1.0, 2.0, 5.0,
    10.0,
];

/// The figures, in a registry of their own.
pub struct Metrics {
    registry: Registry,
    decisions: IntCounterVec,
    commands: IntCounterVec,
    vote_to_wire: Histogram,
    capture_to_wire: Histogram,
    recognition: HistogramVec,
    tailgates: IntCounterVec,
    lane_fault: IntGaugeVec,
    frames: IntCounterVec,
    controller_online: IntGaugeVec,
    controller_misbehaves: IntGaugeVec,
    codes_denied: IntCounterVec,
    door_trouble: IntGaugeVec,
    camera_online: IntGaugeVec,
    vision_restarts: IntCounter,
    sightings_lost: IntCounter,
    head: IntGauge,
    acked: IntGauge,
    set_aside: IntCounter,
    commit: Histogram,
    commit_failures: IntCounter,
    unwritten: IntGauge,
    replay: IntGaugeVec,
    replay_failures: IntGauge,
    resident: IntGaugeVec,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All figures at zero.
    pub fn new() -> Self {
        let new = Makers(Registry::new());
        Self {
            decisions: new.counters(
                "decisions_total",
                "Decisions of the lanes.",
                &["verdict", "rule"],
            ),
            commands: new.counters("commands_total", "Commands to controllers.", &["outcome"]),
            vote_to_wire: new.seconds(
                "vote_to_wire_seconds",
                "From the frame that completed the vote to the command's bytes on the line.",
            ),
            capture_to_wire: new.seconds(
                "capture_to_wire_seconds",
                "From the capture of the deciding frame to the command's bytes on the line.",
            ),
            recognition: new.seconds_of(
                "recognition_seconds",
                "Recognition in the deciding frame.",
                &["step"],
            ),
            tailgates: new.counters(
                "tailgates_total",
                "Vehicles that followed another.",
                &["lane"],
            ),
            lane_fault: new.gauges(
                "lane_fault",
                "1 while a barrier does not do as told.",
                &["lane"],
            ),
            frames: new.counters(
                "frames_total",
                "Frames since vision started, by what became of them.",
                &["camera", "fate"],
            ),
            controller_online: new.gauges("controller_online", "1 while it answers.", &["device"]),
            controller_misbehaves: new.gauges(
                "controller_misbehaves",
                "1 while it says more than it may, or what cannot be read.",
                &["device"],
            ),
            codes_denied: new.counters(
                "locker_denied_total",
                "Requests for a locker's door that opened nothing.",
                &["by", "why"],
            ),
            door_trouble: new.gauges(
                "locker_door_trouble",
                "1 while a door does not do as it should.",
                &["cabinet"],
            ),
            camera_online: new.gauges("camera_online", "1 while it delivers.", &["camera"]),
            vision_restarts: new
                .counter("vision_restarts_total", "Restarts of the vision process."),
            sightings_lost: new.counter("sightings_lost_total", "Sightings that vision gave up."),
            head: new.gauge("journal_head", "Sequence of the last event."),
            acked: new.gauge("journal_acked", "Last event that the cloud has on disk."),
            set_aside: new
                .counter("journal_set_aside_total", "Events that the cloud would not take."),
            commit: new.seconds("journal_commit_seconds", "Commits, the disk included."),
            commit_failures: new.counter("journal_commit_failures_total", "Commits that failed."),
            unwritten: new
                .gauge("journal_unwritten_facts", "Facts that wait for a disk that takes nothing."),
            replay: new.gauges("replay_state", "1 for what the replay is doing.", &["state"]),
            replay_failures: new.gauge("replay_failures", "Failures of the replay in a row."),
            resident: new.gauges("resident_bytes", "Memory that is resident.", &["process"]),
            registry: new.0,
        }
    }

    /// Counts a journaled event.
    pub fn event(&self, event: &Event) {
        match &event.fact {
            Fact::Decision(decision) => self.decision(decision),
            Fact::CommandOutcome { outcome, vote_to_wire_ms, capture_to_wire_ms, .. } => {
                self.command(*outcome, *vote_to_wire_ms, *capture_to_wire_ms);
            }
            Fact::Tailgate { lane, .. } => self.tailgates.with_label_values(&[lane.as_str()]).inc(),
            Fact::LaneFault { lane, .. } => self.fault(lane, true),
            Fact::LaneRecovered { lane } => self.fault(lane, false),
            Fact::Device { device, online, .. } => self.controller(device, *online),
            Fact::Locker(fact) => self.locker(fact),
            Fact::DeviceMisbehaves { device, .. } => self.misbehaves(device, true),
            Fact::DeviceBehaves { device } => self.misbehaves(device, false),
            Fact::Camera { camera, online, .. } => self.camera(camera, *online),
            Fact::VisionRestarted { .. } => self.vision_restarts.inc(),
            Fact::Quarantined { .. } => self.set_aside.inc(),
            _ => {}
        }
    }

    /// What a camera's pipeline did since vision started.
    pub fn frames(&self, stats: &Stats) {
        let fates = [
            ("inferred", stats.inferred),
            ("dropped", stats.dropped),
            ("idle", stats.skipped_idle),
            ("undecodable", stats.undecodable),
        ];
        for (fate, count) in fates {
            // Counted by vision, and from zero again when it starts again: Prometheus knows that.
            let frames = self.frames.with_label_values(&[stats.camera.as_str(), fate]);
            frames.reset();
            frames.inc_by(count);
        }
    }

    /// Sightings that vision gave up because the core was slow.
    pub fn sightings_lost(&self, count: u64) {
        self.sightings_lost.inc_by(count);
    }

    /// A commit of the journal.
    pub fn commit(&self, took: Duration, failed: bool) {
        self.commit.observe(took.as_secs_f64());
        self.commit_failures.inc_by(failed.into());
    }

    /// So many facts wait for a disk that does not take them.
    pub fn unwritten(&self, facts: usize) {
        self.unwritten.set(gauged(facts as u64));
    }

    /// Where the journal ends, and how far the cloud has it.
    pub fn journal(&self, head: u64, acked: u64) {
        self.head.set(gauged(head));
        self.acked.set(gauged(acked));
    }

    /// How the replay goes.
    pub fn replay(&self, status: &ReplayStatus) {
        for state in ReplayState::ALL {
            self.replay.with_label_values(&[state.word()]).set((state == status.state).into());
        }
        self.replay_failures.set(status.failures.into());
    }

    /// Resident memory of a process, such as `core`.
    pub fn resident(&self, process: &str, bytes: u64) {
        self.resident.with_label_values(&[process]).set(gauged(bytes));
    }

    /// Everything in Prometheus' text format.
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        let encoded = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        encoded.expect("metrics with valid names can be written to memory");
        String::from_utf8_lossy(&text).into_owned()
    }

    fn decision(&self, decision: &Decision) {
        let (verdict, rule) = (word(&decision.verdict), word(&decision.rule));
        self.decisions.with_label_values(&[&verdict, &rule]).inc();
        if decision.plate.is_some() {
            for (step, ms) in
                [("detect", decision.latency.detect_ms), ("read", decision.latency.read_ms)]
            {
                self.recognition.with_label_values(&[step]).observe(f64::from(ms) / 1000.0);
            }
        }
    }

    fn command(&self, outcome: Outcome, vote_to_wire: Option<f32>, capture_to_wire: Option<f32>) {
        self.commands.with_label_values(&[&word(&outcome)]).inc();
        let observe = |histogram: &Histogram, ms: Option<f32>| {
            ms.into_iter().for_each(|ms| histogram.observe(f64::from(ms) / 1000.0));
        };
        observe(&self.vote_to_wire, vote_to_wire);
        observe(&self.capture_to_wire, capture_to_wire);
    }

    fn fault(&self, lane: &LaneId, fault: bool) {
        self.lane_fault.with_label_values(&[lane.as_str()]).set(fault.into());
    }

    fn controller(&self, device: &DeviceId, online: bool) {
        self.controller_online.with_label_values(&[device.as_str()]).set(online.into());
    }

    fn misbehaves(&self, device: &DeviceId, misbehaves: bool) {
        self.controller_misbehaves.with_label_values(&[device.as_str()]).set(misbehaves.into());
    }

    fn locker(&self, fact: &LockerFact) {
        let trouble = |cabinet: &str, is: bool| {
            self.door_trouble.with_label_values(&[cabinet]).set(is.into());
        };
        match fact {
            LockerFact::Denied { by, why, .. } => {
                self.codes_denied.with_label_values(&[word(by).as_str(), why.word()]).inc();
            }
            LockerFact::Outcome { outcome, .. } => self.command(*outcome, None, None),
            LockerFact::Trouble { cabinet, .. } => trouble(cabinet, true),
            LockerFact::Recovered { cabinet } => trouble(cabinet, false),
            _ => {}
        }
    }

    fn camera(&self, camera: &CameraId, online: bool) {
        self.camera_online.with_label_values(&[camera.as_str()]).set(online.into());
    }
}

/// Makes metrics in a registry. Names are constants: a wrong one shows in the first test.
struct Makers(Registry);

impl Makers {
    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.enter(IntCounter::with_opts(options(name, help)))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.enter(IntCounterVec::new(options(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.enter(IntGauge::with_opts(options(name, help)))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.enter(IntGaugeVec::new(options(name, help), labels))
    }

    fn seconds(&self, name: &str, help: &str) -> Histogram {
        self.enter(Histogram::with_opts(buckets(name, help)))
    }

    fn seconds_of(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        self.enter(HistogramVec::new(buckets(name, help), labels))
    }

    fn enter<T: Collector + Clone + 'static>(&self, made: prometheus::Result<T>) -> T {
        let metric = made.expect("a metric has a valid name");
        self.0.register(Box::new(metric.clone())).expect("each metric has a name of its own");
        metric
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("gatehouse")
}

fn buckets(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::from(options(name, help)).buckets(SECONDS.to_vec())
}

fn gauged(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
