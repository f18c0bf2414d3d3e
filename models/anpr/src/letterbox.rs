//! The picture as the detector sees it: scaled to fit, top left, planar RGB in 0..1.
//!
//! Scaling is separable: rows are mixed into one line of floats, the line is mixed into columns.
//! Shrinking averages areas, as the detector was trained; enlarging is bilinear.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f32x4};

use crate::Image;

/// What the rest of the network's input is filled with.
const FILL: f32 = 0.5;

/// The weights of one axis: output `i` is the sum over `k` of `weights[i * count + k]` times input
/// `first[i] + k`.
struct Taps {
    first: Vec<usize>,
    weights: Vec<f32>,
    count: usize,
}

impl Taps {
    fn new(source: usize, target: usize) -> Self {
        let ratio = source as f64 / target as f64;
        let (count, weight): (usize, fn(f64, f64, f64) -> f64) =
            if ratio > 1.0 { (pixels_in(ratio), area) } else { (2, bilinear) };
        let count = count.min(source);
        let mut taps = Self { first: Vec::new(), weights: Vec::new(), count };
        for i in 0..target {
            let centre = ((i as f64 + 0.5) * ratio).clamp(0.5, source as f64 - 0.5);
            let reach = if ratio > 1.0 { ratio / 2.0 } else { 0.5 };
            let first = ((centre - reach).floor().max(0.0) as usize).min(source - count);
            taps.first.push(first);
            taps.push_weights(first, |pixel| weight(pixel, centre, ratio));
        }
        taps
    }

    /// Weights that sum to one for the pixels from `first` on.
    fn push_weights(&mut self, first: usize, weight: impl Fn(f64) -> f64) {
        let raw: Vec<f64> = (first..first + self.count).map(|p| weight(p as f64)).collect();
        let sum: f64 = raw.iter().sum();
        self.weights.extend(raw.iter().map(|w| (w / sum) as f32));
    }

    fn get(&self, i: usize) -> (usize, &[f32]) {
        (self.first[i], &self.weights[i * self.count..][..self.count])
    }
}

/// Pixels that a window of this width can touch: where it is whole, windows begin where pixels do.
fn pixels_in(ratio: f64) -> usize {
    if ratio.fract() == 0.0 { ratio as usize } else { ratio.ceil() as usize + 1 }
}

/// How much of `pixel` lies in the window of width `ratio` around `centre`.
fn area(pixel: f64, centre: f64, ratio: f64) -> f64 {
    let (from, to) = (centre - ratio / 2.0, centre + ratio / 2.0);
    (to.min(pixel + 1.0) - from.max(pixel)).max(0.0)
}

/// The nearer the pixel's centre, the more.
fn bilinear(pixel: f64, centre: f64, _ratio: f64) -> f64 {
    (1.0 - (pixel + 0.5 - centre).abs()).max(0.0)
}

/// Scales pictures of one size into the network's input; kept while the size stays the same.
pub(crate) struct Letterbox {
    source: (usize, usize),
    target: (usize, usize),
    columns: Taps,
    rows: Taps,
    /// A mixed row, and room for what is read with its last pixel.
    line: Vec<f32>,
}

impl Letterbox {
    /// For pictures of `source` px into a network's input of `frame` px (width, height).
    pub fn new(source: (usize, usize), frame: (usize, usize)) -> Self {
        let scale = (frame.0 as f64 / source.0 as f64).min(frame.1 as f64 / source.1 as f64);
        let side =
            |side: usize, most: usize| ((side as f64 * scale).round() as usize).clamp(1, most);
        let target = (side(source.0, frame.0), side(source.1, frame.1));
        Self {
            source,
            target,
            columns: Taps::new(source.0, target.0),
            rows: Taps::new(source.1, target.1),
            line: vec![0.0; source.0 * 3 + 1],
        }
    }

    /// The size of pictures that this scales, px.
    pub fn source(&self) -> (usize, usize) {
        self.source
    }

    /// Picture px per network px, across and down.
    pub fn scale(&self) -> (f32, f32) {
        (self.source.0 as f32 / self.target.0 as f32, self.source.1 as f32 / self.target.1 as f32)
    }

    /// Fills what no picture of this size covers; needed once per buffer.
    pub fn fill_rest(planes: &mut [f32]) {
        planes.fill(FILL);
    }

