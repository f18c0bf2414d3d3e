//! Pictures that people send, to the anpr and the hz face.

use std::time::{Duration, Instant};

use cloud_core::Role;
use cloud_sync::config::{Config, Limits, Recognition};
use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    pictures::{EMPTY, Form, JING, YUE, bomb},
    service::{Answer, Service, start, start_with},
};

const UPLOAD: &str = "/api/upload";
const DETECT: &str = "/hzsystem_yolo/detect/";
const PLATES: &str = "/hzsystem_yolo/license-plate/detect/";

async fn send(service: &Service, path: &str, form: Form) -> Answer {
    let request = form.sent(service.request(Method::POST, path), true);
    Answer::of(request.send().await.unwrap()).await
}

async fn upload(service: &Service, filename: &str, picture: &[u8]) -> Answer {
    send(service, UPLOAD, Form::new().file("file", filename, picture)).await
}

async fn dimensions(service: &Service, path: &Value) -> (u32, u32) {
    let path = format!("/images/{}", path.as_str().unwrap());
    let answer = service.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    let picture = image::load_from_memory(&answer.bytes().await.unwrap()).unwrap();
    (picture.width(), picture.height())
}

#[tokio::test]
async fn an_upload_is_read_kept_and_found_from_every_side() {
    let service = start().await;
    let answer = upload(&service, "../car_image.jpg", JING).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    let sent = &answer.json;
    assert_eq!((&sent["filename"], &sent["plates_detected"]), (&json!("car_image.jpg"), &json!(1)));
    assert!(sent["processing_time_ms"].as_f64().unwrap() > 0.0);
    let plate = &sent["plates"][0];
    assert_eq!(
        (&plate["plate_number"], &plate["processed_by"]),
        (&json!("京A12345"), &json!("local"))
    );
    assert!(plate["confidence"].as_f64().unwrap() > 0.5);
    let corner = |name: &str| plate["position"][name].as_i64().unwrap();
    assert!((640..720).contains(&corner("x_min")) && (780..860).contains(&corner("x_max")));
    assert_eq!(dimensions(&service, &plate["source_image_path"]).await, (1280, 720));
    let crop = dimensions(&service, &plate["image_path"]).await;
    assert!(crop.0 < 300 && crop.1 < 120, "{crop:?}");

    let session = service.get(&format!("/api/sessions/{}", sent["session_id"])).await.json;
    assert_eq!((&session["plates"][0], &session["filename"]), (plate, &sent["filename"]));
    for path in ["/api/plates?plate_number=a123", "/api/search?query=12345"] {
        assert_eq!(service.get(path).await.json, json!([plate]), "{path}");
    }
    let token = service.token(Role::Visitor).await;
    let records = "/hzsystem_parking/detection/records/?license_plate=A12345";
    let records = service.call(&token, Method::GET, records).await.json;
    assert_eq!(records["pagination"]["total_count"], 1);
    let record = &records["records"][0];
    assert_eq!(
        (&record["detection_type"], &record["vehicle_type"]),
        (&json!("license_plate_recognition"), &json!("car"))
    );
    assert_eq!(service.get("/api/statistics").await.json["total_sessions"], 1);
}

