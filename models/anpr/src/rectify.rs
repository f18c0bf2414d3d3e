//! The plate cut out of the picture, straight, as the reader was trained on it.
//!
//! The definition is that of the training (`models/training/rectify.py`): corners pushed outward,
//! a perspective warp with bilinear samples, the picture's border repeated outside; two-line plates
//! are folded into one line. The vectors in `tests/vectors` hold both to the same pixels.

use fearless_simd::{Level, dispatch};

use crate::geometry::{Homography, push_out};
use crate::{Corners, Image, ReaderManifest};

/// Width of the straight plate, px.
pub(crate) const WIDTH: usize = 168;
/// Height of the straight plate, px.
pub(crate) const HEIGHT: usize = 48;
/// Columns of it that the upper line of a two-line plate takes, px.
const UPPER_WIDTH: usize = 64;

/// Straightens plates; its buffer is reused.
pub(crate) struct Rectifier {
    margin: f32,
    /// Rows of the tall plate that hold the upper line.
    upper: std::ops::Range<usize>,
    /// Rows of the tall plate that hold the lower line.
    lower: std::ops::Range<usize>,
    /// The part of the folded plate that the upper line takes.
    upper_part: f32,
    height: usize,
    tall: Vec<f32>,
}

impl Rectifier {
    /// For plates of at most `width` columns and of `height` rows.
    pub fn new(manifest: &ReaderManifest, (width, height): (usize, usize)) -> Self {
        // A two-line plate is warped to twice the height first.
        let tall = 2 * height;
        let row = |part: f32| ((part * tall as f32).round() as usize).clamp(1, tall - 1);
        let part = |upper: usize| upper as f32 / width as f32;
        Self {
            margin: manifest.margin,
            upper: 0..row(manifest.split_upper),
            lower: row(manifest.split_lower)..tall,
            upper_part: manifest.upper_width.map_or(UPPER_WIDTH as f32 / WIDTH as f32, part),
            height,
            tall: vec![0.0; 3 * width * tall],
        }
    }

    /// Writes the plate at the convex `corners` into `planes`: three of `width` columns, RGB in 0..1.
    pub fn draw(
        &mut self,
        image: Image,
        corners: &Corners,
        two_lines: bool,
        width: usize,
        planes: &mut [f32],
    ) {
        let corners = push_out(corners, self.margin);
        if !two_lines {
            warp(image, &corners, (width, self.height), planes);
            return;
        }
        let tall = &mut self.tall[..6 * width * self.height];
        warp(image, &corners, (width, 2 * self.height), tall);
        let planes = planes.chunks_exact_mut(width * self.height);
        let upper = (self.upper_part * width as f32).round() as usize;
        for (source, target) in tall.chunks_exact(2 * width * self.height).zip(planes) {
            let mut fold = |rows, columns| scale(source, rows, target, columns, width);
            fold(self.upper.clone(), 0..upper);
            fold(self.lower.clone(), upper..width);
        }
    }
}

/// Samples the picture at every pixel of a rectangle (width, height) whose corners lie at `corners`.
pub(crate) fn warp(image: Image, corners: &Corners, size: (usize, usize), planes: &mut [f32]) {
    dispatch!(Level::new(), _simd => sample_all(image, corners, size, planes));
}

#[inline(always)]
fn sample_all(
    image: Image,
    corners: &Corners,
    (width, height): (usize, usize),
    planes: &mut [f32],
) {
    let map = Homography::from_rectangle(width, height, corners);
    let (red, rest) = planes.split_at_mut(width * height);
    let (green, blue) = rest.split_at_mut(width * height);
    for v in 0..height {
        for u in 0..width {
            let (x, y) = map.map(u as f64 + 0.5, v as f64 + 0.5);
            let i = v * width + u;
            [red[i], green[i], blue[i]] = sample(image, x as f32, y as f32);
        }
    }
}

/// The picture at (x, y), bilinear between pixel centres, 0..1.
#[inline(always)]
fn sample(image: Image, x: f32, y: f32) -> [f32; 3] {
    const UNIT: f32 = 1.0 / 255.0;
    let (x0, x1, fx) = between(x, image.width());
    let (y0, y1, fy) = between(y, image.height());
    let (upper, lower) = (image.row(y0), image.row(y1));
    let (fx, fy, gx, gy) = (fx, fy * UNIT, 1.0 - fx, (1.0 - fy) * UNIT);
    let weights = [gx * gy, fx * gy, gx * fy, fx * fy];
    let pixels = [pixel(upper, x0), pixel(upper, x1), pixel(lower, x0), pixel(lower, x1)];
    let mix = |c: usize| (0..4).map(|i| weights[i] * f32::from(pixels[i][c])).sum();
    [mix(0), mix(1), mix(2)]
}

