//! The events: one batch at a time, until the cloud has it; then the next. Which one that is,
//! [`Overtake`] says.

use std::{sync::Arc, time::Duration};

use domain::{envelope::Refusal, event::Fact};
use tokio::time::{Instant, sleep};

use super::{
    Timing,
    back_off::BackOff,
    judge::{self, Meaning, Sent},
    outbox::{Desk, Next, Order, Parcel},
    overtake::{self, Overtake},
    pace::Pace,
    status::{ReplayState, Status},
};
use crate::{
    cloud::{Cloud, CloudError},
    journal::{JournalError, JournalHandle, Limits},
};

/// Bytes of an event that is guessed to travel as one, compressed among others.
const FOLDED: usize = 4;
/// Fewest events to which a slow line shrinks a batch.
const FEWEST: usize = 8;

/// What the events go between.
pub(super) struct Ends {
    pub(super) cloud: Arc<Cloud>,
    pub(super) journal: JournalHandle,
    pub(super) desk: Desk,
}

pub(super) struct Events {
    ends: Ends,
    line: Arc<Pace>,
    status: Status,
    timing: Timing,
    back_off: BackOff,
    way: Overtake,
    /// Events in one batch; fewer after a 413, and on a slow line.
    events: usize,
}

/// What to do after an attempt.
enum Then {
    /// The next batch at once.
    GoOn,
    /// A pause; at least as long as the cloud asks for.
    Pause(ReplayState, String, Option<Duration>),
    /// Nothing any more.
    Stop(String),
}

impl Events {
    pub(super) fn new(ends: Ends, line: Arc<Pace>, timing: &Timing, status: Status) -> Self {
        let back_off = BackOff::new(timing.first_pause, timing.longest_pause);
        let events = timing.batch.events;
        let way = Overtake::new(*ends.journal.acked().borrow(), events as u64);
        Self { ends, line, status, timing: timing.clone(), back_off, way, events }
    }

    /// Runs until it is dropped, or until the cloud has another history of this site.
    pub(super) async fn run(mut self) {
        let mut head = self.ends.journal.head();
        loop {
            self.line.ready().await;
            let end = *head.borrow_and_update();
            let next = self.way.next(end);
            if next == overtake::Next::Nothing {
                self.status.well(ReplayState::Synced);
                if head.changed().await.is_err() {
                    return;
                }
                sleep(self.timing.linger).await;
                continue;
            }
            match self.step(next, end).await.unwrap_or_else(journal_trouble) {
                Then::GoOn => {}
                Then::Pause(state, detail, at_least) => self.pause(state, detail, at_least).await,
                Then::Stop(detail) => return self.stop(detail).await,
            }
        }
    }

    /// Two journals claim this site: that stands in this one as well, whoever reads it.
    async fn stop(&mut self, detail: String) {
        let fact = Fact::KeyShared { detail: bounded(&detail) };
        if let Err(error) = self.ends.journal.append(vec![fact]).await {
            tracing::error!(%error, "what was found out about this site could not be journaled");
        }
        self.status.hindered(ReplayState::Forked, detail, 1);
    }

    async fn pause(&mut self, state: ReplayState, detail: String, at_least: Option<Duration>) {
        self.way.is_hindered();
        let pause = self.back_off.pause(rand::random());
        self.status.hindered(state, detail, self.back_off.failures());
        let asked = at_least.unwrap_or_default().min(self.timing.longest_retry_after);
        sleep(pause.max(asked)).await;
    }

