//! A QR code for a terminal, or as a picture to print.

use std::{fmt, io::Cursor};

use image::{GrayImage, ImageFormat, Luma};
pub use qrcode::types::QrError;
use qrcode::{Color, EcLevel, QrCode, render::unicode::Dense1x2};

/// What must be left white around a code, in modules (ISO/IEC 18004).
const QUIET: u32 = 4;
/// Pixels to a side of a module.
const SCALE: u32 = 8;

/// A QR code.
pub struct Qr(QrCode);

impl Qr {
    /// A code that says `text`.
    ///
    /// # Errors
    /// Where it is too long.
    pub fn new(text: &str) -> Result<Self, QrError> {
        QrCode::with_error_correction_level(text, EcLevel::L).map(Self)
    }

    /// The picture of it, as a PNG file has it.
    pub fn png(&self) -> Vec<u8> {
        let modules = u32::try_from(self.0.width()).expect("a code has at most 177 modules");
        let side = (modules + 2 * QUIET) * SCALE;
        let picture = GrayImage::from_fn(side, side, |x, y| Luma([self.grey(x, y, modules)]));
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).expect("memory takes a picture of this size");
        png.into_inner()
    }

    fn grey(&self, x: u32, y: u32, modules: u32) -> u8 {
        let module = |pixel: u32| (pixel / SCALE).checked_sub(QUIET).filter(|m| *m < modules);
        let at = module(x).zip(module(y));
        let is_dark = at.is_some_and(|(x, y)| self.0[(x as usize, y as usize)] == Color::Dark);
        if is_dark { 0 } else { 255 }
    }
}

/// For a terminal, which is dark: what a camera should see dark is not drawn.
impl fmt::Display for Qr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut drawn = self.0.render::<Dense1x2>();
        f.write_str(&drawn.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_picture_shows_every_module_within_a_white_border() {
        let qr = Qr::new("a device's credentials").unwrap();
        let picture = image::load_from_memory(&qr.png()).unwrap().to_luma8();
        let modules = qr.0.width() as u32;
        assert_eq!(picture.width(), (modules + 2 * QUIET) * SCALE);
        let seen = |x: u32, y: u32| picture[((x + QUIET) * SCALE + 3, (y + QUIET) * SCALE + 4)];
        let colors = qr.0.to_colors();
        for (place, color) in (0..).zip(colors) {
            let expected = if color == Color::Dark { 0 } else { 255 };
            assert_eq!(seen(place % modules, place / modules), Luma([expected]));
        }
        let last = picture.width() - 1;
        let border = (0..=last).flat_map(|i| [(i, 0), (0, i), (i, QUIET * SCALE - 1), (last, i)]);
        assert!(border.into_iter().all(|(x, y)| picture[(x, y)] == Luma([255])));
    }
}
