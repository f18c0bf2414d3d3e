//! What sites say of their chargers and of those who charge there. A fact is applied in the
//! transaction that keeps its event, so once; one that concerns no session or charger of its site
//! changes nothing and is told in the log.

use std::collections::BTreeMap;

use domain::{
    charging::{
        ChargeBlocked, ChargeEnded, ChargeMetered, ChargeStarted, ChargerFound, ChargersFound,
        EndCause, PileId, PileStatus, SiteEnd,
    },
    directive::Directive,
    event::Event,
    ids::ChargingId,
};
use uuid::Uuid;

use super::{Moment, SITE, act, notices::Notice, state};
use crate::{
    error::Result,
    logs::{Entry, Level},
    store::{Transaction, first, params},
};

/// Who has which pile: the site and the name that the charger has there.
type Drivers = BTreeMap<PileId, (String, String)>;

/// The chargers that stand at a site: all of them.
pub(crate) fn chargers_found(
    tx: &mut dyn Transaction,
    moment: Moment,
    event: &Event,
    found: &ChargersFound,
) -> Result<()> {
    let edge = event.site.as_str();
    let before = drivers(tx)?;
    let mut after: Drivers =
        before.clone().into_iter().filter(|(_, (owner, _))| owner != edge).collect();
    for ChargerFound { charger, pile } in &found.chargers {
        if after.contains_key(pile) {
            warn(tx, event, format!("{pile} has another charger already"))?;
        } else {
            after.insert(*pile, (edge.to_owned(), charger.to_string()));
        }
    }
    let driven = after.keys().copied().collect();
    let done = act(tx, moment, |station| Ok(station.set_driven(moment.now_ms, &driven)))?;
    replace(tx, &before, &after)?;
    for pile in driven.iter().filter(|pile| !done.station.piles().contains_key(pile)) {
        warn(tx, event, format!("{pile} is not in use: the parameters have fewer piles"))?;
    }
    Ok(())
}

/// Keeps who has which pile, where that has changed.
fn replace(tx: &mut dyn Transaction, before: &Drivers, after: &Drivers) -> Result<()> {
    for (pile, _) in before.iter().filter(|(pile, driver)| after.get(pile) != Some(driver)) {
        let gone = "DELETE FROM charging_drivers WHERE site_id = $1 AND pile_id = $2";
        tx.execute(gone, params![SITE, pile.to_string()])?;
    }
    let new = |(pile, driver): &(&PileId, &(String, String))| before.get(pile) != Some(driver);
    for (pile, (edge, charger)) in after.iter().filter(new) {
        tx.execute(
            "INSERT INTO charging_drivers (site_id, pile_id, edge, charger)
             VALUES ($1, $2, $3, $4)",
            params![SITE, pile.to_string(), edge, charger],
        )?;
    }
    Ok(())
}

/// A charger works, is broken, or cannot be reached by its site. A controller that is none is
/// nobody's here.
pub(crate) fn charger_is(
    tx: &mut dyn Transaction,
    moment: Moment,
    event: &Event,
    charger: &str,
    status: PileStatus,
) -> Result<()> {
    let known = first(
        tx,
        "UPDATE charging_drivers SET status = $1 WHERE edge = $2 AND charger = $3
         RETURNING pile_id, held",
        params![status.as_str(), event.site.as_str(), charger],
    )?;
    let Some(row) = known else { return Ok(()) };
    let (pile, held): (String, bool) = (row.get(0)?, row.get(1)?);
    let pile: PileId = state::parsed("a pile", &pile)?;
    if !held && state::parameters(tx)?.piles(pile.mode) >= pile.number {
        act(tx, moment, |station| station.site_pile(moment.now_ms, pile, status))?;
    }
    Ok(())
}

/// The car of the charge before stands in the way: who waits for it is told at once.
pub(crate) fn blocked(
    tx: &mut dyn Transaction,
    moment: Moment,
    event: &Event,
    fact: &ChargeBlocked,
) -> Result<()> {
    let Some(request) = request(tx, event, fact.session)? else {
        return warn(tx, event, format!("charge {} is blocked and is not known", fact.session));
    };
    warn(tx, event, format!("charger {}: the car before is still plugged in", fact.charger))?;
    let station = state::load(tx)?;
    let Some((pile, _)) = station.running(request) else { return Ok(()) };
    let Some(request) = station.requests().get(&request) else { return Ok(()) };
    let (queue_number, pile) = (request.queue_number(), pile.to_string());
    Notice::PileBlocked { queue_number, pile }.tell(tx, request.user, moment.now_ms)
}

/// A car has begun to charge.
pub(crate) fn started(
    tx: &mut dyn Transaction,
    moment: Moment,
    event: &Event,
    fact: &ChargeStarted,
) -> Result<()> {
    let Some(request) = request(tx, event, fact.session)? else {
        return warn(tx, event, format!("charge {} began and is not known", fact.session));
    };
    let at_ms = fact.at.timestamp_millis();
    act(tx, moment, |station| station.site_started(moment.now_ms, request, at_ms))?;
    Ok(())
}

