//! What people set of a site here. The site is told all of it at every change.

use domain::{directive::Directive, ids::SiteId, site::Parameters};

use super::{Sites, exists};
use crate::{
    caller::{Admin, Caller},
    directives,
    error::{Error, Result},
    logs::Entry,
    store::{StoreError, Transaction, first, params},
};

impl Sites {
    /// What is set of a site.
    ///
    /// # Errors
    /// [`Error::NotFound`] `site`.
    pub async fn parameters(&self, _: &Caller, site: &str) -> Result<Parameters> {
        let site = site.to_owned();
        self.base.store.read(move |tx| exists(tx, &site).and_then(|()| read(tx, &site))).await
    }

    /// Sets the parameters of a site; `wanted` makes them of what they were.
    ///
    /// # Errors
    /// [`Error::NotFound`] `site`; [`Error::Invalid`] names what no site can go by.
    pub async fn set_parameters(
        &self,
        admin: &Admin,
        site: &SiteId,
        wanted: impl FnOnce(Parameters) -> Parameters + Send + 'static,
    ) -> Result<Parameters> {
        let (actor, now_ms, site) = (admin.actor(), self.base.now_ms(), site.to_string());
        let set = self.base.store.write(move |tx| {
            exists(tx, &site)?;
            let parameters = wanted(read(tx, &site)?);
            parameters.check().map_err(|bad| Error::invalid(bad.field, bad.problem))?;
            let text = write(tx, &site, &parameters, now_ms)?;
            let told = Directive::Parameters { parameters: parameters.clone() };
            directives::issue(tx, &site, &told, now_ms)?;
            let message = format!("parameters: {text}");
            Entry::of_person(site, now_ms, actor, "site", message).write(tx)?;
            Ok(parameters)
        });
        let set = set.await?;
        self.base.changed();
        Ok(set)
    }
}

fn read(tx: &mut dyn Transaction, site: &str) -> Result<Parameters> {
    let sql = "SELECT body FROM site_parameters WHERE site_id = $1";
    let Some(row) = first(tx, sql, params![site])? else { return Ok(Parameters::default()) };
    let parameters = serde_json::from_str(&row.get::<String>(0)?);
    Ok(parameters.map_err(|e| StoreError::new("read parameters", e))?)
}

/// Returns the parameters as they are kept.
fn write(
    tx: &mut dyn Transaction,
    site: &str,
    parameters: &Parameters,
    now_ms: i64,
) -> Result<String, StoreError> {
    let body = serde_json::to_string(parameters);
    let body = body.map_err(|e| StoreError::new("write parameters", e))?;
    tx.execute(
        "INSERT INTO site_parameters (site_id, body, changed_at_ms) VALUES ($1, $2, $3)
         ON CONFLICT (site_id) DO UPDATE SET body = excluded.body,
             changed_at_ms = excluded.changed_at_ms",
        params![site, &body, now_ms],
    )?;
    Ok(body)
}
