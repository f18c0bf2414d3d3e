//! Stories of a Modbus line: chargers and meters by the registers of their makers.

use std::time::Duration;

use domain::ids::CommandId;
use edge_daemon::controller::{
    Action, Command, What,
    charger::{Meter, News, Plug, Status, Target},
};
use system_tests::modbus::{Maker, ModbusLine, Wallbox};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::scene::{Scene, name};

/// Two stations and a meter on one line.
struct Site {
    heidelberg: Wallbox,
    viridian: Wallbox,
    scene: Scene,
    line: Option<ModbusLine>,
    directory: TempDir,
}

const TARGET: Target = Target { limit_ma: 16_000, fallback_ma: 0, lease_s: 2 };
const LASTING: Target = Target { lease_s: 60, ..TARGET };

impl Site {
    async fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let (heidelberg, viridian) = (Wallbox::new(), Wallbox::new());
        let path = directory.path().join("line");
        let line = plug(&directory, &heidelberg, &viridian);
        let controller = |id: &str, address: u8, model: &str| {
            format!(
                "[[controllers]]\nid = '{id}'\nlink = 'modbus'\npath = '{}'\naddress = {address}\n\
                 model = '{model}'\nbaud = 19200\nparity = 'even'\n",
                path.display()
            )
        };
        let config = [
            controller("heidelberg", 1, "heidelberg-energy-control"),
            controller("viridian", 101, "viridian-epc2-plus"),
            controller("meter", 2, "eastron-sdm630"),
        ];
        let scene = Scene::new(&config.concat());
        let line = Some(line);
        let mut site = Self { heidelberg, viridian, scene, line, directory };
        site.scene.online("heidelberg").await;
        site
    }

    /// Waits until a device can be told something.
    async fn answers(&self, device: &str) {
        until("it answers", || self.scene.controllers.is_online(&name(device))).await;
    }

    fn tell(&self, device: &str, target: Target) {
        let id = CommandId(Uuid::new_v4());
        let action = Action::Charger(target);
        let command = Command { id, action, expires_in: Duration::from_secs(3) };
        self.scene.controllers.send(&name(device), command).unwrap();
    }

    /// The next status of a charger that is as `is` says.
    async fn status(&mut self, device: &str, is: impl Fn(&Status) -> bool) -> Status {
        let status = |what: &What| match what {
            What::Charger(News::Status(status)) if is(status) => Some(status.clone()),
            _ => None,
        };
        self.scene.until(device, status).await
    }

    async fn meter(&mut self, is: impl Fn(&Meter) -> bool) -> Meter {
        let meter = |what: &What| match what {
            What::Charger(News::Meter(meter)) if is(meter) => Some(*meter),
            _ => None,
        };
        self.scene.until("meter", meter).await
    }
}

fn plug(directory: &TempDir, heidelberg: &Wallbox, viridian: &Wallbox) -> ModbusLine {
    let devices = vec![
        (1, Maker::Heidelberg, heidelberg.clone()),
        (101, Maker::Viridian, viridian.clone()),
        (2, Maker::Eastron, viridian.clone()),
    ];
    ModbusLine::new(&directory.path().join("line"), devices).unwrap()
}

async fn until(what: &str, is: impl Fn() -> bool) {
    let come = async {
        while !is() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), come).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn a_charger_lets_a_car_take_what_it_is_told_and_shows_its_meter() {
    let mut site = Site::new().await;
    site.heidelberg.plug(32.0);
    let idle = site.status("heidelberg", |status| status.plug == Plug::Plugged).await;
    assert_eq!((idle.limit_ma, idle.fault, idle.meter.current_ma), (0, None, Some(0)));
    site.tell("heidelberg", TARGET);
    let charging = site.status("heidelberg", |status| status.plug == Plug::Charging).await;
    assert_eq!((charging.limit_ma, charging.meter.current_ma), (16_000, Some(16_000)));
    let before_wh = charging.meter.energy_wh.unwrap();
    assert!(before_wh >= 1_234_567);
    let more = |status: &Status| status.meter.energy_wh > Some(before_wh);
    site.status("heidelberg", more).await;
    site.tell("heidelberg", Target { limit_ma: 0, ..TARGET });
    let stopped = site.status("heidelberg", |status| status.limit_ma == 0).await;
    assert_eq!(stopped.plug, Plug::Plugged);
    site.heidelberg.unplug();
    site.status("heidelberg", |status| status.plug == Plug::Free).await;
}