#[tokio::test]
async fn a_picture_without_a_plate_is_a_session_without_plates() {
    let service = start().await;
    let sent = upload(&service, "lane.jpg", EMPTY).await.json;
    assert_eq!((&sent["plates_detected"], &sent["plates"]), (&json!(0), &json!([])));
    let nothing = json!({"success": false, "message": "未检测到车牌"});
    for (path, part) in [(DETECT, "file"), (PLATES, "image")] {
        let answer = send(&service, path, Form::new().file(part, "lane.jpg", EMPTY)).await;
        assert_eq!((answer.status, answer.json), (StatusCode::OK, nothing.clone()), "{path}");
    }
    assert_eq!(service.get("/api/sessions").await.json.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn hz_answers_with_the_surest_plate_and_a_picture_of_it() {
    let service = start().await;
    let sent = send(&service, DETECT, Form::new().file("file", "a.jpg", YUE)).await.json;
    assert_eq!((&sent["success"], &sent["license_plate"]), (&json!(true), &json!("粤BD12345")));
    assert!(sent["detections"]["green"].as_f64().unwrap() > 0.35);
    let drawn = sent["result_image"].as_str().unwrap().strip_prefix("images/").unwrap();
    assert_eq!(dimensions(&service, &json!(drawn)).await, (1280, 720));

    let form = Form::new().file("image", "a.jpg", YUE).value("plate_type", "1");
    let sent = send(&service, PLATES, form).await.json;
    let result = &sent["results"][0];
    assert_eq!(result["plate_text"], "粤BD12345");
    let details = result["char_details"].as_array().unwrap();
    assert_eq!((details.len(), &details[0][0]), (8, &json!("粤")));
    assert_eq!(result["bbox"].as_array().unwrap().len(), 4);
    for kind in ["2", "abc", "-1"] {
        let form = Form::new().file("image", "a.jpg", YUE).value("plate_type", kind);
        assert_eq!(send(&service, PLATES, form).await.status, StatusCode::BAD_REQUEST, "{kind}");
    }
}

#[tokio::test]
async fn hostile_files_are_refused_at_once_and_by_name() {
    let service = start().await;
    let mut eleven_mb = JING.to_vec();
    eleven_mb.resize(11 * 1024 * 1024, 0);
    let begun = Instant::now();
    for (what, file, status) in [
        ("a decompression bomb", bomb(50_000, 50_000), 400),
        ("a bomb of one row", bomb(u32::MAX, 1), 400),
        ("no pixels", bomb(0, 10), 400),
        ("a PNG whose pixels are missing", bomb(640, 480), 400),
        ("half a JPEG", JING[..JING.len() / 2].to_vec(), 400),
        ("nothing", Vec::new(), 400),
        ("a text", b"this is no image".to_vec(), 400),
        ("a GIF", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), 400),
        ("11 MB", eleven_mb, 413),
    ] {
        let answer = upload(&service, "car_image.jpg", &file).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.json);
        assert!(answer.json["detail"].is_string(), "{what}: {}", answer.json);
        let answer = send(&service, DETECT, Form::new().file("file", "x.png", &file)).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.json);
        assert!(answer.json["error"].is_string() && answer.json["code"].is_string(), "{what}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(service.get("/api/sessions").await.json, json!([]));
    assert_eq!(upload(&service, "a.jpg", JING).await.json["plates_detected"], 1);
}

#[tokio::test]
async fn hostile_forms_are_refused() {
    let service = start().await;
    let many = (0..40).fold(Form::new(), |form, part| form.value(&format!("part{part}"), "x"));
    let long = Form::new().value("file", &"x".repeat(100_000));
    for (what, form, whole, statuses) in [
        ("no file", Form::new().value("other", "x"), true, [400, 422]),
        ("an empty form", Form::new(), true, [400, 422]),
        ("a form that breaks off", Form::new().file("file", "a.jpg", JING), false, [400, 422]),
        ("many parts", many, true, [400, 422]),
        ("a value as long as a file", long, true, [413, 413]),
    ] {
        let request = form.sent(service.request(Method::POST, UPLOAD), whole);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert!(statuses.contains(&answer.status.as_u16()), "{what}: {}", answer.status);
        assert!(!answer.json["detail"].is_null(), "{what}: {}", answer.json);
    }
    for content_type in ["multipart/form-data", "application/json", "image/jpeg"] {
        let request = service.request(Method::POST, UPLOAD).header("content-type", content_type);
        let answer = Answer::of(request.body(JING.to_vec()).send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
    }
}

#[tokio::test]
async fn only_operators_and_callers_at_this_machine_send_pictures() {
    let service = start().await;
    let visitor = service.token(Role::Visitor).await;
    for (path, part) in [(UPLOAD, "file"), (DETECT, "file"), (PLATES, "image")] {
        let form = || Form::new().file(part, "a.jpg", EMPTY);
        let from = |name: &'static str, value: String| {
            form().sent(service.request(Method::POST, path).header(name, value), true)
        };
        for (request, status) in [
            (from("authorization", format!("Token {visitor}")), 403),
            (from("x-forwarded-for", "203.0.113.7".to_owned()), 401),
        ] {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{path}");
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_into_the_queue_is_told_to_come_again() {
    let recognition = Recognition { threads: 1, queue: 1, ..Recognition::default() };
    let service = start_with(Config { recognition, ..Config::default() }).await;
    upload(&service, "first.jpg", EMPTY).await;
    let answers = join_all((0..12).map(|_| upload(&service, "a.jpg", EMPTY))).await;
    let with = |status: u16| answers.iter().filter(move |a| a.status.as_u16() == status);
    assert_eq!(with(200).count() + with(503).count(), answers.len());
    assert!(with(200).count() >= 2, "{}", with(200).count());
    let refused = with(503).next().expect("twelve at a time are too many");
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(refused.json["detail"].is_string());
    assert_eq!(upload(&service, "a.jpg", EMPTY).await.status, StatusCode::OK);
}

#[tokio::test]
async fn detections_have_a_limit_of_their_own() {
    let limits = Limits { detections_per_minute: 2, ..Limits::default() };
    let service = start_with(Config { limits, ..Config::default() }).await;
    for status in [400, 400, 429] {
        let answer = upload(&service, "a.jpg", b"no picture").await;
        assert_eq!(answer.status.as_u16(), status);
    }
    assert_eq!(service.get("/api/plates").await.status, StatusCode::OK);
}

#[tokio::test]
async fn settings_are_used_from_the_next_picture_on() {
    let service = start().await;
    let admin = service.token(Role::Admin).await;
    let path = "/hzsystem_yolo/model/settings/";
    let own = service.call(&admin, Method::GET, path).await.json;
    let change = |body: Value| {
        let request = service.request(Method::POST, path).json(&body);
        request.header("authorization", format!("Token {admin}"))
    };
    let strict = json!({"confidence_threshold": 0.999, "max_detections": 50});
    let changed = Answer::of(change(strict).send().await.unwrap()).await.json;
    assert_eq!((&changed["success"], &changed["max_detections"]), (&json!(true), &json!(50)));
    assert_eq!(upload(&service, "a.jpg", JING).await.json["plates_detected"], 0);
    let info = service.call(&admin, Method::GET, "/hzsystem_yolo/model/info/").await.json;
    assert_eq!(info["current_confidence_threshold"], 0.999);
    assert_eq!(info["input_size"], json!([512, 320]));
    let classes = ["car", "motorcycle", "bus", "truck", "license_plate", "blue", "green"];
    assert_eq!(info["classes"], json!(classes));

    let again = json!({"confidence_threshold": own["confidence_threshold"]});
    change(again).send().await.unwrap();
    assert_eq!(upload(&service, "a.jpg", JING).await.json["plates_detected"], 1);
    let performance = "/hzsystem_yolo/model/performance/";
    let performance = service.call(&admin, Method::GET, performance).await.json;
    assert_eq!(performance["overall_performance"][0]["vehicle_type"], "car");
    assert_eq!(performance["total_detections_24h"], 1);
    for bad in [
        json!({"confidence_threshold": 1.5}),
        json!({"iou_threshold": "high"}),
        json!({"max_detections": 0}),
        json!({"max_detections": 2.5}),
        json!({"enable_vehicle_tracking": "perhaps"}),
    ] {
        let answer = change(bad.clone()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn a_car_that_is_seen_on_a_spot_stands_there() {
    let service = start().await;
    let admin = service.token(Role::Admin).await;
    let spot = new_spot(&service, &admin, "A001").await;
    let form = |id: &str| Form::new().file("file", "a.jpg", JING).value("parking_spot_id", id);
    let sent = send(&service, DETECT, form(&spot.to_string())).await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.json);
    let path = format!("/hzsystem_parking/parking/spots/{spot}/");
    let shown = service.call(&admin, Method::GET, &path).await.json;
    assert_eq!(
        (&shown["status"], &shown["license_plate"]),
        (&json!("occupied"), &json!("京A12345"))
    );
    let records = format!("/hzsystem_parking/detection/records/?spot_id={spot}");
    let records = service.call(&admin, Method::GET, &records).await.json;
    assert_eq!(records["pagination"]["total_count"], 1);
    assert_eq!(records["records"][0]["detection_type"], "vehicle_enter");
    // Seen again it is the same car; and what another picture says does not drive it out.
    send(&service, DETECT, form(&spot.to_string())).await;
    let other = Form::new().file("file", "b.jpg", YUE).value("parking_spot_id", &spot.to_string());
    send(&service, DETECT, other).await;
    let shown = service.call(&admin, Method::GET, &path).await.json;
    assert_eq!(shown["license_plate"], "京A12345");
    let dashboard = service.call(&admin, Method::GET, "/hzsystem_parking/dashboard/").await.json;
    assert_eq!(dashboard["active_sessions"], 1);
    for (id, status) in [("99999999", 404), ("abc", 400)] {
        assert_eq!(send(&service, DETECT, form(id)).await.status.as_u16(), status, "{id}");
    }
}

/// Makes a spot; its number.
pub(crate) async fn new_spot(service: &Service, admin: &str, number: &str) -> i64 {
    let request = service.request(Method::POST, "/hzsystem_parking/parking/spots/");
    let request = request.header("authorization", format!("Token {admin}"));
    let body = json!({"number": number, "area_id": 1, "spot_type": "standard"});
    let made = Answer::of(request.json(&body).send().await.unwrap()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
    let found = [&made.json["id"], &made.json["spot"]["id"]];
    found.into_iter().find_map(Value::as_i64).expect("a spot has a number")
}
