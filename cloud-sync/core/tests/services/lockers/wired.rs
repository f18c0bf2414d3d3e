//! Cabinets that are wired to the edge of a site: what that is told, and what its word changes.

use cloud_core::{Error, lockers::AlertKind};
use domain::{
    directive::Directive,
    event::{Fact, Outcome},
    ids::CommandId,
    locker::{By, Cabinet, Denial, LockerFact, OrderStatus, Trouble},
};
use uuid::Uuid;

use super::station::{Station, refusal};
use crate::{
    parking::edge::Edge,
    world::{World, on_each_engine},
};

on_each_engine! {
    a_site_is_told_of_its_cabinets_and_their_orders_once_for_each_change,
    a_door_is_opened_through_the_site_and_its_word_is_waited_for,
    a_door_that_does_not_open_is_said_and_the_order_is_as_it_was,
    what_is_opened_at_the_site_begins_the_order_and_what_is_closed_ends_it,
    an_order_that_ended_meanwhile_stays_ended_and_somebody_is_told,
    a_site_speaks_for_its_own_station_alone,
    a_controller_that_is_away_is_offline,
}

const BANK: &str = "bank-1";

/// A station whose cabinets A001 and A002 are wired to the edge of the site `north`.
struct Wired {
    station: Station,
    edge: Edge,
}

impl Wired {
    async fn open(world: World) -> Self {
        let edge = Edge::enrol(&world).await;
        let station = Station::open_at(world, "北门").await;
        let mut wired = Self { station, edge };
        let doors = vec!["A001".to_owned(), "A002".to_owned()];
        let device = BANK.parse().unwrap();
        wired.tell(LockerFact::Installed { device, doors }).await;
        wired.online(true).await;
        wired
    }

    async fn tell(&mut self, fact: LockerFact) {
        self.edge.tell(&self.station.world, vec![Fact::Locker(fact)]).await;
    }

    async fn online(&mut self, online: bool) {
        let device = BANK.parse().unwrap();
        let fact = Fact::Device { device, online, reason: "so it is".into() };
        self.edge.tell(&self.station.world, vec![fact]).await;
    }

    /// Everything that the site was told so far.
    async fn told(&mut self) -> Vec<Directive> {
        self.edge.told(&self.station.world, 0).await
    }

    /// What the site was told last of a cabinet.
    async fn last_told(&mut self, name: &str) -> Cabinet {
        let told = self.told().await.into_iter().rev();
        let of_it = |directive| match directive {
            Directive::Cabinet(cabinet) if cabinet.cabinet == name => Some(cabinet),
            _ => None,
        };
        told.filter_map(of_it).next().unwrap()
    }

    /// The command that the site was given last.
    async fn command(&mut self) -> CommandId {
        let told = self.told().await.into_iter().rev();
        let of_it = |directive| match directive {
            Directive::OpenCabinet { command, .. } => Some(command),
            _ => None,
        };
        told.filter_map(of_it).next().unwrap()
    }

    async fn opened(&mut self, command: CommandId) {
        let outcome = LockerFact::Outcome {
            command,
            cabinet: "A001".into(),
            outcome: Outcome::Accepted,
            refusal: None,
            elapsed_ms: Some(9),
        };
        self.tell(outcome).await;
        let command = Some(command);
        self.tell(LockerFact::Door { cabinet: "A001".into(), closed: false, command }).await;
    }

    async fn closed(&mut self) {
        let cabinet = "A001".into();
        self.tell(LockerFact::Door { cabinet, closed: true, command: None }).await;
    }

    /// Somebody types the code of an order at the site.
    async fn typed(&mut self, order: i64) -> CommandId {
        let command = CommandId(Uuid::new_v4());
        let opening = LockerFact::Opening {
            command,
            device: BANK.parse().unwrap(),
            cabinet: "A001".into(),
            order: Some(order),
            by: By::Keypad,
            operator: None,
            directive: None,
        };
        self.tell(opening).await;
        command
    }
}

