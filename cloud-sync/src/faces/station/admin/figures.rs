//! `/api/admin/stats/` and `/api/admin/revenue/`. Amounts are numbers here.

use cloud_core::{
    Admin,
    lockers::{Revenue, RevenueOf, Statistics},
};
use domain::money::Fen;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::{
    envelope::{Data, found},
    input,
};
use crate::http::{Answer, Call, Json};

/// The lockers at a glance.
#[derive(Debug, Serialize, JsonSchema)]
pub(in super::super) struct StatsView {
    /// All there is.
    overview: Overview,
    /// Orders of the period.
    orders: Orders,
    /// Cabinets right now.
    cabinets: Cabinets,
    /// Controllers right now.
    devices: Devices,
    /// Orders of each day that had any, by the site's calendar.
    daily_orders: Vec<DayCount>,
    /// Orders of each hour of the day in UTC that had any; the busiest first.
    peak_hours: Vec<HourCount>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Overview {
    total_users: i64,
    total_orders: i64,
    total_cabinets: i64,
    total_devices: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Orders {
    total: i64,
    completed: i64,
    cancelled: i64,
    /// What all of them cost, paid or not, in yuan.
    total_amount: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Cabinets {
    total: i64,
    available: i64,
    in_use: i64,
    maintenance: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Devices {
    total: i64,
    online: i64,
    offline: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DayCount {
    date: String,
    count: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct HourCount {
    hour: u32,
    count: i64,
}

/// What a period brought in. Amounts are yuan.
#[derive(Debug, Serialize, JsonSchema)]
pub(in super::super) struct RevenueView {
    /// In all.
    total_revenue: f64,
    /// Orders that were paid.
    total_orders: i64,
    /// What one of them brought in.
    average_order: f64,
    /// Each day that had any, by the site's calendar.
    daily_revenue: Vec<DayRevenue>,
    /// Each station that had any; the one with most first.
    station_revenue: Vec<StationRevenue>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DayRevenue {
    date: String,
    revenue: f64,
    orders: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct StationRevenue {
    station: String,
    revenue: f64,
    orders: i64,
}

/// Yuan as a JSON number; exact to the fen far beyond any amount that occurs.
fn yuan(Fen(fen): Fen) -> f64 {
    fen as f64 / 100.0
}

impl From<Statistics> for StatsView {
    fn from(figures: Statistics) -> Self {
        let (orders, cabinets, devices) = (figures.orders, figures.cabinets, figures.devices);
        let days = figures.daily_orders.into_iter();
        let hours = figures.peak_hours.into_iter();
        Self {
            overview: Overview {
                total_users: figures.users,
                total_orders: figures.orders_ever,
                total_cabinets: cabinets.total,
                total_devices: devices.total,
            },
            orders: Orders {
                total: orders.total,
                completed: orders.completed,
                cancelled: orders.cancelled,
                total_amount: yuan(orders.amount),
            },
            cabinets: Cabinets {
                total: cabinets.total,
                available: cabinets.available,
                in_use: cabinets.in_use,
                maintenance: cabinets.maintenance,
            },
            devices: Devices {
                total: devices.total,
                online: devices.online,
                offline: devices.offline,
            },
            daily_orders: days
                .map(|(day, count)| DayCount { date: day.to_string(), count })
                .collect(),
            peak_hours: hours.map(|(hour, count)| HourCount { hour, count }).collect(),
        }
    }
}

impl From<Revenue> for RevenueView {
    fn from(period: Revenue) -> Self {
        let day = |(day, RevenueOf { revenue, orders }): (chrono::NaiveDate, RevenueOf)| {
            DayRevenue { date: day.to_string(), revenue: yuan(revenue), orders }
        };
        let station = |(station, RevenueOf { revenue, orders })| StationRevenue {
            station,
            revenue: yuan(revenue),
            orders,
        };
        Self {
            total_revenue: yuan(period.total.revenue),
            total_orders: period.total.orders,
            average_order: yuan(period.average()),
            daily_revenue: period.days.into_iter().map(day).collect(),
            station_revenue: period.stations.into_iter().map(station).collect(),
        }
    }
}

pub(in super::super) async fn stats(call: Call<Admin>) -> Answer<Json<Data<StatsView>>> {
    let days = input::days(&call.query, 7)?;
    Ok(found(call.app.cloud.lockers.statistics(&call.who, days).await?.into()))
}

pub(in super::super) async fn revenue(call: Call<Admin>) -> Answer<Json<Data<RevenueView>>> {
    let days = input::days(&call.query, 30)?;
    Ok(found(call.app.cloud.lockers.revenue(&call.who, days).await?.into()))
}
