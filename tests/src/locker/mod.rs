//! A locker controller as it stands in a hall: doors with locks and sensors, a keypad, people who
//! pull and push, and locks that jam. It speaks the real protocol over a broker.

mod doors;

use edge_daemon::controller::mqtt::payload::locker::{
    AtDoor, CODE, Code, DENY, Deny, Door, Info, KIND, OPEN, Open, Refusal as Reason, Source, State,
};
use firmware_protocol::locker::{Action, Denial, MAX_DOORS, Refusal};
use serde_json::{Value, json};
use uuid::Uuid;

use self::doors::Doors;
pub use self::doors::{Opening, Timing};
use crate::device::{Hardware, Head, MqttDevice, Simulated};

/// A simulated controller with its doors.
pub type Locker = Simulated<Cabinet>;
/// The same on a broker.
pub type MqttLocker = MqttDevice;

/// The hardware: doors and a keypad.
#[derive(Debug)]
pub struct Cabinet {
    doors: Doors,
    typed: Vec<(u64, Code)>,
    denials: Vec<Denial>,
    now_ms: u64,
}

impl Cabinet {
    /// So many doors, closed and locked.
    ///
    /// # Panics
    /// When there are none or more than the protocol knows.
    pub fn new(doors: u8, timing: Timing) -> Self {
        assert!((1..=MAX_DOORS).contains(&doors), "a controller has 1 to {MAX_DOORS} doors");
        let doors = Doors::new(doors, timing);
        Self { doors, typed: Vec::new(), denials: Vec::new(), now_ms: 0 }
    }

    /// Somebody pulls at a door; says whether it opened.
    pub fn pull(&mut self, door: u8) -> bool {
        self.doors.pull(door, self.now_ms)
    }

    /// Somebody breaks a door open.
    pub fn force(&mut self, door: u8) {
        self.doors.force(door, self.now_ms);
    }

    /// Somebody closes a door.
    pub fn push(&mut self, door: u8) {
        self.doors.push(door, self.now_ms);
    }

    /// A lock does not follow any more, or does again.
    pub fn jam(&mut self, door: u8, jammed: bool) {
        self.doors.jam(door, jammed);
    }

    /// Whether somebody comes by each time a lock is released, opens the door and closes it.
    pub fn set_people(&mut self, automatic: bool) {
        self.doors.automatic = automatic;
    }

    /// Somebody types a code at the controller's keypad.
    pub fn type_code(&mut self, code: &str) {
        let code = Code { source: Source::Keypad, code: code.to_owned(), door: None };
        self.typed.push((self.now_ms, code));
    }

    /// Somebody shows a code to the controller's scanner.
    pub fn scan(&mut self, code: &str) {
        let code = Code { source: Source::Scanner, code: code.to_owned(), door: None };
        self.typed.push((self.now_ms, code));
    }

    /// What the keypad showed since the last time.
    pub fn take_denials(&mut self) -> Vec<Denial> {
        std::mem::take(&mut self.denials)
    }

    /// Every time a door opened, with the command that released its lock.
    pub fn openings(&self) -> &[Opening] {
        &self.doors.openings
    }

    /// Every command that released a lock, in order.
    pub fn releases(&self) -> &[Uuid] {
        &self.doors.releases
    }

    /// How the doors are, from door 1.
    pub fn doors(&self) -> Vec<Door> {
        self.doors.all()
    }
}

impl Hardware for Cabinet {
    const KIND: &'static str = KIND;
    type Action = Action;
    type Why = Refusal;
    type Reason = Reason;

    fn advance(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        self.doors.advance(now_ms);
    }

    fn info(&self) -> Value {
        let doors = u8::try_from(self.doors().len()).unwrap_or(MAX_DOORS);
        json!(Info { model: "simulated".to_owned(), firmware: "1.0.0".to_owned(), doors })
    }

    fn state(&self, head: Head) -> Value {
        let Head { boot_id, session, uptime_ms, seq } = head;
        json!(State { boot_id, session, uptime_ms, seq, doors: self.doors() })
    }

    fn news(&self) -> Value {
        json!({"doors": self.doors()})
    }

    fn parse(&self, verb: &str, payload: &[u8]) -> Option<Action> {
        match verb {
            OPEN => {
                let Open { door } = serde_json::from_slice(payload).ok()?;
                Some(Action::Open { door })
            }
            DENY => {
                let Deny { why } = serde_json::from_slice(payload).ok()?;
                Some(Action::Deny(why.into()))
            }
            _ => None,
        }
    }

    fn act(&mut self, action: Action, command: Uuid) -> Result<(), Refusal> {
        match action {
            Action::Open { door } => self.doors.release(door, command, self.now_ms),
            Action::Deny(denial) => {
                self.denials.push(denial);
                Ok(())
            }
        }
    }

    fn take_events(&mut self) -> Vec<(&'static str, u64, Value)> {
        let at_doors = self.doors.take_events().into_iter().map(|event| {
            let AtDoor { door, cmd_id } = event.what;
            (event.happening.event(), event.at_ms, json!(AtDoor { door, cmd_id }))
        });
        let typed = self.typed.drain(..).map(|(at_ms, code)| (CODE, at_ms, json!(code)));
        let mut events: Vec<_> = at_doors.chain(typed).collect();
        events.sort_by_key(|(_, at_ms, _)| *at_ms);
        events
    }

    fn restart(&mut self) {
        self.doors.restart();
        self.typed.clear();
    }
}
