//! Piles at which a site's own chargers stand, as the site's journal tells of them.

use std::future::{pending, ready};

use chrono::{DateTime, TimeDelta, Utc};
use cloud_core::{
    Caller,
    charging::{Bill, BillFilter, ParametersChange},
};
use domain::{
    charging::{
        ChargeAssigned, ChargeBlocked, ChargeEnded, ChargeMetered, ChargeStarted, ChargerFound,
        ChargersFound, EndCause, Mode, PileStatus,
    },
    clock::Clock,
    directive::Directive,
    event::Fact,
    ids::ChargingId,
    money::Fen,
};

use super::refusal;
use crate::{
    parking::edge::Edge,
    world::{World, on_each_engine},
};

on_each_engine! {
    a_request_is_charged_by_a_site_and_billed_by_its_meter,
    a_fault_at_the_site_requeues_and_what_was_delivered_is_billed_once,
    a_charge_is_ended_by_its_user_when_the_site_says_so,
    what_the_line_kept_back_is_billed_by_the_time_it_happened,
    staff_keep_a_site_s_pile_out_of_service,
    a_pile_that_staff_add_is_what_its_site_says_of_the_charger,
    what_a_site_refuses_is_served_elsewhere,
    who_is_sent_to_a_pile_where_a_car_has_stayed_is_told_at_once,
}

/// A site with fast chargers, all working.
struct Site {
    world: World,
    edge: Edge,
}

impl Site {
    async fn with(world: World, fast: u32) -> Self {
        let mut site = Self { edge: Edge::enrol(&world).await, world };
        let charger = |number: u32| ChargerFound {
            charger: format!("charger-{number}").parse().unwrap(),
            pile: format!("FAST-00{number}").parse().unwrap(),
        };
        let chargers = (1..=fast).map(charger).collect();
        site.tell(Fact::ChargersFound(ChargersFound { chargers })).await;
        for number in 1..=fast {
            site.reachable(number, true).await;
        }
        site
    }

    async fn tell(&mut self, fact: Fact) {
        self.edge.tell(&self.world, vec![fact]).await;
    }

    async fn reachable(&mut self, number: u32, online: bool) {
        let (device, reason) = (format!("charger-{number}").parse().unwrap(), String::new());
        self.tell(Fact::Device { device, online, reason }).await;
    }

    fn now(&self) -> DateTime<Utc> {
        self.world.clock.now().wall
    }

    /// The sessions that the site was told to charge, and how much, in the order of the directives.
    async fn told(&mut self) -> Vec<(ChargingId, String, i64)> {
        let told = self.edge.told(&self.world, 0).await;
        let charge = |directive| match directive {
            Directive::Charge { session, pile, energy_wh, .. } => {
                Some((session, pile.to_string(), energy_wh))
            }
            _ => None,
        };
        told.into_iter().filter_map(charge).collect()
    }

    async fn begins(&mut self, session: ChargingId) {
        let (charger, at) = ("charger-1".parse().unwrap(), self.now());
        self.tell(Fact::ChargeStarted(ChargeStarted { session, charger, at, meter_wh: 7000 }))
            .await;
    }

    async fn meters(&mut self, session: ChargingId, at: DateTime<Utc>, energy_wh: i64) {
        let meter_wh = 7000 + energy_wh.unsigned_abs();
        self.tell(Fact::ChargeMetered(ChargeMetered { session, at, energy_wh, meter_wh })).await;
    }

    async fn ends(&mut self, session: ChargingId, energy_wh: i64, cause: EndCause) {
        let (charger, at) = ("charger-1".parse().unwrap(), self.now());
        let ended = ChargeEnded { session, charger, at, energy_wh, cause };
        self.tell(Fact::ChargeEnded(ended)).await;
    }

    async fn status(&self, pile: &str) -> PileStatus {
        let piles = self.world.cloud.charging.piles(None).await.unwrap();
        piles.into_iter().find(|view| view.id.to_string() == pile).unwrap().status
    }

    async fn bills(&self, driver: &Caller) -> Vec<Bill> {
        let filter = BillFilter { limit: 100, ..BillFilter::default() };
        self.world.cloud.charging.bills(driver, filter).await.unwrap().0
    }
}

