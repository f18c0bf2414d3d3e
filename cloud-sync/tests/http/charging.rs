//! The charging face as drivers and staff use it, with a clock that is moved.

use std::sync::Arc;

use chrono::TimeDelta;
use cloud_core::Role;
use cloud_sync::config::{Config, Limits};
use domain::clock::SimulatedClock;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::service::{Answer, Service, start_by};

const REQUEST: &str = "/api/charging/request/";
const STATUS: &str = "/api/charging/request/status/";
const COMPLETE: &str = "/api/charging/complete/";
const PARAMETERS: &str = "/api/charging/system_parameters/";

/// A service at which it is noon on a Tuesday, until the test says otherwise.
struct Site {
    service: Arc<Service>,
    clock: Arc<SimulatedClock>,
}

async fn site() -> Site {
    let clock = Arc::new(SimulatedClock::at("2026-03-10T04:00:00Z".parse().unwrap()));
    let limits = Limits { enabled: false, ..Limits::default() };
    let service = start_by(Config { limits, ..Config::default() }, clock.clone()).await;
    Site { service: Arc::new(service), clock }
}

async fn send(service: &Service, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = service.request(method, path).header("authorization", format!("Token {token}"));
    Answer::of(request.json(&body).send().await.unwrap()).await
}

impl Site {
    async fn driver(&self, name: &str) -> String {
        self.service.token_of(name, Role::Visitor).await
    }

    async fn ask(&self, token: &str, mode: &str, kwh: impl Into<Value>) -> Answer {
        let body = json!({"charging_mode": mode, "requested_amount": kwh.into(),
                          "battery_capacity": 100});
        send(&self.service, token, Method::POST, REQUEST, body).await
    }

    /// Data of a path, which answers.
    async fn data(&self, token: &str, path: &str) -> Value {
        let mut answer = self.service.call(token, Method::GET, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.json);
        assert_eq!(answer.json["success"], true);
        answer.json["data"].take()
    }

    async fn put(&self, token: &str, path: &str, body: Value) -> Answer {
        send(&self.service, token, Method::PUT, path, body).await
    }

    fn pass(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
    }
}

/// The code of an error in the family's form.
fn code(answer: &Answer) -> (u16, &str) {
    assert_eq!(answer.json["success"], false, "{}", answer.json);
    let error = &answer.json["error"];
    assert!(error["message"].is_string() && error.get("details").is_some(), "{}", answer.json);
    (answer.status.as_u16(), error["code"].as_str().unwrap())
}

#[tokio::test]
async fn a_driver_charges_pays_and_reads_about_it() {
    let site = site().await;
    let driver = site.driver("driver").await;
    let asked = site.ask(&driver, "fast", "60.00").await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json);
    let data = &asked.json["data"];
    assert_eq!((&data["queue_number"], &data["requested_amount"]), (&json!("F1"), &json!(60.0)));
    assert_eq!((&data["queue_position"], &data["estimated_wait_time"]), (&json!(0), &json!(0.0)));
    assert_eq!(data["id"], data["request_id"]);

    site.pass(30);
    let status = site.data(&driver, STATUS).await;
    for (key, value) in [
        ("current_status", json!("charging")),
        ("current_amount", json!(15.0)),
        ("charging_pile_id", json!("FAST-001")),
        ("charging_pile", json!("FAST-001")),
        ("start_time", json!("2026-03-10T12:00:00.000+08:00")),
        ("ahead_count", json!(0)),
    ] {
        assert_eq!(status[key], value, "{key}");
    }

    let end = || async {
        let request = site.service.request(Method::POST, COMPLETE);
        let request = request.header("authorization", format!("Token {driver}"));
        Answer::of(request.header("idempotency-key", "end-1").send().await.unwrap()).await
    };
    let (first, again) = (end().await, end().await);
    assert_eq!((first.status, &first.json), (StatusCode::OK, &again.json));
    let ended = &first.json["data"];
    assert_eq!((&ended["total_amount"], &ended["total_cost"]), (&json!(15.0), &json!(30.0)));
    assert_eq!(ended["charging_duration"], 0.5);
    let late = site.service.call(&driver, Method::POST, COMPLETE).await;
    assert_eq!(code(&late), (404, "RESOURCE_NOT_FOUND"));

    let bills = site.data(&driver, "/api/charging/bills/?page=1&limit=5").await;
    let pages = json!({"current_page": 1, "total_pages": 1, "total_count": 1});
    assert_eq!(bills["pagination"], pages);
    assert_eq!(bills["bills"][0]["peak_cost"], 18.0);
    let id = ended["bill_id"].as_str().unwrap();
    let bill = site.data(&driver, &format!("/api/charging/bills/{id}/")).await;
    let costs = json!({"peak_cost": 18.0, "normal_cost": 0.0, "valley_cost": 0.0,
                       "service_cost": 12.0, "total_cost": 30.0});
    assert_eq!(bill["cost_breakdown"], costs);
    assert_eq!(bill["time_breakdown"]["peak_hours"], 0.5);
    assert_eq!(bill["end_time"], "2026-03-10T12:30:00.000+08:00");

    let told = site.data(&driver, "/api/charging/notifications/").await;
    let kinds: Vec<_> = told.as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["charging_complete", "charging_start"]);
    let path = format!("/api/charging/notifications/{}/read/", told[0]["id"]);
    assert_eq!(site.put(&driver, &path, json!({})).await.status, StatusCode::OK);
    assert_eq!(site.data(&driver, "/api/charging/notifications/").await[0]["read"], true);
}