    /// Sends what is next; `head` is the end of the journal.
    async fn step(&mut self, next: overtake::Next, head: u64) -> Result<Then, JournalError> {
        let (first, until, ahead) = match next {
            overtake::Next::Nothing => return Ok(Then::GoOn),
            overtake::Next::InOrder { first, until } => (first, until, false),
            overtake::Next::Ahead { first } => (first, head, true),
        };
        let limits = self.limits(until - first + 1);
        let most_bytes = self.timing.batch.bytes;
        match self.ends.desk.next(Order { first, head, ahead, limits, most_bytes }).await? {
            Next::Nothing => {
                let detail = "the journal ends before its last event".to_owned();
                Ok(Then::Pause(ReplayState::Journal, detail, None))
            }
            // What is wrong with an event shows when its turn comes.
            Next::Damaged(_) if ahead => Ok(self.in_order()),
            Next::Parcel(parcel) if ahead && parcel.oversized => Ok(self.in_order()),
            Next::Damaged(sequence) => {
                self.set_aside(sequence, "its bytes were damaged on the site's disk".into()).await
            }
            Next::Parcel(parcel) if parcel.oversized => {
                self.set_aside(parcel.first, "it is larger than a batch may be".into()).await
            }
            Next::Parcel(parcel) => self.deliver(parcel, head, ahead).await,
        }
    }

    fn in_order(&mut self) -> Then {
        self.way.is_unwanted();
        Then::GoOn
    }

    /// What goes into a batch, of which there are so many events.
    fn limits(&self, waiting: u64) -> Limits {
        let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
        let Limits { bytes, .. } = self.timing.batch;
        let bytes = self.line.at_once(bytes / FOLDED).saturating_mul(FOLDED).min(bytes);
        Limits { events: self.events.min(waiting), bytes }
    }

