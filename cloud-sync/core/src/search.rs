//! Finding plates by parts of them, as people type them.

/// The form in which plates are compared: upper case, without what only separates, Cyrillic
/// letters as the Latin ones that look the same.
pub(crate) fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_uppercase)
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '·' | '•'))
        .map(latin)
        .collect()
}

/// A pattern for `LIKE … ESCAPE '\'` that finds `text` anywhere, its own `%` and `_` as
/// characters.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in fold(text).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

const fn latin(c: char) -> char {
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
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_case_and_separators_do_not_matter() {
        assert_eq!(fold("а123вс 77"), fold("A123BC77"));
        assert_eq!(fold("京A·12345"), "京A12345");
    }

    #[test]
    fn wildcards_are_characters_like_any_other() {
        assert_eq!(containing("a%_\\"), "%A\\%\\_\\\\%");
    }
}
