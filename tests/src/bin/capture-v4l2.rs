//! Looks through a V4L2 device with the camera of the edge: `capture-v4l2 /dev/video0 yuyv nv12`.
//!
//! Prints a line for each format: its size, how many frames came, how bright they are, and the
//! colours from left to right. A format that the device does not have is refused by the camera;
//! its line says why. Fails where no frames come, or black ones, or no format is there.

use std::{
    env,
    process::ExitCode,
    time::{Duration, Instant},
};

use edge_daemon::vision::camera::{Next, open};

/// How many frames of each format are looked at.
const FRAMES: usize = 5;
/// Far longer than they take, even in an emulated machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Frames that are darker than this on average show nothing; black is 16.
const BLACK: usize = 24;
/// How many bars the test picture of most drivers has.
const BARS: usize = 8;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let device = arguments.next().unwrap_or_default();
    let formats: Vec<String> = arguments.collect();
    let mut captured = 0;
    for format in formats {
        match capture(&device, &format) {
            Ok(line) => {
                captured += 1;
                println!("capture-v4l2: {format} {line}");
            }
            Err(Failure::Refused(why)) => println!("capture-v4l2: {format} refused: {why}"),
            Err(Failure::Broken(why)) => {
                println!("capture-v4l2: {format} failed: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    if captured == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Why there is no line about frames.
enum Failure {
    /// The camera does not open the device in this format.
    Refused(String),
    /// It does, and then delivers nothing of use.
    Broken(String),
}

/// Opens the device as a configuration would have it, and tells what it shows.
fn capture(device: &str, format: &str) -> Result<String, Failure> {
    let config = format!(
        "id = \"test\"\nsource = \"v4l2\"\ndevice = \"{device}\"\nformat = \"{format}\"\n\
         width = 640\nheight = 360"
    );
    let config = toml::from_str(&config).map_err(|error| Failure::Broken(error.to_string()))?;
    let mut camera = open(&config).map_err(|lost| Failure::Refused(lost.to_string()))?;
    let until = Instant::now() + PATIENCE;
    let mut lumas = Vec::new();
    loop {
        let next = camera.next().map_err(|lost| Failure::Broken(lost.to_string()))?;
        let Next::Frame(frame) = next else {
            if Instant::now() > until {
                return Err(Failure::Broken(format!("{} frames came", lumas.len())));
            }
            continue;
        };
        let (width, height) = (frame.pixels.width(), frame.pixels.height());
        let samples = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let bright = samples.map(|(x, y)| usize::from(frame.pixels.luma(x, y)));
        let luma = bright.sum::<usize>() / (width * height);
        if luma < BLACK {
            return Err(Failure::Broken(format!("a frame is black: mean luma {luma}")));
        }
        lumas.push(luma);
        if lumas.len() == FRAMES {
            let mean = lumas.iter().sum::<usize>() / FRAMES;
            let rgb = frame.pixels.into_rgb();
            let bars = bars(&rgb.data, width, height);
            return Ok(format!("{width}x{height} frames={FRAMES} mean luma={mean} bars={bars}"));
        }
    }
}

/// The colours of the bars as letters, sampled below what drivers write over them.
fn bars(rgb: &[u8], width: usize, height: usize) -> String {
    let row = &rgb[height * 7 / 8 * width * 3..][..width * 3];
    let centres = (0..BARS).map(|bar| (2 * bar + 1) * width / (2 * BARS) * 3);
    centres.map(|at| letter([row[at], row[at + 1], row[at + 2]])).collect()
}

/// White, yellow, cyan, green, magenta, red, blue or black (K), whichever is nearest.
fn letter(rgb: [u8; 3]) -> char {
    match rgb.map(|part| part >= 96) {
        [true, true, true] => 'W',
        [true, true, false] => 'Y',
        [false, true, true] => 'C',
        [false, true, false] => 'G',
        [true, false, true] => 'M',
        [true, false, false] => 'R',
        [false, false, true] => 'B',
        [false, false, false] => 'K',
    }
}
