//! The OpenAPI documents: what a program that reads them relies on.

use std::collections::BTreeSet;

use serde_json::Value;

use super::service::start;

const FAMILIES: [&str; 5] = ["anpr", "charging", "hz", "smart", "station"];

#[tokio::test]
async fn each_family_has_a_document_that_holds_together() {
    let service = start().await;
    for family in FAMILIES {
        let document = service.get(&format!("/openapi/{family}.json")).await.json;
        assert_eq!(document["openapi"], "3.1.0", "{family}");
        let mut names = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let place = format!("{family} {method} {path}");
                assert!(!operation["summary"].as_str().unwrap().is_empty(), "{place}: no summary");
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{place}: a second {name}");
                values_of_the_path_are_declared(path, operation, &place);
            }
        }
        schemas_are_sound(&document, &document, family);
    }
}

fn values_of_the_path_are_declared(path: &str, operation: &Value, place: &str) {
    let wanted: BTreeSet<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
    let parameters = operation["parameters"].as_array().unwrap();
    let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
    let declared: BTreeSet<_> = in_path.map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(declared, wanted, "{place}");
    let all: BTreeSet<_> = parameters.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(all.len(), parameters.len(), "{place}: a parameter twice");
}

/// References lead somewhere, and no object has a key twice, which the JSON would have as well.
fn schemas_are_sound(part: &Value, document: &Value, place: &str) {
    if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
        let pointer = reference.strip_prefix('#').unwrap_or_default();
        assert!(document.pointer(pointer).is_some(), "{place}: {reference} leads nowhere");
    }
    if let Some(required) = part.get("required").and_then(Value::as_array) {
        let once: BTreeSet<_> = required.iter().filter_map(Value::as_str).collect();
        assert_eq!(once.len(), required.len(), "{place}: a key twice in {required:?}");
    }
    match part {
        Value::Object(parts) => {
            parts.iter().for_each(|(key, part)| {
                schemas_are_sound(part, document, &format!("{place}/{key}"))
            });
        }
        Value::Array(parts) => {
            parts.iter().for_each(|part| schemas_are_sound(part, document, place))
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_page_shows_them_all() {
    let service = start().await;
    let answer = service.request(reqwest::Method::GET, "/openapi/").send().await.unwrap();
    assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("'none'"));
    let page = answer.text().await.unwrap();
    assert!(FAMILIES.iter().all(|family| page.contains(&format!("\"{family}\""))), "{page}");
}
