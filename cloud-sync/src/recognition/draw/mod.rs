//! Result pictures: what was found, drawn on what it was found in. Pixels in, pixels out.

mod face;

use image::{Rgb, RgbImage, imageops};

use self::face::{HEIGHT, WIDTH, glyph};

/// Widest result picture, px.
const WIDEST: u32 = 1280;
const INK: Rgb<u8> = Rgb([255, 255, 255]);
const VEHICLE: Rgb<u8> = Rgb([120, 60, 160]);

/// A plate or a vehicle as it is drawn.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// Left, top, right and bottom edge, px of the original picture.
    pub(super) bounds: [f32; 4],
    /// What is written above it.
    pub(super) label: String,
    /// A plate's own colour, which says its kind; of vehicles all have the same.
    pub(super) colour: Rgb<u8>,
}

impl Mark {
    /// A vehicle's.
    pub(super) fn of_vehicle(vehicle: &anpr::Vehicle) -> Self {
        let bounds = vehicle.bounds;
        let label = format!("{} {:.0}%", vehicle.class.as_str(), vehicle.confidence * 100.0);
        Self { bounds: [bounds.x1, bounds.y1, bounds.x2, bounds.y2], label, colour: VEHICLE }
    }
}

/// The picture, at most 1280 px wide, with a box and its label around what was found.
pub(super) fn draw(picture: &RgbImage, marks: &[Mark]) -> RgbImage {
    let scale = (WIDEST as f32 / picture.width() as f32).min(1.0);
    let mut drawn = match scale < 1.0 {
        true => {
            let height = ((picture.height() as f32 * scale) as u32).max(1);
            imageops::thumbnail(picture, WIDEST, height)
        }
        false => picture.clone(),
    };
    let pen = (drawn.width().max(drawn.height()) / 400).max(1);
    for mark in marks {
        let edges = mark.bounds.map(|edge| (edge * scale).max(0.0) as u32);
        frame(&mut drawn, edges, pen + 1, mark.colour);
        label(&mut drawn, edges, pen, mark);
    }
    drawn
}

/// A colour that says the kind, and on which white can be read.
pub(super) const fn colour(kind: anpr::Kind) -> Rgb<u8> {
    Rgb(match kind {
        anpr::Kind::Blue => [0, 90, 200],
        anpr::Kind::Green => [0, 130, 70],
        anpr::Kind::Yellow => [190, 110, 0],
        anpr::Kind::White | anpr::Kind::Other => [190, 0, 60],
        anpr::Kind::Black => [40, 40, 40],
    })
}

/// A frame of a line `pen` px thick, around what was found and not over it.
fn frame(picture: &mut RgbImage, [x1, y1, x2, y2]: [u32; 4], pen: u32, colour: Rgb<u8>) {
    let (left, top) = (x1.saturating_sub(pen), y1.saturating_sub(pen));
    let (right, bottom) = (x2.saturating_add(pen), y2.saturating_add(pen));
    fill(picture, [left, top, right, y1], colour);
    fill(picture, [left, y2, right, bottom], colour);
    fill(picture, [left, top, x1, bottom], colour);
    fill(picture, [x2, top, right, bottom], colour);
}

/// Writes the label above it, below it where there is no room, and always inside.
fn label(picture: &mut RgbImage, [x1, y1, _, y2]: [u32; 4], pen: u32, mark: &Mark) {
    let text: Vec<char> = romanised(&mark.label).chars().collect();
    let step = (WIDTH + 1) * pen;
    let (width, height) = (step * text.len() as u32 + pen, (HEIGHT + 2) * pen);
    let left = x1.min(picture.width().saturating_sub(width));
    let above = y1.saturating_sub(pen + 1).checked_sub(height);
    let top =
        above.unwrap_or(y2.saturating_add(pen + 1).min(picture.height().saturating_sub(height)));
    fill(picture, [left, top, left + width, top + height], mark.colour);
    for (place, c) in (0..).zip(text) {
        let (x, y) = (left + pen + place * step, top + pen);
        for (row, bits) in (0..).zip(glyph(c)) {
            for column in (0..WIDTH).filter(|column| bits >> (WIDTH - 1 - column) & 1 == 1) {
                let (x, y) = (x + column * pen, y + row * pen);
                fill(picture, [x, y, x + pen, y + pen], INK);
            }
        }
    }
}

