//! The charging site as it is kept: read whole (it is small: who charges and who waits), written
//! where it has changed.

use std::collections::BTreeMap;

use domain::charging::{
    AtSite, Mode, Numbers, Parameters, Pile, PileId, PileStatus, Rank, Request, Running, Station,
    Stopping,
};
use uuid::Uuid;

use super::SITE;
use crate::{
    error::Result,
    store::{Row, StoreError, Transaction, first, params},
};

fn unreadable(what: &str, text: impl std::fmt::Debug) -> StoreError {
    StoreError::new("read the charging site", format!("{what} is {text:?}"))
}

/// Reads a text that was written by this module.
pub(super) fn parsed<T: std::str::FromStr>(what: &str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| unreadable(what, text))
}

/// When something is due by itself next, in milliseconds UTC.
pub(super) fn due_ms(tx: &mut dyn Transaction) -> Result<Option<i64>> {
    let sql = "SELECT MIN(due_at_ms) FROM charging_sessions
               WHERE site_id = $1 AND ended_at_ms IS NULL";
    Ok(first(tx, sql, params![SITE])?.map(|row| row.get(0)).transpose()?.flatten())
}

/// The settings.
pub(super) fn parameters(tx: &mut dyn Transaction) -> Result<Parameters> {
    Ok(settings(tx)?.0)
}

/// The charging site.
pub(super) fn load(tx: &mut dyn Transaction) -> Result<Station> {
    let (parameters, numbers) = settings(tx)?;
    let mut piles = piles(&parameters);
    seat_running(tx, &mut piles)?;
    conditions(tx, &mut piles)?;
    let sql = "SELECT id, user_id, mode, number, ticket, precedence, requested_wh, battery_wh,
                      delivered_wh, created_at_ms, status, pile_id
               FROM charging_requests WHERE site_id = $1 AND ended_at_ms IS NULL ORDER BY place";
    let mut requests = BTreeMap::new();
    for row in tx.query(sql, params![SITE])? {
        let request = request(&row)?;
        let at: Option<String> = row.get(11)?;
        if let Some(pile) = at.filter(|_| row.get::<String>(10).is_ok_and(|s| s == "waiting")) {
            piles.entry(parsed("a pile", &pile)?).or_insert_with(Pile::idle).queue.push(request.id);
        }
        requests.insert(request.id, request);
    }
    Ok(Station::restore(parameters, numbers, piles, requests))
}

fn settings(tx: &mut dyn Transaction) -> Result<(Parameters, Numbers)> {
    let sql = "SELECT parameters, day, last_fast, last_slow, last_ticket
               FROM charging_stations WHERE site_id = $1";
    let Some(row) = first(tx, sql, params![SITE])? else { return Ok(Default::default()) };
    let count = |column| {
        let number: i64 = row.get(column)?;
        u32::try_from(number).map_err(|_| unreadable("a number", number))
    };
    let (text, day): (String, String) = (row.get(0)?, row.get(1)?);
    let numbers = Numbers {
        day: parsed("the day", &day)?,
        fast: count(2)?,
        slow: count(3)?,
        ticket: row.get(4)?,
    };
    let parameters = serde_json::from_str(&text).map_err(|e| unreadable("the settings", e))?;
    Ok((parameters, numbers))
}

fn piles(parameters: &Parameters) -> BTreeMap<PileId, Pile> {
    let of_mode = |mode| (1..=parameters.piles(mode)).map(move |number| PileId { mode, number });
    Mode::ALL.into_iter().flat_map(of_mode).map(|id| (id, Pile::idle())).collect()
}

/// Which piles can be used, and which are sites'.
fn conditions(tx: &mut dyn Transaction, piles: &mut BTreeMap<PileId, Pile>) -> Result<()> {
    let sql = "SELECT pile_id, status FROM charging_piles WHERE site_id = $1";
    for row in tx.query(sql, params![SITE])? {
        let (id, status): (String, String) = (row.get(0)?, row.get(1)?);
        if let Some(pile) = piles.get_mut(&parsed("a pile", &id)?) {
            pile.status = self::status(&status)?;
        }
    }
    for row in tx.query("SELECT pile_id FROM charging_drivers WHERE site_id = $1", params![SITE])? {
        let id: String = row.get(0)?;
        piles.entry(parsed("a pile", &id)?).and_modify(|pile| pile.driven = true);
    }
    Ok(())
}

/// Reads a pile's status.
pub(super) fn status(text: &str) -> Result<PileStatus, StoreError> {
    let found = PileStatus::ALL.into_iter().find(|known| known.as_str() == text);
    found.ok_or_else(|| unreadable("a pile's status", text))
}

/// Puts those who charge where they do; a pile that the settings no longer have is retired.
fn seat_running(tx: &mut dyn Transaction, piles: &mut BTreeMap<PileId, Pile>) -> Result<()> {
    let sql = "SELECT pile_id, request_id, started_at_ms, power_w, edge, began, metered_wh,
                      metered_at_ms, stopping
               FROM charging_sessions WHERE site_id = $1 AND ended_at_ms IS NULL";
    for row in tx.query(sql, params![SITE])? {
        let (pile, request): (String, String) = (row.get(0)?, row.get(1)?);
        let retired = || Pile { retired: true, ..Pile::idle() };
        piles.entry(parsed("a pile", &pile)?).or_insert_with(retired).running = Some(Running {
            request: parsed("a request", &request)?,
            started_at_ms: row.get(2)?,
            power_w: row.get(3)?,
            site: row.get::<Option<String>>(4)?.map(|_| at_site(&row)).transpose()?,
        });
    }
    Ok(())
}