async fn a_request_is_charged_by_a_site_and_billed_by_its_meter(world: World) {
    let mut site = Site::with(world, 1).await;
    let driver = site.world.drivers(1, Mode::Fast, 30).await.remove(0);
    let told = site.told().await;
    assert_eq!(told.len(), 1);
    let (session, pile, energy_wh) = told[0].clone();
    assert_eq!((pile.as_str(), energy_wh), ("FAST-001", 30_000));
    let assigned = ChargeAssigned {
        session,
        charger: "charger-1".parse().unwrap(),
        energy_wh,
        battery_wh: None,
        begin_within_s: 900,
        borders: Vec::new(),
        directive: 1,
        told_at: site.now(),
        meter_wh: None,
    };
    site.tell(Fact::ChargeAssigned(assigned)).await;
    let current = site.world.current(&driver).await.unwrap();
    assert_eq!((current.started_at_ms, current.position), (None, 0), "nobody has plugged in");
    site.world.clock.advance(TimeDelta::minutes(10));
    site.begins(session).await;
    let started_at = site.now();
    // Noon to 15:00 is dear, then it is less so: 10 kWh before, 4 after.
    site.meters(session, started_at + TimeDelta::minutes(170), 10_000).await;
    site.world.clock.advance(TimeDelta::hours(4));
    assert_eq!(site.world.current(&driver).await.unwrap().delivered_wh, 10_000);
    site.ends(session, 14_000, EndCause::Unplugged).await;
    let bill = site.bills(&driver).await.remove(0);
    assert_eq!((bill.energy_wh, bill.started_at_ms), (14_000, started_at.timestamp_millis()));
    assert_eq!((bill.costs.peak.energy_wh, bill.costs.normal.energy_wh), (10_000, 4000));
    assert_eq!(bill.costs.total(), Fen(1200 + 320 + 14 * 80));
    assert_eq!(
        site.world.told(&driver).await.iter().map(|told| told.0).collect::<Vec<_>>(),
        ["queue", "start", "complete"]
    );
}

async fn a_fault_at_the_site_requeues_and_what_was_delivered_is_billed_once(world: World) {
    let mut site = Site::with(world, 1).await;
    let drivers = site.world.drivers(3, Mode::Fast, 30).await;
    let (first, ..) = site.told().await[0].clone();
    site.begins(first).await;
    site.world.pass_hours(1);
    let (charger, fault) = ("charger-1".parse().unwrap(), "residual current".to_owned());
    site.tell(Fact::ChargerFault { charger, fault }).await;
    site.ends(first, 11_500, EndCause::Fault).await;
    assert_eq!(site.status("FAST-001").await, PileStatus::Fault);
    let waiting = site.world.current(&drivers[0]).await.unwrap();
    assert_eq!((waiting.position, waiting.request.queue_number()), (1, "F1".to_owned()));
    site.world.pass_hours(1);
    site.tell(Fact::ChargerRecovered { charger: "charger-1".parse().unwrap() }).await;
    let told = site.told().await;
    assert_eq!((told.len(), told[1].2), (2, 18_500), "the rest, before all others");
    site.begins(told[1].0).await;
    site.world.pass_hours(1);
    site.ends(told[1].0, 18_500, EndCause::Reached).await;
    // What comes late of a session that has ended changes nothing.
    site.ends(first, 30_000, EndCause::Reached).await;
    let bills = site.bills(&drivers[0]).await;
    assert_eq!(bills.iter().map(|bill| bill.energy_wh).collect::<Vec<_>>(), [18_500, 11_500]);
    assert_eq!(site.told().await.len(), 3, "the next in line");
}

async fn a_charge_is_ended_by_its_user_when_the_site_says_so(world: World) {
    let mut site = Site::with(world, 1).await;
    let driver = site.world.drivers(1, Mode::Fast, 30).await.remove(0);
    let (session, ..) = site.told().await[0].clone();
    let charging = &site.world.cloud.charging;
    assert_eq!(refusal(charging.complete(&driver, None, ready(())).await), "not_charging");
    site.begins(session).await;
    site.world.pass_hours(1);
    let charging = &site.world.cloud.charging;
    assert_eq!(refusal(charging.complete(&driver, None, ready(())).await), "site_away");
    let stop = Directive::StopCharge { session };
    assert_eq!(site.edge.told(&site.world, 1).await, std::slice::from_ref(&stop));
    let waits = {
        let (cloud, driver) = (site.world.cloud.clone(), driver.clone());
        tokio::spawn(async move { cloud.charging.complete(&driver, None, pending()).await })
    };
    tokio::task::yield_now().await;
    site.ends(session, 9000, EndCause::Stopped).await;
    let bill = waits.await.unwrap();
    // It may have asked before the site's word came, or found that all was over.
    assert!(bill.is_err() || bill.unwrap().energy_wh == 9000);
    assert_eq!(site.bills(&driver).await[0].energy_wh, 9000);
    assert_eq!(site.edge.told(&site.world, 1).await, [stop], "asked once");
}

