//! WeChat Pay (API v3) and Alipay (RSA2): how each wants to be asked, and how its word is known to
//! be its own. Every request is signed with the merchant's key; an answer or a notification
//! without the provider's signature counts as none.

mod alipay;
mod keys;
mod wechat;

use std::sync::Arc;

use cloud_core::{Gateway, GatewayError};
use domain::clock::Clock;

pub(crate) use self::{alipay::Alipay, wechat::Wechat};
use crate::{config, outside::Unread};

/// The providers that are configured.
#[derive(Clone, Default)]
pub struct Gateways {
    pub(crate) wechat: Option<Arc<Wechat>>,
    pub(crate) alipay: Option<Arc<Alipay>>,
}

impl Gateways {
    /// Reads the keys and prepares to ask; nothing is sent yet.
    ///
    /// # Errors
    /// A sentence that names the key of the configuration and what is wrong with it.
    pub fn new(config: &config::Payment, clock: &Arc<dyn Clock>) -> Result<Self, String> {
        let wechat = config.wechat.as_ref().map(|given| Wechat::new(given, clock.clone()));
        let alipay = config.alipay.as_ref().map(|given| Alipay::new(given, clock.clone()));
        Ok(Self {
            wechat: wechat.transpose()?.map(Arc::new),
            alipay: alipay.transpose()?.map(Arc::new),
        })
    }

    /// The same as the domain takes them.
    pub fn all(&self) -> Vec<Arc<dyn Gateway>> {
        let wechat = self.wechat.clone().map(|gateway| gateway as Arc<dyn Gateway>);
        let alipay = self.alipay.clone().map(|gateway| gateway as Arc<dyn Gateway>);
        wechat.into_iter().chain(alipay).collect()
    }
}

fn no_answer(why: impl ToString) -> GatewayError {
    GatewayError::NoAnswer(why.to_string())
}

fn unreachable(error: reqwest::Error) -> GatewayError {
    no_answer(error.without_url())
}

impl From<Unread> for GatewayError {
    fn from(unread: Unread) -> Self {
        no_answer(unread)
    }
}
