//! WeChat Pay, API v3: Native payments (the payer scans or opens a `code_url`) and refunds.
//! <https://pay.weixin.qq.com/doc/v3/merchant/4012365342>

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use cloud_core::{
    Awaited, Gateway, GatewayError, ProviderName, RefundState, WantedPayment, WantedRefund, Word,
};
use domain::clock::Clock;
use reqwest::{Client, Method, StatusCode, header::HeaderMap};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    keys::{ProviderKey, SigningKey, read},
    no_answer, unreachable,
};
use crate::{config, outside};

/// How far the time of what WeChat signs may be from now, either way.
const WINDOW_S: u64 = 5 * 60;
/// Longest reason of a refund, in bytes.
const LONGEST_REASON: usize = 80;
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A merchant's account at WeChat Pay.
pub(crate) struct Wechat {
    client: Client,
    clock: Arc<dyn Clock>,
    config: config::Wechat,
    key: SigningKey,
    platform_key: ProviderKey,
    secret: LessSafeKey,
}

/// What was sent along with a text that WeChat has signed.
struct Signed<'a> {
    timestamp: &'a str,
    nonce: &'a str,
    serial: &'a str,
    signature: &'a str,
}

#[derive(Deserialize)]
struct CodeUrl {
    code_url: String,
}

#[derive(Deserialize)]
struct Refund {
    status: String,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    message: String,
}

#[derive(Deserialize)]
struct Notice {
    event_type: String,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    ciphertext: String,
    nonce: String,
    #[serde(default)]
    associated_data: String,
}

#[derive(Deserialize)]
struct Transaction {
    mchid: String,
    out_trade_no: String,
    transaction_id: String,
    trade_state: String,
    amount: Amount,
}

#[derive(Deserialize)]
struct Amount {
    total: i64,
}

#[derive(Deserialize)]
struct EndedRefund {
    mchid: String,
    out_refund_no: String,
    refund_status: String,
}

impl Wechat {
    pub(super) fn new(config: &config::Wechat, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let secret = read("payment.wechat.api_v3_key_file", &config.api_v3_key_file)?;
        let secret = UnboundKey::new(&AES_256_GCM, secret.trim().as_bytes())
            .map_err(|_| "`payment.wechat.api_v3_key_file` has no key of 32 bytes".to_owned())?;
        Ok(Self {
            client: outside::client(LONGEST_WAIT)?,
            clock,
            key: SigningKey::read("payment.wechat.merchant_key_file", &config.merchant_key_file)?,
            platform_key: ProviderKey::read(
                "payment.wechat.platform_key_file",
                &config.platform_key_file,
            )?,
            secret: LessSafeKey::new(secret),
            config: config.clone(),
        })
    }

