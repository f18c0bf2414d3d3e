//! What browsers and probes see.

use reqwest::{Method, StatusCode};

use super::service::start;

#[tokio::test]
async fn the_page_is_served_whole_and_can_load_nothing_from_elsewhere() {
    let service = start().await;
    let page = service.request(Method::GET, "/").send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(
        page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'")
    );
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert!(page.text().await.unwrap().contains("Newest plates"));
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
