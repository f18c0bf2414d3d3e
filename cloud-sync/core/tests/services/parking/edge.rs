//! A site, as its journal tells of what stands there.

use chrono::DateTime;
use cloud_core::{Delivery, DirectiveRequest, NewSite, Sender};
use domain::{
    clock::Clock,
    directive::{Ask, Directive},
    envelope::{ChainHash, EVENTS_PATH, Enrolment, Head, to_hex},
    event::{Decision, Direction, Event, Fact, Latency, PlateKind, PlateSeen, Rule, Verdict},
    ids::{BootId, DecisionId, SessionId},
    tariff::Tariff,
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use uuid::Uuid;

use crate::world::World;

const SITE: &str = "north";

pub(crate) struct Edge {
    key: Ed25519KeyPair,
    sequence: u64,
    hash: ChainHash,
    asked: u64,
}

impl Edge {
    pub(crate) async fn enrol(world: &World) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
        let new = NewSite { id: SITE.parse().unwrap(), name: "北门".into(), spots: 0 };
        let code = world.cloud.sites.add(new).await.unwrap();
        let public_key = to_hex(key.public_key().as_ref());
        world.cloud.sites.enrol(&Enrolment { code, public_key }).await.unwrap();
        Self { key, sequence: 0, hash: ChainHash::GENESIS, asked: 0 }
    }

    /// The site tells something, and the cloud takes it.
    pub(crate) async fn tell(&mut self, world: &World, facts: Vec<Fact>) {
        let (first, previous) = (self.sequence + 1, self.hash);
        let items = facts.into_iter().map(|fact| {
            self.sequence += 1;
            let event = Event {
                sequence: self.sequence,
                site: SITE.parse().unwrap(),
                boot: BootId(Uuid::nil()),
                at: world.clock.now(),
                fact,
            };
            let event = serde_json::to_string(&event).unwrap();
            self.hash = self.hash.follow(event.as_bytes());
            format!(r#"{{"event":{event}}}"#)
        });
        let items = items.collect::<Vec<_>>().join(",");
        let body = format!(
            r#"{{"site":"{SITE}","first_sequence":{first},"previous_hash":"{previous}","items":[{items}]}}"#
        );
        let body = body.into_bytes();
        let sender = self.sender(first, "POST", EVENTS_PATH, &body);
        let delivery = Delivery { sender, body };
        world.cloud.ingest.take(delivery).await.unwrap();
    }

    /// What the cloud has told the site to count as paid, in fen.
    pub(super) async fn told_paid(&mut self, world: &World) -> Vec<i64> {
        let amount = |directive| match directive {
            Directive::Paid { amount_fen, .. } => Some(amount_fen),
            _ => None,
        };
        self.told(world, 0).await.into_iter().filter_map(amount).collect()
    }

    /// What the cloud has told the site after the first so many directives.
    pub(crate) async fn told(&mut self, world: &World, after: u64) -> Vec<Directive> {
        self.asked += 1;
        let ask = Ask { after, list: None };
        let sender = self.sender(self.asked, "GET", &ask.target(), &[]);
        let request = DirectiveRequest { sender, ask };
        let page = world.cloud.directives.ask(request, std::future::ready(())).await.unwrap();
        page.directives.iter().map(|told| told.read().unwrap()).collect()
    }

    fn sender(&self, count: u64, method: &str, target: &str, body: &[u8]) -> Sender {
        let head = Head { site: SITE, method, target, count };
        let signature = head.sign(&self.key, body);
        Sender { site: SITE.into(), count, signature, address: None }
    }
}

/// A car at the entry: read, let in, inside from now on.
pub(crate) fn enters(
    world: &World,
    number: u128,
    plate: &str,
    tariff: Option<Tariff>,
) -> Vec<Fact> {
    let decision = decision(world, number, plate, Direction::Entry);
    let opened = Fact::SessionOpened {
        session: session(number),
        plate: plate.into(),
        kind: PlateKind::Blue,
        entered_at: world.clock.now().wall,
        lane: "entry".parse().unwrap(),
        decision: decision.id,
        tariff,
        permit: None,
    };
    vec![Fact::Decision(Box::new(decision)), opened]
}

/// The same car at the exit.
pub(crate) fn leaves(world: &World, number: u128, plate: &str, fee_fen: i64) -> Vec<Fact> {
    let decision = decision(world, number + 1000, plate, Direction::Exit);
    let closed = Fact::SessionClosed {
        session: session(number),
        exited_at: world.clock.now().wall,
        lane: "exit".parse().unwrap(),
        fee_fen,
        decision: decision.id,
    };
    vec![Fact::Decision(Box::new(decision)), closed]
}

pub(crate) fn session(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number))
}

fn decision(world: &World, number: u128, plate: &str, direction: Direction) -> Decision {
    let captured_at: DateTime<chrono::Utc> = world.clock.now().wall;
    Decision {
        id: DecisionId(Uuid::from_u128(number)),
        lane: if direction == Direction::Entry { "entry" } else { "exit" }.parse().unwrap(),
        direction,
        verdict: Verdict::Open,
        rule: Rule::Public,
        reason: "because".into(),
        plate: Some(PlateSeen {
            text: plate.into(),
            confidence: 0.9,
            kind: PlateKind::Blue,
            region: "cn".into(),
            camera: "front".parse().unwrap(),
            readings: 3,
            agreeing: 3,
            bounds: [10.0, 20.0, 110.0, 50.0],
            picture: format!("{number:064x}"),
            captured_at,
        }),
        candidates: Vec::new(),
        fee_fen: None,
        session: None,
        requested_by: None,
        latency: Latency::default(),
        permits_age_s: 0,
        permits_version: None,
    }
}