#[tokio::test]
async fn drivers_wait_their_turn_change_their_minds_and_move_up() {
    let site = site().await;
    let mut drivers = Vec::new();
    for index in 1..=5 {
        drivers.push(site.driver(&format!("driver{index}")).await);
        site.ask(&drivers[index - 1], "fast", 30).await;
    }
    let queue = site.data(&drivers[0], "/api/charging/queue/status/").await;
    let waiting = json!([{"queue_number": "F3", "estimated_wait_time": 60.0},
                         {"queue_number": "F4", "estimated_wait_time": 60.0},
                         {"queue_number": "F5", "estimated_wait_time": 120.0}]);
    assert_eq!(queue["fast_charging"], json!({"waiting_count": 3, "queue_list": waiting}));
    assert_eq!(queue["waiting_area_capacity"], json!({"current": 1, "max": 6}));

    let third = site.data(&drivers[2], STATUS).await;
    let path = format!("/api/charging/request/{}/", third["id"].as_str().unwrap());
    let changed = site.put(&drivers[2], &path, json!({"requested_amount": 15})).await;
    assert_eq!(changed.json["data"]["queue_position"], 1, "{}", changed.json);
    let changed = site.put(&drivers[2], &path, json!({"charging_mode": "slow"})).await;
    assert_eq!(changed.json["data"]["queue_number"], "T1");
    assert_eq!(changed.json["data"]["current_status"], "charging");
    let refused = site.put(&drivers[2], &path, json!({"requested_amount": 7})).await;
    assert_eq!(code(&refused), (400, "INVALID_REQUEST"));

    let fourth = site.data(&drivers[3], STATUS).await;
    let path = format!("/api/charging/request/{}/cancel/", fourth["id"].as_str().unwrap());
    let stranger = site.service.call(&drivers[4], Method::DELETE, &path).await;
    assert_eq!(code(&stranger), (404, "RESOURCE_NOT_FOUND"));
    let cancelled = site.service.call(&drivers[3], Method::DELETE, &path).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    assert_eq!(site.data(&drivers[4], STATUS).await["queue_position"], 1);

    site.pass(60);
    let fifth = site.data(&drivers[4], STATUS).await;
    assert_eq!(
        (&fifth["current_status"], &fifth["queue_position"]),
        (&json!("charging"), &json!(0))
    );
}

