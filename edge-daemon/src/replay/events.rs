//! The events: one batch at a time, in order, until the cloud has them all; then the next.

use std::{sync::Arc, time::Duration};

use domain::{envelope::Refusal, event::Fact};
use tokio::time::sleep;

use super::{
    Timing,
    back_off::BackOff,
    judge::{self, Meaning},
    outbox::{Desk, Next, Parcel},
    status::{ReplayState, Status},
};
use crate::{
    cloud::Cloud,
    journal::{JournalError, JournalHandle, Limits},
};

pub(super) struct Events {
    cloud: Arc<Cloud>,
    journal: JournalHandle,
    desk: Desk,
    status: Status,
    timing: Timing,
    back_off: BackOff,
    /// Everything up to here is at the cloud.
    acked: u64,
    /// Events in one batch; fewer after a 413.
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
    pub(super) fn new(
        cloud: Arc<Cloud>,
        journal: JournalHandle,
        desk: Desk,
        timing: &Timing,
        status: Status,
    ) -> Self {
        let back_off = BackOff::new(timing.first_pause, timing.longest_pause);
        let (acked, events) = (*journal.acked().borrow(), timing.batch.events);
        Self { cloud, journal, desk, status, timing: timing.clone(), back_off, acked, events }
    }

    /// Runs until it is dropped, or until the cloud has another history of this site.
    pub(super) async fn run(mut self) {
        let mut head = self.journal.head();
        loop {
            let end = *head.borrow_and_update();
            if end <= self.acked {
                self.status.well(ReplayState::Synced);
                if head.changed().await.is_err() {
                    return;
                }
                sleep(self.timing.linger).await;
                continue;
            }
            match self.step(end).await.unwrap_or_else(journal_trouble) {
                Then::GoOn => {}
                Then::Pause(state, detail, at_least) => self.pause(state, detail, at_least).await,
                Then::Stop(detail) => {
                    self.status.hindered(ReplayState::Forked, detail, 1);
                    return;
                }
            }
        }
    }

    async fn pause(&mut self, state: ReplayState, detail: String, at_least: Option<Duration>) {
        let pause = self.back_off.pause(rand::random());
        self.status.hindered(state, detail, self.back_off.failures());
        let asked = at_least.unwrap_or_default().min(self.timing.longest_retry_after);
        sleep(pause.max(asked)).await;
    }

    /// Sends what is next; `head` is the end of the journal.
    async fn step(&mut self, head: u64) -> Result<Then, JournalError> {
        let limits = Limits { events: self.events, ..self.timing.batch };
        match self.desk.next(self.acked + 1, limits).await? {
            Next::Nothing => {
                let detail = "the journal ends before its last event".to_owned();
                Ok(Then::Pause(ReplayState::Journal, detail, None))
            }
            Next::Damaged(sequence) => {
                self.set_aside(sequence, "its bytes were damaged on the site's disk".into()).await
            }
            Next::Parcel(parcel) if parcel.oversized => {
                self.set_aside(parcel.first, "it is larger than a batch may be".into()).await
            }
            Next::Parcel(parcel) => self.deliver(parcel, head).await,
        }
    }

    async fn deliver(&mut self, parcel: Parcel, head: u64) -> Result<Then, JournalError> {
        let Parcel { first, last, body, signature, .. } = parcel;
        if self.back_off.failures() == 0 {
            self.status.well(ReplayState::Sending);
        }
        let backlog = head.saturating_sub(last);
        match self.cloud.send_batch(body, signature, backlog).await {
            Ok(answer) => {
                self.heed(judge::batch(&answer, first, last, head), first, last, head).await
            }
            Err(error) => Ok(Then::Pause(ReplayState::Unreachable, error.to_string(), None)),
        }
    }

    async fn heed(
        &mut self,
        meaning: Meaning,
        first: u64,
        last: u64,
        head: u64,
    ) -> Result<Then, JournalError> {
        match meaning {
            Meaning::Acknowledged(through) => {
                self.move_to(through).await?;
                self.back_off.succeeded();
                self.events = (self.events * 2).min(self.timing.batch.events);
                Ok(Then::GoOn)
            }
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
            Meaning::Refused(refusal) => self.refused(refusal, first, head).await,
        }
    }

    async fn refused(
        &mut self,
        refusal: Refusal,
        first: u64,
        head: u64,
    ) -> Result<Then, JournalError> {
        match refusal {
            Refusal::OutOfOrder { expected } if expected > head + 1 => Ok(Then::Stop(format!(
                "the cloud has events of this site up to {}, this journal ends at {head}: it was \
                 replaced or restored from a copy",
                expected - 1
            ))),
            // Asked again for what was just sent; or sent back and forth without a success between.
            Refusal::OutOfOrder { expected }
                if expected == first || self.back_off.failures() > 0 =>
            {
                self.move_to(expected - 1).await?;
                let detail = format!("the cloud wants event {expected} and does not take it");
                Ok(Then::Pause(ReplayState::Refused, detail, None))
            }
            Refusal::OutOfOrder { expected } => {
                tracing::warn!(first, expected, "the cloud wants events from elsewhere");
                self.move_to(expected - 1).await?;
                self.back_off.pause(0.0);
                Ok(Then::GoOn)
            }
            Refusal::Forked { sequence } => Ok(Then::Stop(format!(
                "the cloud has another event {sequence} of this site: two journals claim one site"
            ))),
            Refusal::Unacceptable { sequence, reason } => self.set_aside(sequence, reason).await,
            Refusal::Unauthorised => {
                let detail = "the cloud does not know this site by this key: enrol it again".into();
                Ok(Then::Pause(ReplayState::Unauthorised, detail, None))
            }
            Refusal::Malformed { reason } => {
                let detail = format!("the cloud does not understand a batch: {}", bounded(&reason));
                Ok(Then::Pause(ReplayState::Refused, detail, None))
            }
        }
    }

    async fn move_to(&mut self, through: u64) -> Result<(), JournalError> {
        self.journal.acknowledge(through).await?;
        self.acked = through;
        Ok(())
    }

    /// Journals that the event is set aside; its place will be sent without it.
    async fn set_aside(&mut self, sequence: u64, reason: String) -> Result<Then, JournalError> {
        let reason = bounded(&reason);
        if self.desk.is_set_aside(sequence).await? {
            let detail = format!("the cloud refuses even the place of event {sequence}: {reason}");
            return Ok(Then::Pause(ReplayState::Refused, detail, None));
        }
        tracing::error!(sequence, reason, "an event is set aside");
        self.journal.append(vec![Fact::Quarantined { sequence, reason }]).await?;
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
