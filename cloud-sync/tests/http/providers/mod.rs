//! Paying outside: with counterparts that verify what they are asked and sign what they say, as
//! WeChat Pay and Alipay do.

mod alipay;
mod counterpart;
mod keys;
mod wechat;

use std::time::Duration;

use cloud_core::Role;
use cloud_sync::config::{Config, Payment};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use self::{
    alipay::Alipay,
    wechat::{Forged, Wechat},
};
use crate::{
    service::{Answer, Service, start, start_with},
    station::people::{Person, Station},
};

const LONGEST_WAIT: Duration = Duration::from_secs(30);

async fn service(payment: Payment) -> Service {
    start_with(Config { payment, ..Config::default() }).await
}

/// A driver with an order of 4.00 for A001.
async fn order(service: &Service) -> (Person, String) {
    Station::set_up(service).await;
    let driver = Person::register(service, 1).await;
    let wanted = json!({"cabinet_id": "A001", "duration_hours": 2});
    let order = driver.does(service, "/api/orders/create/", wanted).await;
    (driver, format!("/api/orders/{}/", order["id"]))
}

async fn send(service: &Service, token: &str, path: &str, body: Value) -> Answer {
    let request =
        service.request(Method::POST, path).header("authorization", format!("Token {token}"));
    Answer::of(request.json(&body).send().await.unwrap()).await
}

