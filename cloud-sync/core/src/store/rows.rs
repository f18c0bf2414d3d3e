//! Many rows in few statements.

use std::fmt::Write;

use super::{StoreError, Transaction, Value};

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
