//! `permit` and `deny`: who may enter a site, as its edge is told it.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use cloud_core::{
    AccessEntry, AccessKind, Admin, EntryFilter, Import, MAX_IMPORT_BYTES, NewEntry, Window,
};
use domain::ids::{LaneId, SiteId};

use super::{Database, Outcome, verbs::on};

/// Entries that are read at a time for a list.
const PAGE: u32 = 1000;

#[derive(Debug, Subcommand)]
pub(super) enum Permit {
    /// Gives a plate a permit, or changes the one that it has.
    Add {
        #[command(flatten)]
        of: Plate,
        /// Whose it is.
        #[arg(long)]
        holder: String,
        /// From when it holds (RFC 3339).
        #[arg(long)]
        valid_from: Option<DateTime<Utc>>,
        /// Until when it holds (RFC 3339).
        #[arg(long)]
        valid_until: Option<DateTime<Utc>>,
        /// An entry lane that it opens, given once for each; all without it.
        #[arg(long = "lane")]
        lanes: Vec<LaneId>,
        /// For people at the cloud.
        #[arg(long, default_value = "")]
        note: String,
    },
    #[command(flatten)]
    Either(Either),
    /// Prints who changed what about permits and denials, newest first.
    History(History),
}

#[derive(Debug, Subcommand)]
pub(super) enum Deny {
    /// Denies a plate, whatever permit it has.
    Add {
        #[command(flatten)]
        of: Plate,
        /// Why.
        #[arg(long)]
        reason: String,
        /// For people at the cloud.
        #[arg(long, default_value = "")]
        note: String,
    },
    #[command(flatten)]
    Either(Either),
}

/// What is done with permits as with denials.
#[derive(Debug, Subcommand)]
pub(super) enum Either {
    /// Takes it away. A vehicle that is inside by a permit is charged from now on.
    Remove(Plate),
    /// Takes a file in. Permits: plate,holder and, where wanted, valid_from,valid_until,lanes,note;
    /// denials: plate,reason and, where wanted, note.
    Import(FromFile),
    /// Prints them, with a tab between their values.
    List(Listing),
}

#[derive(Debug, Args)]
pub(super) struct Plate {
    /// The plate.
    #[arg(long)]
    plate: String,
    #[command(flatten)]
    site: At,
}

/// Which site.
#[derive(Debug, Args)]
pub(super) struct At {
    /// The site.
    #[arg(long)]
    site_id: SiteId,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Args)]
pub(super) struct FromFile {
    /// The file: comma-separated values, names in the first line; `-` for stdin.
    #[arg(long)]
    file: PathBuf,
    /// Takes away what the file has no line for.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    site: At,
}

#[derive(Debug, Args)]
pub(super) struct Listing {
    /// Of this site alone.
    #[arg(long)]
    site_id: Option<SiteId>,
    /// With this in their plates.
    #[arg(long)]
    plate: Option<String>,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Args)]
pub(super) struct History {
    /// Of this plate alone.
    #[arg(long)]
    plate: Option<String>,
    /// How many changes.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    site: At,
}

impl Permit {
    pub(super) fn run(self) -> Outcome {
        let kind = AccessKind::Permit;
        match self {
            Self::Add {
                of: Plate { plate, site },
                holder,
                valid_from,
                valid_until,
                lanes,
                note,
            } => {
                let about = holder;
                site.put(NewEntry { kind, plate, about, valid_from, valid_until, lanes, note })
            }
            Self::Either(either) => either.run(kind),
            Self::History(history) => history.print(),
        }
    }
}

impl Deny {
    pub(super) fn run(self) -> Outcome {
        let kind = AccessKind::Deny;
        match self {
            Self::Add { of: Plate { plate, site }, reason: about, note } => {
                let (valid_from, valid_until, lanes) = (None, None, Vec::new());
                site.put(NewEntry { kind, plate, about, valid_from, valid_until, lanes, note })
            }
            Self::Either(either) => either.run(kind),
        }
    }
}

