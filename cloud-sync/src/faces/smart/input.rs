//! What callers send, brought into the domain's types; what cannot be is named by its field.

use crate::http::Problem;

/// A value that cannot be used.
pub(super) fn refused(field: &str, problem: &str) -> Problem {
    Problem::Field { field: field.to_owned(), problem: problem.to_owned() }
}

/// One of a list of words.
pub(super) fn one_of<T: Copy>(field: &str, text: &str, words: &[(&str, T)]) -> Result<T, Problem> {
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        refused(field, &format!("`{text}` is none of {}", words.join(", ")))
    })
}

/// The value that a complete object must have.
pub(super) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::Missing { field: field.to_owned() })
}
