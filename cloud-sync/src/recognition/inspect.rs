//! What a file says of itself, before anything is decoded: its type, its size, and for a JPEG that
//! it is whole. Costs a walk over the bytes at most, whatever they claim.

/// Most pixels of a picture that is decoded; a camera of 24 megapixels makes fewer.
pub(crate) const MOST_PIXELS: u64 = 25_000_000;
/// Most scans of a progressive JPEG; encoders make about ten, each of which costs a pass.
const MOST_SCANS: usize = 20;

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Why a file is not decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadPicture {
    /// It has no bytes.
    #[error("the file is empty; send a JPEG or PNG picture")]
    Empty,
    /// It is of another type.
    #[error("the file is no JPEG and no PNG picture")]
    Type,
    /// It is cut off or damaged.
    #[error("the picture cannot be read: {0}")]
    Broken(String),
    /// It has too many pixels.
    #[error("a picture of {width} x {height} px is too large; use at most {MOST_PIXELS} px")]
    TooManyPixels {
        /// As the file says.
        width: u32,
        /// As the file says.
        height: u32,
    },
}

impl BadPicture {
    /// A word for it, which each face puts into its own.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "picture_empty",
            Self::Type => "picture_type",
            Self::Broken(_) => "picture_broken",
            Self::TooManyPixels { .. } => "picture_too_many_pixels",
        }
    }

    pub(super) fn broken(reason: impl ToString) -> Self {
        Self::Broken(reason.to_string())
    }
}

/// The types that are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Jpeg,
    Png,
}

/// The type of a file, whose size in pixels is one that may be decoded.
pub(crate) fn inspect(bytes: &[u8]) -> Result<Format, BadPicture> {
    let (format, size) = if bytes.is_empty() {
        return Err(BadPicture::Empty);
    } else if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        (Format::Jpeg, jpeg_size(bytes))
    } else if bytes.starts_with(PNG_SIGNATURE) {
        (Format::Png, png_size(bytes))
    } else {
        return Err(BadPicture::Type);
    };
    let (width, height) = size.map_err(BadPicture::broken)?;
    check_size(width, height)?;
    Ok(format)
}

/// Whether a picture of this size may be decoded.
pub(super) fn check_size(width: u32, height: u32) -> Result<(), BadPicture> {
    if width == 0 || height == 0 {
        return Err(BadPicture::broken("a side has no pixels"));
    }
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(BadPicture::TooManyPixels { width, height });
    }
    Ok(())
}

type Size = Result<(u32, u32), &'static str>;

/// The first chunk of a PNG is its header (ISO/IEC 15948, 11.2.2).
fn png_size(bytes: &[u8]) -> Size {
    let side = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    match (bytes.get(12..16), side(16), side(20)) {
        (Some(b"IHDR"), Some(width), Some(height)) => Ok((width, height)),
        _ => Err("it has no header"),
    }
}

/// Walks the segments of a JPEG to its end (ITU-T T.81, B.1).
fn jpeg_size(bytes: &[u8]) -> Size {
    let (mut at, mut size, mut scans) = (2, None, 0);
    loop {
        at += bytes.get(at..).map_or(0, fill_bytes);
        let (Some(0xFF), Some(&marker)) = (bytes.get(at), bytes.get(at + 1)) else {
            return Err("it is cut off or damaged");
        };
        at += 2;
        match marker {
            0x01 | 0xD0..=0xD8 => continue,
            0xD9 if scans > 0 => return size.ok_or("it has no size"),
            0xD9 => return Err("it has no picture in it"),
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                let side = |from: usize| Some(u32::from(word(bytes, at + from)?));
                size = side(5).zip(side(3));
            }
            0xDA => scans += 1,
            _ => {}
        }
        if scans > MOST_SCANS {
            return Err("it has too many scans");
        }
        at += usize::from(word(bytes, at).ok_or("it is cut off")?);
        if marker == 0xDA {
            at += bytes.get(at..).map_or(0, coded_bytes);
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

/// Bytes of `FF` before the one that begins a marker.
fn fill_bytes(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == 0xFF).count().saturating_sub(1)
}

/// Length of coded data: up to a marker that is no restart and no stuffed `FF`.
fn coded_bytes(bytes: &[u8]) -> usize {
    let is_marker = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xD0..=0xD7);
    bytes.windows(2).position(is_marker).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
        [PNG_SIGNATURE, &[0, 0, 0, 13], b"IHDR", &sides, &[8, 2, 0, 0, 0]].concat()
    }

    /// A frame header, `scans` scans and an end.
    fn jpeg(width: u16, height: u16, scans: usize) -> Vec<u8> {
        let (w, h) = (width.to_be_bytes(), height.to_be_bytes());
        let frame = [0xFF, 0xC0, 0, 8, 8, h[0], h[1], w[0], w[1], 1];
        let scan = [0xFF, 0xDA, 0, 3, 1, 0xAB, 0xFF, 0x00, 0xFF, 0xD3, 0xCD];
        [&[0xFF, 0xD8][..], &frame, &scan.repeat(scans), &[0xFF, 0xFF, 0xD9]].concat()
    }

    #[test]
    fn whole_pictures_of_both_types_pass() {
        assert_eq!(inspect(&png(640, 480)), Ok(Format::Png));
        assert_eq!(inspect(&jpeg(640, 480, 1)), Ok(Format::Jpeg));
    }

    #[test]
    fn a_size_that_only_a_bomb_has_is_refused_by_the_header_alone() {
        for bomb in [png(50_000, 50_000), png(u32::MAX, u32::MAX), jpeg(65_535, 65_535, 1)] {
            assert!(matches!(inspect(&bomb), Err(BadPicture::TooManyPixels { .. })));
        }
    }

    #[test]
    fn every_beginning_of_a_picture_is_refused() {
        for whole in [jpeg(640, 480, 2), png(640, 480)] {
            for length in 0..whole.len().min(24) {
                assert!(inspect(&whole[..length]).is_err(), "{length}");
            }
        }
        let whole = jpeg(640, 480, 2);
        assert!((0..whole.len() - 1).all(|length| inspect(&whole[..length]).is_err()));
    }

    #[test]
    fn what_is_no_picture_or_costs_too_much_is_refused() {
        assert_eq!(inspect(b""), Err(BadPicture::Empty));
        assert_eq!(inspect(b"GIF89a..........."), Err(BadPicture::Type));
        assert!(matches!(inspect(&jpeg(640, 480, 21)), Err(BadPicture::Broken(_))));
        assert!(matches!(inspect(&jpeg(640, 480, 0)), Err(BadPicture::Broken(_))));
        assert!(matches!(inspect(&png(0, 480)), Err(BadPicture::Broken(_))));
        assert!(matches!(inspect(&[0xFF; 4096]), Err(BadPicture::Type)));
    }
}
