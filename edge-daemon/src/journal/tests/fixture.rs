//! A site to journal for, with a clock that tests turn.

use std::sync::{Arc, Mutex};

use chrono::DateTime;
use domain::{
    clock::{Clock, ClockQuality, Stamp},
    event::{
        Action, Decision, Direction, Event, Fact, Latency, Outcome, PlateKind, PlateSeen, Rule,
        Verdict,
    },
    ids::{BootId, CommandId, DecisionId, LaneId, SessionId},
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::journal::{Commit, Journal, JournalHandle, Reader, Recovered, StateDir};

/// A clock that shows what it was last set to.
pub(crate) struct TestClock(Mutex<Stamp>);

impl TestClock {
    pub(crate) fn set(&self, wall: &str, quality: ClockQuality) {
        let mut stamp = self.0.lock().unwrap();
        stamp.wall = wall.parse().unwrap();
        stamp.quality = quality;
    }

    /// Both clocks go on.
    pub(crate) fn pass(&self, time: std::time::Duration) {
        let mut stamp = self.0.lock().unwrap();
        stamp.wall += time;
        stamp.monotonic_ms += u64::try_from(time.as_millis()).unwrap();
    }
}

impl Clock for TestClock {
    fn now(&self) -> Stamp {
        let mut stamp = self.0.lock().unwrap();
        stamp.monotonic_ms += 1;
        *stamp
    }
}

/// A state directory that goes away with the test.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<TestClock>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let wall = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let stamp = Stamp { wall, monotonic_ms: 0, quality: ClockQuality::Synchronised };
        let clock = Arc::new(TestClock(Mutex::new(stamp)));
        Self { folder: tempfile::tempdir().unwrap(), clock }
    }

    pub(crate) fn state(&self) -> StateDir {
        StateDir::new(self.folder.path())
    }

    pub(crate) fn open(&self) -> (Journal, Recovered) {
        let site = "north".parse().unwrap();
        Journal::open(&self.state(), site, BootId(Uuid::new_v4()), self.clock.clone()).unwrap()
    }

    pub(crate) fn journal(&self) -> Journal {
        self.open().0
    }

    pub(crate) fn running(&self) -> JournalHandle {
        self.journal().spawn(|_: Commit<'_>| ()).unwrap().0
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.state()).unwrap()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let lines = self.reader().lines(1, u32::MAX).unwrap();
        lines.iter().map(|line| line.event().unwrap()).collect()
    }
}

pub(crate) fn lane() -> LaneId {
    "entry".parse().unwrap()
}

pub(crate) fn started() -> Fact {
    tagged("0.1.0")
}

/// A fact of no consequence that can be told from others.
pub(crate) fn tagged(tag: impl ToString) -> Fact {
    Fact::Started { version: tag.to_string(), grace_minutes: None }
}

/// `count` facts of no consequence.
pub(crate) fn facts(count: usize) -> Vec<Fact> {
    (0..count).map(tagged).collect()
}

pub(crate) fn decision(verdict: Verdict, picture: &str) -> Decision {
    let plate = PlateSeen {
        text: "皖A12345".into(),
        confidence: 0.98,
        kind: PlateKind::Blue,
        region: "cn".into(),
        camera: "cam-1".parse().unwrap(),
        readings: 5,
        agreeing: 4,
        bounds: [10.0, 20.0, 110.0, 52.5],
        picture: picture.into(),
        captured_at: DateTime::from_timestamp(1_795_000_000, 0).unwrap(),
    };
    Decision {
        id: DecisionId(Uuid::new_v4()),
        lane: lane(),
        direction: Direction::Entry,
        verdict,
        rule: Rule::Permit,
        reason: "permit of 皖A12345".into(),
        plate: Some(plate),
        candidates: Vec::new(),
        fee_fen: None,
        session: None,
        requested_by: None,
        latency: Latency::default(),
        permits_age_s: 12,
        permits_version: None,
    }
}

pub(crate) fn intent(decision: &Decision, command: CommandId) -> Fact {
    Fact::CommandIntent {
        command,
        decision: decision.id,
        lane: lane(),
        device: "barrier-1".parse().unwrap(),
        action: Action::Open,
    }
}

pub(crate) fn outcome(command: CommandId) -> Fact {
    Fact::CommandOutcome {
        command,
        outcome: Outcome::Accepted,
        elapsed_ms: Some(12),
        capture_to_wire_ms: None,
        vote_to_wire_ms: None,
    }
}

pub(crate) fn passage(decision: &Decision) -> Fact {
    Fact::Passage { lane: lane(), direction: Direction::Entry, decision: Some(decision.id) }
}

pub(crate) fn session_opened(session: SessionId, decision: &Decision) -> Fact {
    Fact::SessionOpened {
        session,
        plate: "皖A12345".into(),
        kind: PlateKind::Blue,
        entered_at: DateTime::from_timestamp(1_795_000_000, 0).unwrap(),
        lane: lane(),
        decision: decision.id,
        tariff: None,
        permit: None,
    }
}

pub(crate) fn new_session() -> SessionId {
    SessionId(Uuid::new_v4())
}

pub(crate) fn new_command() -> CommandId {
    CommandId(Uuid::new_v4())
}

/// Puts a picture into the store and returns its name.
pub(crate) fn store_picture(state: &StateDir, bytes: &[u8]) -> String {
    let sha256 =
        domain::envelope::to_hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    let path = state.picture(&sha256).unwrap();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
    sha256
}
