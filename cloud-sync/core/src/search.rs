//! Finding plates by parts of them, as people type them. `schema/0008_search.sql` says how.

use domain::plate::normal_form;

use crate::store::{Conditions, StoreError, Transaction, number, params};

/// Plates that contain a text, beyond which the newest reads are looked through for it.
const MANY: i64 = 1000;
/// Comes after every character in which an ending may go on.
const LAST: char = char::MAX;

/// Wants `column`, which holds normal forms, to contain `text`. For the newest of those that do:
/// what very many contain is soon found by looking.
pub(crate) fn newest_containing(
    tx: &mut dyn Transaction,
    conditions: Conditions,
    column: &str,
    text: &str,
) -> Result<Conditions, StoreError> {
    let (from, until) = range(text);
    let probe = "SELECT COUNT(*) FROM
                     (SELECT 1 FROM plate_endings WHERE ending >= $1 AND ending < $2 LIMIT $3) t";
    if number(tx, probe, params![&from, until, MANY])? < MANY {
        return Ok(containing(conditions, column, text));
    }
    Ok(conditions.and(&format!("{column} LIKE ? ESCAPE '\\'"), Some(pattern(&from))))
}

/// Wants `column`, which holds normal forms, to contain `text`. For all that do.
pub(crate) fn containing(mut conditions: Conditions, column: &str, text: &str) -> Conditions {
    let (from, until) = range(text);
    let (from, until) = (conditions.place(from), conditions.place(until));
    conditions.clause(&format!(
        "{column} IN (SELECT plate_key FROM plate_endings WHERE ending >= {from} AND ending < {until})"
    ))
}

/// Where the endings that begin with a text stand.
fn range(text: &str) -> (String, String) {
    let from = normal_form(text);
    let until = format!("{from}{LAST}");
    (from, until)
}

/// Lets a plate be found from now on, once a site has read it.
pub(crate) fn remember(
    tx: &mut dyn Transaction,
    site: &str,
    plate_key: &str,
) -> Result<(), StoreError> {
    if plate_key.is_empty() {
        return Ok(());
    }
    let endings =
        (1..=plate_key.chars().count()).map(|at| format!("SELECT substr($1, {at}) AS ending"));
    let endings = endings.collect::<Vec<_>>().join(" UNION ALL ");
    let insert = format!(
        "INSERT INTO plate_endings (ending, plate_key, site_id)
         SELECT e.ending, $1, $2 FROM ({endings}) e
         WHERE NOT EXISTS (SELECT 1 FROM plate_endings k
                           WHERE k.ending = $1 AND k.plate_key = $1 AND k.site_id = $2)
         ON CONFLICT DO NOTHING"
    );
    tx.defer(&insert, params![plate_key, site])
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
