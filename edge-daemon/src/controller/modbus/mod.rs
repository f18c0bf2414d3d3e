//! Chargers and meters on a Modbus RTU line, each by the registers of its model. One question at a
//! time, everybody in turn; who is told something new comes first.

mod device;
mod line;
pub mod model;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use domain::ids::DeviceId;
use tokio::time::sleep;
use tracing::info;

use self::{device::Device, line::Line, model::Model};
use super::{
    Action,
    charger::Capability,
    link::{Desk, Link, Order},
    report::Report,
};

/// What is still on its way after a question that was not answered is over by then.
const QUIET: Duration = Duration::from_millis(250);

/// A line with its devices.
pub(super) struct ModbusLine {
    path: PathBuf,
    settings: model::Line,
    devices: Vec<Device>,
}

impl ModbusLine {
    /// A line with its devices: name, address, model, and the flag that says whether each is
    /// online.
    pub fn new(
        path: PathBuf,
        settings: model::Line,
        devices: Vec<(DeviceId, u8, Model, Arc<AtomicBool>)>,
    ) -> Self {
        let device = |(id, address, model, online)| Device::new(id, address, model, online);
        Self { path, settings, devices: devices.into_iter().map(device).collect() }
    }

    fn take(&mut self, order: &Order, now_ms: u64) {
        let known = self.devices.iter_mut().find(|device| *device.id() == order.device);
        if let (Some(device), Action::Charger(target)) = (known, order.action) {
            device.set(target, now_ms);
        }
    }

    /// Visits everybody who is due; whether the line is to begin anew.
    async fn visit(&mut self, line: &mut Line, desk: &mut Desk) -> bool {
        let mut reports = Vec::new();
        while let Some(device) = self.next() {
            let now_ms = desk.now_ms();
            if device.due_ms() > now_ms {
                return false;
            }
            let is_broken = device.visit(line, now_ms, &mut reports).await;
            desk.deliver(&mut reports).await;
            if is_broken {
                return true;
            }
            while let Ok(order) = desk.orders.try_recv() {
                self.take(&order, desk.now_ms());
            }
            if desk.shutdown.is_cancelled() {
                return false;
            }
        }
        false
    }

    fn next(&mut self) -> Option<&mut Device> {
        self.devices.iter_mut().min_by_key(|device| device.due_ms())
    }
}

impl Link for ModbusLine {
    async fn serve(&mut self, desk: &mut Desk) -> Option<String> {
        let path = self.path.to_string_lossy().into_owned();
        let open = || Line::open(&path, self.settings);
        let mut line = match open() {
            Ok(line) => line,
            Err(error) => return Some(format!("the line cannot be opened: {error}")),
        };
        info!(line = path, "line open");
        loop {
            let now_ms = desk.now_ms();
            let due_ms = self.next().map_or(u64::MAX, |device| device.due_ms());
            let wait = Duration::from_millis(due_ms.saturating_sub(now_ms));
            tokio::select! {
                biased;
                () = desk.shutdown.cancelled() => return None,
                Some(order) = desk.orders.recv() => self.take(&order, now_ms),
                () = sleep(wait) => {
                    if self.visit(&mut line, desk).await {
                        drop(line);
                        sleep(QUIET).await;
                        line = match Line::open(&path, self.settings) {
                            Ok(line) => line,
                            Err(error) => return Some(format!("the line was lost: {error}")),
                        };
                    }
                }
            }
        }
    }

    fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.devices.iter_mut().for_each(|device| device.lost(reason, out));
    }
}
