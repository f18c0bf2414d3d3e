//! Opening a lane from the cloud: a command that is carried out within seconds or not at all.

use domain::{directive::Directive, ids::LaneId};

use super::{Directives, has_edge, issue};
use crate::{
    caller::{Actor, Operator},
    error::{Error, Result},
    logs::Entry,
    sites,
    store::{StoreError, Transaction, first, params},
};

impl Directives {
    /// Has a lane of a site opened for one vehicle; returns the number of the directive. Whether the lane opens is the lane's to decide, and its journal says so.
    ///
    /// # Errors
    /// [`Error::NotFound`] `site`; [`Error::Invalid`] for a site without an edge.
    pub async fn open(&self, operator: &Operator, site: &str, lane: LaneId) -> Result<i64> {
        let (actor, now_ms, site) = (operator.actor(), self.base.now_ms(), site.to_owned());
        let issued = self.base.store.write(move |tx| {
            sites::exists(tx, &site)?;
            if !has_edge(tx, &site)? {
                return Err(Error::invalid("site_id", format!("no edge is enrolled for `{site}`")));
            }
            let by = name(tx, actor)?;
            let message = format!("{by} wants {lane} opened");
            let sequence = issue(tx, &site, &Directive::Open { lane, by }, now_ms)?;
            Entry::of_person(site, now_ms, actor, "gate", message).write(tx)?;
            Ok(sequence)
        });
        let sequence = issued.await?;
        self.base.changed();
        Ok(sequence)
    }
}

/// What people at the site know somebody by.
fn name(tx: &mut dyn Transaction, actor: Actor) -> Result<String, StoreError> {
    let row = first(tx, "SELECT username FROM users WHERE id = $1", params![actor.account])?;
    row.map_or_else(|| Ok("operator".to_owned()), |row| row.get(0))
}
