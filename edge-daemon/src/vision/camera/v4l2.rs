//! Cameras at the machine, through Video4Linux.
//!
//! Drivers grant what they like: the format, size and row length that were granted are checked, not
//! those that were asked for.

use std::{io, time::Duration};

use image::{ImageFormat, ImageReader, Limits};
use v4l::{
    Device, Format, FourCC,
    buffer::{Flags, Type},
    format::Quantization,
    io::{mmap::Stream, traits::CaptureStream},
    video::{Capture, capture::Parameters},
};

use super::{Camera, Lost, Next};
use crate::vision::{
    config::{V4l2Config, V4l2Format},
    frame::{Frame, Layout, Pixels},
    yuv::Colour,
};

/// How long one call waits for a frame.
const WAIT: Duration = Duration::from_secs(1);
/// Buffers that the driver fills in turn; with fewer it cannot keep its pace.
const BUFFERS: u32 = 3;
/// Formats in the order in which they are tried.
const FORMATS: [V4l2Format; 3] = [V4l2Format::Mjpg, V4l2Format::Nv12, V4l2Format::Yuyv];

/// An open device.
struct V4l2 {
    device: Device,
    name: String,
    granted: Granted,
    stream: Option<Stream<'static>>,
}

/// What the driver delivers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Granted {
    format: V4l2Format,
    width: usize,
    height: usize,
    stride: usize,
    colour: Colour,
}

/// Opens the device and agrees on a format.
pub fn open(config: &V4l2Config, fps: f32) -> Result<Box<dyn Camera>, Lost> {
    let name = config.device.display().to_string();
    let failed = |act: &str| {
        let act = format!("cannot {act} {name}");
        move |error: io::Error| Lost::because(&act, error)
    };
    let device = Device::with_path(&config.device).map_err(failed("open"))?;
    let offered: Vec<FourCC> = device
        .enum_formats()
        .map_err(failed("ask for the formats of"))?
        .into_iter()
        .map(|format| format.fourcc)
        .collect();
    let format = choose(config.format, &offered).map_err(|why| Lost::because(&name, why))?;
    let asked = Format::new(config.width, config.height, fourcc(format));
    let granted = device.set_format(&asked).map_err(failed("set the format of"))?;
    let granted = Granted::check(&granted, format).map_err(|why| Lost::because(&name, why))?;
    // Not every driver can choose its pace; frames that are too many are left out later.
    if let Err(error) = device.set_params(&Parameters::with_fps(fps.ceil() as u32)) {
        tracing::debug!(%error, device = name, "the frame rate cannot be set");
    }
    tracing::info!(device = name, ?granted, "camera opened");
    Ok(Box::new(V4l2 { device, name, granted, stream: None }))
}

fn fourcc(format: V4l2Format) -> FourCC {
    FourCC::new(match format {
        V4l2Format::Mjpg => b"MJPG",
        V4l2Format::Yuyv => b"YUYV",
        V4l2Format::Nv12 => b"NV12",
    })
}

/// The wanted format, or the first that is offered.
fn choose(wanted: Option<V4l2Format>, offered: &[FourCC]) -> Result<V4l2Format, String> {
    let is_offered = |format: &V4l2Format| offered.contains(&fourcc(*format));
    let chosen = match wanted {
        Some(format) => Some(format).filter(is_offered),
        None => FORMATS.into_iter().find(is_offered),
    };
    chosen.ok_or_else(|| {
        let offered: Vec<String> = offered.iter().map(FourCC::to_string).collect();
        let needed = wanted.map_or("MJPG, NV12 or YUYV".into(), |f| fourcc(f).to_string());
        format!("it offers {} and {needed} is needed", offered.join(", "))
    })
}

impl Granted {
    fn check(granted: &Format, asked: V4l2Format) -> Result<Self, String> {
        if granted.fourcc != fourcc(asked) {
            return Err(format!("the driver grants {} instead of {asked:?}", granted.fourcc));
        }
        let (width, height) = (granted.width as usize, granted.height as usize);
        let least = match asked {
            V4l2Format::Mjpg => 0,
            V4l2Format::Nv12 => width.div_ceil(2) * 2,
            V4l2Format::Yuyv => width.div_ceil(2) * 4,
        };
        // Some drivers leave the row length 0 where there are no gaps.
        let stride = if granted.stride == 0 { least } else { granted.stride as usize };
        if width == 0 || height == 0 || stride < least {
            return Err(format!(
                "the driver grants {width} x {height} px with {stride} bytes a row"
            ));
        }
        let full_range = matches!(granted.quantization, Quantization::FullRange);
        let colour = Colour { full_range, bt709: false };
        Ok(Self { format: asked, width, height, stride, colour })
    }

