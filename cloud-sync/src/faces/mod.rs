//! The documented API families: each translates between its document and the one domain, and
//! knows nothing of the others.

pub(crate) mod anpr;
pub(crate) mod hz;
pub(crate) mod images;
