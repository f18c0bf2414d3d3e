//! The family's forms: dates, errors by field, filters, and who may call what.

use cloud_core::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::people::{Person, Station};
use crate::service::{Answer, start};

#[tokio::test]
async fn orders_have_naive_local_times_and_every_field() {
    let service = start().await;
    Station::set_up(&service).await;
    let driver = Person::register(&service, 1).await;
    let wanted = json!({"cabinet_id": "A001", "duration_hours": 0.5});
    driver.does(&service, "/api/orders/create/", wanted).await;
    let order = driver.sees(&service, "/api/orders/my/?status=pending").await[0].clone();
    assert_eq!(order["created_at"].as_str().unwrap().len(), "2026-01-19T20:26:09".len());
    for key in [
        "user",
        "cabinet",
        "paid_at",
        "start_time",
        "end_time",
        "actual_end_time",
        "payment_method",
        "payment_method_display",
        "pickup_code",
    ] {
        assert!(order.get(key).is_some(), "{key}");
    }
    assert_eq!(driver.sees(&service, "/api/orders/my/?status=paid").await, json!([]));
}

#[tokio::test]
async fn what_is_wrong_is_told_by_field() {
    let service = start().await;
    let station = Station::set_up(&service).await;
    let driver = Person::register(&service, 1).await;
    for (body, field) in [
        (json!({"duration_hours": 2}), "cabinet_id"),
        (json!({"cabinet_id": "A001"}), "duration_hours"),
        (json!({"cabinet_id": "A001", "duration_hours": 0.25}), "duration_hours"),
        (json!({"cabinet_id": "A001", "duration_hours": 1.555}), "duration_hours"),
        (json!({"cabinet_id": "A001", "duration_hours": [2]}), "duration_hours"),
        (json!({"cabinet_id": 7, "duration_hours": 2}), "cabinet_id"),
    ] {
        let answer = driver.post(&service, "/api/orders/create/", body).await;
        assert_eq!((answer.status.as_u16(), &answer.json["code"]), (400, &json!(400)));
        assert_eq!(answer.json["message"], "参数错误");
        assert!(answer.json["errors"][field][0].is_string(), "{field}: {}", answer.json);
    }
    for query in ["size=huge", "status=gone", "available=perhaps"] {
        let path = format!("/api/cabinets/?{query}");
        let answer = Person::nobody().get(&service, &path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
    for path in ["stats/?days=0", "stats/?days=366", "orders/?page=abc", "orders/?from=yesterday"] {
        let answer = station.admin.get(&service, &format!("/api/admin/{path}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let report = json!({"cabinet_status": {"A001": "ajar"}});
    let answer = station.controller.post(&service, "/api/devices/status/", report).await;
    assert!(answer.json["errors"].is_object(), "{}", answer.json);
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_documents_words() {
    let service = start().await;
    let station = Station::set_up(&service).await;
    let (driver, other) =
        (Person::register(&service, 1).await, Person::register(&service, 2).await);
    let wanted = json!({"cabinet_id": "A001", "duration_hours": 2});
    let order = driver.does(&service, "/api/orders/create/", wanted).await;
    let own = format!("/api/orders/{}/", order["id"]);
    for (who, path, message) in [
        (&other, own.as_str(), "订单不存在"),
        (&driver, "/api/orders/99999999/", "订单不存在"),
        (&driver, "/api/orders/abc/", "订单不存在"),
        (&driver, "/api/cabinets/A404/", "柜子不存在"),
        (&station.admin, "/api/devices/ESP32_404/logs/", "设备不存在"),
        (&station.controller, "/api/devices/ESP32_404/open/", "设备不存在"),
        (&driver, "/api/cabinets/A001/no-such-path/", "接口不存在"),
    ] {
        let answer = who.get(&service, path).await;
        assert_eq!(answer.json, json!({"code": 404, "message": message}), "{path}");
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let answer = service.request(Method::DELETE, "/api/cabinets/available/").send().await.unwrap();
    assert_eq!(Answer::of(answer).await.json["code"], 405);
}

#[tokio::test]
async fn only_admins_manage_and_only_controllers_report() {
    let service = start().await;
    let station = Station::set_up(&service).await;
    let driver = Person::register(&service, 1).await;
    let operator = Person::with_token(&service.token(Role::Operator).await);
    for path in ["stats/", "revenue/", "orders/", "cabinets/", "devices/", "alerts/", "health/"] {
        let path = format!("/api/admin/{path}");
        for who in [&driver, &operator] {
            let answer = who.get(&service, &path).await;
            assert_eq!(answer.json, json!({"code": 403, "message": "无权限访问"}), "{path}");
        }
        let answer = Person::nobody().get(&service, &path).await;
        assert_eq!(answer.json, json!({"code": 401, "message": "认证凭据未提供"}), "{path}");
    }
    for who in [&driver, &station.admin, &Person::with_key("no such key"), &Person::nobody()] {
        let answer = who.post(&service, "/api/devices/heartbeat/", json!({})).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let wrong = Person::with_key("no such key");
    let answer = wrong.post(&service, "/api/devices/heartbeat/", json!({})).await;
    assert_eq!(answer.json, json!({"code": 401, "message": "无效的API密钥"}));
    let off = json!({"device_id": "ESP32_001", "is_active": false});
    let put = station.admin.put(&service, "/api/admin/devices/", off).await;
    assert_eq!(put.json["data"]["is_active"], false);
    let silenced = station.controller.post(&service, "/api/devices/heartbeat/", json!({})).await;
    assert_eq!(silenced.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_cabinet_is_bound_to_a_controller_and_unbound() {
    let service = start().await;
    let station = Station::set_up(&service).await;
    let second = json!({"device_id": "ESP32_002", "station": "火车站", "name": "second"});
    station.admin.does(&service, "/api/admin/devices/", second).await;
    let bound = async |body| {
        station.admin.put(&service, "/api/admin/cabinets/", body).await.json["data"].clone()
    };
    let shown = Person::nobody().sees(&service, "/api/cabinets/A001/").await;
    assert_eq!(shown["device_id"], json!(null), "two controllers: none is the only one");
    let one = bound(json!({"cabinet_id": "A001", "device_id": "ESP32_002"})).await;
    assert_eq!(one["device_id"], "ESP32_002");
    let same = bound(json!({"cabinet_id": "A001", "location": "站厅西侧"})).await;
    assert_eq!((&same["device_id"], &same["location"]), (&json!("ESP32_002"), &json!("站厅西侧")));
    let none = bound(json!({"cabinet_id": "A001", "device_id": null})).await;
    assert_eq!(none["device_id"], json!(null));
    let unknown = json!({"cabinet_id": "A001", "device_id": "ESP32_404"});
    let answer = station.admin.put(&service, "/api/admin/cabinets/", unknown).await;
    assert_eq!(answer.json["message"], "设备不存在");
}
