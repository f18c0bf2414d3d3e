//! Reasons as people read them, with times on the site's clock.

use chrono::{DateTime, Utc};
use domain::{access::Permit, clock::ClockQuality, event::Candidate, money::Fen, parking::Session};

use super::Query;

/// A time of today as `14:02`, of another day as `2026-11-20 14:02`.
pub(super) fn time(query: &Query, at: DateTime<Utc>) -> String {
    let zone = &query.parking.timezone;
    let (local, today) = (at.with_timezone(zone), query.now.wall.with_timezone(zone));
    let is_today = local.date_naive() == today.date_naive();
    local.format(if is_today { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string()
}

pub(super) fn permit(query: &Query, permit: &Permit) -> String {
    let holder = &permit.holder;
    let has_dates = permit.valid_from.or(permit.valid_until).is_some();
    match permit.valid_until {
        _ if has_dates && query.now.quality == ClockQuality::Unsynchronised => {
            format!("permit of {holder}, its dates not judged because the clock is not set")
        }
        Some(until) => format!("permit of {holder}, valid until {}", time(query, until)),
        None => format!("permit of {holder}"),
    }
}

/// Tells a permit that does not hold from none at all.
pub(super) fn no_permit(query: &Query, plate: &str) -> String {
    let now = query.now.wall;
    let permits = query.knowledge.lists.permits(plate);
    if let Some(elsewhere) = permits.iter().find(|p| !p.revoked && p.covers(now)) {
        let lanes: Vec<_> = elsewhere.lanes.iter().map(|lane| lane.as_str()).collect();
        return format!("its permit is for {} only", lanes.join(", "));
    }
    if let Some(from) = permits.iter().filter_map(|p| p.valid_from).filter(|from| *from > now).min()
    {
        return format!("its permit holds from {} only", time(query, from));
    }
    match permits.iter().filter_map(|p| Some((p.valid_until?, p.revoked))).max() {
        Some((ended, true)) => format!("its permit was revoked at {}", time(query, ended)),
        Some((ended, false)) => format!("its permit ended at {}", time(query, ended)),
        None => "no permit for this plate".into(),
    }
}

pub(super) fn ambiguous(text: &str, candidates: &[Candidate]) -> String {
    let known: Vec<&str> = candidates.iter().map(|c| c.plate.as_str()).collect();
    format!("{text} may be any of {}, which look alike", known.join(" and "))
}

pub(super) fn free(session: &Session) -> String {
    match &session.tariff {
        None => "parking costs nothing".into(),
        Some(tariff) if tariff.free_minutes > 0 => {
            format!("nothing is due: within the first {} minutes", tariff.free_minutes)
        }
        Some(_) => "nothing is due".into(),
    }
}

pub(super) fn paid(query: &Query, session: &Session, until: DateTime<Utc>) -> String {
    format!("fee of ¥{} is paid, time to leave until {}", session.paid, time(query, until))
}

pub(super) fn owed(query: &Query, owed: Fen, paid: Fen, since: DateTime<Utc>) -> String {
    let since = time(query, since);
    if paid > Fen::ZERO {
        format!("fee of ¥{owed} is due since {since}, beside ¥{paid} that is paid")
    } else {
        format!("fee of ¥{owed} is due since {since}")
    }
}
