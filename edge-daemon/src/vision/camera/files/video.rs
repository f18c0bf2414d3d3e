//! A video file, played at its own pace as if it happened now.

use std::path::{Path, PathBuf};

use super::super::{
    Camera, Lost, Next,
    gst::{self, Player},
};

/// Plays a video once or for ever.
pub struct Video {
    path: PathBuf,
    player: Player,
    repeats: bool,
}

impl Video {
    /// Opens the file.
    pub fn open(path: &Path, repeats: bool) -> Result<Self, Lost> {
        Ok(Self { path: path.to_owned(), player: play(path)?, repeats })
    }
}

fn play(path: &Path) -> Result<Player, Lost> {
    let named = |error| Lost::because(path.display(), error);
    let whole = path.canonicalize().map_err(|error| Lost::because(path.display(), error))?;
    let uri = gst::file_uri(&whole).map_err(named)?;
    Player::start(&uri, gst::Pace::File, |_| {}).map_err(named)
}

impl Camera for Video {
    fn next(&mut self) -> Result<Next, Lost> {
        match self.player.next() {
            Ok(Next::End) if self.repeats => {
                self.player = play(&self.path)?;
                Ok(Next::Nothing)
            }
            Ok(next) => Ok(next),
            Err(error) => Err(Lost::because(self.path.display(), error)),
        }
    }
}
