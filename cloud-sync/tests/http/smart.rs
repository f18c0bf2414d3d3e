//! The smart face, as its document has it: users and cars, slots, transactions and payments.

use cloud_core::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::service::{Answer, Service, start};

const CARS: &str = "/api/users/cars/";
const SLOTS: &str = "/api/parking/slots/";
const TRANSACTIONS: &str = "/api/parking/transactions/";
const ENTER: &str = "/api/parking/transactions/enter/";
const EXIT: &str = "/api/parking/transactions/exit/";
const PAY: &str = "/api/payments/pay_transaction/";
const PAYMENTS: &str = "/api/payments/payments/";

async fn send(service: &Service, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = service.request(method, path).header("authorization", format!("Token {token}"));
    Answer::of(request.json(&body).send().await.unwrap()).await
}

async fn made(service: &Service, token: &str, path: &str, body: Value) -> Value {
    let answer = send(service, token, Method::POST, path, body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{path}: {}", answer.json);
    answer.json
}

async fn list(service: &Service, token: &str, path: &str) -> Vec<Value> {
    let answer = service.call(token, Method::GET, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.json);
    answer.json.as_array().unwrap().clone()
}

/// A slot, and a car of somebody's.
async fn slot_and_car(service: &Service, admin: &str, number: usize) -> (Value, Value) {
    let slot = json!({"slot_number": format!("S{number}"), "slot_type": "large"});
    let car = json!({"plate_number": format!("京A0000{number}"), "car_type": "sedan"});
    (made(service, admin, SLOTS, slot).await, made(service, admin, CARS, car).await)
}

#[tokio::test]
async fn a_car_enters_leaves_and_pays_and_the_other_faces_see_it() {
    let service = start().await;
    let admin = service.token(Role::Admin).await;
    let (slot, car) = slot_and_car(&service, &admin, 1).await;
    let entry = json!({"car": car["id"], "slot": slot["id"]});
    let entered = made(&service, &admin, ENTER, entry.clone()).await;
    assert_eq!((&entered["status"], &entered["fee"]), (&json!("active"), &Value::Null));
    assert_eq!(entered["car"]["plate_number"], "京A00001");
    assert_eq!(entered["slot"]["status"], "occupied");

    let again = send(&service, &admin, Method::POST, ENTER, entry).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert_eq!(again.json, json!({"error": "Parking slot is not available."}));
    let early = json!({"transaction_id": entered["id"], "payment_method": "cash"});
    let early_answer = send(&service, &admin, Method::POST, PAY, early.clone()).await;
    assert_eq!(early_answer.json, json!({"error": "Transaction not completed yet"}));

    let own = format!("{CARS}{}/", car["id"]);
    let other = json!({"plate_number": "京A99999"});
    let inside = send(&service, &admin, Method::PATCH, &own, other.clone()).await;
    assert_eq!(inside.status, StatusCode::BAD_REQUEST, "a car keeps its plate while it is inside");
    let spots = service.call(&admin, Method::GET, "/hzsystem_parking/parking/spots/").await;
    let plates: Vec<_> = spots.json["spots"].as_array().unwrap().iter().collect();
    assert!(plates.iter().any(|spot| spot["license_plate"] == "京A00001"), "{}", spots.json);
    assert_eq!(service.get("/api/plates").await.json[0]["processed_by"], "manual");

    let left = send(&service, &admin, Method::POST, EXIT, json!({"id": entered["id"]})).await;
    assert_eq!(left.status, StatusCode::OK);
    let told = (&left.json["hours"], &left.json["fee"], &left.json["slot"]);
    assert_eq!(told, (&json!(1), &json!("10.00"), &json!("S1")));
    let twice = send(&service, &admin, Method::POST, EXIT, json!({"id": entered["id"]})).await;
    let told = (twice.status, twice.json);
    assert_eq!(told, (StatusCode::NOT_FOUND, json!({"error": "Active transaction not found."})));

    let paid = send(&service, &admin, Method::POST, PAY, early.clone()).await;
    assert_eq!((paid.status, &paid.json["amount"]), (StatusCode::OK, &json!("10.00")));
    let twice = send(&service, &admin, Method::POST, PAY, early).await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    let changed = send(&service, &admin, Method::PATCH, &own, other).await;
    assert_eq!(changed.json["plate_number"], "京A99999");
    let past = list(&service, &admin, TRANSACTIONS).await;
    assert_eq!(past[0]["car"]["plate_number"], "京A00001", "the plate that it parked with");
    let dashboard = service.call(&admin, Method::GET, "/api/dashboard/").await.json;
    assert_eq!(
        (&dashboard["total_income"], &dashboard["total_payments"]),
        (&json!(10.0), &json!(1))
    );
    let hz = service.call(&admin, Method::GET, "/hzsystem_parking/dashboard/").await.json;
    assert_eq!(hz["today_revenue"], 10.0);
}

#[tokio::test]
async fn two_cars_that_want_one_slot_at_once_are_one() {
    let service = start().await;
    let admin = service.token(Role::Admin).await;
    let (slot, first) = slot_and_car(&service, &admin, 1).await;
    let (_, second) = slot_and_car(&service, &admin, 2).await;
    let enter = |car: &Value| {
        let request = service.request(Method::POST, ENTER);
        let request = request.header("authorization", format!("Token {admin}"));
        request.json(&json!({"car": car["id"], "slot": slot["id"]})).send()
    };
    let (one, other) = tokio::join!(enter(&first), enter(&second));
    let mut statuses = [one.unwrap().status().as_u16(), other.unwrap().status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400]);
    assert_eq!(list(&service, &admin, TRANSACTIONS).await.len(), 1);
}

