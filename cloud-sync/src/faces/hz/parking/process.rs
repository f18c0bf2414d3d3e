//! Paying orders and giving money back.

use cloud_core::{Caller, Operator, PayMethod, Payable};
use domain::money::Fen;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::{Id, Yuan},
    orders::OrderView,
    wire::Done,
};
use crate::http::{Answer, Call, Json, Route, post};

pub(super) fn routes() -> Vec<Route> {
    vec![
        post("/hzsystem_parking/payment/process/", process)
            .summary("Pay an order: at the counter for operators, else by balance or a provider")
            .idempotent(),
        post("/hzsystem_parking/payment/refund/", refund)
            .summary("Give back a part of a payment, or what is left of it")
            .idempotent(),
    ]
}

/// How an order is paid.
#[derive(Debug, Deserialize, JsonSchema)]
struct ProcessInput {
    order_id: Id,
    /// cash, card, online, wechat, alipay or balance
    payment_method: String,
    amount: Yuan,
}

/// What became of the order, and where to pay it.
#[derive(Debug, Serialize, JsonSchema)]
struct Processed {
    #[serde(flatten)]
    order: OrderView,
    /// The provider's page, while the order waits for its word.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_url: Option<String>,
}

async fn process(call: Call<Caller, Json<ProcessInput>>) -> Answer<Json<Done<Processed>>> {
    let Json(input) = &call.body;
    let (Id(order), Yuan(Fen(amount_fen))) = (input.order_id, input.amount);
    let method: PayMethod = input.payment_method.parse()?;
    let with = Payable { method, amount_fen: Some(amount_fen) };
    let paid = call.app.cloud.parking.pay_order(&call.who, order, with).await?;
    let message = match paid.payment_url {
        None => "支付成功",
        Some(_) => "请前往支付页面完成支付",
    };
    let processed = Processed { order: paid.payment.into(), payment_url: paid.payment_url };
    Ok(Json(Done::new(message, processed)))
}

/// What is given back, and why.
#[derive(Debug, Deserialize, JsonSchema)]
struct RefundInput {
    order_id: Id,
    /// All that is left where it is not given.
    #[serde(default)]
    refund_amount: Option<Yuan>,
    #[serde(default, alias = "reason")]
    refund_reason: Option<String>,
}

async fn refund(call: Call<Operator, Json<RefundInput>>) -> Answer<Json<Done<OrderView>>> {
    let Json(input) = &call.body;
    let (Id(order), amount) = (input.order_id, input.refund_amount);
    let amount_fen = amount.map(|Yuan(Fen(fen))| fen);
    let reason = input.refund_reason.clone().unwrap_or_default();
    let refunded = call.app.cloud.parking.refund(&call.who, order, amount_fen, reason).await?;
    Ok(Json(Done::new("退款成功", refunded.into())))
}
