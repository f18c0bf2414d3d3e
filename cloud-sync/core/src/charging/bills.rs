//! Bills, as their users find them.

use chrono::NaiveDate;
use domain::{
    charging::{Bill as Costs, Part},
    money::Fen,
};

use uuid::Uuid;

use super::Charging;
use crate::{
    calendar::{day_start_ms, next_day},
    caller::Caller,
    error::{Error, Result},
    store::{Conditions, Row, StoreError, Transaction, first, number, params},
};

const COLUMNS: &str = "id, pile_id, generated_at_ms, started_at_ms, ended_at_ms, energy_wh,
    peak_ms, peak_wh, peak_fen, normal_ms, normal_wh, normal_fen, valley_ms, valley_wh,
    valley_fen, service_fen, paid_at_ms";

/// What one session cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Its name.
    pub id: String,
    /// Where it was charged.
    pub pile: String,
    /// When it was made, in milliseconds UTC.
    pub generated_at_ms: i64,
    /// When charging began, in milliseconds UTC.
    pub started_at_ms: i64,
    /// When charging ended, in milliseconds UTC.
    pub ended_at_ms: i64,
    /// What the meter counted, in watt-hours.
    pub energy_wh: i64,
    /// What it cost and why.
    pub costs: Costs,
    /// When it was paid, in milliseconds UTC; none while it is owed.
    pub paid_at_ms: Option<i64>,
}

/// Which bills are wanted.
#[derive(Debug, Clone, Default)]
pub struct BillFilter {
    /// The first day, by the site's calendar.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub until: Option<NaiveDate>,
    /// Bills to skip.
    pub skip: u64,
    /// Most bills to answer.
    pub limit: u32,
}

impl Charging {
    /// The caller's bills, the latest first, and how many there are in all.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for somebody without an account.
    pub async fn bills(&self, caller: &Caller, filter: BillFilter) -> Result<(Vec<Bill>, i64)> {
        let user = caller.own_id()?;
        self.advance().await?;
        let zone = self.zone;
        let conditions = Conditions::new("1 = 1")
            .and("user_id = ?", Some(user))
            .and("generated_at_ms >= ?", filter.from.map(|day| day_start_ms(zone, day)))
            .and("generated_at_ms < ?", filter.until.map(|day| day_start_ms(zone, next_day(day))));
        let (skip, limit) = (i64::try_from(filter.skip).unwrap_or(i64::MAX), filter.limit);
        self.base.store.read(move |tx| page(tx, conditions, skip, limit.into())).await
    }

    /// One of the caller's bills.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the caller has no such bill.
    pub async fn bill(&self, caller: &Caller, id: &str) -> Result<Bill> {
        let (user, id) = (caller.own_id()?, id.to_owned());
        self.base.store.read(move |tx| find(tx, user, &id)).await
    }
}

/// One bill of a user.
pub(super) fn find(tx: &mut dyn Transaction, user: i64, id: &str) -> Result<Bill> {
    let sql = format!("SELECT {COLUMNS} FROM charging_bills WHERE id = $1 AND user_id = $2");
    let row = first(tx, &sql, params![id, user])?.ok_or(Error::NotFound("bill"))?;
    Ok(bill(&row)?)
}

/// The running session of a request.
pub(super) fn session_of(tx: &mut dyn Transaction, request: Uuid) -> Result<String> {
    let sql = "SELECT id FROM charging_sessions WHERE request_id = $1 AND ended_at_ms IS NULL";
    let row = first(tx, sql, params![request.to_string()])?.ok_or(Error::NotFound("request"))?;
    Ok(row.get(0)?)
}

/// A user's bill of a session; none before it has ended.
pub(super) fn of_session(
    tx: &mut dyn Transaction,
    user: i64,
    session: &str,
) -> Result<Option<Bill>> {
    let sql =
        format!("SELECT {COLUMNS} FROM charging_bills WHERE session_id = $1 AND user_id = $2");
    Ok(first(tx, &sql, params![session, user])?.map(|row| bill(&row)).transpose()?)
}

fn page(
    tx: &mut dyn Transaction,
    mut conditions: Conditions,
    skip: i64,
    limit: i64,
) -> Result<(Vec<Bill>, i64)> {
    let count = format!("SELECT COUNT(*) FROM charging_bills {}", conditions.sql());
    let total = number(tx, &count, conditions.params())?;
    let (limit, skip) = (conditions.place(limit), conditions.place(skip));
    let sql = format!(
        "SELECT {COLUMNS} FROM charging_bills {} ORDER BY generated_at_ms DESC, id
         LIMIT {limit} OFFSET {skip}",
        conditions.sql()
    );
    let rows = tx.query(&sql, conditions.params())?;
    Ok((rows.iter().map(bill).collect::<Result<_, _>>()?, total))
}

fn bill(row: &Row) -> Result<Bill, StoreError> {
    let part = |column| {
        let (duration_ms, energy_wh) = (row.get(column)?, row.get(column + 1)?);
        Ok::<_, StoreError>(Part { duration_ms, energy_wh, cost: Fen(row.get(column + 2)?) })
    };
    let costs =
        Costs { peak: part(6)?, normal: part(9)?, valley: part(12)?, service: Fen(row.get(15)?) };
    Ok(Bill {
        id: row.get(0)?,
        pile: row.get(1)?,
        generated_at_ms: row.get(2)?,
        started_at_ms: row.get(3)?,
        ended_at_ms: row.get(4)?,
        energy_wh: row.get(5)?,
        costs,
        paid_at_ms: row.get(16)?,
    })
}
