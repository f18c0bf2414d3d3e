//! What a person at the site can ask for: open a lane or a locker, take a fee, see how everything
//! is. A request passes the lane and the journal like any other and is answered with what the lane
//! decided; nothing here reaches a controller.

mod page;
mod token;

use std::{sync::Arc, time::Duration};

use domain::ids::LaneId;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use warp::{
    Filter, Rejection, Reply,
    filters::BoxedFilter,
    http::StatusCode,
    reply::{Response, json, with_status},
};

pub use token::{Token, TokenError};

/// Longest body of a request, in bytes.
const MAX_BODY_BYTES: u64 = 4096;
/// Longest wait for the lane's answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// What a person asks for.
#[derive(Debug)]
pub enum Ask {
    /// Open the lane for one vehicle.
    Open {
        /// The lane.
        lane: LaneId,
        /// Who asks.
        by: String,
    },
    /// Open a door of a locker.
    OpenCabinet {
        /// The name on the door.
        cabinet: String,
        /// Who asks.
        by: String,
    },
    /// A fee was taken for the vehicle with this plate that is inside.
    Paid {
        /// The plate as typed.
        plate: String,
        /// The amount in fen.
        amount_fen: i64,
        /// How: `cash`, `card`, …
        method: String,
        /// Who took it.
        by: String,
    },
}

/// What became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// Whether it was done.
    pub done: bool,
    /// Why, or why not, in a sentence.
    pub reason: String,
}

/// A request on its way to the lanes.
#[derive(Debug)]
pub struct Request {
    /// What is asked for.
    pub ask: Ask,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Answer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenBody {
    by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CabinetBody {
    cabinet: String,
    by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaidBody {
    plate: String,
    amount_fen: i64,
    method: String,
    by: String,
}

/// Tells how everything is.
pub type Status = Arc<dyn Fn() -> serde_json::Value + Send + Sync>;

/// `POST /console/lanes/<lane>/open`, `POST /console/lockers/open`, `POST /console/paid` and
/// `GET /console/status`, for the bearer of `token`; and the page that calls them.
pub fn routes(
    token: Token,
    requests: mpsc::Sender<Request>,
    status: Status,
) -> BoxedFilter<(Response,)> {
    let token = Arc::new(token);
    let authorised = warp::header::optional::<String>("authorization")
        .map(move |header: Option<String>| header.is_some_and(|h| token.is_in(&h)));
    let requests = warp::any().map(move || requests.clone());

    let open = warp::path!("console" / "lanes" / LaneId / "open")
        .and(warp::post())
        .and(authorised.clone())
        .and(body::<OpenBody>())
        .and(requests.clone())
        .then(|lane, authorised, body: Result<OpenBody, String>, requests| {
            handle(authorised, body.map(|b| Ask::Open { lane, by: b.by }), requests)
        });
    let shown = warp::path!("console" / "status")
        .and(warp::get())
        .and(authorised.clone())
        .then(move |authorised| show(authorised, Arc::clone(&status)));
    let cabinet = warp::path!("console" / "lockers" / "open")
        .and(warp::post())
        .and(authorised.clone())
        .and(body::<CabinetBody>())
        .and(requests.clone())
        .then(|authorised, body: Result<CabinetBody, String>, requests| {
            let ask = body.map(|CabinetBody { cabinet, by }| Ask::OpenCabinet { cabinet, by });
            handle(authorised, ask, requests)
        });
    let paid = warp::path!("console" / "paid")
        .and(warp::post())
        .and(authorised)
        .and(body::<PaidBody>())
        .and(requests)
        .then(|authorised, body: Result<PaidBody, String>, requests| {
            let ask = body.and_then(|b| {
                if b.amount_fen <= 0 {
                    return Err("amount_fen must be more than 0".to_owned());
                }
                let PaidBody { plate, amount_fen, method, by } = b;
                Ok(Ask::Paid { plate, amount_fen, method, by })
            });
            handle(authorised, ask, requests)
        });
    let called = open.or(cabinet).unify().or(paid).unify().or(shown).unify();
    page::route().or(called).unify().boxed()
}

/// Looks at the disk, off the async threads.
async fn show(authorised: bool, status: Status) -> Response {
    if !authorised {
        return refusal(StatusCode::UNAUTHORIZED, "the operator's token is missing or wrong");
    }
    match tokio::task::spawn_blocking(move || status()).await {
        Ok(status) => json(&status).into_response(),
        Err(_) => refusal(StatusCode::SERVICE_UNAVAILABLE, "nobody knows at the moment"),
    }
}

fn body<T: for<'de> Deserialize<'de> + Send + 'static>()
-> impl Filter<Extract = (Result<T, String>,), Error = Rejection> + Clone {
    warp::body::content_length_limit(MAX_BODY_BYTES).and(warp::body::bytes()).map(
        |bytes: bytes::Bytes| {
            serde_json::from_slice(&bytes)
                .map_err(|e| format!("the body is not as it should be: {e}"))
        },
    )
}

async fn handle(
    authorised: bool,
    ask: Result<Ask, String>,
    requests: mpsc::Sender<Request>,
) -> Response {
    if !authorised {
        return refusal(StatusCode::UNAUTHORIZED, "the operator's token is missing or wrong");
    }
    let ask = match ask {
        Ok(ask) => ask,
        Err(reason) => return refusal(StatusCode::BAD_REQUEST, &reason),
    };
    let (answer, answered) = oneshot::channel();
    if requests.try_send(Request { ask, answer }).is_err() {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once; ask again");
    }
    match tokio::time::timeout(ANSWER_WITHIN, answered).await {
        Ok(Ok(answer)) => {
            let status = if answer.done { StatusCode::OK } else { StatusCode::CONFLICT };
            with_status(json(&answer), status).into_response()
        }
        _ => refusal(StatusCode::SERVICE_UNAVAILABLE, "the lane did not answer"),
    }
}

fn refusal(status: StatusCode, reason: &str) -> Response {
    let answer = Answer { done: false, reason: reason.to_owned() };
    with_status(json(&answer), status).into_response()
}
