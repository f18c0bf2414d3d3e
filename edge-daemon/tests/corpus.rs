//! What the fuzz target for payloads has found worth keeping, on every day.
#![allow(clippy::unwrap_used)]

#[path = "../../firmware-protocol/fuzz/src/mqtt.rs"]
mod mqtt;

use std::{fs, path::Path};

use edge_daemon::controller::mqtt::payload;

#[test]
fn payloads_are_read_and_written_alike() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware-protocol/fuzz/corpus/mqtt");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 10, "the corpus is there");
    for file in files {
        mqtt::run(&fs::read(file).unwrap());
    }
}
