//! The hz face, as its document has it.

use cloud_core::Role;
use cloud_sync::config::{Config, Limits};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::service::{Answer, Service, start, start_with};

const RECORDS: &str = "/hzsystem_parking/detection/records/";
const DASHBOARD: &str = "/hzsystem_parking/dashboard/";

async fn get(service: &Service, token: &str, path: &str) -> Value {
    let answer = service.call(token, Method::GET, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.json);
    answer.json
}

#[tokio::test]
async fn a_car_is_a_record_as_documented() {
    let mut service = start().await;
    service.car(1, "京A12345").await;
    let token = service.token(Role::Visitor).await;
    let answer = get(&service, &token, RECORDS).await;
    let record = &answer["records"][0];
    let time = record["detection_time"].as_str().unwrap();
    assert!(time.len() == "2025-08-13T15:30:15.573675".len() && !time.ends_with('Z'), "{time}");
    assert_eq!(record["detection_type"], "vehicle_enter");
    assert_eq!(record["vehicle_type_display"], "轿车");
    assert_eq!(record["license_plate"], "京A12345");
    assert_eq!(record["spot_info"], "北门-entry");
    let pages = json!({"current_page": 1, "total_pages": 1, "total_count": 1, "page_size": 20,
                       "has_next": false, "has_previous": false});
    assert_eq!(answer["pagination"], pages);
    let image = service.get(record["image_url"].as_str().unwrap()).await;
    assert_eq!(image.status, StatusCode::OK);
}

#[tokio::test]
async fn records_are_filtered_and_paged() {
    let mut service = start().await;
    for number in 1..=3 {
        service.car(number, &format!("京A0000{number}")).await;
    }
    let token = service.token(Role::Visitor).await;
    let today = chrono::Utc::now().with_timezone(&chrono_tz::Tz::Asia__Shanghai).date_naive();
    for (query, found) in [
        ("license_plate=a00002".to_owned(), 1),
        ("detection_type=vehicle_enter".to_owned(), 3),
        ("detection_type=vehicle_exit".to_owned(), 0),
        ("vehicle_type=car".to_owned(), 3),
        ("vehicle_type=truck".to_owned(), 0),
        ("spot_id=1".to_owned(), 0),
        (format!("start_date={today}&end_date={today}"), 3),
        ("end_date=2020-01-01".to_owned(), 0),
    ] {
        let answer = get(&service, &token, &format!("{RECORDS}?{query}")).await;
        assert_eq!(answer["pagination"]["total_count"], found, "{query}");
    }
    let second = get(&service, &token, &format!("{RECORDS}?page=2&page_size=2")).await;
    assert_eq!(second["records"][0]["license_plate"], "京A00001");
    assert_eq!(second["pagination"]["has_next"], false);
    for query in ["page=abc", "start_date=2026-13-45", "spot_id=abc", "vehicle_type=tank"] {
        let answer = service.call(&token, Method::GET, &format!("{RECORDS}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.json["details"]["field"].is_string(), "{}", answer.json);
    }
}

#[tokio::test]
async fn the_dashboard_counts_what_the_sites_report() {
    let mut service = start().await;
    service.car(1, "京A00001").await;
    service.car(2, "京A00002").await;
    let token = service.token(Role::Visitor).await;
    let dashboard = get(&service, &token, DASHBOARD).await;
    for (key, value) in [
        ("total_spots", json!(10)),
        ("occupied_spots", json!(2)),
        ("available_spots", json!(8)),
        ("occupancy_rate", json!(0.2)),
        ("today_revenue", json!(0.0)),
        ("active_sessions", json!(2)),
    ] {
        assert_eq!(dashboard[key], value, "{key}");
    }
    assert_eq!(dashboard["overview"]["occupancy_rate"], 20.0);
    assert_eq!(dashboard["today_stats"]["entries"], 2);
    assert_eq!(dashboard["area_stats"][0]["area_name"], "北门");
    assert_eq!(dashboard["daily_trends"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn everybody_needs_credentials_and_errors_keep_the_familys_form() {
    let service = start().await;
    for (method, path, status) in [
        (Method::GET, RECORDS, 401),
        (Method::GET, "/hzsystem_parking/dashboard", 401),
        (Method::GET, "/hzsystem_parking/no-such-path/", 404),
        (Method::DELETE, DASHBOARD, 405),
    ] {
        let answer = Answer::of(service.request(method, path).send().await.unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert!(answer.json["error"].is_string() && answer.json["code"].is_string());
        assert!(answer.json.get("details").is_some(), "{path}");
    }
}

#[tokio::test]
async fn a_caller_who_calls_too_often_waits_and_no_other_does() {
    let limits = Limits { queries_per_minute: 3, ..Limits::default() };
    let service = start_with(Config { limits, ..Config::default() }).await;
    let (hasty, calm) = (service.token(Role::Visitor).await, service.token(Role::Operator).await);
    for _ in 0..3 {
        get(&service, &hasty, DASHBOARD).await;
    }
    let answer = service.call(&hasty, Method::GET, DASHBOARD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    get(&service, &calm, DASHBOARD).await;
}
