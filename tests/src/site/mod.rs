//! A whole site and its cloud on loopback, made of the real binaries. What a scenario wants to see
//! it asks as anybody would: over HTTP, or by reading the two databases.

mod cloud;
mod cluster;
mod edge;

pub use cloud::Cloud;
pub use cluster::Cluster;
pub use edge::{Edge, Lane, Link, Plan, Source};
