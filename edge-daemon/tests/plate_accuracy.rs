//! How many real plates are read wholly right.
//!
//! The pictures are not in the repository: `GATEHOUSE_PICTURES` names a folder of them with an
//! `index.csv` (columns `file`, `plate_text` and `region` at least, a row per plate). Without it the
//! test says that it is skipped.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Of the distinct Chinese plates at least this part must be read exactly.
const LEAST_CHINESE: f64 = 0.85;

struct Labelled {
    file: String,
    text: String,
    region: String,
}

#[test]
fn chinese_plates_are_read() {
    let Some(folder) = std::env::var_os("GATEHOUSE_PICTURES").map(PathBuf::from) else {
        eprintln!("skipped: GATEHOUSE_PICTURES names no folder of labelled pictures");
        return;
    };
    let labels = labels(&folder);
    let readings = readings(&folder, &labels);
    let mut regions: BTreeMap<&str, HashMap<&str, Vec<bool>>> = BTreeMap::new();
    for label in &labels {
        let right = readings[&label.file].iter().any(|text| is_same(label, text));
        if !right {
            println!("{} {}: {:?}", label.file, label.text, readings[&label.file]);
        }
        regions.entry(&label.region).or_default().entry(&label.text).or_default().push(right);
    }
    for (region, plates) in &regions {
        println!("{region}: {:.4} of {} distinct plates", mean_over_plates(plates), plates.len());
    }
    let chinese = regions.get("CN").map(mean_over_plates).unwrap();
    assert!(chinese >= LEAST_CHINESE, "{chinese:.4} of the Chinese plates, wanted {LEAST_CHINESE}");
}

/// The index's rows that have a text.
fn labels(folder: &Path) -> Vec<Labelled> {
    let index = std::fs::read_to_string(folder.join("index.csv")).unwrap();
    let mut rows = index.lines().map(fields);
    let header = rows.next().unwrap();
    let column = |name: &str| header.iter().position(|field| field == name).unwrap();
    let (file, text, region) = (column("file"), column("plate_text"), column("region"));
    rows.filter(|row| !row[text].is_empty())
        .map(|row| Labelled {
            file: row[file].clone(),
            text: row[text].clone(),
            region: row[region].clone(),
        })
        .collect()
}

/// A line of CSV; quotes hide commas.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            _ => fields.last_mut().unwrap().push(c),
        }
    }
    fields
}

/// The texts that the real binary reads in each file.
fn readings(folder: &Path, labels: &[Labelled]) -> HashMap<String, Vec<String>> {
    let mut files: Vec<&str> = labels.iter().map(|label| label.file.as_str()).collect();
    files.dedup();
    let output = Command::new(env!("CARGO_BIN_EXE_edge-daemon"))
        .args(["plate", "test", "--json", "--threads", "2"])
        .args(files)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let plates = line["plates"].as_array().cloned().unwrap_or_default();
        let texts = plates.iter().map(|plate| plate["text"].as_str().unwrap().to_owned());
        (line["file"].as_str().unwrap().to_owned(), texts.collect())
    };
    text.lines().map(line).collect()
}

/// Chinese plates exactly; elsewhere O and 0 as well as I and 1 are one, since labels mix them.
fn is_same(label: &Labelled, text: &str) -> bool {
    let plain = |text: &str| text.replace('O', "0").replace('I', "1");
    text == label.text || (label.region != "CN" && plain(text) == plain(&label.text))
}

fn mean_over_plates(plates: &HashMap<&str, Vec<bool>>) -> f64 {
    let share = |rights: &Vec<bool>| {
        rights.iter().filter(|right| **right).count() as f64 / rights.len() as f64
    };
    plates.values().map(share).sum::<f64>() / plates.len() as f64
}
