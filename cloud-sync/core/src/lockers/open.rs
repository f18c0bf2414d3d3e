//! Opening a door with a pickup code. A controller that calls by itself fetches the command; one
//! that is wired to a site gets it through that, and whoever asked waits for what it says.

use domain::locker::OrderStatus;

use super::{
    Cabinet, Lockers, Order, cabinets, codes, commands, finish, orders,
    wired::{self, Route},
};
use crate::{
    caller::Caller,
    error::{Error, Result},
    logs::Entry,
    store::{Transaction, first, params},
};

/// A door that was asked to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The name on the door.
    pub cabinet_id: String,
    /// The order that it was opened for.
    pub order_id: i64,
    /// The command that its controller gets; none where the door is open and only to be closed.
    pub command_id: Option<String>,
}

/// What comes of a code. A wrong one is an outcome, since it is to be kept in mind.
enum Outcome {
    Opening(Opening, Route),
    Wrong,
}

impl Lockers {
    /// Asks a cabinet's controller to open its door, for whoever has the code. With `finish` the
    /// order is completed as soon as the door is closed again.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a cabinet that is not there; [`Error::Refused`] with `bad_code`
    /// for a wrong code or an order whose time is over, `code_locked` after five wrong codes,
    /// `no_device` for a cabinet without controller, `balance_too_low` for the overtime; where it
    /// is wired to a site, `site_away`, `device_offline` and `door_stuck`.
    pub async fn open(
        &self,
        caller: &Caller,
        cabinet_id: &str,
        code: &str,
        finish: bool,
    ) -> Result<Opening> {
        let (caller, cabinet_id) = (caller.clone(), cabinet_id.to_owned());
        let code = code.trim().to_owned();
        let outcome = self.write(move |tx, now_ms| {
            let cabinet = cabinets::get(tx, &cabinet_id)?;
            if codes::is_locked(tx, cabinet.id, now_ms)? {
                return Err(Error::Refused("code_locked"));
            }
            let order = orders::running(tx, cabinet.id)?;
            let Some(order) = order.filter(|order| order.pickup_code.as_ref() == Some(&code))
            else {
                codes::note_wrong(tx, cabinet.id, now_ms)?;
                return Ok(Outcome::Wrong);
            };
            let (opening, route) = open(tx, &cabinet, &order, finish, now_ms)?;
            let message = format!("{cabinet_id} was opened for order {}", order.order_no);
            Entry::of_person(order.site, now_ms, caller.actor(), "lockers", message).write(tx)?;
            Ok(Outcome::Opening(opening, route))
        });
        let (opening, route) = match outcome.await? {
            Outcome::Opening(opening, route) => (opening, route),
            Outcome::Wrong => return Err(Error::Refused("bad_code")),
        };
        if let (Some(command), Some(_)) = (&opening.command_id, route.site()) {
            self.answered(command).await?;
        }
        Ok(opening)
    }
}

fn open(
    tx: &mut dyn Transaction,
    cabinet: &Cabinet,
    order: &Order,
    finish: bool,
    now_ms: i64,
) -> Result<(Opening, Route)> {
    let device = device(tx, cabinet)?;
    let route = wired::route(tx, cabinet, &device, now_ms)?;
    let is_over = order.ends_at_ms.is_some_and(|ends_at_ms| now_ms > ends_at_ms);
    match (finish, is_over) {
        (false, true) => return Err(Error::Refused("bad_code")),
        (true, true) => finish::charge_overtime(tx, order, now_ms, now_ms)?,
        (_, false) => {}
    }
    let only_to_close = finish && finish::door(tx, order)? == "open";
    let command_id = match only_to_close {
        true => None,
        false => Some(commands::issue(tx, &device, &route, order, now_ms)?),
    };
    let finishing = "UPDATE locker_orders SET finishing_at_ms = $2 WHERE id = $1";
    tx.execute(finishing, params![order.id, finish.then_some(now_ms)])?;
    if route == Route::Direct {
        // A site says so when the door has opened.
        let used = "UPDATE locker_orders SET status = $2,
                        started_at_ms = COALESCE(started_at_ms, $3) WHERE id = $1";
        tx.execute(used, params![order.id, OrderStatus::InUse.as_str(), now_ms])?;
    }
    let (cabinet_id, order_id) = (cabinet.cabinet_id.clone(), order.id);
    Ok((Opening { cabinet_id, order_id, command_id }, route))
}

/// The controller that opens a cabinet, where it has one that may.
fn device(tx: &mut dyn Transaction, cabinet: &Cabinet) -> Result<String> {
    let device = cabinet.device_id.clone().ok_or(Error::Refused("no_device"))?;
    let sql = "SELECT 1 FROM devices WHERE device_id = $1 AND is_active = 1";
    match first(tx, sql, params![&device])? {
        Some(_) => Ok(device),
        None => Err(Error::Refused("no_device")),
    }
}
