//! A device on a serial line.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use firmware_protocol::{
    barrier,
    charger::{self, Allowance},
    command::{Command, Hello, Request},
    frame::{Decoder, Frame, Payload},
};
use rand::random;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_serial::SerialStream;

use super::{Found, Report};

/// An answer begins within 2 ms; adapters and busy computers keep it much longer.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long a usual command lives.
const LIFE_MS: u64 = 5_000;
/// By how much a late command is late: the device's time may be behind by what the hello took.
const LATE_MS: u64 = 1_000;
/// The verdicts of a reply.
const ACCEPTED: u8 = 0;
const EXPIRED: u8 = 1;
const REFUSED: u8 = 2;

/// The kinds of device that can be tried on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A barrier.
    Barrier,
    /// A charger.
    Charger,
}

/// What is to be tried.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The line.
    pub path: PathBuf,
    /// Its rate in bit/s.
    pub baud: u32,
    /// The device's address.
    pub address: u8,
    /// What it is.
    pub kind: Kind,
}

/// Tries the device.
///
/// # Errors
/// Where the line cannot be used.
pub async fn run(subject: &Subject) -> Result<Report, String> {
    let mut bench = Bench::open(subject).map_err(|error| failed(&subject.path, &error))?;
    let mut report = Report::default();
    let lines = bench.try_all(&mut report).await;
    lines.map(|()| report).map_err(|error| failed(&subject.path, &error))
}

fn failed(path: &Path, error: &io::Error) -> String {
    format!("the line {} cannot be used: {error}", path.display())
}

/// What a device says about itself, of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    boot: u32,
    session: u32,
}

struct Bench {
    port: SerialStream,
    address: u8,
    kind: Kind,
    sequence: u8,
    clock: Instant,
    run: Run,
}

impl Bench {
    fn open(subject: &Subject) -> io::Result<Self> {
        let path = subject.path.to_string_lossy();
        let port = SerialStream::open(&tokio_serial::new(path, subject.baud))?;
        let (address, kind, clock) = (subject.address, subject.kind, Instant::now());
        let run = Run { boot: 0, session: 0 };
        Ok(Self { port, address, kind, sequence: 0, clock, run })
    }

