//! The line to the internet: a TCP relay that can be cut and mended, and counts what comes down.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// Bytes that are carried at once.
const CHUNK: usize = 16 << 10;

/// A relay from a loopback port of its own to `upstream`.
pub struct Line {
    address: SocketAddr,
    up: watch::Sender<bool>,
    down_bytes: Arc<AtomicU64>,
    relay: JoinHandle<()>,
}

impl Line {
    /// Opens a line to `upstream`.
    pub async fn open(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (up, state) = watch::channel(true);
        let down_bytes = Arc::new(AtomicU64::new(0));
        let relay = tokio::spawn(relay(listener, upstream, state, Arc::clone(&down_bytes)));
        Ok(Self { address, up, down_bytes, relay })
    }

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes that came down so far, from the upstream to those who connected.
    pub fn down_bytes(&self) -> u64 {
        self.down_bytes.load(Ordering::Relaxed)
    }

    /// Cuts the line: what is connected falls silent and closes, nothing new gets through.
    pub fn cut(&self) {
        self.up.send_replace(false);
    }

    /// Mends the line.
    pub fn mend(&self) {
        self.up.send_replace(true);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.relay.abort();
    }
}

async fn relay(
    listener: TcpListener,
    upstream: SocketAddr,
    state: watch::Receiver<bool>,
    down_bytes: Arc<AtomicU64>,
) {
    while let Ok((near, _)) = listener.accept().await {
        if *state.borrow() {
            tokio::spawn(carry(near, upstream, state.clone(), Arc::clone(&down_bytes)));
        }
    }
}

async fn carry(
    mut near: TcpStream,
    upstream: SocketAddr,
    mut state: watch::Receiver<bool>,
    down_bytes: Arc<AtomicU64>,
) {
    let Ok(mut far) = TcpStream::connect(upstream).await else { return };
    let (mut near_in, mut near_out) = near.split();
    let (mut far_in, mut far_out) = far.split();
    let up = async {
        copy(&mut near_in, &mut far_out).await?;
        far_out.shutdown().await
    };
    let down = counted(&mut far_in, &mut near_out, &down_bytes);
    // Which side ended it, and how, is for the two ends to judge.
    tokio::select! {
        _ = async { tokio::try_join!(up, down) } => {}
        _ = state.wait_for(|up| !up) => {}
    }
}

async fn counted(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    bytes: &AtomicU64,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk).await? {
            0 => return to.shutdown().await,
            read => {
                to.write_all(&chunk[..read]).await?;
                bytes.fetch_add(read as u64, Ordering::Relaxed);
            }
        }
    }
}
