//! What the disk does not take. The gate decides on: what it decides is kept in memory, in order and
//! with its time, until the disk takes it again; then the journal also says that there was such a
//! time. While the disk is away, nothing is acknowledged to anybody, and a power cut loses what is
//! kept here. That is the price of a barrier that still opens.

use domain::{clock::Stamp, event::Fact};

use super::core::Core;
use crate::{gate::Commit, journal::JournalError};

/// Facts that are kept at most: days of a quiet site, hours of a busy one.
const MOST: usize = 20_000;
/// Time between attempts, so that a disk that fails slowly does not stop the gate.
const BETWEEN_MS: u64 = 1000;

/// Facts that are not on the disk, oldest first.
#[derive(Default)]
pub(super) struct Unwritten {
    facts: Vec<(Stamp, Fact)>,
    trouble: Option<Trouble>,
    lost: u64,
}

struct Trouble {
    since: Stamp,
    tried_ms: u64,
    failures: u64,
    reason: String,
}

impl Unwritten {
    /// Whether everything is on the disk.
    pub(super) fn is_empty(&self) -> bool {
        self.trouble.is_none()
    }

    /// How many facts wait for the disk.
    pub(super) fn count(&self) -> usize {
        self.facts.len()
    }

    /// Whether it is too early to try the disk again.
    pub(super) fn is_early(&self, now: Stamp) -> bool {
        let early = |trouble: &Trouble| now.monotonic_ms < trouble.tried_ms + BETWEEN_MS;
        self.trouble.as_ref().is_some_and(early)
    }

    /// The disk did not take something.
    pub(super) fn failed(&mut self, now: Stamp, error: &JournalError) {
        let first = || Trouble { since: now, tried_ms: 0, failures: 0, reason: told(error) };
        let trouble = self.trouble.get_or_insert_with(first);
        trouble.tried_ms = now.monotonic_ms;
        trouble.failures += 1;
    }

    /// Keeps facts. Where there are too many, telemetry is not kept, and then nothing more.
    pub(super) fn keep(&mut self, now: Stamp, facts: Vec<Fact>) {
        for fact in facts {
            if self.facts.len() >= MOST || (fact.is_telemetry() && self.facts.len() >= MOST / 2) {
                self.lost += 1;
            } else {
                self.facts.push((now, fact));
            }
        }
    }

    /// What is to be journaled now that the disk may take it: that there was such a time, and
    /// everything of it.
    pub(super) fn all(&self, now: Stamp) -> Vec<(Stamp, Fact)> {
        let Some(Trouble { since, failures, reason, .. }) = &self.trouble else {
            return Vec::new();
        };
        let for_ms = now.monotonic_ms.saturating_sub(since.monotonic_ms);
        let (failures, lost, reason) = (*failures, self.lost, reason.clone());
        let fact = Fact::JournalUnwritable { for_ms, failures, lost, reason };
        std::iter::once((now, fact)).chain(self.facts.iter().cloned()).collect()
    }
}

impl Core {
    /// Journals facts; where the disk does not take them, they are kept until it does.
    pub(super) async fn remember(&mut self, facts: Vec<Fact>) -> Result<(), JournalError> {
        let now = self.now();
        if self.settle().await.is_err() {
            self.keep(now, facts);
            return Ok(());
        }
        match self.append(facts.clone()).await {
            Err(error) if error.is_of_the_disk() => {
                self.unwritten.failed(now, &error);
                self.keep(now, facts);
                Ok(())
            }
            appended => appended,
        }
    }

    fn keep(&mut self, now: Stamp, facts: Vec<Fact>) {
        self.unwritten.keep(now, facts);
        self.health.unwritten(self.unwritten.count());
    }

    /// Journals what the disk has not taken before. Where it still does not, everything waits.
    pub(super) async fn settle(&mut self) -> Result<(), JournalError> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let now = self.now();
        if self.unwritten.is_early(now) {
            return Err(JournalError::Waits);
        }
        match self.journal.append_late(self.unwritten.all(now)).await {
            Ok(events) => {
                tracing::warn!(events = events.len(), "the disk takes events again");
                events.iter().for_each(|event| self.health.event(event));
                self.unwritten = Unwritten::default();
                self.health.unwritten(0);
                Ok(())
            }
            Err(error) => {
                self.unwritten.failed(now, &error);
                Err(error)
            }
        }
    }

    /// Journals what money or a directive hangs on, then moves barriers: on the disk or not at all.
    pub(super) async fn carry_out_durably(&mut self, commit: Commit) -> Result<(), JournalError> {
        self.append(commit.facts().to_vec()).await?;
        self.move_barriers(commit, None).await
    }
}

/// The error with its causes, on one line.
fn told(error: &JournalError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
    let told = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    told.chars().take(300).collect()
}
