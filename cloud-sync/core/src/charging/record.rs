//! What happened at the charging site, put down: sessions, bills, ended requests, and what users
//! are told. Everything bears the moment at which it was due.

use chrono_tz::Tz;
use domain::{
    charging::{
        AtSite, Bill as Costs, Cause, Delivery, Event, PileId, Reading, Running, Tariff, What,
        charge_ms,
    },
    money::Fen,
};
use uuid::Uuid;

use super::{SITE, notices::Notice, pay, told};
use crate::{
    error::Result,
    store::{StoreError, Transaction, first, params},
};

/// Puts everything down, in order; what begins is billed by `tariff` one day. Returns the bills by
/// request.
pub(super) fn record(
    tx: &mut dyn Transaction,
    zone: Tz,
    tariff: &Tariff,
    events: &[Event],
) -> Result<Vec<(Uuid, String)>> {
    let mut bills = Vec::new();
    for event in events {
        let queue_number = event.request.queue_number();
        let notice = match &event.what {
            What::Moved(place) => {
                let pile = place.pile.map(|pile| pile.to_string());
                Notice::QueueUpdate { queue_number, position: place.position, pile }
            }
            What::Assigned { pile, power_w } => {
                let (edge, session) = told::charge(tx, zone, tariff, event, *pile)?;
                begin(tx, tariff, event, *pile, *power_w, Some((&edge, session)))?;
                Notice::QueueUpdate { queue_number, position: 0, pile: Some(pile.to_string()) }
            }
            What::Stopping { pile, why } => {
                told::stop(tx, *pile, *why, event.at_ms)?;
                continue;
            }
            What::Released { pile } => {
                close(tx, *pile, event.at_ms, 0)?;
                finish(tx, event, "cancelled")?;
                continue;
            }
            What::Started { pile, power_w } => {
                if !told::began(tx, event)? {
                    begin(tx, tariff, event, *pile, *power_w, None)?;
                }
                Notice::ChargingStart { queue_number, pile: pile.to_string() }
            }
            What::Ended { pile, running, energy_wh, cause } => {
                let bill = end(tx, zone, event, *pile, running, *energy_wh)?;
                let total = bill.as_ref().map(|(_, total)| *total);
                bills.extend(bill.map(|(bill, _)| (event.request.id, bill)));
                let (pile, energy_wh) = (pile.to_string(), *energy_wh);
                if *cause == Cause::PileDown {
                    let delivered = total.map(|total| (energy_wh, total));
                    Notice::PileFault { queue_number, pile, delivered }
                } else {
                    finish(tx, event, "completed")?;
                    let total = total.unwrap_or_default();
                    Notice::ChargingComplete { queue_number, pile, energy_wh, total }
                }
            }
            What::HandedBack { pile } => {
                Notice::PileFault { queue_number, pile: pile.to_string(), delivered: None }
            }
            What::Cancelled => {
                finish(tx, event, "cancelled")?;
                continue;
            }
        };
        notice.tell(tx, event.request.user, event.at_ms)?;
    }
    Ok(bills)
}

fn begin(
    tx: &mut dyn Transaction,
    tariff: &Tariff,
    event: &Event,
    pile: PileId,
    power_w: i64,
    at: Option<(&str, Uuid)>,
) -> Result<()> {
    let request = &event.request;
    let due_ms = event.at_ms.saturating_add(charge_ms(request.remaining_wh(), power_w));
    let session = at.map_or_else(Uuid::new_v4, |(_, session)| session);
    let tariff =
        serde_json::to_string(tariff).map_err(|e| StoreError::new("write the tariff", e))?;
    tx.execute(
        "INSERT INTO charging_sessions (site_id, id, request_id, user_id, pile_id, power_w, tariff,
             started_at_ms, due_at_ms, edge)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            SITE,
            session.to_string(),
            request.id.to_string(),
            request.user,
            pile.to_string(),
            power_w,
            tariff,
            event.at_ms,
            // A site ends it, and no clock.
            at.map_or(due_ms, |_| i64::MAX),
            at.map(|(edge, _)| edge)
        ],
    )?;
    Ok(())
}

/// A session that has ended.
struct Closed {
    id: String,
    tariff: Tariff,
}

/// Closes the session of a pile.
fn close(
    tx: &mut dyn Transaction,
    pile: PileId,
    ended_at_ms: i64,
    energy_wh: i64,
) -> Result<Closed> {
    let closed = first(
        tx,
        "UPDATE charging_sessions SET ended_at_ms = $1, energy_wh = $2
         WHERE site_id = $3 AND pile_id = $4 AND ended_at_ms IS NULL RETURNING id, tariff",
        params![ended_at_ms, energy_wh, SITE, pile.to_string()],
    )?;
    let row = closed.ok_or_else(|| StoreError::new("end a session", "none is running"))?;
    let tariff: String = row.get(1)?;
    let tariff =
        serde_json::from_str(&tariff).map_err(|e| StoreError::new("read the tariff", e))?;
    Ok(Closed { id: row.get(0)?, tariff })
}

