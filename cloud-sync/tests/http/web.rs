//! What browsers and probes see.

use cloud_core::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::service::{Answer, start};

#[tokio::test]
async fn the_page_is_served_whole_and_can_load_nothing_from_elsewhere() {
    let service = start().await;
    let page = service.request(Method::GET, "/").send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert!(page.text().await.unwrap().contains("Newest plates"));
}

#[tokio::test]
async fn somebody_signs_in_at_the_page_with_a_name_and_a_password() {
    let service = start().await;
    service.token_of("chief", Role::Admin).await;
    let sign_in = async |password: &str| {
        let body = json!({"username": "chief", "password": password});
        let request = service.request(Method::POST, "/console/v1/sign-in").json(&body);
        Answer::of(request.send().await.unwrap()).await
    };
    let wrong = sign_in("not the secret").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(wrong.json["detail"], "the name or the password is wrong");
    let right = sign_in("secret-1").await.json;
    assert_eq!((&right["username"], &right["role"]), (&json!("chief"), &json!("admin")));
    let credentials = format!("Bearer {}", right["token"].as_str().unwrap());
    let tariffs = service.request(Method::GET, "/console/v1/tariffs");
    let tariffs = tariffs.header("authorization", credentials).send().await.unwrap();
    assert_eq!(tariffs.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_plate_is_found_with_where_it_was_and_what_it_did() {
    let mut service = start().await;
    service.car(1, "京A12345").await;
    let found = service.get("/console/v1/plates?plate=a%C2%B7123").await.json;
    let plate = &found["plates"][0];
    assert_eq!((&found["total"], &plate["plate"]), (&json!(1), &json!("京A12345")), "{found}");
    assert_eq!((&plate["lane"], &plate["movement"]), (&json!("entry"), &json!("entered")));
    assert_eq!(service.get("/console/v1/plates?plate=B999").await.json["total"], 0);
}

#[tokio::test]
async fn pages_of_this_machine_may_call_and_others_may_not() {
    let service = start().await;
    let preflight = async |origin: &'static str| {
        let request = service
            .request(Method::OPTIONS, "/hzsystem_parking/dashboard/")
            .header("origin", origin)
            .header("access-control-request-method", "GET");
        let answer = request.send().await.unwrap();
        (answer.status(), answer.headers().get("access-control-allow-origin").cloned())
    };
    let (status, allowed) = preflight("http://localhost:3000").await;
    assert_eq!(
        (status, allowed.unwrap()),
        (StatusCode::NO_CONTENT, "http://localhost:3000".parse().unwrap())
    );
    assert_eq!(preflight("https://evil.example.com").await.1, None);
}

#[tokio::test]
async fn probes_say_that_the_service_lives_and_can_write() {
    let service = start().await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(service.get(path).await.status, StatusCode::OK);
    }
}
