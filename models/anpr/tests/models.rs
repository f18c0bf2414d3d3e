//! The embedded networks as a user of the crate meets them.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use anpr::{Bounds, Detection, Error, Image, Kind, Models, Point};

const MANIFEST: &str = include_str!("../weights/manifest.toml");
const DETECTOR: &[u8] = include_bytes!("../weights/detector.onnx");
const REFINER: &[u8] = include_bytes!("../weights/refiner.onnx");
const READER: &[u8] = include_bytes!("../weights/reader.onnx");

/// A detection at these corners, whatever is there.
fn plate_at(corners: [(f32, f32); 4], two_lines: bool) -> Detection {
    let corners = corners.map(|(x, y)| Point { x, y });
    let bounds = Bounds::around(&corners);
    Detection { corners, bounds, score: 1.0, kind: Kind::Blue, kind_score: 1.0, two_lines }
}

#[test]
fn weights_that_are_not_the_manifests_are_refused_by_name_and_hash() {
    let mut reader = READER.to_vec();
    *reader.last_mut().unwrap() ^= 1;
    let error = Models::from_bytes(MANIFEST, DETECTOR, REFINER, &reader).unwrap_err();
    let Error::Hash { file, wanted, found } = &error else { panic!("{error}") };
    assert_eq!(file, "reader.onnx");
    assert!(MANIFEST.contains(wanted.as_str()) && !MANIFEST.contains(found.as_str()));
    let message = error.to_string();
    assert!(message.contains(wanted) && message.contains(found), "{message}");
}

#[test]
fn a_network_of_another_shape_is_refused() {
    let wide = MANIFEST.replace("charset = \"京", "charset = \"京＊");
    assert!(matches!(
        Models::from_bytes(&wide, DETECTOR, REFINER, READER),
        Err(Error::Shape { tensor, .. }) if tensor == "logits"
    ));
    let strides = MANIFEST.replace("strides = [8, 16, 32]", "strides = [8, 16, 64]");
    let error = Models::from_bytes(&strides, DETECTOR, REFINER, READER).unwrap_err().to_string();
    assert!(error.contains("p64") && error.contains("p8, p16, p32"), "{error}");
}

#[test]
fn bytes_that_are_no_network_are_refused() {
    let noise = b"not a network".to_vec();
    let hash = "0f9f2a5ac4bc0a8cdfa9a5f0ba2ed41e2a5cdbf6c7b4b0fb4a1b0fbb8b0b5a8e";
    let error = Models::from_bytes(&MANIFEST.replace("sha256", "sha256x"), &noise, REFINER, READER);
    assert!(matches!(error, Err(Error::Manifest(_))));
    let start = MANIFEST.find("sha256 = \"").unwrap() + 10;
    let manifest = format!("{}{hash}{}", &MANIFEST[..start], &MANIFEST[start + 64..]);
    let Err(Error::Hash { found, .. }) = Models::from_bytes(&manifest, &noise, REFINER, READER)
    else {
        panic!("the hash is made up");
    };
    let manifest = manifest.replace(hash, &found);
    let error = Models::from_bytes(&manifest, &noise, REFINER, READER).unwrap_err();
    assert!(matches!(error, Error::Network { act: "parse the network", .. }), "{error}");
}

#[test]
fn a_manifest_that_makes_no_sense_is_refused_with_what_would_be_right() {
    for (from, to, wanted) in [
        ("temperature = ", "temperature = -", "above 0"),
        ("strides = [8, 16, 32]", "strides = []", "at least one stride"),
        ("upper_width = 64", "upper_width = 168", "below 168"),
    ] {
        let error = Models::from_bytes(&MANIFEST.replace(from, to), DETECTOR, REFINER, READER);
        assert!(error.unwrap_err().to_string().contains(wanted), "{to}");
    }
}

#[test]
fn pictures_of_odd_sizes_are_recognised_without_trouble() {
    let mut recognizer = Models::embedded().unwrap().recognizer().unwrap();
    for (width, height) in [(1, 1), (1, 5000), (5000, 1), (2, 3), (640, 384), (641, 2000)] {
        let noise: Vec<u8> = (0..width * height * 3).map(|i| (i * i % 251) as u8).collect();
        let image = Image::new(&noise, width, height).unwrap();
        for reading in recognizer.recognize(image).unwrap() {
            assert!(reading.bounds.x2 <= width as f32 && reading.bounds.y2 <= height as f32);
        }
        let wild = plate_at([(-50., -9.), (9e4, -9.), (9e4, 80.), (-50., 90.)], true);
        let reading = recognizer.reader.read(image, &wild).unwrap();
        assert!((0.0..=1.0).contains(&reading.confidence));
        assert_eq!(reading.text.chars().count(), reading.positions.len());
    }
}

