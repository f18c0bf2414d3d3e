//! Many rows in few statements.

use std::fmt::Write;

use super::{Row, StoreError, Transaction, Value};

/// Rows in one statement: few sizes, so that the statements stay prepared.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// Inserts rows of `width` values each, one after the other in `values`. `head` is the statement up
/// to `VALUES`, `tail` what follows the rows.
pub(crate) fn insert_all(
    tx: &mut dyn Transaction,
    (head, tail): (&str, &str),
    width: usize,
    mut values: &[Value],
) -> Result<(), StoreError> {
    for size in SIZES {
        let mut sql = String::new();
        while values.len() >= size * width {
            if sql.is_empty() {
                sql = statement(head, tail, width, size);
            }
            let (rows, rest) = values.split_at(size * width);
            tx.defer(&sql, rows)?;
            values = rest;
        }
    }
    Ok(())
}

/// The rows that a statement finds for keys, in any order. `head` is the statement up to `IN`, and
/// its first parameters are `fixed`.
pub(crate) fn query_in(
    tx: &mut dyn Transaction,
    head: &str,
    fixed: &[Value],
    keys: &[Value],
) -> Result<Vec<Row>, StoreError> {
    let mut found = Vec::new();
    for keys in keys.chunks(SIZES[0]) {
        // The last key stands in for those that are missing to the next size.
        let size = SIZES.into_iter().rev().find(|size| *size >= keys.len()).unwrap_or(SIZES[0]);
        let filling = keys.iter().chain(keys.last().into_iter().cycle()).take(size);
        let params: Vec<_> = fixed.iter().chain(filling).cloned().collect();
        let places = (fixed.len() + 1..=params.len()).map(|place| format!("${place}"));
        let places = places.collect::<Vec<_>>().join(", ");
        found.extend(tx.query(&format!("{head} IN ({places})"), &params)?);
    }
    Ok(found)
}

fn statement(head: &str, tail: &str, width: usize, rows: usize) -> String {
    let mut sql = head.to_owned();
    for place in 1..=rows * width {
        let before = if place % width == 1 || width == 1 { '(' } else { ',' };
        let after = if place % width == 0 { ")" } else { "" };
        let between = if before == '(' && place > 1 { ", " } else { "" };
        write!(sql, "{between}{before}${place}{after}").expect("a String takes everything");
    }
    sql + tail
}

#[cfg(test)]
mod tests {
    use super::statement;

    #[test]
    fn each_row_has_its_parentheses() {
        assert_eq!(statement("V ", " T", 2, 2), "V ($1,$2), ($3,$4) T");
        assert_eq!(statement("V ", "", 1, 3), "V ($1), ($2), ($3)");
    }
}
