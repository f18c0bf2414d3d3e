//! Alipay, RSA2: payments by a QR code (`alipay.trade.precreate`) and refunds.
//! <https://opendocs.alipay.com/open/02ekfg>

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::FixedOffset;
use cloud_core::{
    Awaited, Gateway, GatewayError, ProviderName, RefundState, WantedPayment, WantedRefund, Word,
};
use domain::{clock::Clock, money::Fen};
use form_urlencoded::Serializer;
use reqwest::Client;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};

use super::{
    keys::{ProviderKey, SigningKey},
    no_answer, unreachable,
};
use crate::{config, outside};

const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Where Alipay's clocks are, in seconds east of UTC.
const BEIJING_S: i32 = 8 * 3600;
/// Reasons that pass: asking again may help.
const PASSING: [&str; 3] =
    ["ACQ.SYSTEM_ERROR", "ACQ.SELLER_BALANCE_NOT_ENOUGH", "ACQ.REQUEST_AMOUNT_EXCEED_LIMIT"];

/// A merchant's application at Alipay.
pub(crate) struct Alipay {
    client: Client,
    clock: Arc<dyn Clock>,
    config: config::Alipay,
    key: SigningKey,
    alipay_key: ProviderKey,
}

#[derive(Deserialize)]
struct Status {
    code: String,
    msg: String,
    sub_code: Option<String>,
    sub_msg: Option<String>,
}

#[derive(Deserialize)]
struct Code {
    qr_code: String,
}

#[derive(Deserialize)]
struct Refund {
    fund_change: Option<String>,
}

#[derive(Deserialize)]
struct RefundQuery {
    refund_status: Option<String>,
}

impl Alipay {
    pub(super) fn new(config: &config::Alipay, clock: Arc<dyn Clock>) -> Result<Self, String> {
        Ok(Self {
            client: outside::client(LONGEST_WAIT)?,
            clock,
            key: SigningKey::read("payment.alipay.app_key_file", &config.app_key_file)?,
            alipay_key: ProviderKey::read(
                "payment.alipay.alipay_key_file",
                &config.alipay_key_file,
            )?,
            config: config.clone(),
        })
    }

    /// What a notification says; none where it is not Alipay's or not for this application.
    pub(crate) fn hear(&self, body: &[u8]) -> Option<Word> {
        let said: BTreeMap<_, _> = form_urlencoded::parse(body).into_owned().collect();
        let get = |name: &str| said.get(name).map(String::as_str);
        let signed =
            said.iter().filter(|(name, _)| !["sign", "sign_type"].contains(&name.as_str()));
        if !self.alipay_key.has_signed(in_line(signed).as_bytes(), get("sign")?)
            || get("app_id")? != self.config.app_id
        {
            return None;
        }
        let is_paid = matches!(get("trade_status"), Some("TRADE_SUCCESS" | "TRADE_FINISHED"));
        // A refund is told with the status of its payment; it is known from its answer.
        if !is_paid || get("refund_fee").is_some() {
            return Some(Word::Nothing);
        }
        Some(Word::Paid {
            number: get("out_trade_no")?.to_owned(),
            transaction_id: get("trade_no")?.to_owned(),
            amount_fen: get("total_amount")?.parse::<Fen>().ok()?.0,
        })
    }

