//! Detectors that write boxes, as YOLOv8 does.

use anpr::{Bounds, Detail, Detection, Kind, Models, VehicleClass, VehicleModel};

use super::network::{Network, Table};
use super::{White, corners, own};

/// Places of a network of 320 x 320 px.
const PLACES: usize = 40 * 40 + 20 * 20 + 10 * 10;
const FIXED: [usize; 4] = [1, 3, 320, 320];

/// An output with these places and nothing else.
fn table(places: &[&[f32]], channels: usize, count: usize, channels_first: bool) -> Table {
    let mut values = vec![0.0; channels * count];
    for (number, place) in places.iter().enumerate() {
        for (channel, value) in place.iter().enumerate() {
            let at = number * 7 + 3;
            let at = if channels_first { channel * count + at } else { at * channels + channel };
            values[at] = *value;
        }
    }
    let shape = if channels_first { vec![1, channels, count] } else { vec![1, count, channels] };
    Table { shape, values }
}

fn plates(network: Network, manifest: &str, white: &White) -> Vec<Detection> {
    let models = Models::with_own(Some(own(&network.onnx(), manifest)), None).unwrap();
    models.recognizer(Detail::High).unwrap().detector.detect(white.image()).unwrap()
}

fn refusal(network: Network, manifest: &str) -> String {
    let error = Models::with_own(Some(own(&network.onnx(), manifest)), None).unwrap_err();
    error.to_string()
}

fn vehicles(network: Network, manifest: &str) -> Result<VehicleModel, String> {
    VehicleModel::own(own(&network.onnx(), manifest)).map_err(|error| error.to_string())
}

#[test]
fn plates_of_a_head_of_boxes_come_out_in_the_pictures_pixels() {
    let white = White::new(640, 320);
    for channels_first in [true, false] {
        let place: &[f32] = &[160.0, 80.0, 64.0, 20.0, 0.9];
        let again: &[f32] = &[161.0, 80.0, 64.0, 20.0, 0.8];
        let unsure: &[f32] = &[40.0, 80.0, 64.0, 20.0, 0.2];
        let table = table(&[place, again, unsure], 5, PLACES, channels_first);
        let found = plates(Network::of_tables(FIXED, &[table]), "", &white);
        let [plate] = found[..] else { panic!("one plate, not {found:?}") };
        // The picture is shown at half its size; both boxes of the plate agree on the corners.
        let [tl, _, br, _] = corners(&plate);
        assert!((tl.0 - 256.9).abs() < 0.1 && (br.0 - 384.9).abs() < 0.1, "{plate:?}");
        assert_eq!((tl.1, br.1), (140.0, 180.0));
        assert_eq!((plate.score, plate.kind, plate.two_lines), (0.9, Kind::Other, false));
    }
}

#[test]
fn a_network_of_any_size_is_shown_what_the_picture_needs() {
    let count = 80 * 48 + 40 * 24 + 20 * 12;
    let table = table(&[&[320.0, 192.0, 64.0, 20.0, 0.9]], 5, count, true);
    let network = Network::of_tables([0, 3, 0, 0], &[table]);
    let found = plates(network, "", &White::new(1280, 768));
    let (x, y) = corners(&found[0])[0];
    assert!((x - 576.0).abs() < 1e-3 && (y - 364.0).abs() < 1e-3, "{found:?}");
}

#[test]
fn corners_behind_the_scores_are_the_plates_and_names_tell_colour_and_lines() {
    let white = White::new(320, 320);
    for values in [2, 3] {
        let mut place = vec![160.0, 80.0, 64.0, 20.0, 0.1, 0.9];
        for (x, y) in [(130.0, 72.0), (190.0, 70.0), (191.0, 88.0), (129.0, 90.0)] {
            place.extend(&[x, y, 0.7][..values]);
        }
        let table = table(&[&place], place.len(), PLACES, true);
        let network = Network::of_tables(FIXED, &[table]);
        let network = network.noting("names", "{0: 'single plate', 1: 'double yellow plate'}");
        let found = plates(network, "", &white);
        let [plate] = found[..] else { panic!("one plate, not {found:?}") };
        assert_eq!(corners(&plate), [(130., 72.), (190., 70.), (191., 88.), (129., 90.)]);
        assert_eq!((plate.kind, plate.two_lines), (Kind::Yellow, true));
    }
}

#[test]
fn the_manifest_beside_tells_thresholds_and_classes_of_its_own_file_only() {
    let network = || {
        let place: &[f32] = &[160.0, 80.0, 64.0, 20.0, 0.9, 0.5];
        let other: &[f32] = &[160.0, 200.0, 64.0, 20.0, 0.1, 0.5];
        Network::of_tables(FIXED, &[table(&[place, other], 6, PLACES, true)])
    };
    let white = White::new(320, 320);
    let both = "[detector]\nclasses = [\"blue\", \"plate\"]";
    assert_eq!(plates(network(), both, &white).len(), 2);
    let surer = "[detector]\nclasses = [\"blue\", \"plate\"]\nthreshold = 0.6";
    assert_eq!(plates(network(), surer, &white)[0].kind, Kind::Blue);
    let one = "[detector]\nclasses = [\"car\", \"plate\"]";
    assert_eq!(plates(network(), one, &white)[0].bounds.y1, 190.0);
    let others = format!("{both}\nfile = \"other.onnx\"");
    assert!(refusal(network(), &others).contains("no names of classes"));
    let hashed = format!("{both}\nsha256 = \"00\"");
    assert!(refusal(network(), &hashed).contains("sha256"));
    let typo = "[detector]\nclasses = \"plate\"";
    assert!(refusal(network(), typo).contains("beside /there/mine.onnx: detector"));
}

