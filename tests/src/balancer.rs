//! A plain TCP proxy before several instances: each connection goes to the next one that answers.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Duration, timeout},
};

/// Longest wait for an instance to answer before the next is tried.
const CONNECT: Duration = Duration::from_secs(1);

/// A proxy on a loopback port of its own.
pub struct Balancer {
    address: SocketAddr,
    relay: JoinHandle<()>,
}

impl Balancer {
    /// Opens a proxy before `instances`.
    ///
    /// # Errors
    /// Where there is no port.
    pub async fn open(instances: Vec<SocketAddr>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, relay: tokio::spawn(relay(listener, instances.into())) })
    }

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.relay.abort();
    }
}

async fn relay(listener: TcpListener, instances: Arc<[SocketAddr]>) {
    for turn in 0.. {
        let Ok((near, _)) = listener.accept().await else { return };
        tokio::spawn(carry(near, instances.clone(), turn));
    }
}

async fn carry(mut near: TcpStream, instances: Arc<[SocketAddr]>, turn: usize) {
    for step in 0..instances.len() {
        let instance = instances[(turn + step) % instances.len()];
        if let Ok(Ok(mut far)) = timeout(CONNECT, TcpStream::connect(instance)).await {
            // Small messages go at once, as they would without a proxy.
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            // Which side ended it, and how, is for the two ends to judge.
            let _ = copy_bidirectional(&mut near, &mut far).await;
            return;
        }
    }
}