    async fn deliver(
        &mut self,
        parcel: Parcel,
        head: u64,
        ahead: bool,
    ) -> Result<Then, JournalError> {
        let Parcel { first, last, body, .. } = parcel;
        if self.back_off.failures() == 0 {
            self.status.well(ReplayState::Sending);
        }
        let (bytes, began) = (body.len(), Instant::now());
        let answer = self.ends.cloud.send_batch(body).await;
        self.line.sent(bytes);
        self.suspect().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let state = match error {
                    CloudError::Untrusted(_) => ReplayState::NotTheCloud,
                    _ => ReplayState::Unreachable,
                };
                return Ok(Then::Pause(state, error.to_string(), None));
            }
        };
        let may_reach = self.way.may_reach(last);
        let sent = Sent { first, last, head, may_reach, ahead };
        let then = self.heed(judge::batch(&answer, sent), sent).await;
        if began.elapsed() > self.timing.batch_within {
            self.events = (self.events / 4).max(FEWEST);
        }
        then
    }

    /// Journals that another machine uses this site's key, where that showed.
    async fn suspect(&self) {
        let Some(detail) = self.ends.cloud.take_suspicion() else { return };
        if let Err(error) = self.ends.journal.append(vec![Fact::KeyShared { detail }]).await {
            tracing::error!(%error, "what was found out about this site could not be journaled");
        }
    }

    async fn heed(&mut self, meaning: Meaning, sent: Sent) -> Result<Then, JournalError> {
        let Sent { first, last, .. } = sent;
        match meaning {
            Meaning::Acknowledged(through) => {
                self.move_to(through).await?;
                self.succeeded();
                Ok(Then::GoOn)
            }
            Meaning::PutBy(through) => {
                self.way.put_by(through);
                self.succeeded();
                Ok(Then::GoOn)
            }
            Meaning::TooLarge if sent.ahead => Ok(self.in_order()),
            Meaning::TooLarge if first == last => {
                self.set_aside(first, "it is too large for the cloud (413)".into()).await
            }
            Meaning::TooLarge => {
                self.events = usize::try_from((last - first).div_ceil(2)).unwrap_or(1);
                Ok(Then::GoOn)
            }
            Meaning::Busy { retry_after, detail } => {
                Ok(Then::Pause(ReplayState::Busy, detail, retry_after))
            }
            Meaning::NotTheCloud(detail) => Ok(Then::Pause(ReplayState::NotTheCloud, detail, None)),
            Meaning::Refused(refusal) => self.refused(refusal, sent).await,
        }
    }

    fn succeeded(&mut self) {
        self.back_off.succeeded();
        self.events = (self.events * 2).min(self.timing.batch.events);
    }

    async fn refused(&mut self, refusal: Refusal, sent: Sent) -> Result<Then, JournalError> {
        let Sent { first, head, ahead, .. } = sent;
        match refusal {
            Refusal::Unacceptable { .. } | Refusal::Malformed { .. } | Refusal::NoRoomAhead
                if ahead =>
            {
                Ok(self.in_order())
            }
            Refusal::OutOfOrder { expected } => self.out_of_order(expected, first, head).await,
            Refusal::Forked { sequence, boot } => {
                let run = boot.map(|boot| format!(" (of run {boot})")).unwrap_or_default();
                Ok(Then::Stop(format!(
                    "the cloud has another event {sequence} of this site{run}: two journals claim \
                     one site, its card was copied or restored from a copy"
                )))
            }
            Refusal::Unacceptable { sequence, reason } => self.set_aside(sequence, reason).await,
            Refusal::Unauthorised => {
                let detail = "the cloud does not know this site by this key: enrol it again".into();
                Ok(Then::Pause(ReplayState::Unauthorised, detail, None))
            }
            Refusal::Revoked => {
                let detail = "the cloud has revoked this site: enrol it again".into();
                Ok(Then::Pause(ReplayState::Unauthorised, detail, Some(self.timing.longest_pause)))
            }
            Refusal::Repeated { .. } => {
                let detail = "another machine sends in this site's name".into();
                Ok(Then::Pause(ReplayState::Refused, detail, None))
            }
            Refusal::Ahead { .. } | Refusal::NoRoomAhead => {
                let detail = "the cloud answers what was not asked".into();
                Ok(Then::Pause(ReplayState::Refused, detail, None))
            }
            Refusal::Malformed { reason } => {
                let detail = format!("the cloud does not understand a batch: {}", bounded(&reason));
                Ok(Then::Pause(ReplayState::Refused, detail, None))
            }
        }
    }

    /// The cloud wants another event than the `first` of those that were sent.
    async fn out_of_order(
        &mut self,
        expected: u64,
        first: u64,
        head: u64,
    ) -> Result<Then, JournalError> {
        if expected > head + 1 {
            return Ok(Then::Stop(format!(
                "the cloud has events of this site up to {}, this journal ends at {head}: it was \
                 replaced or restored from a copy",
                expected - 1
            )));
        }
        // Asked again for what was just sent; or sent back and forth without a success between.
        let is_vain = expected == first || self.back_off.failures() > 0;
        self.move_to(expected - 1).await?;
        if is_vain {
            let detail = format!("the cloud wants event {expected} and does not take it");
            return Ok(Then::Pause(ReplayState::Refused, detail, None));
        }
        tracing::warn!(first, expected, "the cloud wants events from elsewhere");
        self.back_off.pause(0.0);
        Ok(Then::GoOn)
    }

    async fn move_to(&mut self, through: u64) -> Result<(), JournalError> {
        self.ends.journal.acknowledge(through).await?;
        self.way.move_to(through);
        Ok(())
    }

    /// Journals that the event is set aside; its place will be sent without it.
    async fn set_aside(&mut self, sequence: u64, reason: String) -> Result<Then, JournalError> {
        let reason = bounded(&reason);
        if self.ends.desk.is_set_aside(sequence).await? {
            let detail = format!("the cloud refuses even the place of event {sequence}: {reason}");
            return Ok(Then::Pause(ReplayState::Refused, detail, None));
        }
        tracing::error!(sequence, reason, "an event is set aside");
        self.ends.journal.append(vec![Fact::Quarantined { sequence, reason }]).await?;
        Ok(Then::GoOn)
    }
}

fn journal_trouble(error: JournalError) -> Then {
    Then::Pause(ReplayState::Journal, error.to_string(), None)
}

/// Strangers' text, short enough to be journaled and logged.
fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
