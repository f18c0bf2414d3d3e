//! One channel: what comes in is answered in turn, frames while others are read.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use cloud_core::{Better, Caller, Operator, Spot, SpotNews, SpotStatus};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde_json::{Value, json};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, interval, timeout},
};
use uuid::Uuid;
use warp::ws::{Message, WebSocket};

use super::{
    frames::{Frame, Seen, Slot, Unseen, next_frame},
    message::{self, About, DetectionResult, Refusal, Said},
    spots,
    tracker::{Sighting, Tracker},
};
use crate::{
    app::App,
    push::channel::{GOING_AWAY, stopped},
    recognition::{Keep, Wanted},
};

/// How often a client is asked for a sign of life.
const PING: Duration = Duration::from_secs(30);
/// A client that gives none for so long is gone.
const SILENCE: Duration = Duration::from_secs(90);
/// Longest wait for a client to take a message.
const SEND: Duration = Duration::from_secs(10);

type Out = SplitSink<WebSocket, Message>;
type Reading = Pin<Box<dyn Future<Output = Option<Result<Seen, Unseen>>> + Send>>;

/// Why a channel ended other than by its client's wish.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error(transparent)]
    Broken(#[from] warp::Error),
    #[error("the client takes no messages")]
    Stuck,
    #[error("the client gives no sign of life")]
    Silent,
}

/// A channel.
pub(super) struct Session {
    app: Arc<App>,
    caller: Caller,
    id: Uuid,
    /// The spot that it watches, and what was last told of it.
    spot: Option<(i64, SpotStatus)>,
    frames: i64,
    slot: Arc<Slot>,
    tracker: Tracker,
}

impl Session {
    pub(super) fn new(app: Arc<App>, caller: Caller, spot: Option<Spot>) -> Self {
        let spot = spot.map(|spot| (spot.id, spot.status));
        let (id, slot, tracker) = (Uuid::new_v4(), Arc::default(), Tracker::default());
        Self { app, caller, id, spot, frames: 0, slot, tracker }
    }

    /// Serves until the client leaves or the program stops.
    pub(super) async fn run(mut self, socket: WebSocket) -> Result<(), Ended> {
        let (mut out, mut incoming) = socket.split();
        send(&mut out, &self.greeting()).await?;
        let (mut news, mut changes) = (self.app.cloud.news(), self.app.cloud.changes());
        let mut stopping = self.app.stopping.clone();
        let (mut ping, mut heard_at) = (interval(PING), Instant::now());
        let mut reading: Option<Reading> = None;
        loop {
            tokio::select! {
                received = incoming.next() => {
                    heard_at = Instant::now();
                    let Some(message) = received else { return Ok(()) };
                    let message = message?;
                    if message.is_close() {
                        return Ok(());
                    }
                    if let Ok(text) = message.to_str() {
                        self.answer(text, &mut reading, &mut out).await?;
                    } else if message.is_binary() {
                        let refusal = Refusal::new("INVALID_MESSAGE", "消息应为 JSON 文本");
                        send(&mut out, &refusal.to_json()).await?;
                    }
                }
                seen = done(&mut reading) => {
                    // A frame that came meanwhile is the next.
                    reading = seen.is_some().then(|| self.reading());
                    if let Some(seen) = seen {
                        let told = self.tell(seen).await;
                        send(&mut out, &told).await?;
                    }
                }
                told = hear(&mut news) => self.pass_on(told, &mut out).await?,
                changed = changes.changed() => {
                    if changed.is_ok() {
                        self.look_at_spot(&mut out).await?;
                    }
                }
                _ = ping.tick() => {
                    if heard_at.elapsed() > SILENCE {
                        return Err(Ended::Silent);
                    }
                    give(&mut out, Message::ping(Bytes::new())).await?;
                }
                () = stopped(&mut stopping) => {
                    return give(&mut out, Message::close_with(GOING_AWAY, "stopping")).await;
                }
            }
        }
    }

    fn greeting(&self) -> Value {
        json!({
            "type": "connection_established",
            "message": "车牌检测连接已建立",
            "session_id": self.id.to_string(),
            "parking_spot_id": self.spot.map(|(id, _)| id.to_string()),
        })
    }

    fn reading(&self) -> Reading {
        Box::pin(next_frame(self.app.clone(), self.slot.clone()))
    }

    /// Answers a message at once, except a frame, which is answered when it was read.
    async fn answer(
        &mut self,
        text: &str,
        reading: &mut Option<Reading>,
        out: &mut Out,
    ) -> Result<(), Ended> {
        let answer = match message::parse(text) {
            Ok(Said::Frame(coded)) => match self.caller.operator() {
                Ok(_) => {
                    self.frames += 1;
                    self.slot.put(Frame { number: self.frames, coded });
                    reading.get_or_insert_with(|| self.reading());
                    return Ok(());
                }
                Err(error) => Err(error.into()),
            },
            Ok(Said::GetSpot(id)) => self.spot_status(id).await,
            Ok(Said::SetSpot { spot_id, status, plate }) => {
                self.set_spot(spot_id, status, plate).await
            }
            Err(refusal) => Err(refusal),
        };
        send(out, &answer.unwrap_or_else(|refusal| refusal.to_json())).await
    }

    fn meant(&self, id: Option<i64>) -> Result<i64, Refusal> {
        let own = self.spot.map(|(id, _)| id);
        id.or(own).ok_or_else(|| Refusal::new("INVALID_PARAMETER", "缺少 parking_spot_id"))
    }

    async fn spot_status(&mut self, id: Option<i64>) -> Result<Value, Refusal> {
        let id = self.meant(id)?;
        let status = spots::status(&self.app, &self.caller, id).await?;
        Ok(message::spot("spot_status", id, status))
    }

