//! Input that nobody sends by mistake.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::people::{Person, Station};
use crate::service::{Answer, start};

#[tokio::test]
async fn bodies_that_are_none_are_refused_in_the_familys_form() {
    let service = start().await;
    let station = Station::set_up(&service).await;
    let token = service.token(cloud_core::Role::Visitor).await;
    for (kind, body, status) in [
        ("application/json", "{\"a\": ".to_owned(), 400),
        ("application/json", "[]".to_owned(), 400),
        ("application/json", "\u{0}".to_owned(), 400),
        ("application/json", "[".repeat(100_000), 400),
        ("application/xml", "<a/>".to_owned(), 415),
        ("application/json", " ".repeat(2 << 20), 413),
    ] {
        let request = service.request(Method::POST, "/api/orders/create/");
        let request = request.header("authorization", format!("Token {token}"));
        let answer = request.header("content-type", kind).body(body).send().await.unwrap();
        let answer = Answer::of(answer).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.json);
        assert_eq!(answer.json["code"], status);
    }
    assert_eq!(station.admin.get(&service, "/api/admin/health/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn values_beyond_all_measure_are_refused() {
    let service = start().await;
    let station = Station::set_up(&service).await;
    let driver = Person::register(&service, 1).await;
    let long = "长".repeat(500);
    let good = json!({"cabinet_id": "B001", "size": "large", "location": "南广场入口",
                      "station": "汽车站", "price_per_hour": "5.00"});
    for (field, value) in [
        ("cabinet_id", json!("B/1")),
        ("cabinet_id", json!("available")),
        ("cabinet_id", json!(long)),
        ("cabinet_id", json!("A001")),
        ("size", json!("giant")),
        ("station", json!(" ")),
        ("location", json!(long)),
        ("price_per_hour", json!("-1.00")),
        ("price_per_hour", json!("1e9")),
        ("price_per_hour", json!(1.005)),
        ("price_per_hour", json!(99_999_999_999_i64)),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = station.admin.post(&service, "/api/cabinets/create/", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field} {value}");
        assert!(answer.json["errors"][field].is_array(), "{field}: {}", answer.json);
    }
    for hours in [json!(1e300), json!("9".repeat(400)), json!(8761), json!("NaN"), json!(-0.5)] {
        let body = json!({"cabinet_id": "A001", "duration_hours": hours});
        let answer = driver.post(&service, "/api/orders/create/", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    let doors: serde_json::Map<_, _> =
        (0..300).map(|number| (format!("A{number}"), true.into())).collect();
    let report = json!({"cabinet_status": doors});
    let answer = station.controller.post(&service, "/api/devices/status/", report).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    for path in ["/api/orders/9223372036854775808/", "/api/orders/-1/", "/api/cabinets/%FF%27/"] {
        assert_eq!(driver.get(&service, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let page = "/api/admin/orders/?page=4294967295&page_size=4294967295";
    assert_eq!(station.admin.sees(&service, page).await["orders"], json!([]));
}
