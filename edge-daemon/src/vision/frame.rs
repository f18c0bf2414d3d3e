//! One frame as a camera gives it: its pixels are only turned into RGB when somebody looks at them.

use chrono::{DateTime, Utc};

use super::yuv::{self, Colour};

/// A frame of a camera.
#[derive(Debug)]
pub struct Frame {
    /// Its pixels.
    pub pixels: Pixels,
    /// When it was captured, on the monotonic clock ([`crate::sightings::monotonic_us`]).
    pub captured_us: u64,
    /// The same on the wall clock.
    pub captured_at: DateTime<Utc>,
}

impl Frame {
    /// A frame that was captured this moment.
    pub fn now(pixels: Pixels) -> Self {
        let captured_us = crate::sightings::monotonic_us();
        Self { pixels, captured_us, captured_at: Utc::now() }
    }
}

/// How pixels lie in memory; rows follow one another without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Red, green, blue.
    Rgb,
    /// All luma, then each chroma at half the resolution.
    I420,
    /// All luma, then both chromas alternating at half the resolution.
    Nv12,
    /// Luma, blue chroma, luma, red chroma for each two pixels.
    Yuyv,
}

impl Layout {
    /// Bytes of a picture of this size. Where chroma is shared, odd sides are rounded up.
    pub fn bytes(self, width: usize, height: usize) -> usize {
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        match self {
            Self::Rgb => width * height * 3,
            Self::I420 | Self::Nv12 => width * height + 2 * half_width * half_height,
            Self::Yuyv => half_width * 4 * height,
        }
    }
}

/// A picture in one of the layouts.
#[derive(Debug, Clone)]
pub struct Pixels {
    layout: Layout,
    width: usize,
    height: usize,
    colour: Colour,
    data: Vec<u8>,
}

impl Pixels {
    /// Takes `data` as a picture of `width` x `height` px; none where it has another size than
    /// the layout asks for, or no pixels.
    pub fn new(
        layout: Layout,
        (width, height): (usize, usize),
        colour: Colour,
        data: Vec<u8>,
    ) -> Option<Self> {
        let fits = width > 0 && height > 0 && data.len() == layout.bytes(width, height);
        fits.then_some(Self { layout, width, height, colour, data })
    }

    /// Takes a decoded RGB picture.
    pub fn from_rgb(image: image::RgbImage) -> Option<Self> {
        let size = (image.width() as usize, image.height() as usize);
        Self::new(Layout::Rgb, size, Colour::default(), image.into_raw())
    }

    /// A grey picture of the same size: an empty lane.
    pub fn blank(&self) -> Self {
        let data = vec![128; Layout::Rgb.bytes(self.width, self.height)];
        Self { layout: Layout::Rgb, data, ..*self }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The picture as RGB.
    pub fn into_rgb(self) -> Rgb {
        let Self { layout, width, height, colour, data } = self;
        let size = (width, height);
        let data = match layout {
            Layout::Rgb => data,
            Layout::I420 => yuv::i420_to_rgb(&data, size, colour),
            Layout::Nv12 => yuv::nv12_to_rgb(&data, size, colour),
            Layout::Yuyv => yuv::yuyv_to_rgb(&data, size, colour),
        };
        Rgb { width, height, data }
    }

    /// The brightness at column `x` and row `y`, near enough to see that something moved.
    pub fn luma(&self, x: usize, y: usize) -> u8 {
        match self.layout {
            Layout::Rgb => self.data[(y * self.width + x) * 3 + 1],
            Layout::I420 | Layout::Nv12 => self.data[y * self.width + x],
            Layout::Yuyv => self.data[y * self.width.div_ceil(2) * 4 + x * 2],
        }
    }
}

/// A picture of three bytes a pixel, rows from top to bottom.
#[derive(Debug, Clone)]
pub struct Rgb {
    /// Width in pixels, at least 1.
    pub width: usize,
    /// Height in pixels, at least 1.
    pub height: usize,
    /// The pixels, `width * height * 3` bytes.
    pub data: Vec<u8>,
}

impl Rgb {
    /// The same pixels, as recognition takes them.
    ///
    /// # Errors
    /// Where the size and the pixels do not fit one another.
    pub fn view(&self) -> Result<anpr::Image<'_>, anpr::Error> {
        anpr::Image::new(&self.data, self.width, self.height)
    }

    /// The part from column `x`, row `y` on that is `width` x `height` px; it must lie inside.
    pub fn crop(&self, [x, y, width, height]: [usize; 4]) -> Self {
        let rows = self.data.chunks_exact(self.width * 3).skip(y).take(height);
        let data = rows.flat_map(|row| &row[x * 3..(x + width) * 3]).copied().collect();
        Self { width, height, data }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn pixels(layout: Layout, size: (usize, usize), data: Vec<u8>) -> Option<Pixels> {
        Pixels::new(layout, size, Colour::default(), data)
    }

    #[test]
    fn a_picture_of_the_wrong_size_is_refused() {
        assert!(pixels(Layout::I420, (3, 3), vec![0; 9 + 8]).is_some());
        assert!(pixels(Layout::I420, (3, 3), vec![0; 9 + 7]).is_none());
        assert!(pixels(Layout::Rgb, (0, 3), vec![]).is_none());
    }

    #[test]
    fn each_layout_gives_the_same_grey_picture() {
        for layout in [Layout::Rgb, Layout::I420, Layout::Nv12, Layout::Yuyv] {
            let data = vec![128; layout.bytes(5, 3)];
            let picture = pixels(layout, (5, 3), data).unwrap();
            assert_eq!(picture.luma(4, 2), 128);
            let rgb = picture.into_rgb();
            let grey = rgb.data[0];
            assert_eq!(rgb.data, vec![grey; 5 * 3 * 3], "{layout:?}");
        }
    }

    #[test]
    fn a_crop_is_the_part_that_was_asked_for() {
        let data = (0..4 * 3 * 3).collect();
        let rgb = Rgb { width: 4, height: 3, data };
        let part = rgb.crop([1, 2, 2, 1]);
        assert_eq!(part.data, [27, 28, 29, 30, 31, 32]);
    }
}
