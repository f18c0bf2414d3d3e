//! The channel `/ws/system/`: for callers with credentials, which a page may give as `?token=` or
//! among the protocols.

use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde_json::json;
use tokio::sync::watch;
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderValue, header},
    reply::Response,
    ws::{Message, WebSocket, Ws},
};

use super::SystemStatus;
use crate::http::{CHANNEL_PROTOCOL, Problem, Request, Requests, limit::Class};

/// The close code for an end that is going away (RFC 6455, 7.4.1).
pub(super) const GOING_AWAY: u16 = 1001;
/// Watchers send nothing but pongs and a close.
const MAX_MESSAGE_BYTES: usize = 4096;

/// The route under `/ws`.
pub(super) fn route(requests: &Requests) -> BoxedFilter<(Result<Response, Problem>,)> {
    let system = warp::path!("system").and(warp::get()).and(requests.clone()).and(warp::ws());
    system.then(open).boxed()
}

async fn open(request: Request, upgrade: Ws) -> Result<Response, Problem> {
    request.channel_caller(Class::Query).await?;
    let by_protocol = request.protocol_key().is_some();
    let (status, stopping) = (request.app.status.clone(), request.app.stopping.clone());
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    let upgraded = upgrade.on_upgrade(move |socket| async move {
        if let Err(error) = push(socket, status, stopping).await {
            tracing::debug!(%error, "a watcher went away");
        }
    });
    let mut response = upgraded.into_response();
    if by_protocol {
        let chosen = HeaderValue::from_static(CHANNEL_PROTOCOL);
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
    }
    Ok(response)
}

async fn push(
    socket: WebSocket,
    mut status: watch::Receiver<SystemStatus>,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), warp::Error> {
    let (mut out, mut incoming) = socket.split();
    status.mark_changed();
    loop {
        tokio::select! {
            changed = status.changed() => {
                if changed.is_err() {
                    return close(out).await;
                }
                let text = message(&status.borrow_and_update());
                out.send(text).await?;
            }
            () = stopped(&mut stopping) => return close(out).await,
            received = incoming.next() => match received {
                Some(message) if !message.as_ref().is_ok_and(Message::is_close) => drop(message?),
                _ => return Ok(()),
            }
        }
    }
}

pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

async fn close(mut out: SplitSink<WebSocket, Message>) -> Result<(), warp::Error> {
    out.send(Message::close_with(GOING_AWAY, "stopping")).await
}

fn message(status: &SystemStatus) -> Message {
    Message::text(json!({"type": "system_status", "data": status}).to_string())
}
