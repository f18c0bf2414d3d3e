//! Alerts that time raises, and those whose cause is gone.

use super::{AlertKind, NewAlert, raise};
use crate::{
    settings::AlertSettings,
    store::{Row, StoreError, Transaction, params},
};

const MINUTE_MS: i64 = 60_000;

/// Something that wants an alert: the site, what it is about, since when, and what concerns it.
struct Cause {
    kind: AlertKind,
    site: String,
    subject: String,
    since_ms: i64,
    spot: Option<i64>,
    plate: Option<String>,
    message: String,
}

/// Whether anything is to be raised or resolved.
pub(super) fn is_due(
    tx: &mut dyn Transaction,
    limits: AlertSettings,
    now_ms: i64,
) -> Result<bool, StoreError> {
    Ok(!causes(tx, limits, now_ms)?.is_empty() || !gone(tx, limits, now_ms)?.is_empty())
}

/// Raises and resolves what is due.
pub(super) fn advance(
    tx: &mut dyn Transaction,
    limits: AlertSettings,
    now_ms: i64,
) -> Result<(), StoreError> {
    for cause in causes(tx, limits, now_ms)? {
        raise(
            tx,
            &NewAlert {
                site: &cause.site,
                kind: cause.kind,
                subject: &cause.subject,
                since_ms: cause.since_ms,
                message: &cause.message,
                spot: cause.spot,
                plate: cause.plate.as_deref(),
                at_ms: now_ms,
            },
        )?;
    }
    for alert in gone(tx, limits, now_ms)? {
        let sql = "UPDATE alerts SET resolved_at_ms = $1 WHERE id = $2";
        tx.execute(sql, params![now_ms, alert])?;
    }
    Ok(())
}

fn causes(
    tx: &mut dyn Transaction,
    limits: AlertSettings,
    now_ms: i64,
) -> Result<Vec<Cause>, StoreError> {
    let mut causes = overtime(tx, limits.longest_stay_ms, now_ms)?;
    causes.extend(overdue(tx, limits.longest_debt_ms, now_ms)?);
    causes.extend(silent(tx, limits.longest_silence_ms, now_ms)?);
    Ok(causes)
}

/// A length of time for people: in hours where it is whole ones.
fn spoken(ms: i64) -> String {
    let minutes = ms / MINUTE_MS;
    match minutes % 60 {
        0 => format!("{}小时", minutes / 60),
        _ => format!("{minutes}分钟"),
    }
}

/// Where nothing was raised yet about a stay `p` for this cause, nor is active about it.
const NEW_ABOUT_STAY: &str = "NOT EXISTS (SELECT 1 FROM alerts a WHERE a.alert_type = $2
        AND a.subject = CAST(p.id AS TEXT) AND a.site_id = p.site_id
        AND (a.resolved_at_ms IS NULL OR a.since_ms = ";

fn overtime(
    tx: &mut dyn Transaction,
    longest_ms: i64,
    now_ms: i64,
) -> Result<Vec<Cause>, StoreError> {
    let kind = AlertKind::OvertimeParking;
    let sql = format!(
        "SELECT p.site_id, CAST(p.id AS TEXT), p.entered_at_ms, p.spot_id, p.plate,
                COALESCE(sp.number, '')
         FROM parking_sessions p LEFT JOIN spots sp ON sp.id = p.spot_id
         WHERE p.exited_at_ms IS NULL AND p.entered_at_ms <= $1
         AND {NEW_ABOUT_STAY} p.entered_at_ms)) ORDER BY p.entered_at_ms LIMIT 500"
    );
    let rows = tx.query(&sql, params![now_ms - longest_ms, kind.as_str()])?;
    let cause = |row: &Row| {
        let (plate, number): (String, String) = (row.get(4)?, row.get(5)?);
        let place = if number.is_empty() { plate } else { format!("车位{number}") };
        about_stay(row, kind, format!("{place} 停车已超过{}", spoken(longest_ms)))
    };
    rows.iter().map(cause).collect()
}

