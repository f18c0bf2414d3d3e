//! Network cameras.

use gstreamer::{self as gst, prelude::*};

use super::{
    Camera, Lost, Next,
    gst::{Pace, Player},
};
use crate::vision::config::{RtspConfig, RtspUrl, Transport};

/// How long the camera may take to answer, in microseconds.
const ANSWER_WITHIN_US: u64 = 5_000_000;
/// How long frames wait for those that were overtaken on the way, in milliseconds.
const JITTER_MS: u32 = 100;

/// A stream of a network camera.
struct Rtsp {
    player: Player,
    url: RtspUrl,
}

/// Connects; whether the camera is there shows when the first frame is asked for.
pub fn open(config: &RtspConfig) -> Result<Box<dyn Camera>, Lost> {
    let url = config.url.clone();
    let transport = config.transport;
    let player = Player::start(url.secret(), Pace::Live, move |source| set_up(source, transport))
        .map_err(|error| named(&url, &error))?;
    Ok(Box::new(Rtsp { player, url }))
}

fn set_up(source: &gst::Element, transport: Transport) {
    let (protocols, jitter_ms) = match transport {
        Transport::Tcp => ("tcp", 0),
        Transport::Udp => ("udp", JITTER_MS),
    };
    source.set_property_from_str("protocols", protocols);
    source.set_property("latency", jitter_ms);
    source.set_property("drop-on-latency", true);
    source.set_property("tcp-timeout", ANSWER_WITHIN_US);
    source.set_property("timeout", ANSWER_WITHIN_US);
}

fn named(url: &RtspUrl, error: &Lost) -> Lost {
    Lost(format!("{url}: {}", url.redact(&error.0)))
}

impl Camera for Rtsp {
    fn next(&mut self) -> Result<Next, Lost> {
        match self.player.next() {
            Ok(Next::End) => Err(Lost(format!("{}: the camera ended the stream", self.url))),
            next => next.map_err(|error| named(&self.url, &error)),
        }
    }
}
