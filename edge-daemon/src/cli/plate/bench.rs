//! `edge-daemon plate bench`: how fast recognition is on this machine, as a report to send.
//!
//! One thread, a generated street with a plate at a fixed place, so that figures of different boards
//! compare; or a picture of one's own.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use anpr::{Bounds, Detail, Detection, Image, Kind, LayerTime, Point, Recognizer};
use clap::Args;
use image::{ImageFormat, Rgb, RgbImage};

use super::networks::NetworkOptions;
use super::picture::{self, PictureError};

/// The generated street's size, px.
const STREET_PX: (u32, u32) = (1280, 720);

/// How long to measure, and on what.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A picture (JPEG, PNG) with a plate; without one a generated street.
    picture: Option<PathBuf>,
    /// How often each step is timed.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(3..=2000))]
    rounds: u16,
    #[command(flatten)]
    networks: NetworkOptions,
}

/// Measures and prints the report.
pub fn run(arguments: &Arguments) -> ExitCode {
    match report(arguments) {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => crate::cli::fail(error.as_ref()),
    }
}

fn report(arguments: &Arguments) -> Result<String, Box<dyn std::error::Error>> {
    let (file, picture) = match &arguments.picture {
        Some(path) => opened(path).map_err(|e| format!("{}: {e}", path.display()))?,
        None => jpeg(street())?,
    };
    let (width, height) = picture.dimensions();
    let image = Image::new(&picture, width as usize, height as usize)?;
    let models = arguments.networks.models()?;
    let mut recognizer = models.load()?.recognizer(models.detail(Detail::High))?;
    let mut vehicles = models.load_vehicles()?.detector()?;
    let (mut decode, mut detect) = (Vec::new(), Vec::new());
    let (mut read, mut tell_apart) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        decode.push(timed(|| picture::decode(&file).map(drop))?);
        detect.push(timed(|| recognizer.detector.detect(image).map(drop))?);
        read.push(timed(|| recognizer.reader.read(image, &plate()).map(drop))?);
        tell_apart.push(timed(|| vehicles.detect(image).map(drop))?);
    }
    let mut lines = machine();
    lines.push(format!("picture     {width} x {height}, {} rounds, one thread", arguments.rounds));
    lines.push(format!("decode      {}", spread(&mut decode)));
    lines.push(format!("find        {}", spread(&mut detect)));
    lines.push(format!("read        {}", spread(&mut read)));
    lines.push(format!("vehicles    {}", spread(&mut tell_apart)));
    lines.push(format!("memory      {} at most", field("/proc/self/status", "VmHWM")));
    lines.push("layers      ms in a run, by network and class".to_owned());
    lines.extend(layers(&mut recognizer, arguments.rounds)?);
    Ok(lines.join("\n") + "\n")
}

/// A picture's file, and its pixels.
fn opened(path: &Path) -> Result<(Vec<u8>, RgbImage), PictureError> {
    let file = picture::read(path)?;
    let picture = picture::decode(&file)?;
    Ok((file, picture))
}

/// A picture as a JPEG file, and its pixels.
fn jpeg(picture: RgbImage) -> image::ImageResult<(Vec<u8>, RgbImage)> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Jpeg)?;
    Ok((file.into_inner(), picture))
}

/// What was measured on.
fn machine() -> Vec<String> {
    let board = fs::read_to_string("/proc/device-tree/model").unwrap_or_default();
    let board = board.trim_end_matches('\0').to_owned();
    let named = if board.is_empty() { field("/proc/cpuinfo", "model name") } else { board };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    vec![
        format!("gatehouse   {} {}", env!("CARGO_PKG_VERSION"), env::consts::ARCH),
        format!("processor   {named}, {cores} cores, load {load}"),
    ]
}

/// The value of the first line of a file of `name: value` that has this name.
fn field(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let value = text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    });
    value.unwrap_or_else(|| "unknown".to_owned())
}

fn timed<E>(act: impl FnOnce() -> Result<(), E>) -> Result<Duration, E> {
    let begun = Instant::now();
    act().map(|()| begun.elapsed())
}

fn spread(times: &mut [Duration]) -> String {
    times.sort();
    let at = |part: usize| milliseconds(times[(times.len() - 1) * part / 100]);
    format!("{:.2} ms fastest, {:.2} median, {:.2} p90", at(0), at(50), at(90))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The mean time of each class of layers, the networks in the order of their work.
fn layers(recognizer: &mut Recognizer, rounds: u16) -> Result<Vec<String>, anpr::Error> {
    let begun = Instant::now();
    let mut sums: BTreeMap<(&str, String), (usize, Duration)> = BTreeMap::new();
    for _ in 0..rounds {
        for LayerTime { network, class, layers, time } in recognizer.profile(&|| begun.elapsed())? {
            let sum = sums.entry((network, class)).or_default();
            *sum = (layers, sum.1 + time);
        }
    }
    let line = |((network, class), (layers, time)): ((&str, String), (usize, Duration))| {
        let mean = milliseconds(time / u32::from(rounds));
        format!("  {network:<9} {class:<20} {layers:>3} x {mean:>8.3}")
    };
    Ok(sums.into_iter().map(line).collect())
}

/// A smooth scene with some edges, always the same.
fn street() -> RgbImage {
    RgbImage::from_fn(STREET_PX.0, STREET_PX.1, |x, y| {
        let edge = if (x / 40 + y / 30) % 5 == 0 { 60 } else { 0 };
        let across = (x * 180 / STREET_PX.0) as u8 + edge;
        let down = (y * 180 / STREET_PX.1) as u8 + edge;
        Rgb([across, down, ((x * 31 + y * 17) % 97) as u8])
    })
}

/// The place that is read.
fn plate() -> Detection {
    let corners = [(500., 400.), (640., 405.), (642., 450.), (502., 445.)];
    let corners = corners.map(|(x, y)| Point { x, y });
    Detection {
        corners,
        bounds: Bounds::around(&corners),
        score: 1.0,
        kind: Kind::Blue,
        kind_score: 1.0,
        two_lines: false,
    }
}
