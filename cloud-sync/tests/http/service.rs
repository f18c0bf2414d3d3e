//! A running service, a site that is enrolled there, and callers of each role.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, Utc};
use cloud_core::{Cloud, LockerSettings, NewAccount, NewSite, Options, Role};
use cloud_sync::{SystemClock, config::Config, payments::Gateways, server};
use domain::{
    clock::{Clock, ClockQuality, Stamp},
    directive::Ask,
    envelope::{
        COUNT_HEADER, ChainHash, Enrolment, Head, SIGNATURE_HEADER, SITE_HEADER, picture_target,
        to_hex,
    },
    event::{Decision, Direction, Event, Fact, Latency, PlateKind, PlateSeen, Rule, Verdict},
    ids::{BootId, DecisionId, SessionId},
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use ring::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use uuid::Uuid;

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    client: reqwest::Client,
    cloud: Cloud,
    site: Site,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    folder: TempDir,
}

struct Site {
    key: Ed25519KeyPair,
    sequence: u64,
    hash: ChainHash,
    count: AtomicU64,
}

/// Starts a service with the default configuration on a free port of the loopback address.
pub(crate) async fn start() -> Service {
    start_with(Config::default()).await
}

pub(crate) async fn start_with(config: Config) -> Service {
    start_by(config, Arc::new(SystemClock::new())).await
}

/// Starts a service on a database; none for a new SQLite file.
pub(crate) async fn start_at(database_url: Option<String>) -> Service {
    start_where(Config::default(), Arc::new(SystemClock::new()), database_url).await
}

/// As [`start_with`], on a database.
pub(crate) async fn start_on(config: Config, database_url: String) -> Service {
    start_where(config, Arc::new(SystemClock::new()), Some(database_url)).await
}

/// Starts a service that goes by a clock of the test's own.
pub(crate) async fn start_by(config: Config, clock: Arc<dyn Clock>) -> Service {
    start_where(config, clock, None).await
}

async fn start_where(
    config: Config,
    clock: Arc<dyn Clock>,
    database_url: Option<String>,
) -> Service {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        Cloud::open(Options {
            database_url: database_url.clone().unwrap_or_else(|| {
                format!("sqlite:///{}", folder.path().join("cloud.db").display())
            }),
            pictures: Some(folder.path().join("pictures")),
            zone: chrono_tz::Tz::Asia__Shanghai,
            clock: clock.clone(),
            providers: Gateways::new(&config.payment, &clock).unwrap().all(),
            lockers: LockerSettings::default(),
            settings: config.settings(),
        })
        .unwrap()
    };
    let (cloud, served) = (open(), open());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        server::serve(served, &config, listener, stop).await.unwrap();
    });
    let key = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let count = AtomicU64::new(1);
    let site = Site { key, sequence: 0, hash: ChainHash::GENESIS, count };
    let client = reqwest::Client::new();
    let stop = Some(stop);
    let service = Service { address, client, cloud, site, stop, server, folder };
    service.enrol("north", "北门", 10).await;
    service
}

