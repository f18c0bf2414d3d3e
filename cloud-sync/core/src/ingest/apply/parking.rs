//! What was taken for a stay, and ends of stays that were not known.

use domain::event::Event;

use crate::{
    error::Result,
    logs::{Entry, Level},
    parking::{self, Closed},
    store::Transaction,
};

pub(super) fn closed(tx: &mut dyn Transaction, event: &Event, closed: &Closed<'_>) -> Result<()> {
    if !parking::barrier_closed(tx, closed)? {
        let message = format!("session {} was closed and was not open", closed.session);
        Entry::of_site(event, Level::Warning, "parking", message).write(tx)?;
    }
    Ok(())
}

pub(super) fn paid(
    tx: &mut dyn Transaction,
    event: &Event,
    session: &str,
    amount_fen: i64,
    method: &str,
    by: &str,
) -> Result<()> {
    let paid = parking::SitePayment {
        site: event.site.as_str(),
        sequence: event.sequence as i64,
        session,
        amount_fen,
        method,
        taken_by: by,
        at_ms: event.at.wall.timestamp_millis(),
    };
    parking::taken_at_site(tx, &paid)
}
