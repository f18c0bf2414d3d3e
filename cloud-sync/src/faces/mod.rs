//! The documented API families: each translates between its document and the one domain, and
//! knows nothing of the others.

pub(crate) mod anpr;
pub(crate) mod charging;
mod choose;
pub(crate) mod hz;
pub(crate) mod images;
mod payments;
pub(crate) mod smart;
pub(crate) mod station;

pub(crate) use choose::choose;

use crate::http::Face;

/// All families.
pub(crate) fn all() -> Vec<Face> {
    vec![
        anpr::face(),
        charging::face(),
        hz::face(),
        hz::members(),
        images::face(),
        payments::face(),
        smart::face(),
        station::face(),
    ]
}
