//! Points, boxes and the perspective map, in continuous picture coordinates: the pixel in column i
//! and row j covers [i, i+1) x [j, j+1), its centre is (i + 0.5, j + 0.5).

/// A point in a picture, px from its top left corner.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Point {
    /// To the right, px.
    pub x: f32,
    /// Downward, px.
    pub y: f32,
}

/// A plate's corners as one reads it: top left, top right, bottom right, bottom left. They may lie
/// outside the picture where the plate does.
pub type Corners = [Point; 4];

/// An upright rectangle, px.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bounds {
    /// Left edge, px.
    pub x1: f32,
    /// Top edge, px.
    pub y1: f32,
    /// Right edge, px.
    pub x2: f32,
    /// Bottom edge, px.
    pub y2: f32,
}

impl Bounds {
    /// The smallest rectangle around `corners`.
    pub fn around(corners: &Corners) -> Self {
        let pick = |of: fn(f32, f32) -> f32, axis: fn(&Point) -> f32| {
            corners.iter().map(axis).reduce(of).expect("there are four corners")
        };
        Self {
            x1: pick(f32::min, |p| p.x),
            y1: pick(f32::min, |p| p.y),
            x2: pick(f32::max, |p| p.x),
            y2: pick(f32::max, |p| p.y),
        }
    }

    /// The part inside a picture of `width` x `height` px.
    pub fn clipped(&self, width: usize, height: usize) -> Self {
        let (width, height) = (width as f32, height as f32);
        Self {
            x1: self.x1.clamp(0.0, width),
            y1: self.y1.clamp(0.0, height),
            x2: self.x2.clamp(0.0, width),
            y2: self.y2.clamp(0.0, height),
        }
    }

    /// Px.
    pub fn width(&self) -> f32 {
        self.x2 - self.x1
    }

    /// Square px.
    pub fn area(&self) -> f32 {
        (self.x2 - self.x1).max(0.0) * (self.y2 - self.y1).max(0.0)
    }

    /// What both cover, square px.
    pub fn overlap(&self, other: &Self) -> f32 {
        Self {
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
            x2: self.x2.min(other.x2),
            y2: self.y2.min(other.y2),
        }
        .area()
    }

    /// Intersection over union, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let overlap = self.overlap(other);
        let union = self.area() + other.area() - overlap;
        if union > 0.0 { overlap / union } else { 0.0 }
    }
}

/// True where `corners` turn clockwise (on a screen) all the way, as those of a plate seen from its
/// front do. Only for these is the perspective map defined everywhere inside.
pub(crate) fn is_convex(corners: &Corners) -> bool {
    (0..4).all(|i| {
        let (a, b, c) = (corners[i], corners[(i + 1) % 4], corners[(i + 2) % 4]);
        let turn = f64::from(b.x - a.x) * f64::from(c.y - b.y)
            - f64::from(b.y - a.y) * f64::from(c.x - b.x);
        turn > 1e-3 && turn.is_finite()
    })
}

/// Width by height, by the means of the opposite sides.
pub(crate) fn aspect(&[tl, tr, br, bl]: &Corners) -> f32 {
    let length = |from: Point, to: Point| (to.x - from.x).hypot(to.y - from.y);
    (length(tl, tr) + length(bl, br)) / (length(tl, bl) + length(tr, br))
}

/// The corners moved away from their mean, so that the plate keeps `margin` of its size free on
/// every side.
pub(crate) fn push_out(corners: &Corners, margin: f32) -> Corners {
    let mean = |axis: fn(&Point) -> f32| corners.iter().map(axis).sum::<f32>() / 4.0;
    let (x, y) = (mean(|p| p.x), mean(|p| p.y));
    let grow = 1.0 + 2.0 * margin;
    corners.map(|p| Point { x: x + grow * (p.x - x), y: y + grow * (p.y - y) })
}

/// The perspective map from a rectangle to four corners (Heckbert, "Fundamentals of Texture Mapping
/// and Image Warping", 1989, section 2.2.3).
pub(crate) struct Homography {
    x: [f64; 3],
    y: [f64; 3],
    w: [f64; 3],
}

impl Homography {
    /// Maps (0,0) (width,0) (width,height) (0,height) to the corners of a convex quadrilateral.
    pub fn from_rectangle(width: usize, height: usize, corners: &Corners) -> Self {
        let [p0, p1, p2, p3] = corners.map(|p| (f64::from(p.x), f64::from(p.y)));
        let (dx1, dy1) = (p1.0 - p2.0, p1.1 - p2.1);
        let (dx2, dy2) = (p3.0 - p2.0, p3.1 - p2.1);
        let (sx, sy) = (p0.0 - p1.0 + p2.0 - p3.0, p0.1 - p1.1 + p2.1 - p3.1);
        let det = dx1 * dy2 - dx2 * dy1;
        let g = (sx * dy2 - dx2 * sy) / det;
        let h = (dx1 * sy - sx * dy1) / det;
        let (w, v) = (width as f64, height as f64);
        Self {
            x: [(p1.0 - p0.0 + g * p1.0) / w, (p3.0 - p0.0 + h * p3.0) / v, p0.0],
            y: [(p1.1 - p0.1 + g * p1.1) / w, (p3.1 - p0.1 + h * p3.1) / v, p0.1],
            w: [g / w, h / v, 1.0],
        }
    }

    /// Where (u, v) lands.
    #[inline(always)]
    pub fn map(&self, u: f64, v: f64) -> (f64, f64) {
        let line = |c: &[f64; 3]| c[0] * u + c[1] * v + c[2];
        let scale = 1.0 / line(&self.w);
        (line(&self.x) * scale, line(&self.y) * scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLANTED: Corners = [
        Point { x: 10.0, y: 5.0 },
        Point { x: 90.0, y: 12.0 },
        Point { x: 88.0, y: 40.0 },
        Point { x: 8.0, y: 30.0 },
    ];

    #[test]
    fn the_map_takes_the_rectangle_to_the_corners() {
        let map = Homography::from_rectangle(168, 48, &SLANTED);
        for ((u, v), p) in [(0., 0.), (168., 0.), (168., 48.), (0., 48.)].into_iter().zip(SLANTED) {
            let (x, y) = map.map(u, v);
            assert!((x - f64::from(p.x)).abs() < 1e-6 && (y - f64::from(p.y)).abs() < 1e-6);
        }
    }

    #[test]
    fn crossed_mirrored_flat_and_infinite_corners_are_no_plate() {
        let [a, b, c, d] = SLANTED;
        assert!(is_convex(&SLANTED));
        assert!(!is_convex(&[a, c, b, d]));
        assert!(!is_convex(&[b, a, d, c]));
        assert!(!is_convex(&[a, a, a, a]));
        assert!(!is_convex(&[Point { x: f32::INFINITY, y: 0.0 }, b, c, d]));
        assert!(!is_convex(&[Point { x: f32::NAN, y: 0.0 }, b, c, d]));
    }

    #[test]
    fn boxes_that_only_touch_do_not_overlap() {
        let left = Bounds { x1: 0.0, y1: 0.0, x2: 10.0, y2: 10.0 };
        let right = Bounds { x1: 10.0, x2: 20.0, ..left };
        assert_eq!(left.iou(&right), 0.0);
        assert_eq!(left.iou(&left), 1.0);
        assert_eq!(Bounds::default().iou(&Bounds::default()), 0.0);
    }
}
