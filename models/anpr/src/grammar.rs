//! How plates are written: which characters stand where, in which country, on which colour.
//!
//! A shape is one format. A text that fits a shape is likelier than one that fits none; how much
//! likelier is its prior, which the reader multiplies with what the pixels say. So a grammar
//! corrects only what the pixels leave open.

mod shapes;

use serde::Deserialize;

use crate::Kind;
use shapes::{SHAPES, Shape};

/// A country's or a group of countries' formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// Mainland China (GA 36-2018).
    Cn,
    /// Russia (GOST R 50577-2018), written with the Latin letters that look the same.
    Ru,
    /// European national formats.
    Eu,
}

impl Region {
    /// Every region whose formats are known.
    pub const ALL: [Self; 3] = [Self::Cn, Self::Ru, Self::Eu];

    /// The code in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cn => "cn",
            Self::Ru => "ru",
            Self::Eu => "eu",
        }
    }
}

/// A text of Latin letters and digits in no known format.
const PLAIN_PRIOR: f64 = 0.15;
/// A text that no country writes.
const ODD_PRIOR: f64 = 0.03;
/// A format on a colour that it is not painted on, were the colour certain.
const WRONG_KIND: f64 = 0.1;

/// What the grammars say about a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judgement {
    pub prior: f64,
    pub region: Option<Region>,
}

/// Which region writes such a plate on a ground of this colour, if any does.
pub fn region(text: &str, kind: Kind) -> Option<Region> {
    let characters: Vec<char> = text.chars().collect();
    judge(&characters, kind, 1.0, &Region::ALL).region
}

/// What texts that were not looked at are worth, where plates are from these regions.
pub(crate) fn odd_prior(regions: &[Region]) -> f64 {
    if regions.is_empty() { 1.0 } else { ODD_PRIOR }
}

/// How likely such a plate is before one looks at it, up to a factor, where plates are from these
/// regions; where none is named every text is as good as any other.
pub(crate) fn judge(text: &[char], kind: Kind, kind_score: f32, regions: &[Region]) -> Judgement {
    if regions.is_empty() {
        return Judgement { prior: 1.0, region: None };
    }
    let known = SHAPES.iter().filter(|shape| regions.contains(&shape.region));
    let fitting = known.filter(|shape| shape.fits(text)).map(|shape| Judgement {
        prior: shape.prior
            * kind_factor(shape, kind, f64::from(kind_score))
            * province_factor(text),
        region: Some(shape.region),
    });
    let best = fitting.reduce(|a, b| if b.prior > a.prior { b } else { a });
    best.unwrap_or_else(|| {
        let plain = (4..=9).contains(&text.len())
            && text.iter().all(char::is_ascii_alphanumeric)
            && text.iter().any(char::is_ascii_digit);
        Judgement { prior: if plain { PLAIN_PRIOR } else { ODD_PRIOR }, region: None }
    })
}

/// Millions of vehicles registered in each province (National Bureau of Statistics, 2023, rounded).
const VEHICLES: [(char, f64); 31] = [
    ('粤', 30.0),
    ('鲁', 29.0),
    ('苏', 24.0),
    ('浙', 21.0),
    ('豫', 20.0),
    ('冀', 20.0),
    ('川', 15.0),
    ('皖', 12.0),
    ('湘', 11.0),
    ('鄂', 11.0),
    ('辽', 10.0),
    ('晋', 9.0),
    ('陕', 9.0),
    ('云', 9.0),
    ('桂', 9.0),
    ('闽', 8.0),
    ('赣', 8.0),
    ('蒙', 7.0),
    ('贵', 7.0),
    ('黑', 6.5),
    ('京', 6.5),
    ('渝', 6.0),
    ('新', 5.5),
    ('吉', 5.5),
    ('沪', 5.5),
    ('甘', 4.5),
    ('津', 4.0),
    ('宁', 2.0),
    ('琼', 2.0),
    ('青', 1.5),
    ('藏', 0.7),
];
/// Vehicles of a middling province, millions.
const MIDDLING: f64 = 9.0;

/// How much likelier a plate of this province is than one of a middling province: less than its
/// vehicles say, because most cars at a gate are from nearby, wherever that is.
fn province_factor(text: &[char]) -> f64 {
    let vehicles = VEHICLES.iter().find(|(province, _)| text.first() == Some(province));
    vehicles.map_or(1.0, |(_, millions)| (millions / MIDDLING).sqrt())
}

fn kind_factor(shape: &Shape, kind: Kind, score: f64) -> f64 {
    if kind == Kind::Other || shape.kinds.contains(&kind) {
        return 1.0;
    }
    1.0 - (1.0 - WRONG_KIND) * score
}

