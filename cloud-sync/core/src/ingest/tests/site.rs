//! A site as the cloud sees it: a key, a journal, and a clock that a test sets.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::{
    clock::{Clock, ClockQuality, Stamp},
    envelope::{
        Acknowledgement, ChainHash, EVENTS_PATH, Enrolment, Head, Refusal, picture_target, sign,
        to_hex,
    },
    event::{Decision, Direction, Event, Fact, Latency, PlateKind, PlateSeen, Rule, Verdict},
    ids::{BootId, DecisionId, SessionId},
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use uuid::Uuid;

use crate::{Caller, Cloud, Delivery, IngestError, NewSite, Options, Sender, store::tests::Place};

/// Time that stands still until a test moves it.
pub(crate) struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    pub(crate) fn advance_hours(&self, hours: i64) {
        *self.0.lock().unwrap() += chrono::TimeDelta::hours(hours);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Stamp {
        let wall = *self.0.lock().unwrap();
        Stamp { wall, monotonic_ms: 0, quality: ClockQuality::Synchronised }
    }
}

pub(crate) fn noon() -> DateTime<Utc> {
    "2026-03-10T04:00:00Z".parse().unwrap()
}

/// A cloud in a place of its own, and the site `north` that is enrolled there.
pub(crate) struct Scene {
    pub(crate) cloud: Cloud,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) caller: Caller,
    pub(crate) place: Place,
    pub(crate) site: Site,
}

pub(crate) fn open(place: &Place, clock: Arc<TestClock>) -> Cloud {
    Cloud::open(Options {
        database_url: place.url.clone(),
        pictures: Some(place.folder.path().join("pictures")),
        zone: Tz::Asia__Shanghai,
        clock,
        providers: Vec::new(),
        lockers: crate::LockerSettings::default(),
        settings: crate::Settings::default(),
    })
    .unwrap()
}

/// As [`scene_at`], on SQLite.
pub(crate) async fn scene() -> Scene {
    scene_at(Place::sqlite()).await
}

pub(crate) async fn scene_at(place: Place) -> Scene {
    let clock = Arc::new(TestClock(Mutex::new(noon())));
    let cloud = open(&place, clock.clone());
    let site = Site::new("north", 1);
    let new = NewSite { id: "north".parse().unwrap(), name: "北门".into(), spots: 10 };
    let code = cloud.sites.add(new).await.unwrap();
    let enrolled = cloud.sites.enrol(&Enrolment { code, public_key: site.public_key() }).await;
    assert_eq!(enrolled.unwrap().site.as_str(), "north");
    Scene { cloud, clock, caller: Caller::local_operator(), place, site }
}

/// What a site keeps: its key and the exact bytes of its events.
pub(crate) struct Site {
    name: String,
    key: Ed25519KeyPair,
    journal: Vec<String>,
    count: AtomicU64,
}

impl Site {
    pub(crate) fn new(name: &str, seed: u8) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        Self { name: name.to_owned(), key, journal: Vec::new(), count: AtomicU64::new(1) }
    }

    pub(crate) fn public_key(&self) -> String {
        to_hex(self.key.public_key().as_ref())
    }

    /// Signs bytes.
    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        sign(&self.key, bytes)
    }

    /// Signs a new request.
    pub(crate) fn sender(&self, method: &str, target: &str, body: &[u8]) -> Sender {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        self.sender_at(count, method, target, body)
    }

    /// Signs a request of this number.
    pub(crate) fn sender_at(&self, count: u64, method: &str, target: &str, body: &[u8]) -> Sender {
        let head = Head { site: &self.name, method, target, count };
        let signature = head.sign(&self.key, body);
        Sender { site: self.name.clone(), count, signature, address: None }
    }

    /// Journals facts.
    pub(crate) fn tell(&mut self, facts: impl IntoIterator<Item = Fact>) {
        for fact in facts {
            let event = Event {
                sequence: self.journal.len() as u64 + 1,
                site: self.name.parse().unwrap(),
                boot: BootId(Uuid::nil()),
                at: Stamp { wall: noon(), monotonic_ms: 0, quality: ClockQuality::Synchronised },
                fact,
            };
            self.tell_raw(&serde_json::to_string(&event).unwrap());
        }
    }

    /// Journals bytes.
    pub(crate) fn tell_raw(&mut self, event: &str) {
        self.journal.push(event.to_owned());
    }

    /// Changes what was journaled, as a forger or a bad disk would.
    pub(crate) fn rewrite(&mut self, sequence: usize, from: &str, to: &str) {
        self.journal[sequence - 1] = self.journal[sequence - 1].replace(from, to);
    }

    /// The bytes of an event.
    pub(crate) fn event(&self, sequence: usize) -> &str {
        &self.journal[sequence - 1]
    }

    pub(crate) fn hash(&self, through: usize) -> ChainHash {
        let events = self.journal.iter().take(through);
        events.fold(ChainHash::GENESIS, |hash, event| hash.follow(event.as_bytes()))
    }

    /// The events of a range as a signed request.
    pub(crate) fn batch(&self, from: usize, through: usize) -> Delivery {
        let items = self.journal[from - 1..through].iter().map(|e| format!("{{\"event\":{e}}}"));
        self.request(from, &items.collect::<Vec<_>>().join(","))
    }

    /// Any items as a signed request.
    pub(crate) fn request(&self, first_sequence: usize, items: &str) -> Delivery {
        let previous = self.hash(first_sequence - 1);
        self.request_after(previous, first_sequence, "", items)
    }

    /// The events of a range, sent ahead of what stands before them.
    pub(crate) fn ahead(&self, from: usize, through: usize) -> Delivery {
        let items = self.journal[from - 1..through].iter().map(|e| format!("{{\"event\":{e}}}"));
        let items = items.collect::<Vec<_>>().join(",");
        self.request_after(self.hash(from - 1), from, r#""ahead":true,"#, &items)
    }

    /// Any items that follow any hash, with more keys.
    pub(crate) fn request_after(
        &self,
        previous: ChainHash,
        first_sequence: usize,
        more: &str,
        items: &str,
    ) -> Delivery {
        let body = format!(
            r#"{{"site":"{}","first_sequence":{first_sequence},"previous_hash":"{previous}",{more}"backlog":3,"items":[{items}]}}"#,
            self.name,
        );
        self.deliver(body.into_bytes())
    }

    /// Any body as a signed request.
    pub(crate) fn deliver(&self, body: Vec<u8>) -> Delivery {
        Delivery { sender: self.sender("POST", EVENTS_PATH, &body), body }
    }
}

