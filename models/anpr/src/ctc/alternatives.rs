//! What else may stand at each place of a text.

use super::{BLANK, Lattice, States};

impl Lattice {
    /// For each position of `text`, how likely each class is there if the rest is right: the likeliest
    /// first, summing to one, classes below `least` left out.
    pub fn alternatives(&self, text: &[u16], least: f64) -> Vec<Vec<(u16, f64)>> {
        let states = States::new(text);
        let (before, after) = (self.forward(&states), self.backward(&states));
        (0..text.len())
            .map(|position| {
                let around = Around { before: &before, after: &after, text, position };
                around.rank(self, least)
            })
            .collect()
    }
}

/// One position of a text, with the sums over everything before and after it.
struct Around<'a> {
    before: &'a [Vec<f64>],
    after: &'a [Vec<f64>],
    text: &'a [u16],
    position: usize,
}

impl Around<'_> {
    fn rank(&self, lattice: &Lattice, least: f64) -> Vec<(u16, f64)> {
        let mut ranked: Vec<(u16, f64)> =
            (1..lattice.classes).map(|c| (c as u16, self.probability(lattice, c))).collect();
        let sum: f64 = ranked.iter().map(|(_, p)| p).sum();
        if sum > 0.0 {
            ranked.iter_mut().for_each(|(_, p)| *p /= sum);
        }
        let own = self.text[self.position];
        ranked.retain(|(class, p)| *p >= least || *class == own);
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }

    /// The probability of the text with `class` at this position.
    fn probability(&self, lattice: &Lattice, class: usize) -> f64 {
        let state = 2 * self.position + 1;
        let other = |position: Option<usize>| {
            let neighbour = position.and_then(|p| self.text.get(p)).map(|c| usize::from(*c));
            neighbour.filter(|c| *c != class)
        };
        let (previous, next) =
            (other(self.position.checked_sub(1)), other(Some(self.position + 1)));
        let mut steps = lattice.steps().enumerate().peekable();
        let (mut here, mut sum) = (0.0, 0.0);
        while let Some((t, step)) = steps.next() {
            here = (here + self.entering(t, state, previous.is_some())) * step[class];
            sum += here
                * match steps.peek() {
                    Some((t, step)) => {
                        step[BLANK] * self.after[*t][state + 1]
                            + next.map_or(0.0, |c| step[c] * self.after[*t][state + 2])
                    }
                    None => f64::from(u8::from(self.position + 1 == self.text.len())),
                };
        }
        sum
    }

    /// The probability of arriving at `state` in step `t` from outside.
    fn entering(&self, t: usize, state: usize, skips: bool) -> f64 {
        let Some(before) = t.checked_sub(1).map(|t| &self.before[t]) else {
            return f64::from(u8::from(state == 1));
        };
        before[state - 1] + if skips { before[state - 2] } else { 0.0 }
    }
}
