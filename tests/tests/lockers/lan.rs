//! A controller on the site's network that speaks the documented HTTP device API, while the
//! internet is away.

use domain::{
    event::{Event, Outcome},
    locker::LockerFact,
};
use edge_daemon::controller::lan::hash_of;
use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{
    hall::{Hall, STATION},
    process::{free_port, http_client},
};

use crate::at_lockers;

const KEY: &str = "a long and random key of a controller";

struct Controller(String);

impl Controller {
    async fn call(&self, key: &str, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}/api/devices/{path}", self.0);
        let request = http_client().request(method.parse().unwrap(), url);
        let answer = request.header("X-API-Key", key).json(&body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn good(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(KEY, method, path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        assert_eq!(answer["code"], 0);
        answer["data"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_on_the_network_lives_without_the_internet() {
    let port = free_port().unwrap();
    let hash = hash_of(KEY);
    let more = format!(
        "[[controllers]]\nid = \"ESP32_001\"\nlink = \"http\"\nkey_sha256 = \"{hash}\"\n\
         doors = [\"C001\", \"C002\"]\n[lan]\nlisten = \"0.0.0.0:{port}\"\n"
    );
    let hall = Hall::start(&more).await.unwrap();
    let controller = Controller(format!("http://127.0.0.1:{port}"));
    let cabinet = json!({"cabinet_id": "C002", "size": "small", "location": "west",
                         "station": STATION, "price_per_hour": "2.00"});
    hall.good(&hall.admin, "POST", "cabinets/create/", cabinet).await.unwrap();
    let alive = controller.good("POST", "heartbeat/", json!({"battery_level": 85})).await;
    assert_eq!(alive, json!({"device_id": "ESP32_001", "status": "online"}));
    hall.online("ESP32_001", true).await.unwrap();
    let (order, code) = hall.rent("C002").await.unwrap();
    hall.internet.cut();

    let none = controller.good("GET", "ESP32_001/open/", Value::Null).await;
    assert_eq!(none, json!({"command": "none"}));
    let wrong = json!({"cabinet_id": "C002", "pickup_code": "000000"});
    let (status, _) = controller.call(KEY, "POST", "open/by-code/", wrong).await;
    assert_eq!(status, 400);
    let right = json!({"cabinet_id": "C002", "pickup_code": code});
    let opens = controller.good("POST", "open/by-code/", right).await;
    let shown = controller.good("GET", "ESP32_001/open", Value::Null).await;
    assert_eq!((&shown["command"], &shown["cabinet_id"]), (&json!("open_cabinet"), &json!("C002")));
    assert_eq!(shown["command_id"], opens["command_id"]);
    let doors = |closed: bool| json!({"cabinet_status": {"C002": closed}, "battery_level": 80});
    controller.good("POST", "status/", doors(false)).await;
    assert_eq!(controller.good("GET", "ESP32_001/open/", Value::Null).await, none);
    controller.good("POST", "status/", doors(true)).await;
    let accepted = |events: &[Event]| {
        at_lockers(events)
            .any(|f| matches!(f, LockerFact::Outcome { outcome: Outcome::Accepted, .. }))
    };
    hall.until("the command was carried out", accepted).await.unwrap();

    hall.internet.mend();
    hall.order_is(order, "in_use").await.unwrap();
    hall.synced().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_key_or_sends_rubbish_is_turned_away() {
    let port = free_port().unwrap();
    let hash = hash_of(KEY);
    let more = format!(
        "[[controllers]]\nid = \"ESP32_001\"\nlink = \"http\"\nkey_sha256 = \"{hash}\"\n\
         doors = [\"C001\"]\n[lan]\nlisten = \"127.0.0.1:{port}\"\n"
    );
    let _hall = Hall::start(&more).await.unwrap();
    let controller = Controller(format!("http://127.0.0.1:{port}"));
    let (status, answer) = controller.call("guess", "POST", "heartbeat/", json!({})).await;
    assert_eq!((status.as_u16(), &answer["message"]), (401, &json!("无效的API密钥")));
    let other = controller.call(KEY, "GET", "ESP32_002/open/", Value::Null).await;
    assert_eq!(other.0, 404);
    let long = json!({"cabinet_status": {}, "x": "y".repeat(10_000)});
    assert_eq!(controller.call(KEY, "POST", "status/", long).await.0, 413);
    let wrong = json!({"battery_level": "NaN"});
    assert_eq!(controller.call(KEY, "POST", "heartbeat/", wrong).await.0, 400);
    assert_eq!(controller.call(KEY, "GET", "../../console/paid", Value::Null).await.0, 404);
}
