//! The chargers of the demo, one of each kind, and the cars that charge there.

use std::{io, path::Path};

use domain::ids::DeviceId;
use serde_json::json;
use system_tests::{
    charger::{Charger, MqttCharger, Pile, SerialCharger, Vehicle},
    device::{Account, Simulated},
    modbus::{Maker, ModbusLine, Wallbox},
    process::http_client,
    serial::SerialLine,
    site::Cloud,
};
use uuid::Uuid;

use super::stage::SITE;

/// What is asked for, in kilowatt-hours, and at which kind of pile.
const WISHES: [(&str, f64); 3] = [("fast", 0.05), ("fast", 0.04), ("slow", 0.03)];
const CAR: Vehicle = Vehicle { max_ma: 32_000, phases: 3, room_wh: 40_000 };

/// The chargers, and what leads to them.
pub struct Chargers {
    modbus: Wallbox,
    serial: Charger,
    mqtt: Charger,
    configuration: String,
    _links: (ModbusLine, SerialLine, MqttCharger),
}

impl Chargers {
    /// Puts them up for a site with its state in `state`.
    pub fn set(folder: &Path, state: &Path, broker: Account) -> io::Result<Self> {
        let pile = || Simulated::new(Pile::new(32_000, 3, 20_000));
        let (modbus, serial, mqtt) = (Wallbox::new(), pile(), pile());
        let (modbus_path, serial_path) = (folder.join("tty-modbus"), folder.join("tty-charger"));
        let devices = vec![(1, Maker::Heidelberg, modbus.clone())];
        let modbus_line = ModbusLine::new(&modbus_path, devices)?;
        let stations = vec![(1, SerialCharger(serial.clone()))];
        let serial_line = SerialLine::new(&serial_path, stations)?;
        let link = MqttCharger::paired(broker, SITE, "charger-mqtt", state, mqtt.clone())?;
        let configuration = format!(
            "{}\n[[controllers]]\nid = \"charger-modbus\"\nlink = \"modbus\"\npath = {modbus_path:?}\n\
             model = \"heidelberg-energy-control\"\n\
             [[controllers]]\nid = \"charger-serial\"\nlink = \"serial\"\nkind = \"charger\"\n\
             path = {serial_path:?}\n\
             [[controllers]]\nid = \"charger-mqtt\"\nlink = \"mqtt\"\nkind = \"charger\"\n",
            include_str!("charging.toml"),
        );
        Ok(Self { modbus, serial, mqtt, configuration, _links: (modbus_line, serial_line, link) })
    }

    /// Their part of the site's configuration.
    pub fn configuration(&self) -> &str {
        &self.configuration
    }

    /// How many there are.
    pub const fn count() -> usize {
        WISHES.len()
    }

    /// A car is plugged in at a charger, or taken away.
    pub fn plug(&self, charger: &DeviceId, is_there: bool) {
        let car = is_there.then_some(CAR);
        match charger.as_str() {
            "charger-modbus" if is_there => self.modbus.plug(16.0),
            "charger-modbus" => self.modbus.unplug(),
            "charger-serial" => self.serial.board().hardware.plug(car),
            _ => self.mqtt.board().hardware.plug(car),
        }
    }
}

/// Three drivers ask the cloud for a charge.
pub async fn ask(cloud: &Cloud) -> io::Result<()> {
    for (number, (mode, kwh)) in (1..).zip(WISHES) {
        let secret = Uuid::new_v4().simple().to_string();
        let token = cloud.add_user(&format!("driver-{number}"), "visitor", &secret).await?;
        let url = format!("{}/api/charging/request/", cloud.url());
        let wish = json!({"charging_mode": mode, "requested_amount": kwh, "battery_capacity": 60});
        let asked = http_client().post(url).header("authorization", format!("Token {token}"));
        let answer = asked.json(&wish).send().await.map_err(io::Error::other)?;
        answer.error_for_status().map_err(io::Error::other)?;
    }
    Ok(())
}
