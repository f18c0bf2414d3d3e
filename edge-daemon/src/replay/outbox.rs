//! The desk at which batches are made up: reads the journal, cuts, signs, all off the async threads.

use std::sync::{Arc, Mutex, PoisonError};

use domain::envelope::{Batch, Item};

use crate::{
    cloud::Cloud,
    journal::{JournalError, Limits, Outbox, PictureToSend, Reader},
};

/// A batch that is ready to go.
pub(super) struct Parcel {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) body: Vec<u8>,
    pub(super) signature: String,
    /// Whether it is one event that is larger than a batch may be.
    pub(super) oversized: bool,
}

/// What is next.
pub(super) enum Next {
    Nothing,
    Parcel(Parcel),
    Damaged(u64),
}

/// Reads and signs. Clones are the same desk.
#[derive(Clone)]
pub(super) struct Desk {
    reader: Arc<Mutex<Reader>>,
    cloud: Arc<Cloud>,
}

impl Desk {
    pub(super) fn new(reader: Reader, cloud: Arc<Cloud>) -> Self {
        Self { reader: Arc::new(Mutex::new(reader)), cloud }
    }

    /// The batch that starts at `first`.
    pub(super) async fn next(&self, first: u64, limits: Limits) -> Result<Next, JournalError> {
        let cloud = Arc::clone(&self.cloud);
        self.read(move |reader| {
            Ok(match reader.outbox(first, limits)? {
                Outbox::Empty => Next::Nothing,
                Outbox::Damaged(sequence) => Next::Damaged(sequence),
                Outbox::Batch(outgoing) => {
                    let (last, oversized) =
                        (outgoing.last_sequence(), outgoing.bytes > limits.bytes);
                    let batch = Batch {
                        site: cloud.site().clone(),
                        first_sequence: first,
                        previous_hash: outgoing.previous_hash,
                        items: outgoing.items,
                    };
                    let body = serde_json::to_vec(&batch).expect("a batch is JSON");
                    let signature = cloud.sign(&body);
                    Next::Parcel(Parcel { first, last, body, signature, oversized })
                }
            })
        })
        .await
    }

    /// Whether the event was set aside before, or is itself the note that another one was. Such an
    /// event is not set aside again: that would go on for ever.
    pub(super) async fn is_set_aside(&self, sequence: u64) -> Result<bool, JournalError> {
        let limits = Limits { events: 1, bytes: 0 };
        self.read(move |reader| {
            Ok(match reader.outbox(sequence, limits)? {
                Outbox::Batch(outgoing) => outgoing.items.iter().all(|item| match item {
                    Item::Quarantined { .. } => true,
                    Item::Event(body) => is_note(body.get()),
                }),
                _ => false,
            })
        })
        .await
    }

    /// The next picture that the cloud is to get.
    pub(super) async fn picture(&self) -> Result<Option<PictureToSend>, JournalError> {
        self.read(Reader::next_picture).await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let reader = Arc::clone(&self.reader);
        let reading = move || read(&reader.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(reading).await.unwrap_or(Err(JournalError::Closed))
    }
}

fn is_note(body: &str) -> bool {
    let event = serde_json::from_str::<domain::event::Event>(body);
    event.is_ok_and(|event| matches!(event.fact, domain::event::Fact::Quarantined { .. }))
}
