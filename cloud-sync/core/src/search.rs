//! Finding plates by parts of them, as people type them.

use domain::plate::normal_form;

/// A pattern for `LIKE … ESCAPE '\'` that finds `text` anywhere in a normal form, its own `%` and
/// `_` as characters.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in normal_form(text).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alike_alphabets_case_and_separators_do_not_matter() {
        assert_eq!(containing("а123вс 77"), "%A123BC77%");
        assert_eq!(containing("京a·123"), "%京A123%");
    }

    #[test]
    fn wildcards_are_characters_like_any_other() {
        assert_eq!(containing("a%_\\"), "%A\\%\\_\\\\%");
    }
}
