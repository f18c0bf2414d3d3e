//! The URL of a database, and what it says about TLS.

use std::path::PathBuf;

use tokio_postgres::{Config, config::SslMode};

use super::{link::Link, tls::Tls};
use crate::error::{Error, Result};

const ANY: &str = "postgres://user:password@host:port/database";
/// What a URL may say about TLS.
const MODES: &str = "sslmode=disable, sslmode=require (encrypted, whoever answers) or \
                     sslmode=verify-full&sslrootcert=FILE (encrypted, and the server proves its \
                     name with a certificate that FILE vouches for)";

/// Reads a `postgres://` URL. What is wrong with it is told without the password. Without a word
/// about TLS there is none.
pub(in crate::store) fn link(url: &str) -> Result<Link> {
    let (bare, mode, root) = split(url);
    let mut config: Config = bare.parse().map_err(|_| wrong(format!("is no {ANY}")))?;
    if config.get_dbname().is_none() || config.get_hosts().is_empty() {
        return Err(wrong(format!("names no host or no database; write {ANY}")));
    }
    let tls = match (mode.as_deref().unwrap_or("disable"), root) {
        ("disable", None) => None,
        ("require", None) => Some(Tls::unverified()),
        ("verify-full", Some(file)) => Some(Tls::verified(&file).map_err(wrong)?),
        _ => return Err(wrong(format!("says something else about TLS than {MODES}"))),
    };
    config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
    Ok(Link::new(config, tls))
}

fn wrong(problem: String) -> Error {
    Error::invalid("database_url", problem)
}

/// The URL without what it says about TLS, and that.
fn split(url: &str) -> (String, Option<String>, Option<PathBuf>) {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut root, mut rest) = (None, None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => root = Some(PathBuf::from(value)),
            _ => rest.push(pair),
        }
    }
    let query = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    (format!("{base}{query}"), mode, root)
}
