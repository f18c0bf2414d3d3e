//! QR codes as PNG pictures.

use std::io::Cursor;

use image::{ImageFormat, Luma};
use qrcode::QrCode;

/// Pixels of one module.
const MODULE_PX: u32 = 8;

/// A picture of a text; none for one that is too long.
pub(super) fn png(text: &str) -> Option<Vec<u8>> {
    let code = QrCode::new(text).ok()?;
    let (width, dark) = (code.width(), code.to_colors());
    // The standard wants a border of four modules.
    let side = (width as u32 + 8) * MODULE_PX;
    let picture = image::ImageBuffer::from_fn(side, side, |x, y| {
        let module = |px: u32| (px / MODULE_PX).checked_sub(4).map(|at| at as usize);
        let is_dark = module(x).zip(module(y)).is_some_and(|(x, y)| {
            x < width && y < width && dark[y * width + x] == qrcode::Color::Dark
        });
        Luma([if is_dark { 0u8 } else { 255 }])
    });
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).ok()?;
    Some(png.into_inner())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::png;

    #[test]
    fn a_code_is_a_square_picture_with_a_white_border() {
        let picture = image::load_from_memory(&png("gatehouse:order:ORD20240101001").unwrap());
        let picture = picture.unwrap().into_luma8();
        assert_eq!(picture.width(), picture.height());
        assert_eq!((picture[(0, 0)].0, picture[(32, 32)].0), ([255], [0]));
    }
}
