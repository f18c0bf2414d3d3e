//! The likeliest texts, by a beam search over their prefixes (Hannun et al., "First-Pass Large
//! Vocabulary Continuous Speech Recognition", 2014, algorithm 1).

use super::{BLANK, Lattice, Text};

/// No plate has more characters.
const MAX_LENGTH: usize = 12;
/// Prefixes that are followed at a time.
const BEAMS: usize = 8;
/// A class less likely than this in a step does not extend a prefix.
const LEAST: f64 = 1e-3;

impl Lattice {
    /// The likeliest texts with about their probabilities, the likeliest first. Never empty.
    pub fn likeliest(&self) -> Vec<(Text, f64)> {
        let mut beams = vec![Prefix { text: Vec::new(), blank: 1.0, label: 0.0 }];
        for step in self.steps() {
            let mut next = Vec::with_capacity(BEAMS * 4);
            for beam in &beams {
                beam.extend(step, &mut next);
            }
            next.sort_by(|a, b| b.total().total_cmp(&a.total()));
            next.truncate(BEAMS);
            beams = next;
        }
        beams.into_iter().map(|beam| (beam.total(), beam.text)).map(|(p, text)| (text, p)).collect()
    }
}

/// A beam: a text so far, and the probability of its alignments that end in blank or in its last
/// character.
struct Prefix {
    text: Text,
    blank: f64,
    label: f64,
}

impl Prefix {
    fn total(&self) -> f64 {
        self.blank + self.label
    }

    /// Adds what this prefix becomes by one step.
    fn extend(&self, step: &[f64], next: &mut Vec<Self>) {
        let last = self.text.last().copied();
        let same = last.map_or(0.0, |class| self.label * step[usize::from(class)]);
        merge(next, self.text.clone(), self.total() * step[BLANK], same);
        if self.text.len() == MAX_LENGTH {
            return;
        }
        let likely = step.iter().enumerate().skip(1).filter(|(_, p)| **p > LEAST);
        for (class, p) in likely {
            let class = class as u16;
            let from = if last == Some(class) { self.blank } else { self.total() };
            let text = self.text.iter().copied().chain([class]).collect();
            merge(next, text, 0.0, from * p);
        }
    }
}

fn merge(beams: &mut Vec<Prefix>, text: Text, blank: f64, label: f64) {
    match beams.iter_mut().find(|beam| beam.text == text) {
        Some(beam) => {
            beam.blank += blank;
            beam.label += label;
        }
        None => beams.push(Prefix { text, blank, label }),
    }
}
