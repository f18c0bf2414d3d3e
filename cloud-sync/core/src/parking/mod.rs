//! Parking at all sites: areas and spots, cars and their stays, what a stay costs and who paid it,
//! and what needs somebody's attention. What faces call a session, a transaction or an occupied
//! spot is one stay; an order and a payment are one row of money.

mod alerts;
mod areas;
mod cameras;
mod figures;
mod payments;
mod sightings;
mod site;
mod spots;
mod stays;
mod tariffs;
mod vehicle_type;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

pub use self::{
    alerts::{Alert, AlertFilter, AlertKind, Priority},
    areas::{Area, AreaChange, NewArea},
    cameras::{Camera, CameraChange},
    figures::{ActiveSession, Dashboard, DayFigures},
    payments::{
        Paid, PayMethod, Payable, Payment, PaymentChange, PaymentFigures, PaymentFilter,
        PaymentStatus,
    },
    sightings::{Detection, Sighting},
    spots::{NewSpot, Spot, SpotChange, SpotFilter, SpotReport, SpotStatus},
    stays::{Assignment, Entry, Stay, StayFilter, StayTariff},
    tariffs::{FeeConfig, NewFeeConfig},
    vehicle_type::VehicleType,
};
pub(crate) use self::{
    alerts::{NewAlert, doubt, raise, resolve, resolve_about},
    payments::{STAY_PURPOSE, SitePayment, order_counter, taken_at_site},
    stays::{
        Closed, Opened, SpotReading, barrier_closed, barrier_opened, read_at, renamed, spot_site,
    },
};
use crate::{base::Base, error::Result, providers::Providers};

/// Parking at all sites.
pub struct Parking {
    base: Base,
    zone: Tz,
    providers: Providers,
}

impl Parking {
    pub(crate) const fn new(base: Base, zone: Tz, providers: Providers) -> Self {
        Self { base, zone, providers }
    }

    /// The time zone of the sites.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// The time, in milliseconds UTC.
    pub fn now_ms(&self) -> i64 {
        self.base.now_ms()
    }

    /// Rings the bell where something has changed.
    fn changed<T>(&self, outcome: Result<T>) -> Result<T> {
        if outcome.is_ok() {
            self.base.changed();
        }
        outcome
    }
}

/// A time as it is kept.
fn moment(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}
