//! `[cloud]` of the configuration file.

use std::net::IpAddr;

use reqwest::Url;
use serde::Deserialize;

/// Where the cloud is, if not where the site was enrolled.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudConfig {
    /// The cloud's address; without it, the one of the enrolment.
    pub url: Option<String>,
    /// Most kilobits per second that go up the line; without it as much as the line takes.
    pub max_upload_kbit_s: Option<u32>,
}

/// Least that makes sense as a limit: a gate at its peak journals a fraction of it.
const LEAST_UPLOAD_KBIT_S: u32 = 16;

impl CloudConfig {
    /// Says what is wrong, naming the key and what would be right.
    pub fn check(&self) -> Result<(), String> {
        if self.max_upload_kbit_s.is_some_and(|limit| limit < LEAST_UPLOAD_KBIT_S) {
            return Err(format!(
                "cloud.max_upload_kbit_s: use {LEAST_UPLOAD_KBIT_S} or more, or leave it out"
            ));
        }
        match &self.url {
            Some(url) => parse(url).map(drop).map_err(|error| format!("cloud.url: {error}")),
            None => Ok(()),
        }
    }
}

/// The address of a cloud. It must be HTTPS unless it is on this machine.
pub(super) fn parse(url: &str) -> Result<Url, String> {
    let parsed = Url::parse(url).map_err(|error| format!("`{url}` is no address: {error}"))?;
    let safe = parsed.scheme() == "https" || (parsed.scheme() == "http" && is_loopback(&parsed));
    if !safe {
        return Err(format!("`{url}` is not safe: use https:// (http:// only for 127.0.0.1)"));
    }
    if parsed.cannot_be_a_base() || parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(format!(
            "`{url}` is no plain address: write https://HOST or https://HOST/PATH"
        ));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("an address with a password in it is not used: the site's key signs".into());
    }
    Ok(parsed)
}

/// Whether the address is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_loopback_goes_without_tls() {
        for good in [
            "https://cloud.example",
            "http://127.0.0.1:8000",
            "http://[::1]:1/",
            "http://localhost",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in
            ["http://cloud.example", "ftp://127.0.0.1", "cloud", "https://a:b@c", "https://c?x"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let config =
            CloudConfig { url: Some("http://cloud.example".into()), ..CloudConfig::default() };
        assert!(config.check().unwrap_err().starts_with("cloud.url: `http://cloud.example`"));
    }
}
