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
    /// Narrow, and some frames are lost, others late and overtaken.
    Bad,
    /// Narrow, so that there are delay and loss when much is sent; this kernel has no `cls_bpf`.
    Narrow,
}

/// A narrow line. Frames of the class 1:2 wait behind each other, up to half a second, while others
/// overtake them; those of 1:3 have no place to wait and are lost.
const CLASSES: [&str; 6] = [
    "qdisc replace dev line root handle 1: htb default 1",
    "class add dev line parent 1: classid 1:1 htb rate 4mbit burst 8kb",
    "class add dev line parent 1: classid 1:2 htb rate 120kbit burst 1600",
    "qdisc add dev line parent 1:2 pfifo limit 5",
    "class add dev line parent 1: classid 1:3 htb rate 8kbit quantum 1600",
    "qdisc add dev line parent 1:3 pfifo limit 0",
];
/// How many percent of the frames are of which class.
const FATES: [(&str, u32); 2] = [("1:3", 2), ("1:2", 5)];

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
        // Frames as a line has them, so that each has its own fate.
        ip(&["-n", &space, "link", "set", "line", "gso_max_segs", "1"])?;
        ip(&["-n", &space, "link", "set", "line", "up"])?;
        ip(&["-n", &space, "link", "set", "lo", "up"])
    }

    /// Makes the lines of all machines bad, as far as this kernel can.
    ///
    /// # Errors
    /// Where it cannot at all.
    pub fn spoil(&self) -> io::Result<Lines> {
        let fates = FATES.iter().zip(1..).map(|((class, percent), order)| {
            let filter = format!("filter add dev line parent 1: protocol all prio {order} bpf");
            let words = filter.split(' ').map(str::to_owned);
            words
                .chain(["bytecode".into(), draws(*percent), "flowid".into(), (*class).into()])
                .collect()
        });
        let classes = CLASSES.iter().map(|line| line.split(' ').map(str::to_owned).collect());
        let bad: Vec<Vec<String>> = classes.chain(fates).collect();
        if self.shape(&bad).is_ok() {
            return Ok(Lines::Bad);
        }
        let narrow = "qdisc replace dev line root tbf rate 4mbit burst 8kb latency 40ms";
        let narrow = narrow.split(' ').map(str::to_owned).collect();
        self.shape(&[narrow]).map(|()| Lines::Narrow)
    }

    /// Has `tc` do these at every machine.
    fn shape(&self, how: &[Vec<String>]) -> io::Result<()> {
        self.nodes.iter().try_for_each(|node| {
            let space = self.space(node);
            let tc = ["netns", "exec", &space, "tc"];
            how.iter().try_for_each(|words| {
                let words = words.iter().map(String::as_str);
                ip(&tc.into_iter().chain(words).collect::<Vec<_>>())
            })
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

/// The classic BPF, as `tc` takes it, that fits so many percent of all frames: a random number
/// (`SKF_AD_RANDOM`) is above the share, or else the frame is of the class.
fn draws(percent: u32) -> String {
    let share = u32::MAX / 100 * percent;
    format!("4,32 0 0 4294963256,37 1 0 {share},6 0 0 4294967295,6 0 0 0")
}

fn ip(words: &[&str]) -> io::Result<()> {
    let output = Command::new("ip").args(words).output()?;
    if output.status.success() {
        return Ok(());
    }
    let problem = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("ip {}: {}", words.join(" "), problem.trim())))
}