#[tokio::test]
async fn a_pile_breaks_and_comes_back() {
    let site = site().await;
    let admin = site.service.token(Role::Admin).await;
    let driver = site.driver("driver").await;
    site.ask(&driver, "slow", 14).await;
    site.pass(60);
    let path = "/api/charging/piles/SLOW-001/";
    for (body, expected) in [
        (json!({"status": "melted"}), (400, "VALIDATION_ERROR")),
        (json!({}), (400, "VALIDATION_ERROR")),
    ] {
        assert_eq!(code(&site.put(&admin, path, body).await), expected);
    }
    let broken = site.put(&admin, path, json!({"status": "fault"})).await;
    assert_eq!(broken.json["data"]["status"], "fault", "{}", broken.json);
    assert_eq!(broken.json["data"]["total_revenue"], 14.0, "7 kWh at 1.20 and 0.80");
    let moved = site.data(&driver, STATUS).await;
    assert_eq!(moved["charging_pile_id"], "SLOW-002", "another pile takes the rest at once");
    assert_eq!((&moved["current_amount"], &moved["queue_number"]), (&json!(7.0), &json!("T1")));
    let told = site.data(&driver, "/api/charging/notifications/").await;
    assert!(told.as_array().unwrap().iter().any(|one| one["type"] == "pile_fault"), "{told}");
    let back = site.put(&admin, path, json!({"status": "normal"})).await;
    assert_eq!(back.json["data"]["is_working"], false);
    site.pass(60);
    let bills = site.data(&driver, "/api/charging/bills/").await;
    assert_eq!(bills["pagination"]["total_count"], 2);
    let unknown = site.put(&admin, "/api/charging/piles/FAST-1/", json!({"status": "fault"})).await;
    assert_eq!(code(&unknown), (404, "RESOURCE_NOT_FOUND"));
}

#[tokio::test]
async fn names_at_piles_are_masked_but_for_oneself_and_staff() {
    let site = site().await;
    let (driver, admin) = (site.driver("zhangsan").await, site.service.token(Role::Admin).await);
    let operator = site.service.token(Role::Operator).await;
    site.ask(&driver, "fast", 30).await;
    let path = "/api/charging/piles/status/";
    let public = site.service.get(path).await;
    assert_eq!(public.json["data"]["fast_piles"][0]["current_user"], "z***n");
    for (token, shown) in [(&driver, "zhangsan"), (&admin, "zhangsan"), (&operator, "z***n")] {
        let piles = site.data(token, path).await;
        assert_eq!(piles["fast_piles"][0]["current_user"], shown);
        assert_eq!(piles["fast_piles"][0]["is_working"], true);
        assert_eq!(piles["slow_piles"][2]["current_user"], Value::Null);
    }
}

