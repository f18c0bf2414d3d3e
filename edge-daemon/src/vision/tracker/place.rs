//! Whether two boxes may be one plate, and two texts one vehicle.

use anpr::Bounds;

/// How far a plate may move between two frames, in widths of the plate.
const REACH_WIDTHS: f32 = 1.5;
/// How many times as wide the other one of two boxes of a plate may be.
const MAX_GROWTH: f32 = 1.8;

/// How well `seen` fits where a plate is expected: 0 for not at all, more for better.
pub fn affinity(expected: &Bounds, seen: &Bounds) -> f32 {
    let (wide, wide_seen) = (width(expected).max(1.0), width(seen).max(1.0));
    let growth = (wide / wide_seen).max(wide_seen / wide);
    let (a, b) = (centre(expected), centre(seen));
    let distance = (a.0 - b.0).hypot(a.1 - b.1) / ((wide + wide_seen) / 2.0);
    if growth > MAX_GROWTH || distance > REACH_WIDTHS {
        return 0.0;
    }
    expected.iou(seen) + 1.0 - distance / REACH_WIDTHS + f32::EPSILON
}

/// Width in pixels.
pub fn width(bounds: &Bounds) -> f32 {
    bounds.x2 - bounds.x1
}

/// The middle in pixels.
pub fn centre(bounds: &Bounds) -> (f32, f32) {
    ((bounds.x1 + bounds.x2) / 2.0, (bounds.y1 + bounds.y2) / 2.0)
}

/// Whether a misread character is all that lies between two texts.
pub fn alike(a: &str, b: &str) -> bool {
    edits(a, b) <= 1
}

/// Whether two texts are of different vehicles, whatever was misread.
pub fn differ(a: &str, b: &str) -> bool {
    let longer = a.chars().count().max(b.chars().count());
    edits(a, b) > longer.div_ceil(2).min(3)
}

/// Characters to change, add or leave out to make one text of the other (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in b.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misread_character_is_alike_and_another_plate_differs() {
        assert!(alike("皖A12345", "皖A1234S") && alike("皖A12345", "皖A1234"));
        assert!(!alike("皖A12345", "皖A12435"));
        assert!(differ("皖A12345", "京B98765"));
        assert!(!differ("皖A12345", "皖A1Z8A5"));
        assert!(differ("AB", "CDEF") && !differ("", ""));
    }

    #[test]
    fn a_plate_is_expected_near_where_it_was_and_of_its_size() {
        let at = |x: f32, width: f32| Bounds { x1: x, y1: 100.0, x2: x + width, y2: 130.0 };
        assert!(affinity(&at(100.0, 100.0), &at(100.0, 100.0)) > 1.9);
        assert!(affinity(&at(100.0, 100.0), &at(220.0, 110.0)) > 0.0);
        assert_eq!(affinity(&at(100.0, 100.0), &at(300.0, 100.0)), 0.0);
        assert_eq!(affinity(&at(100.0, 100.0), &at(100.0, 200.0)), 0.0);
    }
}
