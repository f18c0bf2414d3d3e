//! The interface for sites: enrolment, keys, events, pictures, directives, lists. Every answer of
//! success comes after the disk has what it says.

use std::str::FromStr;

use cloud_core::{
    AccessRequest, Delivery, DirectiveRequest, Error, IngestError, MAX_PICTURE_BYTES, Sender,
    Upload,
};
use domain::{
    access,
    directive::{Ask, Page},
    envelope::{
        Acknowledgement, COUNT_HEADER, Enrolled, Enrolment, MAX_BATCH_BYTES, PictureReceipt,
        Refusal, Rotated, SIGNATURE_HEADER, SITE_HEADER,
    },
};
use tokio::time::timeout;
use warp::{
    Filter, Rejection, Reply,
    filters::BoxedFilter,
    http::{StatusCode, header::CONTENT_TYPE},
    reply::{Json, Response, json, with_header, with_status},
};

use crate::http::{Problem, Request, Requests, limit::Class};

/// Most bytes of an enrolment or of a change of keys.
const MAX_ENROLMENT_BYTES: usize = 4096;
/// How hard lists are compressed: the library's own middle between speed and size.
const COMPRESSION: i32 = 3;

/// The routes under `/edge/v1`.
pub(crate) fn routes(requests: &Requests) -> BoxedFilter<(Response,)> {
    let enrol = warp::path!("enrol").and(warp::post()).and(requests.clone()).then(enrol);
    let events = warp::path!("events").and(warp::post()).and(requests.clone()).then(events);
    let picture =
        warp::path!("pictures" / String).and(warp::put()).and(requests.clone()).then(picture);
    let directives =
        warp::path!("directives").and(warp::get()).and(requests.clone()).then(directives);
    let keys = warp::path!("keys").and(warp::post()).and(requests.clone()).then(keys);
    let access = warp::path!("access").and(warp::get()).and(requests.clone()).then(access);
    let routes = enrol.or(events).unify().or(picture).unify().or(directives).unify();
    let routes = routes.or(keys).unify().map(Reply::into_response);
    let routes = routes.or(access.map(Reply::into_response)).unify();
    let routes = routes.recover(|rejection: Rejection| async {
        Ok::<_, Rejection>(EdgeProblem::from(Problem::from(rejection)).into_response())
    });
    warp::path!("edge" / "v1" / ..).and(routes).unify().boxed()
}

type Answer = Result<Json, EdgeProblem>;

async fn enrol(mut request: Request) -> Answer {
    request.count_address(Class::Enrolment).await?;
    let enrolment: Enrolment = request.json(MAX_ENROLMENT_BYTES).await?;
    let enrolled: Enrolled = request.app.cloud.sites.enrol(&enrolment).await?;
    tracing::info!(site = %enrolled.site, "a site was enrolled");
    Ok(json(&enrolled))
}

async fn keys(mut request: Request) -> Answer {
    let sender = sender(&request)?;
    let body = request.body(MAX_ENROLMENT_BYTES).await?;
    let rotated: Rotated = request.app.cloud.sites.rotate(sender, &body).await?;
    Ok(json(&rotated))
}

async fn events(mut request: Request) -> Answer {
    let sender = sender(&request)?;
    let body = request.body(MAX_BATCH_BYTES).await?;
    let delivery = Delivery { sender, body };
    let acknowledged: Acknowledgement = request.app.cloud.ingest.take(delivery).await?;
    Ok(json(&acknowledged))
}

async fn picture(sha256: String, mut request: Request) -> Answer {
    let sender = sender(&request)?;
    let (offset, length) = (number(&request, "offset")?, number(&request, "length")?);
    let bytes = request.body(MAX_PICTURE_BYTES).await?;
    let upload = Upload { sender, sha256, offset, length, bytes };
    let receipt: PictureReceipt = request.app.cloud.pictures.put(upload).await?;
    Ok(json(&receipt))
}