async fn a_site_is_told_of_its_cabinets_and_their_orders_once_for_each_change(world: World) {
    let mut wired = Wired::open(world).await;
    assert_eq!(wired.told().await.len(), 2, "both cabinets, which are free");
    let driver = wired.station.driver("driver", 10_000).await;
    let order = wired.station.order(&driver, "A001").await;
    assert_eq!(wired.told().await.len(), 2, "an order that is not paid opens nothing");
    let order = wired.station.pay(&driver, order.id).await.unwrap();
    let held = wired.last_told("A001").await.order.unwrap();
    assert_eq!((held.order, &held.order_no), (order.id, &order.order_no));
    assert!(held.code.is_of(order.pickup_code.as_ref().unwrap()) && !held.code.is_of("000000"));
    assert_eq!(Some(held.valid_until.timestamp_millis()), order.ends_at_ms);
    wired.station.extend(&driver, order.id, "1").await.unwrap();
    let longer = wired.last_told("A001").await.order.unwrap();
    assert_eq!((longer.valid_until - held.valid_until).num_minutes(), 60);
    assert_eq!(longer.code, held.code);
    wired.station.complete(&driver, order.id).await.unwrap();
    assert_eq!(wired.last_told("A001").await.order, None);
    assert_eq!(wired.told().await.len(), 5);
    let device = BANK.parse().unwrap();
    wired.tell(LockerFact::Installed { device, doors: vec!["A002".into()] }).await;
    assert_eq!(wired.told().await.len(), 6, "A001 is no more its own");
}

async fn a_door_is_opened_through_the_site_and_its_word_is_waited_for(world: World) {
    let mut wired = Wired::open(world).await;
    let driver = wired.station.driver("driver", 1000).await;
    let order = wired.station.paid(&driver, "A001").await;
    let opens = {
        let (cloud, driver, order) = (wired.station.cloud().clone(), driver.clone(), order.clone());
        let code = order.pickup_code.unwrap();
        tokio::spawn(async move { cloud.lockers.open(&driver, "A001", &code, false).await })
    };
    while !matches!(wired.told().await.last(), Some(Directive::OpenCabinet { .. })) {}
    let before = wired.station.reload(&driver, &order).await;
    assert_eq!(before.status, OrderStatus::Paid, "nothing has opened yet");
    let command = wired.command().await;
    assert!(!opens.is_finished());
    wired.opened(command).await;
    let opening = opens.await.unwrap().unwrap();
    assert_eq!(opening.command_id, Some(command.to_string()));
    let after = wired.station.reload(&driver, &order).await;
    assert_eq!(after.status, OrderStatus::InUse);
    assert!(after.started_at_ms.is_some());
}

async fn a_door_that_does_not_open_is_said_and_the_order_is_as_it_was(world: World) {
    let mut wired = Wired::open(world).await;
    let driver = wired.station.driver("driver", 1000).await;
    let order = wired.station.paid(&driver, "A001").await;
    let refused = LockerFact::Outcome {
        command: CommandId(Uuid::nil()),
        cabinet: "A001".into(),
        outcome: Outcome::Refused,
        refusal: Some("jammed".into()),
        elapsed_ms: Some(9),
    };
    let denied = LockerFact::Denied {
        device: None,
        cabinet: Some("A001".into()),
        why: Denial::UnknownCabinet,
        by: By::Cloud,
        command: Some(CommandId(Uuid::nil())),
        directive: None,
    };
    for (fact, word) in [(refused, "door_stuck"), (denied, "no_device")] {
        let before = wired.told().await.len();
        let opens = {
            let (cloud, driver) = (wired.station.cloud().clone(), driver.clone());
            let code = order.pickup_code.clone().unwrap();
            tokio::spawn(async move { cloud.lockers.open(&driver, "A001", &code, true).await })
        };
        while wired.told().await.len() == before {
            tokio::task::yield_now().await;
        }
        let given = wired.command().await;
        let fact = match fact {
            LockerFact::Outcome { cabinet, outcome, refusal, elapsed_ms, .. } => {
                LockerFact::Outcome { command: given, cabinet, outcome, refusal, elapsed_ms }
            }
            LockerFact::Denied { device, cabinet, why, by, directive, .. } => {
                LockerFact::Denied { device, cabinet, why, by, command: Some(given), directive }
            }
            other => other,
        };
        wired.tell(fact).await;
        assert_eq!(refusal(opens.await.unwrap()), word);
        let after = wired.station.reload(&driver, &order).await;
        assert_eq!(after.status, OrderStatus::Paid);
    }
    // A site that was not heard of for a minute is not even asked.
    wired.station.wait(1);
    assert_eq!(refusal(wired.station.open_door(&driver, &order).await), "site_away");
}