    /// The pixels of a buffer, without the gaps between rows; none where it is too short.
    fn pixels(&self, buffer: &[u8]) -> Result<Pixels, String> {
        let (width, height) = (self.width, self.height);
        let (layout, row, rows) = match self.format {
            V4l2Format::Mjpg => return self.decode(buffer),
            V4l2Format::Nv12 => (Layout::Nv12, width.div_ceil(2) * 2, height + height.div_ceil(2)),
            V4l2Format::Yuyv => (Layout::Yuyv, width.div_ceil(2) * 4, height),
        };
        let data = (0..rows)
            .map(|y| buffer.get(y * self.stride..)?.get(..row))
            .collect::<Option<Vec<&[u8]>>>()
            .map(|rows| rows.concat());
        data.and_then(|data| Pixels::new(layout, (width, height), self.colour, data)).ok_or_else(
            || format!("a buffer of {} bytes holds no {width} x {height} px", buffer.len()),
        )
    }

    fn decode(&self, jpeg: &[u8]) -> Result<Pixels, String> {
        let mut reader = ImageReader::with_format(io::Cursor::new(jpeg), ImageFormat::Jpeg);
        let mut limits = Limits::default();
        limits.max_image_width = u32::try_from(self.width).ok();
        limits.max_image_height = u32::try_from(self.height).ok();
        reader.limits(limits);
        let picture = reader.decode().map_err(|error| error.to_string())?.into_rgb8();
        Pixels::from_rgb(picture).ok_or_else(|| "it has no pixels".into())
    }
}

impl V4l2 {
    fn start(&self) -> Result<Stream<'static>, Lost> {
        let stream = Stream::with_buffers(&self.device, Type::VideoCapture, BUFFERS);
        let mut stream = stream
            .map_err(|error| Lost::because(format!("cannot stream from {}", self.name), error))?;
        stream.set_timeout(WAIT);
        Ok(stream)
    }
}

impl Camera for V4l2 {
    fn next(&mut self) -> Result<Next, Lost> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.start()?,
        };
        let next = match stream.next() {
            Ok((_, meta)) if meta.flags.contains(Flags::ERROR) => {
                Next::Undecodable("a frame that the driver calls damaged".into())
            }
            Ok((buffer, meta)) => {
                let used = (meta.bytesused as usize).min(buffer.len());
                match self.granted.pixels(&buffer[..used]) {
                    Ok(pixels) => Next::Frame(Frame::now(pixels)),
                    Err(why) => Next::Undecodable(why),
                }
            }
            // The stream is unusable from then on and is built anew with the next call.
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Ok(Next::Nothing),
            Err(error) => return Err(Lost::because(format!("{} failed", self.name), error)),
        };
        self.stream = Some(stream);
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn format(fourcc: &[u8; 4], stride: u32) -> Format {
        Format { stride, ..Format::new(4, 2, FourCC::new(fourcc)) }
    }

    #[test]
    fn the_granted_row_length_counts_and_gaps_are_left_out() {
        let granted = Granted::check(&format(b"YUYV", 12), V4l2Format::Yuyv).unwrap();
        let buffer: Vec<u8> = (0..24).collect();
        let pixels = granted.pixels(&buffer).unwrap();
        assert_eq!([pixels.luma(0, 0), pixels.luma(0, 1), pixels.luma(2, 1)], [0, 12, 16]);
        assert!(granted.pixels(&buffer[..19]).unwrap_err().contains("19 bytes"));
        assert_eq!(Granted::check(&format(b"NV12", 0), V4l2Format::Nv12).unwrap().stride, 4);
    }

    #[test]
    fn another_format_or_an_impossible_row_length_is_refused() {
        let refused = Granted::check(&format(b"RGB3", 12), V4l2Format::Yuyv).unwrap_err();
        assert!(refused.contains("RGB3"));
        assert!(Granted::check(&format(b"YUYV", 7), V4l2Format::Yuyv).is_err());
    }

    #[test]
    fn a_device_without_a_usable_format_says_what_it_offers() {
        let (rgb, nv12) = (FourCC::new(b"RGB3"), FourCC::new(b"NV12"));
        assert_eq!(choose(None, &[rgb, nv12]), Ok(V4l2Format::Nv12));
        assert!(choose(None, &[rgb]).unwrap_err().contains("offers RGB3"));
        assert!(choose(Some(V4l2Format::Mjpg), &[nv12]).unwrap_err().contains("MJPG is needed"));
    }

    #[test]
    fn a_jpeg_larger_than_agreed_is_not_decoded() {
        let granted = Granted::check(&format(b"MJPG", 0), V4l2Format::Mjpg).unwrap();
        let encode = |width, height| {
            let mut jpeg = io::Cursor::new(Vec::new());
            image::RgbImage::new(width, height).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
            jpeg.into_inner()
        };
        assert_eq!(granted.pixels(&encode(4, 2)).unwrap().width(), 4);
        assert!(granted.pixels(&encode(4000, 2)).is_err());
        assert!(granted.pixels(b"no jpeg").is_err());
    }
}