impl Either {
    fn run(self, kind: AccessKind) -> Outcome {
        match self {
            Self::Remove(Plate { plate, site }) => site.remove(kind, &plate),
            Self::Import(file) => file.import(kind),
            Self::List(listing) => listing.print(kind),
        }
    }
}

impl At {
    fn put(self, new: NewEntry) -> Outcome {
        on(&self.database, async |cloud| {
            let (admin, site) = (Admin::of_the_database(), self.site_id.as_str());
            cloud.access.put(&admin, site, new).await.map(drop)
        })
    }

    fn remove(&self, kind: AccessKind, plate: &str) -> Outcome {
        on(&self.database, async |cloud| {
            let (admin, site) = (Admin::of_the_database(), self.site_id.as_str());
            cloud.access.remove(&admin, site, kind, plate).await
        })
    }
}

impl FromFile {
    fn import(self, kind: AccessKind) -> Outcome {
        let import = Import { kind, csv: read(&self.file)?, replace: self.replace };
        let mut refused = None;
        on(&self.site.database, async |cloud| {
            let (admin, site) = (Admin::of_the_database(), self.site.site_id.as_str());
            let imported = cloud.access.import(&admin, site, import).await?;
            for wrong in &imported.problems {
                eprintln!("line {}: {}", wrong.line, wrong.problem);
            }
            match imported.problems.len() {
                0 => println!("{} lines, {} changed", imported.lines, imported.changed),
                wrong => {
                    refused = Some(format!("{wrong} lines cannot be used; nothing was changed"))
                }
            }
            Ok(())
        })?;
        refused.map_or(Ok(()), |reason| Err(reason.into()))
    }
}

/// The file, up to one byte more than is taken.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut bounded =
        |from: &mut dyn Read| from.take(MAX_IMPORT_BYTES as u64 + 1).read_to_end(&mut bytes);
    let read = match path.as_os_str().as_encoded_bytes() {
        b"-" => bounded(&mut io::stdin().lock()),
        _ => File::open(path).and_then(|mut file| bounded(&mut file)),
    };
    read.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(bytes)
}

impl Listing {
    fn print(self, kind: AccessKind) -> Outcome {
        let filter = EntryFilter {
            site: self.site_id.map(|site| site.to_string()),
            kind: Some(kind),
            plate: self.plate,
        };
        on(&self.database, async |cloud| {
            let mut skip = 0;
            loop {
                let window = Window { skip, limit: PAGE };
                let reader = Admin::of_the_database().operator();
                let (entries, total) = cloud.access.page(&reader, filter.clone(), window).await?;
                entries.iter().for_each(|entry| println!("{}", line(entry)));
                skip += PAGE;
                if entries.is_empty() || i64::from(skip) >= total {
                    return Ok(());
                }
            }
        })
    }
}

fn line(entry: &AccessEntry) -> String {
    let time = |time: Option<DateTime<Utc>>| time.map(|t| t.to_rfc3339()).unwrap_or_default();
    let lanes: Vec<_> = entry.lanes.iter().map(|lane| lane.as_str()).collect();
    let (from, until) = (time(entry.valid_from), time(entry.valid_until));
    let state = if entry.revoked { "revoked" } else { "" };
    let lanes = lanes.join(" ");
    [&entry.site, &entry.plate, &entry.about, &from, &until, &lanes, &entry.note, state].join("\t")
}

impl History {
    fn print(self) -> Outcome {
        let At { site_id, database } = self.site;
        on(&database, async |cloud| {
            let (reader, plate) = (Admin::of_the_database().operator(), self.plate.as_deref());
            let window = Window { skip: 0, limit: self.limit };
            let access = &cloud.access;
            for change in access.history(&reader, site_id.as_str(), plate, window).await? {
                let at = DateTime::from_timestamp_millis(change.at_ms).unwrap_or_default();
                let by = change.by.as_deref().unwrap_or("command line");
                let (at, what) = (at.to_rfc3339(), &change.what);
                println!("{at}\t{by}\t{what}\t{}\t{}\t{}", change.kind, change.plate, change.entry);
            }
            Ok(())
        })
    }
}
