//! What an answer means. Pure: status and body in, meaning out.
//!
//! Only a [`Page`] in JSON, with a 200, tells anything. Whatever else answers is no news.

use std::time::Duration;

use domain::{directive::Page, envelope::Refusal};
use reqwest::StatusCode;

use crate::cloud::Answer;

/// The longest time that the cloud's `Retry-After` is obeyed for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// What an answer means.
#[derive(Debug)]
pub(super) enum Meaning {
    /// This is told.
    Told(Page),
    /// Nothing, for this reason; not to be asked again before this time.
    Hindered { detail: String, at_least: Duration },
}

/// What `answer` means.
pub(super) fn answer(answer: &Answer) -> Meaning {
    let at_least = answer.retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
    let hindered = |detail: String| Meaning::Hindered { detail, at_least };
    if answer.status == StatusCode::OK {
        let page = serde_json::from_slice(&answer.body);
        return page.map_or_else(|_| hindered(answer.stranger()), Meaning::Told);
    }
    if let Some(detail) = answer.busy() {
        return hindered(detail);
    }
    match answer.refusal() {
        Some(Refusal::Repeated { .. }) => {
            hindered("another machine asks in this site's name".into())
        }
        Some(Refusal::Ahead { last }) => hindered(format!(
            "the cloud has told this site up to directive {last}, and it has carried out more: the \
             cloud was restored from a copy, or it is another"
        )),
        Some(Refusal::Unauthorised) => {
            hindered("the cloud does not know this site by this key: enrol it again".into())
        }
        Some(Refusal::Revoked) => {
            hindered("the cloud has revoked this site: enrol it again".into())
        }
        _ => hindered(answer.stranger()),
    }
}
