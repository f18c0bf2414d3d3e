//! One controller that calls by itself: what it said last, and what it is to fetch. Pure.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    clock::Stamp,
    event::Outcome,
    ids::{CommandId, DeviceId},
};
use tokio::sync::oneshot;

use super::Member;
use crate::controller::{
    Action as AnyAction,
    conduct::{Conduct, Verdict},
    link::Order,
    locker::{Action, Denial, DoorState, Happening, News, Source},
    report::{Report, What},
};

/// Without a call for so long a controller is offline.
const OFFLINE_MS: u64 = 10 * 60 * 1_000;
/// Most commands that wait, one for each door.
const MOST_WAITING: usize = 32;

/// A controller.
#[derive(Debug)]
pub(super) struct Board {
    device: DeviceId,
    doors: Vec<String>,
    online: Arc<AtomicBool>,
    /// What was reported last: online or not.
    reported: Option<bool>,
    since_ms: u64,
    heard_ms: Option<u64>,
    closed: BTreeMap<u8, bool>,
    waiting: Vec<Waiting>,
    /// Who entered a code and waits for what comes of it.
    entered: Option<oneshot::Sender<Answered>>,
    conduct: Conduct,
}

/// A command that is to be fetched, or was and whose door has not opened yet.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub id: CommandId,
    /// The name on the door.
    pub name: String,
    pub given: DateTime<Utc>,
    pub expires: DateTime<Utc>,
    door: u8,
    given_ms: u64,
    expires_at_ms: u64,
    acknowledged: bool,
    /// When it was shown last, among the showings of all; 0 for never.
    shown: u64,
}

/// What came of a code.
#[derive(Debug)]
pub(super) enum Answered {
    Opens(Waiting),
    Denied(Denial),
}

impl Board {
    pub fn new(member: Member, now: Stamp) -> Self {
        let Member { device, doors, online, .. } = member;
        Self {
            device,
            doors,
            online,
            reported: None,
            since_ms: now.monotonic_ms,
            heard_ms: None,
            closed: BTreeMap::new(),
            waiting: Vec::new(),
            entered: None,
            conduct: Conduct::new(now.monotonic_ms),
        }
    }

    /// It calls; whether there is room for that.
    pub fn hears(&mut self, now: Stamp, out: &mut Vec<Report>) -> bool {
        self.heard_ms = Some(now.monotonic_ms);
        if self.reported != Some(true) {
            self.set_online(true);
            self.report(What::Online, out);
        }
        self.conduct.hears(now.monotonic_ms)
    }

    /// It says which of its doors are closed, by their names. Names that are none of its own are
    /// passed over.
    pub fn doors_are(
        &mut self,
        closed: &BTreeMap<String, bool>,
        now: Stamp,
        out: &mut Vec<Report>,
    ) {
        let numbered = self.doors.iter().zip(1..=u8::MAX);
        let told: Vec<_> = numbered
            .filter(|(name, _)| !name.is_empty())
            .filter_map(|(name, door)| Some((door, *closed.get(name)?)))
            .collect();
        for &(door, closed) in &told {
            let was_closed = self.closed.insert(door, closed).unwrap_or(true);
            if was_closed && !closed {
                self.opened(door, now, out);
            }
        }
        let state = |(door, closed): (u8, bool)| DoorState { door, closed, jammed: false };
        let states = told.into_iter().map(state).collect();
        self.report(What::Locker(News::Doors(states)), out);
    }

    /// A door that opens while a command waits for it was opened by that.
    fn opened(&mut self, door: u8, now: Stamp, out: &mut Vec<Report>) {
        let Some(at) = self.waiting.iter().position(|waiting| waiting.door == door) else { return };
        let waiting = self.waiting.remove(at);
        if !waiting.acknowledged {
            self.accepted(&waiting, now, out);
        }
        let (what, command) = (Happening::Opened, Some(waiting.id));
        self.report(What::Locker(News::Happened { door, what, command }), out);
    }

    /// The command that it is to carry out next: of several the one that was shown longest ago.
    pub fn next(&mut self, now: Stamp) -> Option<Waiting> {
        let latest = self.waiting.iter().map(|waiting| waiting.shown).max().unwrap_or(0);
        let due = self
            .waiting
            .iter_mut()
            .filter(|waiting| !waiting.acknowledged && now.monotonic_ms < waiting.expires_at_ms);
        let next = due.min_by_key(|waiting| (waiting.shown, waiting.given_ms))?;
        next.shown = latest + 1;
        Some(next.clone())
    }

