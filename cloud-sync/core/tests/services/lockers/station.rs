//! A station with a controller and a few cabinets at 2.00 an hour, as the stories find it.

use std::sync::Arc;

use chrono::TimeDelta;
use cloud_core::{
    Admin, Caller, Cloud, Device, Error, Role,
    lockers::{DoorReport, NewCabinet, NewDevice, Opening, Order, PayMethod, Payment},
};
use domain::{
    locker::{Hours, Size},
    money::Fen,
};

use crate::world::World;

pub(super) const STATION: &str = "火车站";
pub(super) const DEVICE: &str = "ESP32_001";

pub(super) struct Station {
    pub(super) world: World,
    pub(super) admin: Admin,
    pub(super) boss: Caller,
    pub(super) device: Device,
}

impl Station {
    /// With the cabinets A001 and A002, and a controller that calls by itself.
    pub(super) async fn open(world: World) -> Self {
        Self::open_at(world, STATION).await
    }

    /// The same at a station of this name.
    pub(super) async fn open_at(world: World, name: &str) -> Self {
        let boss = world.caller("boss", Role::Admin).await;
        let admin = boss.admin().unwrap();
        let device = controller(&world.cloud, &admin, DEVICE, name).await;
        let station = Self { world, admin, boss, device };
        station.cabinet_at("A001", name).await;
        station.cabinet_at("A002", name).await;
        station
    }

    pub(super) fn cloud(&self) -> &Arc<Cloud> {
        &self.world.cloud
    }

    pub(super) async fn cabinet(&self, cabinet_id: &str) {
        self.cabinet_at(cabinet_id, STATION).await;
    }

    pub(super) async fn cabinet_at(&self, cabinet_id: &str, station: &str) {
        let new = NewCabinet {
            cabinet_id: cabinet_id.into(),
            size: Size::Small,
            location: "站厅东侧".into(),
            station: station.into(),
            price: Fen(200),
            device_id: None,
        };
        self.cloud().lockers.add_cabinet(&self.admin, new).await.unwrap();
    }

    /// Somebody with so much on the balance.
    pub(super) async fn driver(&self, username: &str, fen: i64) -> Caller {
        let driver = self.world.visitor(username).await;
        if fen > 0 {
            let (accounts, id) = (&self.cloud().accounts, driver.own_id().unwrap());
            accounts.top_up(&self.admin, id, fen, "cash").await.unwrap();
        }
        driver
    }

    pub(super) async fn balance(&self, driver: &Caller) -> i64 {
        self.cloud().accounts.own(driver).await.unwrap().balance_fen
    }

    pub(super) async fn order(&self, driver: &Caller, cabinet: &str) -> Order {
        self.cloud().lockers.order(driver, cabinet, hours("2")).await.unwrap()
    }

    /// Two hours of a cabinet, paid from the balance.
    pub(super) async fn paid(&self, driver: &Caller, cabinet: &str) -> Order {
        let order = self.order(driver, cabinet).await;
        self.pay(driver, order.id).await.unwrap()
    }

    pub(super) async fn pay(&self, driver: &Caller, id: i64) -> Result<Order, Error> {
        self.cloud().lockers.pay(driver, id, PayMethod::Balance).await.map(done)
    }

    pub(super) async fn extend(
        &self,
        driver: &Caller,
        id: i64,
        more: &str,
    ) -> Result<Order, Error> {
        let lockers = &self.cloud().lockers;
        lockers.extend(driver, id, hours(more), PayMethod::Balance).await.map(done)
    }

    pub(super) async fn complete(&self, driver: &Caller, id: i64) -> Result<Order, Error> {
        self.cloud().lockers.complete(driver, id, PayMethod::Balance).await.map(done)
    }

    pub(super) async fn open_door(&self, driver: &Caller, order: &Order) -> Result<Opening, Error> {
        self.enter_code(driver, order, false).await
    }

    pub(super) async fn enter_code(
        &self,
        driver: &Caller,
        order: &Order,
        finish: bool,
    ) -> Result<Opening, Error> {
        let code = order.pickup_code.clone().unwrap();
        self.cloud().lockers.open(driver, &order.cabinet_id, &code, finish).await
    }

    /// The command that the controller is shown, if any.
    pub(super) async fn poll(&self) -> Option<String> {
        let next = self.cloud().lockers.next_command(&self.device, DEVICE).await.unwrap();
        next.map(|command| command.command_id)
    }

    pub(super) async fn door(&self, cabinet: &str, is_closed: bool) {
        let report = DoorReport { cabinet_id: cabinet.into(), is_closed };
        self.cloud().lockers.report(&self.device, vec![report], Some(80)).await.unwrap();
    }

    /// The door is opened by its command, used, and closed.
    pub(super) async fn use_door(&self, cabinet: &str) {
        self.poll().await.unwrap();
        self.door(cabinet, false).await;
        self.door(cabinet, true).await;
    }

    /// The controller asks when its command is void already.
    pub(super) async fn use_door_late(&self, cabinet: &str) {
        assert_eq!(self.poll().await, None);
        self.door(cabinet, true).await;
    }

    pub(super) async fn reload(&self, driver: &Caller, order: &Order) -> Order {
        self.cloud().lockers.get_order(driver, order.id).await.unwrap()
    }

    pub(super) async fn status(&self, cabinet: &str) -> &'static str {
        self.cloud().lockers.cabinet(cabinet).await.unwrap().status.as_str()
    }

    pub(super) fn wait(&self, minutes: i64) {
        self.world.clock.advance(TimeDelta::minutes(minutes));
    }
}

/// A new controller.
pub(super) async fn controller(cloud: &Cloud, admin: &Admin, id: &str, station: &str) -> Device {
    let new = NewDevice {
        device_id: id.parse().unwrap(),
        station: station.into(),
        name: None,
        location: None,
    };
    let (_, key) = cloud.lockers.add_device(admin, new).await.unwrap();
    cloud.devices.by_key(&key).await.unwrap()
}

pub(super) fn hours(text: &str) -> Hours {
    text.parse().unwrap()
}

/// The word of a refusal.
pub(super) fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> &'static str {
    match outcome {
        Err(Error::Refused(word)) => word,
        other => panic!("not refused: {other:?}"),
    }
}

fn done(payment: Payment) -> Order {
    match payment {
        Payment::Done(order) => order,
        Payment::Waiting { .. } => panic!("a balance does not wait"),
    }
}
