//! A stay at a site: from the trailing edge at the entry to that at the exit, what has been paid
//! for it, and what is due. Pure functions, so that the barrier and the cloud ask for the same.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{access::Term, ids::SessionId, money::Fen, tariff::Tariff};

/// How long a vehicle may take from paying to the exit, where nothing else is configured.
pub const DEFAULT_GRACE: TimeDelta = TimeDelta::minutes(15);

/// One stay of one vehicle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// The plate in normal form; empty where it was let in unread.
    pub plate: String,
    /// When it entered.
    pub entered_at: DateTime<Utc>,
    /// When it left; none while it is inside.
    pub exited_at: Option<DateTime<Utc>>,
    /// The tariff as it stood at the entry; none where parking costs nothing.
    pub tariff: Option<Tariff>,
    /// What has been paid in all.
    pub paid: Fen,
    /// When the last of it was paid.
    pub paid_at: Option<DateTime<Utc>>,
}

/// What a stay costs at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bill {
    /// What the stay costs in all.
    pub total: Fen,
    /// What is still to be paid.
    pub owed: Fen,
    /// Why.
    pub standing: Standing,
}

/// Why something is owed, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The stay costs nothing (yet).
    Free,
    /// All is paid. Within the grace period the time since then costs nothing.
    Paid {
        /// When the grace period ends.
        until: DateTime<Utc>,
    },
    /// Something is to be paid.
    Owed {
        /// Since when.
        since: DateTime<Utc>,
    },
}

/// Why a payment was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPayment {
    /// Zero or less.
    #[error("a payment of {0} is not more than nothing")]
    NotPositive(Fen),
    /// More than can be counted.
    #[error("a payment of {0} is more than can be counted")]
    TooLarge(Fen),
}

/// From when on a stay is charged that no permit covers any more: from the end of the last that held
/// when it began, else from the beginning.
pub fn charged_from(
    entered_at: DateTime<Utc>,
    permits: impl IntoIterator<Item = Term>,
) -> DateTime<Utc> {
    let held = permits.into_iter().filter(|term| term.covers(entered_at));
    held.filter_map(|term| term.until).max().unwrap_or(entered_at)
}

impl Session {
    /// A stay that begins at `entered_at`. `plate` is a normal form, empty for an unread one.
    pub fn open(
        id: SessionId,
        plate: String,
        entered_at: DateTime<Utc>,
        tariff: Option<Tariff>,
    ) -> Self {
        Self { id, plate, entered_at, exited_at: None, tariff, paid: Fen::ZERO, paid_at: None }
    }

    /// Whether the vehicle is inside.
    pub fn is_open(&self) -> bool {
        self.exited_at.is_none()
    }

    /// Counts a payment.
    ///
    /// # Errors
    /// When the amount is not positive or the sum cannot be counted; nothing has changed then.
    pub fn pay(&mut self, amount: Fen, at: DateTime<Utc>) -> Result<(), BadPayment> {
        if amount <= Fen::ZERO {
            return Err(BadPayment::NotPositive(amount));
        }
        self.paid = self.paid.checked_add(amount).ok_or(BadPayment::TooLarge(amount))?;
        self.paid_at = Some(at);
        Ok(())
    }

