//! A simulated site: its clock, its barriers, and the promises that every commit must keep.

use std::collections::{HashMap, HashSet, VecDeque};

use domain::{
    clock::{ClockQuality, Stamp},
    event::{Action, Decision, Fact, Latency, Outcome, PlateKind, PlateSeen, Rule, Verdict},
    ids::{CommandId, DecisionId, LaneId, SessionId},
    money::Fen,
};
use uuid::Uuid;

use crate::gate::{
    Arm, Command, CommandResult, Commit, Config, FromCloud, Gate, Input, Journaled, Listed,
    Payment, Report, Requester, Sighting,
};

pub const SITE: &str = r#"
    [parking]
    places = 2
    tariff = { free_minutes = 15, base_fee_fen = 500, base_seconds = 3600, hourly_rate_fen = 300, daily_max_fee_fen = 3000 }

    [[lanes]]
    id = "entry"
    direction = "entry"
    device = "barrier-1"
    cameras = ["camera-1"]
    access = "public"

    [[lanes]]
    id = "exit"
    direction = "exit"
    device = "barrier-2"
    cameras = ["camera-2"]

    [[permits]]
    plate = "京A·88888"
    holder = "Chen Wei"

    [[deny]]
    plate = "京D00007"
    reason = "unpaid damage"
"#;

pub struct Site {
    pub gate: Gate,
    pub now: Stamp,
    pub facts: Vec<Fact>,
    pub commands: VecDeque<Command>,
    made: u128,
    passages: u64,
    opened_for: HashSet<DecisionId>,
    sent: HashSet<CommandId>,
    /// What the safety loops last reported.
    loops: HashMap<String, bool>,
    /// When the last stay began.
    entered_ms: u64,
}

impl Site {
    /// The site of [`SITE`], changed by replacing text, with both barriers online and closed.
    pub fn with(changes: &[(&str, &str)]) -> Self {
        let mut site = Self::started(config(changes), Journaled::default(), start());
        ["entry", "exit"].iter().for_each(|lane| site.connect(lane, Arm::Closed));
        site.facts.clear();
        site
    }

    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn started(config: Config, journaled: Journaled, now: Stamp) -> Self {
        config.check().unwrap();
        let (gate, commit) = Gate::recovered(config, journaled, now);
        let mut site = Self {
            gate,
            now,
            facts: Vec::new(),
            commands: VecDeque::new(),
            // Identifiers of another start are others.
            made: u128::from(now.monotonic_ms) << 64,
            passages: 0,
            opened_for: HashSet::new(),
            sent: HashSet::new(),
            loops: HashMap::new(),
            entered_ms: 0,
        };
        site.take(commit);
        site
    }

    pub fn connect(&mut self, lane: &str, arm: Arm) {
        for report in [Report::Online, Report::UnderArm(false), Report::Arm(arm)] {
            self.report(lane, report);
        }
    }

    pub fn step(&mut self, lane: &str, input: Input) {
        if let Input::Barrier(Report::UnderArm(occupied)) = input {
            self.loops.insert(lane.into(), occupied);
        }
        if let Input::Barrier(Report::Offline { .. }) = input {
            self.loops.remove(lane);
        }
        let made = &mut self.made;
        let mut ids = || next_id(made);
        let commit = self.gate.step(&lane.parse().unwrap(), input, self.now, &mut ids);
        self.take(commit);
    }

    pub fn pay(&mut self, session: SessionId, fen: i64) {
        self.pay_with(session, fen, None);
    }

    /// The cloud tells what was paid there some minutes ago.
    pub fn pay_at_cloud(&mut self, session: SessionId, fen: i64, directive: u64, ago_min: i64) {
        self.pay_with(session, fen, Some(FromCloud { directive, ago_ms: ago_min * 60_000 }));
    }

    fn pay_with(&mut self, session: SessionId, fen: i64, from_cloud: Option<FromCloud>) {
        let made = &mut self.made;
        let mut ids = || next_id(made);
        let (method, by) = ("cash".into(), "Wang".into());
        let payment = Payment { session, amount: Fen(fen), method, by, from_cloud };
        let commit = self.gate.pay(payment, self.now, &mut ids).unwrap();
        self.take(commit);
    }

