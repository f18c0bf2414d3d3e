//! What the fuzz targets have found worth keeping, on every day: the crate keeps its promises, and
//! the C reference makes of all of it what the crate does.
#![allow(clippy::unwrap_used)]

#[path = "../fuzz/src/frames.rs"]
mod frames;
#[path = "../fuzz/src/transcript.rs"]
mod transcript;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The files of a corpus.
fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 10, "the corpus is there");
    files
}

#[test]
fn frames_are_read_and_written_alike() {
    for file in corpus("frames") {
        frames::run(&fs::read(file).unwrap());
    }
}

#[test]
fn the_c_reference_says_what_the_crate_says() {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("replay");
    let c = Path::new(env!("CARGO_MANIFEST_DIR")).join("c");
    let parts = ["frame", "messages", "seal", "json", "device"];
    let compiled = Command::new("gcc")
        .current_dir(c)
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-o"])
        .arg(&program)
        .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
        .args(parts.map(|part| format!("gh_{part}.c")))
        .args(["tests/fuzz.c", "tests/replay.c"])
        .output()
        .expect("gcc is there: tests/setup installs it");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let files = [corpus("c_reference"), corpus("frames")].concat();
    let run = Command::new(program).args(&files).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8(run.stdout).unwrap();
    let made = files.iter().map(|file| hex(&transcript::of(&fs::read(file).unwrap())));
    for ((file, c), ours) in files.iter().zip(said.lines()).zip(made) {
        assert_eq!(c, ours, "{}", file.display());
    }
    assert_eq!(said.lines().count(), files.len());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