#[inline(always)]
fn pixel(row: &[u8], x: usize) -> &[u8] {
    &row[x * 3..][..3]
}

/// The two pixels whose centres `at` lies between, and how far it is from the first to the second.
#[inline(always)]
fn between(at: f32, count: usize) -> (usize, usize, f32) {
    let at = (at - 0.5).clamp(0.0, (count - 1) as f32);
    let first = at as usize;
    (first, (first + 1).min(count - 1), at - first as f32)
}

/// Scales `rows` of the tall plate to the full height and to `columns` of the folded one, both of
/// `width` columns.
fn scale(
    source: &[f32],
    rows: std::ops::Range<usize>,
    target: &mut [f32],
    columns: std::ops::Range<usize>,
    width: usize,
) {
    let height = target.len() / width;
    let (across, down) = (width as f32 / columns.len() as f32, rows.len() as f32 / height as f32);
    for v in 0..height {
        let (y0, y1, fy) = between((v as f32 + 0.5) * down, rows.len());
        let (upper, lower) =
            (&source[(rows.start + y0) * width..], &source[(rows.start + y1) * width..]);
        for u in columns.clone() {
            let (x0, x1, fx) = between(((u - columns.start) as f32 + 0.5) * across, width);
            let a = upper[x0] + (upper[x1] - upper[x0]) * fx;
            let b = lower[x0] + (lower[x1] - lower[x0]) * fx;
            target[v * width + u] = a + (b - a) * fy;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::geometry::is_convex;
    use crate::{Manifest, Point, models};

    fn rectifier() -> Rectifier {
        let manifest = Manifest::parse(models::MANIFEST).expect("it is well formed");
        Rectifier::new(&manifest.reader, (WIDTH, HEIGHT))
    }

    fn vector(name: &str) -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "tests", "vectors", name].iter().collect()
    }

    fn picture(name: &str) -> image::RgbImage {
        image::open(vector(name)).expect("the picture is there").into_rgb8()
    }

    #[derive(serde::Deserialize)]
    struct Cases {
        cases: Vec<Case>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        two_lines: bool,
        corners: [[f32; 2]; 4],
    }

    #[test]
    fn the_reader_sees_what_it_was_trained_on() {
        let json = std::fs::read_to_string(vector("vectors.json")).expect("the vectors are there");
        let Cases { cases } = serde_json::from_str(&json).expect("they are well formed");
        assert!(!cases.is_empty());
        for Case { name, two_lines, corners } in cases {
            let shown = picture(&format!("{name}_picture.png"));
            let (width, height) = shown.dimensions();
            let image = Image::new(&shown, width as usize, height as usize).expect("the sizes fit");
            let mut planes = vec![0.0; 3 * WIDTH * HEIGHT];
            let corners = corners.map(|[x, y]| Point { x, y });
            rectifier().draw(image, &corners, two_lines, WIDTH, &mut planes);
            let expected = picture(&format!("{name}_expected.png"));
            for (x, y, pixel) in expected.enumerate_pixels() {
                for (channel, wanted) in pixel.0.into_iter().enumerate() {
                    let at = (channel * HEIGHT + y as usize) * WIDTH + x as usize;
                    let off = planes[at] * 255.0 - f32::from(wanted);
                    assert!(off.abs() < 0.6, "{name}: {off} at {x},{y},{channel}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_convex_corners_of_any_picture_are_cut_out(
            width in 1usize..40,
            height in 1usize..40,
            xs in prop::array::uniform4(-1e6f32..1e6),
            ys in prop::array::uniform4(-1e6f32..1e6),
            two_lines: bool,
        ) {
            let corners: Corners = std::array::from_fn(|i| Point { x: xs[i], y: ys[i] });
            if !is_convex(&corners) {
                return Ok(());
            }
            let rgb = vec![51; width * height * 3];
            let image = Image::new(&rgb, width, height).expect("the sizes fit");
            let mut planes = vec![0.0; 3 * WIDTH * HEIGHT];
            rectifier().draw(image, &corners, two_lines, WIDTH, &mut planes);
            prop_assert!(planes.iter().all(|value| (value - 0.2).abs() < 1e-4));
        }
    }
}