    async fn try_all(&mut self, report: &mut Report) -> io::Result<()> {
        let promise = "says nothing that it was not asked";
        report.add("quiet", promise, self.quiet().await?);
        let found = self.poll().await?;
        let answers = found.is_ok();
        report.add("poll", "a poll is answered by the status", found);
        if !answers {
            return Ok(());
        }
        report.add("hello", "a hello starts a session", self.hello().await?);
        report.add("hello-void", "an old or foreign one does not", self.void_hellos().await?);
        report.add("command", "a command is carried out, and answered", self.command().await?);
        report.add("duplicate", "the same once more does nothing", self.duplicate().await?);
        report.add("expired", "one that comes late does nothing", self.expired().await?);
        let promise = "one that claims a life beyond 10 s does nothing";
        report.add("too-long", promise, self.too_long().await?);
        let promise = "one for another run or session does nothing";
        report.add("other-session", promise, self.other_session().await?);
        report.add("foreign", "other addresses and kinds are ignored", self.foreign().await?);
        report.add("damaged", "a frame with a wrong bit is ignored", self.damaged().await?);
        report.add("noise", "the frame after noise is understood", self.noise().await?);
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        1_000_000 + u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn frame(&mut self, (kind, payload): (u8, Payload)) -> Frame {
        self.sequence = self.sequence.wrapping_add(1);
        Frame { address: self.address, sequence: self.sequence, kind, payload }
    }

    /// The first frame that comes within a while.
    async fn read(&mut self, within: Duration) -> io::Result<Option<Frame>> {
        let (mut decoder, mut buffer, until) = (Decoder::new(), [0; 512], Instant::now() + within);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(read) = timeout(left, self.port.read(&mut buffer)).await else {
                return Ok(None);
            };
            let count = match read? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => count,
            };
            if let Some(frame) = buffer[..count].iter().find_map(|&byte| decoder.push(byte)) {
                return Ok(Some(frame));
            }
        }
    }

    /// Sends bytes and gives the answer to them.
    async fn exchange(&mut self, bytes: &[u8]) -> io::Result<Option<Frame>> {
        self.port.write_all(bytes).await?;
        self.read(PATIENCE).await
    }

    /// Asks and gives the answer, which must be to this question.
    async fn ask(&mut self, request: (u8, Payload)) -> io::Result<Result<Frame, String>> {
        let question = self.frame(request);
        let Some(answer) = self.exchange(&question.encode()).await? else {
            return Ok(Err(format!("no answer within {} ms", PATIENCE.as_millis())));
        };
        let fits = (answer.address, answer.sequence) == (question.address, question.sequence);
        Ok(fits.then_some(answer).ok_or_else(|| {
            "the answer does not repeat the question's address and sequence".to_owned()
        }))
    }

    fn status(&self, frame: &Frame) -> Result<Run, String> {
        let (kind, payload) = (frame.kind, &frame.payload);
        let run = match self.kind {
            Kind::Barrier => match barrier::Answer::decode(kind, payload) {
                Ok(barrier::Answer::Status(s)) => Some(Run { boot: s.boot, session: s.session }),
                _ => None,
            },
            Kind::Charger => match charger::Answer::decode(kind, payload) {
                Ok(charger::Answer::Status(s)) => Some(Run { boot: s.boot, session: s.session }),
                _ => None,
            },
        };
        run.ok_or_else(|| format!("kind {kind:02x} with {} bytes is no status", payload.len()))
    }

    async fn quiet(&mut self) -> io::Result<Found> {
        let heard = self.read(Duration::from_millis(500)).await?;
        Ok(heard.map_or(Ok(()), |_| Err("it talked while nobody asked".to_owned())))
    }

    async fn poll(&mut self) -> io::Result<Found> {
        let answer = self.ask(Request::<barrier::Action>::Poll.encode()).await?;
        Ok(answer.and_then(|frame| self.status(&frame)).map(|run| self.run = run))
    }

    async fn greet(&mut self, hello: Hello) -> io::Result<Result<Run, String>> {
        let answer = self.ask(Request::<barrier::Action>::Hello(hello).encode()).await?;
        Ok(answer.and_then(|frame| self.status(&frame)))
    }

    async fn hello(&mut self) -> io::Result<Found> {
        let Run { boot, session } = self.run;
        let hello = Hello { boot, session: session + 1, now_ms: self.now_ms() };
        let wanted = Run { boot, session: session + 1 };
        let run = self.greet(hello).await?;
        Ok(run.and_then(|run| {
            self.run = run;
            let why = || format!("its status names session {}, not {}", run.session, session + 1);
            (run == wanted).then_some(()).ok_or_else(why)
        }))
    }

    async fn void_hellos(&mut self) -> io::Result<Found> {
        let (Run { boot, session }, now_ms) = (self.run, self.now_ms());
        for hello in [
            Hello { boot, session, now_ms: now_ms - 500_000 },
            Hello { boot: boot ^ 1, session: session + 1, now_ms },
        ] {
            match self.greet(hello).await? {
                Ok(run) if run == self.run => {}
                Ok(_) => return Ok(Err(format!("it took {hello:?}"))),
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(()))
    }

    /// A command that can be given often: with its identifier, and a life that may be over.
    fn deed(&self, id: [u8; 16], run: Run, expires_at_ms: u64) -> (u8, Payload) {
        let Run { boot, session } = run;
        match self.kind {
            Kind::Barrier => {
                let action = barrier::Action::Open;
                Request::Command(Command { boot, session, id, expires_at_ms, action }).encode()
            }
            Kind::Charger => {
                let nothing = Allowance { limit_ma: 0, lease_s: 60, fallback_ma: 0 };
                let action = charger::Action::Limit(nothing);
                Request::Command(Command { boot, session, id, expires_at_ms, action }).encode()
            }
        }
    }

    /// Gives a command and compares what is said: whether it is a duplicate, and the verdict.
    async fn judged(
        &mut self,
        id: [u8; 16],
        run: Run,
        expires_at_ms: u64,
        wanted: (bool, u8),
    ) -> io::Result<Found> {
        let command = self.deed(id, run, expires_at_ms);
        let answer = self.ask(command).await?;
        Ok(answer.and_then(|frame| reply(&frame, id)).and_then(|said| {
            let why = || format!("it was answered {}, not {}", words(said), words(wanted));
            (said == wanted).then_some(()).ok_or_else(why)
        }))
    }

    async fn command(&mut self) -> io::Result<Found> {
        let end_ms = self.now_ms() + LIFE_MS;
        self.judged(random(), self.run, end_ms, (false, ACCEPTED)).await
    }

    async fn duplicate(&mut self) -> io::Result<Found> {
        let (id, end_ms) = (random(), self.now_ms() + LIFE_MS);
        let first = self.judged(id, self.run, end_ms, (false, ACCEPTED)).await?;
        let again = self.judged(id, self.run, end_ms, (true, ACCEPTED)).await?;
        Ok(first.and(again))
    }

    async fn expired(&mut self) -> io::Result<Found> {
        let late_ms = self.now_ms() - LATE_MS;
        let late = self.judged(random(), self.run, late_ms, (false, EXPIRED)).await?;
        let older = self.judged(random(), self.run, 1, (false, EXPIRED)).await?;
        Ok(late.and(older))
    }

    async fn too_long(&mut self) -> io::Result<Found> {
        let end_ms = self.now_ms() + 60_000;
        self.judged(random(), self.run, end_ms, (false, REFUSED)).await
    }

    async fn other_session(&mut self) -> io::Result<Found> {
        let (Run { boot, session }, end_ms) = (self.run, self.now_ms() + LIFE_MS);
        let next = Run { boot, session: session + 1 };
        let next = self.judged(random(), next, end_ms, (false, EXPIRED)).await?;
        let foreign = Run { boot: boot ^ 1, session };
        let foreign = self.judged(random(), foreign, end_ms, (false, EXPIRED)).await?;
        Ok(next.and(foreign))
    }

    async fn foreign(&mut self) -> io::Result<Found> {
        let mut other = self.frame((1, Payload::new()));
        other.address = if self.address == 247 { 1 } else { self.address + 1 };
        let other = self.exchange(&other.encode()).await?;
        if other.is_some_and(|answer| answer.address == self.address) {
            return Ok(Err("it answered for another address".to_owned()));
        }
        let unknown = self.frame((0x7f, Payload::new()));
        let unknown = self.exchange(&unknown.encode()).await?;
        Ok(unknown.map_or(Ok(()), |_| Err("it answered kind 7f, which is none".to_owned())))
    }

    async fn damaged(&mut self) -> io::Result<Found> {
        let poll = self.frame((1, Payload::new()));
        let mut bytes = poll.encode();
        bytes[3] ^= 0x10;
        let answer = self.exchange(&bytes).await?;
        Ok(answer.map_or(Ok(()), |_| Err("it answered a frame whose checksum is wrong".to_owned())))
    }

    async fn noise(&mut self) -> io::Result<Found> {
        for noise in [vec![0x55; 4_096], vec![0, 3, 1], (0..=255).collect()] {
            self.port.write_all(&noise).await?;
            // What was begun in the noise ends at the zero in front of the next frame.
            let poll = self.poll().await?;
            if let Err(why) = poll {
                return Ok(Err(format!("after {} bytes of noise: {why}", noise.len())));
            }
        }
        Ok(Ok(()))
    }
}

/// What a reply says of a command; both kinds have it alike.
fn reply(frame: &Frame, id: [u8; 16]) -> Result<(bool, u8), String> {
    let Some((said, [duplicate, verdict, ..])) = frame.payload.split_first_chunk::<16>() else {
        return Err(format!("kind {:02x} is no reply", frame.kind));
    };
    let named = *said == id;
    named.then_some((*duplicate != 0, *verdict)).ok_or_else(|| "it names another id".to_owned())
}

fn words((duplicate, verdict): (bool, u8)) -> String {
    let verdict = match verdict {
        ACCEPTED => "accepted",
        EXPIRED => "expired",
        _ => "refused",
    };
    if duplicate { format!("duplicate of {verdict}") } else { verdict.to_owned() }
}