#[tokio::test]
async fn a_user_sees_what_is_the_users_own() {
    let service = start().await;
    let admin = service.token(Role::Admin).await;
    let user = service.token(Role::Visitor).await;
    let (slot, foreign) = slot_and_car(&service, &admin, 1).await;
    let (other_slot, _) = slot_and_car(&service, &admin, 2).await;
    let own = made(&service, &user, CARS, json!({"plate_number": "沪B12345"})).await;
    for (car, slot) in [(&foreign, &slot), (&own, &other_slot)] {
        let entry = json!({"car": car["id"], "slot": slot["id"]});
        let entered = made(&service, &admin, ENTER, entry).await;
        send(&service, &admin, Method::POST, EXIT, json!({"id": entered["id"]})).await;
        let pay = json!({"transaction_id": entered["id"], "payment_method": "cash"});
        assert_eq!(send(&service, &admin, Method::POST, PAY, pay).await.status, StatusCode::OK);
    }
    assert_eq!(list(&service, &user, CARS).await, std::slice::from_ref(&own));
    let transactions = list(&service, &user, TRANSACTIONS).await;
    assert_eq!((transactions.len(), &transactions[0]["car"]["id"]), (1, &own["id"]));
    assert_eq!(list(&service, &user, PAYMENTS).await.len(), 1);
    let dashboard = service.call(&user, Method::GET, "/api/dashboard/").await.json;
    let shown =
        ["cars", "payments", "ocr_logs"].map(|key| dashboard[key].as_array().unwrap().len());
    assert_eq!((shown, &dashboard["total_slots"]), ([1, 1, 0], &json!(2)));

    let all = list(&service, &admin, TRANSACTIONS).await;
    let hidden = all.iter().find(|item| item["car"]["id"] == foreign["id"]).unwrap();
    let detail = format!("{TRANSACTIONS}{}/", hidden["id"]);
    let car = format!("{CARS}{}/", foreign["id"]);
    for (method, path) in
        [(Method::GET, &detail), (Method::GET, &car), (Method::PATCH, &car), (Method::DELETE, &car)]
    {
        let answer = send(&service, &user, method, path, json!({"car_type": "x"})).await;
        let told = (answer.status, answer.json);
        assert_eq!(told, (StatusCode::NOT_FOUND, json!({"detail": "Not found."})), "{path}");
    }
    let gift = json!({"plate_number": "沪B99999", "owner": 1});
    assert_eq!(send(&service, &user, Method::POST, CARS, gift).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn saying_what_is_shown_changes_nothing() {
    let service = start().await;
    let admin = service.token(Role::Admin).await;
    service.token(Role::Operator).await;
    let (slot, _) = slot_and_car(&service, &admin, 1).await;
    let id = slot["id"].as_i64().unwrap();
    let hz = format!("/hzsystem_parking/parking/spots/{id}/status/");
    send(&service, &admin, Method::PUT, &hz, json!({"status": "maintenance"})).await;
    let path = format!("{SLOTS}{id}/");
    let shown = service.call(&admin, Method::GET, &path).await.json;
    assert_eq!(shown["status"], "reserved");
    let kept = send(&service, &admin, Method::PUT, &path, shown.clone()).await;
    assert_eq!((kept.status, &kept.json), (StatusCode::OK, &shown));
    let spots = service.call(&admin, Method::GET, "/hzsystem_parking/parking/spots/").await.json;
    assert_eq!(spots["spots"][0]["status"], "maintenance");

    let users = list(&service, &admin, "/api/users/users/").await;
    let operator = users.iter().find(|user| user["username"] == "operator").unwrap();
    assert_eq!(operator["role"], "user");
    let path = format!("/api/users/users/{}/", operator["id"]);
    let kept = send(&service, &admin, Method::PUT, &path, operator.clone()).await;
    assert_eq!((kept.status, &kept.json), (StatusCode::OK, operator));
}

#[tokio::test]
async fn lists_are_whole_or_in_pages() {
    let service = start().await;
    let admin = service.token(Role::Admin).await;
    for number in 1..=3 {
        slot_and_car(&service, &admin, number).await;
    }
    assert_eq!(list(&service, &admin, CARS).await.len(), 3);
    let page = service.call(&admin, Method::GET, &format!("{CARS}?page=2&page_size=2")).await.json;
    assert_eq!((&page["count"], page["results"].as_array().unwrap().len()), (&json!(3), 1));
    assert_eq!(page["next"], Value::Null);
    let before = page["previous"].as_str().unwrap();
    let page = service.call(&admin, Method::GET, before).await.json;
    assert_eq!(page["results"].as_array().unwrap().len(), 2);
    let beyond = service.call(&admin, Method::GET, &format!("{CARS}?page=4000000000")).await.json;
    assert_eq!(beyond["results"], json!([]));
    let bad = service.call(&admin, Method::GET, &format!("{CARS}?page=two")).await;
    assert_eq!((bad.status, bad.json["page"].is_array()), (StatusCode::BAD_REQUEST, true));
}

#[tokio::test]
async fn what_cannot_be_used_is_named() {
    let service = start().await;
    let admin = service.token(Role::Admin).await;
    let (slot, car) = slot_and_car(&service, &admin, 1).await;
    let long = "x".repeat(100_000);
    for (path, body, field) in [
        (CARS, json!({"car_type": "suv"}), "plate_number"),
        (CARS, json!({"plate_number": ""}), "plate_number"),
        (CARS, json!({"plate_number": long}), "plate_number"),
        (CARS, json!({"plate_number": "京A00001"}), "plate_number"),
        (CARS, json!({"plate_number": {"a": 1}}), "plate_number"),
        (CARS, json!({"plate_number": "x", "car_type": long}), "car_type"),
        (CARS, json!({"plate_number": "x", "owner": 999}), "owner"),
        (SLOTS, json!({"slot_type": "large"}), "slot_number"),
        (SLOTS, json!({"slot_number": "S1"}), "slot_number"),
        (SLOTS, json!({"slot_number": "S9", "slot_type": "huge"}), "slot_type"),
        (SLOTS, json!({"slot_number": "S9", "status": "haunted"}), "status"),
        (ENTER, json!({"car": 999, "slot": slot["id"]}), "car"),
        (ENTER, json!({"car": car["id"], "slot": 999}), "slot"),
        (ENTER, json!({"car": "x", "slot": 1}), "car"),
        (EXIT, json!({}), "id"),
        (PAY, json!({"transaction_id": 1, "payment_method": "gold"}), "payment_method"),
        (PAY, json!({"transaction_id": 1, "payment_method": "cash", "amount": "1,5"}), "amount"),
        ("/api/camera_ocr/cameras/", json!({"location": "gate"}), "camera_name"),
        ("/api/users/users/", json!({"role": "user"}), "username"),
        ("/api/users/users/", json!({"username": "x", "role": "king"}), "role"),
    ] {
        let answer = send(&service, &admin, Method::POST, path, body.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {field}: {}", answer.json);
        assert!(answer.json[field][0].is_string(), "{path} {field}: {}", answer.json);
    }
    let refused = service.call(&admin, Method::DELETE, SLOTS).await;
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(refused.json["detail"].is_string());
}