    /// What is due at `now`, or was when the vehicle left.
    ///
    /// Whoever has paid all that was due then has `grace` to leave; after that the additional time
    /// is due as well. A stay that ends before it began, because the clock was set back, is free.
    pub fn bill(&self, now: DateTime<Utc>, grace: TimeDelta) -> Bill {
        let now = self.exited_at.unwrap_or(now);
        let Some(tariff) = &self.tariff else {
            return Bill { total: Fen::ZERO, owed: Fen::ZERO, standing: Standing::Free };
        };
        let fee_at = |at| tariff.fee(self.entered_at, at);
        let settled_at = self.paid_at.filter(|at| self.paid >= fee_at(*at));
        let until = settled_at.map(|at| at + grace);
        if let (Some(paid_at), Some(until)) = (settled_at, until)
            && now <= until
        {
            let total = fee_at(paid_at);
            return Bill { total, owed: Fen::ZERO, standing: Standing::Paid { until } };
        }
        let total = fee_at(now);
        let owed = Fen((total.0.saturating_sub(self.paid.0)).max(0));
        let free_until = self.entered_at + TimeDelta::minutes(tariff.free_minutes.into());
        let standing = match (owed > Fen::ZERO, self.paid_at) {
            (true, _) => Standing::Owed { since: until.unwrap_or(free_until) },
            (false, Some(paid_at)) => Standing::Paid { until: paid_at + grace },
            (false, None) => Standing::Free,
        };
        Bill { total, owed, standing }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::tariff::TariffRule;

    fn at(minute: i64) -> DateTime<Utc> {
        "2024-01-01T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
    }

    fn session() -> Session {
        let tariff = Tariff {
            rule: TariffRule::Documented,
            free_minutes: 15,
            base_fee: Fen(500),
            base_seconds: 3600,
            hourly_rate: Fen(300),
            daily_max_fee: Some(Fen(3000)),
        };
        Session::open(SessionId(Uuid::nil()), "京A12345".into(), at(0), Some(tariff))
    }

    fn bill(session: &Session, minute: i64) -> (Fen, Fen, Standing) {
        let bill = session.bill(at(minute), DEFAULT_GRACE);
        (bill.total, bill.owed, bill.standing)
    }

    #[test]
    fn free_then_owed_since_the_free_time_ended() {
        assert_eq!(bill(&session(), 15), (Fen(0), Fen(0), Standing::Free));
        let owed = Standing::Owed { since: at(15) };
        assert_eq!(bill(&session(), 150), (Fen(1250), Fen(1250), owed));
    }

    #[test]
    fn paying_gives_fifteen_minutes_to_leave() {
        let mut session = session();
        session.pay(Fen(1250), at(150)).unwrap();
        let paid = Standing::Paid { until: at(165) };
        assert_eq!(bill(&session, 150), (Fen(1250), Fen(0), paid));
        assert_eq!(bill(&session, 165), (Fen(1250), Fen(0), paid));
    }

    #[test]
    fn after_the_grace_the_additional_time_is_due() {
        let mut session = session();
        session.pay(Fen(1250), at(150)).unwrap();
        // 3 h cost 14.00.
        assert_eq!(bill(&session, 180), (Fen(1400), Fen(150), Standing::Owed { since: at(165) }));
    }

    #[test]
    fn a_part_of_the_fee_buys_no_time() {
        let mut session = session();
        session.pay(Fen(1000), at(150)).unwrap();
        assert_eq!(bill(&session, 151).1, Fen(255));
        session.pay(Fen(255), at(151)).unwrap();
        assert_eq!(bill(&session, 160), (Fen(1255), Fen(0), Standing::Paid { until: at(166) }));
    }

    #[test]
    fn nothing_more_is_due_once_the_daily_limit_is_paid() {
        let mut session = session();
        session.pay(Fen(3000), at(600)).unwrap();
        assert_eq!(bill(&session, 1440).1, Fen(0));
        assert_eq!(bill(&session, 1441).1, Fen(3000));
    }

    #[test]
    fn without_a_tariff_and_before_the_entry_nothing_is_due() {
        let free = Session { tariff: None, ..session() };
        assert_eq!(bill(&free, 100_000), (Fen(0), Fen(0), Standing::Free));
        assert_eq!(bill(&session(), -600), (Fen(0), Fen(0), Standing::Free));
    }

    #[test]
    fn a_closed_stay_costs_what_it_cost() {
        let closed = Session { exited_at: Some(at(150)), ..session() };
        assert!(!closed.is_open());
        assert_eq!(bill(&closed, 9999).1, Fen(1250));
    }

    #[test]
    fn only_money_is_a_payment() {
        let mut session = session();
        assert_eq!(session.pay(Fen(0), at(1)), Err(BadPayment::NotPositive(Fen(0))));
        session.pay(Fen(i64::MAX), at(1)).unwrap();
        assert_eq!(session.pay(Fen(1), at(2)), Err(BadPayment::TooLarge(Fen(1))));
        assert_eq!(session.paid_at, Some(at(1)));
    }

    proptest! {
        #[test]
        fn paying_what_is_owed_opens_at_once(minute in 0i64..10_000) {
            let mut session = session();
            let owed = bill(&session, minute).1;
            if session.pay(owed, at(minute)).is_ok() {
                prop_assert_eq!(bill(&session, minute).1, Fen::ZERO);
                prop_assert_eq!(bill(&session, minute + 15).1, Fen::ZERO);
            }
        }
    }
}
