//! Connectionist temporal classification: what a text's probability is, given the network's output.
//!
//! Class 0 is the blank. A text's probability is the sum over all its alignments (Graves et al.,
//! "Connectionist Temporal Classification", 2006, section 4.1); candidates come from a prefix beam
//! search, and each position's alternatives from the forward and backward sums around it, exactly.

mod alternatives;
mod search;

use crate::read::Output;

/// The blank's class.
const BLANK: usize = 0;

/// The network's output as probabilities: `steps` rows of `classes` values that sum to one.
#[derive(Debug, Default)]
pub(crate) struct Lattice {
    classes: usize,
    rows: Vec<f64>,
}

/// Classes without blanks.
pub(crate) type Text = Vec<u16>;

impl Lattice {
    /// What a network's values say, its logits divided by `temperature`.
    pub fn set(&mut self, values: &[f32], output: &Output, temperature: f32) {
        self.classes = output.characters().len() + 1;
        self.rows.clear();
        output.read(values, temperature, &mut self.rows);
    }

    fn steps(&self) -> impl DoubleEndedIterator<Item = &[f64]> + ExactSizeIterator {
        self.rows.chunks_exact(self.classes)
    }

    /// The probability of exactly this text.
    pub fn probability(&self, text: &[u16]) -> f64 {
        let states = States::new(text);
        let last = self.forward(&states).pop().unwrap_or_default();
        last.iter().rev().take(2).sum()
    }

    /// `[t][s]`: probability of all alignments of steps 0..=t that end in state s at step t.
    fn forward(&self, states: &States) -> Vec<Vec<f64>> {
        let mut table: Vec<Vec<f64>> = Vec::new();
        for step in self.steps() {
            let row = (0..states.len()).map(|s| {
                let reach = match table.last() {
                    None => f64::from(u8::from(s < 2)),
                    Some(last) => states.before(s).map(|p| last[p]).sum(),
                };
                reach * step[states.class(s)]
            });
            let row = row.collect();
            table.push(row);
        }
        table
    }

    /// `[t][s]`: probability of all alignments of the steps after t, from state s at step t.
    fn backward(&self, states: &States) -> Vec<Vec<f64>> {
        let count = states.len();
        let end = |s: usize| f64::from(u8::from(s + 2 >= count));
        let mut table = vec![(0..count).map(end).collect::<Vec<f64>>()];
        for step in self.steps().skip(1).rev() {
            let next = table.last().expect("it begins with a row");
            let mut row = vec![0.0; count];
            for s in 0..count {
                let value = next[s] * step[states.class(s)];
                states.before(s).for_each(|p| row[p] += value);
            }
            table.push(row);
        }
        table.reverse();
        table
    }
}

/// The states of a text's alignments: blank, first character, blank, second character, …, blank.
struct States<'a> {
    text: &'a [u16],
}

impl<'a> States<'a> {
    fn new(text: &'a [u16]) -> Self {
        Self { text }
    }

    fn len(&self) -> usize {
        2 * self.text.len() + 1
    }

    fn class(&self, state: usize) -> usize {
        if state.is_multiple_of(2) { BLANK } else { usize::from(self.text[state / 2]) }
    }

    /// The states from which one step leads to `state`: itself, the one before, and the one before
    /// that where no blank must part two characters.
    fn before(&self, state: usize) -> impl Iterator<Item = usize> {
        let skips =
            state >= 3 && self.class(state) != BLANK && self.class(state) != self.class(state - 2);
        (state.saturating_sub(1)..=state).chain(skips.then(|| state - 2))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Blank;
    use crate::read::output::Classes;

    fn output(steps: usize, characters: usize) -> Output {
        let charset = &['A', 'B', 'C'][..characters];
        Output::rows_of_logits(steps, Classes::new(charset, Blank::First))
    }

    /// Every alignment, one by one.
    fn probability_by_hand(lattice: &Lattice, text: &[u16]) -> f64 {
        let steps: Vec<&[f64]> = lattice.steps().collect();
        let count = lattice.classes.pow(steps.len() as u32);
        let alignment = |mut n: usize| {
            let classes = steps.iter().map(move |_| {
                let class = n % lattice.classes;
                n /= lattice.classes;
                class
            });
            classes.collect::<Vec<_>>()
        };
        let collapse = |classes: &[usize]| {
            let mut classes = classes.to_vec();
            classes.dedup();
            classes.retain(|class| *class != BLANK);
            classes.iter().map(|class| *class as u16).collect::<Vec<_>>()
        };
        (0..count)
            .map(alignment)
            .filter(|classes| collapse(classes) == text)
            .map(|classes| classes.iter().zip(&steps).map(|(c, step)| step[*c]).product::<f64>())
            .sum()
    }

    prop_compose! {
        fn lattice()(logits in prop::collection::vec(-3f32..3.0, 6 * 4)) -> Lattice {
            let mut lattice = Lattice::default();
            lattice.set(&logits, &output(6, 3), 1.0);
            lattice
        }
    }

    proptest! {
        #[test]
        fn a_texts_probability_is_the_sum_over_its_alignments(
            lattice in lattice(),
            text in prop::collection::vec(1u16..4, 0..4),
        ) {
            let wanted = probability_by_hand(&lattice, &text);
            prop_assert!((lattice.probability(&text) - wanted).abs() < 1e-12);
        }

        #[test]
        fn alternatives_are_what_the_texts_with_them_would_have(
            lattice in lattice(),
            text in prop::collection::vec(1u16..4, 1..4),
        ) {
            for (position, ranked) in lattice.alternatives(&text, 0.0).into_iter().enumerate() {
                let with = |class: u16| {
                    let mut text = text.clone();
                    text[position] = class;
                    lattice.probability(&text)
                };
                let sum: f64 = (1..4).map(with).sum();
                for (class, p) in ranked {
                    prop_assert!((p - with(class) / sum.max(1e-300)).abs() < 1e-9);
                }
            }
        }

        #[test]
        fn the_beam_finds_the_likeliest_text(lattice in lattice()) {
            let (text, about) = lattice.likeliest().swap_remove(0);
            prop_assert!(about <= lattice.probability(&text) + 1e-9);
            for other in [vec![], vec![1], vec![2], vec![3]] {
                prop_assert!(lattice.probability(&other) <= lattice.probability(&text) + 0.05);
            }
        }
    }

    #[test]
    fn two_equal_characters_need_a_blank_between_them() {
        let mut lattice = Lattice::default();
        lattice.set(&[-9., 9., 9., -9., -9., 9.], &output(3, 1), 1.0);
        assert_eq!(lattice.likeliest()[0].0, [1, 1]);
        lattice.set(&[-9., 9., -9., 9., -9., 9.], &output(3, 1), 1.0);
        assert_eq!(lattice.likeliest()[0].0, [1]);
    }
}
