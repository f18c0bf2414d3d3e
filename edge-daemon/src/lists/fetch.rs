//! Asking for a part, and what the answer means. Only a part that can be read whole counts.

use std::time::Duration;

use domain::{
    access::{Ask, MAX_PART_BYTES, read_part},
    envelope::Refusal,
};
use reqwest::StatusCode;

use super::{
    Keeper, Trouble, passing,
    store::{Store, StoreError, Taken},
};
use crate::cloud::Answer;

/// The longest time that the cloud's `Retry-After` is obeyed for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);
/// Most bytes of a part that is unpacked: what may be in it, and the line before that.
const MAX_UNPACKED_BYTES: usize = MAX_PART_BYTES + 4096;

/// A part as it came, unpacked and found readable.
pub(super) struct Part(String);

impl Part {
    /// Goes into the store, behind the change `after`.
    pub(super) fn into(self, store: &mut Store, after: u64) -> Result<Taken, StoreError> {
        let read = read_part(&self.0).ok();
        let (header, changes) = read.expect("it was read when it came");
        if header.version < after {
            // The cloud was restored from a copy, or it is another: its word holds.
            store.begin_anew()?;
            return Ok(Taken::Wrong);
        }
        store.take(&header, &changes)
    }
}

impl Keeper {
    /// Asks for what follows the change `after`.
    pub(super) async fn part(&mut self, after: u64) -> Result<Part, Trouble> {
        let answer = self.cloud.list(Ask { after }).await;
        meaning(&answer.map_err(|error| passing(&error.to_string()))?)
    }
}

fn meaning(answer: &Answer) -> Result<Part, Trouble> {
    let at_least = answer.retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
    let hindered = |detail: String| Err(Trouble::Passing(detail, at_least));
    if answer.status == StatusCode::OK {
        let unpacked = zstd::bulk::decompress(&answer.body, MAX_UNPACKED_BYTES);
        let text = unpacked.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        return match text {
            Some(text) => match read_part(&text) {
                Ok(_) => Ok(Part(text)),
                Err(error) => hindered(error.to_string()),
            },
            None => hindered(answer.stranger()),
        };
    }
    if let Some(detail) = answer.busy() {
        return hindered(detail);
    }
    match answer.refusal() {
        Some(Refusal::Repeated { .. }) => {
            hindered("another machine asks in this site's name".into())
        }
        Some(Refusal::Unauthorised) => {
            hindered("the cloud does not know this site by this key: enrol it again".into())
        }
        Some(Refusal::Revoked) => hindered("the cloud has revoked this site".into()),
        _ => hindered(answer.stranger()),
    }
}
