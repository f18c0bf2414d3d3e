//! Devices on a serial line. The line may carry noise, vanish and come back; memory stays one
//! frame and one read buffer.

mod bus;
mod member;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use domain::ids::DeviceId;
use firmware_protocol::{
    frame::{Decoder, MAX_ON_LINE},
    session::Pace,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};
use tokio_serial::SerialStream;
use tracing::info;

use self::{
    bus::{Bus, Outgoing, Patience, Station},
    member::Member,
};
use super::{
    barrier::Barrier,
    charger::Charger,
    config::Kind,
    link::{Desk, Link},
    peer::Peer,
    report::{Report, What},
};

/// How often each barrier on a line is asked.
const POLL_EVERY_MS: u64 = 50;
/// A barrier that was not heard for this long is offline.
const SILENT_AFTER_MS: u64 = 3_000;
/// How often each charger on a line is asked.
const POLL_CHARGER_EVERY_MS: u64 = 500;
/// A charger that was not heard for this long is offline.
const CHARGER_SILENT_AFTER_MS: u64 = 10_000;
/// How soon a device begins its answer, with a millisecond to let go of the line.
const TURNAROUND_MS: u64 = 3;
/// How late an answer may be passed on: a USB adapter keeps bytes for 16 ms, a busy computer longer.
const PASSED_ON_MS: u64 = 50;
const READ_BYTES: usize = 4_096;

/// A device on a line.
pub(super) struct OnLine {
    pub id: DeviceId,
    pub address: u8,
    pub kind: Kind,
    /// Says whether it is online.
    pub online: Arc<AtomicBool>,
}

/// One line with its devices.
pub(super) struct SerialLine {
    path: PathBuf,
    baud: u32,
    bus: Bus,
}

impl SerialLine {
    /// A line with its devices.
    pub fn new(path: PathBuf, baud: u32, devices: Vec<OnLine>, now_ms: u64) -> Self {
        let patience = patience(baud);
        let station = |device: OnLine| Station {
            address: device.address,
            member: member(device, patience.answer_ms, now_ms),
            sequence: 0,
        };
        let stations = devices.into_iter().map(station).collect();
        let bus = Bus::new(stations, patience);
        Self { path, baud, bus }
    }

    fn open(&self) -> tokio_serial::Result<SerialStream> {
        SerialStream::open(&tokio_serial::new(self.path.to_string_lossy(), self.baud))
    }

    /// Works on an open line until it fails; none at the shutdown.
    async fn work(&mut self, mut port: SerialStream, desk: &mut Desk) -> Option<io::Error> {
        let mut decoder = Decoder::new();
        let mut buffer = [0; READ_BYTES];
        let mut reports = Vec::new();
        loop {
            let now_ms = desk.now_ms();
            self.bus.tick(now_ms, &mut reports);
            if let Some(outgoing) = self.bus.transmit(now_ms)
                && let Err(error) = self.write(&mut port, outgoing, &mut reports).await
            {
                return Some(error);
            }
            desk.deliver(&mut reports).await;
            let wait = Duration::from_millis(self.bus.next_at_ms(now_ms).saturating_sub(now_ms));
            tokio::select! {
                biased;
                () = desk.shutdown.cancelled() => return None,
                Some(order) = desk.orders.recv() => {
                    self.bus.order(&order, &mut reports);
                }
                () = sleep(wait) => {}
                read = port.read(&mut buffer) => match read {
                    Ok(0) => return Some(io::ErrorKind::UnexpectedEof.into()),
                    Ok(count) => self.take(&mut decoder, &buffer[..count], desk, &mut reports),
                    Err(error) => return Some(error),
                },
            }
        }
    }

    fn take(&mut self, decoder: &mut Decoder, bytes: &[u8], desk: &Desk, out: &mut Vec<Report>) {
        let before = decoder.dropped().total();
        let now_ms = desk.now_ms();
        let mut strays = 0;
        for frame in bytes.iter().filter_map(|&byte| decoder.push(byte)) {
            strays += u64::from(!self.bus.receive(&frame, now_ms, out));
        }
        desk.count_dropped(strays + u64::from(decoder.dropped().total() - before));
    }

    /// Writes one frame. A line that takes no bytes is as good as gone.
    async fn write(
        &self,
        port: &mut SerialStream,
        outgoing: Outgoing,
        out: &mut Vec<Report>,
    ) -> io::Result<()> {
        let patience = Duration::from_millis(patience(self.baud).answer_ms);
        timeout(patience, port.write_all(&outgoing.bytes)).await??;
        if let Some((device, command)) = outgoing.first_of {
            out.push(Report { device, what: What::Sent { command, at: Instant::now() } });
        }
        Ok(())
    }
}

impl Link for SerialLine {
    async fn serve(&mut self, desk: &mut Desk) -> Option<String> {
        let port = match self.open() {
            Ok(port) => port,
            Err(error) => return Some(format!("the line cannot be opened: {error}")),
        };
        info!(line = %self.path.display(), "line open");
        let error = self.work(port, desk).await?;
        Some(format!("the line was lost: {error}"))
    }

    fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.bus.lost(reason, out);
    }
}

/// A question and its answer fit into the longest frame, at ten bits a byte.
fn patience(baud: u32) -> Patience {
    let bits = MAX_ON_LINE as u64 * 10;
    let quiet_ms = TURNAROUND_MS + bits * 1_000 / u64::from(baud.max(1));
    Patience { quiet_ms, answer_ms: quiet_ms + PASSED_ON_MS }
}

/// A device on a line, by its kind.
fn member(device: OnLine, answer_within_ms: u64, now_ms: u64) -> Box<dyn Member> {
    let OnLine { id, kind, online, .. } = device;
    let pace = |poll_every_ms, silent_after_ms| Pace {
        poll_every_ms: Some(poll_every_ms),
        answer_within_ms,
        silent_after_ms,
        sealed: false,
    };
    match kind {
        Kind::Charger => {
            let pace = pace(POLL_CHARGER_EVERY_MS, CHARGER_SILENT_AFTER_MS);
            Box::new(Peer::<Charger>::new(id, pace, online, now_ms))
        }
        // The configuration, which was checked, has nothing else on a line.
        _ => {
            let pace = pace(POLL_EVERY_MS, SILENT_AFTER_MS);
            Box::new(Peer::<Barrier>::new(id, pace, online, now_ms))
        }
    }
}