impl Service {
    async fn enrol(&self, id: &str, name: &str, spots: u32) {
        let new = NewSite { id: id.parse().unwrap(), name: name.into(), spots };
        let code = self.cloud.sites.add(new).await.unwrap();
        let public_key = to_hex(self.site.key.public_key().as_ref());
        let answer = self
            .request(Method::POST, "/edge/v1/enrol")
            .json(&Enrolment { code, public_key })
            .send()
            .await
            .unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap()["site"], id);
    }

    /// Puts a year of a large service into the database, behind its back.
    pub(crate) fn fill(&self, plates: u32, rows: u32) {
        let database = rusqlite::Connection::open(self.folder.path().join("cloud.db")).unwrap();
        let fast = "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA temp_store = 2";
        database.execute_batch(fast).unwrap();
        let sql = filling(plates, rows);
        database.execute_batch(&format!("BEGIN IMMEDIATE; {sql} COMMIT")).unwrap();
    }

    /// A request of somebody at this machine without credentials.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// A call with a token.
    pub(crate) async fn call(&self, token: &str, method: Method, path: &str) -> Answer {
        let request = self.request(method, path).header("authorization", format!("Token {token}"));
        Answer::of(request.send().await.unwrap()).await
    }

    /// The token of a new account.
    pub(crate) async fn token(&self, role: Role) -> String {
        self.token_of(role.as_str(), role).await
    }

    /// The token of a new account of that name.
    pub(crate) async fn token_of(&self, username: &str, role: Role) -> String {
        let (password, phone, email) = ("secret-1".to_owned(), None, None);
        let new = NewAccount { username: username.to_owned(), password, role, phone, email };
        self.cloud.accounts.add(new).await.unwrap();
        self.cloud.accounts.issue_token(username).await.unwrap()
    }

    /// The API key of a new controller of lockers.
    pub(crate) async fn device(&self, id: &str, station: &str) -> String {
        self.cloud.devices.add(&id.parse().unwrap(), station).await.unwrap()
    }

    /// What the site sends next, as a signed request.
    pub(crate) fn batch(&mut self, facts: Vec<Fact>) -> RequestBuilder {
        let (first, previous) = (self.site.sequence + 1, self.site.hash);
        let items = facts.into_iter().map(|fact| {
            self.site.sequence += 1;
            let event = Event {
                sequence: self.site.sequence,
                site: "north".parse().unwrap(),
                boot: BootId(Uuid::nil()),
                at: Stamp { wall: now(), monotonic_ms: 0, quality: ClockQuality::Synchronised },
                fact,
            };
            let event = serde_json::to_string(&event).unwrap();
            self.site.hash = self.site.hash.follow(event.as_bytes());
            format!(r#"{{"event":{event}}}"#)
        });
        let items = items.collect::<Vec<_>>().join(",");
        let body = format!(
            r#"{{"site":"north","first_sequence":{first},"previous_hash":"{previous}","items":[{items}]}}"#
        );
        self.signed(Method::POST, "/edge/v1/events", body.into_bytes())
    }

    /// A new request that the site has signed.
    pub(crate) fn signed(&self, method: Method, target: &str, body: Vec<u8>) -> RequestBuilder {
        let count = self.site.count.fetch_add(1, Ordering::Relaxed);
        self.signed_at(count, method, target, body)
    }

    /// A request of this number that the site has signed.
    fn signed_at(&self, count: u64, method: Method, target: &str, body: Vec<u8>) -> RequestBuilder {
        let head = Head { site: "north", method: method.as_str(), target, count };
        let signature = head.sign(&self.site.key, &body);
        self.request(method, target)
            .header(SITE_HEADER, "north")
            .header(COUNT_HEADER, count)
            .header(SIGNATURE_HEADER, signature)
            .body(body)
    }

    /// A picture, whole.
    pub(crate) fn put(&self, picture: Vec<u8>) -> RequestBuilder {
        let target = picture_target(&sha256(&picture), 0, picture.len());
        self.signed(Method::PUT, &target, picture)
    }

    /// What the site asks the cloud for, signed.
    pub(crate) fn ask(&self, ask: Ask, count: u64) -> RequestBuilder {
        self.signed_at(count, Method::GET, &ask.target(), Vec::new())
    }

    /// The site tells something, and the cloud takes it.
    pub(crate) async fn tell(&mut self, facts: Vec<Fact>) {
        let answer = self.batch(facts).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
    }

    /// A car comes in, and its picture arrives.
    pub(crate) async fn car(&mut self, number: u128, plate: &str) {
        self.tell(vec![Fact::Decision(Box::new(entry(number, plate))), opened(number, plate)])
            .await;
        let answer = self.put(picture(number)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }

    /// Stops the service and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.server.await.unwrap();
    }
}

/// The statements that put a year of a large service into a database.
pub(crate) fn filling(plates: u32, rows: u32) -> String {
    include_str!("large.sql")
        .replace("{plates}", &plates.to_string())
        .replace("{rows}", &rows.to_string())
        .replace("{now_ms}", &now().timestamp_millis().to_string())
}

/// An answer that has been read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        Self { status, headers, json: serde_json::from_slice(&body).unwrap_or_default() }
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

pub(crate) fn picture(number: u128) -> Vec<u8> {
    [&[0xFF, 0xD8, 0xFF][..], &number.to_be_bytes()].concat()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    to_hex(digest(&SHA256, bytes).as_ref())
}

pub(crate) fn entry(number: u128, plate: &str) -> Decision {
    Decision {
        id: DecisionId(Uuid::from_u128(number)),
        lane: "entry".parse().unwrap(),
        direction: Direction::Entry,
        verdict: Verdict::Open,
        rule: Rule::Public,
        reason: "open to everybody".into(),
        plate: Some(PlateSeen {
            text: plate.into(),
            confidence: 0.94,
            kind: PlateKind::Blue,
            region: "cn".into(),
            camera: "front".parse().unwrap(),
            readings: 3,
            agreeing: 3,
            bounds: [100.0, 200.0, 300.0, 250.0],
            picture: sha256(&picture(number)),
            captured_at: now(),
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

pub(crate) fn opened(number: u128, plate: &str) -> Fact {
    Fact::SessionOpened {
        session: SessionId(Uuid::from_u128(number)),
        plate: plate.into(),
        kind: PlateKind::Blue,
        entered_at: now(),
        lane: "entry".parse().unwrap(),
        decision: DecisionId(Uuid::from_u128(number)),
        tariff: None,
        permit: None,
    }
}
