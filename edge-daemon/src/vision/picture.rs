//! The picture that is kept of a sighting: made while the plate is read, written after the sighting
//! was sent.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{self, SyncSender, TrySendError},
    thread::JoinHandle,
};

use domain::envelope::to_hex;
use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use ring::digest::{SHA256, digest};

use super::frame::Rgb;

/// Widest picture that is kept, in pixels.
const MAX_WIDTH_PX: usize = 960;
/// JPEG quality, 1 to 100.
const QUALITY: u8 = 80;
/// Pictures that may wait for the disk.
const MAX_WAITING: usize = 16;

/// An encoded picture, named by its content.
#[derive(Debug, Clone)]
pub struct Picture {
    /// SHA-256 of the JPEG, in hex.
    pub hash: String,
    /// The JPEG.
    pub jpeg: Vec<u8>,
    /// Its size as a share of the frame's.
    pub scale: f32,
}

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// Making it smaller failed.
    #[error("scaling the picture failed")]
    Scale(#[from] fast_image_resize::ResizeError),
    /// The buffer does not fit the size.
    #[error("the frame's buffer does not fit its size")]
    Buffer(#[from] fast_image_resize::ImageBufferError),
    /// Encoding it failed.
    #[error("encoding the picture failed")]
    Encode(#[from] jpeg_encoder::EncodingError),
    /// It is too large for a JPEG.
    #[error("a picture of {0} x {1} px is too large")]
    Size(usize, usize),
}

impl Picture {
    /// Scales a frame to at most 960 px of width, encodes and names it.
    pub fn of(frame: &Rgb) -> Result<Self, PictureError> {
        let width = frame.width.min(MAX_WIDTH_PX);
        let scale = width as f32 / frame.width as f32;
        if width == frame.width {
            return Self::encode(&frame.data, (frame.width, frame.height), 1.0);
        }
        let height = ((frame.height as f32 * scale) as usize).max(1);
        let too_large = |_| PictureError::Size(frame.width, frame.height);
        let side = |px: usize| u32::try_from(px).map_err(too_large);
        let full =
            ImageRef::new(side(frame.width)?, side(frame.height)?, &frame.data, PixelType::U8x3)?;
        let mut small = Image::new(side(width)?, side(height)?, PixelType::U8x3);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        Resizer::new().resize(&full, &mut small, &options)?;
        Self::encode(small.buffer(), (width, height), scale)
    }

    fn encode(
        rgb: &[u8],
        (width, height): (usize, usize),
        scale: f32,
    ) -> Result<Self, PictureError> {
        let too_large = |_| PictureError::Size(width, height);
        let side = |px: usize| u16::try_from(px).map_err(too_large);
        let mut jpeg = Vec::with_capacity(width * height / 4);
        let mut encoder = Encoder::new(&mut jpeg, QUALITY);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.encode(rgb, side(width)?, side(height)?, ColorType::Rgb)?;
        Ok(Self { hash: to_hex(digest(&SHA256, &jpeg).as_ref()), jpeg, scale })
    }
}

/// Writes pictures on a thread of its own, so that nothing ever waits for the disk.
#[derive(Debug)]
pub struct PictureStore {
    queue: SyncSender<Picture>,
    writer: JoinHandle<()>,
}

impl PictureStore {
    /// Keeps pictures in `folder`, as `<first two digits>/<hash>.jpg`.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let (queue, pictures) = mpsc::sync_channel::<Picture>(MAX_WAITING);
        let writer = std::thread::Builder::new().name("pictures".into()).spawn(move || {
            for picture in pictures {
                if let Err(error) = write(&folder, &picture) {
                    tracing::error!(%error, picture = picture.hash, "a picture was not written");
                }
            }
        })?;
        Ok(Self { queue, writer })
    }

    /// Where threads leave pictures to be written.
    pub fn sender(&self) -> PictureSender {
        PictureSender(self.queue.clone())
    }

    /// Waits until all pictures are written; their senders must be gone.
    pub fn close(self) {
        drop(self.queue);
        if self.writer.join().is_err() {
            tracing::error!("the picture writer panicked");
        }
    }
}

/// Leaves pictures for the writer.
#[derive(Debug, Clone)]
pub struct PictureSender(SyncSender<Picture>);

impl PictureSender {
    /// Has a picture written soon. When the disk cannot follow, it is given up with a warning: the
    /// sighting counts more.
    pub fn keep(&self, picture: Picture) {
        if let Err(TrySendError::Full(picture) | TrySendError::Disconnected(picture)) =
            self.0.try_send(picture)
        {
            tracing::warn!(picture = picture.hash, "the disk is too slow, a picture is lost");
        }
    }
}

/// Writes beside and renames, so that a picture is there whole or not at all.
fn write(folder: &Path, picture: &Picture) -> io::Result<()> {
    let shelf = folder.join(&picture.hash[..2]);
    let path = shelf.join(&picture.hash).with_extension("jpg");
    if path.exists() {
        return Ok(());
    }
    fs::create_dir_all(&shelf)?;
    let partial = path.with_extension("part");
    fs::write(&partial, &picture.jpeg)?;
    fs::rename(&partial, &path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn frame(width: usize, height: usize) -> Rgb {
        Rgb { width, height, data: (0..width * height * 3).map(|i| (i / 7) as u8).collect() }
    }

    #[test]
    fn a_wide_frame_is_kept_smaller_and_a_small_one_as_it_is() {
        let wide = Picture::of(&frame(1280, 720)).unwrap();
        assert_eq!(wide.scale, 0.75);
        let decoded = image::load_from_memory(&wide.jpeg).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (960, 540));
        assert_eq!(Picture::of(&frame(321, 123)).unwrap().scale, 1.0);
    }

    #[test]
    fn a_picture_lies_where_its_hash_says_and_is_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let store = PictureStore::open(folder.path().join("pictures")).unwrap();
        let picture = Picture::of(&frame(64, 48)).unwrap();
        store.sender().keep(picture.clone());
        store.sender().keep(picture.clone());
        store.close();
        let shelf = folder.path().join("pictures").join(&picture.hash[..2]);
        let files: Vec<_> = fs::read_dir(&shelf).unwrap().map(|f| f.unwrap().path()).collect();
        assert_eq!(files, [shelf.join(format!("{}.jpg", picture.hash))]);
        let kept = fs::read(&files[0]).unwrap();
        assert_eq!(to_hex(digest(&SHA256, &kept).as_ref()), picture.hash);
    }
}
