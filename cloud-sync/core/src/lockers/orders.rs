//! Orders as people see them: their own, and for admins all.

use std::str::FromStr;

use domain::{
    locker::{Hours, OrderStatus, Size, overtime},
    money::Fen,
};

use super::{
    Lockers,
    codes::{self, CodeKey},
};
use crate::{
    caller::{Admin, Caller},
    error::{Error, Result},
    providers::ProviderName,
    store::{Conditions, Row, StoreError, Transaction, first, number, params},
};

/// Most orders in an answer that is not paged.
const MOST: u32 = 500;

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayMethod {
    /// From the account's balance.
    Balance,
    /// At a provider outside.
    Provider(ProviderName),
}

impl PayMethod {
    /// The word that is kept and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Balance => "balance",
            Self::Provider(name) => name.as_str(),
        }
    }
}

impl FromStr for PayMethod {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "balance" => Ok(Self::Balance),
            other => other
                .parse()
                .map(Self::Provider)
                .map_err(|_| Error::invalid("payment_method", "use wechat, alipay or balance")),
        }
    }
}

/// An order as it is right now. Times are milliseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// Its number for people.
    pub order_no: String,
    /// Whose it is.
    pub user_id: i64,
    /// That person's phone.
    pub user_phone: Option<String>,
    /// The number of its cabinet.
    pub cabinet: i64,
    /// The name on its cabinet's door.
    pub cabinet_id: String,
    /// How much fits in.
    pub cabinet_size: Size,
    /// The station, as it was when ordered.
    pub station: String,
    /// How far it has come.
    pub status: OrderStatus,
    /// How long it was rented for, with extensions.
    pub hours: Hours,
    /// What an hour costs, as it was when ordered.
    pub price: Fen,
    /// Rent, extensions and overtime.
    pub total: Fen,
    /// How it was paid.
    pub method: Option<PayMethod>,
    /// Six digits that open the cabinet, while it is paid and not ended.
    pub pickup_code: Option<String>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was paid.
    pub paid_at_ms: Option<i64>,
    /// When its cabinet was first opened.
    pub started_at_ms: Option<i64>,
    /// Until when it is paid.
    pub ends_at_ms: Option<i64>,
    /// When it was asked to be completed as soon as the door is closed.
    pub(super) finishing_at_ms: Option<i64>,
    /// When it was completed.
    pub ended_at_ms: Option<i64>,
    pub(super) site: String,
}

impl Order {
    /// What finishing at a moment costs beyond what was paid: each started hour after the end,
    /// less the overtime that was taken before, which is what the total has beyond the rent.
    pub fn overtime_due(&self, at_ms: i64) -> Fen {
        let Some(ends_at_ms) = self.ends_at_ms.filter(|_| self.status.is_running()) else {
            return Fen::ZERO;
        };
        let taken = self.total.0 - self.hours.cost(self.price).0;
        Fen((overtime(self.price, at_ms - ends_at_ms).0 - taken).max(0))
    }
}

/// Which orders are wanted.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// In a state.
    pub status: Option<OrderStatus>,
    /// At a station.
    pub station: Option<String>,
    /// Made at this time or later, in milliseconds UTC.
    pub from_ms: Option<i64>,
    /// Made before this time.
    pub until_ms: Option<i64>,
}

impl Lockers {
    /// The caller's own orders, the latest first.
    pub async fn own_orders(
        &self,
        caller: &Caller,
        status: Option<OrderStatus>,
    ) -> Result<Vec<Order>> {
        let user = caller.own_id()?;
        self.read(move |tx, _| {
            let mut wanted = Conditions::new("1 = 1")
                .and("o.user_id = ?", Some(user))
                .and("o.status = ?", status.map(OrderStatus::as_str));
            let limit = wanted.place(i64::from(MOST));
            query(tx, &wanted, &format!("ORDER BY o.id DESC LIMIT {limit}"))
        })
        .await
    }

    /// One order of the caller's own; for an admin any.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an order that is not there or another's.
    pub async fn get_order(&self, caller: &Caller, id: i64) -> Result<Order> {
        let caller = caller.clone();
        self.read(move |tx, _| {
            let order = visible(tx, &caller, id)?;
            let is_own = Some(order.user_id) == caller.account_id();
            Ok(if is_own { order } else { Order { pickup_code: None, ..order } })
        })
        .await
    }

