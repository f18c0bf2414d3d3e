//! What the cloud tells the site to do, carried out by the control loop: once, in order, and in one
//! transaction with the note that it was.

use chrono::{DateTime, Utc};
use domain::{directive::Directive, event::Fact, money::Fen, plate::TypedPlate, tariff::Tariff};
use tokio::time::Instant;
use uuid::Uuid;

use super::core::Core;
use crate::{
    charger,
    directives::Told,
    gate::{Commit, FromCloud, Input, Payment, Requester},
    journal::JournalError,
    lists::News,
    locker::{self, Asked},
};

/// Who took a fee that was paid at the cloud.
const CLOUD: &str = "cloud";
/// Why a command is passed over whose life is over.
const TOO_LATE: &str = "it came too late: its time is over";

/// What follows from a directive, to be journaled and then carried out.
enum Followed {
    Gate(Commit),
    Chargers(charger::Commit),
    Lockers(locker::Commit),
}

impl Core {
    /// Carries a directive out, and answers whether it is in the journal.
    pub(super) async fn directive(&mut self, told: Told) {
        let Told { sequence, what, now, expires, done } = told;
        let journaled = if sequence <= self.directives_through {
            Ok(())
        } else if let Err(error) = self.settle().await {
            Err(error)
        } else {
            match what {
                Ok(directive) if expires.is_some_and(|end| Instant::now() >= end) => {
                    self.pass_over(sequence, directive.kind().to_owned(), TOO_LATE.to_owned()).await
                }
                Ok(directive) => self.obey(sequence, directive, now, expires).await,
                Err(error) => self.pass_over(sequence, error.kind, error.reason).await,
            }
        };
        if journaled.is_ok() {
            self.directives_through = self.directives_through.max(sequence);
        }
        // Who asked for it has gone where the daemon stops.
        let _ = done.send(journaled.is_ok());
    }

    async fn obey(
        &mut self,
        sequence: u64,
        directive: Directive,
        now: DateTime<Utc>,
        expires: Option<Instant>,
    ) -> Result<(), JournalError> {
        let kind = directive.kind().to_owned();
        match self.follow(sequence, directive, now, expires) {
            Ok(Followed::Gate(commit)) => self.carry_out_durably(commit).await,
            Ok(Followed::Chargers(commit)) => self.charge(commit).await,
            Ok(Followed::Lockers(commit)) => self.carry_out_at_lockers(commit).await,
            Err(reason) => self.pass_over(sequence, kind, reason).await,
        }
    }

    /// What follows from a directive, with the note that it was carried out; or why it cannot be.
    fn follow(
        &mut self,
        sequence: u64,
        directive: Directive,
        now: DateTime<Utc>,
        expires: Option<Instant>,
    ) -> Result<Followed, String> {
        let done = Fact::DirectiveDone { directive: sequence, kind: directive.kind().to_owned() };
        match directive {
            // Its fact names the directive itself.
            Directive::Paid { session, amount_fen, method, paid_at } => {
                let ago_ms = (now - paid_at).num_milliseconds();
                let from_cloud = Some(FromCloud { directive: sequence, ago_ms });
                let (amount, by) = (Fen(amount_fen), CLOUD.to_owned());
                let payment = Payment { session, amount, method, by, from_cloud };
                let paid = self.gate.pay(payment, self.clock.now(), &mut Uuid::new_v4);
                paid.map(Followed::Gate).map_err(|error| error.to_string())
            }
            Directive::Open { lane, by } => {
                let request = Input::Request(Requester::Operator(format!("{by} ({CLOUD})")));
                let commit = self.gate.step(&lane, request, self.clock.now(), &mut Uuid::new_v4);
                if commit.is_empty() {
                    return Err(format!("there is no lane `{lane}`"));
                }
                Ok(Followed::Gate(commit.with(done)))
            }
            // Their facts name the directive themselves.
            Directive::Cabinet(cabinet) => {
                let commit = self.lockers.tell(sequence, cabinet, now, self.clock.now());
                Ok(Followed::Lockers(commit))
            }
            Directive::OpenCabinet { command, cabinet, order } => {
                let expires_in_ms = left_ms(expires);
                let asked = Asked { directive: sequence, command, cabinet, order, expires_in_ms };
                Ok(Followed::Lockers(self.lockers.open_for_cloud(asked, self.clock.now())))
            }
            Directive::Charge { .. } | Directive::StopCharge { .. } => {
                self.follow_charging(sequence, directive, now).map(Followed::Chargers)
            }
            Directive::Parameters { parameters } => {
                parameters.check().map_err(|bad| bad.to_string())?;
                Ok(Followed::Gate(self.set(Fact::ParametersSet { parameters }).with(done)))
            }
            Directive::Tariff { area, name, tariff } => {
                let checked = tariff.as_ref().map_or(Ok(()), Tariff::check);
                checked.map_err(|bad| bad.to_string())?;
                Ok(Followed::Gate(self.set(Fact::TariffSet { area, name, tariff }).with(done)))
            }
            Directive::Renamed { session, plate } => {
                let plate = TypedPlate::parse(&plate).map_err(|bad| bad.to_string())?;
                let (now, ids) = (self.clock.now(), &mut Uuid::new_v4);
                let renamed = self.gate.rename(session, plate.normal(), now, ids);
                Ok(Followed::Gate(renamed.map_err(|error| error.to_string())?.with(done)))
            }
        }
    }

    fn set(&mut self, setting: Fact) -> Commit {
        self.gate.set(setting, self.clock.now(), &mut Uuid::new_v4)
    }

    /// News of the cloud's list of who may enter.
    pub(super) async fn list(&mut self, news: News) {
        let now = self.clock.now();
        match news {
            News::Changed(listed) => {
                let commit = self.gate.take_list(listed, now, &mut Uuid::new_v4);
                // The journal counts and logs its own failures. The list holds all the same.
                let _ = self.carry_out(commit, None).await;
            }
            News::Confirmed(at) => {
                let ago_ms = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.gate.confirm_list(now.monotonic_ms.saturating_sub(ago_ms));
            }
        }
    }

    async fn pass_over(
        &mut self,
        directive: u64,
        kind: String,
        reason: String,
    ) -> Result<(), JournalError> {
        tracing::warn!(directive, kind, reason, "a directive of the cloud is passed over");
        self.append(vec![Fact::DirectiveSkipped { directive, kind, reason }]).await
    }
}

/// How much is left of a command's life, in milliseconds.
fn left_ms(expires: Option<Instant>) -> u64 {
    let left = expires.map(|end| end.saturating_duration_since(Instant::now()));
    left.map_or(0, |left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
}
