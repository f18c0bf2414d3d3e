//! What finding and reading cost on one thread: `cargo bench -p anpr -- [FOLDER]`.
//!
//! Without a folder a generated picture of 1280 x 720 px is used, and the reader gets a fixed place
//! in it, so that the figures do not hang on what is found. With a folder its pictures are read,
//! each as often as [`LOOKS`] says: what it took at the least is what other work disturbed least.

use std::path::Path;
use std::time::{Duration, Instant};

use anpr::{Bounds, Detail, Detection, Image, Kind, Models, Point, Recognizer, Spent};

const ROUNDS: usize = 200;
/// How often each picture of a folder is read.
const LOOKS: usize = 3;
const WARM_UP: usize = 10;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let start = Instant::now();
    let models = Models::embedded()?;
    println!("load    {:>7.1} ms", milliseconds(start.elapsed()));
    let mut recognizer = models.recognizer(Detail::Medium)?;
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    match folder {
        Some(folder) => bench_folder(&mut recognizer, Path::new(&folder)),
        None => bench_generated(&mut recognizer),
    }
}

fn bench_generated(recognizer: &mut Recognizer) -> Result<(), Failure> {
    let (width, height) = (1280, 720);
    let rgb = generated(width, height);
    let image = Image::new(&rgb, width, height)?;
    let corners = [(500., 400.), (640., 405.), (642., 450.), (502., 445.)];
    let corners = corners.map(|(x, y)| Point { x, y });
    let bounds = Bounds::around(&corners);
    let plate = Detection {
        corners,
        bounds,
        score: 1.0,
        kind: Kind::Blue,
        kind_score: 1.0,
        two_lines: false,
    };
    let (mut detect, mut read) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        time(&mut detect, || recognizer.detector.detect(image))?;
        time(&mut read, || recognizer.reader.read(image, &plate))?;
    }
    println!("generated picture, {width} x {height} px, one plate, {ROUNDS} rounds");
    report("detect", &mut detect);
    report("read", &mut read);
    Ok(())
}

fn bench_folder(recognizer: &mut Recognizer, folder: &Path) -> Result<(), Failure> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let (mut decode, mut detect) = (Vec::new(), Vec::new());
    let (mut read, mut total) = (Vec::new(), Vec::new());
    for file in &files {
        let Ok(rgb) = time(&mut decode, || image::open(file).map(|picture| picture.into_rgb8()))
        else {
            decode.pop();
            continue;
        };
        let image = Image::new(&rgb, rgb.width() as usize, rgb.height() as usize)?;
        let begun = Instant::now();
        let looks: Vec<Spent> = (0..LOOKS)
            .map(|_| Ok(recognizer.recognize_timed(image, &|| begun.elapsed())?.1))
            .collect::<Result<_, anpr::Error>>()?;
        let spent = looks.into_iter().min_by_key(|spent| spent.detect + spent.read);
        let spent = spent.expect("a picture is looked at");
        detect.push(spent.detect);
        read.push(spent.read);
        total.push(spent.detect + spent.read);
    }
    println!("{}: {} pictures", folder.display(), total.len());
    report("decode", &mut decode);
    report("detect", &mut detect);
    report("read", &mut read);
    report("both", &mut total);
    Ok(())
}

fn time<T, E>(times: &mut Vec<Duration>, act: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let start = Instant::now();
    let result = act();
    times.push(start.elapsed());
    result
}

/// A smooth scene with some edges, always the same.
fn generated(width: usize, height: usize) -> Vec<u8> {
    let pixel = |i: usize| {
        let (x, y) = (i % width, i / width);
        let edge = if (x / 40 + y / 30) % 5 == 0 { 60 } else { 0 };
        [(x * 180 / width) as u8 + edge, (y * 180 / height) as u8 + edge, (i * 7919 % 97) as u8]
    };
    (0..width * height).flat_map(pixel).collect()
}

fn report(name: &str, times: &mut Vec<Duration>) {
    times.drain(..WARM_UP.min(times.len() / 2));
    times.sort();
    let at = |part: f64| match times.len() {
        0 => 0.0,
        count => milliseconds(times[((count - 1) as f64 * part).round() as usize]),
    };
    println!("{name:<7} median {:>7.2}   p90 {:>7.2}   p99 {:>7.2} ms", at(0.5), at(0.9), at(0.99));
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
