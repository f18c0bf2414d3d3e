//! How many plates there are at each site, kept with every change, so that nobody has to read them
//! all.

use crate::store::{StoreError, Transaction, first, params};

/// All plates that are not deleted, of all sites.
pub(super) struct Totals {
    pub(super) plates: i64,
    pub(super) verified: i64,
    pub(super) unread: i64,
    /// Of those that could be read; none without any.
    pub(super) mean_confidence: Option<f64>,
    pub(super) recognitions: i64,
}

pub(super) fn read(tx: &mut dyn Transaction) -> Result<Totals, StoreError> {
    let sql = "SELECT COALESCE(SUM(plates), 0), COALESCE(SUM(verified), 0),
                      COALESCE(SUM(unread), 0), COALESCE(SUM(confidence_micros), 0),
                      COALESCE(SUM(recognitions), 0)
               FROM plate_totals";
    let row = first(tx, sql, &[])?.ok_or_else(|| StoreError::new("count plates", "no row"))?;
    let (plates, unread, micros): (i64, i64, i64) = (row.get(0)?, row.get(2)?, row.get(3)?);
    let known = plates - unread;
    Ok(Totals {
        plates,
        verified: row.get(1)?,
        unread,
        mean_confidence: (known > 0).then(|| micros as f64 / 1e6 / known as f64),
        recognitions: row.get(4)?,
    })
}

/// New looks and plates of one site, to be counted together, and from which confidence on nobody
/// needs to look at one.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    doubtless: f64,
    looks: i64,
    plates: i64,
    unread: i64,
    micros: i64,
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new(doubtless: f64) -> Self {
        Self { doubtless, ..Self::default() }
    }

    /// Least confidence of a plate that nobody needs to look at, 0 to 1.
    pub(crate) const fn doubtless(&self) -> f64 {
        self.doubtless
    }

    pub(super) fn look(&mut self) {
        self.looks += 1;
    }

    pub(super) fn plate(&mut self, plate: &str, confidence: f64) {
        self.plates += 1;
        if plate.is_empty() {
            self.unread += 1;
        } else {
            self.micros += (confidence * 1e6).round() as i64;
        }
    }

    /// Counts them.
    pub(crate) fn write(self, tx: &mut dyn Transaction, site: &str) -> Result<(), StoreError> {
        let Self { looks, plates, unread, micros, .. } = self;
        if looks == 0 && plates == 0 {
            return Ok(());
        }
        tx.defer(
            "INSERT INTO plate_totals VALUES ($1, $2, 0, $3, $4, $5)
             ON CONFLICT (site_id) DO UPDATE
             SET plates = plate_totals.plates + excluded.plates,
                 unread = plate_totals.unread + excluded.unread,
                 confidence_micros = plate_totals.confidence_micros + excluded.confidence_micros,
                 recognitions = plate_totals.recognitions + excluded.recognitions",
            params![site, plates, unread, micros, looks],
        )
    }
}

/// Changes a plate and keeps the totals.
pub(crate) fn changing<E: From<StoreError>>(
    tx: &mut dyn Transaction,
    id: i64,
    change: impl FnOnce(&mut dyn Transaction) -> Result<(), E>,
) -> Result<(), E> {
    count(tx, id, -1)?;
    change(tx)?;
    Ok(count(tx, id, 1)?)
}

/// Takes a plate, as it stands, in or out.
fn count(tx: &mut dyn Transaction, id: i64, sign: i64) -> Result<(), StoreError> {
    let sql = "UPDATE plate_totals
               SET plates = plates + $1, verified = verified + $1 * r.is_verified,
                   unread = plate_totals.unread + $1 * r.unread,
                   confidence_micros = confidence_micros + $1 * r.micros
               FROM (SELECT site_id, is_verified,
                            CASE WHEN plate = '' THEN 1 ELSE 0 END AS unread,
                            CASE WHEN plate = '' THEN 0
                                 ELSE CAST(ROUND(confidence * 1000000.0) AS BIGINT) END AS micros
                     FROM plate_reads WHERE id = $2 AND is_deleted = 0) r
               WHERE plate_totals.site_id = r.site_id";
    tx.execute(sql, params![sign, id]).map(drop)
}
