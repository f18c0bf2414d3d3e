//! Pictures one after another: each is a vehicle that comes, stands for a moment, and leaves.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use super::super::{Camera, Lost, Next};
use crate::vision::{
    config::FilesConfig,
    frame::{Frame, Pixels},
};

/// Widest and highest picture that is decoded, in pixels.
const MAX_SIDE_PX: u32 = 12_000;
/// Most memory that decoding one picture may take.
const MAX_DECODED_BYTES: u64 = 256 << 20;

/// Shows each picture for a few frames, and an empty lane in between.
pub struct Pictures {
    paths: Vec<PathBuf>,
    next: usize,
    repeats: bool,
    frame_time: Duration,
    frames_shown: u32,
    frames_empty: u32,
    showing: Option<Showing>,
    due: Instant,
}

/// A picture that is shown, and how much longer it and the empty lane after it are.
struct Showing {
    picture: Pixels,
    shown: u32,
    empty: u32,
}

impl Pictures {
    /// Shows `paths` in their order, `fps` frames a second.
    pub fn new(paths: Vec<PathBuf>, config: &FilesConfig, fps: f32) -> Self {
        let frames = |ms: u32| (ms as f32 * fps / 1000.0).round() as u32;
        Self {
            paths,
            next: 0,
            repeats: config.r#loop,
            frame_time: Duration::from_secs_f32(1.0 / fps),
            frames_shown: frames(config.show_ms).max(1),
            frames_empty: frames(config.gap_ms),
            showing: None,
            due: Instant::now(),
        }
    }

    fn pace(&mut self) {
        let now = Instant::now();
        thread::sleep(self.due.saturating_duration_since(now));
        self.due = now.max(self.due) + self.frame_time;
    }

    fn decode_next(&mut self) -> Next {
        if self.next == self.paths.len() {
            if !self.repeats {
                return Next::End;
            }
            self.next = 0;
        }
        let path = &self.paths[self.next];
        self.next += 1;
        match decode(path) {
            Ok(picture) => {
                let showing = Showing { picture, shown: 0, empty: 0 };
                self.showing.insert(showing).step(self.frames_shown, self.frames_empty)
            }
            Err(error) => Next::Undecodable(format!("{}: {error}", path.display())),
        }
    }
}

impl Showing {
    /// The next frame of this picture; [`Next::Nothing`] when it is through.
    fn step(&mut self, shown: u32, empty: u32) -> Next {
        let pixels = if self.shown < shown {
            self.shown += 1;
            self.picture.clone()
        } else if self.empty < empty {
            self.empty += 1;
            self.picture.blank()
        } else {
            return Next::Nothing;
        };
        Next::Frame(Frame::now(pixels))
    }
}

impl Camera for Pictures {
    fn next(&mut self) -> Result<Next, Lost> {
        self.pace();
        if let Some(showing) = &mut self.showing {
            let next = showing.step(self.frames_shown, self.frames_empty);
            if matches!(next, Next::Frame(_)) {
                return Ok(next);
            }
            self.showing = None;
        }
        Ok(self.decode_next())
    }

    /// No vehicle of a folder drives on while recognition is busy.
    fn is_live(&self) -> bool {
        false
    }
}

fn decode(path: &Path) -> image::ImageResult<Pixels> {
    let mut reader = ImageReader::open(path)?.with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(Pixels::from_rgb(picture.into_rgb8()).expect("a decoded picture has pixels of its size"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{super::open, *};
    use crate::vision::camera::Camera;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, grey) in [("1.png", 50), ("3.jpg", 200)] {
            let picture = image::RgbImage::from_pixel(64, 48, image::Rgb([grey; 3]));
            picture.save(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("2.jpg"), "no picture").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "no picture either").unwrap();
        folder
    }

    fn camera(path: &Path, repeats: bool) -> Box<dyn Camera> {
        let config = FilesConfig { path: path.into(), r#loop: repeats, show_ms: 20, gap_ms: 10 };
        open(&config, 100.0).unwrap()
    }

    /// What comes out: brightness of frames, names of failures, `.` for the end.
    fn take(camera: &mut dyn Camera, count: usize) -> Vec<String> {
        let next = |_| match camera.next().unwrap() {
            Next::Frame(frame) => frame.pixels.luma(1, 1).to_string(),
            Next::Undecodable(what) => what.rsplit('/').next().unwrap()[..5].to_string(),
            Next::Nothing => "nothing".into(),
            Next::End => ".".into(),
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn each_picture_comes_and_goes_and_what_is_none_is_named() {
        let folder = folder();
        let shown = take(&mut *camera(folder.path(), false), 9);
        assert_eq!(shown, ["50", "50", "128", "2.jpg", "200", "200", "128", ".", "."]);
        let shown = take(&mut *camera(folder.path(), true), 9);
        assert_eq!(shown[7..], ["50", "50"]);
    }

    #[test]
    fn a_folder_without_pictures_says_what_it_needs() {
        let folder = tempfile::tempdir().unwrap();
        let config =
            FilesConfig { path: folder.path().into(), r#loop: true, show_ms: 20, gap_ms: 10 };
        let Err(lost) = open(&config, 10.0) else { panic!("an empty folder is no camera") };
        assert!(lost.to_string().contains(".jpg, .jpeg or .png"));
    }
}
