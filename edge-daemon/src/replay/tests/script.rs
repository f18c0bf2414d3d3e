//! A cloud on loopback. It keeps what it takes as the real one does, and answers by script before
//! that.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::{
    envelope::{
        Acknowledgement, Batch, ChainHash, EVENTS_PATH, Enrolled, Enrolment, Head, Item,
        PictureReceipt, Refusal, picture_target,
    },
    event::Event,
};
use tokio::sync::watch;
use warp::{Filter, Reply, http::StatusCode, reply::Response};

use crate::{
    cloud::Patience,
    identity::{Identity, Key},
    journal::{Limits, StateDir},
    replay::Timing,
};

/// One scripted answer.
pub(super) enum Play {
    /// As the real cloud would.
    Take,
    /// This status and body, nothing taken.
    Say(StatusCode, &'static str, String),
    /// This status with a header, nothing taken.
    SayWith(StatusCode, &'static str, &'static str),
    /// Takes the batch and loses the answer.
    TakeAndHang,
}

/// What the cloud holds.
#[derive(Default)]
pub(super) struct Held {
    pub(super) events: Vec<Option<Event>>,
    pub(super) reasons: Vec<String>,
    pub(super) pictures: Vec<(String, Vec<u8>)>,
    pub(super) batches: Vec<usize>,
    pub(super) poison: Option<&'static str>,
    pub(super) picture_answers: VecDeque<(StatusCode, &'static str)>,
    /// Bytes of the bodies of batches.
    pub(super) bytes: usize,
    /// Sequences of events as they came, in order or ahead.
    pub(super) arrived: Vec<u64>,
    /// Parts of pictures: where each began and how long it was.
    pub(super) parts: Vec<(usize, usize)>,
    /// What is there of the picture that comes in parts.
    part: Vec<u8>,
    ahead: BTreeMap<u64, (ChainHash, String)>,
    hash: Option<ChainHash>,
    script: VecDeque<Play>,
}

#[derive(Clone)]
pub(super) struct ScriptedCloud {
    pub(super) held: Arc<Mutex<Held>>,
    pub(super) url: String,
    /// Requests so far.
    pub(super) requests: watch::Receiver<usize>,
    counter: Arc<watch::Sender<usize>>,
    public_key: String,
}

impl ScriptedCloud {
    pub(super) async fn start(public_key: String, script: Vec<Play>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (counter, requests) = watch::channel(0);
        let cloud = Self {
            held: Arc::new(Mutex::new(Held { script: script.into(), ..Held::default() })),
            url: format!("http://{}", listener.local_addr().unwrap()),
            requests,
            counter: Arc::new(counter),
            public_key,
        };
        tokio::spawn(warp::serve(cloud.clone().routes()).incoming(listener).run());
        cloud
    }

    fn routes(self) -> impl Filter<Extract = (Response,), Error = warp::Rejection> + Clone {
        let signed = || {
            warp::header::<String>("gatehouse-signature")
                .and(warp::header::<u64>("gatehouse-count"))
                .and(warp::body::bytes())
        };
        let (events, pictures) = (self.clone(), self);
        let events = warp::path!("edge" / "v1" / "events").and(warp::post()).and(signed()).then(
            move |signature: String, count, body: bytes::Bytes| {
                let cloud = events.clone();
                async move { cloud.events(&signature, count, &body).await }
            },
        );
        let pictures = warp::path!("edge" / "v1" / "pictures" / String)
            .and(warp::put())
            .and(warp::query::<Range>())
            .and(signed())
            .map(move |sha256: String, range, signature: String, count, body: bytes::Bytes| {
                pictures.picture(sha256, range, (&signature, count), &body)
            });
        events.or(pictures).unify()
    }