async fn what_the_line_kept_back_is_billed_by_the_time_it_happened(world: World) {
    let mut site = Site::with(world, 1).await;
    let drivers = site.world.drivers(2, Mode::Fast, 30).await;
    let (session, ..) = site.told().await[0].clone();
    let began_at = site.now();
    site.begins(session).await;
    site.world.pass_hours(9);
    let at = began_at + TimeDelta::hours(1);
    let charger = "charger-1".parse().unwrap();
    let ended = ChargeEnded { session, charger, at, energy_wh: 30_000, cause: EndCause::Reached };
    site.tell(Fact::ChargeEnded(ended)).await;
    let bill = site.bills(&drivers[0]).await.remove(0);
    assert_eq!(bill.ended_at_ms, at.timestamp_millis());
    assert_eq!((bill.costs.peak.energy_wh, bill.costs.total()), (30_000, Fen(3600 + 2400)));
    assert_eq!(site.told().await.len(), 2);
}

async fn staff_keep_a_site_s_pile_out_of_service(world: World) {
    let mut site = Site::with(world, 2).await;
    let admin = site.world.admin().await;
    let pile = "FAST-001".parse().unwrap();
    let set = |status| site.world.cloud.charging.set_pile(&admin, pile, status);
    assert_eq!(set(PileStatus::Offline).await.unwrap().status, PileStatus::Offline);
    site.reachable(1, true).await;
    assert_eq!(site.status("FAST-001").await, PileStatus::Offline, "staff's word holds");
    site.reachable(1, false).await;
    let set = |status| site.world.cloud.charging.set_pile(&admin, pile, status);
    assert_eq!(set(PileStatus::Normal).await.unwrap().status, PileStatus::Offline, "out of reach");
    site.reachable(1, true).await;
    assert_eq!(site.status("FAST-001").await, PileStatus::Normal);
    assert_eq!(site.status("SLOW-001").await, PileStatus::Offline, "nothing is simulated");
}

async fn a_pile_that_staff_add_is_what_its_site_says_of_the_charger(world: World) {
    let mut site = Site::with(world, 4).await;
    site.reachable(4, false).await;
    site.world.drivers(5, Mode::Fast, 30).await;
    assert_eq!(site.told().await.len(), 2, "two piles are in use");
    let admin = site.world.admin().await;
    let piles = |fast| ParametersChange { fast_piles: Some(fast), ..Default::default() };
    let set = |fast| site.world.cloud.charging.set_parameters(&admin, piles(fast));
    set(4).await.unwrap();
    let told = site.told().await;
    assert_eq!((told.len(), told[2].1.as_str()), (3, "FAST-003"));
    assert_eq!(site.status("FAST-004").await, PileStatus::Offline, "out of reach");

    let pile = "FAST-003".parse().unwrap();
    site.world.cloud.charging.set_pile(&admin, pile, PileStatus::Offline).await.unwrap();
    let set = |fast| site.world.cloud.charging.set_parameters(&admin, piles(fast));
    set(2).await.unwrap();
    set(4).await.unwrap();
    assert_eq!(site.status("FAST-003").await, PileStatus::Offline, "staff's word holds");
}

async fn what_a_site_refuses_is_served_elsewhere(world: World) {
    let mut site = Site::with(world, 2).await;
    site.world.drivers(1, Mode::Fast, 30).await;
    let (session, ..) = site.told().await[0].clone();
    let (kind, reason) = ("charge".to_owned(), "no such charger".to_owned());
    site.tell(Fact::DirectiveSkipped { directive: 1, kind, reason }).await;
    let told = site.told().await;
    assert_eq!((told.len(), told[1].1.as_str()), (2, "FAST-002"));
    assert_ne!(told[1].0, session);
    let (session, charger, at) = (told[1].0, "charger-2".parse().unwrap(), site.now());
    let ended = ChargeEnded { session, charger, at, energy_wh: 0, cause: EndCause::Refused };
    site.tell(Fact::ChargeEnded(ended)).await;
    assert_eq!(site.told().await.len(), 2, "no charger is left");
}

async fn who_is_sent_to_a_pile_where_a_car_has_stayed_is_told_at_once(world: World) {
    let mut site = Site::with(world, 1).await;
    let driver = site.world.drivers(1, Mode::Fast, 30).await.remove(0);
    let (session, ..) = site.told().await[0].clone();
    let charger = "charger-1".parse().unwrap();
    site.tell(Fact::ChargeBlocked(ChargeBlocked { session, charger })).await;
    let told = site.world.told(&driver).await;
    assert_eq!(told.iter().map(|told| told.0).collect::<Vec<_>>(), ["queue", "blocked"]);
    assert_eq!(site.status("FAST-001").await, PileStatus::Normal);
    let charger = "charger-1".parse().unwrap();
    let unknown = ChargeBlocked { session: ChargingId(uuid::Uuid::new_v4()), charger };
    site.tell(Fact::ChargeBlocked(unknown)).await;
    assert_eq!(site.world.told(&driver).await.len(), 2);
}