async fn what_is_opened_at_the_site_begins_the_order_and_what_is_closed_ends_it(world: World) {
    let mut wired = Wired::open(world).await;
    let driver = wired.station.driver("driver", 1000).await;
    let order = wired.station.paid(&driver, "A001").await;
    wired.station.wait(5);
    let command = wired.typed(order.id).await;
    wired.opened(command).await;
    let used = wired.station.reload(&driver, &order).await;
    assert_eq!(used.status, OrderStatus::InUse);
    assert_eq!(used.started_at_ms.unwrap() - used.paid_at_ms.unwrap(), 5 * 60_000);
    assert_eq!(refusal(wired.station.complete(&driver, order.id).await), "door_open");
    // The door stands open: to finish, it is only to be closed.
    let closing = wired.station.enter_code(&driver, &order, true).await.unwrap();
    assert_eq!(closing.command_id, None);
    wired.closed().await;
    let ended = wired.station.reload(&driver, &order).await;
    assert_eq!(ended.status, OrderStatus::Completed);
    assert_eq!(wired.station.status("A001").await, "available");
}

async fn an_order_that_ended_meanwhile_stays_ended_and_somebody_is_told(world: World) {
    let mut wired = Wired::open(world).await;
    let driver = wired.station.driver("driver", 1000).await;
    let order = wired.station.paid(&driver, "A001").await;
    wired.station.complete(&driver, order.id).await.unwrap();
    let balance = wired.station.balance(&driver).await;
    wired.station.wait(5);
    let command = wired.typed(order.id).await;
    wired.opened(command).await;
    wired.closed().await;
    let ended = wired.station.reload(&driver, &order).await;
    assert_eq!((ended.status, ended.total), (OrderStatus::Completed, order.total));
    assert!(ended.started_at_ms > ended.ended_at_ms, "that it was used is in the books");
    assert_eq!(wired.station.balance(&driver).await, balance);
    let lockers = &wired.station.world.cloud.lockers;
    let alerts = lockers.alerts(&wired.station.admin).await.unwrap();
    let told = |kind: &AlertKind| matches!(kind, AlertKind::DoorTrouble { trouble, .. } if trouble == "used_after_end");
    assert!(alerts.iter().any(|alert| told(&alert.kind)), "{alerts:?}");
}

async fn a_site_speaks_for_its_own_station_alone(world: World) {
    let mut wired = Wired::open(world).await;
    wired.station.cabinet_at("B001", "elsewhere").await;
    let device = "bank-2".parse().unwrap();
    let doors = vec!["B001".to_owned()];
    wired.tell(LockerFact::Installed { device, doors }).await;
    let before = wired.told().await.len();
    assert_eq!(before, 2, "nothing is told of what stands elsewhere");
    let cabinet = "B001".to_owned();
    wired.tell(LockerFact::Door { cabinet: cabinet.clone(), closed: false, command: None }).await;
    wired.tell(LockerFact::Trouble { cabinet, trouble: Trouble::ForcedOpen }).await;
    let lockers = &wired.station.cloud().lockers;
    assert!(lockers.cabinet("B001").await.unwrap().is_locked);
    let alerts = lockers.alerts(&wired.station.admin).await.unwrap();
    let of_door = |kind: &AlertKind| matches!(kind, AlertKind::DoorTrouble { .. });
    assert!(!alerts.iter().any(|alert| of_door(&alert.kind)), "{alerts:?}");
}

async fn a_controller_that_is_away_is_offline(world: World) {
    let mut wired = Wired::open(world).await;
    let driver = wired.station.driver("driver", 1000).await;
    let order = wired.station.paid(&driver, "A001").await;
    let online = async |wired: &Wired| {
        let lockers = &wired.station.world.cloud.lockers;
        let devices = lockers.devices(&wired.station.admin).await.unwrap();
        devices.into_iter().find(|device| device.device_id == BANK).unwrap().is_online
    };
    assert!(online(&wired).await);
    wired.online(false).await;
    assert!(!online(&wired).await);
    let away: Result<_, Error> = wired.station.open_door(&driver, &order).await;
    assert_eq!(refusal(away), "device_offline");
    wired.online(true).await;
    assert!(online(&wired).await);
    wired.station.wait(11);
    assert!(!online(&wired).await, "nor is one whose site is away");
}
