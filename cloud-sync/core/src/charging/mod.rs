//! Charging: requests, queues and piles as `domain::charging` schedules them, kept in the database.
//!
//! Whatever is done first lets everything happen that was due before, at the moments it was due,
//! in the same transaction; so it does not matter how often [`Charging::advance`] is called. At a
//! pile where a site's charger stands, the site starts, meters and ends; the meters of the others
//! run at the piles' power by the clock.

mod bills;
mod notices;
mod pay;
mod record;
mod settings;
mod site;
mod state;
mod told;
mod views;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use domain::charging::{Event, Mode, NewRequest, Refusal, Station};
use uuid::Uuid;

pub(crate) use self::site::{
    HAS_CHARGERS, blocked, charger_is, chargers_found, ended, metered, refused, started,
};
pub use self::{
    bills::{Bill, BillFilter},
    notices::{Notice, Notification},
    settings::ParametersChange,
    views::{Car, PileView, Piles, Queues, RequestStatus, Waiting},
};
use crate::{
    base::Base,
    calendar::day_of,
    caller::{Actor, Caller},
    error::{Error, Result},
    logs::Entry,
    store::Transaction,
};

/// The station that schedules all piles, those of sites and the simulated ones.
const SITE: &str = "default";
/// Most that can be asked for, in watt-hours: a megawatt-hour.
const MOST_WH: i64 = 1_000_000;

/// What somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// How to charge.
    pub mode: Mode,
    /// How much, in watt-hours: 1 to 1000000.
    pub requested_wh: i64,
    /// What the battery holds, where it is known, in watt-hours.
    pub battery_wh: Option<i64>,
}

/// What is to be different about a request; nothing where it is left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct WishChange {
    /// How to charge.
    pub mode: Option<Mode>,
    /// How much, in watt-hours: 1 to 1000000.
    pub requested_wh: Option<i64>,
}

/// Charging.
pub struct Charging {
    base: Base,
    zone: Tz,
}

/// The moment at which something is done.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now_ms: i64,
    day: NaiveDate,
    zone: Tz,
}

impl Moment {
    pub(crate) fn new(zone: Tz, now: DateTime<Utc>) -> Self {
        Self { now_ms: now.timestamp_millis(), day: day_of(zone, now), zone }
    }
}

/// What a step has left.
struct Outcome {
    station: Station,
    bills: Vec<(Uuid, String)>,
}

impl Charging {
    pub(crate) const fn new(base: Base, zone: Tz) -> Self {
        Self { base, zone }
    }

    /// The time zone of days, hours and tariff periods.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// Lets everything happen that is due by now.
    ///
    /// # Errors
    /// [`Error::Store`] where the database cannot be used.
    pub async fn advance(&self) -> Result<()> {
        let moment = self.moment();
        let due_ms = self.base.store.read(state::due_ms).await?;
        if due_ms.is_some_and(|due_ms| due_ms <= moment.now_ms) {
            self.base.store.write(move |tx| catch_up(tx, moment).map(drop)).await?;
            self.base.changed();
        }
        Ok(())
    }

    /// Asks to charge.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an amount that cannot be charged, [`Error::Refused`] with
    /// `duplicate_request` or `queue_full`.
    pub async fn ask(&self, caller: &Caller, wish: Wish) -> Result<RequestStatus> {
        let (user, actor) = (caller.own_id()?, caller.actor());
        check_amount("requested_amount", wish.requested_wh)?;
        wish.battery_wh.map_or(Ok(()), |battery| check_amount("battery_capacity", battery))?;
        let Wish { mode, requested_wh, battery_wh } = wish;
        let new = NewRequest { id: Uuid::new_v4(), user, mode, requested_wh, battery_wh };
        self.write(move |tx, moment| {
            let id = new.id;
            let submit = |station: &mut Station| station.submit(moment.now_ms, moment.day, new);
            let outcome = act(tx, moment, submit)?;
            let status = views::status(&outcome.station, id, moment.now_ms)?;
            let (number, kwh) = (status.request.queue_number(), requested_wh as f64 / 1000.0);
            log(tx, moment, actor, format!("{number} asks for {kwh} kWh"))?;
            Ok(status)
        })
        .await
    }

    /// Changes a request of the caller that is not charging yet.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for an amount that cannot be charged,
    /// [`Error::Refused`] with `charging` or `queue_full`.
    pub async fn change(
        &self,
        caller: &Caller,
        id: Uuid,
        change: WishChange,
    ) -> Result<RequestStatus> {
        let user = caller.own_id()?;
        let WishChange { mode, requested_wh } = change;
        requested_wh.map_or(Ok(()), |amount| check_amount("requested_amount", amount))?;
        self.write(move |tx, moment| {
            let outcome = act(tx, moment, |station| {
                own(station, id, user)?;
                station.change(moment.now_ms, moment.day, id, mode, requested_wh)
            })?;
            views::status(&outcome.station, id, moment.now_ms)
        })
        .await
    }

    /// Calls off a request of the caller that is not charging yet, and returns its queue number.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Refused`] with `charging`.
    pub async fn cancel(&self, caller: &Caller, id: Uuid) -> Result<String> {
        let (user, actor) = (caller.own_id()?, caller.actor());
        self.write(move |tx, moment| {
            let mut number = String::new();
            act(tx, moment, |station| {
                number = own(station, id, user)?;
                station.cancel(moment.now_ms, id)
            })?;
            log(tx, moment, actor, format!("{number} is called off"))?;
            Ok(number)
        })
        .await
    }

