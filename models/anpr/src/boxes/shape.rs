//! Which shapes of boxes are taken, told apart from the shape alone; what is refused is told why.

use super::{Boxes, CORNERS, Layout, PLACE, words};
use crate::Error;
use crate::frames::{Frame, Frames};
use crate::network::Parsed;

/// The strides whose cells are places together, px of the input: the usual ones, those with one
/// for small things, those with one for large things.
const STRIDES: [&[usize]; 3] = [&[8, 16, 32], &[4, 8, 16, 32], &[8, 16, 32, 64]];
/// Sides of an input that are taken, px.
const SIDES: std::ops::RangeInclusive<usize> = 64..=1280;
/// Sides are multiples of this, px.
const SIDE_STEP: usize = 32;
/// Places of an output in which overlapping boxes are left out already.
const MOST_SUPPRESSED: usize = 1000;

/// A network of somebody else that finds boxes, and what it says of its classes.
pub(crate) struct Given<'a> {
    pub parsed: Parsed,
    /// The names of the classes that the manifest tells.
    pub classes: &'a [String],
    /// The input's shape that the manifest tells, for a network that takes any.
    pub input_shape: Option<[usize; 4]>,
    /// What it is shown where it takes any size, px.
    pub largest: Frame,
}

impl Given<'_> {
    /// The network for its frames, and how its output is read; `class` says what a name means.
    /// One class without a name is `only`, where that is given.
    ///
    /// # Errors
    /// [`Error::Unfit`] with what does not fit and what would, [`Error::Network`] where the network
    /// cannot be run.
    pub fn fit<T: Copy>(
        self,
        class: impl Fn(&str) -> Option<T>,
        only: Option<T>,
        ours: &str,
    ) -> Result<(Frames, Boxes<T>), Error> {
        let file = self.parsed.file().to_owned();
        let unfit = |reason| Error::Unfit { file: file.clone(), reason };
        let fixed = self.frame().map_err(unfit)?;
        let names = self.names();
        let frames = Frames::new(self.parsed.clone()).with_fixed(fixed);
        let frame = fixed.unwrap_or(self.largest);
        let shape = frames.network(frame)?.output_shape(0).to_vec();
        let layout = layout_of(&shape, frame).map_err(unfit)?;
        let may_be_posed = only.is_some();
        let (count, corner_values) =
            split(layout.channels, names.as_deref(), may_be_posed).map_err(unfit)?;
        let classes: Vec<Option<T>> = match &names {
            Some(names) if names.len() > 1 || only.is_none() => {
                names.iter().map(|name| class(name)).collect()
            }
            _ => vec![only; count],
        };
        if classes.iter().all(Option::is_none) {
            let there = names.unwrap_or_default().join(", ");
            let there = if there.is_empty() { "nobody says which".to_owned() } else { there };
            return Err(unfit(format!(
                "its classes ({there}) are none of those that are looked for; wanted some of {ours}, \
                 in its own `names` or as `classes` of the manifest.toml beside it"
            )));
        }
        let boxes = Boxes { layout, classes, corner_values };
        boxes.check(&frames, self.largest)?;
        Ok((frames, boxes))
    }

    /// The only frame that the network takes; none where it takes any.
    fn frame(&self) -> Result<Option<Frame>, String> {
        let inputs = self.parsed.inputs().join(", ");
        let wanted = "wanted one input of floats, [1, 3, height, width]";
        let sides = self.parsed.input_sides();
        let Some(sides) = sides else { return Err(format!("its inputs are {inputs}, {wanted}")) };
        let [batch, colours, height, width] = sides[..] else {
            return Err(format!("its input {inputs} has {} sides, {wanted}", sides.len()));
        };
        if batch.is_some_and(|batch| batch != 1) || colours.is_some_and(|colours| colours != 3) {
            let told = |side: Option<usize>| side.map_or("any".to_owned(), |side| side.to_string());
            let (batch, colours) = (told(batch), told(colours));
            return Err(format!("its input {inputs} is [{batch}, {colours}, …], {wanted}"));
        }
        let told = self.input_shape.map(|[_, _, height, width]| (width, height));
        let Some(frame) = width.zip(height).or(told) else { return Ok(None) };
        let fits = |side: usize| SIDES.contains(&side) && side.is_multiple_of(SIDE_STEP);
        if fits(frame.0) && fits(frame.1) {
            return Ok(Some(frame));
        }
        Err(format!(
            "its input is {} x {} px, wanted multiples of {SIDE_STEP} from {} to {}",
            frame.0,
            frame.1,
            SIDES.start(),
            SIDES.end(),
        ))
    }

    /// The names of the classes: those of the manifest, or those that its exporter noted.
    fn names(&self) -> Option<Vec<String>> {
        if !self.classes.is_empty() {
            return Some(self.classes.to_vec());
        }
        words::class_names(&self.parsed.note("names")?)
    }
}

