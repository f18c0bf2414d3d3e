//! Of the many cells that see the same plate the surest speaks.

use crate::geometry::is_convex;
use crate::{Bounds, Detection, Point};

/// Plates of which one lies inside the other with more than this part of it are one plate.
const MOST_INSIDE: f32 = 0.75;
/// Plates that share at least this (intersection over union) agree on the corners.
const ALIKE: f32 = 0.75;
/// More plates than this in a picture are noise.
pub(crate) const MAX_PLATES: usize = 32;

/// The surest of each group of plates that share more than `most_shared` (intersection over union),
/// with the corners that it and its like agree on, at most `most`; `sorted` has the surest first.
pub(crate) fn suppress(sorted: &[Detection], most_shared: f32, most: usize) -> Vec<Detection> {
    let mut kept: Vec<Detection> = Vec::new();
    for plate in sorted {
        if kept.len() >= most {
            break;
        }
        if !kept.iter().any(|other| is_same(plate, other, most_shared)) {
            kept.push(fuse(plate, sorted));
        }
    }
    kept
}

/// `plate` with the mean corners of all that see nearly the same, weighted by how sure they are
/// (Solovyev et al., "Weighted boxes fusion", 2021): their errors differ, so the mean has less.
fn fuse(plate: &Detection, all: &[Detection]) -> Detection {
    let alike = |other: &&Detection| plate.bounds.iou(&other.bounds) >= ALIKE;
    let mut corners = [Point::default(); 4];
    let mut weight = 0.0;
    for other in all.iter().filter(alike) {
        weight += other.score;
        for (sum, corner) in corners.iter_mut().zip(other.corners) {
            sum.x += corner.x * other.score;
            sum.y += corner.y * other.score;
        }
    }
    let corners = corners.map(|sum| Point { x: sum.x / weight, y: sum.y / weight });
    if !is_convex(&corners) {
        return *plate;
    }
    Detection { corners, bounds: Bounds::around(&corners), ..*plate }
}

fn is_same(a: &Detection, b: &Detection, most_shared: f32) -> bool {
    let smaller = a.bounds.area().min(b.bounds.area());
    a.bounds.iou(&b.bounds) > most_shared || a.bounds.overlap(&b.bounds) > MOST_INSIDE * smaller
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn plate(score: f32, x: f32, width: f32) -> Detection {
        let bounds = Bounds { x1: x, y1: 0.0, x2: x + width, y2: 30.0 };
        let corners = [(x, 0.), (x + width, 0.), (x + width, 30.), (x, 30.)];
        let corners = corners.map(|(x, y)| Point { x, y });
        Detection { corners, bounds, score, kind: Kind::Blue, kind_score: 1.0, two_lines: false }
    }

    #[test]
    fn the_surest_of_overlapping_plates_stays_and_neighbours_too() {
        let sorted = [plate(0.9, 0., 100.), plate(0.8, 5., 100.), plate(0.7, 110., 100.)];
        let scores: Vec<f32> =
            suppress(&sorted, 0.45, MAX_PLATES).iter().map(|plate| plate.score).collect();
        assert_eq!(scores, [0.9, 0.7]);
    }

    #[test]
    fn those_that_see_nearly_the_same_agree_on_the_corners() {
        let sorted = [plate(0.9, 10., 100.), plate(0.6, 15., 100.), plate(0.5, 60., 100.)];
        let kept = suppress(&sorted, 0.45, MAX_PLATES);
        assert!((kept[0].corners[0].x - 12.0).abs() < 1e-4 && kept[0].bounds.x1 > 11.0);
        assert_eq!((kept[0].score, kept.len()), (0.9, 2));
    }

    #[test]
    fn half_a_plate_inside_a_plate_is_none_of_its_own() {
        assert_eq!(suppress(&[plate(0.9, 0., 100.), plate(0.8, 0., 40.)], 0.45, 2).len(), 1);
    }

    #[test]
    fn a_wall_of_plates_is_cut() {
        let wall: Vec<_> = (0..500).map(|i| plate(0.5, i as f32 * 100.0, 90.0)).collect();
        assert_eq!(suppress(&wall, 0.45, 5).len(), 5);
    }
}
