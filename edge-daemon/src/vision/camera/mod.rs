//! Where frames come from. A camera is opened, asked for one frame after another, and dropped when
//! it fails; `capture` opens it again.

mod files;
mod gst;
mod rtsp;
mod v4l2;

use super::{
    config::{CameraConfig, SourceConfig},
    frame::Frame,
};

/// An open camera, used by one thread.
pub trait Camera: Send {
    /// What comes next. Waits for about a second at most.
    ///
    /// # Errors
    /// When the camera is lost and must be opened again.
    fn next(&mut self) -> Result<Next, Lost>;

    /// Whether frames come whether or not somebody takes them. Of a live camera the latest frame
    /// wins; another one waits.
    fn is_live(&self) -> bool {
        true
    }
}

/// What a camera delivers.
#[derive(Debug)]
pub enum Next {
    /// A frame.
    Frame(Frame),
    /// Nothing in time; it is not lost yet.
    Nothing,
    /// Something that is no picture, described with its name.
    Undecodable(String),
    /// Footage is through.
    End,
}

/// Why a camera does not deliver, for people and without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Lost(pub String);

impl Lost {
    /// A failed act with its cause.
    fn because(act: impl std::fmt::Display, cause: impl std::fmt::Display) -> Self {
        Self(format!("{act}: {cause}"))
    }
}

/// Opens what the configuration names.
///
/// # Errors
/// When it is not there, or cannot deliver what is needed.
pub fn open(config: &CameraConfig) -> Result<Box<dyn Camera>, Lost> {
    match &config.source {
        SourceConfig::Files(files) => files::open(files, config.fps),
        SourceConfig::Rtsp(rtsp) => rtsp::open(rtsp),
        SourceConfig::V4l2(v4l2) => v4l2::open(v4l2, config.fps),
    }
}
