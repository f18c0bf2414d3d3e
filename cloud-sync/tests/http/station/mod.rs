//! The station face, as its document has it: drivers, a controller and an admin over HTTP.

mod forms;
mod hostile;
mod payments;
mod people;
mod story;
