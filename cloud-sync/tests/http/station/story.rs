//! Stories in the document's words, from registering to giving the cabinet back.

use reqwest::StatusCode;
use serde_json::json;

use super::people::{Person, Station};
use crate::service::start;

#[tokio::test]
async fn a_traveller_leaves_a_backpack() {
    let service = start().await;
    let station = Station::set_up(&service).await;
    let driver = Person::register(&service, 1).await;
    let free = driver.sees(&service, "/api/cabinets/available/?station=火车站&size=small").await;
    assert_eq!(free.as_array().unwrap().len(), 2);

    let wanted = json!({"cabinet_id": "A001", "duration_hours": 2});
    let order = driver.does(&service, "/api/orders/create/", wanted).await;
    for (key, value) in [
        ("cabinet_size", "small"),
        ("status", "pending"),
        ("status_display", "待支付"),
        ("duration_hours", "2.00"),
        ("price_per_hour", "2.00"),
        ("total_amount", "4.00"),
        ("user_phone", &driver.phone),
    ] {
        assert_eq!(order[key], value, "{key}");
    }
    let path = format!("/api/orders/{}/", order["id"]);
    let by_balance = json!({"payment_method": "balance"});
    let pay = format!("{path}pay/");
    let refused = driver.post(&service, &pay, by_balance.clone()).await;
    assert_eq!(refused.json, json!({"code": 400, "message": "余额不足"}));
    station.top_up(&service, &driver, "10.00").await;
    let paid = driver.does(&service, &pay, by_balance.clone()).await;
    assert_eq!((&paid["status"], &paid["status_display"]), (&json!("paid"), &json!("已预约")));
    let again = driver.post(&service, &pay, by_balance).await;
    assert_eq!(again.json, json!({"code": 400, "message": "订单已支付或已取消"}));

    let (extend, hour) = (format!("{path}extend/"), json!({"additional_hours": 1}));
    let longer = driver.does(&service, &extend, hour).await;
    assert_eq!(
        (&longer["duration_hours"], &longer["total_amount"]),
        (&json!("3.00"), &json!("6.00"))
    );
    assert_eq!(driver.sees(&service, "/api/auth/me/").await["balance"], "4.00");

    let code = json!({"cabinet_id": "A001", "pickup_code": paid["pickup_code"]});
    let opening = driver.does(&service, "/api/devices/open/by-code/", code).await;
    assert_eq!((&opening["action"], &opening["order_id"]), (&json!("open"), &order["id"]));
    let poll = "/api/devices/ESP32_001/open/";
    let answer = station.controller.get(&service, poll).await.json;
    assert_eq!(answer["message"], "有待执行指令");
    assert_eq!(answer["data"]["command"], "open_cabinet");
    assert_eq!(answer["data"]["command_id"], opening["command_id"]);
    assert!(answer["data"]["timestamp"].as_str().unwrap().ends_with("+00:00"));
    station.report(&service, "A001", false).await;
    let nothing = json!({"code": 0, "message": "无待执行指令", "data": {"command": "none"}});
    assert_eq!(station.controller.get(&service, poll).await.json, nothing);
    let state = Person::nobody().sees(&service, "/api/cabinets/A001/status/").await;
    assert_eq!((&state["is_locked"], &state["status"]), (&json!(false), &json!("in_use")));

    let complete = format!("{path}complete/");
    let open_still = driver.post(&service, &complete, json!({})).await;
    assert_eq!(open_still.status, StatusCode::BAD_REQUEST, "{}", open_still.json);
    station.report(&service, "A001", true).await;
    let done = driver.does(&service, &complete, json!({})).await;
    assert_eq!((&done["status"], &done["status_display"]), (&json!("completed"), &json!("已完成")));
    assert_eq!(done["payment_method_display"], "余额支付");
    assert!(done["actual_end_time"].is_string() && done["pickup_code"].is_null());
    let state = Person::nobody().sees(&service, "/api/cabinets/A001/").await;
    assert_eq!(state["status_display"], "空闲");
}

