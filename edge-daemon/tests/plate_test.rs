//! `edge-daemon plate test` as a person runs it.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};
use serde_json::Value;

fn plate_test(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edge-daemon"))
        .args(["plate", "test"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A picture of a street without a plate.
fn street(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x % 200) as u8, (y % 180) as u8, 90]))
}

/// The pictures with drawn plates that the models' tests use, and what stands on them.
const DRAWN: [(&str, &str); 2] = [("cn_line", "青A48171"), ("ru_line", "K851YT723")];

/// A drawn plate on a street, as a camera would see it.
fn drawn_plate(name: &str) -> RgbImage {
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/anpr/tests/vectors");
    let plate = image::open(format!("{vectors}/{name}_picture.png")).unwrap().into_rgb8();
    let mut scene = RgbImage::from_pixel(640, 384, Rgb([96, 100, 104]));
    image::imageops::replace(&mut scene, &plate, 240, 200);
    scene
}

#[test]
fn every_file_gets_a_line_in_order_and_a_bad_one_fails_the_run() {
    let folder = tempfile::tempdir().unwrap();
    street(320, 240).save(folder.path().join("a.jpg")).unwrap();
    std::fs::write(folder.path().join("b.txt"), "no picture").unwrap();
    street(64, 900).save(folder.path().join("c.png")).unwrap();
    street(1, 1).save(folder.path().join("d.png")).unwrap();
    let output =
        plate_test(&[".", "gone.jpg", "./a.jpg", "--json", "--threads", "3"], folder.path());
    assert_eq!(output.status.code(), Some(1));
    let lines = lines(&output);
    let files: Vec<&str> = lines.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["./a.jpg", "./b.txt", "./c.png", "./d.png", "gone.jpg", "./a.jpg"]);
    assert_eq!(lines[1]["error"], "not a JPEG or PNG picture");
    assert_eq!(lines[4]["error"], "there is no such file or folder");
    for good in [0, 2, 3, 5] {
        let line = &lines[good];
        assert!(line["plates"].is_array() && line["error"].is_null());
        assert_eq!(line["vehicles"], serde_json::json!([]));
        let ms = |key: &str| line["ms"][key].as_f64().unwrap();
        assert!(ms("total") >= ms("decode") + ms("detect") + ms("read") - 0.03);
    }
}

#[test]
fn drawn_plates_are_found_and_read() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in DRAWN {
        let file = format!("{name}.png");
        drawn_plate(name).save(folder.path().join(&file)).unwrap();
        let output = plate_test(&[&file, "--json"], folder.path());
        assert_eq!(output.status.code(), Some(0));
        let line = &lines(&output)[0];
        let plate = &line["plates"][0];
        assert_eq!(plate["text"], text, "{line}");
        assert_eq!(plate["characters"].as_array().unwrap().len(), text.chars().count());
        assert_eq!(plate["region"].as_str().unwrap(), &name[..2]);
        let middle = (plate["box"][0].as_f64().unwrap() + plate["box"][2].as_f64().unwrap()) / 2.0;
        assert!((240.0..400.0).contains(&middle));
        assert_eq!(plate["corners"].as_array().unwrap().len(), 4);
    }
}

#[test]
fn without_json_it_is_a_table() {
    let folder = tempfile::tempdir().unwrap();
    street(320, 240).save(folder.path().join("a.jpg")).unwrap();
    let output = plate_test(&["a.jpg", "gone.jpg"], folder.path());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("file      plate"));
    assert!(lines[1].starts_with("a.jpg") && lines[2].starts_with("gone.jpg  there is no such"));
    assert_eq!((lines.len(), output.status.code()), (3, Some(1)));
}

#[test]
fn huge_files_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("huge.jpg")).unwrap();
    file.set_len(1 << 40).unwrap();
    let start = Instant::now();
    let output = plate_test(&["huge.jpg", "--json"], folder.path());
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(lines(&output)[0]["error"].as_str().unwrap().contains("too many"));
}

#[test]
fn what_makes_no_sense_on_the_command_line_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--json"][..], &["a.jpg", "--threads", "0"], &["a.jpg", "--threads", "x"]] {
        assert_eq!(plate_test(arguments, folder.path()).status.code(), Some(2));
    }
}

/// The example of a site's configuration in this folder, with this detector.
fn site(folder: &Path, detector: &str) {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/edge.example.toml");
    let mut config: toml::Table = std::fs::read_to_string(example).unwrap().parse().unwrap();
    std::fs::write(folder.join("password"), "secret").unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    for (table, key, value) in [
        ("journal", "state_dir", path("state")),
        ("mqtt", "username", "edge".to_owned()),
        ("mqtt", "password_file", path("password")),
        ("models", "detector", detector.to_owned()),
    ] {
        config[table].as_table_mut().unwrap().insert(key.to_owned(), value.into());
    }
    std::fs::write(folder.join("edge.toml"), config.to_string()).unwrap();
}

#[test]
fn networks_are_those_of_the_configuration_and_what_does_not_fit_is_said() {
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/anpr/weights");
    let folder = tempfile::tempdir().unwrap();
    street(320, 240).save(folder.path().join("a.jpg")).unwrap();
    site(folder.path(), &format!("{weights}/reader.onnx"));
    let checked = Command::new(env!("CARGO_BIN_EXE_edge-daemon"))
        .args(["check-config", "edge.toml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let tested = plate_test(&["a.jpg", "--config", "edge.toml"], folder.path());
    for output in [checked, tested] {
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("reader.onnx does not fit: its input is 168 x 48 px"), "{said}");
    }
    let detector = format!("{weights}/detector.onnx");
    let own = ["a.jpg", "--config", "edge.toml", "--detector", &detector];
    assert_eq!(plate_test(&own, folder.path()).status.code(), Some(0));
}

#[test]
fn a_bench_says_what_it_ran_on_and_where_the_time_goes() {
    let run = |arguments: &[&str]| {
        let arguments = [&["plate", "bench", "--rounds", "3"], arguments].concat();
        Command::new(env!("CARGO_BIN_EXE_edge-daemon")).args(arguments).output().unwrap()
    };
    let output = run(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    for wanted in [
        "gatehouse ",
        "processor ",
        "1280 x 720, 3 rounds",
        "decode ",
        "find ",
        "read ",
        "vehicles ",
        "memory ",
    ] {
        assert!(text.contains(wanted), "{wanted} is missing in\n{text}");
    }
    for network in ["detector", "refiner", "reader"] {
        assert!(text.lines().any(|line| line.trim_start().starts_with(network)), "{text}");
    }
    let missing = run(&["gone.jpg"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("gone.jpg: cannot be opened"));
}