    /// Writes the scaled picture into `planes`, three of `frame` px each.
    pub fn draw(&mut self, image: Image, planes: &mut [f32], frame: (usize, usize)) {
        dispatch!(Level::new(), simd => self.draw_with(simd, image, planes, frame));
    }

    #[inline(always)]
    fn draw_with<S: Simd>(
        &mut self,
        simd: S,
        image: Image,
        planes: &mut [f32],
        frame: (usize, usize),
    ) {
        let (red, rest) = planes.split_at_mut(frame.0 * frame.1);
        let (green, blue) = rest.split_at_mut(frame.0 * frame.1);
        for y in 0..self.target.1 {
            let (first, weights) = self.rows.get(y);
            mix_rows(&mut self.line, image, first, weights);
            let row = y * frame.0..y * frame.0 + self.target.0;
            let planes = [&mut red[row.clone()], &mut green[row.clone()], &mut blue[row]];
            mix_columns(simd, &self.line, &self.columns, planes);
        }
    }
}

#[inline(always)]
fn mix_rows(line: &mut [f32], image: Image, first: usize, weights: &[f32]) {
    const UNIT: f32 = 1.0 / 255.0;
    if let [a, b] = weights {
        let rows = image.row(first).iter().zip(image.row(first + 1));
        let (a, b) = (a * UNIT, b * UNIT);
        line.iter_mut().zip(rows).for_each(|(sum, (&p, &q))| {
            *sum = a * f32::from(p) + b * f32::from(q);
        });
        return;
    }
    line.fill(0.0);
    for (k, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        let weight = weight * UNIT;
        let row = image.row(first + k);
        line.iter_mut().zip(row).for_each(|(sum, &p)| *sum += weight * f32::from(p));
    }
}

#[inline(always)]
fn mix_columns<S: Simd>(simd: S, line: &[f32], columns: &Taps, planes: [&mut [f32]; 3]) {
    let [red, green, blue] = planes;
    for (x, ((r, g), b)) in red.iter_mut().zip(green).zip(blue).enumerate() {
        let (first, weights) = columns.get(x);
        let mut sum = f32x4::splat(simd, 0.0);
        // A pixel and what comes after it, which is left out at the end.
        let pixels = line[first * 3..].windows(4).step_by(3);
        for (weight, pixel) in weights.iter().zip(pixels) {
            sum = f32x4::splat(simd, *weight).mul_add(f32x4::from_slice(simd, pixel), sum);
        }
        [*r, *g, *b, _] = sum.to_array();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRAME: (usize, usize) = (64, 40);

    fn draw(rgb: &[u8], width: usize, height: usize) -> Vec<f32> {
        let mut planes = vec![0.0; 3 * FRAME.0 * FRAME.1];
        Letterbox::fill_rest(&mut planes);
        let image = Image::new(rgb, width, height).expect("the sizes fit");
        Letterbox::new((width, height), FRAME).draw(image, &mut planes, FRAME);
        planes
    }

    #[test]
    fn the_picture_sits_top_left_and_grey_fills_the_rest() {
        let planes = draw(&[255, 0, 0].repeat(32 * 40), 32, 40);
        let (red, green) = planes.split_at(FRAME.0 * FRAME.1);
        assert!((red[0] - 1.0).abs() < 1e-6 && (red[31] - 1.0).abs() < 1e-6);
        assert_eq!((red[32], green[0]), (0.5, 0.0));
    }

    #[test]
    fn shrinking_skips_no_pixel() {
        let mut rgb = vec![0; 640 * 400 * 3];
        for pixel in rgb.chunks_exact_mut(3).step_by(2) {
            pixel.fill(255);
        }
        let planes = draw(&rgb, 640, 400);
        assert!(planes.iter().all(|value| (value - 0.5).abs() < 0.01));
    }

    proptest! {
        #[test]
        fn any_size_gives_values_of_the_picture(width in 1usize..300, height in 1usize..300) {
            let planes = draw(&vec![51; width * height * 3], width, height);
            prop_assert!(planes.iter().all(|v| (v - 0.2).abs() < 1e-5 || *v == FILL));
            prop_assert!((planes[0] - 0.2).abs() < 1e-5);
        }
    }

    #[test]
    fn a_thread_of_pixels_is_still_a_picture() {
        assert!((draw(&[51; 3 * 60_000], 60_000, 1)[0] - 0.2).abs() < 1e-5);
        assert!((draw(&[51; 3 * 60_000], 1, 60_000)[0] - 0.2).abs() < 1e-5);
    }
}
