//! The control loop: one input at a time goes to the gate, what the gate decides goes to the disk,
//! and what is on the disk goes to the barriers. Nothing else moves anything.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{
    clock::{Clock, Stamp},
    event::{Fact, Outcome},
    ids::{CameraId, CommandId, DeviceId, LaneId},
    money::Fen,
    plate::normal_form,
};
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    charging::Charging,
    translate,
    unwritten::Unwritten,
    waits::{Wait, Waits},
};
use crate::{
    charger,
    console::{Answer, Ask, Request},
    controller::{self, Controllers, What},
    directives::Told,
    gate::{self, Commit, Gate, Input, Requester},
    health::Health,
    journal::{JournalError, JournalHandle},
    lists::News,
    locker::{self, Lockers},
    sightings::{Message, Sighting, monotonic_us},
    supervisor,
    system_clock::JumpDetector,
};

/// The reason with which a camera that shows footage goes offline at its end.
pub const THROUGH: &str = "the footage is through";

/// How often the loop looks at the clock and says that it is alive.
const BEAT: Duration = Duration::from_secs(1);
/// Most reports of controllers that are taken in one go.
const MOST_REPORTS: usize = 256;

/// Where inputs come from.
pub(super) struct Inputs {
    pub vision: mpsc::Receiver<supervisor::Event>,
    pub reports: mpsc::Receiver<controller::Report>,
    pub requests: mpsc::Receiver<Request>,
    pub directives: mpsc::Receiver<Told>,
    pub lists: mpsc::Receiver<News>,
}

/// The lanes and what they are connected to.
pub(super) struct Core {
    pub gate: Gate,
    pub lockers: Lockers,
    pub journal: JournalHandle,
    pub controllers: Controllers,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    pub lane_of_camera: HashMap<CameraId, LaneId>,
    pub lane_of_device: HashMap<DeviceId, LaneId>,
    pub waits: Waits,
    pub jumps: JumpDetector,
    /// What the disk does not take at the moment.
    pub unwritten: Unwritten,
    /// The chargers; none where there are none.
    pub charging: Option<Charging>,
    /// The last of the cloud's directives that is in the journal.
    pub directives_through: u64,
}

