//! How a reader's output stands: which value is which character's at which step.

use crate::network::Network;
use crate::{Blank, Error};

/// A network with more steps than this is no reader of plates.
const MOST_STEPS: usize = 512;
/// The values of a step that are probabilities sum to one, but for rounding.
const ROUNDING: f32 = 1e-2;
/// What is less likely than this cannot be told from it.
const LEAST: f32 = 1e-12;
/// Cyrillic letters of plates, and the Latin ones that look the same and stand for them here.
const CYRILLIC: [(char, char); 12] = [
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('У', 'Y'),
    ('Х', 'X'),
];

/// The classes of a network: what a plate may carry, and what stands for nothing.
#[derive(Debug, Clone)]
pub(crate) struct Classes {
    /// The characters of the classes 1, 2, … of the lattice, whose class 0 is the blank.
    pub characters: Vec<char>,
    /// The lattice's class of each of the network's.
    to: Vec<u16>,
}

impl Classes {
    /// Those of a network of these characters. Letters become capitals; what is neither letter nor
    /// digit stands on no plate and counts as blank.
    pub fn new(charset: &[char], blank: Blank) -> Self {
        let mut characters = Vec::new();
        let mut to: Vec<u16> = charset.iter().map(|c| class_of(*c, &mut characters)).collect();
        match blank {
            Blank::First => to.insert(0, 0),
            Blank::Last => to.push(0),
        }
        Self { characters, to }
    }
}

/// The class of a character, which becomes known.
fn class_of(character: char, known: &mut Vec<char>) -> u16 {
    if !character.is_alphanumeric() {
        return 0;
    }
    let mut capital = character.to_uppercase();
    let capital = if capital.len() == 1 { capital.next() } else { None }.unwrap_or(character);
    let latin = CYRILLIC.iter().find(|(cyrillic, _)| *cyrillic == capital);
    let character = latin.map_or(capital, |(_, latin)| *latin);
    let at = known.iter().position(|c| *c == character).unwrap_or_else(|| {
        known.push(character);
        known.len() - 1
    });
    (at + 1) as u16
}

/// What each value of a reader's output is.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    steps: usize,
    /// From a step to the next, and from a class to the next.
    strides: (usize, usize),
    /// Whether the values are probabilities, not their logarithms or logits.
    is_probability: bool,
    classes: Classes,
}

impl Output {
    /// One after another the logits of each step's classes.
    pub fn rows_of_logits(steps: usize, classes: Classes) -> Self {
        let strides = (classes.to.len(), 1);
        Self { steps, strides, is_probability: false, classes }
    }

    /// How an output of this shape stands: [1, steps, classes], [steps, 1, classes] or
    /// [1, classes, steps]. None where it is no such shape.
    pub fn of_shape(shape: &[usize], classes: &Classes) -> Option<Self> {
        let count = classes.to.len();
        let (steps, strides) = match *shape {
            [1, steps, c] | [steps, 1, c] if c == count => (steps, (c, 1)),
            [1, c, steps] if c == count => (steps, (1, steps)),
            _ => return None,
        };
        let fits = (1..=MOST_STEPS).contains(&steps);
        let classes = classes.clone();
        fits.then_some(Self { steps, strides, is_probability: false, classes })
    }

    /// Tells on a picture of nothing whether the network's values are probabilities.
    pub fn told_on(self, network: &Network, file: &str) -> Result<Self, Error> {
        let mut session = network.session()?;
        session.fill(|input| input.fill(0.0));
        let mut values = Vec::new();
        session.run(|_, output| values.extend_from_slice(output))?;
        if values.iter().any(|value| value.is_nan()) {
            let reason = "it gives values that are no numbers for an empty picture".to_owned();
            return Err(Error::Unfit { file: file.to_owned(), reason });
        }
        let sums_to_one = |step: usize| {
            let sum: f32 = (0..self.classes.to.len()).map(|c| self.at(&values, step, c)).sum();
            (sum - 1.0).abs() < ROUNDING
        };
        let is_probability =
            values.iter().all(|value| *value >= 0.0) && (0..self.steps).all(sums_to_one);
        Ok(Self { is_probability, ..self })
    }

    /// The characters of the lattice's classes 1, 2, …
    pub fn characters(&self) -> &[char] {
        &self.classes.characters
    }

    /// Adds the probabilities of each step's classes of the lattice to `rows`, sharpened or levelled
    /// by the temperature.
    pub fn read(&self, values: &[f32], temperature: f32, rows: &mut Vec<f64>) {
        let count = self.characters().len() + 1;
        for step in 0..self.steps {
            let logits = || (0..self.classes.to.len()).map(|class| self.logit(values, step, class));
            let most = logits().fold(f32::NEG_INFINITY, f32::max);
            let start = rows.len();
            rows.resize(start + count, 0.0);
            let row = &mut rows[start..];
            for (logit, to) in logits().zip(&self.classes.to) {
                row[usize::from(*to)] += f64::from((logit - most) / temperature).exp();
            }
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|value| *value /= sum);
        }
    }

    fn at(&self, values: &[f32], step: usize, class: usize) -> f32 {
        values[step * self.strides.0 + class * self.strides.1]
    }

    fn logit(&self, values: &[f32], step: usize, class: usize) -> f32 {
        let value = self.at(values, step, class);
        if self.is_probability { value.max(LEAST).ln() } else { value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(charset: &str, blank: Blank) -> Classes {
        Classes::new(&charset.chars().collect::<Vec<_>>(), blank)
    }

    #[test]
    fn capitals_and_look_alikes_of_other_scripts_are_one_and_signs_are_nothing() {
        let classes = classes("aA·В京 B", Blank::Last);
        assert_eq!(classes.characters, ['A', 'B', '京']);
        assert_eq!(classes.to, [1, 1, 0, 2, 3, 0, 2, 0]);
    }

    #[test]
    fn the_side_that_counts_the_characters_is_theirs() {
        let classes = classes("ABC", Blank::First);
        let rows = |shape: &[usize], values: &[f32]| {
            let output = Output::of_shape(shape, &classes).expect("it fits");
            let mut rows = Vec::new();
            output.read(values, 1.0, &mut rows);
            let likeliest = |row: &[f64]| (0..4).max_by(|a, b| row[*a].total_cmp(&row[*b]));
            rows.chunks(4).filter_map(likeliest).collect::<Vec<_>>()
        };
        let by_step = [0., 9., 0., 0., 0., 0., 0., 9.];
        assert_eq!(rows(&[1, 2, 4], &by_step), [1, 3]);
        assert_eq!(rows(&[2, 1, 4], &by_step), [1, 3]);
        assert_eq!(rows(&[1, 4, 2], &[0., 0., 9., 0., 0., 0., 0., 9.]), [1, 3]);
        for other in [&[2, 4][..], &[1, 2, 5], &[1, 513, 4], &[2, 2, 4]] {
            assert!(Output::of_shape(other, &classes).is_none(), "{other:?}");
        }
    }

    #[test]
    fn probabilities_are_taken_as_they_are() {
        let classes = classes("AaB", Blank::First);
        let output = Output::of_shape(&[1, 1, 4], &classes).expect("it fits");
        let output = Output { is_probability: true, ..output };
        let mut rows = Vec::new();
        output.read(&[0.1, 0.5, 0.2, 0.2], 1.0, &mut rows);
        let off = rows.iter().zip([0.1, 0.7, 0.2]).map(|(row, wanted)| (row - wanted).abs());
        assert!(off.fold(0.0, f64::max) < 1e-6, "{rows:?}");
    }
}
