//! The interface for sites.

use cloud_sync::config::Config;
use domain::{
    directive::Ask,
    envelope::{MAX_BATCH_BYTES, Refusal},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::service::{Answer, entry, opened, picture, start, start_with};
use domain::event::Fact;

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_the_words_of_the_envelope() {
    let mut service = start().await;
    let good = service.batch(vec![Fact::Stopped]).build().unwrap();
    let body = good.body().unwrap().as_bytes().unwrap().to_vec();

    let unsigned = service.request(Method::POST, "/edge/v1/events").body(body.clone());
    let forged = service
        .request(Method::POST, "/edge/v1/events")
        .header("gatehouse-site", "north")
        .header("gatehouse-count", 1000)
        .header("gatehouse-signature", "00".repeat(64))
        .body(body);
    let no_batch = service.signed(Method::POST, "/edge/v1/events", b"{}".to_vec());
    for (request, status) in [
        (unsigned, StatusCode::UNAUTHORIZED),
        (forged, StatusCode::UNAUTHORIZED),
        (no_batch, StatusCode::BAD_REQUEST),
    ] {
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, status);
        serde_json::from_value::<Refusal>(answer.json).unwrap();
    }
    // The event was not sent: what follows it is out of order.
    let gap = Answer::of(service.batch(vec![Fact::Stopped]).send().await.unwrap()).await;
    assert_eq!(gap.status, StatusCode::CONFLICT);
    assert_eq!(gap.json, serde_json::json!({"error": "out_of_order", "expected": 1}));
}

#[tokio::test]
async fn bodies_are_bounded_also_when_they_do_not_say_their_length() {
    let service = start().await;
    let large = vec![b' '; MAX_BATCH_BYTES + 1];
    let announced = service.signed(Method::POST, "/edge/v1/events", large.clone());
    let answer = Answer::of(announced.send().await.unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.json["error"]), (413, &Value::from("too_large")));
    let picture = service.put(large).send().await.unwrap();
    assert_eq!(picture.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_picture_that_no_event_named_is_not_taken() {
    let service = start().await;
    let answer = service.put(picture(5)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_site_asks_for_directives_with_a_signed_and_counted_request() {
    let mut config = Config::default();
    config.http.request_timeout_s = 1;
    let service = start_with(config).await;
    let ask = |after, count| service.ask(Ask { after, list: None }, count);
    let nothing = Answer::of(ask(0, 1).send().await.unwrap()).await;
    assert_eq!((nothing.status, &nothing.json["directives"]), (StatusCode::OK, &json!([])));
    assert!(nothing.json["now"].is_string());

    for (after, count, refusal) in [
        (0, 1, json!({"error": "repeated", "expected": 2})),
        (7, 3, json!({"error": "ahead", "last": 0})),
    ] {
        let answer = Answer::of(ask(after, count).send().await.unwrap()).await;
        assert_eq!((answer.status, answer.json), (StatusCode::CONFLICT, refusal));
    }
    // Neither the query nor the number can be exchanged under a signature.
    let mut other = ask(0, 4).build().unwrap();
    other.headers_mut().insert("gatehouse-count", "5".parse().unwrap());
    let answer = Answer::of(reqwest::Client::new().execute(other).await.unwrap()).await;
    assert_eq!(answer.json, json!({"error": "unauthorised"}));
    let signed =
        || service.request(Method::GET, "/edge/v1/directives").header("gatehouse-site", "north");
    let uncounted = signed().header("gatehouse-signature", "00").send().await.unwrap();
    assert_eq!(Answer::of(uncounted).await.json["error"], "malformed");
    let unsigned = Answer::of(signed().send().await.unwrap()).await;
    assert_eq!(unsigned.json, json!({"error": "unauthorised"}));
}

#[tokio::test]
async fn codes_cannot_be_guessed_at_leisure() {
    let service = start().await;
    let guess =
        serde_json::json!({"code": "00000000-0000000000000000", "public_key": "00".repeat(32)});
    let mut statuses = Vec::new();
    for _ in 0..11 {
        let request = service.request(Method::POST, "/edge/v1/enrol").json(&guess);
        statuses.push(request.send().await.unwrap().status().as_u16());
    }
    assert!(statuses.contains(&401) && statuses.ends_with(&[429]), "{statuses:?}");
}

#[tokio::test]
async fn an_acknowledged_car_is_seen_at_once_by_every_face() {
    let mut service = start().await;
    let facts = vec![Fact::Decision(Box::new(entry(1, "京A12345"))), opened(1, "京A12345")];
    let answer = Answer::of(service.batch(facts).send().await.unwrap()).await;
    assert_eq!(answer.json, serde_json::json!({"acked_through": 2}));
    assert_eq!(service.get("/api/plates").await.json[0]["plate_number"], "京A12345");
    let overview = service.get("/console/v1/overview").await.json;
    assert_eq!(overview["sites"][0]["acked_through"], 2);
    assert_eq!(overview["sessions"][0]["plate"], "京A12345");
}
