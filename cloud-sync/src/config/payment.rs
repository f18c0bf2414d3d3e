//! `[payment.wechat]` and `[payment.alipay]`: where a person pays, and what both sides sign with.

use std::{env, fs, path::PathBuf};

use cloud_core::{Provider, ProviderName};
use serde::Deserialize;

use super::ConfigError;

/// Shortest secret that is taken, in bytes.
const SHORTEST_SECRET: usize = 16;

/// Who takes payments outside; one that is left out is not offered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payment {
    /// WeChat Pay.
    pub wechat: Option<PaymentProvider>,
    /// Alipay.
    pub alipay: Option<PaymentProvider>,
}

/// One provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentProvider {
    /// The page on which a person pays.
    pub url: String,
    /// The file with the secret; none for the environment variable.
    pub secret_file: Option<PathBuf>,
}

impl Payment {
    /// The providers with their secrets.
    ///
    /// # Errors
    /// [`ConfigError`] for a URL or a secret that cannot be used.
    pub fn providers(&self) -> Result<Vec<Provider>, ConfigError> {
        let given = [(ProviderName::Wechat, &self.wechat), (ProviderName::Alipay, &self.alipay)];
        let given = given.into_iter().filter_map(|(name, given)| Some((name, given.as_ref()?)));
        given.map(|(name, given)| given.provider(name).map_err(ConfigError)).collect()
    }
}

impl PaymentProvider {
    fn provider(&self, name: ProviderName) -> Result<Provider, String> {
        if !["https://", "http://"].iter().any(|scheme| self.url.starts_with(scheme)) {
            return Err(format!("`payment.{name}.url` is `{}`; use an https:// address", self.url));
        }
        let (secret, source) = match &self.secret_file {
            Some(file) => {
                let text = fs::read_to_string(file).map_err(|error| {
                    format!("`payment.{name}.secret_file`: {}: {error}", file.display())
                })?;
                (text, format!("`payment.{name}.secret_file`"))
            }
            None => {
                let variable = format!("CLOUD_SYNC_{}_SECRET", name.as_str().to_uppercase());
                (env::var(&variable).unwrap_or_default(), format!("the variable {variable}"))
            }
        };
        let secret = secret.trim().to_owned();
        if secret.len() < SHORTEST_SECRET {
            return Err(format!(
                "{source} has a secret of {} bytes; use {SHORTEST_SECRET} or more",
                secret.len()
            ));
        }
        Ok(Provider { name, url: self.url.clone(), secret })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn payment(url: &str, secret: &str, folder: &tempfile::TempDir) -> Payment {
        let file = folder.path().join("secret");
        fs::write(&file, secret).unwrap();
        let wechat = PaymentProvider { url: url.to_owned(), secret_file: Some(file) };
        Payment { wechat: Some(wechat), alipay: None }
    }

    #[test]
    fn a_secret_is_read_from_its_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let payment = payment("https://pay.example.com/", "0123456789abcdef\n", &folder);
        let providers = payment.providers().unwrap();
        assert_eq!(providers[0].secret, "0123456789abcdef");
        assert!(!format!("{providers:?}").contains("0123456789abcdef"));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for (url, secret, named) in [
            ("pay.example.com", "0123456789abcdef", "payment.wechat.url"),
            ("https://pay.example.com", "short", "16 or more"),
        ] {
            let problem = payment(url, secret, &folder).providers().unwrap_err().to_string();
            assert!(problem.contains(named), "{problem}");
        }
    }
}
