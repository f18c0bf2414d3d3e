//! A near look: the detector sees the part of a picture around one plate, enlarged.

use crate::frames::Frame;
use crate::{Bounds, Detection, Detector, Error, Image};

/// What the detector sees of a near look, px.
pub(crate) const NEAR: Frame = (160, 96);
/// Plate widths that a near look shows.
const WIDTHS_SHOWN: f32 = 3.0;
/// A find that shares this (intersection over union) with what it looks for is it.
pub(crate) const SAME: f32 = 0.2;

/// Finds a plate again from near.
pub(crate) struct NearDetector(pub Detector);

impl NearDetector {
    /// The surest plate at about `place`, where it is at least this sure.
    pub fn find(
        &mut self,
        image: Image,
        place: &Bounds,
        least: f32,
    ) -> Result<Option<Detection>, Error> {
        let (left, top, width, height) = window(image, place);
        let part = image.crop(left, top, width, height);
        let found = self.0.detect_down_to(least, Image::new(&part, width, height)?)?;
        let mut found = found.iter().map(|plate| plate.moved(left as f32, top as f32));
        Ok(found.find(|plate| plate.bounds.iou(place) > SAME))
    }
}

/// Left, top, width and height of the part of `image` that a near look at `place` shows.
fn window(image: Image, place: &Bounds) -> (usize, usize, usize, usize) {
    let along = |low: f32, high: f32, shown: f32, side: usize| {
        let shown = (shown.ceil() as usize).clamp(1, side);
        let start = ((low + high - shown as f32) / 2.0).max(0.0) as usize;
        (start.min(side - shown), shown)
    };
    let across = (place.width() * WIDTHS_SHOWN).max(NEAR.0 as f32 / 4.0);
    let down = across * NEAR.1 as f32 / NEAR.0 as f32;
    let (left, width) = along(place.x1, place.x2, across, image.width());
    let (top, height) = along(place.y1, place.y2, down, image.height());
    (left, top, width, height)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_near_look_has_the_plate_in_its_middle() {
        let pixels = vec![0; 1000 * 800 * 3];
        let image = Image::new(&pixels, 1000, 800).expect("the sizes fit");
        let place = Bounds { x1: 480.0, y1: 390.0, x2: 520.0, y2: 410.0 };
        assert_eq!(window(image, &place), (440, 364, 120, 72));
        let corner = Bounds { x1: 0.0, y1: 0.0, x2: 40.0, y2: 12.0 };
        assert_eq!(window(image, &corner), (0, 0, 120, 72));
    }

    proptest! {
        #[test]
        fn a_near_look_stays_inside_the_picture(
            width in 1usize..60, height in 1usize..60,
            x in -100f32..200.0, y in -100f32..200.0, w in 0f32..300.0, h in 0f32..100.0,
        ) {
            let pixels = vec![0; width * height * 3];
            let image = Image::new(&pixels, width, height).expect("the sizes fit");
            let (left, top, w, h) = window(image, &Bounds { x1: x, y1: y, x2: x + w, y2: y + h });
            prop_assert!(w >= 1 && h >= 1 && left + w <= width && top + h <= height);
            prop_assert_eq!(image.crop(left, top, w, h).len(), w * h * 3);
        }
    }
}
