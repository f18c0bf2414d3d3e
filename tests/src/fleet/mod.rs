//! Many sites in one process, each with a real journal, real replay and a real key: what a cloud has
//! to bear, without barriers and cameras.

mod check;
mod site;
mod traffic;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::Utc;
use chrono_tz::Tz;
use cloud_core::{Cloud, LockerSettings, NewSite, Options};
use domain::{envelope::Enrolment, ids::SiteId};
use edge_daemon::system_clock::SystemClock;
use tokio::time::{Instant, interval, sleep};

pub use self::{
    check::Compared,
    site::{Site, directive_of},
    traffic::{VISIT, Visit},
};

/// How often it is looked whether the cloud has everything.
const LOOK: Duration = Duration::from_millis(20);

/// The sites.
pub struct Fleet {
    names: Vec<SiteId>,
    sites: Vec<Site>,
}

impl Fleet {
    /// Opens `count` sites below `folder`, `<prefix>-1`, `<prefix>-2`, …
    ///
    /// # Errors
    /// What a journal says.
    pub fn open(folder: &Path, prefix: &str, count: usize) -> io::Result<Self> {
        let names: Vec<SiteId> = (1..=count)
            .map(|number| format!("{prefix}-{number}").parse().map_err(io::Error::other))
            .collect::<io::Result<_>>()?;
        let open = |id: &SiteId| Site::open(&folder.join(id.as_str()), id);
        let sites = names.iter().map(open).collect::<io::Result<_>>()?;
        Ok(Self { names, sites })
    }

    /// The names of the sites.
    pub fn names(&self) -> &[SiteId] {
        &self.names
    }

    /// The sites.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Starts to replay to `cloud`, and to ask it for directives where `asks`.
    ///
    /// # Errors
    /// Where a key or a journal cannot be read.
    pub fn connect(&mut self, cloud: &str, asks: bool) -> io::Result<()> {
        let mut pairs = self.sites.iter_mut().zip(&self.names);
        pairs.try_for_each(|(site, id)| site.connect(id, cloud, asks))
    }

    /// Journals so many visits at each site, one after the other and all of a site together.
    ///
    /// # Errors
    /// What a journal says.
    pub async fn fill(&self, visits: usize) -> io::Result<()> {
        for (index, site) in self.sites.iter().enumerate() {
            let now = Utc::now();
            let facts = (0..visits).flat_map(|number| {
                let visit = Visit::new(index * visits + number, now);
                [visit.entry(), visit.exit()].concat()
            });
            site.append(facts.collect()).await?;
        }
        Ok(())
    }

    /// Has cars come and go so that about so many events a second are journaled at all sites
    /// together, until it is dropped.
    ///
    /// # Errors
    /// What a journal says.
    pub async fn drive(&self, events_per_second: f64) -> io::Result<()> {
        let pause = Duration::from_secs_f64(VISIT as f64 / events_per_second.max(0.01));
        let mut turns = interval(pause);
        for number in 0.. {
            turns.tick().await;
            let visit = Visit::new(number, Utc::now());
            let site = &self.sites[number % self.sites.len()];
            site.append(visit.entry()).await?;
            site.append(visit.exit()).await?;
        }
        Ok(())
    }

    /// Events that are journaled, and those that the cloud has, of all sites.
    pub fn events(&self) -> (u64, u64) {
        (self.sites.iter().map(Site::head).sum(), self.sites.iter().map(Site::acked).sum())
    }

    /// Waits until the cloud has everything; how long that took.
    ///
    /// # Errors
    /// Where it takes longer than `longest`.
    pub async fn drained(&self, longest: Duration) -> io::Result<Duration> {
        let begun = Instant::now();
        loop {
            let (journaled, acked) = self.events();
            if journaled == acked {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() > longest {
                let problem = format!("the cloud has {acked} of {journaled} events in {longest:?}");
                return Err(io::Error::other(problem));
            }
            sleep(LOOK).await;
        }
    }
}

/// Registers sites at a database and enrols their keys, which lie below `folder`; those that are
/// enrolled stay as they are.
///
/// # Errors
/// Where the database cannot be used, or knows a site by another key.
pub async fn enrol(database_url: &str, folder: &Path, names: &[SiteId]) -> io::Result<()> {
    let (url, pictures) = (database_url.to_owned(), folder.join("pictures"));
    let open = move || open(url, pictures);
    let cloud = tokio::task::spawn_blocking(open).await.map_err(io::Error::other)??;
    for id in names {
        let new = NewSite { id: id.clone(), name: id.to_string(), spots: 0 };
        let Ok(code) = cloud.sites.add(new).await else { continue };
        let public_key = Site::public_key(&folder.join(id.as_str()))?;
        let enrolment = Enrolment { code, public_key };
        cloud.sites.enrol(&enrolment).await.map_err(io::Error::other)?;
    }
    Ok(())
}

fn open(database_url: String, pictures: PathBuf) -> io::Result<Cloud> {
    let options = Options {
        database_url,
        pictures: Some(pictures),
        zone: Tz::Asia__Shanghai,
        clock: Arc::new(SystemClock),
        providers: Vec::new(),
        lockers: LockerSettings::default(),
        settings: cloud_core::Settings::default(),
    };
    Cloud::open(options).map_err(io::Error::other)
}