#[test]
fn each_find_gets_a_reading_in_its_order() {
    let mut recognizer = Models::embedded().unwrap().recognizer().unwrap();
    let grey = vec![128; 640 * 384 * 3];
    let image = Image::new(&grey, 640, 384).unwrap();
    let left = plate_at([(10., 10.), (150., 12.), (150., 60.), (10., 58.)], false);
    let right = plate_at([(410., 10.), (550., 12.), (550., 60.), (410., 58.)], true);
    let readings = recognizer.read_each(image, &[left, right]).unwrap();
    let middles: Vec<_> = readings.iter().map(|r| r.bounds.x1.midpoint(r.bounds.x2)).collect();
    assert!(matches!(middles[..], [l, r] if l < 320.0 && r > 320.0), "{middles:?}");
}

/// The drawn plate `name` of `vectors`.
fn picture(name: &str) -> image::RgbImage {
    let file = format!("{}/tests/vectors/{name}_picture.png", env!("CARGO_MANIFEST_DIR"));
    image::open(file).unwrap().into_rgb8()
}

/// A grey picture with that plate in it.
fn street_with(name: &str, (width, height): (u32, u32)) -> image::RgbImage {
    let plate = picture(name);
    let mut street = image::RgbImage::from_pixel(width, height, image::Rgb([110, 112, 108]));
    image::imageops::replace(&mut street, &plate, i64::from(width / 2), i64::from(height / 2));
    street
}

#[test]
fn a_plate_that_is_found_twice_is_read_once() {
    let mut recognizer = Models::embedded().unwrap().recognizer().unwrap();
    for name in ["cn_line", "ru_line"] {
        let plate = picture(name);
        let (width, height) = (plate.width() as usize, plate.height() as usize);
        let readings = recognizer.recognize(Image::new(&plate, width, height).unwrap()).unwrap();
        assert_eq!(readings.len(), 1, "{readings:?}");
    }
}

#[test]
fn a_plate_that_a_first_look_reads_surely_gets_no_second() {
    let mut recognizer = Models::embedded().unwrap().recognizer().unwrap();
    let mut looks = |street: &image::RgbImage| {
        let image = Image::new(street, street.width() as usize, street.height() as usize).unwrap();
        let asked = std::cell::Cell::new(0_u32);
        // A tick of the clock for each time that it is asked: two of each look, and one at first.
        let now = || Duration::from_secs(u64::from(asked.replace(asked.get() + 1)));
        let (readings, spent) = recognizer.recognize_timed(image, &now).unwrap();
        let texts: Vec<_> = readings.into_iter().map(|reading| reading.text).collect();
        assert_eq!(spent.detect + spent.read, Duration::from_secs(u64::from(asked.get() - 1)));
        (texts, spent.detect.as_secs())
    };
    assert_eq!(looks(&street_with("ru_line", (960, 540))), (vec!["K851YT723".to_owned()], 1));
    assert_eq!(looks(&image::RgbImage::new(960, 540)), (vec![], 2), "nothing there is not sure");
}

#[test]
fn the_same_pixels_give_the_same_reading_whatever_came_before() {
    let mut recognizer = Models::embedded().unwrap().recognizer().unwrap();
    let noise: Vec<u8> = (0..320 * 200 * 3).map(|i| (i * 7919 % 256) as u8).collect();
    let image = Image::new(&noise, 320, 200).unwrap();
    let plate = plate_at([(10., 10.), (150., 12.), (150., 60.), (10., 58.)], false);
    let mut both =
        || (recognizer.recognize(image).unwrap(), recognizer.reader.read(image, &plate).unwrap());
    let first = both();
    assert_eq!(both(), first);
    let tall = vec![200; 100 * 900 * 3];
    recognizer.recognize(Image::new(&tall, 100, 900).unwrap()).unwrap();
    let again = recognizer.recognize(image).unwrap();
    assert_eq!(again, first.0);
}
