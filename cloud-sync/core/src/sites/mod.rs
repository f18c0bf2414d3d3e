//! Sites and how they are let in: an admin registers a site and hands its one-time code over; the
//! site trades the code for the right to send what its own key has signed.

mod enrolment;
mod keys;
mod parameters;

use domain::{
    envelope::{ChainHash, Enrolled, Enrolment, from_hex},
    ids::SiteId,
};

use self::enrolment::Code;
use crate::{
    base::Base,
    caller::Caller,
    error::{Error, Result},
    store::{Row, StoreError, Transaction, first, next_id, params},
};

const MOST_SPOTS: u32 = 1_000_000;
/// Name in the system and name for people of the site that is made where there is none.
const DEFAULT_SITE: (&str, &str) = ("default", "停车场");

/// A site that is to be registered.
#[derive(Debug, Clone)]
pub struct NewSite {
    /// Its name in the system.
    pub id: SiteId,
    /// Its name for people.
    pub name: String,
    /// Places that it has, 0 where that is not known.
    pub spots: u32,
}

/// A site as it is shown to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteStatus {
    /// Its name in the system.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Whether its key is known and has rights.
    pub enrolled: bool,
    /// The last event of its journal that is here; 0 before the first.
    pub acked_through: i64,
    /// Events that were waiting at the site when it last called, where it said so.
    pub backlog: Option<i64>,
    /// When it last called, in milliseconds UTC.
    pub last_seen_at_ms: Option<i64>,
    /// Version of the program that runs there.
    pub version: Option<String>,
    /// Vehicles that are inside.
    pub inside: i64,
    /// The version of its list of who may enter; 0 where it has none.
    pub list_version: i64,
    /// The version that the site last said it goes by, and since when, in milliseconds UTC.
    pub list_at_site: Option<(i64, i64)>,
    /// Days for which it has room where it cannot reach this cloud, as it last said.
    pub room_days: Option<i64>,
}

/// The sites.
pub struct Sites {
    base: Base,
}

impl Sites {
    pub(crate) const fn new(base: Base) -> Self {
        Self { base }
    }

    /// Registers a site and returns its one-time code, which is not kept.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the site is registered already or its name cannot be used.
    pub async fn add(&self, new: NewSite) -> Result<String> {
        if new.name.trim().is_empty() || new.name.chars().count() > 100 {
            return Err(Error::invalid("name", "use 1 to 100 characters"));
        }
        if new.spots > MOST_SPOTS {
            return Err(Error::invalid("spots", "use at most 1000000"));
        }
        let now_ms = self.base.now_ms();
        let code = Code::new();
        let kept = code.clone();
        self.base.store.write(move |tx| register(tx, &new, &kept, now_ms)).await?;
        Ok(code.to_string())
    }

    /// Makes a new one-time code for a site that has not enrolled yet or whose rights were taken
    /// away; the old ones are void.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Invalid`] where the site is enrolled.
    pub async fn renew_code(&self, site: &SiteId) -> Result<String> {
        let (site, now_ms) = (site.to_string(), self.base.now_ms());
        let code = Code::new();
        let kept = code.clone();
        self.base.store.write(move |tx| enrolment::renew(tx, &site, &kept, now_ms)).await?;
        Ok(code.to_string())
    }

    /// Trades a one-time code for a place: from now on the site may send what its key has signed.
    /// Asking again with the same key gets the same answer.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a key that is none, [`Error::Unauthenticated`] for a code that is
    /// unknown, void, expired or used with another key.
    pub async fn enrol(&self, enrolment: &Enrolment) -> Result<Enrolled> {
        if from_hex(&enrolment.public_key).is_none_or(|key| key.len() != 32) {
            return Err(Error::invalid("public_key", "use the 64 hex digits of an Ed25519 key"));
        }
        let code = Code::parse(&enrolment.code).ok_or(Error::Unauthenticated)?;
        let (key, now_ms) = (enrolment.public_key.to_ascii_lowercase(), self.base.now_ms());
        let tried = self.base.store.write(move |tx| enrolment::redeem(tx, &code, &key, now_ms));
        let site = tried.await?.ok_or(Error::Unauthenticated)?;
        self.base.changed();
        site.parse().map(|site| Enrolled { site }).map_err(|_| Error::NotFound("site"))
    }

