//! `Idempotency-Key`, on orders of lockers.

use cloud_core::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::service::{Service, start};

struct Told {
    status: StatusCode,
    body: String,
}

async fn order(service: &Service, token: &str, key: &str, body: &Value) -> Told {
    let answer = service
        .request(Method::POST, "/api/orders/create/")
        .header("authorization", format!("Token {token}"))
        .header("idempotency-key", key)
        .json(body)
        .send()
        .await
        .unwrap();
    Told { status: answer.status(), body: answer.text().await.unwrap() }
}

async fn station(service: &Service) -> String {
    let admin = service.token(Role::Admin).await;
    for cabinet in ["A001", "A002"] {
        let new = json!({"cabinet_id": cabinet, "size": "small", "location": "1F",
                         "station": "火车站", "price_per_hour": "5.00"});
        let made = service
            .request(Method::POST, "/api/cabinets/create/")
            .header("authorization", format!("Token {admin}"))
            .json(&new)
            .send()
            .await
            .unwrap();
        assert_eq!(made.status(), StatusCode::CREATED);
    }
    service.token(Role::Visitor).await
}

#[tokio::test]
async fn the_second_call_with_a_key_gets_the_first_answer_byte_for_byte() {
    let service = start().await;
    let driver = station(&service).await;
    let body = json!({"cabinet_id": "A001", "duration_hours": 2});
    let first = order(&service, &driver, "k1", &body).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let second = order(&service, &driver, "k1", &body).await;
    assert_eq!((second.status, &second.body), (first.status, &first.body));
    let other = json!({"cabinet_id": "A002", "duration_hours": 2});
    let other = order(&service, &driver, "k1", &other).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
    assert!(other.body.contains("Idempotency-Key"), "{}", other.body);
    let orders = service.call(&driver, Method::GET, "/api/orders/my/").await;
    assert_eq!(orders.json["data"].as_array().unwrap().len(), 1, "{}", orders.json);
}

#[tokio::test]
async fn of_calls_at_once_one_is_carried_out_and_all_get_its_answer() {
    let service = start().await;
    let driver = station(&service).await;
    let body = json!({"cabinet_id": "A001", "duration_hours": 2});
    let calls = (0..8).map(|_| order(&service, &driver, "k1", &body));
    let told = futures_util::future::join_all(calls).await;
    for one in &told {
        assert_eq!((one.status, &one.body), (StatusCode::CREATED, &told[0].body));
    }
}

#[tokio::test]
async fn a_call_that_was_refused_may_be_made_again_with_its_key() {
    let service = start().await;
    let driver = station(&service).await;
    let body = json!({"cabinet_id": "A001", "duration_hours": 2});
    let taken = order(&service, &driver, "k1", &body).await;
    let order_id = serde_json::from_str::<Value>(&taken.body).unwrap()["data"]["id"].clone();
    let refused = order(&service, &driver, "k2", &body).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let cancel = format!("/api/orders/{order_id}/cancel/");
    let cancelled = service.call(&driver, Method::POST, &cancel).await;
    assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.json);
    assert_eq!(order(&service, &driver, "k2", &body).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_and_a_stranger_is_told_so_first() {
    let service = start().await;
    let driver = station(&service).await;
    let body = json!({"cabinet_id": "A001", "duration_hours": 2});
    let empty = order(&service, &driver, "", &body).await;
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    let stranger = order(&service, "nobody", "", &body).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
}
