//! One's bills.

use chrono::NaiveDate;
use chrono_tz::Tz;
use cloud_core::{
    Caller,
    charging::{Bill, BillFilter},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::{Data, hours, moment, thousands, yuan};
use crate::http::{Answer, Call, Json};

/// A page of bills.
#[derive(Serialize, JsonSchema)]
pub(super) struct BillsView {
    bills: Vec<ListedBill>,
    pagination: Pagination,
}

#[derive(Serialize, JsonSchema)]
struct Pagination {
    current_page: u32,
    total_pages: i64,
    total_count: i64,
}

/// A bill in a list: its costs are beside the rest.
#[derive(Serialize, JsonSchema)]
struct ListedBill {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    costs: Costs,
}

/// One bill: its costs and hours are apart.
#[derive(Serialize, JsonSchema)]
pub(super) struct BillView {
    #[serde(flatten)]
    head: Head,
    cost_breakdown: Costs,
    time_breakdown: Hours,
}

#[derive(Serialize, JsonSchema)]
struct Head {
    bill_id: String,
    generated_time: String,
    pile_id: String,
    /// kWh.
    charging_amount: f64,
    /// Hours.
    charging_duration: f64,
    start_time: String,
    end_time: String,
    /// `paid`, or `unpaid` where the balance had not enough.
    payment_status: &'static str,
    paid_time: Option<String>,
}

/// Yuan; the parts make up the total.
#[derive(Serialize, JsonSchema)]
struct Costs {
    peak_cost: f64,
    normal_cost: f64,
    valley_cost: f64,
    service_cost: f64,
    total_cost: f64,
}

/// Hours; they make up the duration.
#[derive(Serialize, JsonSchema)]
struct Hours {
    peak_hours: f64,
    normal_hours: f64,
    valley_hours: f64,
}

pub(super) fn payment_status(bill: &Bill) -> &'static str {
    if bill.paid_at_ms.is_some() { "paid" } else { "unpaid" }
}

impl Head {
    fn new(bill: &Bill, zone: Tz) -> Self {
        Self {
            bill_id: bill.id.clone(),
            generated_time: moment(zone, bill.generated_at_ms),
            pile_id: bill.pile.clone(),
            charging_amount: thousands(bill.energy_wh),
            charging_duration: hours(bill.ended_at_ms - bill.started_at_ms),
            start_time: moment(zone, bill.started_at_ms),
            end_time: moment(zone, bill.ended_at_ms),
            payment_status: payment_status(bill),
            paid_time: bill.paid_at_ms.map(|at_ms| moment(zone, at_ms)),
        }
    }
}

impl BillView {
    fn new(bill: &Bill, zone: Tz) -> Self {
        let [peak_hours, normal_hours, valley_hours] =
            bill.costs.parts().map(|part| hours(part.duration_ms));
        Self {
            head: Head::new(bill, zone),
            cost_breakdown: Costs::new(bill),
            time_breakdown: Hours { peak_hours, normal_hours, valley_hours },
        }
    }
}

impl Costs {
    fn new(bill: &Bill) -> Self {
        let costs = &bill.costs;
        Self {
            peak_cost: yuan(costs.peak.cost),
            normal_cost: yuan(costs.normal.cost),
            valley_cost: yuan(costs.valley.cost),
            service_cost: yuan(costs.service),
            total_cost: yuan(costs.total()),
        }
    }
}

pub(super) async fn list(call: Call<Caller>) -> Answer<Json<Data<BillsView>>> {
    let page = call.query.clamped("page", 1, 1..=u32::MAX)?;
    let limit = call.query.clamped("limit", 20, 1..=100)?;
    let day = |name| call.query.parsed::<NaiveDate>(name, "日期格式应为 YYYY-MM-DD");
    let filter = BillFilter {
        from: day("start_date")?,
        until: day("end_date")?,
        skip: u64::from(page - 1) * u64::from(limit),
        limit,
    };
    let charging = &call.app.cloud.charging;
    let (bills, total_count) = charging.bills(&call.who, filter).await?;
    let listed = |bill: &Bill| ListedBill {
        head: Head::new(bill, charging.zone()),
        costs: Costs::new(bill),
    };
    let size = i64::from(limit);
    let total_pages = ((total_count + size - 1) / size).max(1);
    Ok(Json(Data::of(BillsView {
        bills: bills.iter().map(listed).collect(),
        pagination: Pagination { current_page: page, total_pages, total_count },
    })))
}

pub(super) async fn one(call: Call<Caller>) -> Answer<Json<Data<BillView>>> {
    let charging = &call.app.cloud.charging;
    let bill = charging.bill(&call.who, call.path("bill_id")).await?;
    Ok(Json(Data::of(BillView::new(&bill, charging.zone()))))
}

pub(super) async fn pay(call: Call<Caller>) -> Answer<Json<Data<BillView>>> {
    let charging = &call.app.cloud.charging;
    let bill = charging.pay(&call.who, call.path("bill_id")).await?;
    Ok(Json(Data::done("支付成功", BillView::new(&bill, charging.zone()))))
}
