//! One-time codes: what is kept of them, and what they are good for.

use crate::{
    error::{Error, Result},
    secret,
    store::{Transaction, first, params},
};

/// How long a code can be used.
const CODE_LIFE_MS: i64 = 24 * 60 * 60 * 1000;
/// Wrong second halves after which a code is void.
const CODE_TRIES: i64 = 10;
const SELECTOR_LENGTH: usize = 8;
const SECRET_LENGTH: usize = 16;

pub(super) fn insert_code(
    tx: &mut dyn Transaction,
    site: &str,
    code: &Code,
    now_ms: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO enrolment_codes (selector, site_id, secret_hash, expires_at_ms)
         VALUES ($1, $2, $3, $4)",
        params![&code.selector, site, secret::hash_key(&code.secret), now_ms + CODE_LIFE_MS],
    )?;
    Ok(())
}

/// A new code, for a site that has no rights: one that has not enrolled yet, or whose rights were
/// taken away.
pub(super) fn renew(tx: &mut dyn Transaction, site: &str, code: &Code, now_ms: i64) -> Result<()> {
    let query = "SELECT public_key IS NOT NULL AND revoked_at_ms IS NULL
                 FROM sites WHERE site_id = $1";
    let row = first(tx, query, params![site])?.ok_or(Error::NotFound("site"))?;
    if row.get(0)? {
        let problem = format!("`{site}` is enrolled already; `site revoke` takes that back");
        return Err(Error::invalid("site_id", problem));
    }
    tx.execute("DELETE FROM enrolment_codes WHERE site_id = $1", params![site])?;
    insert_code(tx, site, code, now_ms)
}

/// The site that the code is for, or none. A wrong try is counted, so it must be committed too.
pub(super) fn redeem(
    tx: &mut dyn Transaction,
    code: &Code,
    key: &str,
    now_ms: i64,
) -> Result<Option<String>> {
    let query = "SELECT site_id, secret_hash, expires_at_ms, tries, used_by
                 FROM enrolment_codes WHERE selector = $1";
    let Some(row) = first(tx, query, params![&code.selector])? else { return Ok(None) };
    let (site, used_by): (String, Option<String>) = (row.get(0)?, row.get(4)?);
    if row.get::<i64>(2)? <= now_ms || row.get::<i64>(3)? >= CODE_TRIES {
        return Ok(None);
    }
    if row.get::<String>(1)? != secret::hash_key(&code.secret) {
        let count = "UPDATE enrolment_codes SET tries = tries + 1 WHERE selector = $1";
        tx.execute(count, params![&code.selector])?;
        return Ok(None);
    }
    if let Some(used_by) = used_by {
        return Ok((used_by == key).then_some(site));
    }
    tx.execute(
        "UPDATE enrolment_codes SET used_by = $1 WHERE selector = $2",
        params![key, &code.selector],
    )?;
    tx.execute(
        "UPDATE sites SET public_key = $1, enrolled_at_ms = $2, last_seen_at_ms = $2,
                revoked_at_ms = NULL, is_new = CASE WHEN acked_through > 0 THEN 1 ELSE 0 END
         WHERE site_id = $3",
        params![key, now_ms, &site],
    )?;
    welcome(tx, &site, now_ms)?;
    Ok(Some(site))
}

/// What has to be so that another machine can go on for a site, with an empty journal or with that of
/// before: its requests count anew, and what was carried out is not carried out again. What the site
/// stands at holds for whichever machine it is.
fn welcome(tx: &mut dyn Transaction, site: &str, now_ms: i64) -> Result<()> {
    tx.execute("DELETE FROM request_counts WHERE site_id = $1", params![site])?;
    tx.execute(
        "UPDATE directives SET expires_at_ms = $1 WHERE site_id = $2 AND event IS NOT NULL
             AND kind NOT IN ('parameters', 'tariff', 'cabinet')",
        params![now_ms, site],
    )?;
    Ok(())
}

/// A one-time code: the selector finds it, the secret proves it.
#[derive(Clone)]
pub(super) struct Code {
    selector: String,
    secret: String,
}

impl Code {
    pub(super) fn new() -> Self {
        Self {
            selector: secret::readable(SELECTOR_LENGTH),
            secret: secret::readable(SECRET_LENGTH),
        }
    }

    /// Reads a code as a person may have typed it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (selector, secret) = text.trim().split_once('-')?;
        let fits = selector.len() == SELECTOR_LENGTH && secret.len() == SECRET_LENGTH;
        fits.then(|| Self {
            selector: selector.to_ascii_uppercase(),
            secret: secret.to_ascii_uppercase(),
        })
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.selector, self.secret)
    }
}
