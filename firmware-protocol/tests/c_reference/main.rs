//! The C reference says what the crate says: its header is made from the crate, and it is compiled
//! and fed the same vectors. `UPDATE_C_HEADER=1 cargo test -p firmware-protocol --test c_reference`
//! writes the header anew.
#![allow(clippy::unwrap_used)]

mod header;

use std::{env, fs, path::Path, process::Command};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/c"))
}

#[test]
fn the_header_is_made_from_the_crate() {
    let path = folder().join("gatehouse_protocol.h");
    let made = header::text();
    if env::var_os("UPDATE_C_HEADER").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), made, "see the top of this file");
}

#[test]
fn the_reference_reads_the_vectors_as_the_crate_does() {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vectors");
    let sources =
        ["frame", "messages", "seal", "json", "device"].map(|part| format!("gh_{part}.c"));
    let compiled = Command::new("gcc")
        .current_dir(folder())
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2"])
        .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o"])
        .arg(&program)
        .args(sources)
        .arg("tests/vectors.c")
        .output()
        .expect("gcc is there: tests/setup installs it");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/v1.txt");
    let run = Command::new(&program).arg(vectors).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn the_reference_uses_no_heap() {
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "c") {
            let text = fs::read_to_string(&path).unwrap();
            for word in ["malloc", "calloc", "realloc", "stdlib.h"] {
                assert!(!text.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}
