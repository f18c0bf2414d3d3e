//! Opening a door with a pickup code.

use domain::locker::OrderStatus;

use super::{Cabinet, Lockers, Order, cabinets, codes, commands, finish, orders};
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
    Opening(Opening),
    Wrong,
}

impl Lockers {
    /// Asks a cabinet's controller to open its door, for whoever has the code. With `finish` the
    /// order is completed as soon as the door is closed again.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a cabinet that is not there; [`Error::Refused`] with `bad_code`
    /// for a wrong code or an order whose time is over, `code_locked` after five wrong codes,
    /// `no_device` for a cabinet without controller, `balance_too_low` for the overtime.
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
            let opening = open(tx, &cabinet, &order, finish, now_ms)?;
            let message = format!("{cabinet_id} was opened for order {}", order.order_no);
            Entry::of_person(order.site, now_ms, caller.actor(), "lockers", message).write(tx)?;
            Ok(Outcome::Opening(opening))
        });
        match outcome.await? {
            Outcome::Opening(opening) => Ok(opening),
            Outcome::Wrong => Err(Error::Refused("bad_code")),
        }
    }
}

fn open(
    tx: &mut dyn Transaction,
    cabinet: &Cabinet,
    order: &Order,
    finish: bool,
    now_ms: i64,
) -> Result<Opening> {
    let device = device(tx, cabinet)?;
    let is_over = order.ends_at_ms.is_some_and(|ends_at_ms| now_ms > ends_at_ms);
    match (finish, is_over) {
        (false, true) => return Err(Error::Refused("bad_code")),
        (true, true) => finish::charge_overtime(tx, order, now_ms, now_ms)?,
        (_, false) => {}
    }
    let only_to_close = finish && finish::door(tx, order)? == "open";
    let command_id = match only_to_close {
        true => None,
        false => Some(commands::issue(tx, &device, order, now_ms)?),
    };
    tx.execute(
        "UPDATE locker_orders SET status = $2, started_at_ms = COALESCE(started_at_ms, $3),
             finishing_at_ms = $4 WHERE id = $1",
        params![order.id, OrderStatus::InUse.as_str(), now_ms, finish.then_some(now_ms)],
    )?;
    Ok(Opening { cabinet_id: cabinet.cabinet_id.clone(), order_id: order.id, command_id })
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