    /// The parameters of a request, signed.
    fn parameters(&self, method: &str, content: &Value) -> BTreeMap<String, String> {
        let beijing = FixedOffset::east_opt(BEIJING_S).expect("eight hours is an offset");
        let now = self.clock.now().wall.with_timezone(&beijing);
        let given = [
            ("app_id", self.config.app_id.clone()),
            ("method", method.to_owned()),
            ("charset", "utf-8".to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("timestamp", now.format("%Y-%m-%d %H:%M:%S").to_string()),
            ("version", "1.0".to_owned()),
            ("notify_url", self.config.notify_url.clone()),
            ("biz_content", content.to_string()),
        ];
        let mut parameters: BTreeMap<_, _> =
            given.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let signature = self.key.sign(&in_line(parameters.iter()));
        parameters.insert("sign".to_owned(), signature);
        parameters
    }

    /// Asks, and reads the answer that Alipay has signed.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        content: Value,
    ) -> Result<T, GatewayError> {
        let form =
            Serializer::new(String::new()).extend_pairs(self.parameters(method, &content)).finish();
        let request = self
            .client
            .post(format!("{}?charset=utf-8", self.config.endpoint))
            .header("content-type", "application/x-www-form-urlencoded;charset=utf-8")
            .body(form);
        let response = request.send().await.map_err(unreachable)?;
        let bytes = outside::body(response).await?;
        let answer = self
            .signed_part(&bytes, method)
            .ok_or_else(|| no_answer("an answer without Alipay's signature"))?;
        let status: Status = serde_json::from_str(answer).map_err(no_answer)?;
        match status.code.as_str() {
            "10000" => serde_json::from_str(answer).map_err(no_answer),
            _ => Err(status.into()),
        }
    }

    /// The answer within, exactly as it was signed.
    fn signed_part<'a>(&self, body: &'a [u8], method: &str) -> Option<&'a str> {
        let parts: BTreeMap<String, &RawValue> = serde_json::from_slice(body).ok()?;
        let answer = parts.get(&format!("{}_response", method.replace('.', "_")));
        let answer = answer.or_else(|| parts.get("error_response"))?.get();
        let signature: String = serde_json::from_str(parts.get("sign")?.get()).ok()?;
        self.alipay_key.has_signed(answer.as_bytes(), &signature).then_some(answer)
    }
}

/// `a=1&b=2`, in the order of the names, without what is empty, as Alipay signs it.
fn in_line<'a>(parameters: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let given = parameters.filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

impl From<Status> for GatewayError {
    fn from(status: Status) -> Self {
        let reason = status.sub_code.unwrap_or_default();
        let text = status.sub_msg.unwrap_or(status.msg);
        let why = format!("{} {reason}: {text}", status.code);
        // 40004 is a refusal of what was asked; everything else is trouble with the asking.
        match status.code == "40004" && !PASSING.contains(&reason.as_str()) {
            true => Self::Refused(why),
            false => Self::NoAnswer(why),
        }
    }
}

impl Gateway for Alipay {
    fn name(&self) -> ProviderName {
        ProviderName::Alipay
    }

    fn begin<'a>(&'a self, wanted: &'a WantedPayment) -> Awaited<'a, String> {
        Box::pin(async {
            let content = json!({
                "out_trade_no": wanted.number,
                "total_amount": Fen(wanted.amount_fen).to_string(),
                "subject": wanted.title,
            });
            let answer: Code = self.ask("alipay.trade.precreate", content).await?;
            Ok(answer.qr_code)
        })
    }

    fn refund<'a>(&'a self, wanted: &'a WantedRefund) -> Awaited<'a, RefundState> {
        Box::pin(async {
            let content = json!({
                "out_trade_no": wanted.payment,
                "out_request_no": wanted.number,
                "refund_amount": Fen(wanted.amount_fen).to_string(),
                "refund_reason": wanted.reason,
            });
            let answer: Refund = self.ask("alipay.trade.refund", content).await?;
            Ok(match answer.fund_change.as_deref() {
                Some("Y") => RefundState::Done,
                _ => RefundState::Processing,
            })
        })
    }

    fn refund_state<'a>(&'a self, wanted: &'a WantedRefund) -> Awaited<'a, RefundState> {
        Box::pin(async {
            let content = json!({"out_trade_no": wanted.payment, "out_request_no": wanted.number});
            let answer: RefundQuery =
                self.ask("alipay.trade.fastpay.refund.query", content).await?;
            Ok(match answer.refund_status.as_deref() {
                Some("REFUND_SUCCESS") => RefundState::Done,
                _ => RefundState::Processing,
            })
        })
    }
}
