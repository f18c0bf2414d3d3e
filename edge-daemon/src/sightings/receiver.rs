//! The core's end: one vision at a time, checked and limited.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::StreamExt;
use tokio::{
    net::{UnixListener, UnixStream},
    time::{self, Instant},
};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::{MAX_MESSAGE_BYTES, Message, VERSION, codec, limit::Limit};

/// How long a new connection may take to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(2);

/// The socket cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot {act} the sightings socket {}", path.display())]
pub struct Error {
    act: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// What comes out of the socket.
#[derive(Debug, PartialEq)]
pub enum Received {
    /// A vision process said hello.
    Connected {
        /// Its process.
        pid: u32,
    },
    /// It said something believable; never [`Message::Hello`].
    Message(Message),
    /// The connection ended; the next one is waited for.
    Disconnected(Cut),
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// The peer closed it.
    #[error("vision closed its connection")]
    Closed,
    /// No hello came in time.
    #[error("no hello came in time")]
    NoHello,
    /// The peer is of another version.
    #[error("vision speaks version {0} of the sightings protocol and this core {VERSION}")]
    Version(u32),
    /// The peer runs as somebody else.
    #[error("a process of another user connected")]
    Stranger,
    /// Too many messages.
    #[error("vision floods: more messages than any camera makes")]
    Flood,
    /// A message that is too long, no JSON, or not believable.
    #[error("vision sent what is no message: {0}")]
    Malformed(String),
}

/// Listens for vision, one process at a time; a second one waits until the first is gone.
#[derive(Debug)]
pub struct Receiver {
    listener: UnixListener,
    path: PathBuf,
    peer: Option<Peer>,
    started: Instant,
    owner: u32,
    hello_within: Duration,
}

type Wire = Framed<UnixStream, LengthDelimitedCodec>;

#[derive(Debug)]
struct Peer {
    wire: Wire,
    limit: Limit,
    hello_until: Option<Instant>,
}

impl Receiver {
    /// Listens at `path`, for this user alone. What a dead core left there is replaced.
    ///
    /// # Errors
    /// When something else lies at `path`, or the socket cannot be made there.
    pub fn bind(path: &Path) -> Result<Self, Error> {
        let failed = |act| move |source| Error { act, path: path.to_owned(), source };
        match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => {
                fs::remove_file(path).map_err(failed("replace"))?;
            }
            Ok(_) => return Err(failed("replace")(io::ErrorKind::AlreadyExists.into())),
            Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(failed("make"))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed("protect"))?;
        Ok(Self {
            listener,
            owner: fs::metadata(path).map_err(failed("look at"))?.uid(),
            path: path.to_owned(),
            peer: None,
            started: Instant::now(),
            hello_within: HELLO_WITHIN,
        })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the present connection, if there is one.
    pub fn disconnect(&mut self) {
        self.peer = None;
    }

    /// Waits for what comes next. May be cancelled; nothing is lost then.
    pub async fn next(&mut self) -> Received {
        if self.peer.is_none() {
            self.peer = self.accept().await;
        }
        let received = match &mut self.peer {
            Some(peer) => peer.next(self.started).await,
            None => Received::Disconnected(Cut::Stranger),
        };
        if matches!(received, Received::Disconnected(_)) {
            self.peer = None;
        }
        received
    }

