//! Reading plates. Deleted ones do not exist here.

use super::{
    Movement, PlateFilter, PlateRead, Recognition, SpotName, Statistics, VEHICLE, Window, totals,
};
use crate::{
    error::Result,
    search,
    store::{Conditions, Row, StoreError, Transaction, Value, first, number, params},
};

const VISIBLE: &str = "r.is_deleted = 0";
/// Plates that are so many that the newest of them are soon found by looking.
const MANY: i64 = 1000;
const SELECT: &str = "SELECT r.id, r.recognition_id, s.name, r.lane, r.movement, r.plate, r.kind,
        r.confidence, r.alternatives, r.x_min, r.y_min, r.x_max, r.y_max,
        CASE WHEN p.received_at_ms IS NOT NULL THEN r.picture END,
        r.read_at_ms, r.processed_by, r.is_verified, r.crop, r.vehicle_type,
        sp.id, ar.name, sp.number
    FROM plate_reads r
    JOIN sites s ON s.site_id = r.site_id
    LEFT JOIN pictures p ON p.site_id = r.site_id AND p.sha256 = r.picture
    LEFT JOIN spots sp ON sp.id = r.spot_id
    LEFT JOIN areas ar ON ar.id = sp.area_id";

pub(super) fn list(
    tx: &mut dyn Transaction,
    filter: &PlateFilter,
    window: Window,
) -> Result<Vec<PlateRead>> {
    let visible = Conditions::new(VISIBLE);
    let found = match text(filter) {
        Some(text) => search::newest_containing(tx, visible, "r.plate_key", text)?,
        None => visible,
    };
    let mut conditions = conditions(surer(tx, found, filter)?, filter);
    let limit = conditions.place(i64::from(window.limit));
    let skip = conditions.place(i64::from(window.skip));
    let wanted = conditions.sql();
    // Within days, the order is that of the index of times.
    let by_time = filter.from_ms.is_some() || filter.until_ms.is_some();
    let order = if by_time { "r.read_at_ms DESC, r.id DESC" } else { "r.id DESC" };
    // What is passed over is only counted, by an index alone where one fits.
    let ids = format!(
        "SELECT r.id FROM plate_reads r {wanted} ORDER BY {order} LIMIT {limit} OFFSET {skip}"
    );
    let sql = format!("{SELECT} WHERE r.id IN ({ids}) ORDER BY {order}");
    plates(tx.query(&sql, conditions.params())?)
}

/// Of many plates, so many are soon passed over.
const SOON_PASSED_OVER: u32 = 100;

/// The statement for the newest of all plates; none for others, which may take longer to find.
pub(super) fn newest(filter: &PlateFilter, window: Window) -> Option<(String, [Value; 2])> {
    let wants_all = *filter == PlateFilter::default() && window.skip <= SOON_PASSED_OVER;
    wants_all.then(|| {
        let sql = format!("{SELECT} WHERE {VISIBLE} ORDER BY r.id DESC LIMIT $1 OFFSET $2");
        (sql, [i64::from(window.limit), i64::from(window.skip)].map(Value::from))
    })
}

pub(super) fn count(tx: &mut dyn Transaction, filter: &PlateFilter) -> Result<i64> {
    if *filter == PlateFilter::default() {
        return Ok(totals::read(tx)?.plates);
    }
    let visible = Conditions::new(VISIBLE);
    let found = match text(filter) {
        Some(text) => search::containing(visible, "r.plate_key", text),
        None => visible,
    };
    let surer = found.and("r.confidence >= ?", filter.least_confidence);
    let conditions = conditions(surer, filter);
    let sql = format!("SELECT COUNT(*) FROM plate_reads r {}", conditions.sql());
    Ok(number(tx, &sql, conditions.params())?)
}

fn text(filter: &PlateFilter) -> Option<&str> {
    filter.text.as_deref().filter(|text| !text.is_empty())
}

/// Wants the newest that were read as surely as the filter says. Where those are many, they are
/// found by looking at the newest (a sum is in no index), else by the index.
fn surer(tx: &mut dyn Transaction, found: Conditions, filter: &PlateFilter) -> Result<Conditions> {
    let Some(least) = filter.least_confidence else { return Ok(found) };
    let probe = "SELECT COUNT(*) FROM (SELECT 1 FROM plate_reads r
                 WHERE r.is_deleted = 0 AND r.confidence >= $1 LIMIT $2) t";
    let is_rare = number(tx, probe, params![least, MANY])? < MANY;
    let by_index = "r.id IN (SELECT c.id FROM plate_reads c
                             WHERE c.is_deleted = 0 AND c.confidence >= ?)";
    let wanted = if is_rare { by_index } else { "r.confidence + 0 >= ?" };
    Ok(found.and(wanted, Some(least)))
}