    async fn set_spot(
        &mut self,
        id: Option<i64>,
        status: SpotStatus,
        plate: Option<String>,
    ) -> Result<Value, Refusal> {
        let id = self.meant(id)?;
        let status = spots::tell(&self.app, &self.caller, id, status, plate).await?;
        self.now_is(id, status);
        self.app.cloud.tell(SpotNews { from: self.id, spot_id: id, status });
        Ok(message::spot("spot_status_updated", id, status))
    }

    /// Remembers how its own spot is, and says whether that is new.
    fn now_is(&mut self, id: i64, status: SpotStatus) -> bool {
        let is_new = self.spot.is_some_and(|(own, last)| own == id && last != status);
        if is_new {
            self.spot = Some((id, status));
        }
        is_new
    }

    /// Passes on what another session has told of a spot that this one shows.
    async fn pass_on(&mut self, news: Option<SpotNews>, out: &mut Out) -> Result<(), Ended> {
        let Some(SpotNews { from, spot_id, status }) = news else { return Ok(()) };
        let is_shown = self.spot.is_none_or(|(own, _)| own == spot_id);
        if from == self.id || !is_shown {
            return Ok(());
        }
        self.now_is(spot_id, status);
        send(out, &message::spot("spot_status_updated", spot_id, status)).await
    }

    /// Tells where its own spot has changed, whoever changed it.
    async fn look_at_spot(&mut self, out: &mut Out) -> Result<(), Ended> {
        let Some((id, _)) = self.spot else { return Ok(()) };
        match spots::status(&self.app, &self.caller, id).await {
            Ok(status) if self.now_is(id, status) => {
                send(out, &message::spot("spot_status_updated", id, status)).await
            }
            // A spot that is gone, or a database that is away: the next change tells.
            _ => Ok(()),
        }
    }

    /// What a frame shows, once what is new in it is recorded.
    async fn tell(&mut self, seen: Result<Seen, Unseen>) -> Value {
        let recorded = match seen {
            Ok(seen) => self.record(&seen).await.map(|()| seen),
            Err(Unseen { refusal }) => Err(refusal),
        };
        match recorded {
            Ok(seen) => self.result(&seen).await,
            Err(refusal) => refusal.to_json(),
        }
    }

    async fn result(&mut self, seen: &Seen) -> Value {
        if let Some((id, last)) = self.spot {
            let status = spots::status(&self.app, &self.caller, id).await.unwrap_or(last);
            self.spot = Some((id, status));
        }
        let about = About { session_id: self.id.to_string(), spot: self.spot };
        let at_ms = self.app.cloud.clock().now().wall.timestamp_millis();
        let result = DetectionResult::new(&seen.look.plates, seen.number, at_ms, about);
        serde_json::to_value(result).unwrap_or_default()
    }

    /// Records the cars that are new, and reads that are surer.
    async fn record(&mut self, seen: &Seen) -> Result<(), Refusal> {
        let operator = self.caller.operator()?;
        let sightings = self.tracker.see(seen.number, &seen.look.plates, &seen.settings);
        for (found, sighting) in seen.look.plates.iter().zip(&sightings) {
            if let Sighting::Better(record) = sighting {
                let better = Better {
                    text: found.text.clone(),
                    kind: found.kind.as_str(),
                    confidence: found.confidence,
                    alternatives: found.alternatives.clone(),
                    read_by: found.read_by,
                };
                self.app.cloud.recognition.improve(&operator, *record, better).await?;
            }
        }
        match sightings.iter().any(|sighting| matches!(sighting, Sighting::New(_))) {
            true => self.record_new(&operator, seen, &sightings).await,
            false => Ok(()),
        }
    }

    async fn record_new(
        &mut self,
        operator: &Operator,
        seen: &Seen,
        sightings: &[Sighting],
    ) -> Result<(), Refusal> {
        let app = &self.app;
        let mut look =
            app.recognition.look(seen.file.clone(), seen.settings, Wanted::Pictures).await?;
        let keys: Vec<u64> = sightings.iter().filter_map(Sighting::new_car).collect();
        // The same pixels give the same plates, in the same order.
        let mut is_new = sightings.iter().map(|sighting| sighting.new_car().is_some());
        look.plates.retain(|_| is_new.next().unwrap_or_default());
        let filename = format!("{}-{:06}.jpg", self.id, seen.number);
        let keep = Keep { look, filename: &filename, spot_id: self.spot.map(|(id, _)| id) };
        let (_, kept) = keep.keep(&app.cloud, operator).await?;
        for (key, read) in keys.into_iter().zip(&kept.plates) {
            self.tracker.recorded(key, read.id);
        }
        Ok(())
    }
}

/// The frame that is being read, once it was; never without one.
async fn done(reading: &mut Option<Reading>) -> Option<Result<Seen, Unseen>> {
    match reading {
        Some(reading) => reading.await,
        None => std::future::pending().await,
    }
}

/// The next news; none where some were missed.
async fn hear(news: &mut Receiver<SpotNews>) -> Option<SpotNews> {
    match news.recv().await {
        Ok(news) => Some(news),
        Err(RecvError::Lagged(_)) => None,
        Err(RecvError::Closed) => std::future::pending().await,
    }
}

async fn send(out: &mut Out, json: &Value) -> Result<(), Ended> {
    give(out, Message::text(json.to_string())).await
}

async fn give(out: &mut Out, message: Message) -> Result<(), Ended> {
    timeout(SEND, out.send(message)).await.map_err(|_| Ended::Stuck)?.map_err(Ended::from)
}
