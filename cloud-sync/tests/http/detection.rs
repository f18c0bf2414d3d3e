//! `/ws/detection/`.

use base64::{Engine, prelude::BASE64_STANDARD};
use cloud_core::Role;
use cloud_sync::config::{Config, Recognition};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::{
    pictures::{EMPTY, JING, JING_NEARER, YUE},
    recognition::new_spot,
    service::{Service, start, start_with},
};

struct Channel(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Channel {
    async fn open(service: &Service, path: &str, token: Option<&str>) -> Result<Self, Error> {
        let mut request = format!("ws://{}{path}", service.address).into_client_request()?;
        if let Some(token) = token {
            let value = format!("Token {token}").parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        connect_async(request).await.map(|(channel, _)| Self(channel))
    }

    async fn say(&mut self, message: &Value) {
        self.say_text(message.to_string()).await;
    }

    async fn say_text(&mut self, text: String) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn frame(&mut self, picture: &[u8]) {
        let frame = format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(picture));
        self.say(&json!({"type": "video_frame", "frame": frame})).await;
    }

    /// The next message of a type; others are passed over.
    async fn hear(&mut self, kind: &str) -> Value {
        loop {
            let message = self.0.next().await.expect("the channel stays open").unwrap();
            let Ok(text) = message.to_text() else { continue };
            let json: Value = serde_json::from_str(text).unwrap_or_default();
            if json["type"] == kind {
                return json;
            }
        }
    }
}

async fn records(service: &Service, token: &str) -> Value {
    service.call(token, Method::GET, "/hzsystem_parking/detection/records/").await.json
}

#[tokio::test]
async fn a_car_is_recorded_once_however_many_frames_show_it() {
    let service = start().await;
    let token = service.token(Role::Operator).await;
    let mut channel = Channel::open(&service, "/ws/detection/", Some(&token)).await.unwrap();
    let hello = channel.hear("connection_established").await;
    assert_eq!(hello["parking_spot_id"], Value::Null);
    for (count, picture) in (1..).zip([EMPTY, JING, JING_NEARER, JING, YUE, JING]) {
        channel.frame(picture).await;
        let result = channel.hear("detection_result").await;
        assert_eq!(result["frame_count"], count);
        assert_eq!(result["session_id"], hello["session_id"]);
        if picture == JING {
            assert_eq!(result["license_plates"], json!(["京A12345"]));
            let detection = &result["detections"][0];
            assert_eq!(
                (&detection["class_name"], &detection["class_id"]),
                (&json!("blue"), &json!(1))
            );
            assert_eq!(detection["license_number"], "京A12345");
            assert!(detection["bbox"]["x2"].as_f64() > detection["bbox"]["x1"].as_f64());
            assert!(detection["timestamp"].as_f64().unwrap() > 1.7e9);
        }
    }
    let records = records(&service, &token).await;
    let plates: Vec<_> = records["records"].as_array().unwrap().iter().collect();
    let plates: Vec<_> = plates.iter().map(|record| &record["license_plate"]).collect();
    assert_eq!(plates, ["粤BD12345", "京A12345"]);
    let camera = "/hzsystem_websocket/camera/status/";
    let camera = service.call(&token, Method::GET, camera).await.json;
    assert_eq!(
        (&camera["status"], &camera["camera_info"]["width"]),
        (&json!("available"), &json!(1280))
    );
    // Another session sees the cars anew.
    let mut other = Channel::open(&service, "/ws/vehicle-detection/", Some(&token)).await.unwrap();
    other.frame(JING).await;
    other.hear("detection_result").await;
    let again = service.get("/api/plates?plate_number=A12345").await.json;
    assert_eq!(again.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn frames_that_come_too_fast_are_dropped_and_the_newest_is_answered() {
    let service = start().await;
    let mut channel = Channel::open(&service, "/ws/detection/", None).await.unwrap();
    for _ in 0..60 {
        channel.frame(EMPTY).await;
    }
    let mut answered = vec![0];
    while answered.last() != Some(&60) {
        let result = channel.hear("detection_result").await;
        answered.push(result["frame_count"].as_i64().unwrap());
    }
    assert!(answered.is_sorted() && answered.len() < 60, "{answered:?}");
}

#[tokio::test]
async fn what_is_malformed_or_unknown_is_answered_and_the_channel_stays() {
    let service = start().await;
    let mut channel = Channel::open(&service, "/ws/detection", None).await.unwrap();
    let bomb = BASE64_STANDARD.encode(super::pictures::bomb(60_000, 60_000));
    for (text, code) in [
        ("no JSON".to_owned(), "INVALID_MESSAGE"),
        ("[]".to_owned(), "INVALID_MESSAGE"),
        (r#"{"type": "no_such_type"}"#.to_owned(), "UNKNOWN_TYPE"),
        (r#"{"type": "video_frame", "frame": 7}"#.to_owned(), "INVALID_FRAME"),
        (r#"{"type": "video_frame", "frame": "%%%"}"#.to_owned(), "INVALID_FRAME"),
        (r#"{"type": "video_frame", "frame": "bm8="}"#.to_owned(), "INVALID_IMAGE"),
        (json!({"type": "video_frame", "frame": bomb}).to_string(), "INVALID_IMAGE"),
        (r#"{"type": "get_spot_status"}"#.to_owned(), "INVALID_PARAMETER"),
        (r#"{"type": "get_spot_status", "parking_spot_id": 99999}"#.to_owned(), "NOT_FOUND"),
    ] {
        channel.say_text(text.clone()).await;
        let error = channel.hear("error").await;
        assert_eq!(error["code"], code, "{text}");
        assert!(error["message"].is_string());
    }
    channel.0.send(Message::binary(vec![0, 1, 2])).await.unwrap();
    assert_eq!(channel.hear("error").await["code"], "INVALID_MESSAGE");
    channel.frame(EMPTY).await;
    channel.hear("detection_result").await;
}

#[tokio::test]
async fn a_spot_is_told_by_hand_and_everybody_who_shows_it_hears_it() {
    let service = start().await;
    let admin = service.token(Role::Admin).await;
    let visitor = service.token(Role::Visitor).await;
    let spot = new_spot(&service, &admin, "A001").await;
    let path = format!("/ws/detection/{spot}/");
    let mut channel = Channel::open(&service, &path, Some(&admin)).await.unwrap();
    let mut listener = Channel::open(&service, &path, Some(&visitor)).await.unwrap();
    assert_eq!(channel.hear("connection_established").await["parking_spot_id"], spot.to_string());
    listener.hear("connection_established").await;
    let change = |status: &str| json!({"type": "manual_update_status", "parking_spot_id": spot.to_string(), "status": status});
    channel.say(&change("reserved")).await;
    for who in [&mut channel, &mut listener] {
        let told = who.hear("spot_status_updated").await;
        assert_eq!(told["spot_status"], "reserved");
        assert_eq!(told["parking_spot_id"], spot.to_string());
    }
    // A visitor sees and changes nothing.
    for message in [change("maintenance"), json!({"type": "video_frame", "frame": "bm8="})] {
        listener.say(&message).await;
        assert_eq!(listener.hear("error").await["code"], "FORBIDDEN");
    }
    listener.say(&json!({"type": "get_spot_status"})).await;
    assert_eq!(listener.hear("spot_status").await["spot_status"], "reserved");
    // What is changed elsewhere is heard as well.
    let put =
        service.request(Method::PUT, &format!("/hzsystem_parking/parking/spots/{spot}/status/"));
    let put = put.header("authorization", format!("Token {admin}"));
    put.json(&json!({"status": "available"})).send().await.unwrap();
    assert_eq!(listener.hear("spot_status_updated").await["spot_status"], "available");
    // A car that drives onto the spot takes it.
    channel.frame(JING).await;
    let result = channel.hear("detection_result").await;
    assert_eq!(
        (&result["spot_status"], &result["parking_spot_id"]),
        (&json!("occupied"), &json!(spot.to_string()))
    );
    assert_eq!(listener.hear("spot_status_updated").await["spot_status"], "occupied");
}

#[tokio::test]
async fn nobody_is_let_in_without_credentials_and_no_more_than_are_set() {
    let recognition = Recognition { max_channels: 1, ..Recognition::default() };
    let service = start_with(Config { recognition, ..Config::default() }).await;
    let status = |error: Error| match error {
        Error::Http(answer) => answer.status(),
        other => panic!("{other}"),
    };
    let open = async |path: &str, token| Channel::open(&service, path, token).await;
    for (path, token, wanted) in [
        ("/ws/detection/?token=no.such.token", None, StatusCode::UNAUTHORIZED),
        ("/ws/detection/", Some("no.such.token"), StatusCode::UNAUTHORIZED),
        ("/ws/detection/99999/", None, StatusCode::NOT_FOUND),
        ("/ws/detection/abc/", None, StatusCode::NOT_FOUND),
    ] {
        assert_eq!(open(path, token).await.map(drop).map_err(status), Err(wanted), "{path}");
    }
    let first = open("/ws/detection/", None).await.unwrap();
    let second = open("/ws/detection/", None).await.map(drop).map_err(status);
    assert_eq!(second, Err(StatusCode::SERVICE_UNAVAILABLE));
    drop(first);
    for _ in 0..100 {
        if open("/ws/detection/", None).await.is_ok() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("a place that was left is free again");
}

#[tokio::test]
async fn a_flood_of_messages_starves_nobody_else() {
    let service = start().await;
    let mut flood = Channel::open(&service, "/ws/detection/", None).await.unwrap();
    let mut calm = Channel::open(&service, "/ws/detection/", None).await.unwrap();
    let garbage = "x".repeat(1 << 20);
    let flooding = async {
        for _ in 0..200 {
            flood.say_text(garbage.clone()).await;
            flood.hear("error").await;
            flood.frame(EMPTY).await;
        }
    };
    let asking = async {
        for _ in 0..3 {
            calm.frame(JING).await;
            assert_eq!(calm.hear("detection_result").await["license_plates"], json!(["京A12345"]));
        }
        assert_eq!(service.get("/api/plates").await.status, StatusCode::OK);
    };
    tokio::join!(flooding, asking);
}
