//! Detector and reader in a row, and what is done about what one look does not settle.
//!
//! A first look sees the picture small. Where that does not settle everything it is seen larger, and a
//! plate that is doubtful then is found again from near: the detector looks at the part of the picture
//! around it, enlarged. A large picture in which nothing can be read surely is looked at in parts.

use std::time::Duration;

use crate::frames::{Frame, LARGEST};
use crate::read::Look;
use crate::{Bounds, Detection, Detector, Error, Image, Reader, Reading, Thresholds};

/// What the detector sees of a first look, px: half of what it may see.
pub(crate) const FIRST: Frame = (448, 288);
/// What is read with this confidence at a first look needs no other.
const SURE: f32 = 0.95;
/// What shows next to nothing at a first look, and is less likely a plate than this, needs none
/// either.
const PATTERN_SCORE: f32 = 0.5;
/// What the detector sees of a near look, px.
pub(crate) const NEAR: Frame = (256, 192);
/// Plate widths that a near look shows.
const WIDTHS_SHOWN: f32 = 4.5;
/// A find that shares this (intersection over union) with what it looks for is it.
const SAME: f32 = 0.2;
/// With this confidence a picture has been read.
const SETTLED: f32 = 0.9;
/// What is found in a part alone and read with less confidence is no plate: enlarged, much looks
/// like one.
const LEGIBLE: f32 = 0.5;
/// Where the parts of a picture begin, as shares of its width and height; each is half as wide and
/// half as high.
const PARTS: [(f32, f32); 6] =
    [(0.25, 0.5), (0.0, 0.5), (0.5, 0.5), (0.25, 0.15), (0.0, 0.15), (0.5, 0.15)];

/// What a picture took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Finding plates in the whole picture.
    pub detect: Duration,
    /// Reading them, near looks included.
    pub read: Duration,
}

/// Finds and reads all plates of a picture, on the thread that calls it.
pub struct Recognizer {
    /// Finds plates at a first look, where the network sees pictures of any size.
    pub(crate) first: Option<Detector>,
    /// Finds plates.
    pub detector: Detector,
    /// Finds a plate again from near.
    pub(crate) near: Detector,
    /// Reads one that was found.
    pub reader: Reader,
}

impl Recognizer {
    /// The plates in `image`, those that were found most surely first. What cannot be read has a text
    /// of little confidence, or none.
    ///
    /// # Errors
    /// [`Error::Network`] where the inference engine fails; no picture should make it.
    pub fn recognize(&mut self, image: Image) -> Result<Vec<Reading>, Error> {
        self.recognize_timed(image, &|| Duration::ZERO).map(|(readings, _)| readings)
    }

    /// The same, and what it took. `now` is the time since any fixed moment.
    ///
    /// # Errors
    /// Those of [`recognize`](Self::recognize).
    pub fn recognize_timed(
        &mut self,
        image: Image,
        now: &dyn Fn() -> Duration,
    ) -> Result<(Vec<Reading>, Spent), Error> {
        let (mut spent, mut clock) = (Spent::default(), Stopwatch::start(now));
        if let Some(first) = &mut self.first {
            let found = first.detect(image)?;
            spent.detect += clock.lap();
            let settled = self.glance_all(image, &found)?;
            spent.read += clock.lap();
            if let Some(readings) = settled {
                return Ok((readings, spent));
            }
        }
        let found = self.detector.detect(image)?;
        spent.detect += clock.lap();
        let readings = self.read_all(image, &found)?;
        spent.read += clock.lap();
        Ok((readings, spent))
    }

    /// What is taken for a plate from now on, at the first and at the large look.
    pub fn set_thresholds(&mut self, thresholds: Thresholds) {
        self.detector.thresholds = thresholds;
        if let Some(first) = &mut self.first {
            first.thresholds = thresholds;
        }
    }

    /// Readings of what a first look found, where that settles everything: something is read surely,
    /// and nothing else that may be a plate is there.
    fn glance_all(
        &mut self,
        image: Image,
        found: &[Detection],
    ) -> Result<Option<Vec<Reading>>, Error> {
        let mut readings = Vec::new();
        for plate in found {
            let look = self.reader.glance(image, plate)?;
            if look.confidence() >= SURE && !look.is_doubtful() {
                add(&mut readings, look.reading(image));
            } else if !look.is_hopeless() || plate.score >= PATTERN_SCORE {
                return Ok(None);
            }
        }
        Ok((!readings.is_empty()).then_some(readings))
    }

    /// Reads what was found in `image`; where that settles nothing and the picture is large, also
    /// what its parts show.
    fn read_all(&mut self, image: Image, found: &[Detection]) -> Result<Vec<Reading>, Error> {
        let mut readings = Vec::new();
        for reading in self.read_each(image, found)? {
            add(&mut readings, reading);
        }
        let is_large = image.width() > LARGEST.0 || image.height() > LARGEST.1;
        if is_large && !readings.iter().any(|reading| reading.confidence >= SETTLED) {
            self.read_parts(image, &mut readings)?;
        }
        readings.retain(Reading::is_plausible);
        Ok(readings)
    }

