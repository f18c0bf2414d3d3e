//! Footage as a camera: a folder of pictures, one picture, or a video.

mod pictures;
mod video;

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Camera, Lost};
use crate::vision::config::FilesConfig;

/// Most pictures of a folder that are shown.
const MAX_PICTURES: usize = 100_000;

/// Opens a folder, a picture or a video.
pub fn open(config: &FilesConfig, fps: f32) -> Result<Box<dyn Camera>, Lost> {
    let path = &config.path;
    if path.is_dir() {
        Ok(Box::new(pictures::Pictures::new(list(path)?, config, fps)))
    } else if is_picture(path) {
        Ok(Box::new(pictures::Pictures::new(vec![path.clone()], config, fps)))
    } else {
        Ok(Box::new(video::Video::open(path, config.r#loop)?))
    }
}

/// The pictures of a folder by name.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Lost> {
    let failed = |error| Lost::because(format!("cannot list {}", folder.display()), error);
    let mut pictures = Vec::new();
    let mut others = 0;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if !is_picture(&path) {
            others += 1;
        } else if pictures.len() < MAX_PICTURES {
            pictures.push(path);
        }
    }
    if pictures.is_empty() {
        return Err(Lost(format!(
            "{} holds no pictures: it needs files that end in .jpg, .jpeg or .png",
            folder.display()
        )));
    }
    pictures.sort();
    tracing::info!(folder = %folder.display(), pictures = pictures.len(), others, "footage");
    Ok(pictures)
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ["jpg", "jpeg", "png"].iter().any(|known| ending.eq_ignore_ascii_case(known))
}