fn overdue(
    tx: &mut dyn Transaction,
    longest_ms: i64,
    now_ms: i64,
) -> Result<Vec<Cause>, StoreError> {
    let kind = AlertKind::PaymentOverdue;
    let columns = "p.spot_id, p.plate FROM parking_sessions p";
    let left = format!(
        "SELECT p.site_id, CAST(p.id AS TEXT), p.exited_at_ms, {columns}
         WHERE p.fee_fen > p.paid_fen AND p.exited_at_ms <= $1
         AND {NEW_ABOUT_STAY} p.exited_at_ms)) ORDER BY p.exited_at_ms LIMIT 500"
    );
    let ordered = format!(
        "SELECT p.site_id, CAST(p.id AS TEXT), y.created_at_ms, {columns}
         JOIN payments y ON y.session = p.id
         WHERE y.status = 'pending' AND y.is_deleted = 0 AND y.created_at_ms <= $1
         AND {NEW_ABOUT_STAY} y.created_at_ms)) ORDER BY y.created_at_ms LIMIT 500"
    );
    let mut rows = tx.query(&left, params![now_ms - longest_ms, kind.as_str()])?;
    rows.extend(tx.query(&ordered, params![now_ms - longest_ms, kind.as_str()])?);
    let cause = |row: &Row| {
        let plate: String = row.get(4)?;
        about_stay(row, kind, format!("{plate} 的停车费已超过{}未支付", spoken(longest_ms)))
    };
    rows.iter().map(cause).collect()
}

fn about_stay(row: &Row, kind: AlertKind, message: String) -> Result<Cause, StoreError> {
    Ok(Cause {
        kind,
        site: row.get(0)?,
        subject: row.get(1)?,
        since_ms: row.get(2)?,
        spot: row.get(3)?,
        plate: row.get(4)?,
        message,
    })
}

fn silent(
    tx: &mut dyn Transaction,
    longest_ms: i64,
    now_ms: i64,
) -> Result<Vec<Cause>, StoreError> {
    let kind = AlertKind::SiteOffline;
    let sql = "SELECT s.site_id, s.name, s.last_seen_at_ms FROM sites s
               WHERE s.enrolled_at_ms IS NOT NULL AND s.last_seen_at_ms <= $1
               AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.alert_type = $2
                   AND a.subject = s.site_id AND a.site_id = s.site_id
                   AND (a.resolved_at_ms IS NULL OR a.since_ms = s.last_seen_at_ms))";
    let cause = |row: &Row| {
        let (site, name): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(Cause {
            kind,
            subject: site.clone(),
            site,
            since_ms: row.get(2)?,
            spot: None,
            plate: None,
            message: format!("站点 {name} 已超过{}未联系", spoken(longest_ms)),
        })
    };
    tx.query(sql, params![now_ms - longest_ms, kind.as_str()])?.iter().map(cause).collect()
}

/// Numbers of the active alerts whose cause is gone, however it went.
fn gone(
    tx: &mut dyn Transaction,
    limits: AlertSettings,
    now_ms: i64,
) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT a.id FROM alerts a WHERE a.resolved_at_ms IS NULL AND (
        (a.alert_type = 'site_offline' AND EXISTS (SELECT 1 FROM sites s
            WHERE s.site_id = a.subject AND s.last_seen_at_ms > $1))
        OR (a.alert_type = 'overtime_parking' AND EXISTS (SELECT 1 FROM parking_sessions p
            WHERE p.id = CASE WHEN a.alert_type = 'overtime_parking'
                THEN CAST(a.subject AS BIGINT) END AND p.exited_at_ms IS NOT NULL))
        OR (a.alert_type = 'payment_overdue' AND NOT EXISTS (SELECT 1 FROM parking_sessions p
            WHERE p.id = CASE WHEN a.alert_type = 'payment_overdue'
                THEN CAST(a.subject AS BIGINT) END AND (p.fee_fen > p.paid_fen
                OR EXISTS (SELECT 1 FROM payments y WHERE y.session = p.id
                    AND y.status = 'pending' AND y.is_deleted = 0)))))";
    let rows = tx.query(sql, params![now_ms - limits.longest_silence_ms])?;
    rows.iter().map(|row| row.get(0)).collect()
}
