//! The lockers: a station with one controller, drivers with money, and what becomes of it.

mod commands;
mod figures;
mod money;
mod orders;
mod providers;
mod station;
mod wired;