    /// All sites by name.
    pub async fn list(&self, _: &Caller) -> Result<Vec<SiteStatus>> {
        let query = "SELECT sites.site_id, name, public_key IS NOT NULL AND revoked_at_ms IS NULL,
                            acked_through, backlog,
                            last_seen_at_ms, sites.version,
                            (SELECT COUNT(*) FROM parking_sessions inside
                             WHERE inside.site_id = sites.site_id AND exited_at_ms IS NULL),
                            COALESCE(list.version, 0), list.site_version, list.site_version_ms,
                            sites.room_days
                     FROM sites LEFT JOIN access_lists list ON list.site_id = sites.site_id
                     ORDER BY sites.site_id LIMIT 1000";
        let rows = self.base.store.read(move |tx| Ok(tx.query(query, &[])?)).await?;
        rows.iter().map(status).collect()
    }
}

/// That there is such a site.
///
/// # Errors
/// [`Error::NotFound`].
pub(crate) fn exists(tx: &mut dyn Transaction, site: &str) -> Result<()> {
    let sql = "SELECT 1 FROM sites WHERE site_id = $1";
    first(tx, sql, params![site])?.map(drop).ok_or(Error::NotFound("site"))
}

/// The site of what belongs to none in particular: the first that was registered; where there is
/// none yet, one that is made for it.
pub(crate) fn default_site(tx: &mut dyn Transaction, now_ms: i64) -> Result<String, StoreError> {
    let first_site = "SELECT site_id FROM sites
                      ORDER BY CASE WHEN site_id = $1 THEN 1 ELSE 0 END, created_at_ms, site_id
                      LIMIT 1";
    if let Some(row) = first(tx, first_site, params![DEFAULT_SITE.0])? {
        return row.get(0);
    }
    tx.execute(
        "INSERT INTO sites (site_id, name, created_at_ms, chain_hash) VALUES ($1, $2, $3, $4)",
        params![DEFAULT_SITE.0, DEFAULT_SITE.1, now_ms, ChainHash::GENESIS.to_string()],
    )?;
    Ok(DEFAULT_SITE.0.to_owned())
}

fn status(row: &Row) -> Result<SiteStatus> {
    Ok(SiteStatus {
        id: row.get(0)?,
        name: row.get(1)?,
        enrolled: row.get(2)?,
        acked_through: row.get(3)?,
        backlog: row.get(4)?,
        last_seen_at_ms: row.get(5)?,
        version: row.get(6)?,
        inside: row.get(7)?,
        list_version: row.get(8)?,
        list_at_site: row.get::<Option<i64>>(9)?.zip(row.get(10)?),
        room_days: row.get(11)?,
    })
}

fn register(tx: &mut dyn Transaction, new: &NewSite, code: &Code, now_ms: i64) -> Result<()> {
    let made = tx.execute(
        "INSERT INTO sites (site_id, name, created_at_ms, chain_hash) VALUES ($1, $2, $3, $4)
         ON CONFLICT (site_id) DO NOTHING",
        params![new.id.as_str(), &new.name, now_ms, ChainHash::GENESIS.to_string()],
    )?;
    if made == 0 {
        let problem = format!("`{}` is registered already; `site code` makes a new code", new.id);
        return Err(Error::invalid("site_id", problem));
    }
    let area = next_id(tx, "area")?;
    tx.execute(
        "INSERT INTO areas (site_id, id, name, total_spots, created_at_ms)
         VALUES ($1, $2, $3, $4, $5)",
        params![new.id.as_str(), area, &new.name, i64::from(new.spots), now_ms],
    )?;
    enrolment::insert_code(tx, new.id.as_str(), code, now_ms)
}
