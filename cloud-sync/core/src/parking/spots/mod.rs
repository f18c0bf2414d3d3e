//! Spots: places for one car each. A spot is `occupied` while a session stands on it, or because
//! somebody said so by hand; which car stands where is the session's.

mod change;
mod query;
mod status;

use std::str::FromStr;

pub(super) use self::query::{COLUMNS as SPOT_COLUMNS, JOINS as SPOT_JOINS, get, read};
pub(super) use self::status::{free, occupy, release};
use super::{Parking, VehicleType};
use crate::{
    caller::{Admin, Caller, Operator},
    error::{Error, Result},
    plates::Window,
};

/// What a spot is good for right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpotStatus {
    /// A car can take it.
    Available,
    /// A car stands there.
    Occupied,
    /// It is kept for somebody.
    Reserved,
    /// Nobody can use it.
    Maintenance,
}

impl SpotStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Available, Self::Occupied, Self::Reserved, Self::Maintenance];

    /// The word for it, as documents have it and as it is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Occupied => "occupied",
            Self::Reserved => "reserved",
            Self::Maintenance => "maintenance",
        }
    }
}

impl FromStr for SpotStatus {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| {
            Error::invalid("status", "use available, occupied, reserved or maintenance")
        })
    }
}

/// A spot and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Its number.
    pub id: i64,
    /// The site it belongs to.
    pub site: String,
    /// The number that is painted on it.
    pub number: String,
    /// Number of its area.
    pub area_id: i64,
    /// Name of its area.
    pub area_name: String,
    /// `standard`, `compact`, `regular`, `large`, or another word.
    pub spot_type: String,
    /// What it is good for.
    pub status: SpotStatus,
    /// The kind of vehicle that stands there, where it is known.
    pub vehicle_type: Option<VehicleType>,
    /// The session of the car that stands there.
    pub session: Option<i64>,
    /// The plate of the car that stands there, or that it is kept for.
    pub plate: Option<String>,
    /// When the car that stands there entered, in milliseconds UTC.
    pub entered_at_ms: Option<i64>,
    /// Whether it is in use.
    pub is_active: bool,
    /// When it was made, in milliseconds UTC.
    pub created_at_ms: i64,
    /// When anything about it last changed, in milliseconds UTC.
    pub updated_at_ms: i64,
}

/// Which spots are wanted; none of it means all in use.
#[derive(Debug, Clone, Default)]
pub struct SpotFilter {
    /// Of this area.
    pub area: Option<i64>,
    /// In this state.
    pub status: Option<SpotStatus>,
    /// With such a vehicle.
    pub vehicle_type: Option<VehicleType>,
}

/// A spot that is to be made.
#[derive(Debug, Clone, Default)]
pub struct NewSpot {
    /// The number that is painted on it, 1 to 50 characters.
    pub number: String,
    /// Its area; none for the first of the default site.
    pub area: Option<i64>,
    /// 1 to 30 characters.
    pub spot_type: String,
}

/// What changes of a spot; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct SpotChange {
    /// See [`NewSpot::number`].
    pub number: Option<String>,
    /// See [`NewSpot::spot_type`].
    pub spot_type: Option<String>,
    /// See [`NewSpot::area`]; only while nothing stands there.
    pub area: Option<i64>,
}

/// What somebody says of a spot.
#[derive(Debug, Clone)]
pub struct SpotReport {
    /// How it is.
    pub status: SpotStatus,
    /// What stands there.
    pub vehicle_type: Option<VehicleType>,
    /// Which car stands there, or which it is kept for.
    pub plate: Option<String>,
}

impl Parking {
    /// The spots in use that fit, by area and number, and how many fit in all; all of them without
    /// a window.
    pub async fn spots(
        &self,
        _: &Caller,
        filter: SpotFilter,
        window: Option<Window>,
    ) -> Result<(Vec<Spot>, i64)> {
        self.base.store.read(move |tx| query::page(tx, &filter, window)).await
    }

    /// One spot in use.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn spot(&self, _: &Caller, id: i64) -> Result<Spot> {
        self.base.store.read(move |tx| query::get(tx, id)).await
    }

    /// Makes a spot.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what cannot be used: `number` where its area has it already,
    /// `area_id` where there is none.
    pub async fn add_spot(&self, admin: &Admin, new: NewSpot) -> Result<Spot> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let made = self.base.store.write(move |tx| change::insert(tx, &new, actor, now_ms));
        self.changed(made.await)
    }

    /// Changes a spot.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] as for [`Parking::add_spot`], [`Error::Refused`]
    /// `spot_in_use`.
    pub async fn change_spot(&self, admin: &Admin, id: i64, change: SpotChange) -> Result<Spot> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let made = self.base.store.write(move |tx| change::update(tx, id, &change, actor, now_ms));
        self.changed(made.await)
    }

    /// Takes a spot out of use; what happened there stays known.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Refused`] `spot_in_use` while a car stands there.
    pub async fn remove_spot(&self, admin: &Admin, id: i64) -> Result<Spot> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let made = self.base.store.write(move |tx| change::retire(tx, id, actor, now_ms));
        self.changed(made.await)
    }

    /// Takes somebody's word for what a spot is. A car that is said to stand there, and is not
    /// inside yet, has entered; one that is inside has been found. A spot that is said to be
    /// anything but occupied is left by its car: with that the stay of a car that no barrier lets
    /// out ends, and one that a barrier will let out has no spot any more.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a plate that is none, [`Error::Refused`]
    /// `slot_not_available` where another car stands there.
    pub async fn report_spot(
        &self,
        operator: &Operator,
        id: i64,
        report: SpotReport,
    ) -> Result<Spot> {
        let (actor, now_ms) = (operator.actor(), self.base.now_ms());
        let made = self.base.store.write(move |tx| status::report(tx, id, &report, actor, now_ms));
        self.changed(made.await)
    }
}
