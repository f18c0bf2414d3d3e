//! Networks of other people's shapes in place of the built-in ones, as a user of the crate meets
//! them.

#![allow(clippy::unwrap_used)]

mod boxes;
mod network;
mod readers;

use anpr::{Detection, Image, Own};

/// A white picture.
struct White {
    rgb: Vec<u8>,
    size: (usize, usize),
}

impl White {
    fn new(width: usize, height: usize) -> Self {
        Self { rgb: vec![255; width * height * 3], size: (width, height) }
    }

    fn image(&self) -> Image<'_> {
        Image::new(&self.rgb, self.size.0, self.size.1).unwrap()
    }
}

fn own<'a>(onnx: &'a [u8], manifest: &'a str) -> Own<'a> {
    Own { file: "/there/mine.onnx", onnx, manifest: Some(manifest) }
}

/// A detection's corners.
fn corners(found: &Detection) -> [(f32, f32); 4] {
    found.corners.map(|corner| (corner.x, corner.y))
}
