//! From the network's output to one reading: what the pixels say, weighed with how plates are
//! written.
//!
//! A text's posterior is its CTC probability times its prior from the grammar, over the sum for all
//! candidates. What no candidate covers counts against it like a text that no country writes.

use crate::ctc::{Lattice, Text};
use crate::grammar::{self, Judgement};
use crate::{Kind, Position, Region};

/// An alternative less likely than this is not worth carrying to the vote.
const LEAST_ALTERNATIVE: f64 = 0.01;
/// A look-alike that the pixels give less than this part of the likeliest text is not in the pixels.
const LEAST_LOOK_ALIKE: f64 = 1e-4;
/// Of the likeliest texts so many are tried with look-alikes.
const MENDED: usize = 3;

/// What a plate says.
pub(crate) struct Decision {
    pub text: String,
    pub confidence: f32,
    pub positions: Vec<Position>,
    pub region: Option<Region>,
}

struct Candidate {
    text: Text,
    probability: f64,
    judgement: Judgement,
}

impl Candidate {
    fn weight(&self) -> f64 {
        self.probability * self.judgement.prior
    }
}

/// Decides what a plate of this colour says.
pub(crate) fn decide(lattice: &Lattice, charset: &[char], kind: Kind, kind_score: f32) -> Decision {
    let judge = |text: Text, probability: f64| Candidate {
        judgement: grammar::judge(&spell(&text, charset), kind, kind_score),
        text,
        probability,
    };
    let candidates: Vec<Candidate> =
        texts(lattice, charset).into_iter().map(|(text, p)| judge(text, p)).collect();
    let covered: f64 = candidates.iter().map(|c| c.probability).sum();
    let weights: f64 = candidates.iter().map(Candidate::weight).sum();
    let rest = (1.0 - covered).max(0.0) * grammar::ODD_PRIOR;
    let best = candidates
        .into_iter()
        .max_by(|a, b| a.weight().total_cmp(&b.weight()))
        .expect("the search gives at least one text");
    let positions = positions(lattice, charset, &best.text);
    Decision {
        confidence: (best.weight() / (weights + rest)).min(1.0) as f32,
        text: positions.iter().map(|position| position.character).collect(),
        positions,
        region: best.judgement.region,
    }
}

/// The texts worth weighing, with their probabilities: the likeliest, and the look-alikes of these
/// that fit a grammar.
fn texts(lattice: &Lattice, charset: &[char]) -> Vec<(Text, f64)> {
    let mut texts = lattice.likeliest();
    for (_, probability) in &mut texts {
        *probability = probability.min(1.0);
    }
    let least = texts[0].1 * LEAST_LOOK_ALIKE;
    let likeliest: Vec<Text> = texts.iter().take(MENDED).map(|(text, _)| text.clone()).collect();
    for mended in likeliest.iter().flat_map(|t| grammar::look_alikes(&spell(t, charset))) {
        let Some(text) = classes(&mended, charset) else { continue };
        if texts.iter().any(|(known, _)| *known == text) {
            continue;
        }
        let probability = lattice.probability(&text);
        if probability >= least {
            texts.push((text, probability));
        }
    }
    texts
}

fn positions(lattice: &Lattice, charset: &[char], text: &[u8]) -> Vec<Position> {
    let ranked = lattice.alternatives(text, LEAST_ALTERNATIVE);
    let position = |(class, ranked): (&u8, Vec<(u8, f64)>)| {
        let probability = ranked.iter().find(|(c, _)| c == class).map_or(0.0, |(_, p)| *p);
        let named = ranked.iter().map(|(c, p)| (character(*c, charset), *p as f32));
        Position {
            character: character(*class, charset),
            probability: probability as f32,
            alternatives: named.collect(),
        }
    };
    text.iter().zip(ranked).map(position).collect()
}

fn character(class: u8, charset: &[char]) -> char {
    charset[usize::from(class) - 1]
}

