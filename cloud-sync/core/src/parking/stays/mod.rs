//! Stays: what the documents call parking sessions and transactions. One plate is inside a site
//! once, one car stands on a spot; both are decided by the database.

mod assign;
mod barrier;
mod before;
mod enter;
mod exit;
mod place;
mod query;
mod record;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    access::Term,
    money::Fen,
    parking::{Session, charged_from},
    tariff::Tariff,
};

pub use self::assign::Assignment;
pub(crate) use self::{
    barrier::{Closed, Opened, barrier_closed, barrier_opened, renamed},
    enter::{Arrival, By, enter, inside},
    exit::left_spot,
    place::{SpotReading, found_at, read_at, spot_site},
    query::{OWN_STAYS, Whose, get, of_site},
    record::record,
};
use super::{Parking, Spot, VehicleType};
use crate::{
    caller::{Caller, Operator},
    error::{Error, Result},
    plates::Window,
    vehicles::Vehicle,
};

/// One stay of one car.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// Its number: the `session_<n>` of hz, the transaction of smart.
    pub id: i64,
    /// The UUID that the site or the cloud gave it.
    pub session_id: String,
    /// The site.
    pub site: String,
    /// Whether the site's journal told of it: a barrier lets the car out.
    pub by_barrier: bool,
    /// The plate; empty where the car was let in unread.
    pub plate: String,
    /// The car; none where it was let in unread.
    pub vehicle: Option<Vehicle>,
    /// Where it stands or stood.
    pub spot: Option<Spot>,
    /// The account that it was begun for.
    pub user: Option<i64>,
    /// The kind of vehicle, where it is known.
    pub vehicle_type: Option<VehicleType>,
    /// When it began, in milliseconds UTC.
    pub entered_at_ms: i64,
    /// What it costs; none where parking is free.
    pub tariff: Option<StayTariff>,
    /// When it ended, in milliseconds UTC; none while the car is inside.
    pub exited_at_ms: Option<i64>,
    /// What it cost in all, once it has ended.
    pub fee_fen: Option<i64>,
    /// What was taken for it in all, before refunds.
    pub paid_fen: i64,
    /// When the last of it was paid, in milliseconds UTC.
    pub paid_at_ms: Option<i64>,
    /// How long after paying the car may leave, by what its site goes by.
    pub grace: TimeDelta,
    /// When the permits of its plate hold, where a barrier lets it out: nothing is due then.
    pub permits: Vec<Term>,
}

/// The tariff of a stay, as it stood at the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StayTariff {
    /// Its number; none for one that a site brought along, and for the one that holds where
    /// nobody has made any.
    pub id: Option<i64>,
    /// Its name.
    pub name: String,
    /// What it asks.
    pub tariff: Tariff,
}

impl Stay {
    /// What the stay costs in all at a moment, or cost when it ended.
    pub fn fee_at(&self, now_ms: i64) -> Fen {
        let until_ms = self.exited_at_ms.unwrap_or(now_ms);
        match (self.fee_fen, &self.tariff, self.charged_from(until_ms)) {
            (Some(fee), _, _) => Fen(fee),
            (None, Some(tariff), Some(from)) => tariff.tariff.fee(from, super::moment(until_ms)),
            (None, _, _) => Fen::ZERO,
        }
    }

    /// From when on it is charged at a moment; none while a permit holds.
    fn charged_from(&self, at_ms: i64) -> Option<DateTime<Utc>> {
        let (entered_at, at) = (super::moment(self.entered_at_ms), super::moment(at_ms));
        let is_permitted = self.permits.iter().any(|term| term.covers(at));
        (!is_permitted).then(|| charged_from(entered_at, self.permits.iter().copied()))
    }

