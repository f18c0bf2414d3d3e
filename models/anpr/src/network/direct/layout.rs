//! The input of a convolution, laid out so that what each weight meets lies in a row.

use super::axis::Axis;

/// A band of output rows is chosen so that its part of the input, laid out, has about this many
/// values: what the nearest caches hold.
const BAND: usize = 16 * 1024;
/// A band has at least so many cells, so that few are computed for nothing.
const FEWEST_CELLS: usize = 96;

/// Where the input of a band of output rows lies: by channel, phase down and phase across a plane of
/// lines, each with the zeros before it.
pub(super) struct Layout {
    channels: usize,
    down: Axis,
    across: Axis,
    /// Output rows of a band.
    pub band: usize,
    /// Cells from one line to the next, of the laid-out input and of the sums.
    pub pitch: usize,
    plane: usize,
}

impl Layout {
    pub fn new(channels: usize, down: Axis, across: Axis) -> Self {
        let pitch = across.pitch();
        let row = channels * down.stride * across.stride * pitch;
        let band = (BAND / row).max(FEWEST_CELLS.div_ceil(pitch)).min(down.output);
        Self { channels, down, across, band, pitch, plane: (band + down.reach()) * pitch }
    }

    /// Values that a band takes, where up to `beyond` are read behind its last cell.
    pub fn len(&self, beyond: usize) -> usize {
        let planes = self.channels * self.down.stride * self.across.stride;
        planes * self.plane + self.across.reach() + beyond
    }

    /// Rows and columns of the output.
    pub fn output(&self) -> (usize, usize) {
        (self.down.output, self.across.output)
    }

    /// What each weight meets for the band's first cell, in the order of the weights.
    pub fn offsets(&self) -> Vec<usize> {
        let weights = |axis: Axis| 0..axis.kernel;
        let of_row = |channel: usize, row: usize| {
            let (phase, line) = self.down.meets(row);
            weights(self.across).map(move |column| {
                let (aside, cell) = self.across.meets(column);
                self.line(channel, phase, aside, line) + cell
            })
        };
        (0..self.channels)
            .flat_map(|channel| weights(self.down).flat_map(move |row| of_row(channel, row)))
            .collect()
    }

    /// Lays out the input that `rows` output rows from `first` on see.
    pub fn lay_out(&self, input: &[f32], first: usize, rows: usize, values: &mut [f32]) {
        let Self { down, across, .. } = self;
        for channel in 0..self.channels {
            let plane = &input[channel * down.input * across.input..][..down.input * across.input];
            for line in 0..rows + down.reach() {
                for phase in 0..down.stride {
                    let row = (down.stride * (first + line) + phase)
                        .checked_sub(down.stride * down.lead());
                    let source = row.and_then(|row| plane.chunks_exact(across.input).nth(row));
                    for aside in 0..across.stride {
                        let start = self.line(channel, phase, aside, line);
                        self.lay_line(source, aside, &mut values[start..][..self.pitch]);
                    }
                }
            }
        }
    }

    /// One phase of a row of the input, or zeros where there is no such row.
    fn lay_line(&self, source: Option<&[f32]>, aside: usize, line: &mut [f32]) {
        let Some(source) = source else { return line.fill(0.0) };
        let (lead, rest) = line.split_at_mut(self.across.lead());
        lead.fill(0.0);
        let held = match self.across.stride {
            1 => {
                rest[..source.len()].copy_from_slice(source);
                source.len()
            }
            2 => pick::<2>(source, aside, rest),
            _ => {
                let picked = source.iter().skip(aside).step_by(self.across.stride);
                rest.iter_mut().zip(picked).map(|(cell, value)| *cell = *value).count()
            }
        };
        rest[held..].fill(0.0);
    }

    fn line(&self, channel: usize, phase: usize, aside: usize, line: usize) -> usize {
        let plane = (channel * self.down.stride + phase) * self.across.stride + aside;
        plane * self.plane + line * self.pitch
    }
}

/// Takes each `STEP`th value from the one number `first` on; says how many.
fn pick<const STEP: usize>(source: &[f32], first: usize, line: &mut [f32]) -> usize {
    let (steps, rest) = source.as_chunks::<STEP>();
    for (cell, step) in line.iter_mut().zip(steps) {
        *cell = step[first];
    }
    if let Some(value) = rest.get(first) {
        line[steps.len()] = *value;
        return steps.len() + 1;
    }
    steps.len()
}
