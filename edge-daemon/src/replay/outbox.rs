//! The desk at which batches are made up: reads the journal, cuts, compresses, all off the async
//! threads.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use domain::envelope::{Batch, Item};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::{
    cloud::Cloud,
    journal::{JournalError, Limits, Outbox, Outgoing, PictureToSend, Reader, StateDir, room},
};

/// A batch that is ready to go.
pub(super) struct Parcel {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) body: Bytes,
    /// Whether it is one event that is larger than a batch may be.
    pub(super) oversized: bool,
}

/// What is next.
pub(super) enum Next {
    Nothing,
    Parcel(Parcel),
    Damaged(u64),
}

/// Which batch is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    /// Its first event.
    pub(super) first: u64,
    /// The journal's end.
    pub(super) head: u64,
    /// Whether it is sent ahead of others.
    pub(super) ahead: bool,
    /// What goes into it.
    pub(super) limits: Limits,
    /// Most bytes that any batch may have.
    pub(super) most_bytes: usize,
}

/// Fewer bytes are not worth compressing.
const LEAST_COMPRESSED: usize = 256;
/// How often it is looked how much room there is.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Reads and cuts. Clones are the same desk.
#[derive(Clone)]
pub(super) struct Desk {
    reader: Arc<Mutex<Reader>>,
    cloud: Arc<Cloud>,
    room: Arc<Mutex<RoomLook>>,
}

/// How much room there was at the last look.
struct RoomLook {
    state: StateDir,
    max_bytes: u64,
    days: Option<(Instant, u32)>,
}

impl Desk {
    /// The journal below `state` may have `max_bytes`.
    pub(super) fn new(reader: Reader, cloud: Arc<Cloud>, state: StateDir, max_bytes: u64) -> Self {
        let room = Arc::new(Mutex::new(RoomLook { state, max_bytes, days: None }));
        Self { reader: Arc::new(Mutex::new(reader)), cloud, room }
    }

    /// The batch that `order` asks for.
    pub(super) async fn next(&self, order: Order) -> Result<Next, JournalError> {
        let (cloud, room) = (Arc::clone(&self.cloud), Arc::clone(&self.room));
        self.read(move |reader| {
            Ok(match reader.outbox(order.first, order.limits)? {
                Outbox::Empty => Next::Nothing,
                Outbox::Damaged(sequence) => Next::Damaged(sequence),
                Outbox::Batch(outgoing) => {
                    let days = room.lock().unwrap_or_else(PoisonError::into_inner).days(reader);
                    Next::Parcel(wrap(&cloud, order, outgoing, days))
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
                    Item::Quarantined { .. } | Item::Lost { .. } => true,
                    Item::Event(body) | Item::Resumed { event: body, .. } => is_note(body.get()),
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

impl RoomLook {
    /// Days for which there is room; none where nobody can say. Looked at now and then, since it is
    /// measured over many events.
    fn days(&mut self, reader: &Reader) -> Option<u32> {
        if self.days.is_none_or(|(at, _)| at.elapsed() >= LOOK_EVERY) {
            let room = room(&self.state, reader, self.max_bytes).ok()?;
            let days = u32::try_from(room.days_left).unwrap_or(u32::MAX);
            self.days = Some((Instant::now(), days));
        }
        self.days.map(|(_, days)| days)
    }
}

fn wrap(cloud: &Cloud, order: Order, outgoing: Outgoing, room_days: Option<u32>) -> Parcel {
    let (last, oversized) = (outgoing.last_sequence(), outgoing.bytes > order.most_bytes);
    let batch = Batch {
        site: cloud.site().clone(),
        first_sequence: order.first,
        previous_hash: outgoing.previous_hash,
        backlog: order.head.saturating_sub(last),
        room_days,
        ahead: order.ahead,
        items: outgoing.items,
    };
    let json = serde_json::to_vec(&batch).expect("a batch is JSON");
    Parcel { first: order.first, last, body: fold(json), oversized }
}

/// The body as it travels: compressed, where that makes it smaller.
fn fold(json: Vec<u8>) -> Bytes {
    if json.len() < LEAST_COMPRESSED {
        return json.into();
    }
    let folded = compress_to_vec(json.as_slice(), CompressionLevel::Fastest);
    if folded.len() < json.len() { folded.into() } else { json.into() }
}

fn is_note(body: &str) -> bool {
    let event = serde_json::from_str::<domain::event::Event>(body);
    event.is_ok_and(|event| matches!(event.fact, domain::event::Fact::Quarantined { .. }))
}
