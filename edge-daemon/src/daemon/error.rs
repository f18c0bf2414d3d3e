//! Why the core cannot start.

use std::{io, net::SocketAddr};

use domain::ids::SiteId;

use crate::{
    cloud::CloudError, console::TokenError, identity::IdentityError, journal::JournalError, lists,
    sightings,
};

/// The core cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal.
    #[error("cannot open the journal")]
    Journal(#[from] JournalError),
    /// The list of who may enter.
    #[error("cannot open the list of who may enter")]
    Lists(#[from] lists::StoreError),
    /// The identity.
    #[error("cannot use the site's identity")]
    Identity(#[from] IdentityError),
    /// It was enrolled as another site than the configuration says.
    #[error(
        "site.id is `{configured}`, but this machine was enrolled as `{enrolled}`: set site.id to that"
    )]
    OtherSite {
        /// What the configuration says.
        configured: SiteId,
        /// What the cloud said.
        enrolled: SiteId,
    },
    /// The cloud's address.
    #[error("cannot use the cloud")]
    Cloud(#[from] CloudError),
    /// The operator's token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The socket of vision.
    #[error("cannot listen for vision")]
    Sightings(#[from] sightings::Error),
    /// A listener.
    #[error("cannot listen on {address} for {what}; is another edge-daemon running?")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// For what.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The system.
    #[error("cannot {act}")]
    System {
        /// What was tried.
        act: &'static str,
        /// What the system said.
        source: io::Error,
    },
}
