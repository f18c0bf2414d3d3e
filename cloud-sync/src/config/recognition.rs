//! Recognition of pictures, and who reads again what was not read surely.

use serde::Deserialize;

use crate::outside;
pub use crate::recognition::ApiKey;

/// How pictures that people send are recognised.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recognition {
    /// Pictures at a time.
    pub threads: usize,
    /// Pictures that may wait for their turn; more are refused.
    pub queue: usize,
    /// Detection channels that may be open at a time.
    pub max_channels: usize,
}

impl Default for Recognition {
    fn default() -> Self {
        Self { threads: 2, queue: 16, max_channels: 64 }
    }
}

/// Who reads plates that the networks are unsure of; asked only where an API key is given.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecondReader {
    /// Where the Messages API is spoken.
    pub endpoint: String,
    /// The model that is asked.
    pub model: String,
    /// Plates that were read with less confidence than this are sent, 0 to 1.
    pub below: f64,
    /// Most questions in a day (UTC).
    pub daily_budget: u32,
    /// Longest wait for an answer, in seconds.
    pub time_limit_s: u64,
    /// The key, which is given on the command line or in the environment alone.
    #[serde(skip)]
    pub key: Option<ApiKey>,
}

impl Default for SecondReader {
    fn default() -> Self {
        Self {
            endpoint: "https://api.anthropic.com/v1/messages".to_owned(),
            model: "claude-sonnet-4-5".to_owned(),
            below: 0.6,
            daily_budget: 200,
            time_limit_s: 10,
            key: None,
        }
    }
}

impl SecondReader {
    pub(super) fn check(&self) -> Result<(), String> {
        if !outside::is_safe(&self.endpoint) {
            return Err("`second_reader.endpoint` is no https address".to_owned());
        }
        if !(0.0..=1.0).contains(&self.below) {
            return Err("`second_reader.below` is no number from 0 to 1".to_owned());
        }
        if !(1..=10).contains(&self.time_limit_s) {
            return Err("`second_reader.time_limit_s` is not 1 to 10".to_owned());
        }
        Ok(())
    }
}