/// Closes the session of a pile, bills it and takes the bill from the balance; none for one that
/// never began.
fn end(
    tx: &mut dyn Transaction,
    zone: Tz,
    event: &Event,
    pile: PileId,
    running: &Running,
    energy_wh: i64,
) -> Result<Option<(String, Fen)>> {
    let delivery = Delivery {
        started_at_ms: running.started_at_ms,
        // Where the clock was set back meanwhile, it took no time.
        ended_at_ms: event.at_ms.max(running.started_at_ms),
        power_w: running.power_w,
        energy_wh,
    };
    let closed = close(tx, pile, delivery.ended_at_ms, energy_wh)?;
    let costs = match running.site {
        None => closed.tariff.bill(&zone, &delivery),
        Some(AtSite { began: false, .. }) => return Ok(None),
        Some(_) => closed.tariff.bill_metered(&zone, &readings(tx, &closed.id, &delivery)?),
    };
    let bill = Uuid::new_v4().to_string();
    insert_bill(tx, &bill, &closed.id, event, pile, &delivery, &costs)?;
    count(tx, pile, costs.total())?;
    pay::from_balance(tx, event.request.user, &bill, costs.total(), delivery.ended_at_ms)?;
    Ok(Some((bill, costs.total())))
}

/// What a site's meter showed during a session, from its beginning to its end.
fn readings(
    tx: &mut dyn Transaction,
    session: &str,
    delivery: &Delivery,
) -> Result<Vec<Reading>, StoreError> {
    let sql = "SELECT at_ms, energy_wh FROM charging_readings
               WHERE site_id = $1 AND session_id = $2 ORDER BY sequence";
    let mut readings = vec![Reading { at_ms: delivery.started_at_ms, energy_wh: 0 }];
    for row in tx.query(sql, params![SITE, session])? {
        readings.push(Reading { at_ms: row.get(0)?, energy_wh: row.get(1)? });
    }
    readings.push(Reading { at_ms: delivery.ended_at_ms, energy_wh: delivery.energy_wh });
    Ok(readings)
}

fn insert_bill(
    tx: &mut dyn Transaction,
    id: &str,
    session: &str,
    event: &Event,
    pile: PileId,
    delivery: &Delivery,
    costs: &Costs,
) -> Result<()> {
    let [peak, normal, valley] = costs.parts();
    tx.execute(
        "INSERT INTO charging_bills (site_id, id, session_id, user_id, pile_id, generated_at_ms,
             started_at_ms, ended_at_ms, energy_wh, peak_ms, normal_ms, valley_ms, peak_wh,
             normal_wh, valley_wh, peak_fen, normal_fen, valley_fen, service_fen, total_fen)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
             $18, $19)",
        params![
            SITE,
            id,
            session,
            event.request.user,
            pile.to_string(),
            delivery.ended_at_ms,
            delivery.started_at_ms,
            delivery.energy_wh,
            peak.duration_ms,
            normal.duration_ms,
            valley.duration_ms,
            peak.energy_wh,
            normal.energy_wh,
            valley.energy_wh,
            peak.cost.0,
            normal.cost.0,
            valley.cost.0,
            costs.service.0,
            costs.total().0
        ],
    )?;
    Ok(())
}

fn count(tx: &mut dyn Transaction, pile: PileId, Fen(total): Fen) -> Result<()> {
    tx.execute(
        "INSERT INTO charging_piles (site_id, pile_id, total_sessions, total_revenue_fen)
         VALUES ($1, $2, 1, $3)
         ON CONFLICT (site_id, pile_id) DO UPDATE SET
             total_sessions = charging_piles.total_sessions + 1,
             total_revenue_fen = charging_piles.total_revenue_fen + excluded.total_revenue_fen",
        params![SITE, pile.to_string(), total],
    )?;
    Ok(())
}

fn finish(tx: &mut dyn Transaction, event: &Event, status: &str) -> Result<()> {
    tx.execute(
        "UPDATE charging_requests SET status = $1, delivered_wh = $2, ended_at_ms = $3, place = 0
         WHERE site_id = $4 AND id = $5",
        params![
            status,
            event.request.delivered_wh,
            event.at_ms,
            SITE,
            event.request.id.to_string()
        ],
    )?;
    Ok(())
}
