//! A serial line with barriers on it: the far end of a pty, which can be unplugged.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use firmware_protocol::{
    barrier::{Action, Answer, Request},
    frame::{Decoder, Frame},
};
use tokio::{io::AsyncWriteExt, sync::mpsc, task::JoinSet, time::sleep};
use tokio_serial::{SerialPort, SerialStream};

use super::Barrier;

/// How often the barriers look at their inputs by themselves.
const TICK: Duration = Duration::from_millis(5);

/// How often they look at the line: bytes take a while on a real one too.
const LOOK: Duration = Duration::from_millis(1);

/// What a scenario does to the line.
#[derive(Debug)]
enum Deed {
    Unplug,
    Plug,
    Inject(Vec<u8>),
    Replay(Action),
}

/// Barriers on a line; gone on drop.
#[derive(Debug)]
pub struct SerialLine {
    link: PathBuf,
    deeds: mpsc::UnboundedSender<Deed>,
    _task: JoinSet<()>,
}

impl SerialLine {
    /// Plugs in barriers, each with its address. `link` becomes a symbolic link to the line.
    ///
    /// # Errors
    /// When the system has no pty left or the link cannot be made.
    pub fn new(link: &Path, barriers: Vec<(u8, Barrier)>) -> io::Result<Self> {
        let (deeds, receiver) = mpsc::unbounded_channel();
        let mut line =
            Line { link: link.to_owned(), barriers, port: None, last_open: None, last_close: None };
        line.plug()?;
        let mut task = JoinSet::new();
        task.spawn(line.run(receiver));
        Ok(Self { link: link.to_owned(), deeds, _task: task })
    }

    /// Where the line is found.
    pub fn path(&self) -> &Path {
        &self.link
    }

    /// Pulls the adapter out: the line closes and its path vanishes.
    pub fn unplug(&self) {
        self.tell(Deed::Unplug);
    }

    /// Puts the adapter in again.
    pub fn plug(&self) {
        self.tell(Deed::Plug);
    }

    /// Sends bytes to the host, as noise would.
    pub fn inject(&self, bytes: Vec<u8>) {
        self.tell(Deed::Inject(bytes));
    }

    /// Lets the last command to do `action` arrive once more, byte for byte.
    pub fn replay(&self, action: Action) {
        self.tell(Deed::Replay(action));
    }

    fn tell(&self, deed: Deed) {
        self.deeds.send(deed).expect("the line lives as long as its handle");
    }
}

impl Drop for SerialLine {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.link);
    }
}

struct Line {
    link: PathBuf,
    barriers: Vec<(u8, Barrier)>,
    port: Option<SerialStream>,
    last_open: Option<Frame>,
    last_close: Option<Frame>,
}

impl Line {
    fn plug(&mut self) -> io::Result<()> {
        let (near, far) = SerialStream::pair()?;
        let path = far.name().ok_or(io::ErrorKind::NotFound)?;
        self.unplug();
        symlink(path, &self.link)?;
        self.port = Some(near);
        Ok(())
    }

    fn unplug(&mut self) {
        let _ = fs::remove_file(&self.link);
        self.port = None;
    }

    async fn run(mut self, mut deeds: mpsc::UnboundedReceiver<Deed>) {
        let mut decoder = Decoder::new();
        let mut buffer = [0; 1_024];
        loop {
            tokio::select! {
                biased;
                deed = deeds.recv() => match deed {
                    Some(deed) => self.perform(deed).await,
                    None => return,
                },
                count = read(&mut self.port, &mut buffer) => {
                    for frame in buffer[..count].iter().filter_map(|&byte| decoder.push(byte)) {
                        self.take(&frame).await;
                    }
                }
                () = sleep(TICK) => {}
            }
            self.babble().await;
        }
    }

    async fn perform(&mut self, deed: Deed) {
        match deed {
            Deed::Unplug => self.unplug(),
            Deed::Plug => self.plug().expect("the system has a pty left"),
            Deed::Inject(bytes) => self.write(&bytes).await,
            Deed::Replay(action) => {
                if let Some(frame) = self.last(action).clone() {
                    self.take(&frame).await;
                }
            }
        }
    }

    fn last(&mut self, action: Action) -> &mut Option<Frame> {
        match action {
            Action::Open => &mut self.last_open,
            Action::Close => &mut self.last_close,
        }
    }

    async fn take(&mut self, frame: &Frame) {
        let addressed = self.barriers.iter().find(|(address, _)| *address == frame.address);
        let Some((_, barrier)) = addressed else { return };
        let barrier = barrier.clone();
        let Ok(request) = Request::decode(frame.kind, &frame.payload) else { return };
        if let Request::Command(command) = request {
            *self.last(command.action) = Some(frame.clone());
        }
        let faults = barrier.board().faults;
        if faults.silent {
            return;
        }
        sleep(Duration::from_millis(faults.slow_ms)).await;
        for _ in 0..if faults.duplicates { 2 } else { 1 } {
            let answer = barrier.board().answer(&request);
            let bytes = reply_to(frame, &answer);
            self.write(&bytes).await;
            if faults.duplicates {
                self.write(&bytes).await;
            }
        }
    }

    async fn babble(&mut self) {
        for (address, barrier) in self.barriers.clone() {
            let (babbling, status) = {
                let board = barrier.board();
                (board.faults.babbling, board.status())
            };
            if babbling {
                let unasked = Frame { address, sequence: 0, kind: 0, payload: Default::default() };
                let bytes = reply_to(&unasked, &Answer::Status(status)).repeat(20);
                self.write(&bytes).await;
            }
        }
    }

    /// A line that nobody listens to swallows what is said.
    async fn write(&mut self, bytes: &[u8]) {
        if let Some(port) = &mut self.port {
            let _ = tokio::time::timeout(Duration::from_secs(5), port.write_all(bytes)).await;
        }
    }
}

fn reply_to(question: &Frame, answer: &Answer) -> Vec<u8> {
    let (kind, payload) = answer.encode();
    let Frame { address, sequence, .. } = *question;
    Frame { address, sequence, kind, payload }.encode().to_vec()
}

/// Waits for bytes; for ever on an unplugged line. It looks by the clock: a line that was closed
/// once counts as readable for ever, and waiting for that would take a whole processor.
async fn read(port: &mut Option<SerialStream>, buffer: &mut [u8]) -> usize {
    let Some(port) = port else { return std::future::pending().await };
    loop {
        match port.try_read(buffer) {
            Ok(count @ 1..) => return count,
            Ok(0) | Err(_) => sleep(LOOK).await,
        }
    }
}