/// Texts that look like `text` and fit a shape that `text` does not: each misfit is replaced by the
/// look-alike that the shape allows there.
pub(crate) fn look_alikes(text: &[char], regions: &[Region]) -> Vec<Vec<char>> {
    let mut found: Vec<Vec<char>> = Vec::new();
    for shape in SHAPES.iter().filter(|shape| regions.contains(&shape.region)) {
        if let Some(mended) = shape.mend(text)
            && mended != text
            && !found.contains(&mended)
        {
            found.push(mended);
        }
    }
    found
}

/// Groups of characters that a camera confuses; the first of a group is tried first.
const LOOK_ALIKES: [&str; 9] = ["0ODQ", "1IL", "2Z", "5S", "8B", "6G", "4A", "7T", "VY"];

/// Characters that look like `c`, the likeliest first.
fn twins(c: char) -> impl Iterator<Item = char> {
    let groups = LOOK_ALIKES.iter().filter(move |group| group.contains(c));
    groups.flat_map(|group| group.chars()).filter(move |twin| *twin != c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn plates_of_the_three_regions_are_told_apart() {
        for (text, kind, region) in [
            ("京A12345", Kind::Blue, Some(Region::Cn)),
            ("粤BD12345", Kind::Green, Some(Region::Cn)),
            ("粤B12345D", Kind::Green, Some(Region::Cn)),
            ("沪E3896挂", Kind::Yellow, Some(Region::Cn)),
            ("粤ZAB12港", Kind::Black, Some(Region::Cn)),
            ("使123456", Kind::Black, Some(Region::Cn)),
            ("A777AA777", Kind::White, Some(Region::Ru)),
            ("K851YT23", Kind::White, Some(Region::Ru)),
            ("AB12345", Kind::Yellow, Some(Region::Ru)),
            ("AB123CD", Kind::White, Some(Region::Eu)),
            ("4B40262", Kind::White, Some(Region::Eu)),
            ("X1", Kind::White, None),
            ("京京京", Kind::Blue, None),
            ("", Kind::Blue, None),
        ] {
            assert_eq!(super::region(text, kind), region, "{text}");
        }
    }

    #[test]
    fn chinese_plates_have_neither_o_nor_i() {
        for text in ["京AO1234", "京AI1234", "京O12345", "京I12345"] {
            assert_eq!(super::region(text, Kind::Blue), None, "{text}");
        }
        assert_eq!(look_alikes(&chars("京A1O3I5"), &Region::ALL), [chars("京A10315")]);
    }

    #[test]
    fn green_has_eight_and_blue_seven() {
        let prior = |text: &str, kind| judge(&chars(text), kind, 1.0, &Region::ALL).prior;
        assert!(prior("粤BD12345", Kind::Green) > 5.0 * prior("粤BD1234", Kind::Green));
        assert!(prior("粤BD1234", Kind::Blue) > 5.0 * prior("粤BD12345", Kind::Blue));
    }

    #[test]
    fn where_pixels_cannot_tell_a_populous_province_is_likelier() {
        let prior = |text: &str| judge(&chars(text), Kind::Blue, 1.0, &Region::ALL).prior;
        assert!(prior("粤B12345") > 2.0 * prior("琼B12345"));
        assert_eq!(VEHICLES.len(), 31);
    }

    #[test]
    fn an_unsure_colour_says_little() {
        let prior = |score| judge(&chars("粤BD1234"), Kind::Green, score, &Region::ALL).prior;
        assert!(prior(0.2) > 0.8 && prior(1.0) < 0.2);
    }

    #[test]
    fn letters_and_digits_are_mended_by_place() {
        assert!(look_alikes(&chars("0777AA7T"), &Region::ALL).contains(&chars("O777AA77")));
        assert!(look_alikes(&chars("粤8D12345"), &Region::ALL).contains(&chars("粤BD12345")));
        assert!(look_alikes(&chars("W777AA77"), &Region::ALL).is_empty());
    }

    #[test]
    fn russian_regions_are_those_that_exist() {
        assert_eq!(super::region("A777AA00", Kind::White), None);
        assert_eq!(super::region("A777AA377", Kind::White), None);
        assert_eq!(super::region("A000AA77", Kind::White), None);
    }

    #[test]
    fn formats_of_other_regions_and_none_at_all_count_for_nothing() {
        let plate = chars("A777AA77");
        assert_eq!(judge(&plate, Kind::White, 1.0, &[Region::Ru]).region, Some(Region::Ru));
        assert_eq!(judge(&plate, Kind::White, 1.0, &[Region::Cn]).region, None);
        assert!(look_alikes(&chars("0777AA77"), &[Region::Cn, Region::Eu]).is_empty());
        let off = |text| judge(&chars(text), Kind::Blue, 1.0, &[]);
        assert_eq!(off("京A12345"), off("O0O0"));
    }
}
