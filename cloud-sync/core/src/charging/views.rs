//! What people see of the queues and piles. Names are masked here, before any face gets them.

use std::collections::BTreeMap;

use domain::{
    charging::{Mode, Pile, PileId, PileStatus, Request, Station},
    money::Fen,
};
use uuid::Uuid;

use super::{Charging, SITE, state};
use crate::{
    caller::Caller,
    error::{Error, Result},
    store::{Transaction, params},
};

/// A request as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestStatus {
    /// The request.
    pub request: Request,
    /// Among all of the mode who do not charge, from 1; 0 while charging, or about to at a site.
    pub position: usize,
    /// How long it will wait, in milliseconds.
    pub wait_ms: i64,
    /// The pile it charges or waits at.
    pub pile: Option<PileId>,
    /// When charging began, in milliseconds UTC; none while waiting.
    pub started_at_ms: Option<i64>,
    /// What has been delivered, in watt-hours.
    pub delivered_wh: i64,
}

/// Somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The queue number.
    pub queue_number: String,
    /// How long it will wait, in milliseconds.
    pub wait_ms: i64,
}

/// Who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queues {
    /// All who want to charge fast and do not yet, in order.
    pub fast: Vec<Waiting>,
    /// All who want to charge slowly and do not yet, in order.
    pub slow: Vec<Waiting>,
    /// How many are in the waiting area.
    pub in_waiting_area: usize,
    /// How many it holds.
    pub waiting_places: u32,
}

/// A car at a pile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Car {
    /// Its user's name, masked except for that user and staff.
    pub user: String,
    /// Its queue number.
    pub queue_number: String,
    /// What it wants in all, in watt-hours.
    pub requested_wh: i64,
    /// What has been delivered, in watt-hours.
    pub delivered_wh: i64,
    /// How long it will wait, in milliseconds; 0 while charging.
    pub wait_ms: i64,
}

/// A pile as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PileView {
    /// Its name.
    pub id: PileId,
    /// Whether it can be used.
    pub status: PileStatus,
    /// Its power, in watts.
    pub power_w: i64,
    /// The car that charges.
    pub charging: Option<Car>,
    /// The cars that wait here, in order.
    pub queue: Vec<Car>,
    /// Sessions that it has had.
    pub total_sessions: i64,
    /// What they brought, for staff alone.
    pub total_revenue: Option<Fen>,
}

/// The piles of both modes, each by name.
pub type Piles = Vec<PileView>;

/// Who looks at the piles.
#[derive(Clone, Copy)]
pub(super) struct Viewer {
    user: Option<i64>,
    is_staff: bool,
}

impl Viewer {
    const PUBLIC: Self = Self { user: None, is_staff: false };
    /// An admin.
    pub(super) const STAFF: Self = Self { user: None, is_staff: true };

    fn of(caller: &Caller) -> Self {
        Self { user: caller.account_id(), is_staff: caller.is_staff() }
    }
}

impl Charging {
    /// The caller's active request.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none.
    pub async fn current(&self, caller: &Caller) -> Result<RequestStatus> {
        let user = caller.own_id()?;
        self.look(move |_, station, now_ms| {
            let request = station.request_of(user).ok_or(Error::NotFound("request"))?;
            status(station, request.id, now_ms)
        })
        .await
    }

    /// Who waits, for everybody to see.
    ///
    /// # Errors
    /// [`Error::Store`] where the database cannot be used.
    pub async fn queues(&self) -> Result<Queues> {
        self.look(|_, station, now_ms| {
            let waits_ms = station.waits_ms(now_ms);
            let queue = |mode| {
                let waiting = |request: &Request| Waiting {
                    queue_number: request.queue_number(),
                    wait_ms: waits_ms.get(&request.id).copied().unwrap_or_default(),
                };
                station.queue(mode).into_iter().map(waiting).collect()
            };
            Ok(Queues {
                fast: queue(Mode::Fast),
                slow: queue(Mode::Slow),
                in_waiting_area: station.in_waiting_area(),
                waiting_places: station.parameters().waiting_places,
            })
        })
        .await
    }

    /// The piles and who is there, as the viewer may see them.
    ///
    /// # Errors
    /// [`Error::Store`] where the database cannot be used.
    pub async fn piles(&self, viewer: Option<&Caller>) -> Result<Piles> {
        let viewer = viewer.map_or(Viewer::PUBLIC, Viewer::of);
        self.look(move |tx, station, now_ms| piles(tx, station, now_ms, viewer)).await
    }
}

