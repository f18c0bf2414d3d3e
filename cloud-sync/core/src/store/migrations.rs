//! The schema as a list of steps, applied forward and never back. A database of a newer program is
//! left alone.

use super::{StoreError, Transaction, number, params};

/// The steps in order; the version of a database is how many it has had.
const STEPS: &[&str] = &[
    include_str!("schema/0001_parking.sql"),
    include_str!("schema/0002_accounts.sql"),
    include_str!("schema/0003_lockers.sql"),
    include_str!("schema/0004_charging.sql"),
    include_str!("schema/0005_store.sql"),
    include_str!("schema/0006_recognition.sql"),
    include_str!("schema/0007_directives.sql"),
    include_str!("schema/0009_search.sql"),
    include_str!("schema/directives_expire.sql"),
    include_str!("schema/instances.sql"),
    include_str!("schema/0012_site_chargers.sql"),
    include_str!("schema/refunds.sql"),
    include_str!("schema/retention.sql"),
    include_str!("schema/charging_payments.sql"),
    include_str!("schema/0010_requests.sql"),
    include_str!("schema/wired_lockers.sql"),
    include_str!("schema/access.sql"),
    include_str!("schema/replaced_machines.sql"),
    include_str!("schema/site_room.sql"),
];

/// Brings the schema up to date, within the given transaction.
pub(super) fn migrate(tx: &mut dyn Transaction) -> Result<(), StoreError> {
    tx.script("CREATE TABLE IF NOT EXISTS schema_steps (step BIGINT NOT NULL PRIMARY KEY)")?;
    let done = number(tx, "SELECT COUNT(*) FROM schema_steps", &[])?;
    let done = usize::try_from(done).unwrap_or(usize::MAX);
    if done > STEPS.len() {
        let reason = format!("it has {done} steps, this program knows {}", STEPS.len());
        return Err(StoreError::new("use the database of a newer program", reason));
    }
    for (index, step) in STEPS.iter().enumerate().skip(done) {
        tx.script(step)?;
        tx.execute("INSERT INTO schema_steps (step) VALUES ($1)", params![index as i64 + 1])?;
    }
    Ok(())
}
