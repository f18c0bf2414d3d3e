//! Opening a lane from the cloud: a command that is carried out within seconds or not at all.

use domain::{directive::Directive, ids::LaneId};

use super::{Directives, issue};
use crate::{
    caller::Operator,
    error::{Error, Result},
    logs::Entry,
    store::{first, params},
    text,
};

impl Directives {
    /// Has a lane of a site opened for one vehicle, in the name of `by`; returns the number of the
    /// directive. Whether the lane opens is the lane's to decide, and its journal says so.
    ///
    /// # Errors
    /// [`Error::NotFound`] `site`; [`Error::Invalid`] for a site without an edge, or a name that
    /// cannot be used.
    pub async fn open(
        &self,
        operator: &Operator,
        site: &str,
        lane: LaneId,
        by: &str,
    ) -> Result<i64> {
        let by = text::required("by", by, 100)?;
        let (actor, now_ms, site) = (operator.actor(), self.base.now_ms(), site.to_owned());
        let issued = self.base.store.write(move |tx| {
            let enrolled = "SELECT public_key IS NOT NULL FROM sites WHERE site_id = $1";
            let row = first(tx, enrolled, params![&site])?.ok_or(Error::NotFound("site"))?;
            if !row.get::<bool>(0)? {
                return Err(Error::invalid("site_id", format!("no edge is enrolled for `{site}`")));
            }
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
