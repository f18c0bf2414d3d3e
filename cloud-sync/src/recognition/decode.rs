//! From a file that was inspected to pixels, upright; bounded in memory. And back to a JPEG.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, Limits, RgbImage,
    codecs::{jpeg::JpegDecoder, png::PngDecoder},
};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::inspect::{BadPicture, Format, check_size, inspect};

/// Most bytes of decoded pixels: [`super::inspect::MOST_PIXELS`] of one byte for each colour and
/// an alpha.
const MOST_DECODED_BYTES: u64 = 100_000_000;
/// Most bytes that a PNG's chunks may take beside its pixels, such as a colour profile.
const MOST_CHUNK_BYTES: u64 = 16 * 1024 * 1024;
/// JPEG quality, 1 to 100.
const QUALITY: u8 = 88;

/// Decodes a file, and turns it as its metadata says that it is meant to be looked at.
pub(crate) fn decode(bytes: &[u8]) -> Result<RgbImage, BadPicture> {
    match inspect(bytes)? {
        Format::Jpeg => pixels(JpegDecoder::new(Cursor::new(bytes)).map_err(BadPicture::broken)?),
        Format::Png => {
            let mut limits = Limits::no_limits();
            limits.max_alloc = Some(MOST_CHUNK_BYTES);
            let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits);
            pixels(decoder.map_err(BadPicture::broken)?)
        }
    }
}

fn pixels(mut decoder: impl ImageDecoder) -> Result<RgbImage, BadPicture> {
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if decoder.total_bytes() > MOST_DECODED_BYTES {
        return Err(BadPicture::TooManyPixels { width, height });
    }
    let orientation = decoder.orientation().map_err(BadPicture::broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(BadPicture::broken)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

/// Encodes a picture, without any metadata that its file may have had.
pub(crate) fn encode(picture: &RgbImage) -> Result<Vec<u8>, BadPicture> {
    let side = |px: u32| u16::try_from(px).map_err(BadPicture::broken);
    let (width, height) = (side(picture.width())?, side(picture.height())?);
    let mut jpeg = Vec::with_capacity(picture.as_raw().len() / 8);
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(picture.as_raw(), width, height, ColorType::Rgb).map_err(BadPicture::broken)?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

    use super::*;

    fn gradient(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 96]))
    }

    fn png(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes)
            .write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8)
            .unwrap();
        bytes
    }

    #[test]
    fn both_types_are_decoded_and_halves_of_them_are_not() {
        let picture = gradient(96, 64);
        assert_eq!(decode(&png(&picture)).unwrap(), picture);
        let jpeg = encode(&picture).unwrap();
        assert_eq!(decode(&jpeg).unwrap().dimensions(), (96, 64));
        for whole in [png(&picture), jpeg] {
            for part in [whole.len() / 2, whole.len() * 3 / 4] {
                assert!(matches!(decode(&whole[..part]), Err(BadPicture::Broken(_))));
            }
        }
    }

    #[test]
    fn a_picture_is_turned_as_it_is_meant_and_its_metadata_is_gone_afterwards() {
        let jpeg = encode(&gradient(96, 64)).unwrap();
        // An APP1 segment with one tag: orientation 6, turned clockwise by a quarter.
        let exif = b"\xFF\xE1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let turned = [&jpeg[..2], exif, &jpeg[2..]].concat();
        let picture = decode(&turned).unwrap();
        assert_eq!(picture.dimensions(), (64, 96));
        let again = encode(&picture).unwrap();
        assert!(!again.windows(4).any(|four| four == b"Exif"));
    }

    #[test]
    fn damaged_files_are_errors_and_never_panics() {
        for whole in [png(&gradient(40, 30)), encode(&gradient(40, 30)).unwrap()] {
            for at in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x55;
                let _ = decode(&damaged);
            }
        }
    }
}