    /// Orders of everybody, the latest first, and how many there are in all. Without codes.
    pub async fn orders(
        &self,
        _: &Admin,
        filter: OrderFilter,
        skip: u32,
        limit: u32,
    ) -> Result<(Vec<Order>, i64)> {
        self.read(move |tx, _| {
            let mut wanted = Conditions::new("1 = 1")
                .and("o.status = ?", filter.status.map(OrderStatus::as_str))
                .and("o.station = ?", filter.station.as_deref())
                .and("o.created_at_ms >= ?", filter.from_ms)
                .and("o.created_at_ms < ?", filter.until_ms);
            let count = format!("SELECT COUNT(*) FROM locker_orders o {}", wanted.sql());
            let total = number(tx, &count, wanted.params())?;
            let (limit, skip) = (wanted.place(i64::from(limit)), wanted.place(i64::from(skip)));
            let page = format!("ORDER BY o.id DESC LIMIT {limit} OFFSET {skip}");
            let mut orders = query(tx, &wanted, &page)?;
            orders.iter_mut().for_each(|order| order.pickup_code = None);
            Ok((orders, total))
        })
        .await
    }
}

const SELECT: &str = "SELECT o.id, o.order_no, o.user_id, u.phone, o.cabinet, c.cabinet_id, c.size,
       o.station, o.status, o.hours_hundredths, o.price_fen, o.total_fen, o.method, o.code_salt,
       o.created_at_ms, o.paid_at_ms, o.started_at_ms, o.ends_at_ms, o.finishing_at_ms,
       o.ended_at_ms, o.site_id
FROM locker_orders o JOIN cabinets c ON c.id = o.cabinet JOIN users u ON u.id = o.user_id";

fn query(tx: &mut dyn Transaction, wanted: &Conditions, rest: &str) -> Result<Vec<Order>> {
    let key = codes::key(tx)?;
    let rows = tx.query(&format!("{SELECT} {} {rest}", wanted.sql()), wanted.params())?;
    rows.iter().map(|row| order(row, key.as_ref())).collect()
}

/// An order by its number.
pub(super) fn get(tx: &mut dyn Transaction, id: i64) -> Result<Order> {
    let wanted = Conditions::new("1 = 1").and("o.id = ?", Some(id));
    query(tx, &wanted, "")?.pop().ok_or(Error::NotFound("order"))
}

/// An order that the caller may see: one's own, for an admin any.
pub(super) fn visible(tx: &mut dyn Transaction, caller: &Caller, id: i64) -> Result<Order> {
    let order = get(tx, id)?;
    let is_own = caller.account_id() == Some(order.user_id);
    if is_own || caller.is_staff() { Ok(order) } else { Err(Error::NotFound("order")) }
}

/// An order of the caller's own.
pub(super) fn own(tx: &mut dyn Transaction, user: i64, id: i64) -> Result<Order> {
    let order = get(tx, id)?;
    if order.user_id == user { Ok(order) } else { Err(Error::NotFound("order")) }
}

/// The order that has a cabinet, where one is paid and not ended.
pub(super) fn running(tx: &mut dyn Transaction, cabinet: i64) -> Result<Option<Order>> {
    let sql = "SELECT id FROM locker_orders WHERE cabinet = $1 AND status IN ('paid', 'in_use')";
    match first(tx, sql, params![cabinet])? {
        Some(row) => get(tx, row.get(0)?).map(Some),
        None => Ok(None),
    }
}

fn order(row: &Row, key: Option<&CodeKey>) -> Result<Order> {
    let word = |error| StoreError::new("read a word of an order", error);
    let status: OrderStatus = row.get::<String>(8)?.parse().map_err(word)?;
    let salt: String = row.get(13)?;
    Ok(Order {
        id: row.get(0)?,
        order_no: row.get(1)?,
        user_id: row.get(2)?,
        user_phone: row.get(3)?,
        cabinet: row.get(4)?,
        cabinet_id: row.get(5)?,
        cabinet_size: row.get::<String>(6)?.parse().map_err(word)?,
        station: row.get(7)?,
        status,
        hours: Hours::from_hundredths(row.get(9)?),
        price: Fen(row.get(10)?),
        total: Fen(row.get(11)?),
        method: row.get::<Option<String>>(12)?.map(|text| text.parse()).transpose()?,
        pickup_code: key.filter(|_| status.is_running()).map(|key| key.code(&salt)),
        created_at_ms: row.get(14)?,
        paid_at_ms: row.get(15)?,
        started_at_ms: row.get(16)?,
        ends_at_ms: row.get(17)?,
        finishing_at_ms: row.get(18)?,
        ended_at_ms: row.get(19)?,
        site: row.get(20)?,
    })
}
