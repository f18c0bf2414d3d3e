//! Stories of the hz document's parking: what an admin, an operator and a driver do in a day.

use cloud_core::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::service::{Answer, Service, start};

const P: &str = "/hzsystem_parking";

struct Desk {
    service: Service,
    admin: String,
    operator: String,
    visitor: String,
}

impl Desk {
    async fn open() -> Self {
        let service = start().await;
        let (admin, operator, visitor) = (
            service.token(Role::Admin).await,
            service.token(Role::Operator).await,
            service.token(Role::Visitor).await,
        );
        Self { service, admin, operator, visitor }
    }

    async fn send(&self, token: &str, method: Method, path: &str, body: Value) -> Answer {
        let request = self.service.request(method, &format!("{P}{path}"));
        let request = request.header("authorization", format!("Token {token}")).json(&body);
        Answer::of(request.send().await.unwrap()).await
    }

    async fn get(&self, token: &str, path: &str) -> Value {
        let answer = self.service.call(token, Method::GET, &format!("{P}{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.json);
        answer.json
    }

    async fn make(&self, path: &str, body: Value) -> Value {
        let answer = self.send(&self.admin, Method::POST, path, body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.json);
        answer.json
    }

    /// An area with spots of these numbers.
    async fn area(&self, spots: &[&str]) -> i64 {
        let area = self.make("/parking-areas/", json!({"name": "A区", "total_spots": 10})).await;
        for number in spots {
            let body = json!({"number": number, "area_id": area["id"], "spot_type": "standard"});
            self.make("/parking/spots/", body).await;
        }
        area["id"].as_i64().unwrap()
    }

    async fn assign(&self, plate: &str) -> Value {
        let body = json!({"license_plate": plate, "vehicle_type": "小型汽车"});
        self.make("/parking/auto-assign/", body).await
    }
}

#[tokio::test]
async fn a_day_at_the_desk() {
    let desk = Desk::open().await;
    desk.area(&["A001", "A002"]).await;
    let tariff = json!({"name": "标准收费", "base_fee": 5.00, "base_hours": 1.0,
                        "hourly_rate": "3.00", "daily_max_fee": 30, "free_minutes": 0});
    desk.make("/fee/configs/", tariff).await;
    let assigned = desk.assign("京A12345").await;
    assert_eq!(assigned["assigned_spot"]["number"], "A001");
    assert_eq!(assigned["assigned_spot"]["area_name"], "A区");
    let session = assigned["session_id"].as_i64().unwrap();
    let spots = desk.get(&desk.visitor, "/parking/spots/?status=occupied").await;
    assert_eq!(spots["spots"][0]["license_plate"], "京A12345");
    assert_eq!(spots["spots"][0]["vehicle_type"], "car");

    let asked = json!({"session_id": format!("session_{session}")});
    let fee = desk.make("/fee/calculate/", asked.clone()).await;
    assert_eq!(
        (&fee["calculated_fee"], &fee["fee_config"]["name"]),
        (&json!("5.00"), &json!("标准收费"))
    );
    let order = desk.make("/payment/orders/", asked).await;
    assert_eq!(
        (order["amount"].as_f64(), &order["payment_status"]),
        (Some(5.0), &json!("pending"))
    );
    let picture = desk.service.get(order["qr_code_url"].as_str().unwrap()).await;
    assert_eq!(picture.headers["content-type"], "image/png");

    let pay = json!({"order_id": order["id"], "payment_method": "wechat", "amount": 5.00});
    let paid = desk.send(&desk.operator, Method::POST, "/payment/process/", pay.clone()).await;
    assert_eq!((paid.status, &paid.json["success"]), (StatusCode::OK, &json!(true)));
    assert_eq!(paid.json["payment_status"], "completed");
    let twice = desk.send(&desk.operator, Method::POST, "/payment/process/", pay).await;
    assert_eq!(
        (twice.status, &twice.json["error"]),
        (StatusCode::BAD_REQUEST, &json!("订单已支付"))
    );
    let stats = desk.get(&desk.visitor, "/payment/stats/").await;
    assert_eq!(
        (stats["today_revenue"].as_f64(), &stats["payment_method_stats"]["wechat"]),
        (Some(5.0), &json!(1))
    );

    let back = json!({"order_id": order["id"], "reason": "用户申请退款"});
    let refund = desk.send(&desk.operator, Method::POST, "/payment/refund/", back).await;
    assert_eq!(refund.json["payment_status"], "refunded", "{}", refund.json);
    let dashboard = desk.get(&desk.visitor, "/dashboard/").await;
    assert_eq!(dashboard["today_revenue"].as_f64(), Some(0.0));

    let spot = assigned["assigned_spot"]["id"].as_i64().unwrap();
    let free = json!({"status": "available"});
    let path = format!("/parking/spots/{spot}/status/");
    let freed = desk.send(&desk.operator, Method::PUT, &path, free).await;
    assert_eq!((freed.status, &freed.json["license_plate"]), (StatusCode::OK, &Value::Null));
    assert_eq!(desk.get(&desk.visitor, "/dashboard/").await["active_sessions"], 0);
    let log = desk.get(&desk.operator, "/system/logs/?module=payment").await;
    assert_eq!(log["logs"][0]["ip_address"], "127.0.0.1");
    assert!(log["logs"][0]["user_id"].is_i64());
}

#[tokio::test]
async fn a_driver_pays_for_the_own_car_alone() {
    let desk = Desk::open().await;
    desk.area(&["A001", "A002"]).await;
    let own = json!({"license_plate": "京A00001", "vehicle_type": "car"});
    let own = desk.send(&desk.visitor, Method::POST, "/parking/auto-assign/", own).await.json;
    let others = desk.assign("京A00002").await;
    let calculate = |session: &Value| json!({"session_id": session["session_id"]});
    for (session, status) in [(&own, StatusCode::OK), (&others, StatusCode::NOT_FOUND)] {
        let fee =
            desk.send(&desk.visitor, Method::POST, "/fee/calculate/", calculate(session)).await;
        assert_eq!(fee.status, status, "{}", fee.json);
    }
    let order = desk.send(&desk.visitor, Method::POST, "/payment/orders/", calculate(&own)).await;
    assert_eq!(order.status, StatusCode::CREATED);
    let pay = |method: &str| {
        let pay = json!({"order_id": order.json["id"], "payment_method": method, "amount": 10});
        desk.send(&desk.visitor, Method::POST, "/payment/process/", pay)
    };
    for method in ["cash", "alipay", "wechat"] {
        let unavailable = pay(method).await;
        assert_eq!(unavailable.status, StatusCode::BAD_REQUEST);
        assert_eq!(unavailable.json["error"], "支付方式不可用", "{}", unavailable.json);
    }
    for (method, path) in [
        (Method::POST, "/payment/refund/"),
        (Method::POST, "/parking-areas/"),
        (Method::POST, "/fee/configs/"),
    ] {
        let refused = desk.send(&desk.visitor, method, path, json!({"name": []})).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}: the role before the body");
    }
    let logs = desk.service.call(&desk.visitor, Method::GET, &format!("{P}/system/logs/")).await;
    assert_eq!(logs.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_cannot_be_used_is_named() {
    let desk = Desk::open().await;
    let area = desk.area(&["A001"]).await;
    for (path, body, field) in [
        ("/parking-areas/", json!({"name": "x", "total_spots": -1}), "total_spots"),
        ("/parking-areas/", json!({"description": "x"}), "name"),
        ("/parking/spots/", json!({"number": "A001", "area_id": area}), "number"),
        ("/parking/spots/", json!({"number": "A002", "area_id": 999}), "area_id"),
        ("/fee/configs/", json!({"name": "x", "base_fee": -1}), "base_fee"),
        ("/fee/configs/", json!({"name": "x", "hourly_rate": "much"}), "hourly_rate"),
        ("/fee/configs/", json!({"name": "x", "free_minutes": -1}), "free_minutes"),
        ("/fee/configs/", json!({"name": "x", "base_fee": 1.005}), "base_fee"),
        ("/parking/auto-assign/", json!({"license_plate": ["x"]}), "license_plate"),
        ("/parking/auto-assign/", json!({"license_plate": "京A\u{202e}1"}), "license_plate"),
        ("/fee/calculate/", json!({"session_id": "abc"}), "session_id"),
        (
            "/payment/process/",
            json!({"order_id": 1, "payment_method": "gold", "amount": 1}),
            "payment_method",
        ),
    ] {
        let answer = desk.send(&desk.admin, Method::POST, path, body.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {body}: {}", answer.json);
        assert_eq!(answer.json["details"]["field"], field, "{path} {body}: {}", answer.json);
        assert!(answer.json["error"].is_string() && answer.json["code"].is_string());
    }
    for query in ["area_id=abc", "status=flying", "page=abc", "vehicle_type=tank"] {
        let path = format!("{P}/parking/spots/?{query}");
        let answer = desk.service.call(&desk.visitor, Method::GET, &path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn a_session_and_an_area_answer_to_all_their_names() {
    let desk = Desk::open().await;
    let area = desk.area(&["A001"]).await;
    let session = desk.assign("京A00001").await["session_id"].clone();
    for name in [json!(session), json!(session.to_string()), json!(format!("session_{session}"))] {
        let fee = desk.make("/fee/calculate/", json!({"session_id": name})).await;
        assert_eq!(fee["session_id"], format!("session_{session}"));
    }
    for path in ["/parking-areas/", "/parking/areas/"] {
        let areas = desk.get(&desk.visitor, path).await;
        assert_eq!(areas["total_areas"], areas["total_count"]);
        assert!(areas["areas"].as_array().unwrap().iter().any(|item| item["id"] == area));
    }
    let spot = json!({"spot_number": "A002", "area": area});
    let spot = desk.make("/parking-spots/", spot).await;
    let one = desk.get(&desk.visitor, &format!("/parking/spots/{}/", spot["id"])).await;
    assert_eq!((&one["area"], &one["total_count"]), (&json!(area), &json!(1)));
    assert_eq!(one["spots"][0]["id"], one["id"]);
    let removed = desk
        .send(&desk.admin, Method::DELETE, &format!("/parking/spots/{}/", spot["id"]), json!({}))
        .await;
    assert_eq!(removed.json["is_active"], false);
    let layout = desk.get(&desk.visitor, "/dashboard/layout/").await;
    let of_area = layout["layout"].as_array().unwrap().iter().find(|item| item["area_id"] == area);
    assert_eq!(of_area.unwrap()["spots"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_journaled_car_is_an_occupied_spot_and_its_fee_an_order() {
    let mut desk = Desk::open().await;
    desk.area(&["A001"]).await;
    desk.service.car(1, "京A12345").await;
    let spots = desk.get(&desk.visitor, "/parking/spots/").await;
    let spot = &spots["spots"][0];
    assert_eq!((&spot["status"], &spot["license_plate"]), (&json!("occupied"), &json!("京A12345")));
    let records = desk.get(&desk.visitor, "/detection/records/?license_plate=A12345").await;
    assert_eq!(records["records"][0]["spot"], spot["id"]);
    let dashboard = desk.get(&desk.visitor, "/dashboard/").await;
    assert_eq!(dashboard["active_sessions"], 1);
    let again = desk.assign("京A12345").await;
    assert_eq!(again["assigned_spot"]["id"], spot["id"], "it keeps the session that it has");
}