    /// Ends the caller's charging and returns the bill. What a site charges ends when the site says
    /// so, which is waited for until `end`.
    ///
    /// # Errors
    /// [`Error::NotFound`] without an active request (or where it is not the given one),
    /// [`Error::Refused`] with `not_charging`, or `site_away` where the site has not answered yet.
    pub async fn complete(
        &self,
        caller: &Caller,
        id: Option<Uuid>,
        end: impl Future<Output = ()>,
    ) -> Result<Bill> {
        let (user, actor) = (caller.own_id()?, caller.actor());
        let asked = self.write(move |tx, moment| {
            let mut ended = Uuid::nil();
            let outcome = act(tx, moment, |station| {
                let active = station.request_of(user).filter(|r| id.is_none_or(|id| id == r.id));
                ended = active.ok_or(Refusal::NoRequest)?.id;
                station.complete(moment.now_ms, ended)
            })?;
            let bill = outcome.bills.iter().find(|(request, _)| *request == ended);
            let Some((_, bill)) = bill else {
                log(tx, moment, actor, "a site is asked to end charging".to_owned())?;
                return bills::session_of(tx, ended).map(Err);
            };
            let bill = bills::find(tx, user, bill)?;
            let (pile, total) = (&bill.pile, bill.costs.total());
            log(tx, moment, actor, format!("charging at {pile} is ended, {total} yuan"))?;
            Ok(Ok(bill))
        });
        match asked.await? {
            Ok(bill) => Ok(bill),
            Err(session) => self.billed(user, session, end).await,
        }
    }

    /// Waits until a session is billed.
    async fn billed(
        &self,
        user: i64,
        session: String,
        end: impl Future<Output = ()>,
    ) -> Result<Bill> {
        let mut changes = self.base.changes.subscribe();
        tokio::pin!(end);
        let mut is_over = false;
        loop {
            let session = session.clone();
            let found =
                self.base.store.read(move |tx| bills::of_session(tx, user, &session)).await?;
            match found {
                Some(bill) => return Ok(bill),
                None if is_over => return Err(Error::Refused("site_away")),
                None => {}
            }
            tokio::select! {
                // The sender lives as long as the service does.
                _ = changes.changed() => {}
                () = &mut end => is_over = true,
            }
        }
    }

    fn moment(&self) -> Moment {
        Moment::new(self.zone, self.base.clock.now().wall)
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Transaction, Moment) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let moment = self.moment();
        let done = self.base.store.write(move |tx| work(tx, moment)).await?;
        self.base.changed();
        Ok(done)
    }

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut dyn Transaction, &Station, i64) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.advance().await?;
        let now_ms = self.base.now_ms();
        let read = self.base.store.read(move |tx| {
            let station = state::load(tx)?;
            look(tx, &station, now_ms)
        });
        read.await
    }
}

/// The site with everything that was due.
fn catch_up(tx: &mut dyn Transaction, moment: Moment) -> Result<Station> {
    let mut station = state::load(tx)?;
    if station.due_ms().is_some_and(|due_ms| due_ms <= moment.now_ms) {
        let before = station.clone();
        let events = station.advance(moment.now_ms);
        keep(tx, moment, &before, &station, &events)?;
    }
    Ok(station)
}

/// Does something at the site, after everything that was due before.
fn act(
    tx: &mut dyn Transaction,
    moment: Moment,
    act: impl FnOnce(&mut Station) -> Result<Vec<Event>, Refusal>,
) -> Result<Outcome> {
    let before = catch_up(tx, moment)?;
    let mut station = before.clone();
    let events = act(&mut station)?;
    let bills = keep(tx, moment, &before, &station, &events)?;
    Ok(Outcome { station, bills })
}

fn keep(
    tx: &mut dyn Transaction,
    moment: Moment,
    before: &Station,
    after: &Station,
    events: &[Event],
) -> Result<Vec<(Uuid, String)>> {
    let bills = record::record(tx, moment.zone, &after.parameters().tariff, events)?;
    state::save(tx, before, after)?;
    Ok(bills)
}

/// The queue number of an active request, which must be the user's own.
fn own(station: &Station, id: Uuid, user: i64) -> Result<String, Refusal> {
    let request = station.requests().get(&id).filter(|request| request.user == user);
    Ok(request.ok_or(Refusal::NoRequest)?.queue_number())
}

fn check_amount(field: &'static str, amount_wh: i64) -> Result<()> {
    if (1..=MOST_WH).contains(&amount_wh) {
        return Ok(());
    }
    Err(Error::invalid(field, "use a number of kWh from 0.001 to 1000"))
}

fn log(tx: &mut dyn Transaction, moment: Moment, actor: Actor, message: String) -> Result<()> {
    let entry = Entry::of_person(String::new(), moment.now_ms, actor, "charging", message);
    Ok(entry.write(tx)?)
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let amount = |problem| Self::invalid("requested_amount", problem);
        match refusal {
            Refusal::Duplicate => Self::Refused("duplicate_request"),
            Refusal::QueueFull => Self::Refused("queue_full"),
            Refusal::NoRequest => Self::NotFound("request"),
            Refusal::NoPile => Self::NotFound("pile"),
            Refusal::Charging => Self::Refused("charging"),
            Refusal::NotCharging => Self::Refused("not_charging"),
            Refusal::OverCapacity => amount("is more than the battery holds"),
            Refusal::Delivered => amount("has been delivered already; ask for more"),
        }
    }
}
