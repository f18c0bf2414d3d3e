//! Lines readings of different lengths up, and counts votes place by place.

use crate::Position;

/// What it costs to leave a character out of either text; a mismatch costs up to 1.
const GAP: f32 = 0.7;

/// For each position of `reference` the one of `other` that stands for it, if any (the cheapest edit
/// script; Needleman and Wunsch, 1970).
pub(super) fn align<'a>(
    reference: &[Position],
    other: &'a [Position],
) -> Vec<Option<&'a Position>> {
    let costs = costs(reference, other);
    let (mut i, mut j) = (reference.len(), other.len());
    let mut aligned = vec![None; i];
    while i > 0 && j > 0 {
        let here = costs[i][j];
        if here == costs[i - 1][j - 1] + mismatch(&reference[i - 1], &other[j - 1]) {
            (i, j) = (i - 1, j - 1);
            aligned[i] = Some(&other[j]);
        } else if here == costs[i - 1][j] + GAP {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    aligned
}

/// `[i][j]`: the least cost of aligning the first i with the first j.
fn costs(reference: &[Position], other: &[Position]) -> Vec<Vec<f32>> {
    let mut costs = vec![vec![0.0; other.len() + 1]; reference.len() + 1];
    for i in 0..=reference.len() {
        for j in 0..=other.len() {
            let mut options = Vec::with_capacity(3);
            if i > 0 && j > 0 {
                options.push(costs[i - 1][j - 1] + mismatch(&reference[i - 1], &other[j - 1]));
            }
            if i > 0 {
                options.push(costs[i - 1][j] + GAP);
            }
            if j > 0 {
                options.push(costs[i][j - 1] + GAP);
            }
            costs[i][j] = options.into_iter().reduce(f32::min).unwrap_or(0.0);
        }
    }
    costs
}

/// 0 for the same character, less than 1 where one was among the other's alternatives.
fn mismatch(a: &Position, b: &Position) -> f32 {
    if a.character == b.character {
        return 0.0;
    }
    let share = |of: &Position, c: char| {
        of.alternatives.iter().find(|(other, _)| *other == c).map_or(0.0, |(_, p)| *p)
    };
    1.0 - share(a, b.character).max(share(b, a.character))
}

/// The votes for each place of the plate.
pub(super) struct Slots {
    votes: Vec<Vec<(Option<char>, f32)>>,
    weight: f32,
}

impl Slots {
    pub fn new(length: usize) -> Self {
        Self { votes: vec![Vec::new(); length], weight: 0.0 }
    }

    /// Counts an aligned reading. A place that it does not have is a vote for nothing there.
    pub fn add(&mut self, aligned: &[Option<&Position>], weight: f32) {
        self.weight += weight;
        for (votes, position) in self.votes.iter_mut().zip(aligned) {
            match position {
                None => count(votes, None, weight),
                Some(position) => {
                    for (character, p) in &position.alternatives {
                        count(votes, Some(*character), weight * p);
                    }
                }
            }
        }
    }

    /// The characters with most votes and their shares; places where nothing has most are left out.
    pub fn winners(&self) -> Vec<(char, f32)> {
        let winner = |votes: &Vec<(Option<char>, f32)>| {
            let (character, sum) = votes.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
            character.map(|character| (character, (sum / self.weight).min(1.0)))
        };
        self.votes.iter().filter_map(winner).collect()
    }
}

fn count(votes: &mut Vec<(Option<char>, f32)>, character: Option<char>, weight: f32) {
    match votes.iter_mut().find(|(known, _)| *known == character) {
        Some((_, sum)) => *sum += weight,
        None => votes.push((character, weight)),
    }
}