/// An active request at a moment.
pub(super) fn status(station: &Station, id: Uuid, now_ms: i64) -> Result<RequestStatus> {
    let request = station.requests().get(&id).ok_or(Error::NotFound("request"))?;
    let place = station.places().get(&id).copied();
    let running = station.running(id);
    Ok(RequestStatus {
        position: place.map_or(0, |place| place.position),
        wait_ms: place.and_then(|_| station.waits_ms(now_ms).remove(&id)).unwrap_or_default(),
        pile: running.map(|(pile, _)| pile).or(place.and_then(|place| place.pile)),
        // One that is assigned to a site's charger has not begun before the site says so.
        started_at_ms: running
            .filter(|(_, running)| running.site.is_none_or(|site| site.began))
            .map(|(_, running)| running.started_at_ms),
        delivered_wh: station.delivered_wh(request, now_ms),
        request: request.clone(),
    })
}

/// The piles as somebody may see them.
pub(super) fn piles(
    tx: &mut dyn Transaction,
    station: &Station,
    now_ms: i64,
    viewer: Viewer,
) -> Result<Piles> {
    let (names, mut totals) = (names(tx, viewer)?, totals(tx)?);
    let waits_ms = station.waits_ms(now_ms);
    let car = |id: &Uuid| {
        let request = station.requests().get(id)?;
        Some(Car {
            user: names.get(&request.user).cloned().unwrap_or_default(),
            queue_number: request.queue_number(),
            requested_wh: request.requested_wh,
            delivered_wh: station.delivered_wh(request, now_ms),
            wait_ms: waits_ms.get(id).copied().unwrap_or_default(),
        })
    };
    let mut view = |(id, pile): (&PileId, &Pile)| {
        let (total_sessions, revenue) = totals.remove(id).unwrap_or_default();
        PileView {
            id: *id,
            status: pile.status,
            power_w: pile
                .running
                .as_ref()
                .map_or(station.parameters().power_w(id.mode), |running| running.power_w),
            charging: pile.running.as_ref().and_then(|running| car(&running.request)),
            queue: pile.queue.iter().filter_map(car).collect(),
            total_sessions,
            total_revenue: viewer.is_staff.then_some(revenue),
        }
    };
    Ok(station.piles().iter().map(&mut view).collect())
}

/// The names of those with active requests, as the viewer may see them.
fn names(tx: &mut dyn Transaction, viewer: Viewer) -> Result<BTreeMap<i64, String>> {
    let sql = "SELECT u.id, u.username FROM charging_requests r JOIN users u ON u.id = r.user_id
               WHERE r.site_id = $1 AND r.ended_at_ms IS NULL";
    let may_see = |user| viewer.is_staff || viewer.user == Some(user);
    let mut names = BTreeMap::new();
    for row in tx.query(sql, params![SITE])? {
        let (user, name): (i64, String) = (row.get(0)?, row.get(1)?);
        names.insert(user, if may_see(user) { name } else { masked(&name) });
    }
    Ok(names)
}

/// `u***1`: the first and the last character, whatever the length; the first alone where there
/// are so few that the two would be the name.
fn masked(name: &str) -> String {
    let (first, count) = (name.chars().next(), name.chars().count());
    let last = name.chars().next_back().filter(|_| count > 2);
    first.into_iter().chain("***".chars()).chain(last).collect()
}

fn totals(tx: &mut dyn Transaction) -> Result<BTreeMap<PileId, (i64, Fen)>> {
    let sql = "SELECT pile_id, total_sessions, total_revenue_fen
               FROM charging_piles WHERE site_id = $1";
    let mut totals = BTreeMap::new();
    for row in tx.query(sql, params![SITE])? {
        let id: String = row.get(0)?;
        totals.insert(state::parsed("a pile", &id)?, (row.get(1)?, Fen(row.get(2)?)));
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_name_shows_its_ends_at_most() {
        for (name, shown) in [("user1", "u***1"), ("abc", "a***c"), ("ab", "a***"), ("a", "a***")] {
            assert_eq!(masked(name), shown);
        }
        assert_eq!(masked("张三丰"), "张***丰");
    }
}
