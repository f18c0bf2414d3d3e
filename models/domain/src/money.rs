//! Money as whole fen. Arithmetic is checked, and a fraction of a fen is rounded half-up in one
//! place, so that the edge and the cloud never differ by a fen.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An amount in fen, a hundredth of a yuan. The wire form is the bare integer.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fen(pub i64);

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount: write yuan with at most 2 decimals, as in 12.50")]
pub struct BadAmount(String);

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum, unless it overflows.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless it overflows.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The product, unless it overflows.
    pub fn checked_mul(self, factor: i64) -> Option<Self> {
        self.0.checked_mul(factor).map(Self)
    }

    /// `numerator / denominator` fen, halves rounded up (towards the larger amount), held within
    /// what an amount can express.
    ///
    /// # Panics
    /// When `denominator` is not positive.
    pub fn half_up(numerator: i128, denominator: i128) -> Self {
        assert!(denominator > 0, "an amount is divided by something positive");
        let floor = numerator.div_euclid(denominator);
        let is_half_or_more = numerator.rem_euclid(denominator) >= denominator - denominator / 2;
        let rounded = floor + i128::from(is_half_or_more);
        Self(i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX }))
    }
}

/// Yuan with two decimals, as every face writes an amount: `12.50`.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

/// Reads yuan with up to two decimals, as people and JSON write them: `12.5`, `12`, `-0.05`.
impl FromStr for Fen {
    type Err = BadAmount;

    fn from_str(text: &str) -> Result<Self, BadAmount> {
        parse(text).map(Self).ok_or_else(|| BadAmount(text.chars().take(40).collect()))
    }
}

fn parse(text: &str) -> Option<i64> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (yuan, decimals) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(yuan) || !digits(decimals) || decimals.len() > 2 {
        return None;
    }
    let fen: i64 = format!("{decimals:0<2}").parse().ok()?;
    yuan.parse::<i64>().ok()?.checked_mul(100)?.checked_add(fen)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shows_two_decimals() {
        for (fen, text) in [(0, "0.00"), (5, "0.05"), (1250, "12.50"), (-5, "-0.05")] {
            assert_eq!(Fen(fen).to_string(), text);
        }
        assert_eq!(Fen(i64::MIN).to_string(), "-92233720368547758.08");
    }

    #[test]
    fn rounds_halves_up() {
        for (numerator, denominator, fen) in
            [(1, 2, 1), (149, 100, 1), (150, 100, 2), (1, 3, 0), (2, 3, 1), (-1, 2, 0), (-3, 2, -1)]
        {
            assert_eq!(Fen::half_up(numerator, denominator), Fen(fen), "{numerator}/{denominator}");
        }
        assert_eq!(Fen::half_up(i128::MAX, 1), Fen(i64::MAX));
    }

    #[test]
    fn overflow_is_noticed() {
        assert_eq!(Fen(i64::MAX).checked_add(Fen(1)), None);
        assert_eq!(Fen(i64::MIN).checked_sub(Fen(1)), None);
        assert_eq!(Fen(i64::MAX).checked_mul(2), None);
    }

    #[test]
    fn says_what_is_no_amount() {
        for text in ["", "-", "1.234", "1,50", "+1", "1.", ".5", "1e3", "99999999999999999999"] {
            assert!(text.parse::<Fen>().unwrap_err().to_string().contains("12.50"), "{text}");
        }
        assert_eq!("12.5".parse(), Ok(Fen(1250)));
        assert_eq!("12".parse(), Ok(Fen(1200)));
    }

    proptest! {
        #[test]
        fn reads_what_it_shows(fen in -(1i64 << 60)..(1i64 << 60)) {
            prop_assert_eq!(Fen(fen).to_string().parse(), Ok(Fen(fen)));
        }
    }
}
