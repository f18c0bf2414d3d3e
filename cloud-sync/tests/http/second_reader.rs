//! The second reader, against a counterpart on this machine that speaks the Messages API.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use cloud_sync::config::{ApiKey, Config, SecondReader};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use super::{
    pictures::{Form, JING},
    service::{Answer, Service, start_with},
};

const KEY: &str = "sk-ant-test-secret";

/// What the counterpart does.
#[derive(Clone)]
enum Behaviour {
    Says(&'static str),
    Fails(u16),
    Redirects,
    Sleeps,
    Babbles,
}

/// The counterpart: what it was asked, head and body.
struct Counterpart {
    address: String,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Counterpart {
    async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, behaviour.clone(), heard.clone()));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

async fn answer(
    mut stream: TcpStream,
    behaviour: Behaviour,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
) -> std::io::Result<()> {
    let (head, body) = request(&mut stream).await?;
    asked.lock().unwrap().push((head, serde_json::from_slice(&body).unwrap_or_default()));
    let message = |text: &str| json!({"content": [{"type": "text", "text": text}]}).to_string();
    let (status, extra, body) = match behaviour {
        Behaviour::Says(text) => (200, "", message(text)),
        Behaviour::Fails(status) => (status, "", "{}".to_owned()),
        Behaviour::Redirects => (307, "location: http://127.0.0.1:9/\r\n", String::new()),
        Behaviour::Sleeps => {
            sleep(Duration::from_secs(60)).await;
            return Ok(());
        }
        Behaviour::Babbles => (200, "", message(&"x".repeat(1_000_000))),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{extra}content-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}

/// Reads a request with a `Content-Length`.
async fn request(stream: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            if bytes.len() >= end + 4 + length {
                return Ok((head, bytes[end + 4..].to_vec()));
            }
        }
        let mut part = [0; 65536];
        match stream.read(&mut part).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&part[..count]),
        }
    }
}

/// A service that asks the counterpart about everything.
async fn service(endpoint: &str, change: impl FnOnce(&mut SecondReader)) -> Service {
    let mut second_reader = SecondReader {
        endpoint: format!("http://{endpoint}/v1/messages"),
        below: 1.0,
        key: Some(ApiKey::new(KEY).unwrap()),
        ..SecondReader::default()
    };
    change(&mut second_reader);
    start_with(Config { second_reader, ..Config::default() }).await
}

/// The plate of the car that is sent.
async fn plate(service: &Service) -> Value {
    let form = Form::new().file("file", "a.jpg", JING);
    let request = form.sent(service.request(Method::POST, "/api/upload"), true);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    answer.json["plates"][0].clone()
}

#[tokio::test]
async fn it_sees_the_plate_alone_and_its_answer_is_kept_beside_the_first() {
    let says = Behaviour::Says(r#"{"plate": "京A·12346", "confidence": 0.9}"#);
    let counterpart = Counterpart::start(says).await;
    let service = service(&counterpart.address, |_| {}).await;
    let read = plate(&service).await;
    assert_eq!(read["plate_number"], "京A12346");
    assert_eq!(read["processed_by"], "claude");
    assert_eq!(read["alternative_readings"], "京A12346/京A12345");
    assert_eq!(service.get("/api/search?query=A12346").await.json, json!([read]));

    let asked = counterpart.asked.lock().unwrap();
    let (head, body) = &asked[0];
    assert!(head.starts_with("post /v1/messages ") && head.contains("anthropic-version: "));
    assert!(head.contains(&format!("x-api-key: {KEY}")), "{head}");
    let picture = &body["messages"][0]["content"][0]["source"];
    assert_eq!(picture["media_type"], "image/jpeg");
    let picture = BASE64_STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
    let picture = image::load_from_memory(&picture).unwrap();
    assert!(picture.width() < 300 && picture.height() < 120);
}

#[tokio::test]
async fn whatever_goes_wrong_with_it_leaves_the_first_reading() {
    for behaviour in [
        Behaviour::Fails(401),
        Behaviour::Fails(529),
        Behaviour::Redirects,
        Behaviour::Babbles,
        Behaviour::Says("I cannot help with that."),
        Behaviour::Says(r#"{"plate": "open the gate for everybody", "confidence": 1}"#),
        Behaviour::Says(r#"{"plate": null}"#),
    ] {
        let counterpart = Counterpart::start(behaviour).await;
        let service = service(&counterpart.address, |_| {}).await;
        let read = plate(&service).await;
        assert_eq!(
            (&read["plate_number"], &read["processed_by"]),
            (&json!("京A12345"), &json!("local"))
        );
        assert_eq!(counterpart.asked(), 1);
    }
    let nobody = service("127.0.0.1:1", |_| {}).await;
    assert_eq!(plate(&nobody).await["processed_by"], "local");
}

#[tokio::test]
async fn it_is_not_waited_for_longer_than_is_set() {
    let counterpart = Counterpart::start(Behaviour::Sleeps).await;
    let service = service(&counterpart.address, |second| second.time_limit_s = 1).await;
    let begun = Instant::now();
    assert_eq!(plate(&service).await["processed_by"], "local");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn it_is_asked_no_more_than_the_budget_allows_and_not_at_all_without_a_key() {
    let says = Behaviour::Says(r#"{"plate": "京A12345", "confidence": 0.99}"#);
    let counterpart = Counterpart::start(says.clone()).await;
    let thrifty = service(&counterpart.address, |second| second.daily_budget = 2).await;
    let mut readers = Vec::new();
    for _ in 0..4 {
        readers.push(plate(&thrifty).await["processed_by"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        (readers, counterpart.asked()),
        (["claude", "claude", "local", "local"].map(String::from).to_vec(), 2)
    );

    let counterpart = Counterpart::start(says).await;
    let without = service(&counterpart.address, |second| second.key = None).await;
    assert_eq!(plate(&without).await["processed_by"], "local");
    let sure = service(&counterpart.address, |second| second.below = 0.0).await;
    assert_eq!(plate(&sure).await["processed_by"], "local");
    assert_eq!(counterpart.asked(), 0);
}
