//! What an answer means. Pure: status and body in, meaning out.
//!
//! Only an [`Acknowledgement`] in JSON, with a 200, for what was sent, acknowledges. Only a
//! [`Refusal`] with its own status refuses. Whatever else answers is not the cloud.

use std::time::Duration;

use domain::envelope::{Acknowledgement, Refusal};
use reqwest::StatusCode;
use serde::Deserialize;

use crate::cloud::Answer;

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
            Err(_) => Meaning::NotTheCloud(answer.stranger()),
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
    match answer.status {
        StatusCode::PAYLOAD_TOO_LARGE => Some(Meaning::TooLarge),
        StatusCode::NETWORK_AUTHENTICATION_REQUIRED => {
            Some(Meaning::NotTheCloud(answer.stranger()))
        }
        _ => answer.busy().map(|detail| Meaning::Busy { retry_after: answer.retry_after, detail }),
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
        _ => Meaning::NotTheCloud(answer.stranger()),
    }
}