pub(crate) async fn acked(cloud: &Cloud, delivery: Delivery) -> u64 {
    let Acknowledgement { acked_through, .. } = cloud.ingest.take(delivery).await.unwrap();
    acked_through
}

pub(crate) async fn refused(cloud: &Cloud, delivery: Delivery) -> Refusal {
    match cloud.ingest.take(delivery).await {
        Err(IngestError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// A car at the entry: read, let in, inside from now on.
pub(crate) fn car(number: u128) -> Vec<Fact> {
    let plate = format!("京A{number:05}");
    let decision = decision(number, Rule::Public, &plate);
    let opened = Fact::SessionOpened {
        session: SessionId(Uuid::from_u128(number)),
        plate,
        kind: PlateKind::Blue,
        entered_at: noon(),
        lane: "entry".parse().unwrap(),
        decision: decision.id,
        tariff: None,
        permit: None,
    };
    vec![Fact::Decision(Box::new(decision)), opened]
}

pub(crate) fn decision(number: u128, rule: Rule, plate: &str) -> Decision {
    let refused = matches!(rule, Rule::FeeDue | Rule::Unreadable | Rule::Cooldown);
    Decision {
        id: DecisionId(Uuid::from_u128(number)),
        lane: "entry".parse().unwrap(),
        direction: Direction::Entry,
        verdict: if refused { Verdict::Refuse } else { Verdict::Open },
        rule,
        reason: "because".into(),
        plate: Some(PlateSeen {
            text: plate.into(),
            confidence: 0.9,
            kind: PlateKind::Blue,
            region: "cn".into(),
            camera: "front".parse().unwrap(),
            readings: 3,
            agreeing: 3,
            bounds: [10.0, 20.0, 110.4, 50.6],
            picture: picture_name(number),
            captured_at: noon(),
        }),
        candidates: Vec::new(),
        fee_fen: None,
        session: None,
        requested_by: None,
        latency: Latency { detect_ms: 12.0, read_ms: 3.0, ..Latency::default() },
        permits_age_s: 0,
        permits_version: None,
    }
}

pub(crate) fn picture_bytes(number: u128) -> Vec<u8> {
    [&[0xFF, 0xD8, 0xFF][..], &number.to_be_bytes()].concat()
}

pub(crate) fn picture_name(number: u128) -> String {
    let bytes = picture_bytes(number);
    to_hex(ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref())
}

impl Scene {
    /// Plates that people see, and vehicles inside.
    pub(crate) async fn counts(&self) -> (i64, i64) {
        let plates = self.cloud.plates.statistics(&self.caller).await.unwrap().plates;
        (plates, self.cloud.parking.active_count().await.unwrap())
    }

    /// A picture that is sent, signed by the site.
    pub(crate) fn picture(&self, bytes: Vec<u8>, sha256: String) -> crate::Upload {
        let length = bytes.len();
        self.part(bytes, sha256, 0, length)
    }

    /// A part of a picture.
    pub(crate) fn part(
        &self,
        bytes: Vec<u8>,
        sha256: String,
        offset: usize,
        length: usize,
    ) -> crate::Upload {
        let target = picture_target(&sha256, offset, length);
        let sender = self.site.sender("PUT", &target, &bytes);
        crate::Upload { sender, sha256, offset, length, bytes }
    }
}
