//! The query of a request: names and values, decoded. The first value of a name counts.

use std::str::FromStr;

/// A parsed query.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// A value that is not of its type.
#[derive(Debug)]
pub(crate) struct BadValue {
    /// The name in the query.
    pub(crate) name: &'static str,
    /// What would be right.
    pub(crate) wanted: &'static str,
}

impl Query {
    /// Reads what stands behind the `?`.
    pub(crate) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The value of a name, where one is given that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value of a name as a type.
    pub(crate) fn parsed<T: FromStr>(
        &self,
        name: &'static str,
        wanted: &'static str,
    ) -> Result<Option<T>, BadValue> {
        let parse = |text: &str| text.trim().parse().map_err(|_| BadValue { name, wanted });
        self.get(name).map(parse).transpose()
    }

    /// A number that is brought into a range; numbers too large for any type are the range's end.
    pub(crate) fn clamped(
        &self,
        name: &'static str,
        default: u32,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, BadValue> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let digits = text.trim().strip_prefix(['-', '+']).unwrap_or(text.trim());
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadValue { name, wanted: "a whole number" });
        }
        if text.trim().starts_with('-') {
            return Ok(*range.start());
        }
        Ok(digits.parse::<u32>().unwrap_or(u32::MAX).clamp(*range.start(), *range.end()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_are_brought_into_their_range_and_words_refused() {
        let clamped = |text: &str| Query::parse(text).clamped("limit", 20, 1..=100);
        assert_eq!(clamped("").unwrap(), 20);
        assert_eq!(clamped("limit=-5").unwrap(), 1);
        assert_eq!(clamped("limit=99999999999999999999").unwrap(), 100);
        assert!(clamped("limit=abc").is_err());
        assert!(clamped("limit=-").is_err());
    }

    #[test]
    fn values_are_decoded() {
        let query = Query::parse("query=%E4%BA%AC+A&empty=");
        assert_eq!((query.get("query"), query.get("empty")), (Some("京 A"), None));
    }
}
