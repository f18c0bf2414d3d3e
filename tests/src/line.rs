//! The line to the internet: a TCP relay that can be cut and mended.

use std::{io, net::SocketAddr};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// A relay from a loopback port of its own to `upstream`.
pub struct Line {
    address: SocketAddr,
    up: watch::Sender<bool>,
    relay: JoinHandle<()>,
}

impl Line {
    /// Opens a line to `upstream`.
    pub async fn open(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (up, state) = watch::channel(true);
        let relay = tokio::spawn(relay(listener, upstream, state));
        Ok(Self { address, up, relay })
    }

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.address
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

async fn relay(listener: TcpListener, upstream: SocketAddr, state: watch::Receiver<bool>) {
    while let Ok((near, _)) = listener.accept().await {
        if *state.borrow() {
            tokio::spawn(carry(near, upstream, state.clone()));
        }
    }
}

async fn carry(mut near: TcpStream, upstream: SocketAddr, mut state: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(upstream).await else { return };
    // Which side ended it, and how, is for the two ends to judge.
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = state.wait_for(|up| !up) => {}
    }
}