/// Fills from the left and top edge up to the right and bottom one, as far as that is inside.
fn fill(picture: &mut RgbImage, [x1, y1, x2, y2]: [u32; 4], colour: Rgb<u8>) {
    for y in y1..y2.min(picture.height()) {
        for x in x1..x2.min(picture.width()) {
            picture.put_pixel(x, y, colour);
        }
    }
}

/// The text in letters that there is a face for: Chinese characters of plates by their sound.
fn romanised(text: &str) -> String {
    const SOUNDS: &str = "京JING 沪HU 津JIN 渝YU 冀JI 晋JIN 蒙MENG 辽LIAO 吉JI 黑HEI 苏SU 浙ZHE \
        皖WAN 闽MIN 赣GAN 鲁LU 豫YU 鄂E 湘XIANG 粤YUE 桂GUI 琼QIONG 川CHUAN 贵GUI 云YUN 藏ZANG \
        陕SHAAN 甘GAN 青QING 宁NING 新XIN 学XUE 警JING 港GANG 澳AO 挂GUA 使SHI 领LING 民MIN \
        航HANG 应YING 急JI 临LIN";
    let mut written = String::new();
    for c in text.chars() {
        match SOUNDS.split(' ').find_map(|word| word.strip_prefix(c)) {
            Some(sound) if written.is_empty() => written += &format!("{sound} "),
            Some(sound) => written += &format!(" {sound}"),
            None => written.push(c.to_ascii_uppercase()),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(bounds: [f32; 4], kind: anpr::Kind) -> Mark {
        Mark { bounds, label: "京A12345 97%".into(), colour: colour(kind) }
    }

    #[test]
    fn a_box_is_drawn_around_the_plate_and_leaves_the_plate_itself() {
        let grey = RgbImage::from_pixel(640, 480, Rgb([128; 3]));
        let drawn = draw(&grey, &[mark([200.0, 200.0, 300.0, 240.0], anpr::Kind::Blue)]);
        assert_eq!(drawn.dimensions(), (640, 480));
        assert_eq!(*drawn.get_pixel(250, 220), Rgb([128; 3]));
        for (x, y) in [(199, 220), (300, 220), (250, 199), (250, 240)] {
            assert_eq!(*drawn.get_pixel(x, y), colour(anpr::Kind::Blue), "{x} {y}");
        }
        assert!(drawn.pixels().any(|pixel| *pixel == INK), "there is no text");
    }

    #[test]
    fn a_vehicle_has_a_box_in_a_colour_of_its_own_and_its_class_above_it() {
        let bounds = anpr::Bounds { x1: 100.0, y1: 100.0, x2: 400.0, y2: 300.0 };
        let class = anpr::VehicleClass::Truck;
        let mark = Mark::of_vehicle(&anpr::Vehicle { class, confidence: 0.874, bounds });
        assert_eq!(mark.label, "truck 87%");
        let drawn = draw(&RgbImage::from_pixel(640, 480, Rgb([128; 3])), &[mark]);
        for (x, y) in [(99, 200), (400, 200), (250, 99), (250, 300)] {
            assert_eq!(*drawn.get_pixel(x, y), VEHICLE, "{x} {y}");
        }
    }

    #[test]
    fn labels_stay_inside_and_large_pictures_are_made_smaller() {
        let grey = RgbImage::from_pixel(2560, 1440, Rgb([128; 3]));
        let corners = [[0.0, 0.0, 80.0, 30.0], [2500.0, 1400.0, 2560.0, 1440.0]];
        let drawn = draw(&grey, &corners.map(|bounds| mark(bounds, anpr::Kind::Green)));
        assert_eq!(drawn.dimensions(), (1280, 720));
        for bounds in [[0.0; 4], [-9.0, -9.0, 9e9, 9e9], [f32::NAN; 4]] {
            draw(&RgbImage::new(3, 2), &[mark(bounds, anpr::Kind::Black)]);
        }
    }

    #[test]
    fn provinces_are_written_by_their_sound() {
        assert_eq!(romanised("京A12345 97%"), "JING A12345 97%");
        assert_eq!(romanised("粤Z1234港"), "YUE Z1234 GANG");
    }

    #[test]
    fn every_letter_and_digit_has_a_face_of_its_own() {
        let all: Vec<_> = ('0'..='9').chain('A'..='Z').map(glyph).collect();
        for (index, one) in all.iter().enumerate() {
            assert!(one.iter().any(|row| *row != 0));
            assert!(!all[..index].contains(one), "{index}");
        }
    }
}
