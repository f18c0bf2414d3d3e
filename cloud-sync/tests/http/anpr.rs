//! The anpr face, as its document has it.

use cloud_core::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::service::{Answer, picture, start};

#[tokio::test]
async fn a_plate_is_shown_as_documented_with_its_picture() {
    let mut service = start().await;
    service.car(1, "京A12345").await;
    let plates = service.get("/api/plates?skip=0&limit=20").await;
    let plate = &plates.json[0];
    let time = plate["timestamp"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.len() == "2025-05-19T12:34:56.789Z".len(), "{time}");
    let expected = json!({
        "id": 1, "plate_number": "京A12345", "confidence": 0.94, "timestamp": time,
        "image_path": plate["image_path"], "source_image_path": plate["image_path"],
        "position": {"x_min": 100, "y_min": 200, "x_max": 300, "y_max": 250},
        "processed_by": "local", "alternative_readings": null,
        "is_verified": false, "is_deleted": false, "detection_id": 1,
    });
    assert_eq!(*plate, expected);
    assert_eq!(service.get("/api/plates/1/").await.json, expected);

    let session = service.get("/api/sessions/1").await.json;
    assert_eq!(session["plates"], json!([expected]));
    assert_eq!(
        (&session["processing_time"], &session["total_plates_detected"]),
        (&json!(15.0), &json!(1))
    );

    let path = format!("/images/{}", plate["image_path"].as_str().unwrap());
    let image = service.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(image.headers()["content-type"], "image/jpeg");
    assert_eq!(image.bytes().await.unwrap(), picture(1));
}

#[tokio::test]
async fn filters_match_parts_and_bad_parameters_are_listed() {
    let mut service = start().await;
    service.car(1, "A123BC77").await;
    service.car(2, "京B99999").await;
    for query in ["plate_number=123b", "plate_number=а123вс", "verified=false&plate_number=77"] {
        let found = service.get(&format!("/api/plates?{query}")).await.json;
        assert_eq!(found.as_array().unwrap().len(), 1, "{query}");
    }
    assert_eq!(service.get("/api/search?query=%25").await.json, json!([]));
    assert_eq!(service.get("/api/plates?skip=1000000").await.json, json!([]));
    assert_eq!(service.get("/api/plates?limit=0").await.json.as_array().unwrap().len(), 1);
    for query in ["/api/plates?skip=abc", "/api/plates?verified=perhaps", "/api/search?limit=x"] {
        let answer = service.get(query).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(answer.json["detail"][0]["loc"][0], "query", "{query}");
    }
}

#[tokio::test]
async fn a_person_corrects_and_deletes() {
    let mut service = start().await;
    service.car(1, "京A12345").await;
    let change = json!({"plate_number": "京A12346", "is_verified": true});
    let put = service.request(Method::PUT, "/api/plates/1").json(&change);
    let corrected = Answer::of(put.send().await.unwrap()).await.json;
    assert_eq!(corrected["plate_number"], "京A12346");
    assert_eq!(
        (&corrected["is_verified"], &corrected["processed_by"]),
        (&json!(true), &json!("manual"))
    );
    let statistics = service.get("/api/statistics").await.json;
    assert_eq!(
        (&statistics["total_plates"], &statistics["verified_plates"]),
        (&json!(1), &json!(1))
    );

    let bad = service.request(Method::PUT, "/api/plates/1").body("{\"plate_number\": [\"A\"]}");
    assert_eq!(
        Answer::of(bad.send().await.unwrap()).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );

    let deleted = service.request(Method::DELETE, "/api/plates/1").send().await.unwrap();
    let deleted = Answer::of(deleted).await.json;
    assert_eq!(deleted, json!({"message": "Номер успешно удален", "id": 1}));
    let gone = service.get("/api/plates/1").await;
    assert_eq!(
        (gone.status, gone.json),
        (StatusCode::NOT_FOUND, json!({"detail": "Номер не найден"}))
    );
    assert_eq!(service.get("/api/search?query=A12346").await.json, json!([]));
}

#[tokio::test]
async fn callers_from_elsewhere_need_credentials_and_visitors_change_nothing() {
    let mut service = start().await;
    service.car(1, "京A12345").await;
    let visitor = service.token(Role::Visitor).await;
    let elsewhere = [
        ("x-forwarded-for", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7"),
        ("authorization", "Token nobody's"),
        ("origin", "http://evil.example.com"),
        ("host", "rebound.example.com"),
    ];
    for (name, value) in elsewhere {
        let request = service.request(Method::GET, "/api/plates").header(name, value);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}: {value}");
        assert!(answer.json["detail"].is_string());
    }
    assert_eq!(service.call(&visitor, Method::GET, "/api/plates").await.status, StatusCode::OK);
    for method in [Method::PUT, Method::DELETE] {
        // The role is judged before the body, and before the object.
        let answer = service.call(&visitor, method, "/api/plates/99").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn framework_errors_keep_the_familys_form() {
    let service = start().await;
    for (method, path, status) in [
        (Method::GET, "/api/plates/1/no-such-path", 404),
        (Method::GET, "/api/plates/abc", 404),
        (Method::GET, "/api/sessions/7", 404),
        (Method::PUT, "/api/statistics", 405),
        (Method::DELETE, "/api/sessions", 405),
        (Method::POST, "/no/such/path", 404),
    ] {
        let answer = service.request(method, path).send().await.unwrap();
        let answer = Answer::of(answer).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert!(answer.json["detail"].is_string(), "{path}: {}", answer.json);
    }
}
