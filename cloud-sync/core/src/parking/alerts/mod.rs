//! Alerts: they arise and resolve with what sites report and by the clock, or an admin resolves
//! them. One that was resolved does not rise again for the same cause.

mod clock;
mod query;
mod raise;

use std::str::FromStr;

pub(super) use self::raise::renamed;
pub(crate) use self::raise::{NewAlert, doubt, raise, resolve, resolve_about};
use super::Parking;
use crate::{
    caller::{Admin, Caller},
    error::{Error, Result},
    logs::Entry,
    plates::Window,
    store::params,
};

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// A car is inside for longer than it may.
    OvertimeParking,
    /// A controller or camera does not answer.
    DeviceOffline,
    /// A plate was read with doubts.
    LowConfidence,
    /// A barrier does not do what it should.
    GateFault,
    /// A fee is not paid long after it was due.
    PaymentOverdue,
    /// A site has not called for long.
    SiteOffline,
    /// Somebody forges, repeats or doubles what a site sends.
    SiteSecurity,
    /// A site's journal has a hole.
    JournalDamaged,
    /// More was taken for a stay than it cost.
    RefundDue,
}

impl AlertKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::OvertimeParking,
        Self::DeviceOffline,
        Self::LowConfidence,
        Self::GateFault,
        Self::PaymentOverdue,
        Self::SiteOffline,
        Self::SiteSecurity,
        Self::JournalDamaged,
        Self::RefundDue,
    ];

    /// The word for it, as it is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OvertimeParking => "overtime_parking",
            Self::DeviceOffline => "device_offline",
            Self::LowConfidence => "low_confidence",
            Self::GateFault => "gate_fault",
            Self::PaymentOverdue => "payment_overdue",
            Self::SiteOffline => "site_offline",
            Self::SiteSecurity => "site_security",
            Self::JournalDamaged => "journal_damaged",
            Self::RefundDue => "refund_due",
        }
    }

    /// How urgent it is.
    pub const fn priority(self) -> Priority {
        match self {
            Self::LowConfidence => Priority::Low,
            Self::OvertimeParking | Self::PaymentOverdue | Self::RefundDue => Priority::Medium,
            Self::DeviceOffline | Self::SiteOffline => Priority::High,
            Self::GateFault | Self::SiteSecurity | Self::JournalDamaged => Priority::Critical,
        }
    }
}

impl FromStr for AlertKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| Error::invalid("alert_type", "no such type"))
    }
}

/// How urgent an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Somebody should look at it some day.
    Low,
    /// Somebody should look at it today.
    Medium,
    /// Something does not work.
    High,
    /// Cars wait.
    Critical,
}

impl Priority {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word for it, as it is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl FromStr for Priority {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|priority| priority.as_str() == text);
        found.ok_or_else(|| Error::invalid("priority", "use low, medium, high or critical"))
    }
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its number.
    pub id: i64,
    /// Name of the site for people.
    pub site_name: String,
    /// What it is about.
    pub kind: AlertKind,
    /// What is wrong, for people.
    pub message: String,
    /// How urgent it is.
    pub priority: Priority,
    /// The spot that it concerns.
    pub spot: Option<i64>,
    /// The plate that it concerns.
    pub plate: Option<String>,
    /// When it arose, in milliseconds UTC.
    pub created_at_ms: i64,
    /// When it was resolved, in milliseconds UTC.
    pub resolved_at_ms: Option<i64>,
}

/// Which alerts are wanted; none of it means all.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// About this.
    pub kind: Option<AlertKind>,
    /// Whether it is active.
    pub active: Option<bool>,
    /// So urgent.
    pub priority: Option<Priority>,
    /// Arisen at or after, in milliseconds UTC.
    pub from_ms: Option<i64>,
    /// Arisen before, in milliseconds UTC.
    pub until_ms: Option<i64>,
}

impl Parking {
    /// The alerts that fit, newest first, and how many fit in all.
    pub async fn alerts(
        &self,
        _: &Caller,
        filter: AlertFilter,
        window: Window,
    ) -> Result<(Vec<Alert>, i64)> {
        self.advance().await?;
        self.base.store.read(move |tx| query::page(tx, &filter, window)).await
    }

    /// One alert.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn alert(&self, _: &Caller, id: i64) -> Result<Alert> {
        self.advance().await?;
        self.base.store.read(move |tx| query::get(tx, id)).await
    }

    /// Resolves an alert by hand; one that is resolved stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn resolve_alert(&self, admin: &Admin, id: i64) -> Result<Alert> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let resolved = self.base.store.write(move |tx| {
            let sql = "UPDATE alerts SET resolved_at_ms = $1
                       WHERE id = $2 AND resolved_at_ms IS NULL";
            let changed = tx.execute(sql, params![now_ms, id])?;
            let alert = query::get(tx, id)?;
            if changed > 0 {
                let message = format!("警报 {id} 已处理: {}", alert.message);
                Entry::of_person(String::new(), now_ms, actor, "alert", message).write(tx)?;
            }
            Ok(alert)
        });
        self.changed(resolved.await)
    }

    /// Lets what is due by the clock happen: alerts that arise or resolve by themselves.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) async fn advance(&self) -> Result<()> {
        let now_ms = self.base.now_ms();
        let limits = self.base.settings.alerts;
        let is_due = self.base.store.read(move |tx| Ok(clock::is_due(tx, limits, now_ms)?)).await?;
        if is_due {
            self.base.store.write(move |tx| Ok(clock::advance(tx, limits, now_ms)?)).await?;
            self.base.changed();
        }
        Ok(())
    }
}
