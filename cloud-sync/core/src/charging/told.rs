//! What sites are told about charging, and how far they have got with it.

use chrono_tz::Tz;
use domain::{
    charging::{Event, PileId, Stopping, Tariff},
    directive::Directive,
    ids::ChargingId,
};
use uuid::Uuid;

use super::{SITE, state};
use crate::{
    directives,
    error::Result,
    store::{StoreError, Transaction, first, params},
};

/// A car that is to be charged at a site gives its place away where it has not begun by then.
const BEGIN_WITHIN_S: u32 = 15 * 60;
/// How far ahead a site is told when tariffs change. The hours are the same on the next day.
const BORDERS_AHEAD_MS: i64 = 24 * 60 * 60 * 1000;
/// Most changes of tariff that a site is told; between others its meter counts as steady.
const MOST_BORDERS: usize = 24;

/// Tells a site to charge a car; returns the site and the name of the session.
pub(super) fn charge(
    tx: &mut dyn Transaction,
    zone: Tz,
    tariff: &Tariff,
    event: &Event,
    pile: PileId,
) -> Result<(String, Uuid)> {
    let sql = "SELECT edge FROM charging_drivers WHERE site_id = $1 AND pile_id = $2";
    let row = first(tx, sql, params![SITE, pile.to_string()])?;
    let row = row.ok_or_else(|| StoreError::new("find the site of a pile", pile))?;
    let (edge, session): (String, _) = (row.get(0)?, Uuid::new_v4());
    let directive = Directive::Charge {
        session: ChargingId(session),
        pile,
        energy_wh: event.request.remaining_wh().max(1),
        battery_wh: event.request.battery_wh,
        begin_within_s: BEGIN_WITHIN_S,
        borders: borders(zone, tariff, event.at_ms),
    };
    directives::issue(tx, &edge, &directive, event.at_ms)?;
    Ok((edge, session))
}

/// When the tariff changes during the next day, in seconds UTC.
fn borders(zone: Tz, tariff: &Tariff, now_ms: i64) -> Vec<i64> {
    let pieces = tariff.periods.cut(&zone, now_ms, now_ms.saturating_add(BORDERS_AHEAD_MS));
    let changes = pieces.windows(2).filter(|pair| pair[0].1 != pair[1].1);
    changes.map(|pair| pair[0].0 / 1000).take(MOST_BORDERS).collect()
}

/// Asks a site to end what it charges at a pile.
pub(super) fn stop(
    tx: &mut dyn Transaction,
    pile: PileId,
    why: Stopping,
    now_ms: i64,
) -> Result<()> {
    let asked = first(
        tx,
        "UPDATE charging_sessions SET stopping = $1
         WHERE site_id = $2 AND pile_id = $3 AND ended_at_ms IS NULL RETURNING id, edge",
        params![state::stopping(why), SITE, pile.to_string()],
    )?;
    let row = asked.ok_or_else(|| StoreError::new("ask to end a session", "none is running"))?;
    let (session, edge): (String, String) = (row.get(0)?, row.get(1)?);
    let session = ChargingId(state::parsed("a session", &session)?);
    directives::issue(tx, &edge, &Directive::StopCharge { session }, now_ms)?;
    Ok(())
}

/// Notes that a site has begun with a request; false where no site charges it.
pub(super) fn began(tx: &mut dyn Transaction, event: &Event) -> Result<bool> {
    let noted = tx.execute(
        "UPDATE charging_sessions SET began = 1, started_at_ms = $1, metered_at_ms = $1
         WHERE site_id = $2 AND request_id = $3 AND edge IS NOT NULL AND ended_at_ms IS NULL",
        params![event.at_ms, SITE, event.request.id.to_string()],
    )?;
    Ok(noted > 0)
}
