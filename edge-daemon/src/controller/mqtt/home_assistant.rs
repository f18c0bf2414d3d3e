//! What Home Assistant is told of the devices behind the broker, so that it shows them by itself: one
//! message for each, in its device form
//! (<https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload>). It shows; it can
//! command nothing, because commands are sealed.

use serde_json::{Map, Value, json};

use crate::controller::config::{Controller, Kind};

/// The topic and the payload for a device, which are retained; none for what is not behind the
/// broker.
pub(super) fn announcement(site: &str, controller: &Controller) -> Option<(String, Vec<u8>)> {
    let Controller::Mqtt { id, kind, doors } = controller else { return None };
    let own = format!("site/v1/{site}/{}/{id}", kind.word());
    let node = format!("gatehouse-{site}-{id}");
    let shown = match kind {
        Kind::Barrier => barrier(),
        Kind::Charger => charger(),
        Kind::Locker => locker(doors),
        Kind::Meter => return None,
    };
    let entities: Map<String, Value> = shown
        .into_iter()
        .map(|(name, mut entity)| {
            entity["unique_id"] = json!(format!("{node}-{name}"));
            (name, entity)
        })
        .collect();
    let message = json!({
        "device": {"identifiers": [node], "name": id, "manufacturer": "Gatehouse", "model": kind.word()},
        "origin": {"name": "Gatehouse", "sw_version": env!("CARGO_PKG_VERSION")},
        "availability_topic": format!("{own}/availability"),
        "availability_template": "{{ value_json.status }}",
        "state_topic": format!("{own}/state"),
        "qos": 1,
        "components": entities,
    });
    let payload = serde_json::to_vec(&message).expect("words are always JSON");
    Some((format!("homeassistant/device/{node}/config"), payload))
}

/// One thing to show, by its name.
type Shown = (String, Value);

fn barrier() -> Vec<Shown> {
    vec![
        sensor("arm", "value_json.arm", json!({})),
        yes_or_no("under_arm", "value_json.under_arm", "occupancy"),
        yes_or_no("in_front", "value_json.in_front", "occupancy"),
        yes_or_no("fire", "value_json.fire", "safety"),
        yes_or_no("mains", "value_json.power == 'mains'", "plug"),
    ]
}

fn charger() -> Vec<Shown> {
    let unit =
        |class: &str, unit: &str| json!({"device_class": class, "unit_of_measurement": unit});
    let mut energy = unit("energy", "Wh");
    energy["state_class"] = json!("total_increasing");
    vec![
        sensor("pilot", "value_json.pilot", json!({})),
        sensor("fault", "value_json.fault", json!({})),
        sensor("limit", "value_json.limit_ma / 1000", unit("current", "A")),
        // Absent while the meter says nothing that can be believed.
        sensor("energy", "value_json.energy_wh | default(none)", energy),
        sensor("power", "value_json.power_w | default(none)", unit("power", "W")),
        yes_or_no("charging", "value_json.closed", "power"),
    ]
}

/// The doors by the names that the cloud has for them.
fn locker(doors: &[String]) -> Vec<Shown> {
    let named = (1..).zip(doors).filter(|(_, name)| !name.is_empty());
    let shown = named.flat_map(|(number, name): (u32, _)| {
        let door = format!("(value_json.doors | selectattr('door', 'eq', {number}) | first)");
        let mut open = yes_or_no(&format!("door-{number}"), &format!("not {door}.closed"), "door");
        let jammed = format!("{door}.lock == 'jammed'");
        let mut jam = yes_or_no(&format!("jam-{number}"), &jammed, "problem");
        open.1["name"] = json!(name);
        jam.1["name"] = json!(format!("{name} jammed"));
        [open, jam]
    });
    shown.collect()
}

fn sensor(name: &str, value: &str, mut more: Value) -> Shown {
    more["platform"] = json!("sensor");
    more["name"] = json!(name.replace('_', " "));
    more["value_template"] = json!(format!("{{{{ {value} }}}}"));
    (name.to_owned(), more)
}

fn yes_or_no(name: &str, is: &str, class: &str) -> Shown {
    let value = format!("'ON' if {is} else 'OFF'");
    let (name, mut entity) = sensor(name, &value, json!({"device_class": class}));
    entity["platform"] = json!("binary_sensor");
    (name, entity)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use firmware_protocol::{barrier as wire_barrier, charger as wire_charger};

    use super::*;
    use crate::controller::mqtt::payload::{barrier, charger, locker};

    fn told(kind: Kind, doors: &[&str]) -> Value {
        let doors = doors.iter().map(|name| (*name).to_owned()).collect();
        let device = Controller::Mqtt { id: "one".parse().unwrap(), kind, doors };
        let (topic, payload) = announcement("east", &device).unwrap();
        assert_eq!(topic, "homeassistant/device/gatehouse-east-one/config");
        serde_json::from_slice(&payload).unwrap()
    }

    /// The fields of the state that templates name.
    fn fields(message: &Value) -> Vec<String> {
        let entities = message["components"].as_object().unwrap().values();
        let templates = entities.map(|entity| entity["value_template"].as_str().unwrap());
        let of = |template: &str| {
            let rest = template.split_once("value_json.").unwrap().1;
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap().to_owned()
        };
        templates.map(of).collect()
    }

    #[test]
    fn what_is_shown_is_there_in_the_state() {
        let arm = wire_barrier::Status {
            boot: 1,
            session: 1,
            uptime_s: 1,
            arm: wire_barrier::Arm::Open,
            power: wire_barrier::Power::Mains,
            under_arm: false,
            in_front: true,
            fire: false,
            under_arm_count: 0,
            in_front_count: 0,
            press: 0,
        };
        let bay = wire_charger::Status {
            boot: 1,
            session: 1,
            uptime_ms: 1,
            pilot: wire_charger::Pilot::Charging,
            fault: wire_charger::Fault::None,
            enabled: true,
            closed: true,
            limit_ma: 16_000,
            lease_s: 30,
            plugged_count: 1,
            fault_count: 0,
            meter: Some(wire_charger::Meter::default()),
        };
        let doors = vec![locker::Door { door: 1, lock: locker::Lock::Locked, closed: true }];
        let hall = locker::State { boot_id: 1, session: 1, uptime_ms: 1, seq: 0, doors };
        for (message, state) in [
            (told(Kind::Barrier, &[]), json!(barrier::State::new(&arm, 1_000))),
            (told(Kind::Charger, &[]), json!(charger::State::new(&bay, 0))),
            (told(Kind::Locker, &["A001"]), json!(hall)),
        ] {
            for field in fields(&message) {
                assert!(state.get(&field).is_some(), "{field} of {state}");
            }
        }
    }

    #[test]
    fn doors_bear_their_names_and_what_is_no_door_is_not_shown() {
        let message = told(Kind::Locker, &["A001", "", "A003"]);
        let names: Vec<_> = message["components"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["door-1", "door-3", "jam-1", "jam-3"]);
        assert_eq!(message["components"]["door-3"]["name"], "A003");
        let ids: std::collections::BTreeSet<_> = message["components"]
            .as_object()
            .unwrap()
            .values()
            .map(|entity| entity["unique_id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), 4, "each entity is one of its own");
    }

    #[test]
    fn nothing_can_be_commanded() {
        for kind in [Kind::Barrier, Kind::Charger, Kind::Locker] {
            let message = told(kind, &["A001"]).to_string();
            assert!(!message.contains("command_topic") && !message.contains("/cmd/"), "{message}");
        }
    }
}