    /// What is still to be paid at a moment. Whoever has paid all has some minutes to leave.
    pub fn owed_at(&self, now_ms: i64) -> Fen {
        if let Some(fee) = self.fee_fen {
            return Fen((fee - self.paid_fen).max(0));
        }
        let Some(from) = self.charged_from(self.exited_at_ms.unwrap_or(now_ms)) else {
            return Fen::ZERO;
        };
        let tariff = self.tariff.as_ref().map(|tariff| tariff.tariff.clone());
        let session = Session {
            id: domain::ids::SessionId(uuid::Uuid::nil()),
            plate: String::new(),
            entered_at: from,
            exited_at: self.exited_at_ms.map(super::moment),
            tariff,
            paid: Fen(self.paid_fen),
            paid_at: self.paid_at_ms.map(super::moment),
        };
        session.bill(super::moment(now_ms), self.grace).owed
    }

    /// Whether the car is inside.
    pub const fn is_active(&self) -> bool {
        self.exited_at_ms.is_none()
    }
}

/// Which stays are wanted; none of it means all.
#[derive(Debug, Clone, Default)]
pub struct StayFilter {
    /// Whether the car is inside.
    pub active: Option<bool>,
    /// Of this car.
    pub vehicle: Option<i64>,
    /// On this spot.
    pub spot: Option<i64>,
}

/// A car that is driven in by hand: its number, and where it is put.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Number of the car.
    pub vehicle: i64,
    /// Number of the spot.
    pub spot: i64,
}

impl Parking {
    /// The stays that fit, newest first, and how many fit in all; users see their own alone.
    pub async fn stays(
        &self,
        caller: &Caller,
        filter: StayFilter,
        window: Option<Window>,
    ) -> Result<(Vec<Stay>, i64)> {
        let whose = Whose::of(caller)?;
        self.base.store.read(move |tx| query::page(tx, whose, &filter, window)).await
    }

    /// One stay.
    ///
    /// # Errors
    /// [`Error::NotFound`], also where it is another user's.
    pub async fn stay(&self, caller: &Caller, id: i64) -> Result<Stay> {
        let whose = Whose::of(caller)?;
        self.base.store.read(move |tx| query::get(tx, whose, id)).await
    }

    /// A car enters and takes a spot.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a car or spot that is not there, [`Error::Refused`]
    /// `slot_not_available` or `already_inside`.
    pub async fn enter(&self, operator: &Operator, entry: Entry) -> Result<Stay> {
        let (actor, now_ms) = (operator.actor(), self.base.now_ms());
        let made = self.base.store.write(move |tx| {
            let id = enter::by_hand(tx, entry, actor, now_ms)?;
            query::get(tx, Whose::All, id)
        });
        self.changed(made.await)
    }

    /// A car leaves: its stay ends, its fee stands, its spot is free.
    ///
    /// # Errors
    /// [`Error::NotFound`] `transaction` where no such stay is active.
    pub async fn exit(&self, operator: &Operator, id: i64) -> Result<Stay> {
        let (actor, now_ms) = (operator.actor(), self.base.now_ms());
        let left = self.base.store.write(move |tx| {
            exit::by_hand(tx, id, actor, now_ms)?;
            query::get(tx, Whose::All, id)
        });
        self.changed(left.await)
    }

    /// Finds a spot for a car; one that is inside keeps the stay that it has. Users do so for
    /// themselves alone.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what cannot be used; [`Error::Refused`] `no_spot` where nothing is
    /// free, `slot_not_available` where the wanted one is taken, `already_inside` where the plate
    /// is another user's; [`Error::Forbidden`] for another user.
    pub async fn auto_assign(&self, caller: &Caller, wanted: Assignment) -> Result<Stay> {
        let (caller, now_ms) = (caller.clone(), self.base.now_ms());
        let made = self.base.store.write(move |tx| {
            let id = assign::assign(tx, &caller, &wanted, now_ms)?;
            query::get(tx, Whose::All, id)
        });
        self.changed(made.await)
    }
}

/// No such stay that is active.
pub(crate) const NO_ACTIVE: Error = Error::NotFound("transaction");
