//! `/api/payments/`: what was paid for transactions. Ways of paying that this document has no
//! word for show as online.

use cloud_core::{
    Caller, Error, Operator, Paid, PayMethod, Payable, Payment, PaymentChange, PaymentFilter,
};
use domain::money::Fen;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::{one_of, refused, required},
    listing::{Listing, Wanted},
    time::utc,
};
use crate::{
    app::App,
    http::{Answer, Call, Json, Local, NoContent, Problem, fields::Decimal},
};

const PATH: &str = "/api/payments/payments/";
const METHODS: &[(&str, PayMethod)] =
    &[("cash", PayMethod::Cash), ("card", PayMethod::Card), ("online", PayMethod::Online)];

/// A payment.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PaymentView {
    /// Its number.
    id: i64,
    /// The number of the transaction.
    transaction: Option<i64>,
    /// What was paid, in yuan.
    amount: String,
    /// cash, card or online.
    payment_method: &'static str,
    /// When it was paid; none while the provider has not told of it.
    paid_at: Option<String>,
    /// The page on which it is paid at the provider, while that is awaited.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_url: Option<String>,
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        Self {
            id: payment.id,
            transaction: payment.stay,
            amount: Fen(payment.amount_fen).to_string(),
            payment_method: shown_method(&payment),
            paid_at: payment.paid_at_ms.map(utc),
            payment_url: None,
        }
    }
}

impl From<Paid> for PaymentView {
    fn from(Paid { payment, payment_url }: Paid) -> Self {
        Self { payment_url, ..payment.into() }
    }
}

fn shown_method(payment: &Payment) -> &'static str {
    let method = payment.method.as_deref().unwrap_or_default();
    METHODS.iter().find(|(word, _)| *word == method).map_or("online", |(word, _)| word)
}

/// A payment for a transaction.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct PayBody {
    /// The number of a transaction that is completed.
    transaction_id: i64,
    /// cash, card or online.
    payment_method: String,
    /// What is due; that alone is taken.
    amount: Option<Decimal>,
}

/// What is corrected in a payment.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct PaymentBody {
    /// The number of its transaction, which stays.
    transaction: Option<i64>,
    /// What was paid, in yuan.
    amount: Option<Decimal>,
    /// cash, card or online.
    payment_method: Option<String>,
}

fn method(word: &str) -> Result<PayMethod, Problem> {
    one_of("payment_method", word, METHODS)
}

pub(super) async fn list(call: Call<Local<Caller>>) -> Answer<Json<Listing<PaymentView>>> {
    let wanted = Wanted::of(&call.query)?;
    let paid = PaymentFilter { paid: true, ..PaymentFilter::default() };
    let payments = call.app.cloud.parking.payments(&call.who.0, paid, wanted.window()).await?;
    Ok(wanted.answer(PATH, payments))
}

pub(super) async fn pay(call: Call<Local<Caller>, Json<PayBody>>) -> Answer<Json<PaymentView>> {
    let body = &call.body.0;
    let with = Payable {
        method: method(&body.payment_method)?,
        amount_fen: amount_fen(body.amount.as_ref())?,
    };
    let parking = &call.app.cloud.parking;
    Ok(Json(parking.pay_stay(&call.who.0, body.transaction_id, with).await?.into()))
}

fn amount_fen(amount: Option<&Decimal>) -> Answer<Option<i64>> {
    let fen = amount.map(|amount| amount.parsed::<Fen>("amount")).transpose()?;
    Ok(fen.map(|Fen(fen)| fen))
}

/// A payment that was made; an order that waits is none yet.
async fn paid(app: &App, caller: &Caller, id: i64) -> Result<Payment, Error> {
    let payment = app.cloud.parking.payment(caller, id).await?;
    if payment.paid_at_ms.is_some() { Ok(payment) } else { Err(Error::NotFound("payment")) }
}

pub(super) async fn one(call: Call<Local<Caller>>) -> Answer<Json<PaymentView>> {
    let id = call.id("id", "payment")?;
    Ok(Json(paid(&call.app, &call.who.0, id).await?.into()))
}

pub(super) async fn replace(
    call: Call<Local<Operator>, Json<PaymentBody>>,
) -> Answer<Json<PaymentView>> {
    required("amount", call.body.0.amount.as_ref())?;
    required("payment_method", call.body.0.payment_method.as_ref())?;
    change(call).await
}

pub(super) async fn change(
    call: Call<Local<Operator>, Json<PaymentBody>>,
) -> Answer<Json<PaymentView>> {
    let (parking, body, id) = (&call.app.cloud.parking, &call.body.0, call.id("id", "payment")?);
    let mut change = PaymentChange {
        method: body.payment_method.as_deref().map(method).transpose()?,
        amount_fen: amount_fen(body.amount.as_ref())?,
    };
    let before = paid(&call.app, &call.who.0.reader(), id).await?;
    if body.transaction.is_some_and(|stay| before.stay != Some(stay)) {
        return Err(refused("transaction", "A payment stays with its transaction."));
    }
    // What is shown already is no change.
    change.method = change.method.filter(|method| method.as_str() != shown_method(&before));
    Ok(Json(parking.change_payment(&call.who.0, id, change).await?.into()))
}

pub(super) async fn remove(call: Call<Local<Operator>>) -> Answer<NoContent> {
    let id = call.id("id", "payment")?;
    call.app.cloud.parking.remove_payment(&call.who.0, id).await?;
    Ok(NoContent)
}
