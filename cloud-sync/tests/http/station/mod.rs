//! The station face, as its document has it: drivers, a controller and an admin over HTTP.

mod forms;
mod hostile;
pub(crate) mod people;
mod story;
