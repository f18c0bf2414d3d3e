//! What an answer means. Pure: status and body in, meaning out.
//!
//! Only an [`Acknowledgement`] in JSON, with a 200, for what was sent, acknowledges. Only a
//! [`Refusal`] with its own status refuses. Whatever else answers is not the cloud.

use std::time::Duration;

use domain::envelope::{Acknowledgement, Refusal};
use reqwest::StatusCode;
use serde::Deserialize;

/// An answer as it came.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: String,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// What it means for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The cloud has everything up to here; within what was sent.
    Acknowledged(u64),
    /// The cloud refuses and says why.
    Refused(Refusal),
    /// The request is too large for the cloud or something before it.
    TooLarge,
    /// The cloud is there and asks for time, or has a fault.
    Busy { retry_after: Option<Duration>, detail: String },
    /// This is not the cloud.
    NotTheCloud(String),
}

/// What the answer to a batch of `first` to `last` means. `head` is the journal's end as it was last
/// published, which may be a moment before `last`: beyond both, the cloud cannot have anything.
pub(super) fn batch(answer: &Answer, first: u64, last: u64, head: u64) -> Meaning {
    if answer.status == StatusCode::OK {
        return match serde_json::from_slice(&answer.body) {
            // The cloud may have what was sent before this process started.
            Ok(Acknowledgement { acked_through })
                if (first..=head.max(last)).contains(&acked_through) =>
            {
                Meaning::Acknowledged(acked_through.min(last))
            }
            Ok(Acknowledgement { acked_through }) => Meaning::NotTheCloud(format!(
                "events {first} to {last} were sent and {acked_through} was acknowledged"
            )),
            Err(_) => Meaning::NotTheCloud(stranger(answer)),
        };
    }
    common(answer).unwrap_or_else(|| refusal(answer, first, last))
}

/// The answer to a picture that was taken.
#[derive(Deserialize)]
struct Kept {
    kept: bool,
}

/// Whether a picture was taken; otherwise what the answer means.
pub(super) fn picture(answer: &Answer) -> Result<(), Meaning> {
    let kept = serde_json::from_slice(&answer.body).is_ok_and(|Kept { kept }| kept);
    if answer.status == StatusCode::OK && kept {
        return Ok(());
    }
    Err(common(answer).unwrap_or_else(|| match answer.status {
        // No event that the cloud has names it: that event was set aside.
        StatusCode::NOT_FOUND if is_json(answer) => {
            let reason = "no event names it".to_owned();
            Meaning::Refused(Refusal::Malformed { reason })
        }
        _ => refusal(answer, 0, 0),
    }))
}

fn is_json(answer: &Answer) -> bool {
    serde_json::from_slice::<serde_json::Map<_, _>>(&answer.body).is_ok()
}

/// What means the same whatever was sent.
fn common(answer: &Answer) -> Option<Meaning> {
    let retry_after = answer.retry_after;
    match answer.status {
        StatusCode::PAYLOAD_TOO_LARGE => Some(Meaning::TooLarge),
        // What portals that follow RFC 6585 say.
        StatusCode::NETWORK_AUTHENTICATION_REQUIRED => Some(Meaning::NotTheCloud(stranger(answer))),
        StatusCode::TOO_MANY_REQUESTS => {
            Some(Meaning::Busy { retry_after, detail: "the cloud asks for a pause (429)".into() })
        }
        status if status.is_server_error() => {
            let detail = format!("the cloud has a fault of its own ({})", status.as_u16());
            Some(Meaning::Busy { retry_after, detail })
        }
        _ => None,
    }
}

fn refusal(answer: &Answer, first: u64, last: u64) -> Meaning {
    let refusal = serde_json::from_slice::<Refusal>(&answer.body);
    match (answer.status, refusal) {
        (StatusCode::CONFLICT, Ok(refusal @ Refusal::OutOfOrder { expected: 1.. }))
        | (StatusCode::CONFLICT, Ok(refusal @ Refusal::Forked { .. }))
        | (StatusCode::UNAUTHORIZED, Ok(refusal @ Refusal::Unauthorised))
        | (StatusCode::BAD_REQUEST, Ok(refusal @ Refusal::Malformed { .. })) => {
            Meaning::Refused(refusal)
        }
        (StatusCode::UNPROCESSABLE_ENTITY, Ok(Refusal::Unacceptable { sequence, reason }))
            if (first..=last).contains(&sequence) =>
        {
            Meaning::Refused(Refusal::Unacceptable { sequence, reason })
        }
        _ => Meaning::NotTheCloud(stranger(answer)),
    }
}

fn stranger(answer: &Answer) -> String {
    let kind = match answer.content_type.as_str() {
        "" => "no content type",
        kind => kind,
    };
    let status = answer.status.as_u16();
    format!("{status} with {kind} is no answer of the cloud: a captive portal or another server")
}
