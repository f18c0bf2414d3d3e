//! A controller that calls by itself, with the time passed in.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
};

use chrono::Utc;
use domain::{
    clock::{ClockQuality, Stamp},
    event::Outcome,
    ids::CommandId,
};
use uuid::Uuid;

use super::{Member, board::Board};
use crate::controller::{
    Action as AnyAction,
    link::Order,
    locker::{Action, DoorState, Happening, News},
    report::{Report, What},
};

struct Scene {
    board: Board,
    now: Stamp,
    out: Vec<Report>,
}

impl Scene {
    fn new() -> Self {
        let now = Stamp {
            wall: chrono::DateTime::<Utc>::UNIX_EPOCH,
            monotonic_ms: 1_000,
            quality: ClockQuality::Synchronised,
        };
        let member = Member {
            device: "esp".parse().unwrap(),
            key_sha256: String::new(),
            doors: vec!["A1".into(), "A2".into()],
            online: Arc::new(AtomicBool::new(false)),
        };
        let mut scene = Self { board: Board::new(member, now), now, out: Vec::new() };
        assert!(scene.board.hears(now, &mut scene.out));
        assert_eq!(scene.news(), [What::Online]);
        scene
    }

    fn order(&mut self, id: u128, door: u8) -> CommandId {
        let id = CommandId(Uuid::from_u128(id));
        let action = AnyAction::Locker(Action::Open { door });
        let (device, expires_at_ms) = ("esp".parse().unwrap(), self.now.monotonic_ms + 10_000);
        let order = Order { device, id, action, expires_at_ms };
        self.board.order(&order, self.now, &mut self.out);
        id
    }

    fn doors(&mut self, closed: &[(&str, bool)]) -> Vec<What> {
        let closed: BTreeMap<_, _> =
            closed.iter().map(|(name, closed)| ((*name).to_owned(), *closed)).collect();
        self.board.doors_are(&closed, self.now, &mut self.out);
        self.news()
    }

    fn wait(&mut self, ms: u64) -> Vec<What> {
        self.now.monotonic_ms += ms;
        self.board.tick(self.now, &mut self.out);
        self.news()
    }

    fn news(&mut self) -> Vec<What> {
        self.out.drain(..).map(|report| report.what).collect()
    }
}

fn ended(command: CommandId, outcome: Outcome, sent_to_result_ms: Option<u64>) -> What {
    What::Result { command, outcome, refusal: None, sent_to_result_ms }
}

#[test]
fn a_command_is_shown_until_its_door_is_open() {
    let mut scene = Scene::new();
    assert!(scene.board.next(scene.now).is_none());
    let (first, second) = (scene.order(1, 1), scene.order(2, 2));
    let shown: Vec<_> = (0..4).map(|_| scene.board.next(scene.now).unwrap().id).collect();
    assert_eq!(shown, [first, second, first, second]);
    scene.wait(3_000);
    let told = scene.doors(&[("A1", false), ("A2", true), ("strange", false)]);
    let happened = News::Happened { door: 1, what: Happening::Opened, command: Some(first) };
    let states = [(1, false), (2, true)];
    let states = states.map(|(door, closed)| DoorState { door, closed, jammed: false }).to_vec();
    assert_eq!(
        told,
        [
            ended(first, Outcome::Accepted, Some(3_000)),
            What::Locker(happened),
            What::Locker(News::Doors(states))
        ]
    );
    assert_eq!(scene.board.next(scene.now).unwrap().id, second);
}

#[test]
fn an_acknowledged_command_is_not_shown_again_and_ends_once() {
    let mut scene = Scene::new();
    let command = scene.order(1, 2);
    let other = CommandId(Uuid::from_u128(9));
    assert!(!scene.board.acknowledge(other, scene.now, &mut scene.out));
    for _ in 0..2 {
        assert!(scene.board.acknowledge(command, scene.now, &mut scene.out));
    }
    assert_eq!(scene.news(), [ended(command, Outcome::Accepted, Some(0))]);
    assert!(scene.board.next(scene.now).is_none());
    let opened = scene.doors(&[("A2", false)]);
    assert!(
        matches!(opened[0], What::Locker(News::Happened { command: Some(c), .. }) if c == command)
    );
}

#[test]
fn a_command_that_nobody_fetches_is_void_and_who_does_not_call_is_offline() {
    let mut scene = Scene::new();
    let command = scene.order(1, 1);
    assert_eq!(scene.wait(9_999), []);
    assert_eq!(scene.wait(1), [ended(command, Outcome::Unanswered, None)]);
    assert!(scene.board.next(scene.now).is_none());
    assert!(!scene.board.acknowledge(command, scene.now, &mut scene.out));
    assert_eq!(scene.wait(589_999), []);
    assert!(matches!(scene.wait(1)[..], [What::Offline { .. }]));
    scene.board.hears(scene.now, &mut scene.out);
    assert_eq!(scene.news(), [What::Online]);
}

#[test]
fn who_calls_without_end_is_named_and_turned_away() {
    let mut scene = Scene::new();
    let heard = (0..1_000).filter(|_| scene.board.hears(scene.now, &mut scene.out)).count();
    assert!(heard < 250, "{heard}");
    assert!(matches!(scene.wait(1)[..], [What::Misbehaves { .. }]));
}
