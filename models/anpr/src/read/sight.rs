//! The straight plate as a reader's network takes it.
//!
//! The built-in one takes RGB from 0 to 1, the plate over the whole input. One of somebody else may
//! be of another size, grey or BGR, around another mean, or keep the plate's proportions.

use crate::geometry::aspect;
use crate::rectify::Rectifier;
use crate::{ColourOrder, Corners, Image, ReaderManifest};

/// Width by height of a two-line plate once it is folded.
const FOLDED: f32 = 3.5;
/// How bright red, green and blue are (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// What a network of somebody else wants otherwise than the built-in one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Form {
    pub is_grey: bool,
    pub order: ColourOrder,
    pub mean: f32,
    pub std: f32,
    pub keeps_aspect: bool,
}

/// Draws plates for a reader; its buffers are reused.
pub(crate) struct Sight {
    rectifier: Rectifier,
    size: (usize, usize),
    form: Option<Form>,
    straight: Vec<f32>,
}

impl Sight {
    /// For an input of `size` (width, height) px; the built-in reader's has no form.
    pub fn new(manifest: &ReaderManifest, size: (usize, usize), form: Option<Form>) -> Self {
        let straight = if form.is_some() { vec![0.0; 3 * size.0 * size.1] } else { Vec::new() };
        Self { rectifier: Rectifier::new(manifest, size), size, form, straight }
    }

    /// Writes the plate at the convex `corners` into the network's input.
    pub fn draw(&mut self, image: Image, corners: &Corners, two_lines: bool, input: &mut [f32]) {
        let Self { rectifier, size, form, straight } = self;
        let Some(form) = form else {
            return rectifier.draw(image, corners, two_lines, size.0, input);
        };
        let width = form.width(corners, two_lines, *size);
        let straight = &mut straight[..3 * width * size.1];
        rectifier.draw(image, corners, two_lines, width, straight);
        form.write(straight, width, *size, input);
    }
}

impl Form {
    /// Columns of the input that the plate takes, px.
    fn width(self, corners: &Corners, two_lines: bool, (width, height): (usize, usize)) -> usize {
        if !self.keeps_aspect {
            return width;
        }
        let aspect = if two_lines { FOLDED } else { aspect(corners) };
        ((height as f32 * aspect).ceil() as usize).clamp(1, width)
    }

    /// Writes a plate of `width` columns; what is beyond it is the mean.
    fn write(
        self,
        straight: &[f32],
        width: usize,
        (columns, rows): (usize, usize),
        input: &mut [f32],
    ) {
        input.fill(0.0);
        let plane = |channel: usize| &straight[channel * width * rows..][..width * rows];
        let [red, green, blue] = [plane(0), plane(1), plane(2)];
        for (channel, target) in input.chunks_exact_mut(columns * rows).enumerate() {
            let value = |i: usize| match (self.is_grey, self.order, channel) {
                (true, ..) => LUMA[0] * red[i] + LUMA[1] * green[i] + LUMA[2] * blue[i],
                (_, _, 1) => green[i],
                (_, ColourOrder::Rgb, 0) | (_, ColourOrder::Bgr, 2) => red[i],
                _ => blue[i],
            };
            for i in 0..width * rows {
                target[i / width * columns + i % width] = (value(i) - self.mean) / self.std;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Point;

    const RGB: Form =
        Form { is_grey: false, order: ColourOrder::Rgb, mean: 0.5, std: 0.5, keeps_aspect: true };

    /// What a network of 2 x 1 px gets of an orange pixel.
    fn input(form: Form, channels: usize) -> Vec<f32> {
        let mut input = vec![9.0; 2 * channels];
        form.write(&[1.0, 0.5, 0.0], 1, (2, 1), &mut input);
        input
    }

    #[test]
    fn colours_stand_as_the_network_wants_them_and_nothing_is_beyond_the_plate() {
        assert_eq!(input(RGB, 3), [1.0, 0.0, 0.0, 0.0, -1.0, 0.0]);
        let bgr = Form { order: ColourOrder::Bgr, ..RGB };
        assert_eq!(input(bgr, 3), [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let grey = Form { is_grey: true, mean: 0.0, std: 1.0, ..RGB };
        assert!((input(grey, 1)[0] - 0.5925).abs() < 1e-5);
    }

    #[test]
    fn proportions_are_kept_where_that_is_wanted() {
        let corners = [(0., 0.), (90., 0.), (90., 30.), (0., 30.)].map(|(x, y)| Point { x, y });
        let width = |form: Form, two_lines| form.width(&corners, two_lines, (320, 48));
        assert_eq!((width(RGB, false), width(RGB, true)), (144, 168));
        assert_eq!(width(Form { keeps_aspect: false, ..RGB }, false), 320);
        assert_eq!(RGB.width(&corners, false, (100, 48)), 100);
    }
}
