//! The grammars of the regions that are read.
//!
//! Sources: GA 36-2018 (China), GOST R 50577-2018 (Russia). Europe and the rest of the Latin world
//! have no common rule beyond letters and digits, so theirs is the last and the widest.
//!
//! A pattern is written with one letter per character: `p` a province, `a` a letter, `n` a digit, `x` a digit or a letter without I and O, `e` a letter that marks
//! electric drive, `r` a letter of Russian plates; anything else stands for itself.

use serde::{Deserialize, Serialize};

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
const RUSSIAN: &str = "ABEKMHOPCTYX";
const ELECTRIC: &str = "ABCDEFGHJK";

const CHINESE: [&str; 13] = [
    "paxxxxx",
    "paexnnnn",
    "pannnnne",
    "paxxxx警",
    "paxxxx挂",
    "paxxxx学",
    "paxxxx港",
    "paxxxx澳",
    "paxxxx领",
    "pxxxx领",
    "nnnnnn使",
    "使nnnnnn",
    "WJpnnnnx",
];
/// Cars, then motorcycles, tractors and the army, then trailers. Plates of buses and police have
/// too little form to be told from those of other countries.
const RUSSIAN_PATTERNS: [&str; 5] = ["rnnnrrnn", "rnnnrrnnn", "nnnnrrnn", "nnnnrrnnn", "rrnnnnnn"];

/// A region whose grammar is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// China, with the special plates of police, trailers, driving schools, Hong Kong, Macau,
    /// consulates, embassies and the armed police.
    Cn,
    /// Russia.
    Ru,
    /// Europe and everybody else who writes Latin letters and digits.
    Eu,
}

impl Region {
    /// The region as events name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cn => "cn",
            Self::Ru => "ru",
            Self::Eu => "eu",
        }
    }
}

/// The region whose grammar a normal form fits, the narrowest first.
pub fn region(normal: &str) -> Option<Region> {
    let fits_one_of = |patterns: &[&str]| patterns.iter().any(|pattern| fits(normal, pattern));
    if fits_one_of(&CHINESE) {
        Some(Region::Cn)
    } else if fits_one_of(&RUSSIAN_PATTERNS) {
        Some(Region::Ru)
    } else {
        is_latin(normal).then_some(Region::Eu)
    }
}

fn fits(text: &str, pattern: &str) -> bool {
    let (mut text, mut pattern) = (text.chars(), pattern.chars());
    loop {
        match (text.next(), pattern.next()) {
            (Some(c), Some(class)) if is_of(c, class) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

fn is_of(c: char, class: char) -> bool {
    let is_clear = |c| matches!(c, 'A'..='H' | 'J'..='N' | 'P'..='Z');
    match class {
        'p' => PROVINCES.contains(c),
        'a' => c.is_ascii_uppercase(),
        'n' => c.is_ascii_digit(),
        'x' => c.is_ascii_digit() || is_clear(c),
        'e' => ELECTRIC.contains(c),
        'r' => RUSSIAN.contains(c),
        _ => c == class,
    }
}

/// Four to nine letters and digits, at least one of the latter.
fn is_latin(text: &str) -> bool {
    (4..=9).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_regions() {
        let plates = [
            (Region::Cn, "京A12345 沪AD12345 粤B12345D 京A1234警 京A1234挂 粤Z1234港 粤ZA12B澳"),
            (Region::Cn, "川A1234学 沪A0023领 123456使 使014578 WJ京1234X 京O12345"),
            (Region::Ru, "A123BC77 A123BC777 AB123477 1234AB77 M001MM199"),
            (Region::Eu, "MAB123 AB12377 BD51SMR 1ABC234 AA123BB WXY9Z 12345"),
        ];
        for (expected, plates) in plates {
            for plate in plates.split(' ') {
                assert_eq!(region(plate), Some(expected), "{plate}");
            }
        }
    }

    #[test]
    fn a_text_that_is_no_plate_has_no_region() {
        for text in [
            "",
            "京",
            "京A1234",
            "京A123I5",
            "京A1234567",
            "ABCDEF",
            "AB1",
            "京a12345",
            "ABCDE12345",
        ] {
            assert_eq!(region(text), None, "{text}");
        }
    }
}
