//! What each fact changes in what people see. A fact that concerns nobody here, or of a kind that
//! this version does not know, changes nothing; its event is kept all the same.

mod charging;
mod decision;
mod known;
mod parking;
mod state;

use domain::event::{Event, Fact, Outcome, PlateKind};

pub(super) use self::charging::{is_of_charging, may_cross_sites};
use self::known::Known;
use crate::{
    access,
    charging::Moment,
    directives,
    error::Result,
    lockers,
    logs::{Entry, Level},
    parking::{AlertKind, Closed, Opened, SitePayment, barrier_opened, taken_at_site},
    plates::Tally,
    store::{Transaction, params},
};

/// What events are applied with, all of a batch together.
pub(super) struct Batch {
    pub(super) moment: Moment,
    /// Counts new plates.
    pub(super) tally: Tally,
    pub(super) known: Known,
}

/// Looks for what is here of these events, and has the numbers at hand that they will need.
pub(super) fn prepare<'a>(
    tx: &mut dyn Transaction,
    site: &str,
    events: impl Iterator<Item = &'a Event>,
) -> Result<Known> {
    Known::of(tx, site, events)
}

/// Applies one event.
pub(super) fn apply(tx: &mut dyn Transaction, event: &Event, batch: &mut Batch) -> Result<()> {
    charging::apply(tx, event, batch.moment)?;
    match &event.fact {
        Fact::Decision(decision) => Ok(decision::decided(tx, event, decision, batch)?),
        Fact::SessionOpened {
            session,
            plate,
            kind,
            entered_at,
            lane,
            decision,
            tariff,
            permit,
        } => {
            let opened = Opened {
                site: event.site.as_str(),
                session: session.to_string(),
                plate,
                kind: kind_name(*kind),
                entered_at_ms: entered_at.timestamp_millis(),
                lane: lane.as_str(),
                decision: decision.to_string(),
                tariff: tariff.as_ref(),
                permit: permit.as_ref(),
                is_new_vehicle: batch.known.is_new_vehicle(plate),
            };
            barrier_opened(tx, &opened)
        }
        Fact::SessionClosed { session, exited_at, lane, fee_fen, decision } => {
            let closed = Closed {
                site: event.site.as_str(),
                session: session.to_string(),
                exited_at_ms: exited_at.timestamp_millis(),
                lane: lane.as_str(),
                decision: decision.to_string(),
                fee_fen: *fee_fen,
            };
            parking::closed(tx, event, &closed)
        }
        // A fee that was paid here is counted here already.
        Fact::Paid { directive: Some(directive), .. }
            if directives::recognise(tx, event, *directive)? =>
        {
            Ok(())
        }
        Fact::Paid { session, amount_fen, method, by, paid_at, .. } => {
            let paid = SitePayment {
                site: event.site.as_str(),
                sequence: event.sequence as i64,
                session: &session.to_string(),
                amount_fen: *amount_fen,
                method,
                taken_by: by,
                at_ms: paid_at.unwrap_or(event.at.wall).timestamp_millis(),
            };
            taken_at_site(tx, &paid)
        }
        Fact::DirectiveDone { directive, .. } | Fact::DirectiveSkipped { directive, .. } => {
            directives::carried_out(tx, event, *directive)?;
            logged(tx, event)
        }
        Fact::ListInEffect { version, .. } => {
            let at_ms = event.at.wall.timestamp_millis();
            Ok(access::in_effect(tx, event.site.as_str(), *version, at_ms)?)
        }
        Fact::LaneFault { lane, fault } => Ok(state::lane_fault(tx, event, lane.as_str(), fault)?),
        Fact::KeyShared { detail } => {
            Ok(state::alert(tx, event, AlertKind::SiteSecurity, "cloned", detail)?)
        }
        Fact::JournalRepaired { detail, .. } => {
            Ok(state::alert(tx, event, AlertKind::JournalDamaged, "repaired", detail)?)
        }
        Fact::LaneRecovered { lane } => Ok(state::lane_recovered(tx, event, lane.as_str())?),
        Fact::Locker(fact) => lockers::happened_at_site(tx, event, fact),
        Fact::Device { device, online, reason } => {
            lockers::reachable_at_site(tx, event, device, *online, reason)?;
            Ok(state::reachable(tx, event, "controller", device.as_str(), *online, reason)?)
        }
        Fact::Camera { camera, online, reason } => {
            Ok(state::reachable(tx, event, "camera", camera.as_str(), *online, reason)?)
        }
        _ => logged(tx, event),
    }
}

/// Facts that are only written to the log.
fn logged(tx: &mut dyn Transaction, event: &Event) -> Result<()> {
    let (level, module, message) = match &event.fact {
        Fact::Started { version, grace_minutes } => {
            let sql = "UPDATE sites SET version = $1, grace_minutes = $2 WHERE site_id = $3";
            let grace_minutes = grace_minutes.map(i64::from);
            tx.defer(sql, params![version, grace_minutes, event.site.as_str()])?;
            (Level::Info, "edge", format!("started, version {version}"))
        }
        Fact::Stopped => (Level::Info, "edge", "stopped in order".to_owned()),
        Fact::CommandOutcome { outcome, command, .. } if *outcome != Outcome::Accepted => {
            (Level::Warning, "gate", format!("command {command}: {outcome:?}"))
        }
        Fact::Tailgate { lane, .. } => {
            (Level::Warning, "gate", format!("a vehicle followed another through {lane}"))
        }
        Fact::DeviceMisbehaves { device, how } => {
            (Level::Warning, "controllers", format!("{device}: {how}"))
        }
        Fact::DeviceBehaves { device } => {
            (Level::Info, "controllers", format!("{device} behaves again"))
        }
        Fact::VisionRestarted { reason, back_off_ms } => {
            (Level::Warning, "vision", format!("restarted after {back_off_ms} ms: {reason}"))
        }
        Fact::ClockChanged { what, jump_ms } => {
            (Level::Warning, "clock", format!("{what} ({jump_ms} ms)"))
        }
        Fact::Quarantined { sequence, reason } => {
            (Level::Error, "journal", format!("event {sequence} was set aside: {reason}"))
        }
        Fact::JournalUnwritable { for_ms, failures, lost, reason } => {
            let message = format!(
                "not writable for {for_ms} ms ({failures} failures, {lost} facts lost): {reason}"
            );
            (Level::Error, "journal", message)
        }
        Fact::Thinned { through, events } => {
            let message = format!("{events} events of telemetry up to {through} were dropped");
            (Level::Warning, "journal", message)
        }
        Fact::DirectiveSkipped { directive, kind, reason } => {
            let message = format!("directive {directive} ({kind}) was passed over: {reason}");
            (Level::Warning, "directives", message)
        }
        _ => return Ok(()),
    };
    Ok(Entry::of_site(event, level, module, message).write(tx)?)
}

/// A kind of plate as it is kept.
const fn kind_name(kind: PlateKind) -> &'static str {
    match kind {
        PlateKind::Blue => "blue",
        PlateKind::Green => "green",
        PlateKind::Yellow => "yellow",
        PlateKind::White => "white",
        PlateKind::Black => "black",
        PlateKind::Other => "other",
    }
}
