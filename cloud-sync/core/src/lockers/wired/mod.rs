//! Lockers that are wired to the edge of a site: told there which orders have which cabinets
//! ([`told`]), opened through it ([`reach`]), and kept here as it tells what happened ([`facts`]).
//!
//! The site's wiring is the truth about which controller a cabinet has. A site speaks for the
//! cabinets of its own station alone, whatever it says of others. Where the site and this service
//! knew different things of an order, [`domain::locker`] says what holds.

mod facts;
mod reach;
mod told;

pub(crate) use self::facts::{apply, reachable};
pub(super) use self::{
    reach::{Route, route, send},
    told::{tell, tell_station},
};
