//! Which characters a camera confuses.
//!
//! The classes are few and narrow on purpose: each one widens what a known plate may be taken for.
//! Province characters are in none, however often they are misread: two cars that differ only in
//! the province do exist.

/// Characters that are confused with one another; the first stands for all.
const CLASSES: [&str; 7] = ["0ODQ", "1IL", "2Z", "5S", "6G", "7T", "8B"];

/// What one confused character takes away from the score of a comparison.
const PENALTY: f32 = 0.08;

/// The same for all plates that differ by look-alikes alone. `normal` is a normal form.
pub fn look_alike_key(normal: &str) -> String {
    normal.chars().map(representative).collect()
}

/// How alike two normal forms are: 1 for the same text, less for each character that is only a
/// look-alike, none where they differ by more than that. Never 0, however many they are.
pub fn similarity(a: &str, b: &str) -> Option<f32> {
    if a.chars().count() != b.chars().count() {
        return None;
    }
    let mut score = 1.0;
    for (a, b) in a.chars().zip(b.chars()) {
        if representative(a) != representative(b) {
            return None;
        }
        if a != b {
            score *= 1.0 - PENALTY;
        }
    }
    Some(score)
}

fn representative(c: char) -> char {
    let class = CLASSES.iter().find(|class| class.contains(c));
    class.and_then(|class| class.chars().next()).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn confused_characters_share_a_key() {
        for (a, b) in [("京A0D1I8", "京AO0L18"), ("京S2G000", "京5Z6OQD"), ("7T", "T7")] {
            assert_eq!(look_alike_key(a), look_alike_key(b));
        }
        for (a, b) in [("京A12345", "津A12345"), ("京A12345", "京A1234"), ("3", "8"), ("E", "F")]
        {
            assert_ne!(look_alike_key(a), look_alike_key(b));
        }
    }

    #[test]
    fn fewer_confusions_score_higher() {
        let score = |other| similarity("京A80015", other);
        assert_eq!(score("京A80015"), Some(1.0));
        assert!(score("京AB0015") > score("京ABO015"));
        assert_eq!(score("京A80016"), None);
        assert_eq!(score("京A8001"), None);
    }

    proptest! {
        #[test]
        fn alike_means_the_same_key(a in "[A-Z0-9]{1,4}", b in "[A-Z0-9]{1,4}") {
            prop_assert_eq!(similarity(&a, &b).is_some(), look_alike_key(&a) == look_alike_key(&b));
            prop_assert_eq!(similarity(&a, &b), similarity(&b, &a));
        }
    }
}
