//! Doors, their locks, and the people at them. Pure: all is as it is at the time that it was
//! advanced to.

use edge_daemon::controller::mqtt::payload::locker::{AtDoor, Door, Happening, Lock};
use firmware_protocol::locker::Refusal;
use uuid::Uuid;

/// How long things take, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// A lock that was released, until it holds again because nobody opened.
    pub release_ms: u64,
    /// An open door, until that is told.
    pub left_open_ms: u64,
    /// People who come by themselves: from the lock's release until they open.
    pub pull_ms: u64,
    /// The same people: from opening until they close.
    pub push_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { release_ms: 10_000, left_open_ms: 60_000, pull_ms: 800, push_ms: 3_000 }
    }
}

/// A door opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Which.
    pub door: u8,
    /// The command that released its lock; none where it was forced.
    pub command: Option<Uuid>,
    /// When, by the device's counter, in milliseconds.
    pub at_ms: u64,
}

/// Something that happened at a door.
#[derive(Debug)]
pub(super) struct Event {
    pub happening: Happening,
    pub at_ms: u64,
    pub what: AtDoor,
}

#[derive(Debug, Clone, Copy, Default)]
struct Leaf {
    /// Since when the lock is released, and for which command.
    released: Option<(u64, Uuid)>,
    /// Since when the door is open.
    open_since_ms: Option<u64>,
    left_open_told: bool,
    jammed: bool,
}

/// All doors of a controller.
#[derive(Debug)]
pub(super) struct Doors {
    timing: Timing,
    leaves: Vec<Leaf>,
    events: Vec<Event>,
    pub openings: Vec<Opening>,
    pub releases: Vec<Uuid>,
    pub automatic: bool,
}

impl Doors {
    pub fn new(doors: u8, timing: Timing) -> Self {
        Self {
            timing,
            leaves: vec![Leaf::default(); doors.into()],
            events: Vec::new(),
            openings: Vec::new(),
            releases: Vec::new(),
            automatic: false,
        }
    }

    pub fn all(&self) -> Vec<Door> {
        let doors = self.leaves.iter().zip(1..);
        doors.map(|(leaf, door)| leaf.seen(door)).collect()
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Releases a lock for a command.
    pub fn release(&mut self, door: u8, command: Uuid, now_ms: u64) -> Result<(), Refusal> {
        let leaf = self.leaf(door).ok_or(Refusal::NoSuchDoor)?;
        if leaf.jammed {
            self.tell(Happening::Jammed, door, Some(command), now_ms);
            return Err(Refusal::Jammed);
        }
        leaf.released = Some((now_ms, command));
        self.releases.push(command);
        self.tell(Happening::Unlocked, door, Some(command), now_ms);
        Ok(())
    }

    pub fn pull(&mut self, door: u8, now_ms: u64) -> bool {
        let Some(leaf) = self.leaf(door) else { return false };
        let (Some((_, command)), None) = (leaf.released, leaf.open_since_ms) else { return false };
        self.open(door, Some(command), Happening::Opened, now_ms);
        true
    }

    pub fn force(&mut self, door: u8, now_ms: u64) {
        if self.leaf(door).is_some_and(|leaf| leaf.open_since_ms.is_none()) {
            self.open(door, None, Happening::Forced, now_ms);
        }
    }

    pub fn push(&mut self, door: u8, now_ms: u64) {
        let Some(leaf) = self.leaf(door) else { return };
        if leaf.open_since_ms.take().is_some() {
            (leaf.released, leaf.left_open_told) = (None, false);
            self.tell(Happening::Closed, door, None, now_ms);
        }
    }

    pub fn jam(&mut self, door: u8, jammed: bool) {
        if let Some(leaf) = self.leaf(door) {
            leaf.jammed = jammed;
        }
    }

    pub fn advance(&mut self, now_ms: u64) {
        for index in 0..self.leaves.len() {
            let door = u8::try_from(index + 1).unwrap_or(u8::MAX);
            self.people(door, now_ms);
            self.watch(door, now_ms);
        }
    }

    /// A loss of power: the locks hold, the doors are where they are.
    pub fn restart(&mut self) {
        self.events.clear();
        for leaf in &mut self.leaves {
            leaf.released = None;
        }
    }

    fn people(&mut self, door: u8, now_ms: u64) {
        let Timing { pull_ms, push_ms, .. } = self.timing;
        let Some(leaf) = self.leaf(door).copied().filter(|_| self.automatic) else { return };
        match (leaf.released, leaf.open_since_ms) {
            (Some((at, _)), None) if now_ms >= at + pull_ms => {
                self.pull(door, now_ms);
            }
            (_, Some(since)) if now_ms >= since + push_ms => self.push(door, now_ms),
            _ => {}
        }
    }

    /// What the controller notices by itself.
    fn watch(&mut self, door: u8, now_ms: u64) {
        let Timing { release_ms, left_open_ms, .. } = self.timing;
        let Some(leaf) = self.leaf(door) else { return };
        if let (Some((at, command)), None) = (leaf.released, leaf.open_since_ms)
            && now_ms >= at + release_ms
        {
            leaf.released = None;
            self.tell(Happening::Relocked, door, Some(command), now_ms);
        } else if let Some(since) = leaf.open_since_ms
            && !leaf.left_open_told
            && now_ms >= since + left_open_ms
        {
            leaf.left_open_told = true;
            self.tell(Happening::LeftOpen, door, None, now_ms);
        }
    }

    fn open(&mut self, door: u8, command: Option<Uuid>, how: Happening, now_ms: u64) {
        if let Some(leaf) = self.leaf(door) {
            leaf.open_since_ms = Some(now_ms);
        }
        self.openings.push(Opening { door, command, at_ms: now_ms });
        self.tell(how, door, command, now_ms);
    }

    fn tell(&mut self, happening: Happening, door: u8, cmd_id: Option<Uuid>, at_ms: u64) {
        self.events.push(Event { happening, at_ms, what: AtDoor { door, cmd_id } });
    }

    fn leaf(&mut self, door: u8) -> Option<&mut Leaf> {
        self.leaves.get_mut(usize::from(door).checked_sub(1)?)
    }
}

impl Leaf {
    fn seen(&self, door: u8) -> Door {
        let lock = match self {
            Self { jammed: true, .. } => Lock::Jammed,
            Self { released: Some(_), .. } => Lock::Unlocked,
            Self { .. } => Lock::Locked,
        };
        Door { door, lock, closed: self.open_since_ms.is_none() }
    }
}
