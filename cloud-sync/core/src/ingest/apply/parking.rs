//! Ends of stays, also of those that were not known.

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