#[tokio::test]
async fn an_admin_sends_back_what_was_shown_with_a_value_changed() {
    let site = site().await;
    let admin = site.service.token(Role::Admin).await;
    let shown = site.data(&admin, PARAMETERS).await;
    assert_eq!(shown, site.data(&admin, "/api/charging/config/parameters/").await);
    assert_eq!((&shown["peak_rate"], &shown["pricing"]["peak_rate"]), (&json!(1.2), &json!(1.2)));
    assert_eq!(shown["charging_power"]["slow_charging_power"], 7.0);

    let (mut flat, mut nested) = (shown.clone(), shown.clone());
    flat["peak_rate"] = json!("1.5");
    nested["pricing"]["valley_rate"] = json!(0.35);
    nested["FastChargingPileNum"] = json!("3");
    for body in [flat, nested] {
        let answer = site.put(&admin, PARAMETERS, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    }
    let now = site.data(&admin, PARAMETERS).await;
    assert_eq!((&now["FastChargingPileNum"], &now["valley_rate"]), (&json!(3), &json!(0.35)));
    assert_eq!(now["pricing"]["peak_rate"], 1.2, "sent back as it was shown");
    let piles = site.data(&admin, "/api/charging/piles/status/").await;
    assert_eq!(piles["fast_piles"][2]["pile_id"], "FAST-003");

    for (body, field) in [
        (json!({"FastChargingPileNum": 0}), "FastChargingPileNum"),
        (json!({"FastChargingPileNum": -1}), "FastChargingPileNum"),
        (json!({"WaitingAreaSize": 2.5}), "WaitingAreaSize"),
        (json!({"ChargingQueueLen": "many"}), "ChargingQueueLen"),
        (json!({"pricing": {"peak_rate": -1}}), "peak_rate"),
        (json!({"fast_charging_power": 1e300}), "fast_charging_power"),
        (
            json!({"time_periods": {"peak": [], "normal": [], "valley": ["00:00-23:00"]}}),
            "time_periods",
        ),
    ] {
        let refused = site.put(&admin, PARAMETERS, body).await;
        assert_eq!(code(&refused), (400, "VALIDATION_ERROR"), "{field}");
        assert!(refused.json["error"]["details"][field][0].is_string(), "{}", refused.json);
    }
    let typo = site.put(&admin, PARAMETERS, json!({"WaitingAreaSiez": 9})).await;
    assert_eq!(code(&typo), (400, "VALIDATION_ERROR"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_the_familys_form() {
    let site = site().await;
    let driver = site.driver("driver").await;
    let valid = json!({"charging_mode": "fast", "requested_amount": 30, "battery_capacity": 60});
    for (field, value) in [
        ("charging_mode", json!("turbo")),
        ("charging_mode", json!(1)),
        ("charging_mode", json!(null)),
        ("requested_amount", json!(0)),
        ("requested_amount", json!(-1)),
        ("requested_amount", json!(1e300)),
        ("requested_amount", json!(61)),
        ("requested_amount", json!("NaN")),
        ("requested_amount", json!([30])),
        ("requested_amount", json!(null)),
        ("requested_amount", json!(0.0001)),
        ("battery_capacity", json!(-60)),
        ("battery_capacity", json!("x")),
    ] {
        let mut body = valid.clone();
        body[field] = value.clone();
        let refused = send(&site.service, &driver, Method::POST, REQUEST, body).await;
        assert_eq!(code(&refused), (400, "VALIDATION_ERROR"), "{field} {value}");
        assert!(refused.json["error"]["details"][field][0].is_string(), "{}", refused.json);
    }
    for path in [
        "/api/charging/bills/?page=abc",
        "/api/charging/bills/?limit=1.5",
        "/api/charging/bills/?start_date=2026-02-30",
        "/api/charging/notifications/?limit=x",
    ] {
        let refused = site.service.call(&driver, Method::GET, path).await;
        assert_eq!(code(&refused), (400, "VALIDATION_ERROR"), "{path}");
    }
    for path in [
        "/api/charging/bills/%E5%8D%95/",
        "/api/charging/request/17/cancel/",
        "/api/charging/nothing/",
    ] {
        let method = if path.contains("cancel") { Method::DELETE } else { Method::GET };
        let missing = site.service.call(&driver, method, path).await;
        assert_eq!(code(&missing), (404, "RESOURCE_NOT_FOUND"), "{path}");
    }
    let wide =
        "/api/charging/bills/?start_date=-262143-01-01&end_date=%2B262142-12-31&page=4294967295";
    let answer = site.service.call(&driver, Method::GET, wide).await;
    assert!(answer.status == StatusCode::OK || answer.status == StatusCode::BAD_REQUEST);
    for id in ["99999999999999999999", "-1", "x"] {
        let path = format!("/api/charging/notifications/{id}/read/");
        let missing = site.put(&driver, &path, json!({})).await;
        assert_eq!(code(&missing), (404, "RESOURCE_NOT_FOUND"), "{id}");
    }
    let public = Answer::of(site.service.request(Method::GET, STATUS).send().await.unwrap()).await;
    assert_eq!(code(&public), (401, "AUTH_REQUIRED"));
    let forged = site.service.call("0123456789", Method::GET, STATUS).await;
    assert_eq!(code(&forged), (401, "AUTH_INVALID"));
    assert_eq!(code(&site.put(&driver, PARAMETERS, json!("x")).await), (403, "PERMISSION_DENIED"));
}

#[tokio::test]
async fn of_ten_at_once_one_is_done() {
    let site = site().await;
    let driver = site.driver("driver").await;
    let at_once = |method: Method, path: &'static str, body: Value| {
        let mut tasks = JoinSet::new();
        for _ in 0..10 {
            let (service, driver) = (site.service.clone(), driver.clone());
            let (method, body) = (method.clone(), body.clone());
            tasks.spawn(async move { send(&service, &driver, method, path, body).await });
        }
        tasks.join_all()
    };
    let body = json!({"charging_mode": "fast", "requested_amount": 30, "battery_capacity": 60});
    let asked = at_once(Method::POST, REQUEST, body).await;
    let (taken, refused): (Vec<_>, Vec<_>) =
        asked.iter().partition(|answer| answer.status == StatusCode::CREATED);
    assert_eq!(taken.len(), 1);
    assert!(refused.iter().all(|answer| code(answer) == (400, "DUPLICATE_REQUEST")));
    site.pass(30);
    let ended = at_once(Method::POST, COMPLETE, json!({})).await;
    assert_eq!(ended.iter().filter(|answer| answer.status == StatusCode::OK).count(), 1);
    let bills = site.data(&driver, "/api/charging/bills/").await;
    assert_eq!(bills["pagination"]["total_count"], 1);
}
