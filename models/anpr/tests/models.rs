//! The embedded networks as a user of the crate meets them.

#![allow(clippy::unwrap_used)]

use std::{cell::Cell, time::Duration};

use anpr::{Bounds, Detail, Detection, Error, Image, Kind, Models, Point};
use image::{RgbImage, imageops};

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
    let mut recognizer = Models::embedded().unwrap().recognizer(Detail::Medium).unwrap();
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
    let mut recognizer = Models::embedded().unwrap().recognizer(Detail::Medium).unwrap();
    let grey = vec![128; 640 * 384 * 3];
    let image = Image::new(&grey, 640, 384).unwrap();
    let left = plate_at([(10., 10.), (150., 12.), (150., 60.), (10., 58.)], false);
    let right = plate_at([(410., 10.), (550., 12.), (550., 60.), (410., 58.)], true);
    let readings = recognizer.read_each(image, &[left, right]).unwrap();
    let middles: Vec<_> = readings.iter().map(|r| r.bounds.x1.midpoint(r.bounds.x2)).collect();
    assert!(matches!(middles[..], [l, r] if l < 320.0 && r > 320.0), "{middles:?}");
}

/// The drawn plate `name` of `vectors`.
fn picture(name: &str) -> RgbImage {
    let file = format!("{}/tests/vectors/{name}_picture.png", env!("CARGO_MANIFEST_DIR"));
    image::open(file).unwrap().into_rgb8()
}

/// A grey picture with a plate in it.
fn street_with(plate: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    let mut street = RgbImage::from_pixel(width, height, image::Rgb([110, 112, 108]));
    imageops::replace(&mut street, plate, i64::from(width / 2), i64::from(height / 2));
    street
}

#[test]
fn a_plate_that_is_found_twice_is_read_once() {
    let mut recognizer = Models::embedded().unwrap().recognizer(Detail::Medium).unwrap();
    for name in ["cn_line", "ru_line"] {
        let plate = picture(name);
        let (width, height) = (plate.width() as usize, plate.height() as usize);
        let readings = recognizer.recognize(Image::new(&plate, width, height).unwrap()).unwrap();
        assert_eq!(readings.len(), 1, "{readings:?}");
    }
}

#[test]
fn a_small_plate_of_which_the_detector_is_unsure_is_found_from_near() {
    let mut recognizer = Models::embedded().unwrap().recognizer(Detail::Medium).unwrap();
    let plate = picture("ru_line");
    let (width, height) = (104, plate.height() * 104 / plate.width());
    let plate = imageops::resize(&plate, width, height, imageops::FilterType::Triangle);
    let street = street_with(&plate, (1280, 720));
    let image = Image::new(&street, 1280, 720).unwrap();
    assert_eq!(recognizer.detector.detect(image).unwrap(), vec![]);
    let readings = recognizer.recognize(image).unwrap();
    assert_eq!(readings.iter().map(|r| &*r.text).collect::<Vec<_>>(), ["K851YT723"]);
    recognizer.detector.thresholds.score = 0.9;
    assert_eq!(recognizer.recognize(image).unwrap(), vec![], "nothing is as sure as that");
}

#[test]
fn the_time_of_finding_and_of_reading_is_the_clocks() {
    let mut recognizer = Models::embedded().unwrap().recognizer(Detail::Low).unwrap();
    let street = street_with(&picture("ru_line"), (960, 540));
    let image = Image::new(&street, 960, 540).unwrap();
    let asked = Cell::new(0);
    let now = || Duration::from_secs([100, 103, 107][asked.replace(asked.get() + 1)]);
    let (readings, spent) = recognizer.recognize_timed(image, &now).unwrap();
    assert_eq!(readings[0].text, "K851YT723");
    assert_eq!((spent.detect.as_secs(), spent.read.as_secs()), (3, 4));
}

#[test]
fn the_same_pixels_give_the_same_reading_whatever_came_before() {
    let mut recognizer = Models::embedded().unwrap().recognizer(Detail::Medium).unwrap();
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
