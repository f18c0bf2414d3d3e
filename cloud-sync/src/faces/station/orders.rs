//! `/api/orders/…` and `/api/devices/open/by-code/`: what a driver does with a locker.

use cloud_core::{
    Caller, Cloud, Error,
    lockers::{Order, PayMethod, Payment},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    envelope::{Data, found, made, said},
    input,
    time::local,
    words,
};
use crate::http::{Answer, Call, Created, Json, fields::Decimal};

/// An order.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OrderView {
    /// Its number.
    id: i64,
    /// Its number for people.
    order_no: String,
    /// The number of its user.
    user: i64,
    /// The user's phone.
    user_phone: Option<String>,
    /// The number of its cabinet.
    cabinet: i64,
    /// The name on its cabinet's door.
    cabinet_id: String,
    /// small, medium or large.
    cabinet_size: &'static str,
    /// Its station.
    station: String,
    /// pending, paid, in_use, completed or cancelled.
    status: &'static str,
    /// The state for people.
    status_display: &'static str,
    /// Rented hours, with extensions.
    duration_hours: String,
    /// What an hour costs, in yuan.
    price_per_hour: String,
    /// Rent, extensions and overtime, in yuan.
    total_amount: String,
    /// What finishing right now costs on top, in yuan: each started hour after the end.
    overtime_due: String,
    /// balance, wechat or alipay.
    payment_method: Option<&'static str>,
    /// The method for people.
    payment_method_display: Option<&'static str>,
    /// Six digits that open the cabinet; for its user, while it is paid and not ended.
    pickup_code: Option<String>,
    /// When it was made.
    created_at: String,
    /// When it was paid.
    paid_at: Option<String>,
    /// When its cabinet was first opened.
    start_time: Option<String>,
    /// Until when it is paid.
    end_time: Option<String>,
    /// When it was completed.
    actual_end_time: Option<String>,
    /// The provider's page on which to pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_url: Option<String>,
}

impl OrderView {
    pub(super) fn new(order: Order, cloud: &Cloud) -> Self {
        let (zone, now_ms) = (cloud.lockers.zone(), cloud.clock().now().wall.timestamp_millis());
        let overtime_due = order.overtime_due(now_ms).to_string();
        let time = |ms: Option<i64>| ms.map(|ms| local(ms, zone));
        Self {
            id: order.id,
            order_no: order.order_no,
            user: order.user_id,
            user_phone: order.user_phone,
            cabinet: order.cabinet,
            cabinet_id: order.cabinet_id,
            cabinet_size: order.cabinet_size.as_str(),
            station: order.station,
            status: order.status.as_str(),
            status_display: words::order_status(order.status),
            duration_hours: order.hours.to_string(),
            price_per_hour: order.price.to_string(),
            total_amount: order.total.to_string(),
            overtime_due,
            payment_method: order.method.map(|method| method.as_str()),
            payment_method_display: order.method.map(words::method),
            pickup_code: order.pickup_code,
            created_at: local(order.created_at_ms, zone),
            paid_at: time(order.paid_at_ms),
            start_time: time(order.started_at_ms),
            end_time: time(order.ends_at_ms),
            actual_end_time: time(order.ended_at_ms),
            payment_url: None,
        }
    }
}

/// An order that is to be made.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct NewOrder {
    /// The name on the cabinet's door.
    cabinet_id: String,
    /// Hours, at least 0.5, with at most 2 decimals.
    duration_hours: Decimal,
}

/// How an order is paid.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct PayBody {
    /// wechat, alipay or balance.
    payment_method: String,
}

/// How much longer a cabinet is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ExtendBody {
    /// Hours, at least 0.5, with at most 2 decimals.
    additional_hours: Decimal,
    /// balance, wechat or alipay; balance where it is left out.
    payment_method: Option<String>,
}

/// How overtime is paid.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct CompleteBody {
    /// balance, wechat or alipay; balance where it is left out.
    payment_method: Option<String>,
}

/// A code before a door.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct OpenBody {
    /// The name on the door.
    cabinet_id: String,
    /// Six digits.
    pickup_code: String,
    /// Whether the order is to be completed once the door is closed again.
    #[serde(default)]
    finish: bool,
}

