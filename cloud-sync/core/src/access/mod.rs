//! Who may enter which site, as people here set it up: permits and denials, one for each plate and
//! kind, with a history of who changed what. Every change has the site told in the moment it is on
//! disk; the site fetches what has changed (`part`) and says in its journal what it goes by.

mod entry;
mod import;
mod part;
mod query;
mod write;

use chrono_tz::Tz;
pub use domain::access::Kind;

use self::{entry::Checked, write::Author};
pub use self::{
    entry::NewEntry,
    import::{Import, Imported, LineProblem, MAX_IMPORT_BYTES},
    part::Request,
    query::{Entry, EntryFilter, HistoryLine},
};
use crate::{
    base::Base,
    caller::{Admin, Operator},
    error::{Error, Result},
    plates::Window,
    sites::exists,
    store::{StoreError, Transaction, number, params},
};

/// Entries of a file that are written in one transaction, so that others get their turn.
const BATCH: usize = 5000;

/// Permits and denials of all sites.
pub struct Access {
    base: Base,
    zone: Tz,
}

impl Access {
    pub(crate) const fn new(base: Base, zone: Tz) -> Self {
        Self { base, zone }
    }

    /// Makes an entry, or changes that of the same plate and kind.
    ///
    /// # Errors
    /// [`Error::NotFound`] `site`; [`Error::Invalid`] names what cannot be used.
    pub async fn put(&self, admin: &Admin, site: &str, new: NewEntry) -> Result<Entry> {
        let (author, site) = (self.author(admin), site.to_owned());
        let written = self.base.store.write(move |tx| {
            let entry = new.checked()?;
            exists(tx, &site)?;
            let key = (entry.kind, entry.plate.normal().to_owned());
            write::put(tx, &site, &author, vec![entry])?;
            write::forget_ended(tx, &site, &author)?;
            query::get(tx, &site, key.0, &key.1)
        });
        self.told(written.await)
    }

    /// Takes an entry away: a permit is revoked from now on, a denial is no more.
    ///
    /// # Errors
    /// [`Error::NotFound`] `entry`, also where it was revoked already.
    pub async fn remove(&self, admin: &Admin, site: &str, kind: Kind, plate: &str) -> Result<()> {
        let (author, site) = (self.author(admin), site.to_owned());
        let plate = crate::text::plate("plate", plate)?;
        let removed = self.base.store.write(move |tx| {
            let entry = query::get(tx, &site, kind, plate.normal())?;
            if entry.revoked {
                return Err(Error::NotFound("entry"));
            }
            write::put(tx, &site, &author, vec![entry.taken_away(author.at_ms)?])
        });
        self.told(removed.await).map(drop)
    }

    /// Takes a whole file in, all of it or, where a line cannot be used, nothing. Entries that it
    /// has no line for stay, or are taken away where `replace` says so.
    ///
    /// # Errors
    /// [`Error::NotFound`] `site`; [`Error::Store`] in the midst of it leaves what was written, and
    /// the same file can be taken in again.
    pub async fn import(&self, admin: &Admin, site: &str, import: Import) -> Result<Imported> {
        let replace = import.replace.then_some(import.kind);
        let entries = match import.read(self.zone) {
            Ok(entries) => entries,
            Err(problems) => return Ok(Imported { problems, ..Imported::default() }),
        };
        let (author, lines) = (self.author(admin), entries.len());
        let keep: std::collections::HashSet<String> =
            entries.iter().map(|entry| entry.plate.normal().to_owned()).collect();
        let mut changed = self.write_all(&author, site, entries).await?;
        if let Some(kind) = replace {
            let (name, at_ms) = (site.to_owned(), author.at_ms);
            let others = self.base.store.read(move |tx| query::others(tx, &name, kind, &keep));
            let others = others.await?.into_iter().map(|entry| entry.taken_away(at_ms));
            changed += self.write_all(&author, site, others.collect::<Result<_>>()?).await?;
        }
        Ok(Imported { lines, changed, problems: Vec::new() })
    }

    async fn write_all(
        &self,
        author: &Author,
        site: &str,
        mut entries: Vec<Checked>,
    ) -> Result<usize> {
        let mut changed = 0;
        while !entries.is_empty() {
            let rest = entries.split_off(entries.len().min(BATCH));
            let batch = std::mem::replace(&mut entries, rest);
            let (author, site) = (*author, site.to_owned());
            let written = self.base.store.write(move |tx| {
                exists(tx, &site)?;
                write::put(tx, &site, &author, batch)
            });
            changed += self.told(written.await)?;
        }
        Ok(changed)
    }

    /// The entries that fit, by their plates, and how many fit in all.
    pub async fn page(
        &self,
        _: &Operator,
        filter: EntryFilter,
        window: Window,
    ) -> Result<(Vec<Entry>, i64)> {
        self.base.store.read(move |tx| query::page(tx, &filter, window)).await
    }

    /// Who changed what at a site, or of a plate alone, newest first.
    pub async fn history(
        &self,
        _: &Operator,
        site: &str,
        plate: Option<&str>,
        window: Window,
    ) -> Result<Vec<HistoryLine>> {
        let (site, plate) = (site.to_owned(), plate.map(domain::plate::normal_form));
        self.base.store.read(move |tx| query::history(tx, &site, plate.as_deref(), window)).await
    }

    fn author(&self, admin: &Admin) -> Author {
        Author { actor: admin.actor(), at_ms: self.base.now_ms() }
    }

    /// Rings the bell where something has changed.
    fn told<T>(&self, outcome: Result<T>) -> Result<T> {
        if outcome.is_ok() {
            self.base.changed();
        }
        outcome
    }
}

/// The version of a site's list; 0 before its first change.
pub(crate) fn version(tx: &mut dyn Transaction, site: &str) -> Result<i64, StoreError> {
    let sql = "SELECT COALESCE(MAX(version), 0) FROM access_lists WHERE site_id = $1";
    number(tx, sql, params![site])
}

/// A site goes by a version of its list from a moment on.
pub(crate) fn in_effect(
    tx: &mut dyn Transaction,
    site: &str,
    version: u64,
    at_ms: i64,
) -> Result<(), StoreError> {
    tx.defer(
        "UPDATE access_lists SET site_version = $1, site_version_ms = $2 WHERE site_id = $3",
        params![version as i64, at_ms, site],
    )
}