/// How the output of this shape stands, for inputs of `frame` px.
pub(crate) fn layout_of(shape: &[usize], frame: Frame) -> Result<Layout, String> {
    let cells = |strides: &[usize]| {
        let cells = |stride| frame.0.div_ceil(stride) * frame.1.div_ceil(stride);
        strides.iter().map(|stride| cells(*stride)).sum::<usize>()
    };
    let counts = STRIDES.map(cells);
    let fits = |side: usize| counts.contains(&side);
    let wanted = format!(
        "wanted [1, 4 + classes, {0}] or [1, {0}, 4 + classes] for {1} x {2} px, as YOLOv8 writes",
        counts[0], frame.0, frame.1
    );
    let (channels, channels_first) = match *shape {
        [1, a, b] if fits(b) && !fits(a) => (a, true),
        [1, a, b] if fits(a) && !fits(b) => (b, false),
        [1, a, b] if counts.iter().any(|count| a == 3 * count || b == 3 * count) => {
            return Err(format!(
                "its output {shape:?} has three anchors in a cell, as YOLOv5 and YOLOv7 write; {wanted}"
            ));
        }
        [1, a, b] if fits(a) && fits(b) => {
            return Err(format!("its output {shape:?} may stand either way; {wanted}"));
        }
        [1, places, 6] if places <= MOST_SUPPRESSED => {
            return Err(format!(
                "its output {shape:?} looks like boxes of which overlapping ones were left out \
                 already; {wanted}, exported without suppression (`nms=False`)"
            ));
        }
        _ => return Err(format!("its first output is {shape:?}; {wanted}")),
    };
    if channels <= PLACE {
        return Err(format!("its output {shape:?} has no scores of classes; {wanted}"));
    }
    Ok(Layout { channels, channels_first })
}

/// How many classes there are, and how many values a corner has.
fn split(
    channels: usize,
    names: Option<&[String]>,
    may_be_posed: bool,
) -> Result<(usize, Option<usize>), String> {
    let behind = channels - PLACE;
    let Some(names) = names else {
        return match behind {
            1 => Ok((1, None)),
            _ => Err(format!(
                "it has {behind} values behind each box and no names of classes; wanted `names` in \
                 its metadata, as Ultralytics writes them, or `classes` in the manifest.toml beside it"
            )),
        };
    };
    match behind.checked_sub(names.len()) {
        Some(0) => Ok((names.len(), None)),
        Some(rest) if may_be_posed && matches!(rest, 8 | 12) => {
            Ok((names.len(), Some(rest / CORNERS)))
        }
        _ => Err(format!(
            "it has {behind} values behind each box and {} names of classes ({}); wanted a score for \
             each{}",
            names.len(),
            names.join(", "),
            if may_be_posed { ", and perhaps four corners of 2 or 3 values" } else { "" },
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const FRAME: Frame = (640, 384);
    const PLACES: usize = 80 * 48 + 40 * 24 + 20 * 12;

    #[test]
    fn the_side_that_counts_the_cells_tells_which_way_the_values_stand() {
        let first = Layout { channels: 84, channels_first: true };
        assert_eq!(layout_of(&[1, 84, PLACES], FRAME), Ok(first));
        let last = Layout { channels: 84, channels_first: false };
        assert_eq!(layout_of(&[1, PLACES, 84], FRAME), Ok(last));
        let with_small = PLACES + 160 * 96;
        assert!(layout_of(&[1, 5, with_small], FRAME).is_ok_and(|layout| layout.channels_first));
        // 64 x 64 px have 84 cells, as many as 80 classes have values.
        assert!(layout_of(&[1, 84, 84], (64, 64)).unwrap_err().contains("either way"));
    }

    #[test]
    fn heads_of_other_families_are_told_what_they_are() {
        let refusal = |shape: &[usize]| layout_of(shape, FRAME).unwrap_err();
        assert!(refusal(&[1, 3 * PLACES, 85]).contains("YOLOv5"));
        assert!(refusal(&[1, 300, 6]).contains("nms=False"));
        assert!(refusal(&[1, 42, 76]).contains(&format!("[1, 4 + classes, {PLACES}]")));
        assert!(refusal(&[1, PLACES]).contains(&format!("[1, {PLACES}]")));
        assert!(refusal(&[1, 4, PLACES]).contains("no scores"));
    }

    #[test]
    fn values_behind_the_box_are_scores_and_perhaps_corners() {
        let names = |count: usize| vec!["plate".to_owned(); count];
        assert_eq!(split(5, None, true), Ok((1, None)));
        assert_eq!(split(4 + 2 + 8, Some(&names(2)), true), Ok((2, Some(2))));
        assert_eq!(split(4 + 1 + 12, Some(&names(1)), true), Ok((1, Some(3))));
        assert!(split(4 + 9, None, true).unwrap_err().contains("`classes`"));
        assert!(split(4 + 1 + 8, Some(&names(1)), false).is_err());
        assert!(split(4 + 80, Some(&names(81)), false).unwrap_err().contains("81 names"));
    }
}
