//! `edge-daemon device …`: gives a device what it needs to take part, once: an account at the
//! broker that reaches its own topics alone, and the key that seals its messages.
//!
//! The key lies where the core reads it; of the password nothing stays but its salted hash, in the
//! broker's file.

mod accounts;
mod qr;
mod reload;

use std::fmt;

use domain::{
    envelope::to_hex,
    ids::{DeviceId, SiteId},
};
use firmware_protocol::seal::KEY_BYTES;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;

pub use self::{
    accounts::{AccountError, Accounts},
    qr::{Qr, QrError},
    reload::{Reload, reload},
};
use crate::controller::keys::{KeyError, Keys};

/// Kinds of device that can be paired.
pub const KINDS: [&str; 3] = ["barrier", "charger", "locker"];
/// Random bytes in a password.
const PASSWORD_BYTES: usize = 24;

/// A device cannot be paired.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// It was before.
    #[error("{0} is paired already; --replace gives it new credentials and ends the old ones")]
    Paired(DeviceId),
    /// It was not.
    #[error("{0} is not paired")]
    NotPaired(DeviceId),
    /// Its key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The system.
    #[error("the system gives no random numbers")]
    Random,
}

/// Where devices of a site are kept.
pub struct Pairing {
    /// The site.
    pub site: SiteId,
    /// The keys.
    pub keys: Keys,
    /// The broker's accounts.
    pub accounts: Accounts,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// One of [`KINDS`].
    pub kind: String,
    /// Its name.
    pub id: DeviceId,
}

impl Device {
    /// Its account at the broker.
    pub fn user(&self) -> String {
        format!("{}-{}", self.kind, self.id)
    }
}

impl Pairing {
    /// Pairs a device. The broker has to read its files again afterwards.
    ///
    /// # Errors
    /// Where it is paired and `replace` is not set, and where something cannot be written; then it
    /// is to be paired again.
    pub fn pair(
        &self,
        device: Device,
        (host, port): (String, u16),
        replace: bool,
    ) -> Result<Credentials, PairError> {
        if !replace && self.keys.get(&device.kind, &device.id)?.is_some() {
            return Err(PairError::Paired(device.id));
        }
        let (mut key, mut password) = ([0; KEY_BYTES], [0; PASSWORD_BYTES]);
        let random = SystemRandom::new();
        random.fill(&mut key).map_err(|_| PairError::Random)?;
        random.fill(&mut password).map_err(|_| PairError::Random)?;
        let password = to_hex(&password);
        self.accounts.set(&device.user(), &password, &rights(&self.site, &device))?;
        self.keys.keep(&device.kind, &device.id, &key)?;
        Ok(Credentials { site: self.site.clone(), device, host, port, password, key })
    }

    /// Lets the site's computer in, which reads what all devices say and commands them.
    ///
    /// # Errors
    /// Where the broker's files cannot be written.
    pub fn admit_host(&self, user: &str, password: &str) -> Result<(), PairError> {
        let site = &self.site;
        let rights = [
            format!("topic read site/v1/{site}/#"),
            format!("topic write site/v1/{site}/+/+/cmd/+"),
            "topic write homeassistant/device/+/config".to_owned(),
        ];
        Ok(self.accounts.set(user, password, &rights)?)
    }

    /// Takes everything back.
    ///
    /// # Errors
    /// Where it is not paired, and where something cannot be written.
    pub fn unpair(&self, device: &Device) -> Result<(), PairError> {
        let had_key = self.keys.forget(&device.kind, &device.id)?;
        let had_account = self.accounts.remove(&device.user())?;
        let was_paired = had_key || had_account;
        was_paired.then_some(()).ok_or_else(|| PairError::NotPaired(device.id.clone()))
    }

    /// Every device that is paired, by kind and name.
    ///
    /// # Errors
    /// Where the keys cannot be listed.
    pub fn devices(&self) -> Result<Vec<Device>, PairError> {
        let mut devices = Vec::new();
        for kind in KINDS {
            let of_kind = self.keys.devices(kind)?.into_iter();
            devices.extend(of_kind.map(|id| Device { kind: kind.to_owned(), id }));
        }
        Ok(devices)
    }
}

/// What a device may do at the broker: say what is its own, and hear what it is told.
fn rights(site: &SiteId, Device { kind, id }: &Device) -> Vec<String> {
    let own = |way: &str, leaf: &str| format!("topic {way} site/v1/{site}/{kind}/{id}/{leaf}");
    let said = ["availability", "info", "state", "event/+", "result/+"];
    let said = said.map(|leaf| own("write", leaf));
    [own("read", "cmd/+")].into_iter().chain(said).collect()
}

/// What a device is given, shown once.
pub struct Credentials {
    site: SiteId,
    device: Device,
    host: String,
    port: u16,
    password: String,
    key: [u8; KEY_BYTES],
}

impl Credentials {
    /// All of it on one line, as the QR code has it.
    pub fn to_json(&self) -> String {
        let Self { site, device, host, port, password, key } = self;
        json!({
            "site": site,
            "kind": device.kind,
            "device": device.id,
            "host": host,
            "port": port,
            "user": device.user(),
            "password": password,
            "key": to_hex(key),
        })
        .to_string()
    }

    /// The same as a QR code.
    ///
    /// # Errors
    /// Where it does not fit into one, which no name is long enough for.
    pub fn qr(&self) -> Result<Qr, QrError> {
        Qr::new(&self.to_json())
    }
}

/// For people; the only place where the secrets are written out.
impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, device, host, port, password, key } = self;
        writeln!(f, "site      {site}")?;
        writeln!(f, "device    {} ({})", device.id, device.kind)?;
        writeln!(f, "broker    {host}:{port}")?;
        writeln!(f, "user      {}", device.user())?;
        writeln!(f, "password  {password}")?;
        writeln!(f, "key       {}", to_hex(key))
    }
}
