//! How people come in: registering, logging in, staying in, logging out, as two documents have it.

use cloud_core::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::service::{Answer, Service, start};

const REGISTER: &str = "/api/auth/register/";
const LOGIN: &str = "/api/auth/login/";
const ME: &str = "/api/auth/me/";

async fn post(service: &Service, path: &str, body: Value) -> Answer {
    Answer::of(service.request(Method::POST, path).json(&body).send().await.unwrap()).await
}

async fn with(service: &Service, credentials: &str, method: Method, path: &str) -> Answer {
    let request = service.request(method, path).header("authorization", credentials);
    Answer::of(request.send().await.unwrap()).await
}

fn zhang() -> Value {
    json!({"username": "zhang", "phone": "13900139000", "password": "test123456",
           "password2": "test123456", "email": "zhang@example.com"})
}

fn text<'a>(answer: &'a Answer, key: &str) -> &'a str {
    answer.json["data"][key].as_str().unwrap()
}

#[tokio::test]
async fn somebody_registers_by_phone_and_stays_logged_in() {
    let service = start().await;
    let made = post(&service, REGISTER, zhang()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
    assert_eq!((&made.json["code"], &made.json["message"]), (&json!(0), &json!("注册成功")));
    let user = &made.json["data"]["user"];
    assert_eq!((&user["phone"], &user["balance"]), (&json!("13900139000"), &json!("0.00")));
    let created_at = user["created_at"].as_str().unwrap();
    assert!(created_at.ends_with("+08:00") && created_at.len() == 32, "{created_at}");

    let body = json!({"phone": "13900139000", "password": "test123456"});
    let entered = post(&service, LOGIN, body).await;
    let bearer = format!("Bearer {}", text(&entered, "access"));
    let me = with(&service, &bearer, Method::GET, ME).await;
    assert_eq!(me.json["data"]["username"], "zhang");

    let refresh = text(&entered, "refresh");
    let as_access = with(&service, &format!("Bearer {refresh}"), Method::GET, ME).await;
    assert_eq!(as_access.status, StatusCode::UNAUTHORIZED);
    let next = post(&service, "/api/auth/token/refresh/", json!({"refresh": refresh})).await;
    let bearer = format!("Bearer {}", next.json["access"].as_str().unwrap());
    assert_eq!(with(&service, &bearer, Method::GET, ME).await.status, StatusCode::OK);

    let id = user["id"].as_i64().unwrap();
    let own = with(&service, &bearer, Method::GET, &format!("/api/auth/{id}/")).await;
    assert_eq!(own.json["data"]["phone"], "13900139000");
    for hidden in [id + 1, 1 << 40] {
        let other = with(&service, &bearer, Method::GET, &format!("/api/auth/{hidden}/")).await;
        let told = (other.status, other.json["message"].as_str().unwrap());
        assert_eq!(told, (StatusCode::NOT_FOUND, "用户不存在"));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_named_by_field() {
    let service = start().await;
    assert_eq!(post(&service, REGISTER, zhang()).await.status, StatusCode::CREATED);
    let changed = |changes: &[(&str, Value)]| {
        let mut body = zhang();
        body["username"] = json!("li");
        body["phone"] = json!("13900139001");
        changes.iter().for_each(|(key, value)| body[*key] = value.clone());
        body
    };
    for (field, changes) in [
        ("username", &[("username", json!("zhang"))][..]),
        ("username", &[("username", json!("two words"))]),
        ("username", &[("username", json!(""))]),
        ("phone", &[("phone", json!("13900139000"))]),
        ("phone", &[("phone", json!("1390013900a"))]),
        ("password2", &[("password2", json!("test1234567"))]),
        ("password", &[("password", json!("short")), ("password2", json!("short"))]),
        ("password", &[("password", json!(123_456))]),
        ("email", &[("email", json!("nobody"))]),
    ] {
        let answer = post(&service, REGISTER, changed(changes)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{changes:?}: {}", answer.json);
        assert!(answer.json["errors"][field][0].is_string(), "{field}: {}", answer.json);
    }
}

#[tokio::test]
async fn a_wrong_password_does_not_log_a_page_out_and_guessing_ends() {
    let service = start().await;
    post(&service, REGISTER, zhang()).await;
    let guess = json!({"phone": "13900139000", "password": "not-this"});
    for _ in 0..10 {
        let answer = post(&service, LOGIN, guess.clone()).await;
        let told = (answer.status, answer.json["message"].as_str().unwrap());
        assert_eq!(told, (StatusCode::BAD_REQUEST, "手机号或密码错误"));
    }
    let answer = post(&service, LOGIN, guess).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=600).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_login_goes_through_whatever_stale_credentials_it_carries() {
    let service = start().await;
    post(&service, REGISTER, zhang()).await;
    let login = service
        .request(Method::POST, LOGIN)
        .header("authorization", "Bearer stale.stale.stale")
        .json(&json!({"phone": "13900139000", "password": "test123456"}));
    assert_eq!(login.send().await.unwrap().status(), StatusCode::OK);
    for credentials in ["Bearer a.b.c", "Token nobody", "Basic dTpw", "Bearer", ""] {
        let answer = with(&service, credentials, Method::GET, ME).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "`{credentials}`");
    }
}

#[tokio::test]
async fn a_driver_logs_in_by_name_and_out_again() {
    let service = start().await;
    let driver = json!({"username": "driver", "password": "test123456",
                        "email": "driver@example.com", "phone": "13900139002"});
    let made = post(&service, REGISTER, driver).await;
    assert_eq!((made.status, &made.json["success"]), (StatusCode::CREATED, &json!(true)));
    let login = json!({"username": "driver", "password": "test123456"});
    let entered = post(&service, LOGIN, login).await;
    let flags = (&entered.json["data"]["is_staff"], &entered.json["data"]["is_admin"]);
    assert_eq!(flags, (&json!(false), &json!(false)));
    let token = format!("Token {}", text(&entered, "token"));
    let update = service
        .request(Method::PUT, "/api/auth/profile/update/")
        .header("authorization", &token)
        .json(&json!({"phone": "13900139003"}));
    let updated = Answer::of(update.send().await.unwrap()).await;
    assert_eq!(updated.json["data"]["phone"], "13900139003");
    let by_phone = json!({"phone": "13900139003", "password": "test123456"});
    assert_eq!(post(&service, LOGIN, by_phone).await.status, StatusCode::OK, "one account");

    with(&service, &token, Method::POST, "/api/auth/logout/").await;
    let gone = with(&service, &token, Method::GET, "/api/auth/profile/").await;
    assert_eq!((gone.status.as_u16(), &gone.json["error"]["code"]), (401, &json!("AUTH_INVALID")));
    let never = service.get("/api/auth/profile/").await;
    assert_eq!(never.json["error"]["code"], "AUTH_REQUIRED");
    let wrong = json!({"username": "driver", "password": "not-this"});
    let wrong = post(&service, LOGIN, wrong).await;
    let told = (wrong.status.as_u16(), &wrong.json["error"]["code"]);
    assert_eq!(told, (401, &json!("AUTH_INVALID")));
}

#[tokio::test]
async fn only_an_admin_tops_a_balance_up_and_once_for_each_key() {
    let service = start().await;
    let made = post(&service, REGISTER, zhang()).await;
    let id = made.json["data"]["user"]["id"].as_i64().unwrap();
    let path = format!("/api/admin/users/{id}/balance/");
    let admin = service.token(Role::Admin).await;
    let top_up = |token: String, key: &'static str, body: Value| {
        let request = service.request(Method::POST, &path).header("authorization", token);
        request.header("idempotency-key", key).json(&body).send()
    };
    let body = json!({"amount": "12.34", "note": "现金"});
    let admin = format!("Token {admin}");
    for _ in 0..2 {
        let answer = Answer::of(top_up(admin.clone(), "1", body.clone()).await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        assert_eq!(answer.json["data"]["balance"], "12.34");
    }
    let own = format!("Bearer {}", text(&made, "access"));
    assert_eq!(top_up(own, "2", body).await.unwrap().status(), StatusCode::FORBIDDEN);
    for (number, amount) in
        [json!("-1"), json!("0"), json!("1.234"), json!(1e18), json!(null)].into_iter().enumerate()
    {
        let key = ["3", "4", "5", "6", "7"][number];
        let answer = top_up(admin.clone(), key, json!({"amount": amount})).await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{amount}");
    }
    let answer = with(&service, &admin, Method::GET, &path).await;
    assert_eq!(answer.json["data"]["entries"][0]["note"], "现金");
    assert_eq!(answer.json["data"]["entries"].as_array().unwrap().len(), 1);
}
