//! A network that pictures of all sizes are shown to, each fitted into a frame of its own.
//!
//! The plan and the way to draw stay for the next picture of the same size.

use crate::frames::{Frame, Frames};
use crate::letterbox::Letterbox;
use crate::network::Session;
use crate::{Error, Image};

/// A detector's network on one thread.
pub(crate) struct Fitted {
    frames: Frames,
    /// For pictures of the letterbox's size.
    frame: Frame,
    session: Session,
    letterbox: Letterbox,
}

impl Fitted {
    /// Made ready for pictures of the size of `frame`, where the network takes it.
    pub fn new(frames: &Frames, frame: Frame) -> Result<Self, Error> {
        let frame = frames.fixed().unwrap_or(frame);
        Ok(Self {
            frames: frames.clone(),
            frame,
            session: frames.network(frame)?.session()?,
            letterbox: Letterbox::new(frame, frame),
        })
    }

    /// Draws `image` into the frame that `frame_for` chooses for its size. Says which, and how many
    /// px of the picture one px of the frame is, across and down.
    pub fn draw(
        &mut self,
        image: Image,
        frame_for: impl FnOnce((usize, usize)) -> Frame,
    ) -> Result<(Frame, (f32, f32)), Error> {
        let size = (image.width(), image.height());
        if self.letterbox.source() != size {
            let frame = self.frames.fixed().unwrap_or_else(|| frame_for(size));
            self.fit(size, frame)?;
        }
        let Self { session, letterbox, frame, .. } = self;
        session.fill(|planes| letterbox.draw(image, planes, *frame));
        Ok((*frame, letterbox.scale()))
    }

    /// Whether the network takes one size only.
    pub fn has_fixed_size(&self) -> bool {
        self.frames.fixed().is_some()
    }

    /// The network, on what was drawn last.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Makes ready for pictures of `size` px.
    fn fit(&mut self, size: (usize, usize), frame: Frame) -> Result<(), Error> {
        if frame != self.frame {
            self.session = self.frames.network(frame)?.session()?;
            self.frame = frame;
        }
        self.letterbox = Letterbox::new(size, frame);
        self.session.fill(Letterbox::fill_rest);
        Ok(())
    }
}
