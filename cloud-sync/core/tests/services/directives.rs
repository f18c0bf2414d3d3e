//! A fee that is paid at the cloud reaches the site whose barrier asks for it.

use std::future::{pending, ready};

use chrono::TimeDelta;
use cloud_core::{
    Delivery, DirectiveRequest, Error, IngestError, PayMethod, Payable, Payment, Role, Sender,
};
use domain::{
    clock::{ClockQuality, Stamp},
    directive::{Ask, Directive},
    envelope::{ChainHash, EVENTS_PATH, Enrolment, Head, Refusal, to_hex},
    event::{Event, Fact, PlateKind},
    ids::{BootId, DecisionId, SessionId},
    money::Fen,
    tariff::{Tariff, TariffRule},
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use uuid::Uuid;

use crate::world::{World, on_each_engine, start};

on_each_engine! {
    a_payment_is_told_to_the_site_and_recognised_when_it_comes_back,
    however_many_pay_at_once_the_site_is_told_once,
    a_request_is_answered_once_by_whichever_instance,
}

async fn a_payment_is_told_to_the_site_and_recognised_when_it_comes_back(world: World) {
    let mut edge = Edge::with_a_car(&world).await;
    world.clock.advance(TimeDelta::minutes(30));
    let operator = world.caller("operator", Role::Operator).await;
    let order = world.cloud.parking.order(&operator, 1).await.unwrap();
    let waits = {
        let (cloud, request) = (world.cloud.clone(), edge.ask(0, 1));
        tokio::spawn(async move { cloud.directives.ask(request, pending()).await.unwrap() })
    };
    pay(&world, order.id).await.unwrap();
    let page = waits.await.unwrap();
    let Directive::Paid { session, amount_fen, method, paid_at } =
        page.directives[0].read().unwrap()
    else {
        panic!("no payment")
    };
    assert_eq!((session, amount_fen, method.as_str()), (edge.session(), 500, "wechat"));
    assert_eq!((paid_at, page.now), (start() + TimeDelta::minutes(30), paid_at));

    let paid = Fact::Paid {
        session,
        amount_fen,
        method,
        by: "cloud".into(),
        directive: Some(page.directives[0].sequence),
        paid_at: Some(paid_at),
    };
    world.cloud.ingest.take(edge.tell(paid)).await.unwrap();
    let payments = world.cloud.parking.payments(&operator, Default::default(), None).await.unwrap();
    let taken: i64 =
        payments.0.iter().filter(|p| p.paid_at_ms.is_some()).map(|p| p.amount_fen).sum();
    assert_eq!(taken, 500);
}

async fn however_many_pay_at_once_the_site_is_told_once(world: World) {
    let edge = Edge::with_a_car(&world).await;
    world.clock.advance(TimeDelta::minutes(30));
    let operator = world.caller("operator", Role::Operator).await;
    let order = world.cloud.parking.order(&operator, 1).await.unwrap().id;
    let payers = (0..6).map(|_| {
        let (cloud, operator) = (world.cloud.clone(), operator.clone());
        let with = Payable { method: PayMethod::Cash, amount_fen: None };
        tokio::spawn(async move { cloud.parking.pay_order(&operator, order, with).await })
    });
    let mut paid = 0;
    for payer in payers.collect::<Vec<_>>() {
        paid += usize::from(payer.await.unwrap().is_ok());
    }
    let page = world.cloud.directives.ask(edge.ask(0, 1), ready(())).await.unwrap();
    assert_eq!((paid, page.directives.len()), (1, 1));
}

async fn a_request_is_answered_once_by_whichever_instance(world: World) {
    let edge = Edge::with_a_car(&world).await;
    let (one, other) = (world.cloud.clone(), world.another());
    one.directives.ask(edge.ask(0, 1), ready(())).await.unwrap();
    let again = other.directives.ask(edge.ask(0, 1), ready(())).await;
    let declined = IngestError::Refused(Refusal::Repeated { expected: 2 });
    assert_eq!(again.unwrap_err().to_string(), declined.to_string());
    other.directives.ask(edge.ask(0, 2), ready(())).await.unwrap();
}

async fn pay(world: &World, order: i64) -> Result<Payment, Error> {
    let cashier = world.caller("cashier", Role::Operator).await;
    let with = Payable { method: PayMethod::Wechat, amount_fen: None };
    world.cloud.parking.pay_order(&cashier, order, with).await.map(|paid| paid.payment)
}

/// An enrolled site, its key and its journal.
struct Edge {
    key: Ed25519KeyPair,
    sequence: u64,
    hash: ChainHash,
}

impl Edge {
    /// The site `north`, with a car inside for which 5 yuan an hour are due.
    async fn with_a_car(world: &World) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
        let new =
            cloud_core::NewSite { id: "north".parse().unwrap(), name: "北门".into(), spots: 9 };
        let code = world.cloud.sites.add(new).await.unwrap();
        let public_key = to_hex(key.public_key().as_ref());
        world.cloud.sites.enrol(&Enrolment { code, public_key }).await.unwrap();
        let mut edge = Self { key, sequence: 0, hash: ChainHash::GENESIS };
        let tariff = Tariff {
            rule: TariffRule::Documented,
            free_minutes: 15,
            base_fee: Fen(500),
            base_seconds: 3600,
            hourly_rate: Fen(300),
            daily_max_fee: None,
        };
        let opened = Fact::SessionOpened {
            session: edge.session(),
            plate: "京A12345".into(),
            kind: PlateKind::Blue,
            entered_at: start(),
            lane: "entry".parse().unwrap(),
            decision: DecisionId(Uuid::from_u128(1)),
            tariff: Some(tariff),
            permit: None,
        };
        world.cloud.ingest.take(edge.tell(opened)).await.unwrap();
        edge
    }

    fn session(&self) -> SessionId {
        SessionId(Uuid::from_u128(5))
    }

    /// The next event, on its way.
    fn tell(&mut self, fact: Fact) -> Delivery {
        let previous = self.hash;
        self.sequence += 1;
        let event = Event {
            sequence: self.sequence,
            site: "north".parse().unwrap(),
            boot: BootId(Uuid::nil()),
            at: Stamp { wall: start(), monotonic_ms: 0, quality: ClockQuality::Synchronised },
            fact,
        };
        let event = serde_json::to_string(&event).unwrap();
        self.hash = previous.follow(event.as_bytes());
        let first = self.sequence;
        let body = format!(
            r#"{{"site":"north","first_sequence":{first},"previous_hash":"{previous}","items":[{{"event":{event}}}]}}"#
        );
        let sender = self.sender(first, "POST", EVENTS_PATH, body.as_bytes());
        Delivery { sender, body: body.into_bytes() }
    }

    fn ask(&self, after: u64, count: u64) -> DirectiveRequest {
        let ask = Ask { after, list: None };
        DirectiveRequest { sender: self.sender(count, "GET", &ask.target(), &[]), ask }
    }

    fn sender(&self, count: u64, method: &str, target: &str, body: &[u8]) -> Sender {
        let head = Head { site: "north", method, target, count };
        let signature = head.sign(&self.key, body);
        Sender { site: "north".into(), count, signature, address: None }
    }
}
