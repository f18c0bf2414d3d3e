//! A load: connections that are kept open where the server keeps them, each with one request on
//! its way at a time, for a set time.

use std::{io, net::Ipv4Addr, time::Duration};

use futures_util::{TryStreamExt, stream::FuturesUnordered};
use system_tests::process::PATIENCE;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

/// Longest answer that is read.
const MOST_BYTES: usize = 1 << 20;

/// What a load met.
#[derive(Default)]
pub struct Met {
    /// How long each answer took, in milliseconds.
    pub waits_ms: Vec<f64>,
    /// How long the load lasted.
    pub lasted: Duration,
}

impl Met {
    /// Adds another load.
    pub fn add(&mut self, more: Self) {
        self.waits_ms.extend(more.waits_ms);
        self.lasted += more.lasted;
    }

    /// Answers in a second.
    pub fn per_second(&self) -> f64 {
        self.waits_ms.len() as f64 / self.lasted.as_secs_f64()
    }

    /// The wait that so many of 1,000 answers did not exceed, in milliseconds.
    pub fn wait_ms(&mut self, share: usize) -> f64 {
        self.waits_ms.sort_unstable_by(f64::total_cmp);
        self.waits_ms[(self.waits_ms.len() - 1) * share / 1_000]
    }
}

/// Sends each request over a connection of its own, again and again.
///
/// # Errors
/// When an answer is none of success or does not come.
pub async fn load(port: u16, requests: &[Vec<u8>], lasting: Duration) -> io::Result<Met> {
    let began = Instant::now();
    let each = requests.iter().map(|request| repeat(port, request, began + lasting));
    let all = each.collect::<FuturesUnordered<_>>().try_concat();
    let waits_ms = timeout(lasting + PATIENCE, all).await??;
    Ok(Met { waits_ms, lasted: began.elapsed() })
}

async fn repeat(port: u16, request: &[u8], until: Instant) -> io::Result<Vec<f64>> {
    let mut connection = Connection::new(port);
    let mut waits_ms = Vec::new();
    while Instant::now() < until {
        let sent = Instant::now();
        connection.exchange(request).await?;
        waits_ms.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    Ok(waits_ms)
}

/// A connection to a server on this machine, made when it is needed.
pub struct Connection {
    port: u16,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    /// Not connected yet.
    pub fn new(port: u16) -> Self {
        Self { port, stream: None, buffer: Vec::new() }
    }

    /// The body that a request is answered with.
    ///
    /// # Errors
    /// When the answer is none of success, or broken.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<&[u8]> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?,
        };
        stream.set_nodelay(true)?;
        stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.read(&mut stream).await?;
            if let Some(head) = Head::parse(&self.buffer)? {
                break head;
            }
        };
        while self.buffer.len() < head.ends_at + head.body_bytes {
            self.read(&mut stream).await?;
        }
        if !head.closes {
            self.stream = Some(stream);
        }
        let body = &self.buffer[head.ends_at..];
        if !head.is_success {
            return Err(io::Error::other(String::from_utf8_lossy(&self.buffer).into_owned()));
        }
        Ok(body)
    }

    async fn read(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ if self.buffer.len() > MOST_BYTES => Err(io::ErrorKind::FileTooLarge.into()),
            _ => Ok(()),
        }
    }
}

/// What the head of an answer says.
struct Head {
    ends_at: usize,
    body_bytes: usize,
    is_success: bool,
    closes: bool,
}

impl Head {
    /// None while its end has not arrived.
    fn parse(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let length = value("content-length: ").and_then(|text| text.parse().ok());
        Ok(Some(Self {
            ends_at: end + 4,
            body_bytes: length.ok_or_else(|| io::Error::other("an answer without its length"))?,
            is_success: text.starts_with("http/1.1 200 "),
            closes: value("connection: ") == Some("close"),
        }))
    }
}
