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
    include_str!("schema/0008_search.sql"),
    include_str!("schema/0009_directives_expire.sql"),
    include_str!("schema/0010_instances.sql"),
    include_str!("schema/0011_site_chargers.sql"),
    include_str!("schema/0012_refunds.sql"),
    include_str!("schema/0013_retention.sql"),
    include_str!("schema/0014_charging_payments.sql"),
    include_str!("schema/0015_requests.sql"),
    include_str!("schema/0016_wired_lockers.sql"),
    include_str!("schema/0017_access.sql"),
    include_str!("schema/0018_replaced_machines.sql"),
    include_str!("schema/0019_site_room.sql"),
    include_str!("schema/0020_site_grace.sql"),
    include_str!("schema/0021_sites_by_name.sql"),
    include_str!("schema/0022_own_permits.sql"),
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
