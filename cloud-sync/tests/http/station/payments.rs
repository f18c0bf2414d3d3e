//! Paying outside, and the provider's word over HTTP.

use domain::envelope::to_hex;
use reqwest::{Method, StatusCode};
use ring::hmac::{HMAC_SHA256, Key, sign};
use serde_json::json;

use super::people::{Person, Station};
use crate::service::{Answer, PROVIDER_SECRET, Service, now, start};

async fn notify(service: &Service, provider: &str, body: &str, secret: &str) -> Answer {
    let timestamp = now().timestamp().to_string();
    let key = Key::new(HMAC_SHA256, secret.as_bytes());
    let signature = to_hex(sign(&key, format!("{timestamp}{body}").as_bytes()).as_ref());
    let path = format!("/payments/{provider}/notify/");
    let request = service.request(Method::POST, &path).header("x-timestamp", timestamp);
    let request = request.header("x-signature", signature).body(body.to_owned());
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_provider_reports_a_payment() {
    let service = start().await;
    Station::set_up(&service).await;
    let driver = Person::register(&service, 1).await;
    let wanted = json!({"cabinet_id": "A001", "duration_hours": 2});
    let order = driver.does(&service, "/api/orders/create/", wanted).await;
    let path = format!("/api/orders/{}/", order["id"]);
    let pay = format!("{path}pay/");
    let asked = driver.does(&service, &pay, json!({"payment_method": "wechat"})).await;
    assert_eq!(asked["status"], "pending");
    let url = asked["payment_url"].as_str().unwrap();
    let number = url.split("out_trade_no=").nth(1).unwrap().split('&').next().unwrap();
    let body = json!({"out_trade_no": number, "transaction_id": "T1", "amount_fen": 400});
    let body = body.to_string();
    let forged = notify(&service, "wechat", &body, "another secret of length").await;
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
    assert_eq!(driver.sees(&service, &path).await["status"], "pending");
    for _ in 0..2 {
        let taken = notify(&service, "wechat", &body, PROVIDER_SECRET).await;
        assert_eq!(taken.json, json!({"code": "SUCCESS", "message": "成功"}));
    }
    let paid = driver.sees(&service, &path).await;
    assert_eq!(
        (&paid["status"], &paid["payment_method_display"]),
        (&json!("paid"), &json!("微信支付"))
    );
    assert_eq!(paid["pickup_code"].as_str().unwrap().len(), 6);
    for provider in ["alipay", "paypal"] {
        let answer = notify(&service, provider, &body, PROVIDER_SECRET).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{provider}");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_not_offered() {
    let service = start().await;
    Station::set_up(&service).await;
    let driver = Person::register(&service, 1).await;
    let wanted = json!({"cabinet_id": "A001", "duration_hours": 2});
    let order = driver.does(&service, "/api/orders/create/", wanted).await;
    let pay = format!("/api/orders/{}/pay/", order["id"]);
    let answer = driver.post(&service, &pay, json!({"payment_method": "alipay"})).await;
    assert_eq!(answer.json, json!({"code": 400, "message": "支付方式不可用"}));
}
