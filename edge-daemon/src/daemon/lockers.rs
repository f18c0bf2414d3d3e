//! The wiring of the lockers' books: what controllers report goes in, facts go to the disk, and
//! what is on the disk goes to the controllers.

use std::time::Duration;

use domain::{event::Outcome, ids::DeviceId};
use uuid::Uuid;

use super::{core::Core, translate};
use crate::{
    console::Answer,
    controller::{self, What},
    journal::JournalError,
    locker::{self, Input},
};

impl Core {
    /// What follows from what a locker's controller reports.
    pub(super) fn of_locker(&mut self, device: &DeviceId, what: What) -> locker::Commit {
        let input = match what {
            What::Online => Input::Online,
            What::Offline { reason } => Input::Offline { reason },
            What::Result { command, outcome, refusal, sent_to_result_ms } => {
                Input::Result { command, outcome, refusal, elapsed_ms: sent_to_result_ms }
            }
            What::Locker(news) => translate::at_locker(news),
            _ => return locker::Commit::default(),
        };
        self.lockers.step(device, input, self.clock.now(), &mut Uuid::new_v4)
    }

    /// Facts to the disk, then commands to the controllers.
    pub(super) async fn carry_out_at_lockers(
        &mut self,
        commit: locker::Commit,
    ) -> Result<(), JournalError> {
        let mut undone = vec![commit];
        while let Some(commit) = undone.pop() {
            if commit.is_empty() {
                continue;
            }
            self.append(commit.facts().to_vec()).await?;
            for command in commit.journaled() {
                undone.extend(self.send_to_locker(command));
            }
        }
        Ok(())
    }

    /// Sends a command. Where that is impossible the books are told at once, and what follows from
    /// that is returned.
    fn send_to_locker(&mut self, command: locker::Command) -> Option<locker::Commit> {
        let locker::Command { id, device, action, expires_in_ms } = command;
        let (action, expires_in) =
            (translate::to_locker(action), Duration::from_millis(expires_in_ms));
        let sent = self.controllers.send(&device, controller::Command { id, action, expires_in });
        let error = sent.err()?;
        tracing::warn!(%error, "a command was not sent");
        let what = What::Result {
            command: id,
            outcome: Outcome::Unanswered,
            refusal: None,
            sent_to_result_ms: None,
        };
        Some(self.of_locker(&device, what))
    }

    /// Looks at the time.
    pub(super) async fn tick_lockers(&mut self) {
        let commit = self.lockers.tick(self.clock.now());
        // The journal counts and logs its own failures; nothing moves without it.
        let _ = self.carry_out_at_lockers(commit).await;
    }

    /// An operator at the site asks for a door.
    pub(super) async fn open_for_operator(&mut self, cabinet: &str, by: String) -> Answer {
        let (now, ids) = (self.clock.now(), &mut Uuid::new_v4);
        let commit = match self.lockers.open_for_operator(cabinet, by, now, ids) {
            Ok(commit) => commit,
            Err(why) => {
                let reason = format!("`{cabinet}` stays closed: {}", why.word());
                return Answer { done: false, reason };
            }
        };
        match self.carry_out_at_lockers(commit).await {
            Ok(()) => Answer { done: true, reason: format!("`{cabinet}` is told to open") },
            Err(error) => Answer { done: false, reason: error.to_string() },
        }
    }
}
