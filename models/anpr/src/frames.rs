//! The detector's network at the sizes that pictures need.
//!
//! A picture is fitted into the largest frame; what of that frame it leaves empty need not be looked
//! at. A 4:3 picture costs four fifths of a wide one, an upright one less than half. Plans are made
//! when they are first needed and shared by all threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Error;
use crate::network::{Network, Parsed};

/// The largest input, px.
pub(crate) const LARGEST: (usize, usize) = (640, 384);
/// Frames grow by these steps, px: few sizes, all divisible by the network's strides.
const STEP: (usize, usize) = (64, 32);

/// Width and height of an input, px.
pub(crate) type Frame = (usize, usize);

/// The smallest frame that holds a picture of `source` px once it is fitted into the `largest` one.
pub(crate) fn frame_for(source: (usize, usize), largest: Frame) -> Frame {
    let scale = (largest.0 as f64 / source.0 as f64).min(largest.1 as f64 / source.1 as f64);
    let side = |source: usize, step: usize, largest: usize| {
        let fitted = (source as f64 * scale).round() as usize;
        fitted.next_multiple_of(step).clamp(step, largest)
    };
    (side(source.0, STEP.0, largest.0), side(source.1, STEP.1, largest.1))
}

/// One network, planned for each frame that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Frames {
    parsed: Parsed,
    /// The only one that the network takes, where that is so.
    fixed: Option<Frame>,
    planned: Arc<Mutex<BTreeMap<Frame, Network>>>,
}

impl Frames {
    pub fn new(parsed: Parsed) -> Self {
        Self { parsed, fixed: None, planned: Arc::default() }
    }

    /// The same for a network that takes one frame only.
    pub fn with_fixed(self, fixed: Option<Frame>) -> Self {
        Self { fixed, ..self }
    }

    /// The only frame that the network takes; none where it takes any.
    pub fn fixed(&self) -> Option<Frame> {
        self.fixed
    }

    /// The file's name.
    pub fn file(&self) -> &str {
        self.parsed.file()
    }

    /// The network for inputs of `frame` px. The first time it takes some tens of milliseconds.
    pub fn network(&self, frame: Frame) -> Result<Network, Error> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = planned.get(&frame) {
            return Ok(network.clone());
        }
        let network = self.parsed.plan([1, 3, frame.1, frame.0])?;
        planned.insert(frame, network.clone());
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Detail;
    use crate::near::NEAR;

    #[test]
    fn a_picture_gets_no_more_than_it_fills() {
        for (source, frame) in [
            ((1920, 1080), (640, 384)),
            ((1024, 768), (512, 384)),
            ((636, 1024), (256, 384)),
            ((800, 323), (640, 288)),
            ((1, 60_000), (64, 384)),
            ((60_000, 1), (640, 32)),
        ] {
            assert_eq!(frame_for(source, LARGEST), frame, "{source:?}");
        }
    }

    proptest! {
        #[test]
        fn every_frame_fits_the_strides_and_there_are_few(width in 1usize..9000, height in 1usize..9000) {
            for largest in [LARGEST, Detail::Medium.px(), Detail::Low.px(), NEAR] {
                let (w, h) = frame_for((width, height), largest);
                prop_assert!(w % 32 == 0 && h % 32 == 0 && w <= largest.0 && h <= largest.1);
                prop_assert!(w == largest.0 || h == largest.1);
            }
        }
    }
}
