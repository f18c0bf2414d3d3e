//! Lockers: cabinets that are ordered, paid, opened with a code and given back.
//!
//! A cabinet is held by one order at a time. An order moves `pending → paid → in_use → completed`
//! or, unpaid, to `cancelled`; what moves by the clock is moved before anything is read or
//! written, so that nobody ever sees an order that should have ended. Money and the step that it
//! pays for are one transaction. A door is opened only by a command of its own, which is void a
//! minute later, and a report of a door never frees a cabinet by itself.

mod alerts;
mod cabinets;
mod codes;
mod commands;
mod devices;
mod extend;
mod finish;
mod hold;
mod open;
mod orders;
mod pay;
mod reports;
mod revenue;
mod statistics;
mod wired;

use chrono_tz::Tz;

pub use self::{
    alerts::{Alert, AlertKind},
    cabinets::{Cabinet, CabinetChange, CabinetFilter, NewCabinet},
    commands::OpenCommand,
    devices::{DeviceChange, DeviceLog, DeviceState, NewDevice},
    open::Opening,
    orders::{Order, OrderFilter, PayMethod},
    pay::Payment,
    reports::DoorReport,
    revenue::{Revenue, RevenueOf},
    statistics::{CabinetCounts, DeviceCounts, OrderFigures, Statistics},
};
pub(crate) use self::{
    cabinets::check_text,
    wired::{apply as happened_at_site, reachable as reachable_at_site},
};
use crate::{
    base::Base,
    error::Result,
    providers::{Providers, Purpose},
    store::{Transaction, first, params},
};

/// Payments through providers that pay for an order …
pub(crate) const ORDER_PURPOSE: Purpose = Purpose {
    name: PURPOSE,
    title: "储物柜订单",
    settle: |tx, receipt| {
        hold::advance(tx, receipt.now_ms)?;
        pay::settle(tx, receipt)
    },
    refund_failed: |_, _| Ok(()),
};
/// … for more time of one …
pub(crate) const EXTENSION_PURPOSE: Purpose = Purpose {
    name: EXTENSION,
    title: "储物柜续费",
    settle: extend::settle,
    refund_failed: |_, _| Ok(()),
};
/// … for the overtime of one.
pub(crate) const OVERTIME_PURPOSE: Purpose = Purpose {
    name: OVERTIME,
    title: "储物柜超时费",
    settle: finish::settle,
    refund_failed: |_, _| Ok(()),
};
const PURPOSE: &str = "locker_order";
const EXTENSION: &str = "locker_extension";
const OVERTIME: &str = "locker_overtime";

/// What can be set.
#[derive(Debug, Clone)]
pub struct LockerSettings {
    /// How long an unpaid order holds its cabinet, in milliseconds.
    pub hold_ms: i64,
    /// Unpaid orders that one account may have at a time.
    pub max_unpaid: i64,
}

impl Default for LockerSettings {
    fn default() -> Self {
        Self { hold_ms: 15 * 60 * 1000, max_unpaid: 50 }
    }
}

/// The lockers.
pub struct Lockers {
    base: Base,
    zone: Tz,
    settings: LockerSettings,
    providers: Providers,
}

impl Lockers {
    pub(crate) const fn new(
        base: Base,
        zone: Tz,
        settings: LockerSettings,
        providers: Providers,
    ) -> Self {
        Self { base, zone, settings, providers }
    }

    /// The time zone that makes days and local times.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// Moves what the clock moves, and forgets what is old.
    ///
    /// # Errors
    /// [`crate::Error::Store`] where the database fails.
    pub(crate) async fn tick(&self) -> Result<()> {
        let now_ms = self.base.now_ms();
        let read = self
            .base
            .store
            .read(move |tx| Ok((hold::is_due(tx, now_ms)?, devices::has_old(tx, now_ms)?)));
        let (is_due, has_old) = read.await?;
        if is_due {
            self.write(|_, _| Ok(())).await?;
        }
        if has_old {
            self.base.store.write(move |tx| devices::forget_old(tx, now_ms)).await?;
        }
        Ok(())
    }

    /// Reads at a state in which the clock has moved everything; writes only where it has to.
    async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: Fn(&mut dyn Transaction, i64) -> Result<T> + Clone + Send + 'static,
        T: Send + 'static,
    {
        let now_ms = self.base.now_ms();
        let again = work.clone();
        let read = self.base.store.read(move |tx| match hold::is_due(tx, now_ms)? {
            true => Ok(None),
            false => work(tx, now_ms).map(Some),
        });
        match read.await? {
            Some(answer) => Ok(answer),
            None => self.write(again).await,
        }
    }

    /// Changes a state in which the clock has moved everything.
    async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut dyn Transaction, i64) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let now_ms = self.base.now_ms();
        let written = self.base.store.write(move |tx| {
            hold::advance(tx, now_ms)?;
            work(tx, now_ms)
        });
        let answer = written.await?;
        self.base.changed();
        Ok(answer)
    }
}

/// The site that a station belongs to: the one of its name; empty for none.
fn site_of(tx: &mut dyn Transaction, station: &str) -> Result<String> {
    let sql = "SELECT site_id FROM sites WHERE name = $1 ORDER BY site_id LIMIT 1";
    let row = first(tx, sql, params![station])?;
    Ok(row.map(|row| row.get(0)).transpose()?.unwrap_or_default())
}
