//! The sums of a convolution, four output channels over a tile of cells at a time.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f32x8};

use super::layout::Layout;

/// Output channels that are summed at once.
pub(super) const GROUP: usize = 4;
const LANES: usize = 8;
const VECTORS: usize = 3;
/// Cells that are summed at once: their sums for a group fill the registers.
const TILE: usize = VECTORS * LANES;

/// What is summed.
pub(super) struct Sums<'a> {
    pub layout: Layout,
    /// By group of outputs and tap.
    pub weights: &'a [[f32; GROUP]],
    /// Of each output.
    pub biases: &'a [f32],
    /// Whether what is negative becomes 0.
    pub is_rectified: bool,
}

impl Sums<'_> {
    /// Writes all outputs for `input`.
    pub fn write(&self, level: Level, input: &[f32], output: &mut [f32]) {
        let Self { layout, .. } = self;
        let (rows, columns) = layout.output();
        let offsets = layout.offsets();
        let mut laid_out = vec![0.0; layout.len(TILE)];
        let mut sums = vec![0.0; GROUP * (layout.band * layout.pitch).next_multiple_of(TILE)];
        let least = if self.is_rectified { 0.0 } else { f32::NEG_INFINITY };
        for first in (0..rows).step_by(layout.band) {
            let band = layout.band.min(rows - first);
            layout.lay_out(input, first, band, &mut laid_out);
            let cells = (band * layout.pitch).next_multiple_of(TILE);
            let sums = &mut sums[..GROUP * cells];
            let groups = self.weights.chunks_exact(offsets.len()).zip(self.biases.chunks(GROUP));
            let planes = output.chunks_exact_mut(GROUP * rows * columns);
            for ((weights, biases), planes) in groups.zip(planes) {
                let group = Group { weights, offsets: &offsets, biases, least };
                dispatch!(level, simd => group.sum(simd, &laid_out, sums));
                let planes = planes.chunks_exact_mut(rows * columns);
                for (plane, sums) in planes.zip(sums.chunks_exact(cells)) {
                    let lines = plane[first * columns..].chunks_exact_mut(columns);
                    for (line, sums) in lines.zip(sums.chunks(layout.pitch)).take(band) {
                        line.copy_from_slice(&sums[..columns]);
                    }
                }
            }
        }
    }
}

/// What is summed for one group of outputs.
struct Group<'a> {
    weights: &'a [[f32; GROUP]],
    /// Where in the laid-out input what each weight meets begins.
    offsets: &'a [usize],
    biases: &'a [f32],
    least: f32,
}

impl Group<'_> {
    /// Writes the sums of each output, of as many cells as there is room for.
    #[inline(always)]
    fn sum<S: Simd>(&self, simd: S, laid_out: &[f32], sums: &mut [f32]) {
        let cells = sums.len() / GROUP;
        let least = f32x8::splat(simd, self.least);
        for start in (0..cells).step_by(TILE) {
            let mut tile: [[f32x8<S>; VECTORS]; GROUP] =
                std::array::from_fn(|o| [f32x8::splat(simd, self.biases[o]); VECTORS]);
            for (weights, &offset) in self.weights.iter().zip(self.offsets) {
                let met = &laid_out[offset + start..][..TILE];
                let met: [f32x8<S>; VECTORS] =
                    std::array::from_fn(|v| f32x8::from_slice(simd, &met[v * LANES..][..LANES]));
                for (sums, weight) in tile.iter_mut().zip(weights) {
                    let weight = f32x8::splat(simd, *weight);
                    for (sum, met) in sums.iter_mut().zip(&met) {
                        *sum = weight.mul_add(*met, *sum);
                    }
                }
            }
            for (sums, tile) in sums.chunks_exact_mut(cells).zip(&tile) {
                for (sums, sum) in sums[start..].chunks_exact_mut(LANES).zip(tile) {
                    sum.max(least).store_slice(sums);
                }
            }
        }
    }
}
