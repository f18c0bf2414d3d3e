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
    /// How likely such a plate is before one looks, up to a factor.
    prior: f64,
}

impl Decision {
    /// How good this reading is among several of the same plate: sure, and of a known format.
    pub fn merit(&self) -> f64 {
        f64::from(self.confidence) * self.prior
    }
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

/// Decides what a plate of this colour says, where plates are from these regions.
pub(crate) fn decide(
    lattice: &Lattice,
    charset: &[char],
    (kind, kind_score): (Kind, f32),
    regions: &[Region],
) -> Decision {
    let judge = |text: Text, probability: f64| Candidate {
        judgement: grammar::judge(&spell(&text, charset), kind, kind_score, regions),
        text,
        probability,
    };
    let candidates: Vec<Candidate> =
        texts(lattice, charset, regions).into_iter().map(|(text, p)| judge(text, p)).collect();
    let covered: f64 = candidates.iter().map(|c| c.probability).sum();
    let weights: f64 = candidates.iter().map(Candidate::weight).sum();
    let rest = (1.0 - covered).max(0.0) * grammar::odd_prior(regions);
    let best = candidates
        .into_iter()
        .max_by(|a, b| a.weight().total_cmp(&b.weight()))
        .expect("the search gives at least one text");
    let positions = positions(lattice, charset, &best.text);
    Decision {
        confidence: share(best.weight(), weights + rest),
        text: positions.iter().map(|position| position.character).collect(),
        positions,
        region: best.judgement.region,
        prior: best.judgement.prior,
    }
}

/// A part of a whole, 0 to 1; 0 where there is no whole.
fn share(part: f64, whole: f64) -> f32 {
    let share = part / whole;
    if share.is_finite() { share.clamp(0.0, 1.0) as f32 } else { 0.0 }
}

/// The texts worth weighing, with their probabilities: the likeliest, and the look-alikes of these
/// that fit a grammar.
fn texts(lattice: &Lattice, charset: &[char], regions: &[Region]) -> Vec<(Text, f64)> {
    let mut texts = lattice.likeliest();
    for (_, probability) in &mut texts {
        *probability = probability.min(1.0);
    }
    let least = texts[0].1 * LEAST_LOOK_ALIKE;
    let likeliest: Vec<Text> = texts.iter().take(MENDED).map(|(text, _)| text.clone()).collect();
    let mend = |text: &Text| grammar::look_alikes(&spell(text, charset), regions);
    for mended in likeliest.iter().flat_map(mend) {
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

fn positions(lattice: &Lattice, charset: &[char], text: &[u16]) -> Vec<Position> {
    let ranked = lattice.alternatives(text, LEAST_ALTERNATIVE);
    let position = |(class, ranked): (&u16, Vec<(u16, f64)>)| {
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

fn character(class: u16, charset: &[char]) -> char {
    charset[usize::from(class) - 1]
}

fn spell(text: &[u16], charset: &[char]) -> Vec<char> {
    text.iter().map(|class| character(*class, charset)).collect()
}

fn classes(text: &[char], charset: &[char]) -> Option<Text> {
    let class = |c: &char| charset.iter().position(|known| known == c).map(|i| i as u16 + 1);
    text.iter().map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Blank;
    use crate::read::output::{Classes, Output};

    const CHARSET: &str = "京沪0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /// What is read when steps show these characters with these probabilities, else nothing, and a
    /// blank parts them.
    fn read(steps: &[&[(char, f32)]], kind: Kind) -> Decision {
        read_in(steps, kind, &Region::ALL)
    }

    fn read_in(steps: &[&[(char, f32)]], kind: Kind, regions: &[Region]) -> Decision {
        let charset: Vec<char> = CHARSET.chars().collect();
        let mut logits = Vec::new();
        for step in steps.iter().flat_map(|step| [*step, &[]]) {
            let mut row = vec![1e-9; charset.len() + 1];
            for (c, p) in step {
                row[usize::from(classes(&[*c], &charset).expect("a known character")[0])] = *p;
            }
            row[0] = 1.0 - step.iter().map(|(_, p)| p).sum::<f32>();
            logits.extend(row.into_iter().map(|p: f32| p.max(1e-9).ln()));
        }
        let mut lattice = Lattice::default();
        let rows = logits.len() / (charset.len() + 1);
        let classes = Classes::new(&charset, Blank::First);
        lattice.set(&logits, &Output::rows_of_logits(rows, classes), 1.0);
        decide(&lattice, &charset, (kind, 0.95), regions)
    }

    /// A plate of which one character is unsure.
    fn read_with(before: &str, unsure: &[(char, f32)], after: &str, kind: Kind) -> Decision {
        let sure = |text: &str| text.chars().map(|c| vec![(c, 1.0)]).collect::<Vec<_>>();
        let steps = [sure(before), vec![unsure.to_vec()], sure(after)].concat();
        read(&steps.iter().map(Vec::as_slice).collect::<Vec<_>>(), kind)
    }

    #[test]
    fn on_a_chinese_plate_an_o_is_a_zero() {
        let decision = read_with("京A", &[('O', 0.7), ('0', 0.3)], "1234", Kind::Blue);
        assert_eq!((decision.text.as_str(), decision.region), ("京A01234", Some(Region::Cn)));
        assert!(decision.confidence > 0.9, "{}", decision.confidence);
        // The character's own figure stays what the pixels say.
        assert!((decision.positions[2].probability - 0.3).abs() < 0.01);
    }

    #[test]
    fn without_regions_a_reading_is_what_the_pixels_say() {
        let steps: Vec<Vec<(char, f32)>> = "京AO1234"
            .chars()
            .map(|c| vec![(c, if c == 'O' { 0.6 } else { 1.0 }), ('0', 0.0)])
            .collect();
        let steps: Vec<&[(char, f32)]> = steps.iter().map(Vec::as_slice).collect();
        let decision = read_in(&steps, Kind::Blue, &[]);
        assert_eq!((decision.text.as_str(), decision.region), ("京AO1234", None));
        assert!((decision.confidence - 0.6).abs() < 0.01, "{}", decision.confidence);
    }

    #[test]
    fn what_the_pixels_rule_out_is_not_corrected() {
        let decision = read_with("京A", &[('O', 1.0)], "1234", Kind::Blue);
        assert_eq!((decision.text.as_str(), decision.region), ("京AO1234", None));
    }

    #[test]
    fn a_faint_eighth_character_is_believed_on_green_and_not_on_blue() {
        let text = |kind| read_with("京AD1234", &[('5', 0.4)], "", kind).text;
        assert_eq!(text(Kind::Green), "京AD12345");
        assert_eq!(text(Kind::Blue), "京AD1234");
    }

    #[test]
    fn nothing_is_read_from_nothing() {
        let decision = read(&[], Kind::Other);
        assert_eq!((decision.text.as_str(), decision.region), ("", None));
        assert!(decision.positions.is_empty());
    }
}
