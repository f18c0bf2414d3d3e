//! Alipay, RSA2, as far as merchants see it: verifies what it is asked, signs what it answers, and
//! tells of payments in signed forms.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use cloud_sync::config;
use serde_json::{Value, json};
use warp::http::Response;

use super::{
    counterpart::{Answer, Asked, Log, start},
    keys::Keys,
};
use crate::service::Service;

const APP: &str = "2021000000000001";
const NOTIFY: &str = "https://parking.example.com/payments/alipay/notify/";

/// Alipay and the merchant's application there.
pub(super) struct Alipay {
    pub(super) config: config::Alipay,
    pub(super) asked: Log,
    alipay: Arc<Keys>,
}

impl Alipay {
    pub(super) async fn start(folder: &Path) -> Self {
        let (app, alipay) = (Keys::make(folder, "app"), Arc::new(Keys::make(folder, "alipay")));
        let asked = Log::default();
        let mut config = config::Alipay {
            app_id: APP.into(),
            app_key_file: app.private.clone(),
            alipay_key_file: alipay.public.clone(),
            notify_url: NOTIFY.into(),
            endpoint: String::new(),
        };
        let (log, key) = (asked.clone(), alipay.clone());
        let address = start(move |asked| answer(&asked, &app, &key, &log)).await;
        config.endpoint = format!("http://{address}/gateway.do");
        Self { config, asked, alipay }
    }

    /// Tells the service of a payment, with some values changed after signing; its answer.
    pub(super) async fn tell(
        &self,
        service: &Service,
        said: &[(&str, &str)],
        forged: &[(&str, &str)],
    ) -> (u16, String) {
        let mut form: BTreeMap<String, String> =
            said.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let signature = self.alipay.sign(in_line(&form).as_bytes());
        form.insert("sign".into(), signature);
        form.insert("sign_type".into(), "RSA2".into());
        form.extend(forged.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let request = service
            .request(reqwest::Method::POST, "/payments/alipay/notify/")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// What Alipay says of a payment that has come.
pub(super) fn paid<'a>(
    number: &'a str,
    transaction: &'a str,
    yuan: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("app_id", APP),
        ("notify_type", "trade_status_sync"),
        ("notify_time", "2026-03-10 12:00:00"),
        ("subject", "停车费 & 其他"),
        ("out_trade_no", number),
        ("trade_no", transaction),
        ("trade_status", "TRADE_SUCCESS"),
        ("total_amount", yuan),
        ("empty", ""),
    ]
}

fn in_line(form: &BTreeMap<String, String>) -> String {
    let given = form.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
    given.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn answer(asked: &Asked, app: &Keys, alipay: &Keys, log: &Log) -> Answer {
    let form: BTreeMap<String, String> = form_urlencoded::parse(&asked.body).into_owned().collect();
    assert!(app.have_signed(in_line(&form).as_bytes(), &form["sign"]), "{form:?}");
    assert_eq!((&form["app_id"][..], &form["sign_type"][..]), (APP, "RSA2"));
    assert_eq!(form["notify_url"], NOTIFY);
    let (method, content) = (&form["method"], &form["biz_content"]);
    let content: Value = serde_json::from_str(content).unwrap();
    log.lock().unwrap().push((method.clone(), content.clone()));
    let said = match method.as_str() {
        "alipay.trade.precreate" => {
            let number = content["out_trade_no"].as_str().unwrap();
            json!({"code": "10000", "msg": "Success", "out_trade_no": number,
                   "qr_code": format!("https://qr.alipay.com/{number}")})
        }
        "alipay.trade.refund" => {
            json!({"code": "10000", "msg": "Success", "fund_change": "Y", "refund_fee": "4.00"})
        }
        _ => json!({"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.INVALID"}),
    };
    // Spaces that only somebody who signs the bytes, and not what they mean, gets right.
    let said = said.to_string().replace(':', ": ").replace("https: ", "https:");
    let name = format!("{}_response", method.replace('.', "_"));
    let signature = alipay.sign(said.as_bytes());
    Response::new(format!("{{\"{name}\":{said},\"sign\":\"{signature}\"}}"))
}
