//! How many real vehicles are found and told apart.
//!
//! The pictures are not in the repository: `GATEHOUSE_VEHICLES` names a folder of them with an
//! `index.csv` (columns `file`, `class`, `x_min` … `y_max` and `split` at least, a row per vehicle).
//! Rows of the split `eval` count. Without it the test says that it is skipped.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Classes that are told apart; labels of others are regions to ignore.
const CLASSES: [&str; 4] = ["car", "motorcycle", "bus", "truck"];
/// Of the vehicles at least this part must be found with their class.
const LEAST_FOUND: f64 = 0.4;
/// Of what is found where every vehicle is labelled at least this part must be right.
const LEAST_RIGHT: f64 = 0.55;
/// Where every vehicle is labelled.
const EXHAUSTIVE: &str = "road_vehicle_bd/";
/// A find that shares so much (intersection over union) with a label is it.
const MATCH: f64 = 0.5;

type Box4 = [f64; 4];

/// What a picture shows, by class.
type Labels = BTreeMap<String, Vec<(String, Box4)>>;

#[test]
fn vehicles_are_found_and_told_apart() {
    let Some(folder) = std::env::var_os("GATEHOUSE_VEHICLES").map(PathBuf::from) else {
        eprintln!("skipped: GATEHOUSE_VEHICLES names no folder of labelled pictures");
        return;
    };
    let labels = labels(&folder);
    let (mut wanted, mut found, mut right, mut claimed) = (0, 0, 0, 0);
    for (file, vehicles) in vehicles(&folder, &labels) {
        let (hits, misses, wrong) = judge(&labels[&file], &vehicles);
        wanted += hits + misses;
        found += hits;
        if file.starts_with(EXHAUSTIVE) {
            right += hits;
            claimed += hits + wrong;
        }
    }
    let (recall, precision) = (share(found, wanted), share(right, claimed));
    println!("{recall:.4} of {wanted} vehicles found, {precision:.4} of {claimed} finds right");
    assert!(recall >= LEAST_FOUND, "{recall:.4} of the vehicles are found, wanted {LEAST_FOUND}");
    assert!(precision >= LEAST_RIGHT, "{precision:.4} of the finds right, wanted {LEAST_RIGHT}");
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn labels(folder: &Path) -> Labels {
    let index = std::fs::read_to_string(folder.join("index.csv")).unwrap();
    let mut rows = index.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let column = |name: &str| header.iter().position(|field| *field == name).unwrap();
    let edges = ["x_min", "y_min", "x_max", "y_max"].map(column);
    let (file, class, split) = (column("file"), column("class"), column("split"));
    let mut labels = Labels::new();
    for row in rows.filter(|row| row[split] == "eval") {
        // Plates are labelled in one folder, of whose vehicles nobody said the class.
        if !matches!(row[class], "plate" | "vehicle") {
            let boxes = labels.entry(row[file].to_owned()).or_default();
            let edges = edges.map(|edge| row[edge].parse().unwrap_or_default());
            boxes.push((row[class].to_owned(), edges));
        }
    }
    labels
}

/// What the real binary finds in each file.
fn vehicles(folder: &Path, labels: &Labels) -> Vec<(String, Vec<(String, Box4)>)> {
    let output = Command::new(env!("CARGO_BIN_EXE_edge-daemon"))
        .args(["plate", "test", "--json", "--threads", "2"])
        .args(labels.keys())
        .current_dir(folder)
        .output()
        .unwrap();
    let vehicle = |vehicle: &Value| {
        let edges = std::array::from_fn(|i| vehicle["box"][i].as_f64().unwrap());
        (vehicle["class"].as_str().unwrap().to_owned(), edges)
    };
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let found = line["vehicles"].as_array().unwrap().iter().map(vehicle).collect();
        (line["file"].as_str().unwrap().to_owned(), found)
    };
    std::str::from_utf8(&output.stdout).unwrap().lines().map(line).collect()
}

/// Labels that are found, those that are not, and finds that are none of them nor to be ignored.
fn judge(labels: &[(String, Box4)], found: &[(String, Box4)]) -> (usize, usize, usize) {
    let (mut free, others): (Vec<_>, Vec<_>) =
        labels.iter().partition(|(class, _)| CLASSES.contains(&class.as_str()));
    let wanted = free.len();
    let mut wrong = 0;
    for (class, place) in found {
        let fits = |label: &&(String, Box4)| label.0 == *class && overlap(&label.1, place) >= MATCH;
        match free.iter().position(fits) {
            Some(at) => drop(free.swap_remove(at)),
            None => wrong += usize::from(!others.iter().any(|(_, o)| inside(place, o) > MATCH)),
        }
    }
    (wanted - free.len(), free.len(), wrong)
}

fn area([x1, y1, x2, y2]: Box4) -> f64 {
    (x2 - x1).max(0.0) * (y2 - y1).max(0.0)
}

fn shared(a: &Box4, b: &Box4) -> f64 {
    area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])])
}

fn overlap(a: &Box4, b: &Box4) -> f64 {
    shared(a, b) / (area(*a) + area(*b) - shared(a, b)).max(1e-9)
}

/// Which part of `place` lies in `region`.
fn inside(place: &Box4, region: &Box4) -> f64 {
    shared(place, region) / area(*place).max(1e-9)
}
