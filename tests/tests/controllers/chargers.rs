//! Stories of chargers that speak our protocol, on a line and behind a broker.

use std::{path::PathBuf, time::Duration};

use domain::{event::Outcome, ids::CommandId};
use edge_daemon::controller::{
    Action, Command, What,
    charger::{News, Plug, Status, Target},
    keys::Keys,
};
use firmware_protocol::{
    charger::Fault,
    seal::{KEY_BYTES, Key},
};
use system_tests::{
    charger::{Charger, MqttCharger, Pile, SerialCharger, Vehicle},
    device::{Account, Simulated},
    mosquitto::Mosquitto,
    serial::SerialLine,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::scene::{Scene, name};

const KEY: [u8; KEY_BYTES] = [9; KEY_BYTES];
const CAR: Vehicle = Vehicle { max_ma: 32_000, phases: 3, room_wh: 40_000 };
const TARGET: Target = Target { limit_ma: 16_000, fallback_ma: 6_000, lease_s: 30 };

/// What leads to a charger; gone with it.
enum Way {
    Line { _line: SerialLine },
    Broker(Mosquitto, Option<MqttCharger>),
}

struct Site {
    charger: Charger,
    scene: Scene,
    way: Way,
    _folder: TempDir,
}

impl Site {
    async fn on_a_line() -> Self {
        let folder = TempDir::new().unwrap();
        let (path, charger) = (folder.path().join("line"), charger());
        let line = SerialLine::new(&path, vec![(3, SerialCharger(charger.clone()))]).unwrap();
        let config = format!(
            "[[controllers]]\nid = 'charger'\nlink = 'serial'\nkind = 'charger'\npath = '{}'\n\
             address = 3\n",
            path.display()
        );
        let mut scene = Scene::new(&config);
        scene.online("charger").await;
        Self { charger, scene, way: Way::Line { _line: line }, _folder: folder }
    }

    /// With the site's key, which the charger has as well.
    async fn behind_a_broker() -> Self {
        let (folder, broker, charger) =
            (TempDir::new().unwrap(), Mosquitto::start().unwrap(), charger());
        Keys::new(folder.path()).keep("charger", &name("charger"), &KEY).unwrap();
        let mut scene = Scene::with_keys(&behind(&broker), folder.path());
        let link = connect(&broker, &charger);
        scene.online("charger").await;
        Self { charger, scene, way: Way::Broker(broker, Some(link)), _folder: folder }
    }

    async fn both() -> [Self; 2] {
        [Self::on_a_line().await, Self::behind_a_broker().await]
    }

    fn tell(&self, target: Target) -> CommandId {
        let id = CommandId(Uuid::new_v4());
        let action = Action::Charger(target);
        let command = Command { id, action, expires_in: Duration::from_secs(3) };
        self.scene.controllers.send(&name("charger"), command).unwrap();
        id
    }

    async fn status(&mut self, is: impl Fn(&Status) -> bool) -> Status {
        let status = |what: &What| match what {
            What::Charger(News::Status(status)) if is(status) => Some(status.clone()),
            _ => None,
        };
        self.scene.until("charger", status).await
    }
}

fn charger() -> Charger {
    Simulated::new(Pile::new(32_000, 3, 5_000))
}

fn behind(broker: &Mosquitto) -> String {
    let port = broker.port();
    format!(
        "[[controllers]]\nid = 'charger'\nlink = 'mqtt'\nkind = 'charger'\n[mqtt]\nport = {port}\n"
    )
}

fn connect(broker: &Mosquitto, charger: &Charger) -> MqttCharger {
    let account = Account { host: "127.0.0.1".to_owned(), port: broker.port(), login: None };
    MqttCharger::new(account, "site", "charger", Some(Key::new(KEY)), charger.clone())
}

#[tokio::test]
async fn a_charger_lets_a_car_take_what_it_is_told_and_shows_its_meter() {
    for mut site in Site::both().await {
        site.charger.board().hardware.set_speed(1_000);
        site.charger.board().hardware.plug(Some(CAR));
        let idle = site.status(|status| status.plug == Plug::Plugged).await;
        assert_eq!((idle.limit_ma, idle.fault, idle.meter.energy_wh), (0, None, Some(5_000)));
        let told = site.tell(TARGET);
        assert_eq!(site.scene.result("charger", told).await, Outcome::Accepted);
        let charging = site.status(|status| status.plug == Plug::Charging).await;
        assert_eq!((charging.limit_ma, charging.meter.current_ma), (16_000, Some(16_000)));
        site.status(|status| status.meter.energy_wh > Some(5_100)).await;
        site.tell(Target { limit_ma: 0, ..TARGET });
        site.status(|status| status.limit_ma == 0 && status.plug == Plug::Plugged).await;
        site.charger.board().hardware.plug(None);
        site.status(|status| status.plug == Plug::Free).await;
    }
}

#[tokio::test]
async fn it_falls_back_by_itself_when_nobody_renews_what_it_was_told() {
    for mut site in Site::both().await {
        site.charger.board().hardware.plug(Some(CAR));
        site.tell(Target { lease_s: 2, ..TARGET });
        site.status(|status| status.limit_ma == 16_000).await;
        site.status(|status| status.limit_ma == 6_000 && status.plug == Plug::Charging).await;
        drop(site.scene);
        assert_eq!(site.charger.board().hardware.limit_ma(), 6_000);
    }
}

#[tokio::test]
async fn what_is_wrong_with_it_is_told_until_it_is_right_again() {
    for mut site in Site::both().await {
        site.charger.board().hardware.set_fault(Fault::Residual);
        let broken = site.status(|status| status.fault.is_some()).await;
        assert_eq!(broken.fault.as_deref(), Some("a current to earth"));
        let told = site.tell(TARGET);
        assert_eq!(site.scene.result("charger", told).await, Outcome::Refused);
        site.charger.board().hardware.set_fault(Fault::None);
        site.status(|status| status.fault.is_none()).await;
    }
}

#[tokio::test]
async fn one_that_lost_its_power_lets_nothing_through_until_it_is_told_anew() {
    for mut site in Site::both().await {
        site.charger.board().hardware.plug(Some(CAR));
        site.tell(TARGET);
        let before = site.status(|status| status.plug == Plug::Charging).await;
        if let Way::Broker(_, link) = &mut site.way {
            link.take();
        }
        site.charger.board().restart();
        if let Way::Broker(broker, link) = &mut site.way {
            *link = Some(connect(broker, &site.charger));
        }
        site.scene.offline("charger").await;
        site.scene.online("charger").await;
        let anew = site.status(|_| true).await;
        assert_eq!((anew.limit_ma, anew.plug), (0, Plug::Plugged));
        assert!(anew.meter.energy_wh >= before.meter.energy_wh, "its meter goes on");
        site.tell(TARGET);
        site.status(|status| status.plug == Plug::Charging).await;
    }
}

#[tokio::test]
async fn one_without_a_key_is_not_talked_to() {
    let (folder, broker, charger) =
        (TempDir::new().unwrap(), Mosquitto::start().unwrap(), charger());
    let mut scene = Scene::with_keys(&behind(&broker), folder.path());
    let _link = connect(&broker, &charger);
    assert!(scene.offline("charger").await.contains("it has no key"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.rest(), []);
    let folder: PathBuf = folder.path().to_owned();
    Keys::new(&folder).keep("charger", &name("charger"), &[8; KEY_BYTES]).unwrap();
    let mut scene = Scene::with_keys(&behind(&broker), &folder);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let strange = scene.rest().into_iter().filter(|report| report.what == What::Online);
    assert_eq!(strange.count(), 0, "it has another key");
}