fn conditions(found: Conditions, filter: &PlateFilter) -> Conditions {
    found
        .and("r.is_verified = ?", filter.verified)
        .and("r.movement = ?", filter.movement.map(Movement::as_str))
        .and("r.spot_id = ?", filter.spot_id)
        .and("r.read_at_ms >= ?", filter.from_ms)
        .and("r.read_at_ms < ?", filter.until_ms)
        .and(&format!("{VEHICLE} = ?"), filter.vehicle)
}

pub(crate) fn get(tx: &mut dyn Transaction, id: i64) -> Result<Option<PlateRead>> {
    let sql = format!("{SELECT} WHERE {VISIBLE} AND r.id = $1");
    first(tx, &sql, params![id])?.map(plate).transpose()
}

const SELECT_RECOGNITION: &str =
    "SELECT id, filename, taken_at_ms, processing_ms, drawn FROM recognitions";

pub(super) fn recognitions(tx: &mut dyn Transaction, window: Window) -> Result<Vec<Recognition>> {
    let sql = format!("{SELECT_RECOGNITION} ORDER BY id DESC LIMIT $1 OFFSET $2");
    let rows = tx.query(&sql, params![i64::from(window.limit), i64::from(window.skip)])?;
    rows.iter().map(|row| with_plates(tx, row)).collect()
}

pub(crate) fn recognition(tx: &mut dyn Transaction, id: i64) -> Result<Option<Recognition>> {
    let row = first(tx, &format!("{SELECT_RECOGNITION} WHERE id = $1"), params![id])?;
    row.map(|row| with_plates(tx, &row)).transpose()
}

fn with_plates(tx: &mut dyn Transaction, row: &Row) -> Result<Recognition> {
    let id = row.get(0)?;
    let sql = format!("{SELECT} WHERE {VISIBLE} AND r.recognition_id = $1 ORDER BY r.id");
    Ok(Recognition {
        id,
        filename: row.get(1)?,
        taken_at_ms: row.get(2)?,
        processing_ms: row.get(3)?,
        drawn: row.get(4)?,
        plates: plates(tx.query(&sql, params![id])?)?,
    })
}

pub(super) fn statistics(tx: &mut dyn Transaction) -> Result<Statistics> {
    let totals = totals::read(tx)?;
    Ok(Statistics {
        plates: totals.plates,
        verified: totals.verified,
        unread: totals.unread,
        mean_confidence: totals.mean_confidence,
        recognitions: totals.recognitions,
        recent: list(tx, &PlateFilter::default(), Window { skip: 0, limit: 10 })?,
    })
}

pub(super) fn plates(rows: Vec<Row>) -> Result<Vec<PlateRead>> {
    rows.into_iter().map(plate).collect()
}

fn plate(mut row: Row) -> Result<PlateRead> {
    let movement: String = row.take(4)?;
    Ok(PlateRead {
        id: row.get(0)?,
        recognition_id: row.get(1)?,
        site_name: row.take(2)?,
        lane: row.take(3)?,
        movement: Movement::ALL
            .into_iter()
            .find(|known| known.as_str() == movement)
            .ok_or_else(|| StoreError::new("read a movement", movement))?,
        plate: row.take(5)?,
        kind: row.take(6)?,
        confidence: row.get(7)?,
        alternatives: row.take(8)?,
        bounds_px: [row.get(9)?, row.get(10)?, row.get(11)?, row.get(12)?],
        picture: row.take(13)?,
        read_at_ms: row.get(14)?,
        processed_by: row.take(15)?,
        is_verified: row.get(16)?,
        crop: row.take(17)?,
        vehicle_type: row.take(18)?,
        spot: spot(&mut row)?,
    })
}

fn spot(row: &mut Row) -> Result<Option<SpotName>> {
    let Some(id) = row.get(19)? else { return Ok(None) };
    let area: Option<String> = row.take(20)?;
    Ok(Some(SpotName { id, area: area.unwrap_or_default(), number: row.take(21)? }))
}