    /// It has carried a command out; whether there is such a one.
    pub fn acknowledge(&mut self, command: CommandId, now: Stamp, out: &mut Vec<Report>) -> bool {
        let Some(at) = self.waiting.iter().position(|waiting| waiting.id == command) else {
            return false;
        };
        if !std::mem::replace(&mut self.waiting[at].acknowledged, true) {
            let waiting = self.waiting[at].clone();
            self.accepted(&waiting, now, out);
        }
        true
    }

    /// Somebody entered a code at one of its doors.
    pub fn code(
        &mut self,
        name: &str,
        code: &str,
        entered: oneshot::Sender<Answered>,
        out: &mut Vec<Report>,
    ) {
        self.entered = Some(entered);
        let (source, code) = (Source::Keypad, format!("{name}:{code}"));
        self.report(What::Locker(News::Code { source, code, door: None }), out);
    }

    /// Takes a command, or ends it at once where it cannot be taken.
    pub fn order(&mut self, order: &Order, now: Stamp, out: &mut Vec<Report>) {
        let AnyAction::Locker(action) = order.action else { return };
        match action {
            Action::Deny(why) => self.answer(Answered::Denied(why)),
            Action::Open { door } => {
                let name = self.doors.get(usize::from(door).wrapping_sub(1)).cloned();
                match name.filter(|_| self.waiting.len() < MOST_WAITING) {
                    Some(name) => self.wait(order, door, name, now),
                    None => self.ended(order.id, Outcome::Unanswered, None, out),
                }
            }
        }
    }

    fn wait(&mut self, order: &Order, door: u8, name: String, now: Stamp) {
        let left_ms = order.expires_at_ms.saturating_sub(now.monotonic_ms);
        let left = TimeDelta::milliseconds(i64::try_from(left_ms).unwrap_or(0));
        let waiting = Waiting {
            id: order.id,
            name,
            given: now.wall,
            expires: now.wall + left,
            door,
            given_ms: now.monotonic_ms,
            expires_at_ms: order.expires_at_ms,
            acknowledged: false,
            shown: 0,
        };
        self.waiting.push(waiting.clone());
        self.answer(Answered::Opens(waiting));
    }

    fn answer(&mut self, answered: Answered) {
        if let Some(entered) = self.entered.take() {
            // Who no longer waits for the answer has gone.
            let _ = entered.send(answered);
        }
    }

    /// Looks at the time.
    pub fn tick(&mut self, now: Stamp, out: &mut Vec<Report>) {
        let over = self.waiting.extract_if(.., |waiting| waiting.expires_at_ms <= now.monotonic_ms);
        for waiting in over.collect::<Vec<_>>() {
            if !waiting.acknowledged {
                self.ended(waiting.id, Outcome::Unanswered, None, out);
            }
        }
        let last_ms = self.heard_ms.unwrap_or(self.since_ms);
        if self.reported != Some(false) && now.monotonic_ms >= last_ms + OFFLINE_MS {
            self.set_online(false);
            let reason = "it has not called for ten minutes".to_owned();
            self.report(What::Offline { reason }, out);
        }
        match self.conduct.verdict(now.monotonic_ms) {
            Some(Verdict::Misbehaves(how)) => {
                self.report(What::Misbehaves { how: how.to_owned() }, out);
            }
            Some(Verdict::Behaves) => self.report(What::Behaves, out),
            None => {}
        }
    }

    fn accepted(&self, waiting: &Waiting, now: Stamp, out: &mut Vec<Report>) {
        let elapsed_ms = now.monotonic_ms.saturating_sub(waiting.given_ms);
        self.ended(waiting.id, Outcome::Accepted, Some(elapsed_ms), out);
    }

    fn ended(
        &self,
        command: CommandId,
        outcome: Outcome,
        sent_to_result_ms: Option<u64>,
        out: &mut Vec<Report>,
    ) {
        self.report(What::Result { command, outcome, refusal: None, sent_to_result_ms }, out);
    }

    fn set_online(&mut self, online: bool) {
        self.reported = Some(online);
        self.online.store(online, Ordering::Release);
    }

    fn report(&self, what: What, out: &mut Vec<Report>) {
        out.push(Report { device: self.device.clone(), what });
    }
}
