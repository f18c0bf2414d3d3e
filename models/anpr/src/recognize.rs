//! Detector and reader in a row, and what is done about what one look does not settle.
//!
//! A find of which the detector is unsure is looked at from near before it is read: that costs a
//! quarter of a reading, and tells small plates from patterns. A plate that is doubtful once it is
//! read is found again from near, too. A large picture in which nothing can be read surely is looked
//! at in parts.

use std::time::Duration;

use crate::frames::LARGEST;
use crate::near::{NearDetector, SAME};
use crate::read::Look;
use crate::{Detection, Detector, Error, Image, Reader, Reading};

/// What is found with this score is a plate without a near look.
const SURE_SCORE: f32 = 0.5;
/// What has less than the least score but more than this part of it may be a plate from near …
const WEAK: f32 = 2.0 / 3.0;
/// … where the detector sees it less wide than this, px: wider plates it knows.
const WIDEST_WEAK: f32 = 44.0;
/// So many weak finds of a picture are looked at from near, the surest first.
const MOST_WEAK: usize = 4;
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

/// How much of a picture's detail the detector sees: the more, the smaller the plates that it finds
/// and the longer it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// For boards that are too slow for more.
    Low,
    /// For pictures, which come one at a time and may show plates anywhere.
    Medium,
    /// For cameras, whose plates come from afar.
    High,
}

impl Detail {
    /// Largest width and height of what the detector sees, px: pictures are fitted into it.
    pub const fn px(self) -> (usize, usize) {
        match self {
            Self::Low => (384, 256),
            Self::Medium => (512, 320),
            Self::High => LARGEST,
        }
    }
}

/// Finds and reads all plates of a picture, on the thread that calls it.
pub struct Recognizer {
    /// Finds plates.
    pub detector: Detector,
    /// Finds a plate again from near.
    pub(crate) near: NearDetector,
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
        let begun = now();
        let found = self.find(image)?;
        let between = now();
        let readings = self.read_all(image, &found)?;
        let spent =
            Spent { detect: between.saturating_sub(begun), read: now().saturating_sub(between) };
        Ok((readings, spent))
    }

    /// The plates in `image`, unsure ones as a near look sees them.
    fn find(&mut self, image: Image) -> Result<Vec<Detection>, Error> {
        if self.detector.has_fixed_size() {
            // It would see what is near as large as the whole picture, and take as long.
            return self.detector.detect(image);
        }
        let least = self.detector.thresholds.score;
        let sure = least.max(SURE_SCORE);
        let widest = WIDEST_WEAK * self.detector.scale(image);
        let (mut plates, mut weak) = (Vec::new(), 0);
        for find in self.detector.detect_down_to(least * WEAK, image)? {
            let is_weak = find.score < least;
            let is_worth_it = !is_weak || (weak < MOST_WEAK && find.bounds.width() < widest);
            if find.score >= sure {
                plates.push(find);
            } else if is_worth_it && is_apart(&find, &plates) {
                weak += usize::from(is_weak);
                let nearer = self.near.find(image, &find.bounds, sure)?;
                plates.extend(nearer.filter(|plate| is_apart(plate, &plates)));
            }
        }
        plates.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(plates)
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
        let least = self.detector.thresholds.score;
        if let Some(nearer) = self.near.find(image, &found.bounds, least)? {
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
}

/// Whether a find lies beside all of these plates.
fn is_apart(find: &Detection, plates: &[Detection]) -> bool {
    plates.iter().all(|plate| plate.bounds.overlap(&find.bounds) <= 0.0)
}

/// Adds a reading, or puts it in the place of a less sure one of the same plate.
fn add(readings: &mut Vec<Reading>, new: Reading) {
    match readings.iter_mut().find(|old| old.bounds.iou(&new.bounds) > SAME) {
        Some(old) if old.confidence < new.confidence => *old = new,
        Some(_) => {}
        None => readings.push(new),
    }
}
