//! One direction of a convolution, and its input sorted by stride.
//!
//! With a stride of two each second input meets the same weight of the kernel. The even ones and the
//! odd ones are therefore laid out apart, as phases: what one weight meets then lies in a row.

/// Rows or columns of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Axis {
    /// Cells of the input.
    pub input: usize,
    /// Cells of the output.
    pub output: usize,
    /// Weights of the kernel.
    pub kernel: usize,
    /// Input cells from one output cell to the next; so many phases there are.
    pub stride: usize,
    /// Zeros before the first input cell.
    pub padding: usize,
}

impl Axis {
    /// Zeros before a phase's first cell.
    pub fn lead(self) -> usize {
        self.padding.div_ceil(self.stride)
    }

    /// The phase that the weight meets, and where in it, for the first output cell; for the others
    /// as many cells further on.
    pub fn meets(self, weight: usize) -> (usize, usize) {
        let from_first = weight + self.lead() * self.stride - self.padding;
        (from_first % self.stride, from_first / self.stride)
    }

    /// How far from where an output cell's first weight may meet the input its last one meets it.
    pub fn reach(self) -> usize {
        self.meets(self.kernel - 1).1
    }

    /// Cells of a line that holds one phase. What a cell at the line's end meets beyond it are the
    /// zeros before the next line.
    pub fn pitch(self) -> usize {
        let held = self.lead() + self.input.div_ceil(self.stride);
        held.max(self.output + self.reach() - self.lead())
    }
}