/// A door that is being opened.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OpeningView {
    /// The name on the door.
    cabinet_id: String,
    /// open; close where it is open and only to be closed.
    action: &'static str,
    /// The order that it is opened for.
    order_id: i64,
    /// What its controller is told.
    command_id: Option<String>,
}

type One = Answer<Json<Data<OrderView>>>;

pub(super) async fn create(call: Call<Caller, Json<NewOrder>>) -> Answer<Created<Data<OrderView>>> {
    let (cloud, body) = (&call.app.cloud, &call.body.0);
    let hours = body.duration_hours.parsed("duration_hours")?;
    let order = cloud.lockers.order(&call.who, body.cabinet_id.trim(), hours).await?;
    Ok(made("订单创建成功", OrderView::new(order, cloud)))
}

pub(super) async fn my(call: Call<Caller>) -> Answer<Json<Data<Vec<OrderView>>>> {
    let cloud = &call.app.cloud;
    let wanted = "pending / paid / in_use / completed / cancelled";
    let status = input::filter(&call.query, "status", wanted)?;
    let orders = cloud.lockers.own_orders(&call.who, status).await?;
    let views = orders.into_iter().map(|order| OrderView::new(order, cloud));
    Ok(found(views.collect()))
}

pub(super) async fn one(call: Call<Caller>) -> One {
    let cloud = &call.app.cloud;
    let order = cloud.lockers.get_order(&call.who, call.id("order_id", "order")?).await?;
    Ok(found(OrderView::new(order, cloud)))
}

pub(super) async fn pay(call: Call<Caller, Json<PayBody>>) -> One {
    let cloud = &call.app.cloud;
    let id = call.id("order_id", "order")?;
    let method = call.body.0.payment_method.parse()?;
    paid("支付成功", cloud.lockers.pay(&call.who, id, method).await?, cloud)
}

/// What was done for the money; or, where it waits for a provider, the page on which to pay.
fn paid(done: &'static str, payment: Payment, cloud: &Cloud) -> One {
    match payment {
        Payment::Done(order) => Ok(said(done, OrderView::new(order, cloud))),
        Payment::Waiting { order, payment_url } => {
            let order = OrderView::new(order, cloud);
            Ok(said("请完成支付", OrderView { payment_url: Some(payment_url), ..order }))
        }
    }
}

/// The method that was named; the balance where none was.
fn method(named: Option<&String>) -> Result<PayMethod, Error> {
    named.map_or(Ok(PayMethod::Balance), |text| text.parse())
}

pub(super) async fn extend(call: Call<Caller, Json<ExtendBody>>) -> One {
    let cloud = &call.app.cloud;
    let id = call.id("order_id", "order")?;
    let more = call.body.0.additional_hours.parsed("additional_hours")?;
    let method = method(call.body.0.payment_method.as_ref())?;
    paid("续费成功", cloud.lockers.extend(&call.who, id, more, method).await?, cloud)
}

pub(super) async fn cancel(call: Call<Caller>) -> One {
    let cloud = &call.app.cloud;
    let order = cloud.lockers.cancel(&call.who, call.id("order_id", "order")?).await?;
    Ok(said("订单已取消", OrderView::new(order, cloud)))
}

pub(super) async fn complete(call: Call<Caller, Json<CompleteBody>>) -> One {
    let cloud = &call.app.cloud;
    let id = call.id("order_id", "order")?;
    let method = method(call.body.0.payment_method.as_ref())?;
    paid("订单已完成", cloud.lockers.complete(&call.who, id, method).await?, cloud)
}

pub(super) async fn open_by_code(
    call: Call<Caller, Json<OpenBody>>,
) -> Answer<Json<Data<OpeningView>>> {
    let body = &call.body.0;
    let (cabinet, code) = (body.cabinet_id.trim(), &body.pickup_code);
    let opening = call.app.cloud.lockers.open(&call.who, cabinet, code, body.finish).await?;
    let view = OpeningView {
        cabinet_id: opening.cabinet_id,
        action: if opening.command_id.is_some() { "open" } else { "close" },
        order_id: opening.order_id,
        command_id: opening.command_id,
    };
    Ok(said("开柜成功", view))
}
