//! The key of a site: changed by the site itself, or taken away by people.

use domain::{
    envelope::{Channel, KEYS_PATH, Refusal, Rotated, Rotation, from_hex, verify},
    ids::SiteId,
};

use super::{Sites, exists};
use crate::{
    caller::Actor,
    error::{Error, Result},
    ingest::{IngestError, Sender, authenticate, spend},
    logs::Entry,
    store::{Transaction, params},
};

impl Sites {
    /// Lets a site sign with another key from now on. The request is signed by the old key, what it
    /// asks for by the new one. Asking again with the new key, where the answer was lost, gets the
    /// same answer.
    ///
    /// # Errors
    /// [`IngestError::Refused`] with what the site should do, [`IngestError::Failed`] when the
    /// database is in trouble.
    pub async fn rotate(&self, sender: Sender, body: &[u8]) -> Result<Rotated, IngestError> {
        authenticate(&self.base, &sender, "POST", KEYS_PATH, body).await?;
        let malformed = |reason: String| Refusal::Malformed { reason };
        let Rotation { public_key, proof } =
            serde_json::from_slice(body).map_err(|e| malformed(e.to_string()))?;
        let key = public_key.to_ascii_lowercase();
        let proven = from_hex(&key).is_some_and(|key| key.len() == 32)
            && verify(&key, &Rotation::proof(&sender.site, &key), &proof);
        if !proven {
            return Err(malformed("the new key has not signed for itself".to_owned()).into());
        }
        let (new, now_ms) = (key.clone(), self.base.now_ms());
        let changed = self.base.store.write_or(move |tx| change(tx, &sender, &new, now_ms));
        changed.await?;
        self.base.changed();
        Ok(Rotated { public_key: key })
    }

    /// Takes a site's rights away: nothing that its key signs is taken any more. What it has told
    /// stays. [`Sites::renew_code`] lets it enrol again.
    ///
    /// # Errors
    /// [`Error::NotFound`] `site`; [`Error::Invalid`] where it has none.
    pub async fn revoke(&self, site: &SiteId) -> Result<()> {
        let (site, now_ms) = (site.to_string(), self.base.now_ms());
        let revoked = self.base.store.write(move |tx| {
            let sql = "UPDATE sites SET revoked_at_ms = $1
                       WHERE site_id = $2 AND public_key IS NOT NULL AND revoked_at_ms IS NULL";
            if tx.execute(sql, params![now_ms, &site])? == 0 {
                exists(tx, &site)?;
                let problem = format!("no machine has rights for `{site}`: nothing to take away");
                return Err(Error::invalid("site_id", problem));
            }
            tx.execute("DELETE FROM enrolment_codes WHERE site_id = $1", params![&site])?;
            let message = format!("the rights of {site} were taken away");
            Ok(Entry::warning(site, now_ms, Actor::default(), "security", message).write(tx)?)
        });
        revoked.await?;
        self.base.changed();
        Ok(())
    }
}

fn change(
    tx: &mut dyn Transaction,
    sender: &Sender,
    key: &str,
    now_ms: i64,
) -> Result<(), IngestError> {
    spend(tx, &sender.site, Channel::Keys, sender.count)?;
    let sql = "UPDATE sites SET public_key = $1, last_seen_at_ms = $2 WHERE site_id = $3";
    tx.execute(sql, params![key, now_ms, &sender.site])?;
    let actor = Actor { address: sender.address, ..Actor::default() };
    let message = format!("{} signs with another key from now on", sender.site);
    Entry::of_person(sender.site.clone(), now_ms, actor, "security", message).write(tx)?;
    Ok(())
}
