//! Which area spots belong to that people make without naming one.

use crate::{
    error::Result,
    store::{Transaction, first, next_id, params},
};

/// The area of spots that name none: the first of the site, which gets one where it has none.
pub(super) fn default_area(tx: &mut dyn Transaction, site: &str, now_ms: i64) -> Result<i64> {
    if let Some(area) = first_area(tx, site)? {
        return Ok(area);
    }
    let id = next_id(tx, "area")?;
    tx.execute(
        "INSERT INTO areas (site_id, id, name, created_at_ms)
         VALUES ($1, $2, (SELECT name FROM sites WHERE site_id = $1), $3)",
        params![site, id, now_ms],
    )?;
    Ok(id)
}

/// The first area of a site that is in use.
pub(super) fn first_area(tx: &mut dyn Transaction, site: &str) -> Result<Option<i64>> {
    let sql = "SELECT MIN(id) FROM areas WHERE site_id = $1 AND is_active = 1";
    Ok(first(tx, sql, params![site])?.map(|row| row.get(0)).transpose()?.flatten())
}
