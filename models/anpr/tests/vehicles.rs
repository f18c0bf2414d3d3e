//! The embedded network for vehicles as a user of the crate meets it.

#![allow(clippy::unwrap_used)]

use anpr::{Error, Image, VehicleModel};

const MANIFEST: &str = include_str!("../weights/manifest.toml");
const VEHICLES: &[u8] = include_bytes!("../weights/vehicles.onnx");

/// The manifest with something else in its table about vehicles.
fn manifest_with(from: &str, to: &str) -> String {
    let table = MANIFEST.find("[vehicles]").unwrap();
    assert!(MANIFEST[table..].contains(from), "{from} is not in the manifest");
    format!("{}{}", &MANIFEST[..table], MANIFEST[table..].replacen(from, to, 1))
}

#[test]
fn weights_that_are_not_the_manifests_are_refused_by_name_and_hash() {
    let mut other = VEHICLES.to_vec();
    *other.last_mut().unwrap() ^= 1;
    let error = VehicleModel::from_bytes(MANIFEST, &other).unwrap_err();
    let Error::Hash { file, wanted, found } = &error else { panic!("{error}") };
    assert_eq!(file, "vehicles.onnx");
    assert!(MANIFEST.contains(wanted.as_str()) && !MANIFEST.contains(found.as_str()));
}

#[test]
fn a_network_of_another_shape_is_refused() {
    let fewer = manifest_with("\"bus\", \"truck\"", "\"bus\"");
    let error = VehicleModel::from_bytes(&fewer, VEHICLES).unwrap_err();
    assert!(matches!(&error, Error::Shape { tensor, .. } if tensor == "p8"), "{error}");
    let strides = manifest_with("strides = [8, 16, 32]", "strides = [4, 16, 32]");
    let error = VehicleModel::from_bytes(&strides, VEHICLES).unwrap_err().to_string();
    assert!(error.contains("p4") && error.contains("p8, p16, p32"), "{error}");
}

#[test]
fn a_manifest_that_makes_no_sense_is_refused_with_what_would_be_right() {
    for (from, to, wanted) in [
        ("strides = [8, 16, 32]", "strides = []", "some of 4, 8, 16 and 32"),
        ("threshold = 0", "threshold = 1", "between 0 and 1"),
        ("\"motorcycle\"", "\"bicycle\"", "names `bicycle`, wanted some of car"),
        ("[vehicles]", "[vehicle]", "vehicles"),
    ] {
        let error = VehicleModel::from_bytes(&manifest_with(from, to), VEHICLES).unwrap_err();
        assert!(matches!(error, Error::Manifest(_)), "{error}");
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[test]
fn pictures_of_odd_sizes_are_looked_at_and_boxes_stay_inside() {
    let model = VehicleModel::embedded().unwrap();
    let mut detector = model.detector().unwrap();
    for (width, height) in [(1, 1), (1, 5000), (5000, 1), (576, 320), (417, 416), (641, 2000)] {
        let noise: Vec<u8> = (0..width * height * 3).map(|i| (i * i % 251) as u8).collect();
        let image = Image::new(&noise, width, height).unwrap();
        let first = detector.detect(image).unwrap();
        for vehicle in &first {
            let bounds = vehicle.bounds;
            assert!(bounds.x1 >= 0.0 && bounds.x2 <= width as f32 && bounds.y2 <= height as f32);
            assert!(vehicle.confidence >= model.manifest().threshold);
        }
        assert_eq!(detector.detect(image).unwrap(), first, "the same pixels, the same vehicles");
    }
}
