//! Readers of other sizes, characters and layouts.

use anpr::{Bounds, Detail, Detection, Kind, Models, Point, Reading};

use super::network::{Network, Table};
use super::{White, own};
use anpr::Image;

const CHARSET: &str = "0123456789京AB-";
const CLASSES: usize = 15;
/// What the network is sure of, step by step; `_` is the blank.
const STEPS: &str = "京_AA_-1_12__";
const TEXT: &str = "京A112";

/// A table [step][class] of `sure` at what is read, else of `else_`.
fn rows(blank: usize, sure: f32, other: f32) -> Vec<Vec<f32>> {
    let first = usize::from(blank == 0);
    let class = |c| CHARSET.chars().position(|known| known == c).map_or(blank, |i| i + first);
    let row = |c| (0..CLASSES).map(|i| if i == class(c) { sure } else { other }).collect();
    STEPS.chars().map(row).collect()
}

fn table(shape: &[usize], values: Vec<f32>) -> Table {
    Table { shape: shape.to_vec(), values }
}

fn read(network: Network, manifest: &str, picture: Image) -> Reading {
    let models = Models::with_own(None, Some(own(&network.onnx(), manifest))).unwrap();
    let mut reader = models.recognizer(Detail::Medium).unwrap().reader;
    reader.regions.clear();
    let corners = [(10., 10.), (150., 12.), (150., 52.), (10., 50.)].map(|(x, y)| Point { x, y });
    let bounds = Bounds::around(&corners);
    let found = Detection {
        corners,
        bounds,
        score: 1.0,
        kind: Kind::Other,
        kind_score: 1.0,
        two_lines: false,
    };
    reader.read(picture, &found).unwrap()
}

fn refusal(network: Network, manifest: &str) -> String {
    Models::with_own(None, Some(own(&network.onnx(), manifest))).unwrap_err().to_string()
}

#[test]
fn steps_and_characters_may_stand_in_any_of_three_orders_and_the_blank_first_or_last() {
    let steps = STEPS.chars().count();
    let first = format!("[reader]\ncharset = \"{CHARSET}\"");
    let last = format!("{first}\nblank = \"last\"");
    let white = White::new(200, 100);
    for (blank, manifest) in [(0, &first), (CLASSES - 1, &last)] {
        let rows = rows(blank, 12.0, 0.0);
        let turned = (0..CLASSES).flat_map(|class| rows.iter().map(move |row| row[class]));
        for table in [
            table(&[1, steps, CLASSES], rows.concat()),
            table(&[steps, 1, CLASSES], rows.concat()),
            table(&[1, CLASSES, steps], turned.collect()),
        ] {
            let shape = table.shape.clone();
            let network = Network::of_tables([1, 3, 32, 100], &[table]);
            let reading = read(network, manifest, white.image());
            assert_eq!(reading.text, TEXT, "{shape:?}");
            assert!(reading.confidence > 0.99, "{reading:?}");
        }
    }
}

#[test]
fn probabilities_are_told_from_logits_and_the_output_that_fits_is_taken() {
    // Its first output tells a colour, as some readers of Chinese plates do.
    let steps = STEPS.chars().count();
    let colour = table(&[1, 5], vec![0.2; 5]);
    let rows = table(&[1, steps, CLASSES], rows(0, 12.0, 0.0).concat());
    let network = Network::of_tables([1, 1, 32, 100], &[colour, rows]).softmax();
    let manifest = format!("[reader]\ncharset = \"{CHARSET}\"");
    let reading = read(network, &manifest, White::new(200, 100).image());
    assert_eq!(reading.text, TEXT);
    assert!(reading.confidence > 0.99, "as logits they would be nearly alike: {reading:?}");
}

#[test]
fn colours_are_given_in_the_order_and_around_the_mean_that_the_manifest_tells() {
    let weights = [[0., 30., 0., 0.], [0., 0., 30., 0.], [0., 0., 0., 30.]].concat();
    let network = || Network::of_colours([1, 3, 32, 100], &weights);
    let red = [255, 0, 0].repeat(200 * 100);
    let red = Image::new(&red, 200, 100).unwrap();
    let manifest = "[reader]\ncharset = \"RGB\"";
    assert_eq!(read(network(), manifest, red).text, "R");
    let bgr = format!("{manifest}\ncolour_order = \"bgr\"");
    assert_eq!(read(network(), &bgr, red).text, "B");
    // Half of white is the mean, so that red is above it and the others below.
    let grey = [128, 128, 128].repeat(200 * 100);
    let grey = Image::new(&grey, 200, 100).unwrap();
    let around = format!("{manifest}\nmean = 0.6\nstd = 0.1");
    assert_eq!(read(network(), &around, grey).text, "", "all colours are below the mean");
    assert_eq!(read(network(), manifest, grey).text.len(), 1);
}

#[test]
fn characters_may_be_noted_by_the_exporter_and_a_space_behind_them() {
    let steps = STEPS.chars().count();
    let lines: Vec<String> = CHARSET.chars().map(String::from).collect();
    let mut rows = rows(0, 12.0, 0.0);
    rows.iter_mut().for_each(|row| row.push(0.0));
    let table = table(&[1, steps, CLASSES + 1], rows.concat());
    let network = Network::of_tables([1, 3, 0, 0], &[table]).noting("character", &lines.join("\n"));
    let manifest = "[reader]\ninput_shape = [1, 3, 48, 320]\nkeep_aspect = true";
    assert_eq!(read(network, manifest, White::new(200, 100).image()).text, TEXT);
}

#[test]
fn what_does_not_fit_is_said_with_what_would() {
    let network = |input: [usize; 4], shape: &[usize]| {
        let values = vec![0.0; shape.iter().product()];
        Network::of_tables(input, &[table(shape, values)])
    };
    let charset = "[reader]\ncharset = \"ABC\"";
    let (plain, fit) = ([1, 3, 32, 100], &[1, 9, 4][..]);
    for (network, manifest, wanted) in [
        (network(plain, fit), "", "wanted `charset`"),
        (network(plain, &[1, 9, 5]), charset, "`output0` [1, 9, 5]; wanted [1, steps, 4]"),
        (network(plain, &[1, 600, 4]), charset, "wanted [1, steps, 4]"),
        (network([1, 3, 32, 0], fit), charset, "input_shape = [1, 3, height, width]"),
        (network([1, 4, 32, 100], fit), charset, "[1, 4, …]"),
        (network([9, 3, 32, 100], fit), charset, "[9, 3, …]"),
        (network([1, 3, 8, 100], fit), charset, "100 x 8 px, wanted a width from 16 to 1024"),
        (network(plain, fit), "[reader]\ncharset = \"ABC\"\nstd = 0", "std above 0"),
        (
            network(plain, fit),
            "[reader]\ncharset = \"ABC\"\nblank = \"middle\"",
            "`first` or `last`",
        ),
        (network(plain, fit), "[reader]\ncharset = \"ABC\"\nupper_width = 100", "below 100"),
    ] {
        let said = refusal(network, manifest);
        assert!(said.contains(wanted), "{said}");
    }
}
