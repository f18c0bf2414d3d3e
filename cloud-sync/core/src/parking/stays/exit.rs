//! Cars that leave.

use domain::money::Fen;

use super::{NO_ACTIVE, Stay, Whose, query};
use crate::{
    caller::Actor,
    error::Result,
    logs::Entry,
    parking::{alerts, payments, spots},
    store::{Transaction, params},
};

/// See [`crate::Parking::exit`].
pub(super) fn by_hand(tx: &mut dyn Transaction, id: i64, actor: Actor, now_ms: i64) -> Result<()> {
    let stay = query::get(tx, Whose::All, id).map_err(|_| NO_ACTIVE)?;
    if !stay.is_active() {
        return Err(NO_ACTIVE);
    }
    end(tx, &stay, now_ms)?;
    let message = format!("{} 已离场 (session_{id})", stay.plate);
    Entry::of_person(stay.site, now_ms, actor, "parking", message).write(tx)?;
    Ok(())
}

fn end(tx: &mut dyn Transaction, stay: &Stay, now_ms: i64) -> Result<()> {
    tx.execute(
        "UPDATE parking_sessions SET exited_at_ms = $1, fee_fen = $2, inside_key = NULL
         WHERE id = $3 AND exited_at_ms IS NULL",
        params![now_ms, stay.final_fee(now_ms).0, stay.id],
    )?;
    closed(tx, &stay.site, stay.id, stay.spot.as_ref().map(|spot| spot.id), now_ms)
}

/// What follows from the end of a stay, whoever told of it.
pub(super) fn closed(
    tx: &mut dyn Transaction,
    site: &str,
    id: i64,
    spot: Option<i64>,
    now_ms: i64,
) -> Result<()> {
    if let Some(spot) = spot {
        spots::release(tx, spot, now_ms)?;
    }
    alerts::resolve_about(tx, site, alerts::AlertKind::OvertimeParking, id, now_ms)?;
    payments::notice_overpaid(tx, id, now_ms)
}

/// The car of a stay is no longer on its spot. Without a barrier that is all that is seen of its
/// leaving; a barrier will see it leave.
pub(crate) fn left_spot(tx: &mut dyn Transaction, id: i64, now_ms: i64) -> Result<()> {
    let stay = query::get(tx, Whose::All, id)?;
    if !stay.by_barrier {
        return end(tx, &stay, now_ms);
    }
    tx.execute("UPDATE parking_sessions SET spot_id = NULL WHERE id = $1", params![id])?;
    match stay.spot {
        Some(spot) => spots::release(tx, spot.id, now_ms),
        None => Ok(()),
    }
}

impl Stay {
    /// What the stay costs where it ends now: what is paid and within the time to leave stands.
    fn final_fee(&self, now_ms: i64) -> Fen {
        let (total, owed) = (self.fee_at(now_ms), self.owed_at(now_ms));
        if self.paid_fen > 0 && owed == Fen::ZERO {
            return total.min(Fen(self.paid_fen));
        }
        total
    }
}
