//! Makes the AsyncAPI document: channels by kind of device, and the schemas of their payloads.

use edge_daemon::controller::mqtt::payload::{
    self, Availability, Command, CommandResult, Event, Hello, Nothing, Welcome, barrier, charger,
    locker,
};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// Who says it, on which leaf, with which schema, and whether the broker keeps it.
struct Channel {
    leaf: &'static str,
    from_device: bool,
    retained: bool,
    schema: &'static str,
}

const fn said(leaf: &'static str, schema: &'static str) -> Channel {
    Channel { leaf, from_device: true, retained: false, schema }
}

const fn kept(leaf: &'static str, schema: &'static str) -> Channel {
    Channel { leaf, from_device: true, retained: true, schema }
}

const fn told(leaf: &'static str, schema: &'static str) -> Channel {
    Channel { leaf, from_device: false, retained: false, schema }
}

const LOCKER: &[Channel] = &[
    kept("availability", "Availability"),
    kept("info", "LockerInfo"),
    kept("state", "LockerState"),
    said("event/code", "LockerCode"),
    said("event/{happening}", "LockerEvent"),
    said("result/{verb}", "LockerResult"),
    said("result/hello", "Welcome"),
    told("cmd/hello", "Hello"),
    told("cmd/open", "LockerOpen"),
    told("cmd/deny", "LockerDeny"),
];

const CHARGER: &[Channel] = &[
    kept("availability", "Availability"),
    kept("info", "ChargerInfo"),
    kept("state", "ChargerState"),
    said("event/{happening}", "ChargerEvent"),
    said("result/{verb}", "ChargerResult"),
    said("result/hello", "Welcome"),
    told("cmd/hello", "Hello"),
    told("cmd/enable", "ChargerAllow"),
    told("cmd/limit", "ChargerAllow"),
    told("cmd/disable", "ChargerDisable"),
];

const BARRIER: &[Channel] = &[
    kept("availability", "Availability"),
    kept("info", "BarrierInfo"),
    kept("state", "BarrierState"),
    said("result/{verb}", "BarrierResult"),
    said("result/hello", "Welcome"),
    told("cmd/hello", "Hello"),
    told("cmd/open", "BarrierCommand"),
    told("cmd/close", "BarrierCommand"),
];

/// The document, with the examples of the other documents: each with the name of its schema.
pub fn make(examples: &[(String, Value)]) -> Value {
    let (mut channels, mut operations) = (Map::new(), Map::new());
    for (kind, all) in [("locker", LOCKER), ("charger", CHARGER), ("barrier", BARRIER)] {
        for channel in all {
            let name = format!("{kind}-{}", channel.leaf.replace(['/', '{', '}'], "-"));
            let name = name.trim_end_matches('-').replace("--", "-");
            channels.insert(name.clone(), describe(kind, channel, examples));
            let action = if channel.from_device { "receive" } else { "send" };
            let bindings = json!({"mqtt": {"qos": 1, "retain": channel.retained}});
            let at = json!({"$ref": format!("#/channels/{name}")});
            let operation = json!({"action": action, "channel": at, "bindings": bindings});
            operations.insert(name, operation);
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Gatehouse: devices of a site over MQTT, as the host sees them",
            "version": "1",
            "description": "mqtt.md says what it means. Every payload, both ways, ends in a field `mac`, its seal.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"schemas": schemas()},
    })
}

fn describe(kind: &str, channel: &Channel, examples: &[(String, Value)]) -> Value {
    let mut parameters = Map::new();
    parameters.insert("site".to_owned(), json!({"description": "1 to 64 of a-z A-Z 0-9 - _"}));
    parameters.insert("device".to_owned(), json!({"description": "1 to 64 of a-z A-Z 0-9 - _"}));
    if let Some((_, rest)) = channel.leaf.split_once('{') {
        parameters.insert(rest.trim_end_matches('}').to_owned(), json!({}));
    }
    let payload = json!({"$ref": format!("#/components/schemas/{}", channel.schema)});
    let mut message = json!({"payload": payload});
    let examples = examples.iter().filter(|(name, _)| name == channel.schema);
    let examples: Vec<Value> = examples.map(|(_, example)| json!({"payload": example})).collect();
    if !examples.is_empty() {
        message["examples"] = examples.into();
    }
    json!({
        "address": format!("site/v1/{{site}}/{kind}/{{device}}/{}", channel.leaf),
        "parameters": parameters,
        "messages": {"message": message},
    })
}

fn schemas() -> Map<String, Value> {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut generator = settings.into_generator();
    let mut all = Map::new();
    add::<Availability>(&mut generator, &mut all, "Availability");
    add::<Hello>(&mut generator, &mut all, "Hello");
    add::<Welcome>(&mut generator, &mut all, "Welcome");
    add::<locker::Info>(&mut generator, &mut all, "LockerInfo");
    add::<locker::State>(&mut generator, &mut all, "LockerState");
    add::<Event<locker::AtDoor>>(&mut generator, &mut all, "LockerEvent");
    add::<Event<locker::Code>>(&mut generator, &mut all, "LockerCode");
    add::<CommandResult<locker::Refusal>>(&mut generator, &mut all, "LockerResult");
    add::<Command<locker::Open>>(&mut generator, &mut all, "LockerOpen");
    add::<Command<locker::Deny>>(&mut generator, &mut all, "LockerDeny");
    add::<charger::Info>(&mut generator, &mut all, "ChargerInfo");
    add::<charger::State>(&mut generator, &mut all, "ChargerState");
    add::<Event<charger::AtCharger>>(&mut generator, &mut all, "ChargerEvent");
    add::<CommandResult<charger::Refusal>>(&mut generator, &mut all, "ChargerResult");
    add::<Command<charger::Allowed>>(&mut generator, &mut all, "ChargerAllow");
    add::<Command<Nothing>>(&mut generator, &mut all, "ChargerDisable");
    add::<barrier::Info>(&mut generator, &mut all, "BarrierInfo");
    add::<barrier::State>(&mut generator, &mut all, "BarrierState");
    add::<CommandResult<barrier::Refusal>>(&mut generator, &mut all, "BarrierResult");
    add::<Command<Nothing>>(&mut generator, &mut all, "BarrierCommand");
    const { assert!(payload::MAX_PAYLOAD == 4_096, "mqtt.md says so") };
    all
}

fn add<T: JsonSchema>(generator: &mut SchemaGenerator, all: &mut Map<String, Value>, name: &str) {
    all.insert(name.to_owned(), T::json_schema(generator).to_value());
}