    /// The cloud's list is another one.
    pub fn take_list(&mut self, listed: Listed) {
        let made = &mut self.made;
        let commit = self.gate.take_list(listed, self.now, &mut || next_id(made));
        self.take(commit);
    }

    /// The cloud sets something.
    pub fn set(&mut self, setting: Fact) {
        let made = &mut self.made;
        let commit = self.gate.set(setting, self.now, &mut || next_id(made));
        self.take(commit);
    }

    /// The cloud corrects a plate.
    pub fn rename(&mut self, session: SessionId, plate: &str) {
        let made = &mut self.made;
        let commit = self.gate.rename(session, plate, self.now, &mut || next_id(made)).unwrap();
        self.take(commit);
    }

    pub fn last_decision(&self) -> Decision {
        decisions(&self.facts).last().cloned().unwrap()
    }

    /// Holds a commit against the promises, then carries it out.
    fn take(&mut self, commit: Commit) {
        let facts = commit.facts().to_vec();
        let passed = facts.iter().any(|f| matches!(f, Fact::Passage { decision: Some(_), .. }));
        for fact in &facts {
            match fact {
                Fact::CommandIntent { decision, action: Action::Open, .. } => {
                    assert!(self.opened_for.insert(*decision), "opened twice for {decision}");
                }
                Fact::CommandIntent { lane, action: Action::Close, .. } => {
                    let is_occupied = self.loops.get(lane.as_str());
                    assert_eq!(is_occupied, Some(&false), "closed on a loop that is not free");
                }
                Fact::SessionOpened { .. } | Fact::SessionClosed { .. } => {
                    assert!(passed, "a stay changed and nobody passed");
                }
                Fact::Decision(decision) => assert!(!decision.reason.is_empty()),
                _ => {}
            }
        }
        if facts.iter().any(|f| matches!(f, Fact::SessionOpened { .. })) {
            self.entered_ms = self.now.monotonic_ms;
        }
        let commands = commit.journaled();
        for command in &commands {
            assert!(self.sent.insert(command.id), "sent twice");
            let is_intent = |f: &&Fact| matches!(f, Fact::CommandIntent { command: id, .. } if *id == command.id);
            assert_eq!(facts.iter().filter(is_intent).count(), 1, "sent without its intent");
        }
        self.commands.extend(commands);
        self.facts.extend(facts);
    }

    /// Lets time pass, with a tick whenever the gate wants one.
    pub fn wait_ms(&mut self, ms: u64) {
        let end = self.now.monotonic_ms + ms;
        while let Some((due, lane)) = self.gate.next_deadline().filter(|(due, _)| *due <= end) {
            let lane = lane.to_string();
            let before = self.now.monotonic_ms;
            self.advance_to(due.max(before));
            self.step(&lane, Input::Tick);
            let next = self.gate.next_deadline();
            assert!(next.is_none_or(|(next, _)| next > before), "a deadline that no tick ends");
        }
        self.advance_to(end);
    }

    pub fn wait_s(&mut self, s: u64) {
        self.wait_ms(s * 1000);
    }

    /// Lets time pass until the last stay has lasted so long.
    pub fn stay_min(&mut self, minutes: u64) {
        self.wait_ms(self.entered_ms + minutes * 60_000 - self.now.monotonic_ms);
    }

    fn advance_to(&mut self, monotonic_ms: u64) {
        let ms = monotonic_ms - self.now.monotonic_ms;
        self.now.monotonic_ms = monotonic_ms;
        self.now.wall += chrono::TimeDelta::milliseconds(ms.try_into().unwrap());
    }

    pub fn report(&mut self, lane: &str, report: Report) {
        self.step(lane, Input::Barrier(report));
    }

    /// A vehicle is seen; the decision about it, if there was one.
    pub fn see(&mut self, lane: &str, text: &str) -> Option<Decision> {
        self.passages += 1;
        self.see_again(lane, text, 0.97)
    }

    /// The vehicle that was seen last is read again.
    pub fn see_again(&mut self, lane: &str, text: &str, confidence: f32) -> Option<Decision> {
        let before = self.facts.len();
        let sighting = sighting(text, confidence, self.passages, self.now);
        self.step(lane, Input::Sighting(Box::new(sighting)));
        decisions(&self.facts[before..]).next().cloned()
    }