#[tokio::test]
async fn an_admin_watches_the_station() {
    let service = start().await;
    let station = Station::set_up(&service).await;
    let (driver, admin) = (Person::register(&service, 1).await, &station.admin);
    station.top_up(&service, &driver, "50").await;
    let wanted = json!({"cabinet_id": "A001", "duration_hours": "1.5"});
    let order = driver.does(&service, "/api/orders/create/", wanted).await;
    let pay = format!("/api/orders/{}/pay/", order["id"]);
    driver.does(&service, &pay, json!({"payment_method": "balance"})).await;
    station.controller.does(&service, "/api/devices/heartbeat/", json!({"battery_level": 5})).await;
    let broken = json!({"cabinet_id": "A002", "status": "maintenance", "price_per_hour": 6});
    let changed = admin.put(&service, "/api/admin/cabinets/", broken).await.json;
    assert_eq!(
        (&changed["message"], &changed["data"]["price_per_hour"]),
        (&json!("更新成功"), &json!("6.00"))
    );

    let stats = admin.sees(&service, "/api/admin/stats/").await;
    assert_eq!(stats["overview"]["total_cabinets"], 2);
    assert_eq!(
        stats["orders"],
        json!({"total": 1, "completed": 0, "cancelled": 0, "total_amount": 3.0})
    );
    let cabinets = json!({"total": 2, "available": 0, "in_use": 1, "maintenance": 1});
    assert_eq!(stats["cabinets"], cabinets);
    assert_eq!(stats["devices"], json!({"total": 1, "online": 1, "offline": 0}));
    assert_eq!(stats["daily_orders"][0]["count"], 1);
    let revenue = admin.sees(&service, "/api/admin/revenue/?days=1").await;
    assert_eq!(revenue["average_order"], 3.0);
    let of_station = json!([{"station": "火车站", "revenue": 3.0, "orders": 1}]);
    assert_eq!(revenue["station_revenue"], of_station);
    let alerts = admin.sees(&service, "/api/admin/alerts/").await;
    let mut types: Vec<_> =
        alerts["alerts"].as_array().unwrap().iter().map(|a| a["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["cabinet_maintenance", "low_battery"]);
    let orders = admin.sees(&service, "/api/admin/orders/?status=paid&page_size=1").await;
    assert_eq!((&orders["total"], &orders["page_size"]), (&json!(1), &json!(1)));
    assert_eq!(orders["orders"][0]["order_no"], order["order_no"]);
    let logs = admin.sees(&service, "/api/devices/ESP32_001/logs/").await;
    assert_eq!(
        (&logs[0]["device_id"], &logs[0]["log_type"]),
        (&json!("ESP32_001"), &json!("heartbeat"))
    );
    assert!(logs[0]["created_at"].as_str().unwrap().ends_with("+08:00"));
    assert_eq!(admin.sees(&service, "/api/admin/health/").await["status"], "healthy");
}

#[tokio::test]
async fn two_travellers_want_the_same_cabinet() {
    let service = start().await;
    Station::set_up(&service).await;
    let (first, second) =
        (Person::register(&service, 1).await, Person::register(&service, 2).await);
    let wanted = json!({"cabinet_id": "A001", "duration_hours": 1});
    let (a, b) = tokio::join!(
        first.post(&service, "/api/orders/create/", wanted.clone()),
        second.post(&service, "/api/orders/create/", wanted),
    );
    let refused = if a.status == StatusCode::CREATED { b } else { a };
    assert_eq!(refused.json, json!({"code": 400, "message": "柜子不可用"}));
}

#[tokio::test]
async fn a_guesser_is_locked_out() {
    let service = start().await;
    let station = Station::set_up(&service).await;
    let (driver, thief) =
        (Person::register(&service, 1).await, Person::register(&service, 2).await);
    station.top_up(&service, &driver, "50.00").await;
    let wanted = json!({"cabinet_id": "A001", "duration_hours": 1});
    let order = driver.does(&service, "/api/orders/create/", wanted).await;
    let pay = format!("/api/orders/{}/pay/", order["id"]);
    let paid = driver.does(&service, &pay, json!({"payment_method": "balance"})).await;
    let open = async |who: &Person, code: &str| {
        let body = json!({"cabinet_id": "A001", "pickup_code": code});
        who.post(&service, "/api/devices/open/by-code/", body).await.json
    };
    for _ in 0..5 {
        let wrong = json!({"code": 400, "message": "无效的取件码或订单已过期"});
        assert_eq!(open(&thief, "not it").await, wrong);
    }
    let locked = open(&driver, paid["pickup_code"].as_str().unwrap()).await;
    assert_eq!(locked["message"], "取件码错误次数过多，请10分钟后再试");
}

#[tokio::test]
async fn a_phone_that_asks_again_pays_and_opens_once() {
    let service = start().await;
    let station = Station::set_up(&service).await;
    let driver = Person::register(&service, 1).await;
    station.top_up(&service, &driver, "10.00").await;
    let wanted = json!({"cabinet_id": "A001", "duration_hours": 2});
    let orders = "/api/orders/create/";
    let order = driver.once(&service, "k1", orders, &wanted).await.json;
    assert_eq!(driver.once(&service, "k1", orders, &wanted).await.json, order);
    let other = json!({"cabinet_id": "A002", "duration_hours": 2});
    assert_eq!(driver.once(&service, "k1", orders, &other).await.status, StatusCode::BAD_REQUEST);
    let pay = format!("/api/orders/{}/pay/", order["data"]["id"]);
    let by_balance = json!({"payment_method": "balance"});
    let paid = driver.once(&service, "k2", &pay, &by_balance).await.json;
    assert_eq!(driver.once(&service, "k2", &pay, &by_balance).await.json, paid);
    assert_eq!(driver.sees(&service, "/api/auth/me/").await["balance"], "6.00");
    let open = "/api/devices/open/by-code/";
    let code = json!({"cabinet_id": "A001", "pickup_code": paid["data"]["pickup_code"]});
    let opening = driver.once(&service, "k3", open, &code).await.json;
    assert_eq!(driver.once(&service, "k3", open, &code).await.json, opening);
}
