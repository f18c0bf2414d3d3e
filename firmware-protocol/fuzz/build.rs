//! Compiles the C reference as the fuzzer wants it: with its coverage and the address and
//! undefined-behaviour sanitizers.

fn main() {
    let parts = ["frame", "messages", "seal", "json", "device"];
    let mut build = cc::Build::new();
    build.compiler("clang").flag("-std=c99").flag("-g").opt_level(1).warnings(false);
    build.flag("-fsanitize=address,fuzzer-no-link");
    build.files(parts.map(|part| format!("../c/gh_{part}.c"))).file("../c/tests/fuzz.c");
    build.compile("gatehouse");
    println!("cargo:rerun-if-changed=../c");
}
