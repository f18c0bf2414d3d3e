//! The chargers in the control loop: what happens to them goes to their bookkeeping, what that says
//! to the disk, and what is on the disk to the chargers.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{
    directive::Directive,
    event::{Fact, Outcome},
    ids::{CommandId, DeviceId},
};
use uuid::Uuid;

use super::{core::Core, translate};
use crate::{
    charger::{Assignment, Chargers, Commit, Input, Target},
    controller::{self, Action, What, charger::News},
    journal::JournalError,
};

/// How long what a charger is told may be under way. Its lease counts from when it arrives.
const UNDER_WAY: Duration = Duration::from_secs(3);

/// The chargers, and what could not be journaled yet.
pub(super) struct Charging {
    pub chargers: Chargers,
    /// What happened while the disk took nothing; it goes first when it does again.
    pub unwritten: Vec<Fact>,
}

impl Core {
    /// What a controller says, where it is a charger or a meter.
    pub(super) async fn charger_report(&mut self, device: DeviceId, what: What) {
        let input = match what {
            What::Online => Input::Online(device),
            What::Offline { reason } => Input::Offline(device, reason),
            What::Charger(News::Status(status)) => {
                Input::Status(device, translate::charger_status(status))
            }
            What::Charger(News::Meter(meter)) => Input::Metered(device, translate::meter(meter)),
            What::Result { outcome, refusal, .. } if outcome != Outcome::Accepted => {
                tracing::warn!(%device, ?outcome, refusal, "a charger does not do what it is told");
                return self.was_not_told(&device);
            }
            _ => return,
        };
        self.step_chargers(input).await;
    }

    /// One step of the chargers, carried out.
    pub(super) async fn step_chargers(&mut self, input: Input) {
        let now = self.clock.now();
        let Some(charging) = &mut self.charging else { return };
        let commit = charging.chargers.step(input, now);
        // The journal logs its own failures; what it did not take is kept for the next time.
        let _ = self.charge(commit).await;
    }

    /// What the cloud tells of charging, or why it is passed over.
    pub(super) fn follow_charging(
        &mut self,
        sequence: u64,
        directive: Directive,
        now: DateTime<Utc>,
    ) -> Result<Commit, String> {
        let stamp = self.clock.now();
        let charging = self.charging.as_mut().ok_or("this site has no chargers")?;
        let done = match directive {
            Directive::Charge { session, pile, energy_wh, battery_wh, begin_within_s, borders } => {
                let (directive, told_at) = (sequence, now);
                let assignment = Assignment {
                    session,
                    pile,
                    energy_wh,
                    battery_wh,
                    begin_within_s,
                    borders,
                    directive,
                    told_at,
                };
                charging.chargers.assign(assignment, stamp)
            }
            Directive::StopCharge { session } => charging.chargers.stop(session, sequence, stamp),
            _ => return Err("it is not about charging".to_owned()),
        };
        done.map_err(|refusal| refusal.to_string())
    }

    /// Facts to the disk, then targets to the chargers.
    pub(super) async fn charge(&mut self, commit: Commit) -> Result<(), JournalError> {
        let Some(charging) = &mut self.charging else { return Ok(()) };
        let mut facts = std::mem::take(&mut charging.unwritten);
        facts.extend(commit.facts);
        if !facts.is_empty() {
            let journaled = self.append(facts.clone()).await;
            if let (Err(error), Some(charging)) = (journaled, &mut self.charging) {
                charging.unwritten = facts;
                commit
                    .targets
                    .iter()
                    .for_each(|(device, _)| charging.chargers.was_not_told(device));
                return Err(error);
            }
        }
        commit.targets.into_iter().for_each(|(device, target)| self.tell(&device, target));
        Ok(())
    }

    /// Tells a charger what it may let a car take; again soon where that cannot be sent.
    fn tell(&mut self, device: &DeviceId, target: Target) {
        let command = controller::Command {
            id: CommandId(Uuid::new_v4()),
            action: Action::Charger(translate::target(target)),
            expires_in: UNDER_WAY,
        };
        if let Err(error) = self.controllers.send(device, command) {
            tracing::debug!(%error, "a charger was not told");
            self.was_not_told(device);
        }
    }

    fn was_not_told(&mut self, device: &DeviceId) {
        if let Some(charging) = &mut self.charging {
            charging.chargers.was_not_told(device);
        }
    }
}
