//! WeChat Pay, API v3, as far as merchants see it: verifies what it is asked, signs what it
//! answers, and tells of payments in sealed, signed notifications.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use cloud_sync::config;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};
use warp::http::Response;

use super::{
    counterpart::{Answer, Asked, Log, start},
    keys::Keys,
};
use crate::service::{self, Service};

const MERCHANT: &str = "1900000001";
const SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
const PLATFORM: &str = "PUB_KEY_ID_0114232134912410000000000000";
const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
const NOTIFY: &str = "https://parking.example.com/payments/wechat/notify/";

/// WeChat Pay and the merchant's account there.
pub(super) struct Wechat {
    pub(super) config: config::Wechat,
    pub(super) asked: Log,
    /// What becomes of refunds: `SUCCESS`, `PROCESSING`, or an error's code.
    pub(super) refunds: Arc<Mutex<&'static str>>,
    platform: Arc<Keys>,
}

/// What is wrong with a notification.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Forged {
    No,
    Signature,
    Body,
    Serial,
    Old,
    Merchant,
}

impl Wechat {
    pub(super) async fn start(folder: &Path) -> Self {
        let merchant = Keys::make(folder, "merchant");
        let platform = Arc::new(Keys::make(folder, "platform"));
        let secret = folder.join("api_v3.key");
        fs::write(&secret, API_V3_KEY).unwrap();
        let (asked, refunds) = (Log::default(), Arc::new(Mutex::new("SUCCESS")));
        let mut config = config::Wechat {
            app_id: "wx0000000000000001".into(),
            merchant_id: MERCHANT.into(),
            merchant_serial: SERIAL.into(),
            merchant_key_file: merchant.private.clone(),
            api_v3_key_file: secret,
            platform_key_id: PLATFORM.into(),
            platform_key_file: platform.public.clone(),
            notify_url: NOTIFY.into(),
            endpoint: String::new(),
        };
        let (log, state, key) = (asked.clone(), refunds.clone(), platform.clone());
        let address = start(move |asked| {
            let answer = answer(&asked, &merchant, &log, *state.lock().unwrap());
            signed(&key, answer)
        });
        config.endpoint = format!("http://{}", address.await);
        Self { config, asked, refunds, platform }
    }

    /// Tells the service of something in a sealed, signed notification; its status.
    pub(super) async fn tell(
        &self,
        service: &Service,
        event: &str,
        mut what: Value,
        forged: Forged,
    ) -> u16 {
        what["mchid"] = json!(if forged == Forged::Merchant { "1900000002" } else { MERCHANT });
        let mut body = json!({
            "id": "EV-1", "create_time": "2026-03-10T12:00:00+08:00", "event_type": event,
            "resource_type": "encrypt-resource", "summary": "…", "resource": sealed(&what),
        })
        .to_string();
        let age_s = if forged == Forged::Old { 301 } else { 0 };
        let timestamp = (service::now().timestamp() - age_s).to_string();
        let text = format!("{timestamp}\nnonce\n{body}\n");
        let key = if forged == Forged::Signature {
            "AAAA".into()
        } else {
            self.platform.sign(text.as_bytes())
        };
        if forged == Forged::Body {
            body = body.replace("EV-1", "EV-2");
        }
        let serial = if forged == Forged::Serial { "PUB_KEY_ID_2" } else { PLATFORM };
        let request = service
            .request(reqwest::Method::POST, "/payments/wechat/notify/")
            .header("wechatpay-timestamp", timestamp)
            .header("wechatpay-nonce", "nonce")
            .header("wechatpay-serial", serial)
            .header("wechatpay-signature", key)
            .body(body);
        request.send().await.unwrap().status().as_u16()
    }
}

/// What a transaction that has succeeded looks like.
pub(super) fn paid(number: &str, transaction: &str, fen: i64) -> Value {
    json!({
        "appid": "wx0000000000000001", "out_trade_no": number, "transaction_id": transaction,
        "trade_type": "NATIVE", "trade_state": "SUCCESS",
        "amount": {"total": fen, "payer_total": fen, "currency": "CNY"},
    })
}

fn sealed(what: &Value) -> Value {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, API_V3_KEY.as_bytes()).unwrap());
    let (nonce, about) = ("fdasflkja484", "transaction");
    let mut bytes = what.to_string().into_bytes();
    let once = Nonce::try_assume_unique_for_key(nonce.as_bytes()).unwrap();
    key.seal_in_place_append_tag(once, Aad::from(about.as_bytes()), &mut bytes).unwrap();
    json!({
        "algorithm": "AEAD_AES_256_GCM", "ciphertext": BASE64_STANDARD.encode(bytes),
        "nonce": nonce, "associated_data": about, "original_type": "transaction",
    })
}

/// A value of the `Authorization` header.
fn part<'a>(authorization: &'a str, name: &str) -> &'a str {
    let start = format!("{name}=\"");
    authorization.split(&start).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("")
}

fn is_merchants(asked: &Asked, merchant: &Keys) -> bool {
    let given = asked.header("authorization");
    let text = format!(
        "{}\n{}\n{}\n{}\n{}\n",
        asked.method,
        asked.path,
        part(given, "timestamp"),
        part(given, "nonce_str"),
        String::from_utf8_lossy(&asked.body)
    );
    given.starts_with("WECHATPAY2-SHA256-RSA2048 ")
        && part(given, "mchid") == MERCHANT
        && part(given, "serial_no") == SERIAL
        && merchant.have_signed(text.as_bytes(), part(given, "signature"))
}

fn answer(asked: &Asked, merchant: &Keys, log: &Log, refunds: &str) -> (u16, Value) {
    if !is_merchants(asked, merchant) {
        return (401, json!({"code": "SIGN_ERROR", "message": "签名错误"}));
    }
    let body = asked.json();
    log.lock().unwrap().push((format!("{} {}", asked.method, asked.path), body.clone()));
    match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/v3/pay/transactions/native") => {
            assert_eq!(body["notify_url"], NOTIFY);
            let number = body["out_trade_no"].as_str().unwrap();
            (200, json!({"code_url": format!("weixin://wxpay/bizpayurl?pr={number}")}))
        }
        (_, path) if path.starts_with("/v3/refund/domestic/refunds") => match refunds {
            "SUCCESS" | "PROCESSING" => (200, json!({"refund_id": "R1", "status": refunds})),
            code => (403, json!({"code": code, "message": "…"})),
        },
        _ => (404, json!({"code": "RESOURCE_NOT_EXISTS", "message": "…"})),
    }
}

fn signed(platform: &Keys, (status, body): (u16, Value)) -> Answer {
    let (timestamp, body) = (service::now().timestamp().to_string(), body.to_string());
    let text = format!("{timestamp}\nnonce\n{body}\n");
    Response::builder()
        .status(status)
        .header("wechatpay-timestamp", &timestamp)
        .header("wechatpay-nonce", "nonce")
        .header("wechatpay-serial", PLATFORM)
        .header("wechatpay-signature", platform.sign(text.as_bytes()))
        .body(body)
        .unwrap()
}
