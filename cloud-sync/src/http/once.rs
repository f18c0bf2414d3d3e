//! `Idempotency-Key`: a request with one is done at most once, and its answer is given again to
//! whoever repeats it.

use std::sync::Arc;

use bytes::Bytes;
use cloud_core::{Begun, Error, Kept, OnceKey};
use http_body_util::BodyExt;
use warp::{
    http::{HeaderValue, StatusCode, header},
    reply::Response,
};

use super::{Problem, Request, body::MAX_BYTES, route::Answer};
use crate::app::App;

const HEADER: &str = "idempotency-key";

/// The key of a request to `route` by `owner`, where it has one. It stands for everything that was
/// asked: the values of the path, the query and the body.
pub(super) async fn key(
    request: &mut Request,
    route: &str,
    owner: Option<String>,
) -> Result<Option<OnceKey>, Problem> {
    let Some(key) = request.headers.get(HEADER).cloned() else { return Ok(None) };
    let key = key.to_str().unwrap_or_default();
    let owner = owner.unwrap_or_else(|| format!("address {}", request.peer));
    let body = request.peek(MAX_BYTES).await?;
    let asked = request.asked();
    Ok(Some(OnceKey::new(format!("{owner}: {route}"), key, &[asked.as_bytes(), &body])?))
}

/// Does `work` where the request is the first with its key, else tells what became of the first.
pub(super) async fn answer(
    app: Arc<App>,
    key: OnceKey,
    work: impl Future<Output = Answer<Response>> + Send + 'static,
) -> Answer<Response> {
    match app.cloud.once.begin(&key).await? {
        Begun::New => {}
        Begun::Done(kept) => return Ok(again(kept)),
        Begun::Mismatch => {
            return Err(refused("was used for another request; use a new key for this one"));
        }
        Begun::Unanswered => {
            return Err(refused(
                "belongs to a request that has no answer yet, and may have been carried out or \
                 not; read the state of what it was about before asking again with a new key",
            ));
        }
    }
    // It goes on when the caller hangs up, so that the one who asks again gets its answer.
    let done = tokio::spawn(async move { settle(&app, key, work.await).await });
    done.await.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()))
}

fn refused(problem: &str) -> Problem {
    Error::invalid("Idempotency-Key", problem).into()
}

/// Keeps the answer, or frees the key where nothing was changed.
async fn settle(app: &App, key: OnceKey, outcome: Answer<Response>) -> Answer<Response> {
    let once = &app.cloud.once;
    let (kept, outcome) = match outcome {
        Ok(response) => {
            let (head, body) = response.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let media_type = head.headers.get(header::CONTENT_TYPE);
            let kept = Kept {
                status: head.status.as_u16(),
                media_type: media_type.and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned(),
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            (once.finish(key, kept).await, Ok(Response::from_parts(head, body.into())))
        }
        Err(Problem::Core(Error::Store(error))) if error.is_in_doubt() => {
            (Ok(()), Err(Error::Store(error).into()))
        }
        Err(problem) => (once.release(key).await, Err(problem)),
    };
    if let Err(error) = kept {
        tracing::error!(%error, "the answer to a request with a key was not kept");
    }
    outcome
}

fn again(kept: Kept) -> Response {
    let mut response = Response::new(Bytes::from(kept.body).into());
    *response.status_mut() = StatusCode::from_u16(kept.status).unwrap_or_default();
    if let Ok(media_type) = HeaderValue::try_from(kept.media_type)
        && !media_type.is_empty()
    {
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    }
    response
}