fn spell(text: &[u8], charset: &[char]) -> Vec<char> {
    text.iter().map(|class| character(*class, charset)).collect()
}

fn classes(text: &[char], charset: &[char]) -> Option<Text> {
    let class = |c: &char| charset.iter().position(|known| known == c).map(|i| i as u8 + 1);
    text.iter().map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHARSET: &str = "京沪0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /// What is read when each step shows these characters with these probabilities, parted by blanks.
    fn read(steps: &[&[(char, f32)]], kind: Kind) -> Decision {
        let charset: Vec<char> = CHARSET.chars().collect();
        let classes = charset.len() + 1;
        let mut logits = Vec::new();
        for step in steps {
            let mut row = vec![-20.0; classes];
            for (c, p) in *step {
                let class = CHARSET.chars().position(|known| known == *c).expect("known") + 1;
                row[class] = p.ln();
            }
            logits.extend(row);
            logits.extend((0..classes).map(|class| if class == 0 { 0.0 } else { -20.0 }));
        }
        let mut lattice = Lattice::default();
        lattice.set(&logits, classes, 1.0);
        decide(&lattice, &charset, kind, 0.95)
    }

    #[test]
    fn on_a_chinese_plate_an_o_is_a_zero() {
        let unsure: &[_] = &[('O', 0.7), ('0', 0.3)];
        let shown: [&[_]; 7] = [&[('京', 1.)], &[('A', 1.)], unsure, &[('1', 1.)], &[('2', 1.)],
            &[('3', 1.)], &[('4', 1.)]];
        let decision = read(&shown, Kind::Blue);
        assert_eq!((decision.text.as_str(), decision.region), ("京A01234", Some(Region::Cn)));
        assert!(decision.confidence > 0.9, "{}", decision.confidence);
        // The character's own figure stays what the pixels say.
        assert!((decision.positions[2].probability - 0.3).abs() < 0.01);
    }

    #[test]
    fn what_the_pixels_rule_out_is_not_corrected() {
        let sure: &[_] = &[('O', 1.0)];
        let shown: [&[_]; 7] = [&[('京', 1.)], &[('A', 1.)], sure, &[('1', 1.)], &[('2', 1.)],
            &[('3', 1.)], &[('4', 1.)]];
        let decision = read(&shown, Kind::Blue);
        assert_eq!((decision.text.as_str(), decision.region), ("京AO1234", None));
    }

    #[test]
    fn a_faint_eighth_character_is_believed_on_green_and_not_on_blue() {
        let faint: &[_] = &[('5', 0.3), ('-', 0.0)];
        let faint = &faint[..1];
        let shown: [&[_]; 8] = [&[('京', 1.)], &[('A', 1.)], &[('D', 1.)], &[('1', 1.)],
            &[('2', 1.)], &[('3', 1.)], &[('4', 1.)], faint];
        let with_blank = |kind| {
            let charset: Vec<char> = CHARSET.chars().collect();
            let classes = charset.len() + 1;
            let mut logits = Vec::new();
            for step in shown {
                let (c, p) = step[0];
                let mut row = vec![-20.0; classes];
                let class = CHARSET.chars().position(|known| known == c).expect("known") + 1;
                row[class] = p.ln();
                row[0] = (1.0 - p).max(1e-9).ln();
                logits.extend(row);
                logits.extend((0..classes).map(|class| if class == 0 { 0.0 } else { -20.0 }));
            }
            let mut lattice = Lattice::default();
            lattice.set(&logits, classes, 1.0);
            decide(&lattice, &charset, kind, 0.95).text
        };
        assert_eq!(with_blank(Kind::Green), "京AD12345");
        assert_eq!(with_blank(Kind::Blue), "京AD1234");
    }

    #[test]
    fn nothing_is_read_from_nothing() {
        let decision = read(&[], Kind::Other);
        assert_eq!((decision.text.as_str(), decision.region), ("", None));
        assert!(decision.positions.is_empty());
    }
}
