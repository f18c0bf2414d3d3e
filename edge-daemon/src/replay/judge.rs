//! What an answer means. Pure: status and body in, meaning out.
//!
//! Only an [`Acknowledgement`] in JSON, with a 200, for what was sent, acknowledges. Only a
//! [`Refusal`] with its own status refuses. Whatever else answers is not the cloud.

use std::time::Duration;

use domain::envelope::{Acknowledgement, PictureReceipt, Refusal};
use reqwest::StatusCode;

use crate::cloud::Answer;

/// What it means for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The cloud has everything up to here, in order.
    Acknowledged(u64),
    /// The cloud has put by everything that was sent ahead, up to here.
    PutBy(u64),
    /// The cloud refuses and says why.
    Refused(Refusal),
    /// The request is too large for the cloud or something before it.
    TooLarge,
    /// The cloud is there and asks for time, or has a fault.
    Busy { retry_after: Option<Duration>, detail: String },
    /// This is not the cloud.
    NotTheCloud(String),
}

/// A batch that was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// Its first event.
    pub(super) first: u64,
    /// Its last.
    pub(super) last: u64,
    /// The journal's end as it was last published, which may be a moment before `last`: beyond both,
    /// the cloud cannot have anything.
    pub(super) head: u64,
    /// How far an acknowledgement may go: `last`, or further over what was put by before. Beyond
    /// that the cloud may have what was sent before this process started, and is asked again.
    pub(super) may_reach: u64,
    /// Whether it was sent ahead of others.
    pub(super) ahead: bool,
}

/// What the answer to a batch means.
pub(super) fn batch(answer: &Answer, sent: Sent) -> Meaning {
    let Sent { first, last, head, may_reach, ahead } = sent;
    if answer.status == StatusCode::OK {
        return match serde_json::from_slice(&answer.body) {
            Ok(Acknowledgement { ahead_through: Some(through), .. })
                if ahead && through == last =>
            {
                Meaning::PutBy(through)
            }
            Ok(Acknowledgement { acked_through, ahead_through: None })
                if (first..=head.max(last)).contains(&acked_through) =>
            {
                Meaning::Acknowledged(acked_through.min(may_reach))
            }
            Ok(Acknowledgement { acked_through, .. }) => Meaning::NotTheCloud(format!(
                "events {first} to {last} were sent and {acked_through} was acknowledged"
            )),
            Err(_) => Meaning::NotTheCloud(answer.stranger()),
        };
    }
    common(answer).unwrap_or_else(|| refusal(answer, first, last))
}

/// What the cloud has of a picture; otherwise what the answer means.
pub(super) fn picture(answer: &Answer) -> Result<PictureReceipt, Meaning> {
    if answer.status == StatusCode::OK {
        let receipt = serde_json::from_slice(&answer.body);
        return receipt.map_err(|_| Meaning::NotTheCloud(answer.stranger()));
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
    match answer.refusal() {
        // One that names an event which was not sent refuses something else.
        Some(Refusal::Unacceptable { sequence, .. }) if !(first..=last).contains(&sequence) => {
            Meaning::NotTheCloud(answer.stranger())
        }
        Some(refusal) => Meaning::Refused(refusal),
        None => Meaning::NotTheCloud(answer.stranger()),
    }
}