    async fn events(&self, signature: &str, count: u64, body: &[u8]) -> Response {
        let head = Head { site: "north", method: "POST", target: EVENTS_PATH, count };
        assert!(head.is_signed_by(&self.public_key, body, signature));
        self.held.lock().unwrap().bytes += body.len();
        let play = self.held.lock().unwrap().script.pop_front().unwrap_or(Play::Take);
        let answer = match play {
            Play::Take => self.take(body),
            Play::Say(status, kind, body) => warp::reply::with_header(
                warp::reply::with_status(body, status),
                "content-type",
                kind,
            )
            .into_response(),
            Play::SayWith(status, name, value) => {
                warp::reply::with_header(warp::reply::with_status("", status), name, value)
                    .into_response()
            }
            Play::TakeAndHang => {
                self.take(body);
                self.counter.send_modify(|count| *count += 1);
                std::future::pending().await
            }
        };
        self.counter.send_modify(|count| *count += 1);
        answer
    }

    fn take(&self, body: &[u8]) -> Response {
        let batch: Batch = match body.first() {
            Some(b'{') => serde_json::from_slice(body).unwrap(),
            _ => {
                let unfolding = ruzstd::decoding::StreamingDecoder::new(body).unwrap();
                serde_json::from_reader(unfolding).unwrap()
            }
        };
        match self.held.lock().unwrap().take(batch) {
            Ok(acknowledgement) => warp::reply::json(&acknowledgement).into_response(),
            Err(refusal) => refuse(&refusal),
        }
    }

    fn picture(
        &self,
        sha256: String,
        range: Range,
        (signature, count): (&str, u64),
        body: &[u8],
    ) -> Response {
        let target = picture_target(&sha256, range.offset, range.length);
        let head = Head { site: "north", method: "PUT", target: &target, count };
        assert!(head.is_signed_by(&self.public_key, body, signature));
        let mut held = self.held.lock().unwrap();
        held.parts.push((range.offset, body.len()));
        if let Some((status, body)) = held.picture_answers.pop_front() {
            return warp::reply::with_status(body, status).into_response();
        }
        if range.offset <= held.part.len() {
            held.part.truncate(range.offset);
            held.part.extend_from_slice(body);
        }
        let has = held.part.len();
        let kept = has == range.length;
        if kept {
            let whole = std::mem::take(&mut held.part);
            held.pictures.push((sha256, whole));
        }
        warp::reply::json(&PictureReceipt { kept, has }).into_response()
    }
}

/// Which part of a picture.
#[derive(serde::Deserialize)]
struct Range {
    offset: usize,
    length: usize,
}

impl Held {
    fn take(&mut self, batch: Batch) -> Result<Acknowledgement, Refusal> {
        self.batches.push(batch.items.len());
        let have = self.events.len() as u64;
        if batch.ahead && batch.first_sequence > have + 1 {
            return Ok(self.put_by(batch, have));
        }
        if batch.first_sequence > have + 1 {
            return Err(Refusal::OutOfOrder { expected: have + 1 });
        }
        let known = usize::try_from(have + 1 - batch.first_sequence).unwrap();
        let mut hash = self.hash.unwrap_or(ChainHash::GENESIS);
        let mut taken = Vec::new();
        for (offset, item) in batch.items.into_iter().enumerate().skip(known) {
            let sequence = batch.first_sequence + offset as u64;
            match item {
                Item::Event(body) => {
                    if self.poison.is_some_and(|poison| body.get().contains(poison)) {
                        let reason = "poison".to_owned();
                        return Err(Refusal::Unacceptable { sequence, reason });
                    }
                    hash = hash.follow(body.get().as_bytes());
                    taken.push(Some(serde_json::from_str(body.get()).unwrap()));
                }
                Item::Resumed { hash: kept, event } => {
                    hash = kept;
                    taken.push(Some(serde_json::from_str(event.get()).unwrap()));
                }
                Item::Quarantined { hash: kept, reason } => {
                    hash = kept;
                    self.reasons.push(reason);
                    taken.push(None);
                }
                Item::Lost { reason } => {
                    hash = ChainHash::GENESIS;
                    self.reasons.push(reason);
                    taken.push(None);
                }
            }
            self.arrived.push(sequence);
        }
        self.events.extend(taken);
        while let Some((kept, body)) = self.ahead.remove(&(self.events.len() as u64 + 1)) {
            assert_eq!(hash.follow(body.as_bytes()), kept);
            hash = kept;
            self.events.push(Some(serde_json::from_str(&body).unwrap()));
        }
        self.hash = Some(hash);
        let acked_through = self.events.len() as u64;
        Ok(Acknowledgement { acked_through, ahead_through: None })
    }

