//! An index for every list and every search: no declared route that reads goes through a growing
//! table from end to end, at a million plates and a hundred thousand of everything else.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use cloud_core::Role;
use cloud_sync::config::{Config, Limits};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use super::service::{Service, start_with};

const FAMILIES: [&str; 5] = ["anpr", "charging", "hz", "smart", "station"];

/// What may stand in a query, by the name of the parameter.
const VALUES: &[(&str, &[&str])] = &[
    ("alert_type", &["device_offline"]),
    ("available", &["true"]),
    ("days", &["7"]),
    ("detection_type", &["vehicle_enter"]),
    ("end_date", &["2026-12-31"]),
    ("license_plate", &["12345", "京", "1", "ZZZ"]),
    ("log_level", &["ERROR"]),
    ("min_confidence", &["0.2", "0.999", "1"]),
    ("module", &["parking"]),
    ("payment_status", &["completed", "pending"]),
    ("plate_number", &["12345", "京", "1", "ZZZ"]),
    ("priority", &["low", "high"]),
    ("query", &["12345", "京", "1", "ZZZ", "%"]),
    ("size", &["small"]),
    ("start_date", &["2026-01-01"]),
    ("station", &["火车站", "nowhere"]),
    ("status", &["available", "active", "cancelled", "completed", "pending"]),
    ("vehicle_type", &["car", "truck"]),
    ("verified", &["true", "false"]),
];

/// A log that a test reads.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Told {
    /// Listens to long scans from now on.
    fn listen() -> Self {
        let told = Self::default();
        let writer = told.clone();
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("off,cloud_core::store=debug"))
            .with_ansi(false)
            .with_writer(move || writer.clone());
        log.try_init().unwrap();
        told
    }

    /// What was told since the last time, without what is accepted.
    fn take(&self) -> String {
        let told = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        let lines = told.lines().filter(|line| !is_figure(line));
        lines.map(|line| format!("{line}\n")).collect()
    }
}

/// Counts and figures of everything that is not a plate: they are made from an index of a hundred
/// thousand entries in a millisecond or two. Plates, of which there are more, have totals.
pub(crate) fn is_figure(told: &str) -> bool {
    let counts = ["sql=\"SELECT COUNT(", "Query Text: SELECT COUNT(", "GROUP BY"];
    counts.iter().any(|word| told.contains(word)) && !told.contains("FROM plate_reads")
}

/// Every documented path to read, with each of its parameters in turn.
pub(crate) async fn reads(service: &Service) -> Vec<String> {
    let mut reads = Vec::new();
    for family in FAMILIES {
        let document = service.get(&format!("/openapi/{family}.json")).await;
        let paths = document.json["paths"].as_object().unwrap();
        for (path, methods) in paths.iter().filter(|(_, methods)| methods["get"].is_object()) {
            let path = with_ids(path);
            let declared = methods["get"]["parameters"].as_array().unwrap();
            let names = declared.iter().filter(|p| p["in"] == "query");
            reads.extend(names.flat_map(|p| queries(&path, p)));
            reads.push(path);
        }
    }
    reads
}

fn queries(path: &str, parameter: &Value) -> Vec<String> {
    let name = parameter["name"].as_str().unwrap();
    let values = VALUES.iter().find(|(known, _)| *known == name).map_or(&["1"][..], |(_, v)| v);
    let encode =
        |value: &&str| form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
    values.iter().map(|value| format!("{path}?{name}={}", encode(value))).collect()
}

fn with_ids(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "1001" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_and_no_search_reads_a_growing_table_from_end_to_end() {
    let limits = Limits { enabled: false, ..Limits::default() };
    let service = start_with(Config { limits, ..Config::default() }).await;
    let (admin, visitor) = (service.token(Role::Admin).await, service.token(Role::Visitor).await);
    service.fill(1_000_000, 100_000);
    let told = Told::listen();
    let mut long = Vec::new();
    for read in reads(&service).await {
        for token in [&admin, &visitor] {
            let status = service.call(token, Method::GET, &read).await.status;
            assert!(status < StatusCode::INTERNAL_SERVER_ERROR, "{read}: {status}");
            let scans = told.take();
            if !scans.is_empty() {
                long.push(format!("{read}\n{scans}"));
            }
        }
    }
    assert!(long.is_empty(), "{} of them:\n{}", long.len(), long.join("\n"));
}