#[test]
fn what_does_not_fit_is_said_with_what_would() {
    let output = |shape: &[usize], value: f32| {
        let values = vec![value; shape.iter().product()];
        Network::of_tables(FIXED, &[Table { shape: shape.to_vec(), values }])
    };
    let plate = "[detector]\nclasses = [\"plate\"]";
    let fit = &[1, 5, PLACES];
    let sized = |input: [usize; 4]| {
        let table = Table { shape: fit.to_vec(), values: vec![0.0; 5 * PLACES] };
        Network::of_tables(input, &[table])
    };
    for (network, manifest, wanted) in [
        (output(&[1, 3 * PLACES, 6], 0.0), plate, "YOLOv5"),
        (output(&[1, 300, 6], 0.0), plate, "nms=False"),
        (output(&[1, 42, 76], 0.0), plate, "[1, 4 + classes, 2100]"),
        (output(&[1, 17, PLACES], 0.0), "", "13 values behind each box and no names"),
        (output(&[1, 14, PLACES], 0.0), plate, "and 1 names of classes (plate)"),
        (output(fit, 7.0), plate, "reach from 3.5 to 3.5, wanted 0 to 1"),
        (output(fit, 0.0).noting("names", "{0: 'dog'}"), "", ""),
        (output(&[1, 6, PLACES], 0.0).noting("names", "{0: 'dog', 1: 'cat'}"), "", "dog, cat"),
        (sized([1, 1, 320, 320]), plate, "[1, 1, …], wanted one input of floats"),
        (sized([8, 3, 320, 320]), plate, "[8, 3, …]"),
        (sized([1, 3, 300, 300]), plate, "300 x 300 px, wanted multiples of 32"),
        (sized([1, 3, 3200, 3200]), plate, "from 64 to 1280"),
        (output(fit, 0.0), "[detector]\nthreshold = 7.0", "between 0 and 1"),
    ] {
        if wanted.is_empty() {
            // A class alone is the plate, whatever it is called.
            assert!(Models::with_own(Some(own(&network.onnx(), manifest)), None).is_ok());
            continue;
        }
        let said = refusal(network, manifest);
        assert!(said.contains(wanted), "{said}");
        assert!(said.contains("mine.onnx") || said.contains("threshold"), "{said}");
    }
}

#[test]
fn vehicles_are_told_by_the_names_of_their_classes_and_all_others_left_out() {
    let person: &[f32] = &[40.0, 80.0, 20.0, 60.0, 0.9, 0.3, 0.0];
    let car: &[f32] = &[160.0, 80.0, 64.0, 40.0, 0.0, 0.7, 0.2];
    let bus: &[f32] = &[160.0, 200.0, 100.0, 40.0, 0.0, 0.4, 0.8];
    let table = || table(&[person, car, bus], 7, PLACES, true);
    let network = || Network::of_tables(FIXED, &[table()]);
    let names = "{0: 'person', 1: 'car', 2: 'bus'}";
    let model = vehicles(network().noting("names", names), "").unwrap();
    let white = White::new(640, 640);
    let found = model.detector().unwrap().detect(white.image()).unwrap();
    let told: Vec<_> = found.iter().map(|v| (v.class, v.confidence)).collect();
    assert_eq!(told, [(VehicleClass::Bus, 0.8), (VehicleClass::Car, 0.7)]);
    assert_eq!(found[1].bounds, Bounds { x1: 256.0, y1: 120.0, x2: 384.0, y2: 200.0 });

    let manifest = "[vehicles]\nclasses = [\"x\", \"lorry\", \"y\"]\nthreshold = 0.6";
    let model = vehicles(network().noting("names", names), manifest).unwrap();
    let found = model.detector().unwrap().detect(white.image()).unwrap();
    assert!(matches!(found[..], [v] if v.class == VehicleClass::Truck));
}

#[test]
fn a_network_without_vehicles_lists_what_it_has() {
    let network = |channels| {
        let values = vec![0.0; channels * PLACES];
        Network::of_tables(FIXED, &[Table { shape: vec![1, channels, PLACES], values }])
    };
    let said = vehicles(network(6).noting("names", "{0: 'dog', 1: 'cat'}"), "").unwrap_err();
    assert!(said.contains("(dog, cat)") && said.contains("car, motorcycle, bus, truck"), "{said}");
    let said = vehicles(network(5), "").unwrap_err();
    assert!(said.contains("car, motorcycle, bus, truck") && said.contains("`classes`"), "{said}");
    let said = vehicles(network(84), "").unwrap_err();
    assert!(said.contains("80 values behind each box and no names"), "{said}");
}

#[test]
fn a_damaged_file_is_an_error_and_no_panic() {
    let table = Table { shape: vec![1, 5, 84], values: vec![0.0; 5 * 84] };
    let network = Network::of_tables([1, 3, 64, 64], &[table]).noting("names", "{0: 'car'}");
    let whole = network.onnx();
    assert!(VehicleModel::own(own(&whole, "")).is_ok());
    for at in (0..whole.len()).filter(|at| whole[*at] != 0) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x15;
        let _ = VehicleModel::own(own(&damaged, ""));
        assert!(VehicleModel::own(own(&whole[..at], "")).is_err());
    }
}