    fn put_by(&mut self, batch: Batch, acked_through: u64) -> Acknowledgement {
        let mut hash = batch.previous_hash;
        let mut last = batch.first_sequence - 1;
        for item in batch.items {
            let Item::Event(body) = item else { panic!("only whole events go ahead") };
            last += 1;
            hash = hash.follow(body.get().as_bytes());
            self.ahead.insert(last, (hash, body.get().to_owned()));
            self.arrived.push(last);
        }
        Acknowledgement { acked_through, ahead_through: Some(last) }
    }

    /// As after the cloud was restored from a copy.
    pub(super) fn forget_after(&mut self, count: usize) {
        self.events.truncate(count);
        let mut hash = ChainHash::GENESIS;
        for event in self.events.iter().flatten() {
            hash = hash.follow(serde_json::to_string(event).unwrap().as_bytes());
        }
        self.hash = Some(hash);
    }

    /// Sequences of the events that were taken whole.
    pub(super) fn sequences(&self) -> Vec<u64> {
        self.events.iter().flatten().map(|event| event.sequence).collect()
    }
}

fn refuse(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::Unacceptable { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Unauthorised => StatusCode::UNAUTHORIZED,
        Refusal::Revoked => StatusCode::FORBIDDEN,
        Refusal::Malformed { .. } => StatusCode::BAD_REQUEST,
        _ => StatusCode::CONFLICT,
    };
    warp::reply::with_status(warp::reply::json(refusal), status).into_response()
}

/// A refusal as a scripted answer.
pub(super) fn refusal(status: StatusCode, refusal: &Refusal) -> Play {
    Play::Say(status, "application/json", serde_json::to_string(refusal).unwrap())
}

/// An identity for the scripted cloud, below `state`.
pub(super) fn identity(state: &StateDir) -> (Identity, String) {
    let key = Key::load_or_make(state).unwrap();
    let public = key.public();
    let identity =
        Identity::store(state, key, "north".parse().unwrap(), "http://127.0.0.1:1".into());
    (identity.unwrap(), public)
}

/// Times that do not keep a test waiting.
pub(super) fn quick() -> Timing {
    let ms = Duration::from_millis;
    Timing {
        linger: ms(1),
        first_pause: ms(1),
        longest_pause: ms(5),
        longest_retry_after: ms(30),
        batch: Limits { events: 10, bytes: 100_000 },
        batch_within: Duration::from_secs(10),
        max_upload_kbit_s: None,
        journal_max_bytes: 1 << 30,
    }
}

/// As [`quick`], for one exchange.
pub(super) fn patience() -> Patience {
    Patience { connect: Duration::from_secs(1), answer: Duration::from_secs(2) }
}

/// A server that enrols codes by script.
pub(super) async fn enrolling(status: StatusCode, body: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let route = warp::path!("edge" / "v1" / "enrol").and(warp::post()).and(warp::body::json()).map(
        move |enrolment: Enrolment| match enrolment.code.as_str() {
            "good" => {
                warp::reply::json(&Enrolled { site: "north".parse().unwrap() }).into_response()
            }
            _ => warp::reply::with_status(body, status).into_response(),
        },
    );
    tokio::spawn(warp::serve(route).incoming(listener).run());
    url
}