    pub fn ask(&mut self, lane: &str, by: Requester) -> Decision {
        let before = self.facts.len();
        self.step(lane, Input::Request(by));
        decisions(&self.facts[before..]).next().cloned().unwrap()
    }

    pub fn answer(&mut self, lane: &str, outcome: Outcome) -> Command {
        let command = self.commands.pop_front().expect("a command is on the line");
        let result = CommandResult {
            command: command.id,
            outcome,
            elapsed_ms: Some(12),
            vote_to_wire_ms: None,
            capture_to_wire_ms: None,
        };
        self.step(lane, Input::Result(result));
        command
    }

    /// The barrier takes the next command and moves.
    pub fn obey(&mut self, lane: &str) -> Action {
        let command = self.answer(lane, Outcome::Accepted);
        let [moving, there] = match command.action {
            Action::Open => [Arm::Opening, Arm::Open],
            Action::Close => [Arm::Closing, Arm::Closed],
        };
        self.report(lane, Report::Arm(moving));
        self.wait_ms(1500);
        self.report(lane, Report::Arm(there));
        command.action
    }

    /// A vehicle drives through.
    pub fn drive(&mut self, lane: &str) {
        self.report(lane, Report::UnderArm(true));
        self.wait_ms(1200);
        self.report(lane, Report::UnderArm(false));
    }

    /// A vehicle comes, is let through, and the arm comes down behind it.
    pub fn let_through(&mut self, lane: &str, text: &str) -> Decision {
        let decision = self.see(lane, text).unwrap();
        assert_eq!(decision.verdict, Verdict::Open, "{}", decision.reason);
        assert_eq!(self.obey(lane), Action::Open);
        self.wait_s(2);
        self.drive(lane);
        assert_eq!(self.obey(lane), Action::Close);
        self.wait_s(20);
        decision
    }

    pub fn count(&self, is_it: impl Fn(&Fact) -> bool) -> usize {
        self.facts.iter().filter(|fact| is_it(fact)).count()
    }

    pub fn has(&self, is_it: impl Fn(&Fact) -> bool) -> bool {
        self.count(is_it) > 0
    }

    pub fn faults<'a>(&'a self) -> Vec<&'a str> {
        let fault = |fact: &'a Fact| match fact {
            Fact::LaneFault { fault, .. } => Some(fault.as_str()),
            Fact::LaneRecovered { .. } => Some("recovered"),
            _ => None,
        };
        self.facts.iter().filter_map(fault).collect()
    }

    pub fn last_session(&self) -> SessionId {
        let opened = |fact: &Fact| match fact {
            Fact::SessionOpened { session, .. } => Some(*session),
            _ => None,
        };
        self.facts.iter().rev().find_map(opened).unwrap()
    }
}

pub fn ruled(decision: Option<Decision>) -> (Verdict, Rule) {
    let decision = decision.expect("a decision");
    (decision.verdict, decision.rule)
}

pub fn config(changes: &[(&str, &str)]) -> Config {
    let mut text = SITE.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    toml::from_str(&text).unwrap()
}

/// Two in the afternoon in Shanghai.
pub fn start() -> Stamp {
    Stamp {
        wall: "2026-11-20T06:00:00Z".parse().unwrap(),
        monotonic_ms: 1_000_000,
        quality: ClockQuality::Synchronised,
    }
}

pub fn lane(name: &str) -> LaneId {
    name.parse().unwrap()
}

fn decisions(facts: &[Fact]) -> impl Iterator<Item = &Decision> {
    facts.iter().filter_map(|fact| match fact {
        Fact::Decision(decision) => Some(&**decision),
        _ => None,
    })
}

fn next_id(made: &mut u128) -> Uuid {
    *made += 1;
    Uuid::from_u128(*made)
}

fn sighting(text: &str, confidence: f32, passage: u64, now: Stamp) -> Sighting {
    let plate = PlateSeen {
        text: text.into(),
        confidence,
        kind: PlateKind::Blue,
        region: String::new(),
        camera: "camera-1".parse().unwrap(),
        readings: 3,
        agreeing: 3,
        bounds: [0.0; 4],
        picture: String::new(),
        captured_at: now.wall,
    };
    Sighting { plate, latency: Latency::default(), passage, arrived_ms: now.monotonic_ms }
}
