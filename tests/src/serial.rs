//! A serial line with devices on it: the far end of a pty, which can be unplugged.

use std::{
    collections::HashMap,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use firmware_protocol::{
    barrier::{Action, Command, Request},
    frame::{Decoder, Frame, Payload},
};
use tokio::{io::AsyncWriteExt, sync::mpsc, task::JoinSet, time::sleep};
use tokio_serial::{SerialPort, SerialStream};

/// How a device behaves on its line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manners {
    /// It says nothing.
    pub silent: bool,
    /// It talks without being asked, without end.
    pub babbling: bool,
    /// Everything it receives reaches it twice, and everything it says is said twice.
    pub duplicates: bool,
    /// It takes this long to answer.
    pub slow: Duration,
}

/// A device of some kind on a line.
pub trait Station: Send + Sync + 'static {
    /// How it behaves now.
    fn manners(&self) -> Manners;
    /// What it answers; none to what it does not understand.
    fn answer(&self, kind: u8, payload: &[u8]) -> Option<(u8, Payload)>;
    /// What it says when it babbles.
    fn unasked(&self) -> (u8, Payload);
}

/// How often the devices look at their inputs by themselves.
const TICK: Duration = Duration::from_millis(5);

/// How often they look at the line: bytes take a while on a real one too.
const LOOK: Duration = Duration::from_millis(1);

/// What a scenario does to the line.
#[derive(Debug)]
enum Deed {
    Unplug,
    Plug,
    Inject(Vec<u8>),
    Replay(u8),
}

/// Devices on a line; gone on drop.
#[derive(Debug)]
pub struct SerialLine {
    link: PathBuf,
    deeds: mpsc::UnboundedSender<Deed>,
    _task: JoinSet<()>,
}

impl SerialLine {
    /// Plugs in devices, each with its address. `link` becomes a symbolic link to the line.
    ///
    /// # Errors
    /// When the system has no pty left or the link cannot be made.
    pub fn new<S: Station>(link: &Path, stations: Vec<(u8, S)>) -> io::Result<Self> {
        let boxed = |(address, station)| (address, Box::new(station) as Box<dyn Station>);
        Self::mixed(link, stations.into_iter().map(boxed).collect())
    }

    /// The same for devices of several kinds.
    ///
    /// # Errors
    /// As [`SerialLine::new`].
    pub fn mixed(link: &Path, stations: Vec<(u8, Box<dyn Station>)>) -> io::Result<Self> {
        let (deeds, receiver) = mpsc::unbounded_channel();
        let stations = stations.into_iter().collect();
        let mut line = Line { link: link.to_owned(), stations, port: None, last: HashMap::new() };
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

    /// Lets the last frame of a kind arrive once more, byte for byte.
    pub fn replay_kind(&self, kind: u8) {
        self.tell(Deed::Replay(kind));
    }

    /// Lets the last command to a barrier to do `action` arrive once more.
    pub fn replay(&self, action: Action) {
        let any = Command { boot: 0, session: 0, id: [0; 16], expires_at_ms: 0, action };
        self.replay_kind(Request::Command(any).encode().0);
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
    stations: HashMap<u8, Box<dyn Station>>,
    port: Option<SerialStream>,
    /// The last frame of each kind.
    last: HashMap<u8, Frame>,
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
            Deed::Replay(kind) => {
                if let Some(frame) = self.last.get(&kind).cloned() {
                    self.take(&frame).await;
                }
            }
        }
    }

    async fn take(&mut self, frame: &Frame) {
        let Some(station) = self.stations.get(&frame.address) else { return };
        self.last.insert(frame.kind, frame.clone());
        let manners = station.manners();
        if manners.silent {
            return;
        }
        sleep(manners.slow).await;
        for _ in 0..if manners.duplicates { 2 } else { 1 } {
            let station = &self.stations[&frame.address];
            let Some(answer) = station.answer(frame.kind, &frame.payload) else { return };
            let bytes = reply_to(frame, answer);
            self.write(&bytes).await;
            if manners.duplicates {
                self.write(&bytes).await;
            }
        }
    }

    async fn babble(&mut self) {
        let babbling = self.stations.iter().filter(|(_, station)| station.manners().babbling);
        let said: Vec<_> = babbling
            .map(|(&address, station)| {
                let unasked = Frame { address, sequence: 0, kind: 0, payload: Payload::new() };
                reply_to(&unasked, station.unasked()).repeat(20)
            })
            .collect();
        for bytes in said {
            self.write(&bytes).await;
        }
    }

    /// A line that nobody listens to swallows what is said.
    async fn write(&mut self, bytes: &[u8]) {
        if let Some(port) = &mut self.port {
            let _ = tokio::time::timeout(Duration::from_secs(5), port.write_all(bytes)).await;
        }
    }
}

fn reply_to(question: &Frame, (kind, payload): (u8, Payload)) -> Vec<u8> {
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
