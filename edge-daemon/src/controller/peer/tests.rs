//! A device as its link sees it: a charger, of whose orders only the newest counts.
#![allow(clippy::unwrap_used)]

use firmware_protocol::{
    charger::{self as wire, Action, Allowance, Fault, Pilot, Refusal},
    session::{Arrival, Device},
};

use super::*;
use crate::controller::{
    Action as AnyAction,
    charger::{Capability, Charger, News, Plug, Target},
};

const PACE: Pace =
    Pace { poll_every_ms: Some(500), answer_within_ms: 50, silent_after_ms: 3_000, sealed: false };

struct Scene {
    peer: Peer<Charger>,
    charger: Device<Refusal>,
    told: Vec<Action>,
    reports: Vec<Report>,
    now_ms: u64,
    /// Commands reach it, and its answers are lost.
    is_mute: bool,
}

impl Scene {
    fn new() -> Self {
        let peer = Peer::new("charger-1".parse().unwrap(), PACE, Arc::default(), 0);
        let (told, reports) = (Vec::new(), Vec::new());
        let charger = Device::new(7);
        Self { peer, charger, told, reports, now_ms: 0, is_mute: false }
    }

    fn run(&mut self, for_ms: u64) {
        for _ in 0..for_ms {
            self.now_ms += 1;
            self.peer.tick(self.now_ms, &mut self.reports);
            if let Some(request) = self.peer.due(self.now_ms) {
                self.answer(&request);
            }
        }
    }

    fn answer(&mut self, request: &Request<Action>) {
        let now_ms = self.now_ms;
        if let Request::Command(command) = request {
            let told = &mut self.told;
            let arrival = Arrival::on_line(now_ms);
            let reply = self.charger.command(command, arrival, || {
                told.push(command.action);
                Ok(())
            });
            if !self.is_mute {
                assert!(self.peer.replied(&reply, now_ms, &mut self.reports));
            }
            return;
        }
        if let Request::Hello(hello) = request {
            self.charger.hello(hello, now_ms);
        }
        let status = wire::Status {
            boot: self.charger.boot(),
            session: self.charger.session(),
            uptime_ms: now_ms,
            pilot: Pilot::Charging,
            fault: Fault::None,
            enabled: true,
            closed: true,
            limit_ma: 16_000,
            lease_s: 30,
            plugged_count: 1,
            fault_count: 0,
            meter: Some(wire::Meter { energy_wh: 5, ..wire::Meter::default() }),
        };
        self.peer.heard(status, now_ms, &mut self.reports);
    }

    fn order(&mut self, limit_ma: u32) {
        let target = Target { limit_ma, fallback_ma: 6_000, lease_s: 30 };
        let order = Order {
            device: self.peer.device().clone(),
            id: CommandId(Uuid::new_v4()),
            action: AnyAction::Charger(target),
            expires_at_ms: self.now_ms + 3_000,
        };
        self.peer.order(&order, &mut self.reports);
    }
}

fn enable(limit_ma: u32) -> Action {
    Action::Enable(Allowance { limit_ma, lease_s: 30, fallback_ma: 6_000 })
}

#[test]
fn it_comes_online_and_tells_how_it_is() {
    let mut scene = Scene::new();
    scene.run(1_000);
    assert!(scene.peer.is_online());
    assert_eq!(scene.reports[0].what, What::Online);
    let What::Charger(News::Status(status)) = &scene.reports[1].what else { panic!() };
    assert_eq!((status.plug, status.limit_ma), (Plug::Charging, 16_000));
    assert_eq!(status.meter.energy_wh, Some(5));
    assert_eq!(scene.peer.status(), Some(status));
}

#[test]
fn it_is_told_each_thing_once() {
    let mut scene = Scene::new();
    scene.run(1_000);
    for limit_ma in [16_000, 5_999, 10_000] {
        scene.order(limit_ma);
        scene.run(100);
    }
    assert_eq!(scene.told, [enable(16_000), Action::Disable, enable(10_000)]);
}

#[test]
fn what_is_older_is_never_told_after_what_is_newer() {
    let mut scene = Scene::new();
    scene.run(1_000);
    scene.is_mute = true;
    scene.order(16_000);
    scene.run(100);
    for limit_ma in [12_000, 8_000, 0] {
        scene.order(limit_ma);
    }
    scene.is_mute = false;
    scene.run(2_000);
    assert_eq!(scene.told, [enable(16_000), Action::Disable]);
    let taken = scene.reports.iter().filter(|report| {
        matches!(report.what, What::Result { outcome: event::Outcome::Accepted, .. })
    });
    assert_eq!(taken.count(), 2);
}

#[test]
fn one_that_is_away_is_told_nothing_later() {
    let mut scene = Scene::new();
    scene.run(1_000);
    scene.peer.lost("the line is gone", &mut scene.reports);
    scene.order(16_000);
    scene.run(1_000);
    assert_eq!(scene.told, []);
}