    /// A reading of each plate that `found` says is in `image`, if need be after a near look at it.
    /// What shows next to nothing beside a plate that is read surely is not looked at again.
    ///
    /// # Errors
    /// [`Error::Network`] where the inference engine fails; no picture should make it.
    pub fn read_each(&mut self, image: Image, found: &[Detection]) -> Result<Vec<Reading>, Error> {
        let looks: Result<Vec<_>, _> =
            found.iter().map(|plate| self.reader.glance(image, plate)).collect();
        let looks = looks?;
        let is_settled = looks.iter().any(|look| look.confidence() >= SETTLED);
        let mut finish = |look: Look| -> Result<Reading, Error> {
            let is_worth_it = look.is_doubtful() && !(is_settled && look.is_hopeless());
            let look = if is_worth_it { self.look_again(image, look)? } else { look };
            Ok(look.reading(image))
        };
        looks.into_iter().map(&mut finish).collect()
    }

    /// The best of `first` and what is seen of the same plate from near.
    fn look_again(&mut self, image: Image, first: Look) -> Result<Look, Error> {
        let found = first.found();
        let mut best = first;
        if let Some(nearer) = self.look_near(image, &found.bounds)? {
            let nearer = Detection { score: nearer.score.max(found.score), ..nearer };
            let other = self.reader.glance(image, &nearer)?;
            best = if other.merit() > best.merit() { other } else { best };
        }
        if best.is_doubtful() && !best.is_hopeless() {
            best = self.reader.insist(image, best)?;
        }
        Ok(best)
    }

    /// Adds what the parts of the picture show that was not read surely in the whole.
    fn read_parts(&mut self, image: Image, readings: &mut Vec<Reading>) -> Result<(), Error> {
        let (width, height) = (image.width() / 2, image.height() / 2);
        for (x, y) in PARTS {
            let start = |share: f32, side: usize, part: usize| {
                ((share * side as f32) as usize).min(side - part)
            };
            let left = start(x, image.width(), width.max(1));
            let top = start(y, image.height(), height.max(1));
            let found = self.find_in(image, (left, top, width.max(1), height.max(1)))?;
            for reading in self.read_each(image, &found)? {
                if reading.confidence >= LEGIBLE {
                    add(readings, reading);
                }
            }
        }
        Ok(())
    }

    /// The plates in a part of the picture: left, top, width and height, px.
    fn find_in(
        &mut self,
        image: Image,
        (left, top, width, height): (usize, usize, usize, usize),
    ) -> Result<Vec<Detection>, Error> {
        let part = image.crop(left, top, width, height);
        let found = self.detector.detect(Image::new(&part, width, height)?)?;
        Ok(found.iter().map(|plate| plate.moved(left as f32, top as f32)).collect())
    }

    /// The plate that a near look finds at about `place`.
    fn look_near(&mut self, image: Image, place: &Bounds) -> Result<Option<Detection>, Error> {
        let (left, top, width, height) = window(image, place);
        let part = image.crop(left, top, width, height);
        let found = self.near.detect(Image::new(&part, width, height)?)?;
        let found = found.iter().map(|plate| plate.moved(left as f32, top as f32));
        let share = |plate: &Detection| plate.bounds.iou(place);
        Ok(found.filter(|plate| share(plate) > SAME).max_by(|a, b| share(a).total_cmp(&share(b))))
    }
}

/// Tells how long each step took.
struct Stopwatch<'a> {
    now: &'a dyn Fn() -> Duration,
    last: Duration,
}

impl<'a> Stopwatch<'a> {
    fn start(now: &'a dyn Fn() -> Duration) -> Self {
        Self { now, last: now() }
    }

    /// The time since the last lap.
    fn lap(&mut self) -> Duration {
        let last = std::mem::replace(&mut self.last, (self.now)());
        self.last.saturating_sub(last)
    }
}

/// Adds a reading, or puts it in the place of a less sure one of the same plate.
fn add(readings: &mut Vec<Reading>, new: Reading) {
    match readings.iter_mut().find(|old| old.bounds.iou(&new.bounds) > SAME) {
        Some(old) if old.confidence < new.confidence => *old = new,
        Some(_) => {}
        None => readings.push(new),
    }
}

/// Left, top, width and height of the part of `image` that a near look at `place` shows.
fn window(image: Image, place: &Bounds) -> (usize, usize, usize, usize) {
    let along = |low: f32, high: f32, shown: f32, side: usize| {
        let shown = (shown.ceil() as usize).clamp(1, side);
        let start = ((low + high - shown as f32) / 2.0).max(0.0) as usize;
        (start.min(side - shown), shown)
    };
    let across = ((place.x2 - place.x1) * WIDTHS_SHOWN).max(NEAR.0 as f32 / 4.0);
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
        assert_eq!(window(image, &place), (410, 332, 180, 135));
        let corner = Bounds { x1: 0.0, y1: 0.0, x2: 40.0, y2: 12.0 };
        assert_eq!(window(image, &corner), (0, 0, 180, 135));
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
