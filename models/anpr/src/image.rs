//! A borrowed picture whose size is known to fit its bytes.

use crate::Error;

/// RGB pixels, three bytes each, rows from top to bottom without padding.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    rgb: &'a [u8],
    width: usize,
    height: usize,
}

impl<'a> Image<'a> {
    /// Borrows `rgb` as a picture of `width` x `height` px.
    ///
    /// # Errors
    /// [`Error::Image`] where a side is 0 or the bytes are not exactly `width * height * 3`.
    pub fn new(rgb: &'a [u8], width: usize, height: usize) -> Result<Self, Error> {
        let wanted =
            width.checked_mul(height).and_then(|pixels| pixels.checked_mul(3)).unwrap_or(0);
        if wanted == 0 || wanted != rgb.len() {
            return Err(Error::Image { width, height, wanted, found: rgb.len() });
        }
        Ok(Self { rgb, width, height })
    }

    /// Width, px; at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height, px; at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels.
    pub fn rgb(&self) -> &'a [u8] {
        self.rgb
    }

    /// A part that lies inside the picture, row by row.
    pub(crate) fn crop(&self, left: usize, top: usize, width: usize, height: usize) -> Vec<u8> {
        let rows = (top..top + height).map(|y| &self.row(y)[left * 3..][..width * 3]);
        rows.collect::<Vec<_>>().concat()
    }

    pub(crate) fn row(&self, y: usize) -> &'a [u8] {
        let bytes = self.width * 3;
        &self.rgb[y * bytes..][..bytes]
    }
}

#[cfg(test)]
mod tests {
    use super::Image;

    #[test]
    fn a_picture_whose_bytes_do_not_fit_is_refused() {
        assert!(Image::new(&[0; 12], 2, 2).is_ok());
        assert!(Image::new(&[0; 11], 2, 2).is_err());
        assert!(Image::new(&[], 0, 0).is_err());
        assert!(Image::new(&[0; 3], usize::MAX, 2).is_err());
    }
}