/// A stay that its driver owes 10.00 for, ordered; the number of the order.
async fn parking_order(service: &Service, driver: &str) -> i64 {
    let admin = service.token_of("boss", Role::Admin).await;
    let area = json!({"name": "A区", "total_spots": 1});
    let area = send(service, &admin, "/hzsystem_parking/parking-areas/", area).await.json;
    let spot = json!({"number": "A001", "area_id": area["id"]});
    send(service, &admin, "/hzsystem_parking/parking/spots/", spot).await;
    let wish = json!({"license_plate": "京A00001"});
    let stay = send(service, driver, "/hzsystem_parking/parking/auto-assign/", wish).await.json;
    let order = json!({"session_id": stay["session_id"]});
    let order = send(service, driver, "/hzsystem_parking/payment/orders/", order).await;
    assert_eq!((order.status, &order.json["amount"]), (StatusCode::CREATED, &json!(10.0)));
    order.json["id"].as_i64().unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = timeout(LONGEST_WAIT, async {
        while !holds().await {
            sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

#[tokio::test]
async fn wechat_is_asked_signed_and_heard_signed() {
    let folder = tempfile::tempdir().unwrap();
    let wechat = Wechat::start(folder.path()).await;
    let service = service(Payment { wechat: Some(wechat.config.clone()), alipay: None }).await;
    let (driver, path) = order(&service).await;
    let pay = format!("{path}pay/");
    let asked = driver.does(&service, &pay, json!({"payment_method": "wechat"})).await;
    let number = asked["payment_url"].as_str().unwrap();
    let number = number.strip_prefix("weixin://wxpay/bizpayurl?pr=").unwrap().to_owned();
    let (_, wanted) = wechat.asked.lock().unwrap()[0].clone();
    assert_eq!(wanted["amount"], json!({"total": 400, "currency": "CNY"}));

    let event = "TRANSACTION.SUCCESS";
    for forged in [Forged::Signature, Forged::Body, Forged::Serial, Forged::Old, Forged::Merchant] {
        let paid = wechat::paid(&number, "T1", 400);
        assert_eq!(wechat.tell(&service, event, paid, forged).await, 401);
    }
    let less = wechat::paid(&number, "T1", 399);
    assert_eq!(wechat.tell(&service, event, less, Forged::No).await, 400);
    assert_eq!(driver.sees(&service, &path).await["status"], "pending");
    for _ in 0..2 {
        let paid = wechat::paid(&number, "T1", 400);
        assert_eq!(wechat.tell(&service, event, paid, Forged::No).await, 200);
    }
    let paid = driver.sees(&service, &path).await;
    assert_eq!((&paid["status"], &paid["payment_method"]), (&json!("paid"), &json!("wechat")));
    assert_eq!(paid["pickup_code"].as_str().unwrap().len(), 6);
    for provider in ["alipay", "paypal"] {
        let answer = service.request(Method::POST, &format!("/payments/{provider}/notify/"));
        assert_eq!(answer.send().await.unwrap().status(), StatusCode::NOT_FOUND, "{provider}");
    }
}

#[tokio::test]
async fn wechat_gives_back_what_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let wechat = Wechat::start(folder.path()).await;
    *wechat.refunds.lock().unwrap() = "PROCESSING";
    let service = service(Payment { wechat: Some(wechat.config.clone()), alipay: None }).await;
    let driver = service.token_of("driver", Role::Visitor).await;
    let order = parking_order(&service, &driver).await;
    let pay = json!({"order_id": order, "payment_method": "wechat", "amount": 10.0});
    let asked = send(&service, &driver, "/hzsystem_parking/payment/process/", pay).await.json;
    assert_eq!(asked["payment_status"], "pending");
    let number = asked["payment_url"].as_str().unwrap().split("pr=").nth(1).unwrap().to_owned();
    let paid = wechat::paid(&number, "T1", 1000);
    assert_eq!(wechat.tell(&service, "TRANSACTION.SUCCESS", paid, Forged::No).await, 200);

    let operator = service.token_of("cashier", Role::Operator).await;
    let refund = json!({"order_id": order, "refund_amount": 4.0, "refund_reason": "太久"});
    let back = send(&service, &operator, "/hzsystem_parking/payment/refund/", refund).await;
    assert_eq!(back.status, StatusCode::OK, "{}", back.json);
    let refunds = || {
        let asked = wechat.asked.lock().unwrap();
        let mine = asked.iter().filter(|(what, _)| what.starts_with("POST /v3/refund"));
        mine.map(|(_, body)| body.clone()).collect::<Vec<_>>()
    };
    until("WeChat is asked for the refund", async || !refunds().is_empty()).await;
    let asked = refunds().remove(0);
    assert_eq!((&asked["out_trade_no"], &asked["reason"]), (&json!(number), &json!("太久")));
    assert_eq!(asked["amount"], json!({"refund": 400, "total": 1000, "currency": "CNY"}));

    // It fails at WeChat in the end: the money is still here, and can be given back again.
    let ended = json!({"out_refund_no": asked["out_refund_no"], "refund_status": "ABNORMAL"});
    for _ in 0..2 {
        let event = "REFUND.ABNORMAL";
        assert_eq!(wechat.tell(&service, event, ended.clone(), Forged::No).await, 200);
    }
    let rest = json!({"order_id": order, "refund_amount": 10.0});
    let back = send(&service, &operator, "/hzsystem_parking/payment/refund/", rest).await;
    assert_eq!((back.status, &back.json["payment_status"]), (StatusCode::OK, &json!("refunded")));
    until("WeChat is asked again", async || refunds().len() == 2).await;
    assert_ne!(refunds()[1]["out_refund_no"], asked["out_refund_no"]);
}

#[tokio::test]
async fn alipay_is_asked_signed_and_heard_signed() {
    let folder = tempfile::tempdir().unwrap();
    let alipay = Alipay::start(folder.path()).await;
    let service = service(Payment { wechat: None, alipay: Some(alipay.config.clone()) }).await;
    let driver = service.token_of("driver", Role::Visitor).await;
    let order = parking_order(&service, &driver).await;
    let pay = json!({"order_id": order, "payment_method": "alipay", "amount": 10.0});
    let asked = send(&service, &driver, "/hzsystem_parking/payment/process/", pay).await.json;
    let page = asked["payment_url"].as_str().unwrap();
    let number = page.strip_prefix("https://qr.alipay.com/").unwrap().to_owned();
    let paid = alipay::paid(&number, "T1", "10.00");
    for forged in [&[("total_amount", "9.00")][..], &[("sign", "AAAA")], &[("app_id", "1")]] {
        assert_eq!(alipay.tell(&service, &paid, forged).await.0, 401, "{forged:?}");
    }
    for _ in 0..2 {
        assert_eq!(alipay.tell(&service, &paid, &[]).await, (200, "success".to_owned()));
    }
    let operator = service.token_of("cashier", Role::Operator).await;
    let all = json!({"order_id": order});
    let back = send(&service, &operator, "/hzsystem_parking/payment/refund/", all).await;
    assert_eq!((back.status, &back.json["payment_status"]), (StatusCode::OK, &json!("refunded")));
    let refunds = || alipay.asked.lock().unwrap().iter().skip(1).cloned().collect::<Vec<_>>();
    until("Alipay is asked for the refund", async || !refunds().is_empty()).await;
    let (method, asked) = refunds().remove(0);
    assert_eq!((&method[..], &asked["refund_amount"]), ("alipay.trade.refund", &json!("10.00")));
    assert_eq!(asked["out_trade_no"], number);
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_of_and_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let wechat = Wechat::start(folder.path()).await;
    let mut config = wechat.config.clone();
    config.endpoint = "http://127.0.0.1:1".into();
    let service = service(Payment { wechat: Some(config), alipay: None }).await;
    let (driver, path) = order(&service).await;
    let pay = format!("{path}pay/");
    let answer = driver.post(&service, &pay, json!({"payment_method": "wechat"})).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.json);
    assert_eq!(answer.json["code"], 503);
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(driver.sees(&service, &path).await["status"], "pending");
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_not_offered() {
    let service = start().await;
    let (driver, path) = order(&service).await;
    let pay = format!("{path}pay/");
    for method in ["wechat", "alipay"] {
        let answer = driver.post(&service, &pay, json!({"payment_method": method})).await;
        assert_eq!(answer.json, json!({"code": 400, "message": "支付方式不可用"}));
    }
}
