//! A network of its own: namespaces of this machine on one bridge, with lines that are bad and can be
//! cut. What runs in them reaches nothing else.

use std::{io, net::Ipv4Addr, process::Command};

/// Namespaces, gone with this.
pub struct Network {
    name: String,
    nodes: Vec<String>,
}

/// How the lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// With loss, delay and reordering (`netem`).
    Bad,
    /// Narrow, so that there are delay and loss when much is sent; this kernel has no `netem`.
    Narrow,
}

impl Network {
    /// Makes an empty network.
    ///
    /// # Errors
    /// Where this process may not, or the system cannot.
    pub fn new() -> io::Result<Self> {
        let network = Self { name: format!("gatehouse-{}", std::process::id()), nodes: Vec::new() };
        let hub = network.name.as_str();
        ip(&["netns", "add", hub])?;
        ip(&["-n", hub, "link", "add", "hub", "type", "bridge"])?;
        ip(&["-n", hub, "link", "set", "hub", "up"])?;
        Ok(network)
    }

    /// Adds a machine with an address.
    ///
    /// # Errors
    /// What the system says.
    pub fn add(&mut self, node: &str, address: Ipv4Addr) -> io::Result<()> {
        let (hub, space) = (self.name.clone(), self.space(node));
        ip(&["netns", "add", &space])?;
        self.nodes.push(node.to_owned());
        let peer = ["type", "veth", "peer", "name", "line", "netns", &space];
        ip(&[&["-n", &hub, "link", "add", node], &peer[..]].concat())?;
        ip(&["-n", &hub, "link", "set", node, "master", "hub"])?;
        ip(&["-n", &hub, "link", "set", node, "up"])?;
        ip(&["-n", &space, "address", "add", &format!("{address}/24"), "dev", "line"])?;
        ip(&["-n", &space, "link", "set", "line", "up"])?;
        ip(&["-n", &space, "link", "set", "lo", "up"])
    }

    /// Makes the lines of all machines bad, as far as this kernel can.
    ///
    /// # Errors
    /// Where it cannot at all.
    pub fn spoil(&self) -> io::Result<Lines> {
        let netem = ["netem", "delay", "20ms", "10ms", "loss", "2%", "reorder", "5%"];
        let narrow = ["tbf", "rate", "4mbit", "burst", "8kb", "latency", "40ms"];
        if self.shape(&netem).is_ok() {
            return Ok(Lines::Bad);
        }
        self.shape(&narrow).map(|()| Lines::Narrow)
    }

    fn shape(&self, how: &[&str]) -> io::Result<()> {
        self.nodes.iter().try_for_each(|node| {
            let space = self.space(node);
            let line = ["netns", "exec", &space, "tc", "qdisc", "replace", "dev", "line", "root"];
            ip(&[&line[..], how].concat())
        })
    }

    /// Cuts the line of a machine, or mends it.
    ///
    /// # Errors
    /// What the system says.
    pub fn set(&self, node: &str, is_up: bool) -> io::Result<()> {
        ip(&["-n", &self.name, "link", "set", node, if is_up { "up" } else { "down" }])
    }

    /// The words before a command that is to run at a machine; the first is the program.
    pub fn at(&self, node: &str) -> Vec<String> {
        ["ip", "netns", "exec", &self.space(node)].map(str::to_owned).to_vec()
    }

    fn space(&self, node: &str) -> String {
        format!("{}-{node}", self.name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for node in &self.nodes {
            // What is left is told by `ip netns`.
            let _ = ip(&["netns", "del", &self.space(node)]);
        }
        let _ = ip(&["netns", "del", &self.name]);
    }
}

fn ip(words: &[&str]) -> io::Result<()> {
    let output = Command::new("ip").args(words).output()?;
    if output.status.success() {
        return Ok(());
    }
    let problem = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("ip {}: {}", words.join(" "), problem.trim())))
}
