//! anpr: plates and the pictures they were read in (`/api/plates`, `/api/sessions`,
//! `/api/statistics`, `/api/search`). Its document is Russian and knows no login.

mod error;
mod routes;
mod wire;

pub(crate) use error::problem;
pub(crate) use routes::face;
