//! The smart face: users and their cars, slots, transactions, payments, cameras and what they
//! see, and all of it at a glance, as the smart parking document has them. A slot is a spot, a
//! transaction a stay, an OCR log a plate that was read.

mod cameras;
mod cars;
mod dashboard;
mod error;
mod input;
mod listing;
mod payments;
mod routes;
mod slots;
mod time;
mod transactions;
mod users;

pub(crate) use self::routes::face;
