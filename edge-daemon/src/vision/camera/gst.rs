//! Decoding with GStreamer: whatever it can open and decode, with hardware where there is some.

use std::path::Path;

use gstreamer::{self as gst, glib, prelude::*};
use gstreamer_app::AppSink;
use gstreamer_video::{
    VideoColorMatrix, VideoColorRange, VideoFormat, VideoFrameExt, VideoFrameRef, VideoInfo,
};

use super::{Lost, Next};
use crate::vision::{
    frame::{Frame, Layout, Pixels},
    yuv::Colour,
};

/// How long one call waits for a frame.
const WAIT: gst::ClockTime = gst::ClockTime::from_mseconds(500);
/// Threads of a software decoder. More would hold more frames in memory and delay each.
const DECODER_THREADS: i32 = 1;

/// When frames are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As they come.
    Live,
    /// By their time in the file.
    File,
}

/// A running pipeline that keeps its latest frame ready.
#[derive(Debug)]
pub struct Player {
    pipeline: gst::Pipeline,
    sink: AppSink,
}

/// The address of a file.
pub fn file_uri(path: &Path) -> Result<String, Lost> {
    glib::filename_to_uri(path, None)
        .map(String::from)
        .map_err(|error| Lost::because("it has no address", error))
}

impl Player {
    /// Starts to play `uri`; `set_up` is given the element that reads it, before it connects.
    pub fn start(
        uri: &str,
        pace: Pace,
        set_up: impl Fn(&gst::Element) + Send + Sync + 'static,
    ) -> Result<Self, Lost> {
        gst::init().map_err(|error| Lost::because("GStreamer does not start", error))?;
        let sink = sink(pace);
        let pipeline = gst::Pipeline::new();
        let source = make("uridecodebin")?;
        source.set_property("uri", uri);
        // Only pictures: sound is neither wanted nor worth decoding.
        let decoded = gst::Caps::builder("video/x-raw").any_features().build();
        source.set_property("caps", decoded);
        source.set_property("expose-all-streams", false);
        source.connect("source-setup", false, move |values| {
            if let Some(Ok(element)) = values.get(1).map(|value| value.get::<gst::Element>()) {
                set_up(&element);
            }
            None
        });
        // Jetson's decoders leave frames in memory of their own, which only its converter reads.
        let converter = make("nvvidconv").or_else(|_| make("videoconvert"))?;
        let built = pipeline
            .add_many([&source, &converter, sink.upcast_ref()])
            .and_then(|()| converter.link(&sink));
        built.map_err(|error| Lost::because("the pipeline cannot be built", error))?;
        link_when_known(&source, &converter);
        limit_decoders(&pipeline);
        let player = Self { pipeline, sink };
        if player.pipeline.set_state(gst::State::Playing).is_err() {
            return Err(player.fault().unwrap_or_else(|| Lost("it cannot be played".into())));
        }
        Ok(player)
    }

    /// The latest frame, as soon as there is one that was not handed out.
    pub fn next(&mut self) -> Result<Next, Lost> {
        let Some(sample) = self.sink.try_pull_sample(WAIT) else {
            return match self.fault() {
                Some(fault) => Err(fault),
                None if self.sink.is_eos() => Ok(Next::End),
                None => Ok(Next::Nothing),
            };
        };
        Ok(match pixels(&sample) {
            Some(pixels) => Next::Frame(Frame::now(pixels)),
            None => Next::Undecodable("a frame of an unknown kind".into()),
        })
    }

    /// What the pipeline said went wrong, if it did.
    fn fault(&self) -> Option<Lost> {
        let message = self.pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(error) => Some(Lost(error.error().to_string())),
            _ => None,
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(%error, "a pipeline did not stop");
        }
    }
}

fn make(element: &str) -> Result<gst::Element, Lost> {
    gst::ElementFactory::make(element)
        .build()
        .map_err(|_| Lost(format!("GStreamer's element {element} is not installed")))
}

fn sink(pace: Pace) -> AppSink {
    let caps = gst::Caps::builder("video/x-raw").field("format", gst::List::new(["I420", "NV12"]));
    AppSink::builder()
        .caps(&caps.build())
        .max_buffers(1)
        .drop(true)
        .sync(pace == Pace::File)
        .build()
}

fn link_when_known(source: &gst::Element, converter: &gst::Element) {
    let converter = converter.downgrade();
    source.connect_pad_added(move |_, pad| {
        let input = converter.upgrade().and_then(|converter| converter.static_pad("sink"));
        let Some(input) = input.filter(|input| !input.is_linked()) else { return };
        if let Err(error) = pad.link(&input) {
            tracing::warn!(%error, "a decoded stream does not fit");
        }
    });
}

fn limit_decoders(pipeline: &gst::Pipeline) {
    pipeline.connect_deep_element_added(|_, _, element| {
        let is_decoder =
            element.factory().is_some_and(|f| f.has_type(gst::ElementFactoryType::DECODER));
        if is_decoder && element.has_property_with_type("max-threads", i32::static_type()) {
            element.set_property("max-threads", DECODER_THREADS);
        }
    });
}

/// A frame without the gaps that decoders leave between rows.
fn pixels(sample: &gst::Sample) -> Option<Pixels> {
    let info = VideoInfo::from_caps(sample.caps()?).ok()?;
    let frame = VideoFrameRef::from_buffer_ref_readable(sample.buffer()?, &info).ok()?;
    let (width, height) = (info.width() as usize, info.height() as usize);
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let (layout, planes) = match info.format() {
        VideoFormat::I420 => {
            let chroma = (half_width, half_height);
            (Layout::I420, vec![(width, height), chroma, chroma])
        }
        VideoFormat::Nv12 => (Layout::Nv12, vec![(width, height), (half_width * 2, half_height)]),
        _ => return None,
    };
    let mut data = Vec::with_capacity(layout.bytes(width, height));
    for (plane, (bytes, rows)) in planes.into_iter().enumerate() {
        let stride = usize::try_from(*frame.plane_stride().get(plane)?).ok()?;
        let plane = frame.plane_data(plane as u32).ok()?;
        for row in plane.chunks(stride).take(rows) {
            data.extend_from_slice(row.get(..bytes)?);
        }
    }
    let colorimetry = info.colorimetry();
    let colour = Colour {
        full_range: colorimetry.range() == VideoColorRange::Range0_255,
        bt709: colorimetry.matrix() == VideoColorMatrix::Bt709,
    };
    Pixels::new(layout, (width, height), colour, data)
}