#[tokio::test]
async fn another_maker_s_charger_does_the_same_and_a_meter_beside_it_measures() {
    let mut site = Site::new().await;
    site.answers("viridian").await;
    site.viridian.plug(32.0);
    site.tell("viridian", Target { limit_ma: 13_700, ..TARGET });
    let charging = site.status("viridian", |status| status.plug == Plug::Charging).await;
    assert_eq!(charging.limit_ma, 13_000, "whole amperes, and never more");
    assert_eq!(charging.meter, Meter { energy_wh: None, current_ma: Some(13_000) });
    let metered = site.meter(|meter| meter.current_ma == Some(13_000)).await;
    assert!(metered.energy_wh >= Some(1_234_500), "{metered:?}");
    site.viridian.state().faults.broken = true;
    let broken = site.status("viridian", |status| status.fault.is_some()).await;
    assert_eq!(broken.fault.as_deref(), Some("state F"));
}

#[tokio::test]
async fn a_charger_falls_back_when_nobody_renews_what_it_was_told_and_when_the_program_ends() {
    let mut site = Site::new().await;
    site.heidelberg.plug(32.0);
    site.tell("heidelberg", TARGET);
    site.status("heidelberg", |status| status.limit_ma == 16_000).await;
    assert_eq!(site.heidelberg.state().watchdog_s, 2.0);
    // The line goes on, but the one who tells is gone.
    site.status("heidelberg", |status| status.limit_ma == 0).await;
    site.answers("viridian").await;
    site.viridian.plug(32.0);
    site.tell("viridian", TARGET);
    site.status("viridian", |status| status.limit_ma == 16_000).await;
    drop(site.scene);
    let viridian = site.viridian;
    until("it falls back by itself", || viridian.flows_a() == 0.0).await;
}

#[tokio::test]
async fn a_charger_that_lost_its_power_is_set_up_again() {
    let mut site = Site::new().await;
    site.tell("heidelberg", Target { lease_s: 60, ..TARGET });
    site.status("heidelberg", |status| status.limit_ma == 16_000).await;
    assert_eq!(site.heidelberg.state().setup, 4);
    assert_eq!(site.heidelberg.state().watchdog_s, 60.0);
    site.heidelberg.state().faults.silent = true;
    site.scene.offline("heidelberg").await;
    site.heidelberg.reboot();
    site.heidelberg.state().faults.silent = false;
    site.scene.online("heidelberg").await;
    let heidelberg = site.heidelberg.clone();
    until("its watchdog is set", || heidelberg.state().watchdog_s == 60.0).await;
    until("its limit is set", || heidelberg.state().limit_a == 16.0).await;
}

#[tokio::test]
async fn one_that_is_silent_or_late_holds_up_no_other() {
    let mut site = Site::new().await;
    for switch in [
        |wallbox: &Wallbox| wallbox.state().faults.silent = true,
        |wallbox: &Wallbox| wallbox.state().faults.late = true,
    ] {
        switch(&site.viridian);
        site.tell("heidelberg", Target { limit_ma: 0, ..LASTING });
        site.status("heidelberg", |status| status.limit_ma == 0).await;
        site.tell("heidelberg", LASTING);
        site.status("heidelberg", |status| status.limit_ma == 16_000).await;
        site.viridian.state().faults = Default::default();
    }
}

#[tokio::test]
async fn a_line_that_is_pulled_out_comes_back_by_itself() {
    let mut site = Site::new().await;
    site.line = None;
    site.scene.offline("heidelberg").await;
    site.line = Some(plug(&site.directory, &site.heidelberg, &site.viridian));
    site.scene.online("heidelberg").await;
    site.tell("heidelberg", TARGET);
    site.status("heidelberg", |status| status.limit_ma == 16_000).await;
}
