//! The listener and its few paths, in the form that the station document gives them.

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::ids::{CommandId, DeviceId};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot},
    time::{sleep, timeout},
};
use uuid::Uuid;

use super::{
    Lan,
    board::{Answered, Waiting},
};
use crate::controller::locker::{Denial, MAX_CODE};

const MOST_CONNECTIONS: usize = 256;
/// Most connections of one address: a board that keeps them all leaves some to the others.
const MOST_OF_ONE: usize = 8;
const MAX_BODY_BYTES: usize = 4_096;
/// Longest time for a request to arrive, also on a connection that is kept open.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);
/// Longest wait for what comes of a code.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Pause after the system refused a connection, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Answer = Result<Value, (StatusCode, &'static str)>;

/// Serves the device API until it is dropped.
pub async fn serve(listener: TcpListener, lan: Arc<Lan>) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let guests = Guests::default();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (stream, peer) = match listener.accept().await {
            Ok((stream, peer)) => (stream, peer.ip()),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(guest) = guests.enter(peer) else { continue };
        let lan = Arc::clone(&lan);
        tokio::spawn(async move {
            converse(stream, lan).await;
            drop((guest, place));
        });
    }
}

async fn converse(stream: TcpStream, lan: Arc<Lan>) {
    let serve = service_fn(move |request| {
        let lan = Arc::clone(&lan);
        async move { Ok::<_, Infallible>(respond(&lan, request).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(ARRIVES_WITHIN);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), serve).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// How many connections each address has.
#[derive(Clone, Default)]
struct Guests(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One of them.
struct Guest(Guests, IpAddr);

impl Guests {
    fn enter(&self, peer: IpAddr) -> Option<Guest> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(peer).or_default();
        if *count >= MOST_OF_ONE {
            return None;
        }
        *count += 1;
        Some(Guest(self.clone(), peer))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut all = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.1);
            }
        }
    }
}

async fn respond(lan: &Lan, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, body) = match answer(lan, request).await {
        Ok(body) => (StatusCode::OK, body),
        Err((status, message)) => (status, json!({"code": status.as_u16(), "message": message})),
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

async fn answer(lan: &Lan, request: Request<Incoming>) -> Answer {
    let key = request.headers().get("x-api-key").and_then(|key| key.to_str().ok());
    let key = key.ok_or((StatusCode::UNAUTHORIZED, "认证凭据未提供"))?;
    let device = lan.by_key(key).ok_or((StatusCode::UNAUTHORIZED, "无效的API密钥"))?;
    let has_room = lan.with(&device, |board, now, out| board.hears(now, out)).await;
    if has_room != Some(true) {
        return Err((StatusCode::TOO_MANY_REQUESTS, "请求过于频繁，请稍后再试"));
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let levels: Vec<_> = path.trim_matches('/').split('/').collect();
    match (&method, &levels[..]) {
        (&Method::POST, ["api", "devices", "heartbeat"]) => {
            body::<Heartbeat>(request).await?;
            Ok(said("心跳接收成功", json!({"device_id": device, "status": "online"})))
        }
        (&Method::POST, ["api", "devices", "status"]) => {
            let Status { cabinet_status, .. } = body(request).await?;
            lan.with(&device, |board, now, out| board.doors_are(&cabinet_status, now, out)).await;
            Ok(json!({"code": 0, "message": "状态更新成功"}))
        }
        (&Method::POST, ["api", "devices", "open", "by-code"]) => {
            enter(lan, &device, body(request).await?).await
        }
        (&Method::GET, ["api", "devices", id, "open"]) if *id == device.as_str() => {
            let next = lan.with(&device, |board, now, _| board.next(now)).await.flatten();
            Ok(match next {
                Some(waiting) => said("有待执行指令", command(&waiting)),
                None => said("无待执行指令", json!({"command": "none"})),
            })
        }
        (&Method::POST, ["api", "devices", id, "ack"]) if *id == device.as_str() => {
            let Acknowledged { command_id } = body(request).await?;
            let id = CommandId(command_id);
            let known = lan.with(&device, |board, now, out| board.acknowledge(id, now, out)).await;
            match known {
                Some(true) => Ok(json!({"code": 0, "message": "指令确认成功"})),
                _ => Err((StatusCode::NOT_FOUND, "开柜指令不存在")),
            }
        }
        (_, ["api", "devices", _, "open" | "ack"]) => Err((StatusCode::NOT_FOUND, "设备不存在")),
        _ => Err((StatusCode::NOT_FOUND, "接口不存在")),
    }
}

/// Somebody entered a code at the controller, which asks what comes of it.
async fn enter(lan: &Lan, device: &DeviceId, entered: Entered) -> Answer {
    let Entered { cabinet_id, pickup_code } = entered;
    if cabinet_id.len() + pickup_code.len() > MAX_CODE {
        return Err((StatusCode::BAD_REQUEST, "参数错误"));
    }
    let (sender, answered) = oneshot::channel();
    lan.with(device, |board, _, out| board.code(&cabinet_id, &pickup_code, sender, out)).await;
    match timeout(ANSWER_WITHIN, answered).await {
        Ok(Ok(Answered::Opens(waiting))) => Ok(said("开柜成功", command(&waiting))),
        Ok(Ok(Answered::Denied(why))) => Err((StatusCode::BAD_REQUEST, in_words(why))),
        _ => Err((StatusCode::SERVICE_UNAVAILABLE, "服务繁忙，请稍后再试")),
    }
}

fn in_words(why: Denial) -> &'static str {
    match why {
        Denial::WrongCode | Denial::Over => "无效的取件码或订单已过期",
        Denial::LockedOut => "取件码错误次数过多，请10分钟后再试",
        Denial::Unavailable => "柜门未能打开，请联系工作人员",
    }
}

fn said(message: &str, data: Value) -> Value {
    json!({"code": 0, "message": message, "data": data})
}

fn command(waiting: &Waiting) -> Value {
    let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, false);
    json!({
        "command": "open_cabinet",
        "command_id": waiting.id,
        "cabinet_id": waiting.name,
        "timestamp": written(waiting.given),
        "expires_at": written(waiting.expires),
    })
}

async fn body<T: DeserializeOwned>(
    request: Request<Incoming>,
) -> Result<T, (StatusCode, &'static str)> {
    let read = Limited::new(request.into_body(), MAX_BODY_BYTES).collect();
    let bytes = match timeout(ARRIVES_WITHIN, read).await {
        Ok(Ok(read)) => read.to_bytes(),
        Ok(Err(_)) => return Err((StatusCode::PAYLOAD_TOO_LARGE, "请求内容过大")),
        Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, "请求超时")),
    };
    serde_json::from_slice(&bytes).map_err(|_| (StatusCode::BAD_REQUEST, "参数错误"))
}

#[derive(Deserialize)]
struct Heartbeat {
    #[serde(rename = "battery_level", default)]
    _battery_level: Option<u8>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    cabinet_status: BTreeMap<String, bool>,
}

#[derive(Deserialize)]
struct Acknowledged {
    command_id: Uuid,
}

#[derive(Deserialize)]
struct Entered {
    cabinet_id: String,
    pickup_code: String,
}
