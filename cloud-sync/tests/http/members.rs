//! The users' part of the hz face: what one prefers, and whether one is a member.

use cloud_core::Role;
use cloud_sync::config::{Config, Sites};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::service::{Answer, Service, start, start_with};

const PREFERENCE: &str = "/hzadmin_api/parking-preference/";
const MEMBERSHIP: &str = "/hzadmin_api/membership/";

async fn post(service: &Service, token: &str, path: &str, body: Value) -> Answer {
    let request = service.request(Method::POST, path);
    let request = request.header("authorization", format!("Token {token}")).json(&body);
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_preference_is_kept_and_shown_with_the_areas_to_choose_from() {
    let service = start().await;
    let token = service.token(Role::Visitor).await;
    let empty = service.call(&token, Method::GET, PREFERENCE).await.json;
    assert_eq!((&empty["code"], &empty["message"]), (&json!(200), &json!("获取成功")));
    assert_eq!(empty["data"]["license_plate"], Value::Null);
    assert_eq!(empty["data"]["available_areas"][0]["name"], "北门");

    let wish = json!({"license_plate": "京A·12345", "preferred_area": "北门", "auto_assign": true});
    let kept = post(&service, &token, PREFERENCE, wish).await;
    assert_eq!((kept.status, &kept.json["message"]), (StatusCode::OK, &json!("设置成功")));
    post(&service, &token, MEMBERSHIP, json!({"is_member": true})).await;
    let shown = service.call(&token, Method::GET, PREFERENCE).await.json;
    let data = &shown["data"];
    assert_eq!((&data["license_plate"], &data["is_member"]), (&json!("京A·12345"), &json!(true)));
    let since = data["member_since"].as_str().unwrap();
    assert!(since.len() == "2025-08-14T10:01:07.984280".len() && !since.ends_with('Z'), "{since}");
    let left = post(&service, &token, MEMBERSHIP, json!({"is_member": false})).await.json;
    assert_eq!(
        left["data"],
        json!({"is_member": false, "member_since": null,
                                    "license_plate": "京A·12345"})
    );
}

#[tokio::test]
async fn what_cannot_be_kept_is_named_in_the_parts_own_form() {
    let service = start().await;
    let token = service.token(Role::Visitor).await;
    for (path, body, field) in [
        (PREFERENCE, json!({"preferred_area": "Z区"}), "preferred_area"),
        (PREFERENCE, json!({"license_plate": "x".repeat(21)}), "license_plate"),
        (PREFERENCE, json!({"auto_assign": "perhaps"}), "auto_assign"),
        (MEMBERSHIP, json!({}), "is_member"),
    ] {
        let answer = post(&service, &token, path, body).await;
        assert_eq!((answer.status.as_u16(), &answer.json["code"]), (400, &json!(400)), "{field}");
        assert!(answer.json["data"][field].is_string(), "{}", answer.json);
    }
    let nobody = service.get(MEMBERSHIP).await;
    assert_eq!((nobody.status.as_u16(), &nobody.json["code"]), (401, &json!(401)));
}

#[tokio::test]
async fn members_are_made_by_others_where_the_settings_say_so() {
    let sites = Sites { membership_self_service: false, ..Sites::default() };
    let service = start_with(Config { sites, ..Config::default() }).await;
    let token = service.token(Role::Visitor).await;
    let answer = post(&service, &token, MEMBERSHIP, json!({"is_member": true})).await;
    assert_eq!((answer.status.as_u16(), &answer.json["code"]), (403, &json!(403)));
}
