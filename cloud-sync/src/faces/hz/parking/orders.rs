//! Orders (`payment/orders/`), what was taken (`payment/stats/`), and the QR codes of orders.

use std::collections::BTreeMap;

use cloud_core::{Caller, Error, Payment, PaymentFigures, PaymentFilter, PaymentStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use warp::{
    Reply as _,
    http::HeaderValue,
    reply::{Response, with_header},
};

use super::{
    input::SessionName,
    wire::{days, percent, utc, window, yuan},
};
use crate::{
    faces::hz::params,
    http::{Answer, Anyone, Call, Created, Json, Parameter, Route, get, post},
};

const FILTERS: &[Parameter] = &[
    Parameter { name: "payment_status", about: "pending, completed, failed or refunded" },
    Parameter { name: "start_date", about: "The first day, YYYY-MM-DD" },
    Parameter { name: "end_date", about: "The last day, YYYY-MM-DD" },
    Parameter { name: "page", about: "From 1" },
    Parameter { name: "page_size", about: "1 to 100, 20 by default" },
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/hzsystem_parking/payment/orders/", list)
            .summary("Orders; users see their own")
            .query(FILTERS),
        post("/hzsystem_parking/payment/orders/", create)
            .summary("Order what is due for a session")
            .idempotent(),
        get("/hzsystem_parking/payment/stats/", stats)
            .summary("What was taken, less what was given back"),
        get("/static/qr_codes/{file}", qr_code).summary("The QR code of an order"),
    ]
}

/// An order, and what became of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OrderView {
    id: i64,
    order_number: String,
    parking_session: SessionRef,
    amount: f64,
    payment_status: &'static str,
    payment_method: Option<String>,
    refunded_amount: f64,
    created_time: String,
    paid_time: Option<String>,
}

/// The session of an order; without an id where a site took money for one that is not known here.
#[derive(Debug, Serialize, JsonSchema)]
struct SessionRef {
    session_id: String,
    license_plate: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Orders {
    orders: Vec<OrderView>,
    total_count: i64,
    page: u32,
    page_size: u32,
}

impl From<Payment> for OrderView {
    fn from(payment: Payment) -> Self {
        Self {
            id: payment.id,
            order_number: payment.order_number,
            parking_session: SessionRef {
                session_id: payment.stay.map_or_else(String::new, |id| format!("session_{id}")),
                license_plate: Some(payment.plate).filter(|plate| !plate.is_empty()),
            },
            amount: yuan(payment.amount_fen),
            payment_status: payment.status.as_str(),
            payment_method: payment.method,
            refunded_amount: yuan(payment.refunded_fen),
            created_time: utc(payment.created_at_ms),
            paid_time: payment.paid_at_ms.map(utc),
        }
    }
}

async fn list(call: Call<Caller>) -> Answer<Json<Orders>> {
    let parking = &call.app.cloud.parking;
    let status = call.query.get("payment_status").map(str::parse::<PaymentStatus>).transpose()?;
    let (from_ms, until_ms) = days(&call.query, parking.zone())?;
    let page = params::page(&call.query)?;
    let filter = PaymentFilter { status, paid: false, from_ms, until_ms };
    let (orders, total_count) = parking.payments(&call.who, filter, Some(window(page))).await?;
    Ok(Json(Orders {
        orders: orders.into_iter().map(OrderView::from).collect(),
        total_count,
        page: page.number,
        page_size: page.size,
    }))
}

/// The session that is to be paid for.
#[derive(Debug, Deserialize, JsonSchema)]
struct OrderInput {
    session_id: SessionName,
}

/// An order that waits to be paid.
#[derive(Debug, Serialize, JsonSchema)]
struct NewOrder {
    id: i64,
    order_number: String,
    session_id: String,
    amount: f64,
    payment_status: &'static str,
    created_time: String,
    qr_code_url: String,
}

async fn create(call: Call<Caller, Json<OrderInput>>) -> Answer<Created<NewOrder>> {
    let Json(OrderInput { session_id: SessionName(session) }) = call.body;
    let order = call.app.cloud.parking.order(&call.who, session).await?;
    Ok(Created(NewOrder {
        id: order.id,
        qr_code_url: format!("/static/qr_codes/{}.png", order.order_number),
        order_number: order.order_number,
        session_id: format!("session_{session}"),
        amount: yuan(order.amount_fen),
        payment_status: order.status.as_str(),
        created_time: utc(order.created_at_ms),
    }))
}

/// What was taken, less what was given back, and what became of the orders.
#[derive(Debug, Serialize, JsonSchema)]
struct Stats {
    today_revenue: f64,
    /// Of today and the six days before.
    week_revenue: f64,
    /// Of today and the 29 days before.
    month_revenue: f64,
    total_revenue: f64,
    total_orders: i64,
    completed_orders: i64,
    pending_orders: i64,
    failed_orders: i64,
    /// Share of the orders that were paid, in percent.
    success_rate: f64,
    payment_method_stats: BTreeMap<String, i64>,
}

impl From<PaymentFigures> for Stats {
    fn from(figures: PaymentFigures) -> Self {
        Self {
            today_revenue: yuan(figures.today_fen),
            week_revenue: yuan(figures.week_fen),
            month_revenue: yuan(figures.month_fen),
            total_revenue: yuan(figures.total_fen),
            total_orders: figures.orders,
            completed_orders: figures.completed,
            pending_orders: figures.pending,
            failed_orders: figures.failed,
            success_rate: percent(figures.completed, figures.orders),
            payment_method_stats: figures.by_method.into_iter().collect(),
        }
    }
}

async fn stats(call: Call<Caller>) -> Answer<Json<Stats>> {
    Ok(Json(call.app.cloud.parking.payment_figures(&call.who).await?.into()))
}

/// Shown by pages, which send no credentials for pictures; it says the order's number alone.
async fn qr_code(call: Call<Anyone>) -> Answer<Response> {
    let not_there = || Error::NotFound("QR code");
    let number = call.path("file").strip_suffix(".png").ok_or_else(not_there)?;
    if !call.app.cloud.parking.has_order(number).await? {
        return Err(not_there().into());
    }
    let picture = super::qr::png(&format!("gatehouse:order:{number}")).ok_or_else(not_there)?;
    let png = HeaderValue::from_static("image/png");
    Ok(with_header(picture, "content-type", png).into_response())
}
