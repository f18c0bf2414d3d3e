//! What is here already of that which a batch tells: asked for all events at once, so that none has
//! to ask for itself, and kept up while they are applied.

use std::collections::{BTreeMap, HashSet};

use domain::{
    event::{Decision, Event, Fact, PlateSeen},
    plate::normal_form,
};

use crate::{
    error::Result,
    parking::order_counter,
    store::{StoreError, Transaction, Value, query_in},
};

/// A lane, a moment in milliseconds UTC and a picture: what a camera saw once.
type Sighting = (String, i64, String);

/// What is here of a site, as far as the events of a batch need it.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Known {
    sightings: HashSet<Sighting>,
    /// Plates, in their normal form, whose vehicle is still to be made known.
    new_vehicles: HashSet<String>,
}

impl Known {
    /// Looks for it, and has the numbers at hand that the events will need.
    pub(super) fn of<'a>(
        tx: &mut dyn Transaction,
        site: &str,
        events: impl Iterator<Item = &'a Event>,
    ) -> Result<Self> {
        let (mut looked_for, mut plates) = (HashSet::new(), HashSet::new());
        let mut numbers = BTreeMap::new();
        let mut count = |kind: String| *numbers.entry(kind).or_insert(0) += 1;
        for event in events {
            match &event.fact {
                Fact::Decision(decision) => {
                    let Some(plate) = &decision.plate else { continue };
                    count("recognition".to_owned());
                    count("plate_read".to_owned());
                    if !plate.picture.is_empty() {
                        looked_for.insert(plate.captured_at.timestamp_millis());
                    }
                }
                Fact::SessionOpened { plate, .. } => {
                    count("parking_session".to_owned());
                    plates.insert(normal_form(plate));
                }
                Fact::Paid { directive: None, paid_at, .. } => {
                    count("payment".to_owned());
                    count(order_counter(paid_at.unwrap_or(event.at.wall)));
                }
                _ => {}
            }
        }
        plates.remove("");
        let sightings = sightings(tx, site, looked_for)?;
        let new_vehicles = without_vehicle(tx, plates)?;
        if !new_vehicles.is_empty() {
            numbers.insert("vehicle".to_owned(), new_vehicles.len() as i64);
        }
        tx.expect_things(&numbers)?;
        Ok(Self { sightings, new_vehicles })
    }

    /// Whether there was a decision about this sighting before; from now on there was.
    pub(super) fn was_seen(&mut self, decision: &Decision, plate: &PlateSeen) -> bool {
        let moment_ms = plate.captured_at.timestamp_millis();
        !self.sightings.insert((decision.lane.to_string(), moment_ms, plate.picture.clone()))
    }

    /// Whether the vehicle of a plate is still to be made known; from now on it is.
    pub(super) fn is_new_vehicle(&mut self, plate: &str) -> bool {
        self.new_vehicles.remove(&normal_form(plate))
    }
}

fn sightings(
    tx: &mut dyn Transaction,
    site: &str,
    moments_ms: HashSet<i64>,
) -> Result<HashSet<Sighting>, StoreError> {
    let keys: Vec<Value> = moments_ms.into_iter().map(Value::from).collect();
    // Few were seen at one moment, at whichever site: the index of times finds them, and that of
    // the site shall not be taken for a better one.
    let sql = "SELECT lane, read_at_ms, picture FROM plate_reads
               WHERE '' || site_id = $1 AND picture IS NOT NULL AND read_at_ms";
    let rows = query_in(tx, sql, &[site.into()], &keys)?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

fn without_vehicle(
    tx: &mut dyn Transaction,
    mut plates: HashSet<String>,
) -> Result<HashSet<String>, StoreError> {
    let keys: Vec<Value> = plates.iter().map(Value::from).collect();
    let sql = "SELECT plate_key FROM vehicles WHERE removed_at_ms IS NULL AND plate_key";
    for row in query_in(tx, sql, &[], &keys)? {
        plates.remove(&row.get::<String>(0)?);
    }
    Ok(plates)
}