    /// The next connection; none if it comes from another user.
    async fn accept(&self) -> Option<Peer> {
        let stream = loop {
            match self.listener.accept().await {
                Ok((stream, _)) => break stream,
                // Out of descriptors or the like: it passes, and spinning would not help.
                Err(error) => {
                    tracing::warn!(%error, "accepting on the sightings socket failed");
                    time::sleep(Duration::from_millis(200)).await;
                }
            }
        };
        (stream.peer_cred().ok()?.uid() == self.owner).then(|| Peer {
            wire: Framed::new(stream, codec()),
            limit: Limit::new(self.started.elapsed()),
            hello_until: Some(Instant::now() + self.hello_within),
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Whoever starts next replaces it anyway.
        let _ = fs::remove_file(&self.path);
    }
}

impl Peer {
    async fn next(&mut self, started: Instant) -> Received {
        let frame = match self.hello_until {
            Some(until) => match time::timeout_at(until, self.wire.next()).await {
                Ok(frame) => frame,
                Err(_) => return Received::Disconnected(Cut::NoHello),
            },
            None => self.wire.next().await,
        };
        let checked = match frame {
            None => Err(Cut::Closed),
            Some(Err(error)) => Err(broken(&error)),
            Some(Ok(_)) if !self.limit.take(started.elapsed()) => Err(Cut::Flood),
            Some(Ok(bytes)) => parse(&bytes),
        };
        checked.and_then(|message| self.greet(message)).unwrap_or_else(Received::Disconnected)
    }

    /// Lets a hello through first and only then.
    fn greet(&mut self, message: Message) -> Result<Received, Cut> {
        match (message, self.hello_until.take()) {
            (Message::Hello { version: VERSION, pid }, Some(_)) => Ok(Received::Connected { pid }),
            (Message::Hello { version, .. }, Some(_)) => Err(Cut::Version(version)),
            (Message::Hello { .. }, None) => Err(Cut::Malformed("a second hello".into())),
            (_, Some(_)) => Err(Cut::Malformed("something else before the hello".into())),
            (message, None) => Ok(Received::Message(message)),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Message, Cut> {
    let message: Message =
        serde_json::from_slice(bytes).map_err(|error| Cut::Malformed(error.to_string()))?;
    match message.fault() {
        Some(fault) => Err(Cut::Malformed(fault.into())),
        None => Ok(message),
    }
}

fn broken(error: &io::Error) -> Cut {
    match error.kind() {
        io::ErrorKind::InvalidData => {
            Cut::Malformed(format!("it is longer than {MAX_MESSAGE_BYTES} bytes"))
        }
        // Killed in the middle of a message, or with unread data.
        _ => Cut::Closed,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bytes::Bytes;
    use futures_util::SinkExt;
    use tokio::io::AsyncWriteExt;

    use super::{
        super::{Sender, message::sighting},
        *,
    };

    fn listen() -> (tempfile::TempDir, Receiver) {
        let folder = tempfile::tempdir().unwrap();
        let receiver = Receiver::bind(&folder.path().join("sightings.sock")).unwrap();
        (folder, receiver)
    }

    async fn connect(receiver: &Receiver) -> Wire {
        Framed::new(UnixStream::connect(receiver.path()).await.unwrap(), codec())
    }

    const HELLO: &[u8] = br#"{"type":"hello","version":1,"pid":7}"#;

    /// What the core makes of a peer that says hello and then `frames`.
    async fn after_hello(frames: &[&'static [u8]]) -> Received {
        let (_folder, mut receiver) = listen();
        let mut peer = connect(&receiver).await;
        peer.feed(Bytes::from_static(HELLO)).await.unwrap();
        for frame in frames {
            peer.send(Bytes::from_static(frame)).await.unwrap();
        }
        assert_eq!(receiver.next().await, Received::Connected { pid: 7 });
        receiver.next().await
    }

    fn malformed(received: Received) -> String {
        match received {
            Received::Disconnected(Cut::Malformed(what)) => what,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_vision_says_arrives_in_order_and_the_next_vision_is_served() {
        let (_folder, mut receiver) = listen();
        for round in 0..2 {
            let sender = Sender::default();
            sender.send(sighting(round));
            let (path, carrier) = (receiver.path().to_owned(), sender.clone());
            let task = tokio::spawn(async move { carrier.carry(&path, || true).await });
            assert!(matches!(receiver.next().await, Received::Connected { .. }));
            let mut heard = Vec::new();
            while heard.len() < 2 {
                match receiver.next().await {
                    Received::Message(message) => heard.push(message),
                    other => panic!("{other:?}"),
                }
            }
            assert!(heard.contains(&sighting(round)) && heard.contains(&Message::Heartbeat));
            task.abort();
            assert_eq!(receiver.next().await, Received::Disconnected(Cut::Closed));
        }
    }

    #[tokio::test]
    async fn the_socket_is_for_its_owner_alone_and_replaces_a_stale_one_only() {
        let (folder, receiver) = listen();
        let mode = fs::metadata(receiver.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        Receiver::bind(receiver.path()).unwrap();
        let file = folder.path().join("a file");
        fs::write(&file, "kept").unwrap();
        assert!(Receiver::bind(&file).unwrap_err().to_string().contains("replace"));
        assert_eq!(fs::read(&file).unwrap(), b"kept");
    }

    #[tokio::test]
    async fn a_peer_that_talks_nonsense_is_cut_off_with_what_was_wrong() {
        assert!(malformed(after_hello(&[b"{}"]).await).contains("type"));
        assert_eq!(malformed(after_hello(&[HELLO]).await), "a second hello");
        let escape = br#"{"type":"sighting","passage":1,"revision":0,"detect_ms":1,"read_ms":1,
            "captured_monotonic_us":1,"decided_monotonic_us":1,"plate":{"text":"A","confidence":1,
            "kind":"blue","region":"","camera":"entry","readings":1,"agreeing":1,
            "bounds":[0,0,1,1],"picture":"../../etc/shadow",
            "captured_at":"2026-01-01T00:00:00Z"}}"#;
        assert!(malformed(after_hello(&[escape]).await).contains("hex"));
    }

    #[tokio::test]
    async fn an_oversized_message_is_not_even_read() {
        let (_folder, mut receiver) = listen();
        let mut peer = UnixStream::connect(receiver.path()).await.unwrap();
        peer.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
        assert!(malformed(receiver.next().await).contains("longer than"));
    }

    #[tokio::test]
    async fn a_flood_is_cut_off() {
        let (_folder, mut receiver) = listen();
        let mut peer = connect(&receiver).await;
        let flood = tokio::spawn(async move {
            peer.send(Bytes::from_static(HELLO)).await?;
            loop {
                peer.feed(Bytes::from_static(br#"{"type":"heartbeat"}"#)).await?;
            }
            #[allow(unreachable_code)]
            io::Result::Ok(())
        });
        let mut heard = 0;
        let end = loop {
            match receiver.next().await {
                Received::Disconnected(cut) => break cut,
                _ => heard += 1,
            }
        };
        assert_eq!(end, Cut::Flood);
        assert!(heard < 2000, "{heard}");
        assert!(flood.await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_silent_or_foreign_peer_is_cut_off() {
        let (_folder, mut receiver) = listen();
        receiver.hello_within = Duration::from_millis(20);
        let silent = connect(&receiver).await;
        assert_eq!(receiver.next().await, Received::Disconnected(Cut::NoHello));
        drop(silent);
        receiver.hello_within = HELLO_WITHIN;
        let mut newer = connect(&receiver).await;
        let hello = Bytes::from_static(br#"{"type":"hello","version":2,"pid":7}"#);
        newer.send(hello).await.unwrap();
        assert_eq!(receiver.next().await, Received::Disconnected(Cut::Version(2)));
    }
}