impl Core {
    /// Runs until `stop` is cancelled or a part that it cannot do without is gone.
    pub async fn run(mut self, mut inputs: Inputs, stop: CancellationToken) {
        let (mut beat, mut news) = (beats(), Vec::new());
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                1.. = inputs.reports.recv_many(&mut news, MOST_REPORTS) => {
                    self.reports(news.drain(..)).await;
                }
                Some(event) = inputs.vision.recv() => self.vision(event).await,
                Some(request) = inputs.requests.recv() => self.request(request).await,
                Some(told) = inputs.directives.recv() => self.directive(told).await,
                Some(news) = inputs.lists.recv() => self.list(news).await,
                lane = self.deadline() => self.step(&lane, Input::Tick, None).await,
                () = self.due_at_lockers() => self.tick_lockers().await,
                _ = beat.tick() => self.beat().await,
            }
        }
    }

    /// Sleeps until a lane wants a tick.
    async fn deadline(&self) -> LaneId {
        let Some((at_ms, lane)) = self.gate.next_deadline() else {
            return std::future::pending().await;
        };
        let lane = lane.clone();
        sleep(Duration::from_millis(at_ms.saturating_sub(self.now().monotonic_ms))).await;
        lane
    }

    /// Sleeps until the lockers' books want a look at the time.
    async fn due_at_lockers(&self) {
        let Some(at_ms) = self.lockers.next_deadline() else {
            return std::future::pending().await;
        };
        sleep(Duration::from_millis(at_ms.saturating_sub(self.now().monotonic_ms))).await;
    }

    async fn beat(&mut self) {
        self.health.beat();
        // Whether it succeeds, health tells.
        let _ = self.settle().await;
        self.step_chargers(charger::Input::Tick).await;
        if let Some(fact) = self.jumps.observe(self.now()) {
            self.note(fact).await;
        }
    }

    async fn vision(&mut self, event: supervisor::Event) {
        match event {
            supervisor::Event::Connected { pid } => self.health.vision(Some(pid)),
            supervisor::Event::Message(message) => self.message(message).await,
            supervisor::Event::Restarting { reason, back_off } => {
                self.health.vision(None);
                let back_off_ms = u64::try_from(back_off.as_millis()).unwrap_or(u64::MAX);
                self.note(Fact::VisionRestarted { reason, back_off_ms }).await;
            }
        }
    }

    async fn message(&mut self, message: Message) {
        match message {
            Message::Sighting(sighting) => self.sighting(*sighting).await,
            Message::Camera { camera, online, reason } => {
                self.note(Fact::Camera { camera, online, reason }).await;
            }
            Message::Finished { camera } => {
                let reason = THROUGH.to_owned();
                self.note(Fact::Camera { camera, online: false, reason }).await;
            }
            Message::Stats(stats) => self.health.metrics.frames(&stats),
            Message::Lost { sightings } => {
                tracing::error!(sightings, "sightings were lost: the core was too slow");
                self.health.metrics.sightings_lost(sightings);
            }
            Message::Hello { .. } | Message::Heartbeat => {}
        }
    }

    async fn sighting(&mut self, sighting: Sighting) {
        let Some(lane) = self.lane_of_camera.get(&sighting.plate.camera).cloned() else {
            tracing::debug!(camera = %sighting.plate.camera, "no lane has this camera");
            return;
        };
        let seen = translate::sighting(&sighting, monotonic_us(), self.now());
        self.step(&lane, Input::Sighting(Box::new(seen)), Some(&sighting)).await;
    }

    /// Takes what controllers report. What it means at lockers is journaled together, so that many
    /// that go or come at once do not hold up the lanes.
    async fn reports(&mut self, reports: impl Iterator<Item = controller::Report>) {
        let mut at_lockers = locker::Commit::default();
        for controller::Report { device, what } in reports {
            if self.lockers.has(&device) && !is_of_conduct(&what) {
                at_lockers.absorb(self.of_locker(&device, what));
            } else {
                self.report(device, what).await;
            }
        }
        // The journal counts and logs its own failures; nothing moves without it.
        let _ = self.carry_out_at_lockers(at_lockers).await;
    }

    async fn report(&mut self, device: DeviceId, what: What) {
        match what {
            What::Sent { command, at } => self.waits.sent(command, at),
            What::Misbehaves { how } => self.note(Fact::DeviceMisbehaves { device, how }).await,
            What::Behaves => self.note(Fact::DeviceBehaves { device }).await,
            what => {
                if let Some(lane) = self.lane_of_device.get(&device).cloned() {
                    self.of_barrier(&lane, what).await;
                } else {
                    self.charger_report(device, what).await;
                }
            }
        }
    }

    async fn of_barrier(&mut self, lane: &LaneId, what: What) {
        let input = match what {
            What::Online => Input::Barrier(gate::Report::Online),
            What::Offline { reason } => Input::Barrier(gate::Report::Offline { reason }),
            What::Result { command, outcome, sent_to_result_ms, .. } => {
                self.result(command, outcome, sent_to_result_ms)
            }
            What::Barrier(news) => translate::input(news),
            _ => return,
        };
        self.step(lane, input, None).await;
    }

    fn result(&mut self, command: CommandId, outcome: Outcome, elapsed_ms: Option<u64>) -> Input {
        let wait = self.waits.end(command);
        Input::Result(gate::CommandResult {
            command,
            outcome,
            elapsed_ms,
            vote_to_wire_ms: wait.as_ref().and_then(Wait::vote_to_wire_ms),
            capture_to_wire_ms: wait.as_ref().and_then(Wait::capture_to_wire_ms),
        })
    }

    async fn request(&mut self, request: Request) {
        let answer = match request.ask {
            Ask::Open { lane, by } => self.open(lane, by).await,
            Ask::OpenCabinet { cabinet, by } => self.open_for_operator(&cabinet, by).await,
            Ask::Paid { plate, amount_fen, method, by } => {
                self.pay(&plate, amount_fen, method, by).await
            }
        };
        // Who no longer waits for the answer has gone; what was decided stands in the journal.
        let _ = request.answer.send(answer);
    }

    async fn open(&mut self, lane: LaneId, by: String) -> Answer {
        let ids = &mut Uuid::new_v4;
        let request = Input::Request(Requester::Operator(by));
        let commit = self.gate.step(&lane, request, self.clock.now(), ids);
        let decided = commit.facts().iter().find_map(|fact| match fact {
            Fact::Decision(decision) => Some((decision.verdict, decision.reason.clone())),
            _ => None,
        });
        let Some((verdict, reason)) = decided else {
            return Answer { done: false, reason: format!("there is no lane `{lane}`") };
        };
        match self.carry_out(commit, None).await {
            Ok(()) => Answer { done: verdict == domain::event::Verdict::Open, reason },
            Err(error) => Answer { done: false, reason: error.to_string() },
        }
    }

    async fn pay(&mut self, plate: &str, amount_fen: i64, method: String, by: String) -> Answer {
        let Some(session) = self.gate.knowledge().session_of(&normal_form(plate)) else {
            return Answer { done: false, reason: format!("no vehicle is inside as `{plate}`") };
        };
        let amount = Fen(amount_fen);
        let payment = gate::Payment { session, amount, method, by, from_cloud: None };
        if let Err(error) = self.settle().await {
            return Answer { done: false, reason: error.to_string() };
        }
        let ids = &mut Uuid::new_v4;
        let commit = match self.gate.pay(payment, self.clock.now(), ids) {
            Ok(commit) => commit,
            Err(error) => return Answer { done: false, reason: error.to_string() },
        };
        // Money is answered for only where it is on the disk.
        match self.carry_out_durably(commit).await {
            Ok(()) => Answer { done: true, reason: format!("{} taken", Fen(amount_fen)) },
            Err(error) => Answer { done: false, reason: error.to_string() },
        }
    }

    /// One step of the gate, carried out.
    async fn step(&mut self, lane: &LaneId, input: Input, cause: Option<&Sighting>) {
        let commit = self.gate.step(lane, input, self.now(), &mut Uuid::new_v4);
        // The journal counts and logs its own failures; nothing moves without it.
        let _ = self.carry_out(commit, cause).await;
    }

    /// Facts to the disk, then commands to the barriers. A disk that takes nothing stops no barrier.
    pub(super) async fn carry_out(
        &mut self,
        commit: Commit,
        cause: Option<&Sighting>,
    ) -> Result<(), JournalError> {
        if commit.is_empty() {
            return Ok(());
        }
        self.remember(commit.facts().to_vec()).await?;
        self.move_barriers(commit, cause).await
    }

    /// Commands to the barriers, and what follows from those that cannot be sent.
    pub(super) async fn move_barriers(
        &mut self,
        commit: Commit,
        cause: Option<&Sighting>,
    ) -> Result<(), JournalError> {
        let mut undone: Vec<_> =
            commit.journaled().into_iter().filter_map(|c| self.send(c, cause)).collect();
        while let Some(commit) = undone.pop() {
            if commit.is_empty() {
                continue;
            }
            self.remember(commit.facts().to_vec()).await?;
            for command in commit.journaled() {
                undone.extend(self.send(command, cause));
            }
        }
        Ok(())
    }

    /// Sends a command. Where that is impossible the gate is told at once, and what follows from
    /// that is returned.
    fn send(&mut self, command: gate::Command, cause: Option<&Sighting>) -> Option<Commit> {
        let gate::Command { id, device, action, expires_in_ms } = command;
        if let Some(sighting) = cause {
            self.waits.begin(id, sighting);
        }
        let expires_in = Duration::from_millis(expires_in_ms);
        let sent = self
            .controllers
            .send(&device, controller::Command { id, action: action.into(), expires_in });
        let error = sent.err()?;
        tracing::warn!(%error, "a command was not sent");
        let lane = self.lane_of_device.get(&device)?.clone();
        let result = self.result(id, Outcome::Unanswered, None);
        Some(self.gate.step(&lane, result, self.now(), &mut Uuid::new_v4))
    }

    /// Journals a fact that nothing follows from. A failure is the journal's to tell.
    async fn note(&mut self, fact: Fact) {
        let _ = self.remember(vec![fact]).await;
    }

    pub(super) async fn append(&self, facts: Vec<Fact>) -> Result<(), JournalError> {
        let events = self.journal.append(facts).await;
        let events =
            events.inspect_err(|error| tracing::error!(%error, "nothing was journaled"))?;
        events.iter().for_each(|event| self.health.event(event));
        Ok(())
    }

    pub(super) fn now(&self) -> Stamp {
        self.clock.now()
    }
}

/// Whether it is about how a device talks, whatever its kind.
fn is_of_conduct(what: &What) -> bool {
    matches!(what, What::Misbehaves { .. } | What::Behaves)
}

fn beats() -> Interval {
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
    beat
}
