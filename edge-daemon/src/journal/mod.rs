//! What the site remembers: every event, in order, for ever.
//!
//! - An event that was answered as appended is on disk; power cuts and kills take nothing back.
//! - Sequences run from 1 without gaps and are assigned in the transaction that writes the event
//!   and everything that follows from it (see `schema.sql`, which is the contract).
//! - Each event's hash covers all events before it, so that `journal verify` and the cloud notice
//!   a changed, lost or doubled one.
//! - What is damaged is mended at the next start, and what is lost is said and keeps its place
//!   (`repair`); no start fails because of it. What each promise rests on is in `docs/journal.md`.
//! - One thread writes; readers, also of other processes, disturb it in nothing.

mod bookkeeping;
mod carve;
mod charging;
mod config;
mod database;
mod end_mark;
mod error;
mod handle;
mod lockers;
mod open;
mod outbox;
mod pictures;
mod query;
mod recover;
mod repair;
mod retention;
mod room;
mod salvage;
mod state_dir;
mod summary;
#[cfg(test)]
pub(crate) mod tests;
mod verify;
mod write;

pub use config::JournalConfig;
pub use error::JournalError;
pub use handle::{Commit, JournalHandle};
pub use outbox::{Limits, Outbox, Outgoing};
pub use pictures::{PictureState, PictureToSend};
pub use query::{Line, Reader};
pub use recover::{OpenCharge, OpenSession, Payment, Recovered, UnpassedOpen, UnresolvedIntent};
pub use repair::Repair;
pub use retention::{Retention, Swept, sweep, sweep_regularly};
pub use room::{Room, room};
pub use state_dir::StateDir;
pub use summary::summary;
pub(crate) use summary::word;
pub use verify::{Finding, Report, verify};
pub use write::Journal;
