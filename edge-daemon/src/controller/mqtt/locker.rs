//! Lockers behind the broker. Nothing that is old opens anything: a code counts in the session that
//! holds, and for ten seconds.

use domain::ids::CommandId;
use firmware_protocol::{
    command::Hello,
    locker::{Action, Refusal},
    session::Run,
};

use super::{
    member::Heard,
    payload::{
        Command, Event,
        locker::{
            Arguments, AtDoor, CODE, Code, Happening, Lock, Refusal as RefusalWord, Source, State,
            encode,
        },
    },
    told::Words,
};
use crate::controller::{
    Action as AnyAction,
    locker::{self, DoorState, News},
    peer::Nature,
    report::What,
};

/// A code that was entered longer ago opens nothing.
const CODE_LIFE_MS: u64 = 10_000;

/// A locker's controller.
#[derive(Debug, Default)]
pub(in crate::controller) struct Locker {
    session: Option<Session>,
    /// The last event that was taken, and in which run.
    seen: (u32, u32),
    doors: Vec<DoorState>,
}

/// The session that holds.
#[derive(Debug, Clone, Copy)]
struct Session {
    boot: u32,
    number: u32,
    /// The device's counter when it began, and the host's clock then.
    began_ms: (u64, u64),
}

impl Session {
    /// How long ago something happened in this run of the device.
    fn age_ms(&self, uptime_ms: u64, now_ms: u64) -> u64 {
        let (uptime, at) = self.began_ms;
        (uptime + now_ms.saturating_sub(at)).saturating_sub(uptime_ms)
    }
}

impl Nature for Locker {
    type Action = Action;
    type Refusal = Refusal;
    type Status = State;

    const STATUS_FIRST: bool = false;
    const NEWEST_ALONE: bool = false;

    fn action(action: AnyAction) -> Option<Action> {
        match action {
            AnyAction::Locker(action) => Some(action),
            _ => None,
        }
    }

    fn word(refusal: Refusal) -> &'static str {
        locker::word(refusal)
    }

    fn run(state: &State) -> Run {
        Run { boot: state.boot_id, session: state.session }
    }

    fn greeted(&mut self, hello: &Hello, uptime_ms: u64, now_ms: u64) {
        let began_ms = (uptime_ms, now_ms);
        self.session = Some(Session { boot: hello.boot, number: hello.session, began_ms });
    }

    /// Of a state of another session only that the device is there counts.
    fn heard(&mut self, state: State) -> Vec<What> {
        let holds = self.session.map(|session| (session.boot, session.number));
        let doors = state.doors.iter().take(usize::from(locker::MAX_DOORS));
        let doors: Vec<_> = doors
            .map(|d| DoorState { door: d.door, closed: d.closed, jammed: d.lock == Lock::Jammed })
            .collect();
        if holds != Some((state.boot_id, state.session)) || doors == self.doors {
            return Vec::new();
        }
        self.doors.clone_from(&doors);
        vec![What::Locker(News::Doors(doors))]
    }

    fn forget(&mut self) {
        (self.session, self.doors) = (None, Vec::new());
    }
}

impl Words for Locker {
    type Arguments = Arguments;
    type State = State;
    type Reason = RefusalWord;

    /// A locker tells its state at least every ten seconds.
    const SILENT_AFTER_MS: u64 = 30_000;

    fn moment(state: &State) -> (u32, u64) {
        (state.boot_id, state.uptime_ms)
    }

    fn encode(
        command: &firmware_protocol::locker::Command,
        counter: u64,
    ) -> (&'static str, Command<Arguments>) {
        encode(command, counter)
    }

    fn event(&mut self, event: &str, heard: &Heard<'_>, now_ms: u64) -> Option<Vec<What>> {
        if heard.retained {
            return None;
        }
        let news = if event == CODE {
            self.code(heard.read()?, now_ms)
        } else {
            self.happened(Happening::of_event(event)?, &heard.read()?)
        };
        Some(news.map(What::Locker).into_iter().collect())
    }
}

impl Locker {
    /// Whether an event is of this run and was not taken before.
    fn is_new<V>(&mut self, event: &Event<V>) -> bool {
        let known = if self.seen.0 == event.boot_id { self.seen.1 } else { 0 };
        let ours = self.session.is_some_and(|session| session.boot == event.boot_id);
        let is_new = ours && event.seq > known;
        if is_new {
            self.seen = (event.boot_id, event.seq);
        }
        is_new
    }

    fn happened(&mut self, what: Happening, event: &Event<AtDoor>) -> Option<News> {
        let AtDoor { door, cmd_id } = event.what;
        let (what, command) = (what.into(), cmd_id.map(CommandId));
        self.is_new(event).then_some(News::Happened { door, what, command })
    }

    fn code(&mut self, event: Event<Code>, now_ms: u64) -> Option<News> {
        let is_new = self.is_new(&event);
        let counts = self.session.is_some_and(|session| {
            session.number == event.session
                && session.age_ms(event.uptime_ms, now_ms) <= CODE_LIFE_MS
        });
        let Code { source, code, door } = event.what;
        let is_code = (1..=locker::MAX_CODE).contains(&code.len());
        let source = match source {
            Source::Keypad => locker::Source::Keypad,
            Source::Scanner => locker::Source::Scanner,
        };
        (is_new && counts && is_code).then_some(News::Code { source, code, door })
    }
}