fn at_site(row: &Row) -> Result<AtSite, StoreError> {
    let stopping: Option<String> = row.get(8)?;
    Ok(AtSite {
        began: row.get(5)?,
        metered_wh: row.get(6)?,
        metered_at_ms: row.get(7)?,
        stopping: match stopping.as_deref() {
            None => None,
            Some("enough") => Some(Stopping::Enough),
            Some("cancelled") => Some(Stopping::Cancelled),
            Some("pile_down") => Some(Stopping::PileDown),
            Some(other) => return Err(unreadable("why a charge is to end", other)),
        },
    })
}

/// Why a site was asked to end a charge, as it is kept.
pub(super) const fn stopping(why: Stopping) -> &'static str {
    match why {
        Stopping::Enough => "enough",
        Stopping::Cancelled => "cancelled",
        Stopping::PileDown => "pile_down",
    }
}

fn request(row: &Row) -> Result<Request, StoreError> {
    let (id, mode): (String, String) = (row.get(0)?, row.get(2)?);
    let (number, rank): (i64, i64) = (row.get(3)?, row.get(5)?);
    Ok(Request {
        id: parsed("a request", &id)?,
        user: row.get(1)?,
        mode: parsed("a mode", &mode)?,
        number: u32::try_from(number).map_err(|_| unreadable("a number", number))?,
        ticket: row.get(4)?,
        rank: match rank {
            0 => Rank::Interrupted,
            1 => Rank::HandedBack,
            _ => Rank::Usual,
        },
        requested_wh: row.get(6)?,
        battery_wh: row.get(7)?,
        delivered_wh: row.get(8)?,
        created_at_ms: row.get(9)?,
    })
}

/// Keeps what has changed about the settings, piles and active requests. Who has ended was taken
/// out before.
pub(super) fn save(tx: &mut dyn Transaction, before: &Station, after: &Station) -> Result<()> {
    if (before.parameters(), before.numbers()) != (after.parameters(), after.numbers()) {
        save_settings(tx, after)?;
    }
    for (id, pile) in after.piles() {
        if before.piles().get(id).map(|kept| kept.status) != Some(pile.status) {
            save_status(tx, *id, pile.status)?;
        }
    }
    let (was, is) = (seats(before), seats(after));
    for (id, request) in after.requests() {
        let changed = before.requests().get(id) != Some(request) || was.get(id) != is.get(id);
        if changed {
            save_request(tx, request, is.get(id).copied().unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Where somebody is: who charges is at place 0 of a pile.
#[derive(Clone, Copy, Default, PartialEq)]
struct Seat {
    pile: Option<PileId>,
    place: i64,
}

fn seats(station: &Station) -> BTreeMap<Uuid, Seat> {
    let at_pile = |(id, pile): (&PileId, &Pile)| {
        let running = pile.running.iter().map(|running| (0, running.request));
        let everybody: Vec<_> = running.chain((1..).zip(pile.queue.iter().copied())).collect();
        let pile = Some(*id);
        everybody.into_iter().map(move |(place, request)| (request, Seat { pile, place }))
    };
    station.piles().iter().flat_map(at_pile).collect()
}

fn save_settings(tx: &mut dyn Transaction, station: &Station) -> Result<()> {
    let numbers = station.numbers();
    let text = serde_json::to_string(station.parameters())
        .map_err(|e| StoreError::new("write the charging settings", e))?;
    tx.execute(
        "INSERT INTO charging_stations (site_id, parameters, day, last_fast, last_slow, last_ticket)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (site_id) DO UPDATE SET parameters = excluded.parameters, day = excluded.day,
             last_fast = excluded.last_fast, last_slow = excluded.last_slow,
             last_ticket = excluded.last_ticket",
        params![
            SITE,
            text,
            numbers.day.to_string(),
            i64::from(numbers.fast),
            i64::from(numbers.slow),
            numbers.ticket
        ],
    )?;
    Ok(())
}

fn save_status(tx: &mut dyn Transaction, id: PileId, status: PileStatus) -> Result<()> {
    tx.execute(
        "INSERT INTO charging_piles (site_id, pile_id, status) VALUES ($1, $2, $3)
         ON CONFLICT (site_id, pile_id) DO UPDATE SET status = excluded.status",
        params![SITE, id.to_string(), status.as_str()],
    )?;
    Ok(())
}

fn save_request(tx: &mut dyn Transaction, request: &Request, seat: Seat) -> Result<()> {
    let charging = seat.pile.is_some() && seat.place == 0;
    tx.execute(
        "INSERT INTO charging_requests (site_id, id, user_id, mode, number, ticket, precedence,
             requested_wh, battery_wh, delivered_wh, status, pile_id, place, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (site_id, id) DO UPDATE SET mode = excluded.mode, number = excluded.number,
             ticket = excluded.ticket, precedence = excluded.precedence,
             requested_wh = excluded.requested_wh, delivered_wh = excluded.delivered_wh,
             status = excluded.status, pile_id = excluded.pile_id, place = excluded.place",
        params![
            SITE,
            request.id.to_string(),
            request.user,
            request.mode.as_str(),
            i64::from(request.number),
            request.ticket,
            request.rank as i64,
            request.requested_wh,
            request.battery_wh,
            request.delivered_wh,
            if charging { "charging" } else { "waiting" },
            seat.pile.map(|pile| pile.to_string()),
            seat.place,
            request.created_at_ms
        ],
    )?;
    Ok(())
}
