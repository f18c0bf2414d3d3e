//! The locker of the demonstration: a bank of doors over MQTT, a cabinet that is rented at the
//! cloud, and somebody who types its code now and then, whether the line is up or not.

use std::{io, path::Path};

use serde_json::{Value, json};
use system_tests::{
    device::Account,
    locker::{Cabinet, Locker, MqttLocker, Timing},
    process::http_client,
};

const DEVICE: &str = "bank-1";
const CABINET: &str = "A002";
/// Somebody comes with every so many cars.
const EVERY_CARS: u64 = 4;
const TIMING: Timing =
    Timing { release_ms: 10_000, left_open_ms: 60_000, pull_ms: 600, push_ms: 2_000 };

/// A bank on the broker, and a code that opens one of its doors.
pub struct Bank {
    locker: Locker,
    code: String,
    /// How many people have come.
    came: u64,
    _link: MqttLocker,
}

impl Bank {
    /// Puts the bank up, with a key below the edge's state directory.
    pub fn connect(site: &str, port: u16, state: &Path) -> io::Result<Self> {
        let locker = Locker::new(Cabinet::new(3, TIMING));
        locker.board().hardware.set_people(true);
        let account = Account { host: "127.0.0.1".to_owned(), port, login: None };
        let _link = MqttLocker::paired(account, site, DEVICE, state, locker.clone())?;
        Ok(Self { locker, code: String::new(), came: 0, _link })
    }

    /// Rents a cabinet at the cloud, for nothing.
    pub async fn rent(&mut self, cloud: &str, token: &str, station: &str) -> io::Result<()> {
        let cabinet = json!({"cabinet_id": CABINET, "size": "small", "location": "hall",
                             "station": station, "price_per_hour": "0.00"});
        ask(cloud, token, "cabinets/create/", cabinet).await?;
        let wanted = json!({"cabinet_id": CABINET, "duration_hours": 1000});
        let order = ask(cloud, token, "orders/create/", wanted).await?;
        let pay = format!("orders/{}/pay/", order["id"]);
        let paid = ask(cloud, token, &pay, json!({"payment_method": "balance"})).await?;
        self.code = paid["pickup_code"].as_str().unwrap_or_default().to_owned();
        Ok(())
    }

    /// Lets somebody type the code, where so many cars have come that it is time.
    pub fn after_cars(&mut self, cars: u64) {
        if cars / EVERY_CARS > self.came {
            self.came = cars / EVERY_CARS;
            self.locker.board().hardware.type_code(&self.code);
        }
    }
}

async fn ask(cloud: &str, token: &str, path: &str, body: Value) -> io::Result<Value> {
    let request = http_client().post(format!("{cloud}/api/{path}")).json(&body);
    let request = request.header("authorization", format!("Token {token}"));
    let answer = request.send().await.map_err(io::Error::other)?;
    let answer = answer.error_for_status().map_err(io::Error::other)?;
    let answer: Value = answer.json().await.map_err(io::Error::other)?;
    Ok(answer["data"].clone())
}
