//! Decides which frames are worth looking at: those that show something new, and one now and then.
//!
//! A frame is boiled down to a small picture of its brightness. It shows something new when enough
//! of that differs from the frame that was looked at last. After a change the scene is watched a
//! little longer, and an unchanged one is looked at rarely, so that nothing that stands there is
//! missed for ever.

use super::frame::Pixels;

const COLUMNS: usize = 64;
const ROWS: usize = 36;
/// Samples in each direction within a cell; their mean evens out noise.
const SAMPLES: usize = 3;
/// Difference of brightness, of 255, that noise does not reach in a cell.
const CHANGE: i32 = 10;
/// Cells that must differ; a plate across a third of the picture moves more.
const CHANGED_CELLS: usize = 6;

/// How long the scene is watched after a change, in microseconds.
const WATCH_US: u64 = 1_500_000;
/// How often an unchanged scene is looked at, in microseconds.
const RECHECK_US: u64 = 5_000_000;

/// The gate in front of recognition. Times are passed in, in microseconds of a monotonic clock.
#[derive(Debug, Default)]
pub struct MotionGate {
    looked_at: Option<Look>,
}

#[derive(Debug)]
struct Look {
    luma: Vec<i32>,
    at_us: u64,
    changed_us: u64,
}

impl MotionGate {
    /// Whether this frame should be looked at; it counts as looked at then.
    pub fn admits(&mut self, pixels: &Pixels, now_us: u64) -> bool {
        let luma = thumbnail(pixels);
        let Some(last) = &mut self.looked_at else {
            self.looked_at = Some(Look { luma, at_us: now_us, changed_us: now_us });
            return true;
        };
        if differs(&last.luma, &luma) {
            last.changed_us = now_us;
        }
        let admitted = now_us.saturating_sub(last.changed_us) < WATCH_US
            || now_us.saturating_sub(last.at_us) >= RECHECK_US;
        if admitted {
            (last.luma, last.at_us) = (luma, now_us);
        }
        admitted
    }
}

/// Mean brightness of each cell.
fn thumbnail(pixels: &Pixels) -> Vec<i32> {
    let sample = |cell: usize, cells: usize, sample: usize, size: usize| {
        ((cell * SAMPLES + sample) * size + size / 2) / (cells * SAMPLES)
    };
    let mut luma = Vec::with_capacity(COLUMNS * ROWS);
    for row in 0..ROWS {
        let ys: [usize; SAMPLES] = std::array::from_fn(|s| sample(row, ROWS, s, pixels.height()));
        for column in 0..COLUMNS {
            let mut sum = 0;
            for s in 0..SAMPLES {
                let x = sample(column, COLUMNS, s, pixels.width());
                sum += ys.iter().map(|&y| i32::from(pixels.luma(x, y))).sum::<i32>();
            }
            luma.push(sum / (SAMPLES * SAMPLES) as i32);
        }
    }
    luma
}

/// Whether more than noise and a change of the light as a whole lies between two pictures.
fn differs(a: &[i32], b: &[i32]) -> bool {
    let mean = |luma: &[i32]| luma.iter().sum::<i32>() / luma.len().max(1) as i32;
    let light = mean(b) - mean(a);
    let changed = a.iter().zip(b).filter(|(a, b)| (*b - *a - light).abs() > CHANGE).count();
    changed >= CHANGED_CELLS
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{
        super::{frame::Layout, yuv::Colour},
        *,
    };

    const SECOND: u64 = 1_000_000;

    /// Frame `i` of a grey scene with a bright square of 80 px at `x`; `noise` is its amplitude.
    fn scene(i: u64, x: Option<usize>, light: u8, noise: u8) -> Pixels {
        let (width, height) = (320, 180);
        let mut seed = i as u32;
        let mut data: Vec<u8> = (0..width * height * 3 / 2)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                light + (seed >> 24) as u8 % (noise + 1)
            })
            .collect();
        for y in 50..130 {
            if let Some(x) = x {
                data[y * width + x..][..80].fill(230);
            }
        }
        Pixels::new(Layout::I420, (width, height), Colour::default(), data).unwrap()
    }

    /// How many of `frames` at 10 a second are looked at, from `start_us` on.
    fn looks(
        gate: &mut MotionGate,
        start_us: u64,
        frames: u64,
        of: impl Fn(u64) -> Pixels,
    ) -> usize {
        (0..frames).filter(|i| gate.admits(&of(*i), start_us + i * SECOND / 10)).count()
    }

    #[test]
    fn an_empty_lane_costs_one_look_in_five_seconds() {
        let mut gate = MotionGate::default();
        looks(&mut gate, 0, 20, |i| scene(i, None, 100, 8));
        let half_minute = looks(&mut gate, 2 * SECOND, 300, |i| scene(i, None, 100, 8));
        assert!((5..=7).contains(&half_minute), "{half_minute}");
    }

    #[test]
    fn a_car_that_comes_is_watched_until_it_stood_for_a_while() {
        let mut gate = MotionGate::default();
        looks(&mut gate, 0, 30, |i| scene(i, None, 100, 8));
        let coming = looks(&mut gate, 10 * SECOND, 20, |i| scene(i, Some(i as usize * 10), 100, 8));
        assert_eq!(coming, 20);
        let standing = looks(&mut gate, 12 * SECOND, 300, |i| scene(i, Some(190), 100, 8));
        assert!((15..=25).contains(&standing), "{standing}");
    }

    #[test]
    fn a_cloud_is_no_car() {
        let mut gate = MotionGate::default();
        looks(&mut gate, 0, 50, |i| scene(i, None, 60, 4));
        let clouds = looks(&mut gate, 5 * SECOND, 50, |i| scene(i, None, 60 + i as u8 * 2, 4));
        assert!(clouds <= 2, "{clouds}");
    }
}
