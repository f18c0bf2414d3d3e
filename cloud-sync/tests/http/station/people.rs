//! Who calls: an admin, drivers who register, and a controller with its key.

use cloud_core::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::service::{Answer, Service};

/// Somebody with a header that says who it is.
#[derive(Clone)]
pub(crate) struct Person {
    header: (&'static str, String),
    pub(crate) id: i64,
    pub(crate) phone: String,
}

impl Person {
    pub(crate) fn nobody() -> Self {
        Self { header: ("x-nobody", String::new()), id: 0, phone: String::new() }
    }

    pub(crate) fn with_key(key: &str) -> Self {
        Self { header: ("x-api-key", key.to_owned()), ..Self::nobody() }
    }

    pub(crate) fn with_token(token: &str) -> Self {
        Self { header: ("authorization", format!("Token {token}")), ..Self::nobody() }
    }

    pub(crate) async fn admin(service: &Service) -> Self {
        Self::with_token(&service.token(Role::Admin).await)
    }

    /// A driver who registers, as the document's first example does.
    pub(crate) async fn register(service: &Service, number: u32) -> Self {
        let phone = format!("139001390{number:02}");
        let body = json!({"username": format!("testuser{number}"), "phone": phone,
                          "password": "test123456", "password2": "test123456"});
        let answer = Self::nobody().post(service, "/api/auth/register/", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
        let access = answer.json["data"]["access"].as_str().unwrap();
        let id = answer.json["data"]["user"]["id"].as_i64().unwrap();
        Self { header: ("authorization", format!("Bearer {access}")), id, phone }
    }

    pub(crate) async fn get(&self, service: &Service, path: &str) -> Answer {
        self.call(service, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, service: &Service, path: &str, body: Value) -> Answer {
        self.call(service, Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, service: &Service, path: &str, body: Value) -> Answer {
        self.call(service, Method::PUT, path, Some(body)).await
    }

    /// As [`Person::post`], with an `Idempotency-Key`.
    pub(crate) async fn once(
        &self,
        service: &Service,
        key: &str,
        path: &str,
        body: &Value,
    ) -> Answer {
        let request = service.request(Method::POST, path).header(self.header.0, &self.header.1);
        let request = request.header("idempotency-key", key).json(body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// As [`Person::post`], for what has to succeed; returns `data`.
    pub(crate) async fn does(&self, service: &Service, path: &str, body: Value) -> Value {
        let answer = self.post(service, path, body).await;
        assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.json);
        assert_eq!(answer.json["code"], 0, "{path}");
        answer.json["data"].clone()
    }

    /// As [`Person::get`], for what has to succeed; returns `data`.
    pub(crate) async fn sees(&self, service: &Service, path: &str) -> Value {
        let answer = self.get(service, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.json);
        assert_eq!(answer.json["code"], 0, "{path}");
        answer.json["data"].clone()
    }

    async fn call(
        &self,
        service: &Service,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = service.request(method, path).header(self.header.0, &self.header.1);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await.unwrap()).await
    }
}

/// A station as an admin sets it up: a controller, and the cabinets A001 and A002 at 2.00.
pub(crate) struct Station {
    pub(crate) admin: Person,
    pub(crate) controller: Person,
}

impl Station {
    pub(crate) async fn set_up(service: &Service) -> Self {
        let admin = Person::admin(service).await;
        let device = json!({"device_id": "ESP32_001", "station": "火车站"});
        let made = admin.does(service, "/api/admin/devices/", device).await;
        let controller = Person::with_key(made["api_key"].as_str().unwrap());
        for cabinet in ["A001", "A002"] {
            let body = json!({"cabinet_id": cabinet, "size": "small", "location": "站厅东侧",
                              "station": "火车站", "price_per_hour": "2.00"});
            admin.does(service, "/api/cabinets/create/", body).await;
        }
        Self { admin, controller }
    }

    pub(crate) async fn top_up(&self, service: &Service, driver: &Person, amount: &str) {
        let path = format!("/api/admin/users/{}/balance/", driver.id);
        self.admin.does(service, &path, json!({"amount": amount, "note": "现金"})).await;
    }

    pub(crate) async fn report(&self, service: &Service, cabinet: &str, is_closed: bool) {
        let body = json!({"cabinet_status": {cabinet: is_closed}, "battery_level": 80});
        let answer = self.controller.post(service, "/api/devices/status/", body).await;
        assert_eq!(answer.json, json!({"code": 0, "message": "状态更新成功"}));
    }
}