/// Answers when there is something to tell, when the longest wait is over, or when the program
/// stops.
async fn directives(request: Request) -> Answer {
    let sender = sender(&request)?;
    let list = request.query.get("list").map(|list| parsed(Some(list), "list")).transpose()?;
    let ask = Ask { after: number(&request, "after")?, list };
    let mut stopping = request.app.stopping.clone();
    let end = async {
        let stops = stopping.wait_for(|stopping| *stopping);
        let _ = timeout(request.app.longest_wait, stops).await;
    };
    let asked = DirectiveRequest { sender, ask };
    let page: Page = request.app.cloud.directives.ask(asked, end).await?;
    Ok(json(&page))
}

/// Compressed, since it may be long.
async fn access(request: Request) -> Result<Response, EdgeProblem> {
    let ask = access::Ask { after: number(&request, "after")? };
    let asked = AccessRequest { sender: sender(&request)?, ask };
    let part = request.app.cloud.access.part(asked).await?;
    let compressed = zstd::bulk::compress(part.as_bytes(), COMPRESSION);
    let compressed = compressed.map_err(|source| Error::File { act: "compress a list", source })?;
    Ok(with_header(compressed, CONTENT_TYPE, "application/zstd").into_response())
}

/// Who says that he sends.
fn sender(request: &Request) -> Result<Sender, EdgeProblem> {
    let text = |name| request.header(name).map(str::to_owned).ok_or(Refusal::Unauthorised);
    let (site, signature) = (text(SITE_HEADER)?, text(SIGNATURE_HEADER)?);
    let count = parsed(request.header(COUNT_HEADER), COUNT_HEADER)?;
    Ok(Sender { site, count, signature, address: Some(request.peer) })
}

/// A number of the query.
fn number<T: FromStr>(request: &Request, name: &str) -> Result<T, EdgeProblem> {
    parsed(request.query.get(name), name)
}

fn parsed<T: FromStr>(text: Option<&str>, name: &str) -> Result<T, EdgeProblem> {
    let malformed = || Problem::Malformed(format!("{name} is missing or no number"));
    Ok(text.and_then(|text| text.parse().ok()).ok_or_else(malformed)?)
}

/// A refusal in the words of the envelope, or a problem of HTTP.
enum EdgeProblem {
    Refused(Refusal),
    Http(Problem),
}

impl From<Refusal> for EdgeProblem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Problem> for EdgeProblem {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Malformed(reason) => Refusal::Malformed { reason }.into(),
            Problem::Core(error) => error.into(),
            other => Self::Http(other),
        }
    }
}

impl From<Error> for EdgeProblem {
    fn from(error: Error) -> Self {
        match error {
            Error::Unauthenticated => Refusal::Unauthorised.into(),
            Error::Invalid { .. } | Error::Refused(_) => {
                Refusal::Malformed { reason: error.to_string() }.into()
            }
            other => Self::Http(other.into()),
        }
    }
}

impl From<IngestError> for EdgeProblem {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Refused(refusal) => refusal.into(),
            IngestError::Failed(error) => error.into(),
        }
    }
}

impl Reply for EdgeProblem {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => with_status(json(&refusal), status(&refusal)).into_response(),
            Self::Http(problem) => {
                problem.log();
                let body = json(&serde_json::json!({"error": word(&problem)}));
                let reply = with_status(body, problem.status());
                match problem.retry_after_s() {
                    Some(seconds) => with_header(reply, "retry-after", seconds).into_response(),
                    None => reply.into_response(),
                }
            }
        }
    }
}

const fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::OutOfOrder { .. }
        | Refusal::Forked { .. }
        | Refusal::Repeated { .. }
        | Refusal::Ahead { .. }
        | Refusal::NoRoomAhead => StatusCode::CONFLICT,
        Refusal::Revoked => StatusCode::FORBIDDEN,
        Refusal::Unacceptable { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Unauthorised => StatusCode::UNAUTHORIZED,
        Refusal::Malformed { .. } => StatusCode::BAD_REQUEST,
    }
}

const fn word(problem: &Problem) -> &'static str {
    match problem {
        Problem::NoSuchPath | Problem::Core(Error::NotFound(_)) => "not_found",
        Problem::NoSuchMethod => "method_not_allowed",
        Problem::TooLarge { .. } => "too_large",
        Problem::TooMany { .. } => "too_many_requests",
        _ => "unavailable",
    }
}
