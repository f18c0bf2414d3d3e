//! A second, near look at where a found plate's corners are.
//!
//! The detector sees the whole picture small, so its corners are off by some parts of a hundred of
//! the plate's width, now and then by a character. The refiner sees the plate alone, straightened by
//! the detector's corners with more around it, and says where in that view the corners are.

use crate::geometry::{Homography, is_convex, push_out};
use crate::network::{Network, Session};
use crate::rectify::warp;
use crate::{Corners, Error, Image, Point, RefinerManifest};

/// The view's size (width, height), px.
pub(crate) const VIEW: (usize, usize) = (144, 48);
/// Values of the output: x and y of four corners, as parts of the view.
pub(crate) const VALUES: usize = 8;

/// Moves corners to where a near look finds them.
pub(crate) struct Refiner {
    session: Session,
    margin: f32,
}

impl Refiner {
    pub fn new(network: &Network, manifest: &RefinerManifest) -> Result<Self, Error> {
        Ok(Self { session: network.session()?, margin: manifest.margin })
    }

    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The corners of the plate that stands at about `corners`; these themselves where nothing like
    /// a plate comes out.
    pub fn refine(&mut self, image: Image, corners: &Corners) -> Result<Corners, Error> {
        let around = push_out(corners, self.margin);
        if !is_convex(&around) {
            return Ok(*corners);
        }
        self.session.fill(|planes| warp(image, &around, VIEW, planes));
        let mut parts = [0.0; VALUES];
        self.session.run(|_, values| parts.copy_from_slice(values))?;
        let map = Homography::from_rectangle(1, 1, &around);
        let refined = std::array::from_fn(|i| {
            let (x, y) = map.map(f64::from(parts[2 * i]), f64::from(parts[2 * i + 1]));
            Point { x: x as f32, y: y as f32 }
        });
        Ok(if is_convex(&refined) { refined } else { *corners })
    }
}
