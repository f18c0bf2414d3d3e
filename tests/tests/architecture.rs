//! The arrows of the house: who may use whom. Read from `cargo metadata` and from the `use` lines.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Which of our crates a crate may build upon.
const CRATES: &[(&str, &[&str])] = &[
    ("firmware-protocol", &[]),
    ("domain", &[]),
    ("anpr", &[]),
    ("edge-daemon", &["anpr", "domain", "firmware-protocol"]),
    ("cloud-core", &["domain"]),
    ("cloud-sync", &["cloud-core", "domain", "anpr"]),
];

/// What a pure crate must not build upon, and words that must not stand in its sources.
const PURE: &[(&str, &[&str], &[&str])] = &[
    ("firmware-protocol", &["tokio", "serde_json"], &["std::", "extern crate alloc"]),
    (
        "domain",
        &["tokio", "rusqlite", "warp", "reqwest", "rumqttc", "tract-onnx"],
        &["SystemTime", "Instant::now", "Utc::now", "std::fs", "std::net"],
    ),
    ("anpr", &["tokio", "image"], &["SystemTime", "Instant::now", "std::fs", "std::net"]),
];

/// Which modules of the edge a module of it may name. Those that are not listed may name all.
const EDGE: &[(&str, &[&str])] = &[
    ("gate", &["commit"]),
    ("locker", &["commit"]),
    ("charger", &[]),
    ("backoff", &[]),
    ("commit", &[]),
    ("controller", &["backoff"]),
    ("journal", &[]),
    ("sightings", &[]),
    ("supervisor", &["backoff", "sightings"]),
    ("vision", &["backoff", "sightings"]),
    ("cloud", &["identity", "tls"]),
    ("replay", &["cloud", "journal"]),
    ("directives", &["backoff", "cloud"]),
    ("lists", &["backoff", "cloud", "directives", "gate"]),
    ("health", &["journal", "replay", "sightings", "tls"]),
    ("console", &["gate", "journal"]),
    ("identity", &["journal", "tls"]),
    ("system_clock", &[]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Each crate of the workspace: its folder and what it builds upon outside of tests.
fn crates() -> BTreeMap<String, (PathBuf, BTreeSet<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            let upon = package["dependencies"].as_array().unwrap();
            let upon = upon.iter().filter(|d| d["kind"].is_null()).map(|d| text(&d["name"]));
            (text(&package["name"]), (manifest.parent().unwrap().to_path_buf(), upon.collect()))
        })
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// Whether a file holds unit tests alone.
fn is_tests(path: &Path) -> bool {
    path.iter().any(|part| part == "tests" || part == "tests.rs")
}

/// The product's code in a file: without comments and without its test module.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let product = text.split("#[cfg(test)]").next().unwrap();
    let lines = product.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Top-level modules that a piece of code names as `crate::x` or in `use crate::{x, y::z}`.
fn named_modules(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            named.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut item_start = true;
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => item_start = true,
                c if c.is_whitespace() => {}
                _ if item_start => {
                    named.insert(word(&group[i..]));
                    item_start = false;
                }
                _ => {}
            }
        }
    }
    named
}

#[test]
fn crates_build_only_upon_what_the_design_allows() {
    let crates = crates();
    let ours: BTreeSet<_> = crates.keys().cloned().collect();
    for (name, allowed) in CRATES {
        let allowed: BTreeSet<_> = allowed.iter().map(|s| (*s).to_owned()).collect();
        let upon: BTreeSet<_> = crates[*name].1.intersection(&ours).cloned().collect();
        let forbidden: Vec<_> = upon.difference(&allowed).collect();
        assert!(forbidden.is_empty(), "{name} must not build upon {forbidden:?}");
    }
}

#[test]
fn pure_crates_reach_no_clock_disk_or_network() {
    let crates = crates();
    for (name, dependencies, words) in PURE {
        let (folder, upon) = &crates[*name];
        for dependency in *dependencies {
            assert!(!upon.contains(*dependency), "{name} must not build upon {dependency}");
        }
        for path in sources(&folder.join("src")) {
            let code = code(&path);
            for word in *words {
                assert!(!code.contains(word), "{} must not use {word}", path.display());
            }
        }
    }
}

#[test]
fn firmware_protocol_runs_on_bare_metal() {
    let lib = fs::read_to_string(root().join("firmware-protocol/src/lib.rs")).unwrap();
    assert!(lib.contains("#![no_std]"));
}

#[test]
fn modules_of_the_edge_keep_to_their_arrows() {
    let src = root().join("edge-daemon/src");
    for (module, allowed) in EDGE {
        let (file, folder) = (src.join(format!("{module}.rs")), src.join(module));
        let mut files = if folder.is_dir() { sources(&folder) } else { Vec::new() };
        files.extend(file.is_file().then_some(file));
        for path in files.into_iter().filter(|path| !is_tests(path.strip_prefix(&src).unwrap())) {
            for named in named_modules(&code(&path)) {
                assert!(
                    named == *module || allowed.contains(&named.as_str()),
                    "{} must not use crate::{named}",
                    path.display()
                );
            }
        }
    }
}

/// What a device's bookkeeping must not use: it is tested with the time passed in.
const NOT_PURE: [&str; 6] = ["tokio", "std::fs", "std::net", "Instant", "SystemTime", "Utc::now"];

#[test]
fn what_keeps_the_books_of_devices_reaches_no_clock_disk_or_line() {
    let src = root().join("edge-daemon/src");
    for module in ["gate", "locker", "charger"].map(|module| src.join(module)) {
        let files = if module.is_dir() { sources(&module) } else { Vec::new() };
        for path in files.into_iter().filter(|path| !is_tests(path.strip_prefix(&src).unwrap())) {
            let code = code(&path);
            for word in NOT_PURE {
                assert!(!code.contains(word), "{} must not use {word}", path.display());
            }
        }
    }
}

#[test]
fn faces_reach_the_store_only_through_services_and_not_each_other() {
    let faces = root().join("cloud-sync/src/faces");
    for path in sources(&faces) {
        let code = code(&path);
        assert!(!code.contains("rusqlite"), "{} must not use SQL", path.display());
        assert!(!code.contains("cloud_core::store"), "{} must not reach the store", path.display());
        let Ok(inside) = path.strip_prefix(&faces) else { continue };
        let face = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        for (at, _) in code.match_indices("crate::faces::") {
            let other: String = code[at + "crate::faces::".len()..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            let is_face = faces.join(&other).is_dir();
            assert!(!is_face || other == face, "{} must not use face {other}", path.display());
        }
    }
}

#[test]
fn every_module_says_what_it_guarantees() {
    for (folder, _) in crates().into_values() {
        for path in sources(&folder.join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            let documented = text.starts_with("//!") || text.starts_with("#![");
            assert!(documented, "{} does not open with a //! line", path.display());
        }
    }
}

#[test]
fn named_modules_are_found_in_groups() {
    let code =
        "use crate::{gate::{Input, lane}, journal}; crate::replay::run(); use crate::vision;";
    let named: Vec<_> = named_modules(code).into_iter().collect();
    assert_eq!(named, ["gate", "journal", "replay", "vision"]);
}
