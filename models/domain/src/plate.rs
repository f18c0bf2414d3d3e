//! Number plates as text: one normal form for everything that is compared, and the grammar of each
//! region that is read.
//!
//! Two plates are the same when their normal forms are. What a camera may confuse is another
//! question and is answered by [`similarity`] alone, so that nothing opens for the wrong car by a
//! comparison that was meant for typing.

mod grammar;
mod look_alike;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::{
    grammar::{Region, region},
    look_alike::{look_alike_key, similarity},
};

/// Most characters that a person may type for a plate.
pub const MAX_TYPED_CHARS: usize = 20;

/// A plate that a person typed, kept as typed and compared by its normal form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TypedPlate {
    typed: String,
    normal: String,
}

/// Why a text is no plate that a person can have typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a plate: write 1 to 20 printable characters")]
pub struct BadPlate(String);

impl TypedPlate {
    /// Takes a plate as it was typed; blanks around it are dropped.
    ///
    /// # Errors
    /// When nothing is left, or more than [`MAX_TYPED_CHARS`], or something that cannot be seen.
    pub fn parse(text: &str) -> Result<Self, BadPlate> {
        let typed = text.trim();
        let usable = (1..=MAX_TYPED_CHARS).contains(&typed.chars().count());
        if usable && typed.chars().all(is_printable) {
            Ok(Self { typed: typed.to_owned(), normal: normal_form(typed) })
        } else {
            Err(BadPlate(text.chars().take(40).flat_map(char::escape_debug).collect()))
        }
    }

    /// The text as it was typed.
    pub fn as_typed(&self) -> &str {
        &self.typed
    }

    /// The text that is compared.
    pub fn normal(&self) -> &str {
        &self.normal
    }
}

impl PartialEq for TypedPlate {
    fn eq(&self, other: &Self) -> bool {
        self.normal == other.normal
    }
}

impl Eq for TypedPlate {}

impl TryFrom<String> for TypedPlate {
    type Error = BadPlate;

    fn try_from(text: String) -> Result<Self, BadPlate> {
        Self::parse(&text)
    }
}

impl From<TypedPlate> for String {
    fn from(plate: TypedPlate) -> Self {
        plate.typed
    }
}

impl fmt::Display for TypedPlate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

/// The form in which plates are compared: upper case, half width, without separators, and with
/// the Latin letter for each Cyrillic one that looks the same. A text of separators alone keeps
/// them, so that something typed never becomes the empty text of an unread plate.
pub fn normal_form(text: &str) -> String {
    let letters = || text.chars().map(half_width).flat_map(char::to_uppercase).map(latin);
    let normal: String = letters().filter(|c| !is_separator(*c)).collect();
    if normal.is_empty() { letters().filter(|c| !c.is_whitespace()).collect() } else { normal }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '·' | '•' | '・' | '･' | '∙' | '.' | '-' | '‐'..='―' | '−')
}

/// ASCII for the full-width forms that Chinese input methods produce.
fn half_width(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// The twelve letters that Russian plates share with the Latin alphabet.
fn latin(c: char) -> char {
    match c {
        'А' => 'A',
        'В' => 'B',
        'Е' => 'E',
        'К' => 'K',
        'М' => 'M',
        'Н' => 'H',
        'О' => 'O',
        'Р' => 'P',
        'С' => 'C',
        'Т' => 'T',
        'У' => 'Y',
        'Х' => 'X',
        _ => c,
    }
}

/// Neither a control character nor one that hides or turns the text around it.
fn is_printable(c: char) -> bool {
    let is_format = matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    );
    !c.is_control() && !is_format
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_plate_are_one() {
        for (typed, normal) in [
            ("京A·12345", "京A12345"),
            ("京a-12345", "京A12345"),
            ("京Ａ・１２３４５", "京A12345"),
            ("а123вс 77", "A123BC77"),
            ("авекмнорстух", "ABEKMHOPCTYX"),
            ("M–AB 123", "MAB123"),
            ("粤B.D12345", "粤BD12345"),
            ("---", "---"),
        ] {
            assert_eq!(normal_form(typed), normal, "{typed}");
        }
    }

    #[test]
    fn digits_and_letters_that_look_alike_stay_apart_in_the_normal_form() {
        assert_ne!(normal_form("京A0O0O0"), normal_form("京A00000"));
    }

    #[test]
    fn a_typed_plate_is_kept_as_typed() {
        let plate = TypedPlate::parse(" 京A·12345 ").unwrap();
        assert_eq!((plate.as_typed(), plate.normal()), ("京A·12345", "京A12345"));
        assert_eq!(plate, TypedPlate::parse("京a12345").unwrap());
        assert_eq!(serde_json::to_string(&plate).unwrap(), "\"京A·12345\"");
    }

    #[test]
    fn what_cannot_be_seen_or_is_too_long_is_no_plate() {
        for text in ["", "   ", "A\u{202e}123", "A\n1", "A\u{200b}1", &"9".repeat(21)] {
            assert!(TypedPlate::parse(text).is_err(), "{text:?}");
        }
        assert!(TypedPlate::parse(&"京".repeat(20)).is_ok());
        let message = TypedPlate::parse("a\u{7}b").unwrap_err().to_string();
        assert_eq!(message, "`a\\u{7}b` is not a plate: write 1 to 20 printable characters");
    }

    proptest! {
        #[test]
        fn normal_form_is_its_own(text in "\\PC{0,24}") {
            let normal = normal_form(&text);
            prop_assert_eq!(normal_form(&normal), normal);
        }

        #[test]
        fn typed_plates_never_become_unread(text in "\\PC{1,20}") {
            if let Ok(plate) = TypedPlate::parse(&text) {
                prop_assert!(!plate.normal().is_empty());
            }
        }
    }
}
