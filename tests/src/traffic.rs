//! Cars, one after the other, as drivers behave: they stand before the barrier until it opens.

use std::{io, time::Duration};

use firmware_protocol::barrier::Arm;
use tokio::time::{sleep, timeout};

use crate::{barrier::Barrier, process::PATIENCE, vision::Vision};

/// A car that still stands there is seen again after this long.
const SEEN_AGAIN: Duration = Duration::from_millis(500);
/// The next car comes when the arm is down, or after this long where it stays up.
const HEADWAY: Duration = Duration::from_secs(5);
/// How often the barrier is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// The way through one barrier.
#[derive(Clone)]
pub struct Drive {
    /// The barrier.
    pub barrier: Barrier,
    vision: Vision,
    camera: &'static str,
}

impl Drive {
    /// The way through `barrier`, which `camera` sees.
    pub fn new(barrier: Barrier, camera: &'static str, vision: Vision) -> Self {
        Self { barrier, vision, camera }
    }

    /// A car's plate is read.
    pub fn see(&self, plate: &str) {
        self.vision.see(self.camera, plate);
    }

    /// A car drives up; when this returns, it is through and the arm is down again, unless the
    /// arm stays up for long.
    ///
    /// # Errors
    /// Where it is not let through for long.
    pub async fn pass(&self, plate: &str) -> io::Result<()> {
        self.through(plate).await?;
        let _ = timeout(HEADWAY, self.closed()).await;
        Ok(())
    }

    /// A car drives up; it is through when this returns.
    ///
    /// # Errors
    /// Where it is not let through for long.
    pub async fn through(&self, plate: &str) -> io::Result<()> {
        let before = self.barrier.status().under_arm_count;
        self.barrier.board().hardware.vehicle();
        let through = async {
            loop {
                self.see(plate);
                if timeout(SEEN_AGAIN, self.passed(before)).await.is_ok() {
                    return;
                }
            }
        };
        let stuck = |_| io::Error::other(format!("{plate} is not let through"));
        timeout(PATIENCE, through).await.map_err(stuck)
    }

    async fn passed(&self, before: u16) {
        loop {
            let status = self.barrier.status();
            if status.under_arm_count != before && !status.under_arm {
                return;
            }
            sleep(LOOK).await;
        }
    }

    async fn closed(&self) {
        while self.barrier.board().hardware.arm() != Arm::Closed {
            sleep(LOOK).await;
        }
    }
}
