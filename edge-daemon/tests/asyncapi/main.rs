//! `firmware-protocol/docs/asyncapi.json` is made from the types that the host reads and writes, and
//! every example of the documents fits its schema. `UPDATE_ASYNCAPI=1 cargo test -p edge-daemon
//! --test asyncapi` writes the file anew.
#![allow(clippy::unwrap_used)]

mod document;
mod schema;

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use serde_json::{Value, json};

fn docs() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-protocol/docs"))
}

/// The examples of the documents: what follows on `<!-- name -->` between fences.
fn examples() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for file in ["mqtt.md", "locker.md", "charger.md", "barrier.md"] {
        let text = fs::read_to_string(docs().join(file)).unwrap();
        let before = all.len();
        for part in text.split("<!-- ").skip(1) {
            let (name, rest) = part.split_once(" -->").unwrap();
            let rest = rest.trim_start().strip_prefix("```json").expect("an example has a name");
            let (example, _) = rest.split_once("```").unwrap();
            all.push((name.to_owned(), serde_json::from_str(example).unwrap()));
        }
        let here = all.len() - before;
        assert_eq!(here, text.matches("```json").count(), "each in {file} names its schema");
    }
    all
}

#[test]
fn the_document_is_made_from_the_types() {
    let path = docs().join("asyncapi.json");
    let made = serde_json::to_string_pretty(&document::make(&examples())).unwrap() + "\n";
    if env::var_os("UPDATE_ASYNCAPI").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == made, "see the top of this file");
}

#[test]
fn every_example_fits_its_schema() {
    let examples = examples();
    let document = document::make(&examples);
    for (name, example) in &examples {
        let schema = &document["components"]["schemas"][name];
        assert!(schema.is_object(), "there is no schema {name}");
        assert_eq!(schema::complaint(&document, schema, example), None, "{name}: {example}");
    }
    assert!(examples.len() >= 10, "{}", examples.len());
}

#[test]
fn every_channel_has_a_schema_and_every_schema_a_channel() {
    let document = document::make(&[]);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let channels = document["channels"].as_object().unwrap().values();
    let named: BTreeSet<_> = channels
        .map(|channel| channel["messages"]["message"]["payload"]["$ref"].as_str().unwrap())
        .map(|name| name.rsplit_once('/').unwrap().1.to_owned())
        .collect();
    assert_eq!(named, schemas.keys().cloned().collect());
}

#[test]
fn a_message_that_does_not_fit_is_found() {
    let document = document::make(&[]);
    let schemas = &document["components"]["schemas"];
    let hello = json!({"boot_id": 7, "session": 3, "now_ms": 1});
    let complaint = |message: &Value| schema::complaint(&document, &schemas["Hello"], message);
    assert_eq!(complaint(&hello), None);
    for (field, value) in [
        ("boot_id", json!("7")),
        ("session", json!(-1)),
        ("now_ms", json!(1.5)),
        ("boot_id", json!(null)),
    ] {
        let mut other = hello.clone();
        other[field] = value;
        assert!(complaint(&other).is_some(), "{other}");
    }
    let mut short = hello.clone();
    short.as_object_mut().unwrap().remove("session");
    assert!(complaint(&short).is_some());
    let door = json!({"door": 1, "lock": "open", "closed": true});
    let state = json!({"boot_id": 1, "session": 1, "uptime_ms": 1, "seq": 0, "doors": [door]});
    assert!(schema::complaint(&document, &schemas["LockerState"], &state).is_some());
}
