//! `[payment.wechat]` and `[payment.alipay]`: the merchant's accounts where people pay outside.
//! Keys stand in files of their own.

use std::path::PathBuf;

use serde::Deserialize;

use crate::outside;

/// Who takes payments outside; one that is left out is not offered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payment {
    /// WeChat Pay.
    pub wechat: Option<Wechat>,
    /// Alipay.
    pub alipay: Option<Alipay>,
}

/// A merchant's account at WeChat Pay (API v3).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wechat {
    /// The application that the merchant is tied to: `wx…`.
    pub app_id: String,
    /// The merchant's number.
    pub merchant_id: String,
    /// The serial number of the merchant's certificate.
    pub merchant_serial: String,
    /// The merchant's private key: `apiclient_key.pem`.
    pub merchant_key_file: PathBuf,
    /// The APIv3 key of 32 characters.
    pub api_v3_key_file: PathBuf,
    /// The name of WeChat's public key: `PUB_KEY_ID_…`.
    pub platform_key_id: String,
    /// WeChat's public key: `pub_key.pem`.
    pub platform_key_file: PathBuf,
    /// The address of `/payments/wechat/notify/` here, as WeChat reaches it.
    pub notify_url: String,
    /// Where the API is.
    #[serde(default = "wechat_endpoint")]
    pub endpoint: String,
}

/// A merchant's application at Alipay (RSA2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alipay {
    /// The application's number.
    pub app_id: String,
    /// The application's private key.
    pub app_key_file: PathBuf,
    /// Alipay's public key for this application.
    pub alipay_key_file: PathBuf,
    /// The address of `/payments/alipay/notify/` here, as Alipay reaches it.
    pub notify_url: String,
    /// Where the API is.
    #[serde(default = "alipay_endpoint")]
    pub endpoint: String,
}

fn wechat_endpoint() -> String {
    "https://api.mch.weixin.qq.com".to_owned()
}

fn alipay_endpoint() -> String {
    "https://openapi.alipay.com/gateway.do".to_owned()
}

impl Payment {
    pub(super) fn check(&self) -> Result<(), String> {
        let wechat = self.wechat.iter().flat_map(|given| {
            [("wechat.endpoint", &given.endpoint), ("wechat.notify_url", &given.notify_url)]
        });
        let alipay = self.alipay.iter().flat_map(|given| {
            [("alipay.endpoint", &given.endpoint), ("alipay.notify_url", &given.notify_url)]
        });
        match wechat.chain(alipay).find(|(_, address)| !outside::is_safe(address)) {
            Some((key, address)) => {
                Err(format!("`payment.{key}` is `{address}`; use an https:// address"))
            }
            None => Ok(()),
        }
    }
}
