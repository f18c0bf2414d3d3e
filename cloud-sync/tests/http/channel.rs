//! `/ws/system/`.

use cloud_core::Role;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::service::{Service, start};

type Channel = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(service: &Service, path: &str) -> Result<Channel, Error> {
    connect_async(format!("ws://{}{path}", service.address)).await.map(|(channel, _)| channel)
}

async fn next(channel: &mut Channel) -> Value {
    let message = channel.next().await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

#[tokio::test]
async fn a_change_is_told_at_once() {
    let mut service = start().await;
    let token = service.token(Role::Visitor).await;
    let mut channel = connect(&service, &format!("/ws/system/?token={token}")).await.unwrap();
    let first = next(&mut channel).await;
    assert_eq!(
        (&first["type"], &first["data"]["active_sessions"]),
        (&"system_status".into(), &0.into())
    );
    service.car(1, "京A12345").await;
    loop {
        let told = next(&mut channel).await;
        if told["data"]["active_sessions"] == 1 {
            assert!(
                told["data"]["cpu_usage"].is_number() && told["data"]["memory_usage"].is_number()
            );
            assert!(told["data"]["timestamp"].as_str().unwrap().ends_with('Z'));
            break;
        }
    }
    service.stop().await;
    let last = channel.filter_map(async |message| message.ok()).collect::<Vec<_>>().await;
    assert!(matches!(last.last(), Some(Message::Close(Some(_)))), "{last:?}");
}

#[tokio::test]
async fn nobody_listens_without_credentials() {
    let service = start().await;
    for path in ["/ws/system/", "/ws/system/?token=no.such.token"] {
        match connect(&service, path).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status().as_u16(), 401, "{path}"),
            other => panic!("{path}: {:?}", other.map(drop)),
        }
    }
}

#[tokio::test]
async fn a_page_gives_its_token_among_the_protocols() {
    let service = start().await;
    let token = service.token(Role::Visitor).await;
    for (offered, is_good) in [
        (format!("gatehouse, token.{token}"), true),
        (format!("token.{token}"), false),
        ("gatehouse, token.wrong".to_owned(), false),
        ("gatehouse".to_owned(), false),
    ] {
        let url = format!("ws://{}/ws/system/", service.address);
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
        let answer = connect_async(request).await;
        assert_eq!(answer.is_ok(), is_good, "{offered}");
        if let Ok((_, answer)) = answer {
            assert_eq!(answer.headers()["sec-websocket-protocol"], "gatehouse");
        }
    }
}
