//! A reader's network, checked, and what its input and its output are.

use super::output::{Classes, Output};
use super::sight::Form;
use crate::network::{Network, Parsed};
use crate::rectify::{HEIGHT, WIDTH};
use crate::{Error, ReaderManifest};

/// Widths and heights of an input that are taken, px.
const WIDTHS: std::ops::RangeInclusive<usize> = 16..=1024;
const HEIGHTS: std::ops::RangeInclusive<usize> = 16..=256;

/// A network that reads plates.
#[derive(Debug, Clone)]
pub(crate) struct ReaderNetwork {
    pub network: Network,
    /// Width and height of its input, px.
    pub size: (usize, usize),
    /// What it wants otherwise than the built-in one.
    pub form: Option<Form>,
    pub output: Output,
}

impl ReaderNetwork {
    /// A network of the built-in one's shape.
    pub fn ours(manifest: &ReaderManifest, parsed: Parsed) -> Result<Self, Error> {
        manifest.check(WIDTH)?;
        let outputs = ["logits".to_owned()];
        let network = parsed.with_tensors("plate", &outputs)?.plan([1, 3, HEIGHT, WIDTH])?;
        let steps = network.output_shape(0).get(1).copied().unwrap_or(1);
        let charset: Vec<char> = manifest.charset.chars().collect();
        let wanted = [1, steps, charset.len() + 1];
        crate::models::check_shape(&network, 0, &outputs[0], &manifest.file, &wanted)?;
        let output = Output::rows_of_logits(steps, Classes::new(&charset, manifest.blank));
        Ok(Self { network, size: (WIDTH, HEIGHT), form: None, output })
    }

    /// A network of another shape.
    pub fn given(manifest: &mut ReaderManifest, parsed: Parsed) -> Result<Self, Error> {
        let file = manifest.file.clone();
        let unfit = |reason| Error::Unfit { file: file.clone(), reason };
        let (channels, size) = input(&parsed, manifest.input_shape).map_err(unfit)?;
        let network = parsed.plan([1, channels, size.1, size.0])?;
        let shapes: Vec<&[usize]> =
            (0..parsed.outputs().len()).map(|index| network.output_shape(index)).collect();
        if manifest.charset.is_empty() {
            manifest.charset = noted_charset(&parsed, &shapes).ok_or_else(|| {
                unfit(
                    "nobody says which characters it reads; wanted `charset` in [reader] of the \
                       manifest.toml beside it"
                        .to_owned(),
                )
            })?;
        }
        manifest.check(size.0)?;
        let charset: Vec<char> = manifest.charset.chars().collect();
        let classes = Classes::new(&charset, manifest.blank);
        let fitting = shapes.iter().enumerate();
        let mut fitting =
            fitting.filter_map(|(index, shape)| Some((index, Output::of_shape(shape, &classes)?)));
        let Some((index, output)) = fitting.next() else {
            return Err(unfit(misfit(&parsed, &shapes, charset.len())));
        };
        let network = parsed.with_output(index).plan([1, channels, size.1, size.0])?;
        let output = output.told_on(&network, &file)?;
        let form = Form {
            is_grey: channels == 1,
            order: manifest.colour_order,
            mean: manifest.mean,
            std: manifest.std,
            keeps_aspect: manifest.keep_aspect,
        };
        Ok(Self { network, size, form: Some(form), output })
    }
}

/// What is wrong with the outputs.
fn misfit(parsed: &Parsed, shapes: &[&[usize]], characters: usize) -> String {
    let outputs = parsed.outputs();
    let named = outputs.iter().zip(shapes).map(|(name, shape)| format!("`{name}` {shape:?}"));
    let named = named.collect::<Vec<_>>().join(", ");
    let classes = characters + 1;
    format!(
        "its output is {named}; wanted [1, steps, {classes}], [steps, 1, {classes}] or \
         [1, {classes}, steps] for the {characters} characters of `charset` and the blank"
    )
}

/// Channels and size (width, height) of the input.
fn input(parsed: &Parsed, told: Option<[usize; 4]>) -> Result<(usize, (usize, usize)), String> {
    let name = parsed.inputs().join(", ");
    let wanted = "wanted one input of floats, [1, 3, height, width] or [1, 1, height, width]";
    let sides = parsed.input_sides();
    let Some([batch, channels, height, width]) = sides.as_deref() else {
        return Err(format!("its input is `{name}` of another kind, {wanted}"));
    };
    let told = |axis: usize| told.map(|shape| shape[axis]);
    let side = |side: &Option<usize>, axis| side.or(told(axis));
    let channels = side(channels, 1).unwrap_or(3);
    if batch.is_some_and(|batch| batch != 1) || !matches!(channels, 1 | 3) {
        let batch = batch.unwrap_or(1);
        return Err(format!("its input `{name}` is [{batch}, {channels}, …], {wanted}"));
    }
    let (Some(height), Some(width)) = (side(height, 2), side(width, 3)) else {
        return Err(format!(
            "its input `{name}` is of any size; wanted `input_shape = [1, {channels}, height, width]` \
             in [reader] of the manifest.toml beside it"
        ));
    };
    if WIDTHS.contains(&width) && HEIGHTS.contains(&height) {
        return Ok((channels, (width, height)));
    }
    Err(format!(
        "its input `{name}` is {width} x {height} px, wanted a width from {} to {} and a height from \
         {} to {}",
        WIDTHS.start(),
        WIDTHS.end(),
        HEIGHTS.start(),
        HEIGHTS.end()
    ))
}

/// The characters that the exporter noted, one on a line; a space follows them where the network
/// has one class more.
fn noted_charset(parsed: &Parsed, shapes: &[&[usize]]) -> Option<String> {
    let note = parsed.note("character")?;
    let mut charset = String::new();
    for line in note.split('\n').map(|line| line.trim_end_matches('\r')) {
        let mut characters = line.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => charset.push(character),
            (None, _) => {}
            // Several in a class: none that stands on a plate.
            (Some(_), Some(_)) => charset.push(' '),
        }
    }
    let with_space = charset.chars().count() + 2;
    if shapes.iter().any(|shape| shape.contains(&with_space)) {
        charset.push(' ');
    }
    Some(charset)
}