/// A reading of a meter.
pub(crate) fn metered(tx: &mut dyn Transaction, event: &Event, fact: &ChargeMetered) -> Result<()> {
    let at_ms = fact.at.timestamp_millis();
    if request(tx, event, fact.session)?.is_none() {
        return warn(tx, event, format!("charge {} was metered and is not known", fact.session));
    }
    tx.execute(
        "INSERT INTO charging_readings (site_id, session_id, sequence, at_ms, energy_wh)
         VALUES ($1, $2, $3, $4, $5)",
        params![SITE, fact.session.to_string(), event.sequence as i64, at_ms, fact.energy_wh],
    )?;
    tx.execute(
        "UPDATE charging_sessions SET metered_wh = $1, metered_at_ms = $2
         WHERE site_id = $3 AND id = $4 AND metered_wh <= $1",
        params![fact.energy_wh, at_ms, SITE, fact.session.to_string()],
    )?;
    Ok(())
}

/// A charge has ended.
pub(crate) fn ended(
    tx: &mut dyn Transaction,
    moment: Moment,
    event: &Event,
    fact: &ChargeEnded,
) -> Result<()> {
    let Some(request) = request(tx, event, fact.session)? else {
        return warn(tx, event, format!("charge {} ended and is not known", fact.session));
    };
    let ChargeEnded { charger, at, energy_wh, cause, .. } = fact;
    if *cause == EndCause::Refused {
        // The site thinks otherwise of it; asked again at once, it would refuse again.
        charger_is(tx, moment, event, charger.as_str(), PileStatus::Offline)?;
    }
    let end = SiteEnd { at_ms: at.timestamp_millis(), energy_wh: *energy_wh, cause: *cause };
    act(tx, moment, |station| station.site_ended(moment.now_ms, request, end))?;
    Ok(())
}

/// A site did not carry a directive to charge out: it has no such charger any more.
pub(crate) fn refused(
    tx: &mut dyn Transaction,
    moment: Moment,
    event: &Event,
    directive: u64,
) -> Result<()> {
    // A machine that follows another passes over what that one has carried out.
    let sql = "SELECT body FROM directives WHERE site_id = $1 AND sequence = $2 AND event IS NULL";
    let row = first(tx, sql, params![event.site.as_str(), directive as i64])?;
    let body: Option<String> = row.map(|row| row.get(0)).transpose()?;
    let told = body.and_then(|body| serde_json::from_str(&body).ok());
    let Some(Directive::Charge { session, pile, .. }) = told else { return Ok(()) };
    let Some(request) = request(tx, event, session)? else { return Ok(()) };
    if let Some((_, charger)) = drivers(tx)?.get(&pile).cloned() {
        charger_is(tx, moment, event, &charger, PileStatus::Offline)?;
    }
    let end = SiteEnd { at_ms: moment.now_ms, energy_wh: 0, cause: EndCause::Refused };
    act(tx, moment, |station| station.site_ended(moment.now_ms, request, end))?;
    Ok(())
}

/// Keeps a pile of a site out of service, or lets it back; returns what the pile is then. None for
/// one that is no site's.
pub(super) fn hold(
    tx: &mut dyn Transaction,
    pile: PileId,
    status: PileStatus,
) -> Result<Option<PileStatus>> {
    let held = status != PileStatus::Normal;
    let row = first(
        tx,
        "UPDATE charging_drivers SET held = $1 WHERE site_id = $2 AND pile_id = $3
         RETURNING status",
        params![held, SITE, pile.to_string()],
    )?;
    let told: Option<String> = row.map(|row| row.get(0)).transpose()?;
    let told = told.map(|told| state::status(&told)).transpose()?;
    Ok(told.map(|told| if held { status } else { told }))
}

/// What sites say of their chargers. One that staff keep out of service stays so.
pub(super) fn said(tx: &mut dyn Transaction) -> Result<BTreeMap<PileId, PileStatus>> {
    let sql = "SELECT pile_id, status, held FROM charging_drivers WHERE site_id = $1";
    let mut said = BTreeMap::new();
    for row in tx.query(sql, params![SITE])? {
        let (pile, status): (String, String) = (row.get(0)?, row.get(1)?);
        let status = if row.get(2)? { PileStatus::Offline } else { state::status(&status)? };
        said.insert(state::parsed("a pile", &pile)?, status);
    }
    Ok(said)
}

/// The request of a session that a site charges.
fn request(tx: &mut dyn Transaction, event: &Event, session: ChargingId) -> Result<Option<Uuid>> {
    let row = first(
        tx,
        "SELECT request_id FROM charging_sessions
         WHERE id = $1 AND edge = $2 AND ended_at_ms IS NULL",
        params![session.to_string(), event.site.as_str()],
    )?;
    let request: Option<String> = row.map(|row| row.get(0)).transpose()?;
    Ok(request.map(|request| state::parsed("a request", &request)).transpose()?)
}

fn drivers(tx: &mut dyn Transaction) -> Result<Drivers> {
    let sql = "SELECT pile_id, edge, charger FROM charging_drivers WHERE site_id = $1";
    let mut drivers = Drivers::new();
    for row in tx.query(sql, params![SITE])? {
        let pile: String = row.get(0)?;
        drivers.insert(state::parsed("a pile", &pile)?, (row.get(1)?, row.get(2)?));
    }
    Ok(drivers)
}

fn warn(tx: &mut dyn Transaction, event: &Event, message: String) -> Result<()> {
    Ok(Entry::of_site(event, Level::Warning, "charging", message).write(tx)?)
}

/// Whether the site `$1` has chargers.
pub(crate) const HAS_CHARGERS: &str = "EXISTS (SELECT 1 FROM charging_drivers WHERE edge = $1)";
