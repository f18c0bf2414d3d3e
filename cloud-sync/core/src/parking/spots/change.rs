//! Making, changing and retiring spots.

use super::{NewSpot, Spot, SpotChange, query};
use crate::{
    caller::Actor,
    error::{Error, Result},
    logs::Entry,
    parking::site,
    sites::default_site,
    store::{Transaction, first, next_id, number, params},
    text,
};

pub(super) fn insert(
    tx: &mut dyn Transaction,
    new: &NewSpot,
    actor: Actor,
    now_ms: i64,
) -> Result<Spot> {
    let painted = text::required("number", &new.number, 50)?;
    let spot_type = text::required("spot_type", &new.spot_type, 30)?;
    let (site, area) = match new.area {
        Some(area) => (site_of(tx, area)?, area),
        None => {
            let site = default_site(tx, now_ms)?;
            let area = site::default_area(tx, &site, now_ms)?;
            (site, area)
        }
    };
    must_be_new(tx, area, &painted, None)?;
    let id = next_id(tx, "spot")?;
    tx.execute(
        "INSERT INTO spots (site_id, id, area_id, number, spot_type, created_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
        params![&site, id, area, &painted, spot_type, now_ms],
    )?;
    let message = format!("车位 {painted} 已创建");
    Entry::of_person(site, now_ms, actor, "parking", message).write(tx)?;
    query::get(tx, id)
}

/// The site of an area in use.
fn site_of(tx: &mut dyn Transaction, area: i64) -> Result<String> {
    let sql = "SELECT site_id FROM areas WHERE id = $1 AND is_active = 1";
    let row = first(tx, sql, params![area])?;
    Ok(row.ok_or_else(|| Error::invalid("area_id", "no such area"))?.get(0)?)
}

fn must_be_new(
    tx: &mut dyn Transaction,
    area: i64,
    painted: &str,
    itself: Option<i64>,
) -> Result<()> {
    let sql = "SELECT COUNT(*) FROM spots
               WHERE area_id = $1 AND number = $2 AND is_active = 1 AND id <> $3";
    match number(tx, sql, params![area, painted, itself.unwrap_or_default()])? {
        0 => Ok(()),
        _ => Err(Error::invalid("number", format!("`{painted}` is there already"))),
    }
}

pub(super) fn update(
    tx: &mut dyn Transaction,
    id: i64,
    change: &SpotChange,
    actor: Actor,
    now_ms: i64,
) -> Result<Spot> {
    let spot = query::get(tx, id)?;
    let area = change.area.unwrap_or(spot.area_id);
    if area != spot.area_id && spot.session.is_some() {
        return Err(Error::Refused("spot_in_use"));
    }
    let site = site_of(tx, area)?;
    let painted = text::required("number", change.number.as_ref().unwrap_or(&spot.number), 50)?;
    let spot_type =
        text::required("spot_type", change.spot_type.as_ref().unwrap_or(&spot.spot_type), 30)?;
    must_be_new(tx, area, &painted, Some(id))?;
    tx.execute(
        "UPDATE spots SET site_id = $1, area_id = $2, number = $3, spot_type = $4,
                updated_at_ms = $5 WHERE id = $6",
        params![&site, area, &painted, spot_type, now_ms, id],
    )?;
    let message = format!("车位 {painted} 已更新");
    Entry::of_person(site, now_ms, actor, "parking", message).write(tx)?;
    query::get(tx, id)
}

pub(super) fn retire(tx: &mut dyn Transaction, id: i64, actor: Actor, now_ms: i64) -> Result<Spot> {
    let spot = query::get(tx, id)?;
    if spot.session.is_some() {
        return Err(Error::Refused("spot_in_use"));
    }
    tx.execute(
        "UPDATE spots SET is_active = 0, updated_at_ms = $1 WHERE id = $2",
        params![now_ms, id],
    )?;
    let message = format!("车位 {} 已删除", spot.number);
    Entry::of_person(spot.site.clone(), now_ms, actor, "parking", message).write(tx)?;
    Ok(Spot { is_active: false, updated_at_ms: now_ms, ..spot })
}
