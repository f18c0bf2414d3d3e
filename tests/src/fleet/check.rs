//! Whether a cloud has what its sites have: every event that it has acknowledged, once and to the
//! byte, and every directive that it has given, once at its site.

use std::io;

use domain::ids::SiteId;

use super::{Fleet, Site, directive_of};
use crate::postgres;

/// What was compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// Events at the cloud.
    pub events: u64,
    /// Directives at the sites.
    pub directives: u64,
}

impl Fleet {
    /// Compares every site with the database behind the cloud.
    ///
    /// # Errors
    /// Where something cannot be read, or differs: the message says what.
    pub fn compare(&self, database_url: &str) -> io::Result<Compared> {
        let mut all = Compared::default();
        for (id, site) in self.names().iter().zip(self.sites()) {
            let one = compare(database_url, id, site)?;
            all.events += one.events;
            all.directives += one.directives;
        }
        Ok(all)
    }
}

fn compare(database_url: &str, id: &SiteId, site: &Site) -> io::Result<Compared> {
    let acked = site.acked();
    let here = site.bodies()?;
    let there = at_cloud(database_url, id)?;
    let wrong = |what: String| Err(io::Error::other(format!("{id}: {what}")));
    if (there.bodies.len() as u64) < acked {
        return wrong(format!(
            "{acked} events were acknowledged, {} are there",
            there.bodies.len()
        ));
    }
    for (index, (sequence, body)) in there.bodies.iter().enumerate() {
        if *sequence != index as i64 + 1 {
            return wrong(format!("event {} is missing or there twice", index + 1));
        }
        if here.get(index) != Some(body) {
            return wrong(format!("event {sequence} differs"));
        }
    }
    let parse = |body: &String| serde_json::from_str(body).map_err(io::Error::other);
    let events = here.iter().map(parse).collect::<io::Result<Vec<_>>>()?;
    let told: Vec<u64> = events.iter().filter_map(directive_of).collect();
    if told != (1..=there.directives).collect::<Vec<_>>() {
        return wrong(format!("of {} directives it carried out {told:?}", there.directives));
    }
    Ok(Compared { events: there.bodies.len() as u64, directives: there.directives })
}

struct AtCloud {
    bodies: Vec<(i64, String)>,
    directives: u64,
}

fn at_cloud(database_url: &str, id: &SiteId) -> io::Result<AtCloud> {
    let id = id.to_string();
    postgres::ask(database_url, async move |client| {
        let bodies = "SELECT sequence, body FROM events WHERE site_id = $1 ORDER BY sequence";
        let bodies = client.query(bodies, &[&id]).await?;
        let bodies = bodies.iter().map(|row| (row.get(0), row.get(1))).collect();
        let directives = "SELECT COUNT(*) FROM directives WHERE site_id = $1";
        let directives: i64 = client.query_one(directives, &[&id]).await?.get(0);
        Ok(AtCloud { bodies, directives: directives.unsigned_abs() })
    })
}
