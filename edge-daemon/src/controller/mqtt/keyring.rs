//! The keys of the devices behind a broker, as they lie in their files now: a device that is
//! paired, given another key or unpaired is so within seconds, without a restart.

use std::{
    collections::{HashMap, HashSet},
    error::Error,
    time::Duration,
};

use domain::ids::DeviceId;
use firmware_protocol::seal::Key;
use tokio::{sync::watch, task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::controller::{config::Kind, keys::Keys};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The devices that have a key.
pub(in crate::controller) type Keyring = HashMap<DeviceId, Key>;

/// Follows the keys of these devices until the shutdown.
pub(in crate::controller) fn follow(
    keys: Keys,
    devices: Vec<(DeviceId, Kind)>,
    shutdown: CancellationToken,
) -> watch::Receiver<Keyring> {
    let mut files = Files { keys, devices, unreadable: HashSet::new() };
    let (sender, receiver) = watch::channel(files.read());
    tokio::spawn(async move {
        let look = async move {
            loop {
                sleep(LOOK_EVERY).await;
                let looked = spawn_blocking(move || (files.read(), files)).await;
                let Ok((found, back)) = looked else { return };
                files = back;
                sender.send_if_modified(|known| {
                    let differs = *known != found;
                    *known = found;
                    differs
                });
            }
        };
        shutdown.run_until_cancelled(look).await
    });
    receiver
}

struct Files {
    keys: Keys,
    devices: Vec<(DeviceId, Kind)>,
    /// Whose key was not to be read the last time, which is said once.
    unreadable: HashSet<DeviceId>,
}

impl Files {
    fn read(&mut self) -> Keyring {
        let mut keyring = Keyring::new();
        for (device, kind) in &self.devices {
            let key = self.keys.get(kind.word(), device);
            match &key {
                Ok(_) => {
                    self.unreadable.remove(device);
                }
                Err(error) if self.unreadable.insert(device.clone()) => {
                    error!(%device, error = error as &dyn Error, "no key");
                }
                Err(_) => {}
            }
            keyring.extend(key.ok().flatten().map(|key| (device.clone(), key)));
        }
        keyring
    }
}