    /// What a notification says; none where it is not WeChat's, or not of these minutes.
    pub(crate) fn hear(&self, headers: &HeaderMap, body: &[u8]) -> Option<Word> {
        if !self.has_signed(headers, body) {
            return None;
        }
        let notice: Notice = serde_json::from_slice(body).ok()?;
        match notice.event_type.as_str() {
            "TRANSACTION.SUCCESS" => {
                let paid: Transaction = self.decrypt(&notice.resource)?;
                let is_ours = paid.mchid == self.config.merchant_id;
                (is_ours && paid.trade_state == "SUCCESS").then_some(Word::Paid {
                    number: paid.out_trade_no,
                    transaction_id: paid.transaction_id,
                    amount_fen: paid.amount.total,
                })
            }
            "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => {
                let ended: EndedRefund = self.decrypt(&notice.resource)?;
                (ended.mchid == self.config.merchant_id).then(|| Word::Refund {
                    number: ended.out_refund_no,
                    state: state(&ended.refund_status),
                })
            }
            _ => Some(Word::Nothing),
        }
    }

    fn now_s(&self) -> i64 {
        self.clock.now().wall.timestamp()
    }

    fn has_signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let signed = || {
            Some(Signed {
                timestamp: header("wechatpay-timestamp")?,
                nonce: header("wechatpay-nonce")?,
                serial: header("wechatpay-serial")?,
                signature: header("wechatpay-signature")?,
            })
        };
        signed().is_some_and(|signed| {
            let is_fresh = |at: i64| at.abs_diff(self.now_s()) <= WINDOW_S;
            let head = format!("{}\n{}\n", signed.timestamp, signed.nonce);
            let text = [head.as_bytes(), body, b"\n"].concat();
            signed.serial == self.config.platform_key_id
                && signed.timestamp.parse().is_ok_and(is_fresh)
                && self.platform_key.has_signed(&text, signed.signature)
        })
    }

    fn decrypt<T: DeserializeOwned>(&self, resource: &Resource) -> Option<T> {
        let nonce = Nonce::try_assume_unique_for_key(resource.nonce.as_bytes()).ok()?;
        let mut bytes = BASE64_STANDARD.decode(&resource.ciphertext).ok()?;
        let aad = Aad::from(resource.associated_data.as_bytes());
        let text = self.secret.open_in_place(nonce, aad, &mut bytes).ok()?;
        serde_json::from_slice(text).ok()
    }

    /// The `Authorization` of a request.
    fn authorization(&self, method: &Method, path: &str, body: &str) -> String {
        let (now_s, nonce) = (self.now_s(), Uuid::new_v4().simple());
        let text = format!("{method}\n{path}\n{now_s}\n{nonce}\n{body}\n");
        let config::Wechat { merchant_id, merchant_serial, .. } = &self.config;
        format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{merchant_id}\",nonce_str=\"{nonce}\",\
             signature=\"{}\",timestamp=\"{now_s}\",serial_no=\"{merchant_serial}\"",
            self.key.sign(&text)
        )
    }

    /// Asks, and reads the answer that WeChat has signed.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, GatewayError> {
        let body = body.map_or_else(String::new, |body| body.to_string());
        let authorization = self.authorization(&method, path, &body);
        let address = format!("{}{path}", self.config.endpoint.trim_end_matches('/'));
        let request = self
            .client
            .request(method, address)
            .header("authorization", authorization)
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .header("wechatpay-serial", &self.config.platform_key_id)
            .body(body);
        let response = request.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = outside::body(response).await?;
        if !self.has_signed(&headers, &bytes) {
            return Err(no_answer(format!("status {status} without a signature")));
        }
        if !status.is_success() {
            return Err(refusal(status, &bytes));
        }
        serde_json::from_slice(&bytes).map_err(no_answer)
    }
}

/// What an error of WeChat means for asking again.
fn refusal(status: StatusCode, body: &[u8]) -> GatewayError {
    let Ok(Problem { code, message }) = serde_json::from_slice(body) else {
        return no_answer(status);
    };
    let why = format!("{code}: {message}");
    match (status, code.as_str()) {
        (StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND, _) | (_, "USER_ACCOUNT_ABNORMAL") => {
            GatewayError::Refused(why)
        }
        _ => GatewayError::NoAnswer(why),
    }
}

fn state(word: &str) -> RefundState {
    match word {
        "SUCCESS" => RefundState::Done,
        "PROCESSING" => RefundState::Processing,
        other => RefundState::Failed(format!("the refund is {other}")),
    }
}

/// The start of a text that fits into so many bytes.
fn shortened(text: &str, most_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(most_bytes.min(text.len()))]
}

impl Gateway for Wechat {
    fn name(&self) -> ProviderName {
        ProviderName::Wechat
    }

    fn begin<'a>(&'a self, wanted: &'a WantedPayment) -> Awaited<'a, String> {
        Box::pin(async {
            let body = json!({
                "appid": self.config.app_id,
                "mchid": self.config.merchant_id,
                "description": wanted.title,
                "out_trade_no": wanted.number,
                "notify_url": self.config.notify_url,
                "amount": {"total": wanted.amount_fen, "currency": "CNY"},
            });
            let path = "/v3/pay/transactions/native";
            let answer: CodeUrl = self.ask(Method::POST, path, Some(body)).await?;
            Ok(answer.code_url)
        })
    }

    fn refund<'a>(&'a self, wanted: &'a WantedRefund) -> Awaited<'a, RefundState> {
        Box::pin(async {
            let mut body = json!({
                "out_trade_no": wanted.payment,
                "out_refund_no": wanted.number,
                "notify_url": self.config.notify_url,
                "amount": {
                    "refund": wanted.amount_fen,
                    "total": wanted.paid_fen,
                    "currency": "CNY",
                },
            });
            if !wanted.reason.is_empty() {
                body["reason"] = json!(shortened(&wanted.reason, LONGEST_REASON));
            }
            let path = "/v3/refund/domestic/refunds";
            let answer: Refund = self.ask(Method::POST, path, Some(body)).await?;
            Ok(state(&answer.status))
        })
    }

    fn refund_state<'a>(&'a self, wanted: &'a WantedRefund) -> Awaited<'a, RefundState> {
        Box::pin(async {
            let path = format!("/v3/refund/domestic/refunds/{}", wanted.number);
            let answer: Refund = self.ask(Method::GET, &path, None).await?;
            Ok(state(&answer.status))
        })
    }
}
