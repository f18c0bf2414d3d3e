//! Finding plates by parts of them, as people type them. `schema/0009_search.sql` says how.

use domain::plate::normal_form;

use crate::store::{Conditions, StoreError, Transaction, first, number, params};

/// Plates that contain a text, beyond which the newest reads are looked through for it.
const MANY: i64 = 1000;
/// Comes after every character in which an ending may go on.
const LAST: char = char::MAX;

/// Wants `column`, which holds normal forms, to contain `text`.
pub(crate) fn containing(
    tx: &mut dyn Transaction,
    mut conditions: Conditions,
    column: &str,
    text: &str,
) -> Result<Conditions, StoreError> {
    let from = normal_form(text);
    let until = format!("{from}{LAST}");
    let probe = "SELECT COUNT(*) FROM
                     (SELECT 1 FROM plate_endings WHERE ending >= $1 AND ending < $2 LIMIT $3) t";
    if number(tx, probe, params![&from, &until, MANY])? < MANY {
        let (from, until) = (conditions.place(from), conditions.place(until));
        let range = format!("ending >= {from} AND ending < {until}");
        let among = format!("{column} IN (SELECT plate_key FROM plate_endings WHERE {range})");
        Ok(conditions.clause(&among))
    } else {
        Ok(conditions.and(&format!("{column} LIKE ? ESCAPE '\\'"), Some(pattern(&from))))
    }
}

/// Lets a plate be found from now on.
pub(crate) fn remember(tx: &mut dyn Transaction, plate_key: &str) -> Result<(), StoreError> {
    let known = "SELECT 1 FROM plate_endings WHERE ending = $1 AND plate_key = $1";
    if plate_key.is_empty() || first(tx, known, params![plate_key])?.is_some() {
        return Ok(());
    }
    for (start, _) in plate_key.char_indices() {
        tx.execute(
            "INSERT INTO plate_endings (ending, plate_key) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![&plate_key[start..], plate_key],
        )?;
    }
    Ok(())
}

/// A pattern for `LIKE … ESCAPE '\'` that finds a normal form anywhere, its own `%` and `_` as
/// characters.
fn pattern(normal: &str) -> String {
    let mut pattern = String::from("%");
    for c in normal.chars() {
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
    fn wildcards_are_characters_like_any_other() {
        assert_eq!(pattern("A%_\\"), "%A\\%\\_\\\\%");
    }
}
