//! A charger that speaks our protocol, on a line or through a broker, as its link sees it.
//!
//! Pure: time comes in, reports go out. A charger is told one thing at a time, and only the newest:
//! what was meant before must not be repeated after it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use domain::{
    event,
    ids::{CommandId, DeviceId},
};
use firmware_protocol::{
    charger::{
        self as wire, Action, Allowance, Fault, MIN_OFFER_MA, Pilot, Refusal, Reply, Request,
        Verdict,
    },
    session::{Done, Host, Offer, Outcome, Pace, Run, Welcome},
};
use uuid::Uuid;

use super::{Capability, Meter, Plug, Status, Target};
use crate::controller::{
    Action as AnyAction,
    link::Order,
    report::{Report, What},
};

/// One charger.
#[derive(Debug)]
pub(in crate::controller) struct Peer {
    device: DeviceId,
    host: Host<Action>,
    /// Shared with whoever sends commands.
    online: Arc<AtomicBool>,
    /// What was reported last: online or not.
    reported: Option<bool>,
    since_ms: u64,
    /// Whether a command is under way.
    is_telling: bool,
    /// What it is told next.
    next: Option<Offer<Action>>,
    status: Option<Status>,
}

impl Capability for Peer {
    fn set(&mut self, target: Target, now_ms: u64) {
        let expires_at_ms = now_ms + wire::MAX_COMMAND_LIFE_MS;
        self.tell(Offer { id: *Uuid::new_v4().as_bytes(), action: action(target), expires_at_ms });
    }

    fn status(&self) -> Option<&Status> {
        self.status.as_ref()
    }
}

impl Peer {
    pub fn new(device: DeviceId, pace: Pace, online: Arc<AtomicBool>, now_ms: u64) -> Self {
        Self {
            device,
            host: Host::new(pace),
            online,
            reported: None,
            since_ms: now_ms,
            is_telling: false,
            next: None,
            status: None,
        }
    }

    pub fn device(&self) -> &DeviceId {
        &self.device
    }

    pub fn is_online(&self) -> bool {
        self.reported == Some(true)
    }

    pub fn has_urgent(&self, now_ms: u64) -> bool {
        self.host.has_urgent(now_ms)
    }

    pub fn due(&mut self, now_ms: u64) -> Option<Request> {
        self.host.due(now_ms)
    }

    /// The number of the next command, where messages are sealed.
    pub fn next_counter(&mut self) -> u64 {
        self.host.next_counter()
    }

    /// The device and the command, where `request`, which is being sent, carries it for the first
    /// time.
    pub fn first_sending(&self, request: &Request) -> Option<(DeviceId, CommandId)> {
        match request {
            Request::Command(command) if self.host.attempts(&command.id) == 1 => {
                Some((self.device.clone(), CommandId(Uuid::from_bytes(command.id))))
            }
            _ => None,
        }
    }

    pub fn next_at_ms(&self, now_ms: u64) -> u64 {
        let unheard = self.reported.map_or(self.unheard_at_ms(), |_| u64::MAX);
        self.host.next_at_ms(now_ms).min(unheard)
    }

    /// Takes what the charger is to do, or ends it at once where it cannot be told.
    pub fn order(&mut self, order: &Order, out: &mut Vec<Report>) {
        let (id, expires_at_ms) = (order.id.0.into_bytes(), order.expires_at_ms);
        match order.action {
            AnyAction::Charger(target) if self.is_online() => {
                self.tell(Offer { id, action: action(target), expires_at_ms });
            }
            _ => self.end(Done { id, outcome: Outcome::Unanswered, elapsed_ms: None }, out),
        }
    }

    /// Takes what the charger said about itself.
    pub fn heard(&mut self, status: &wire::Status, now_ms: u64, out: &mut Vec<Report>) {
        self.host.heard(Run { boot: status.boot, session: status.session }, now_ms);
        self.tick(now_ms, out);
        if self.host.is_online(now_ms) {
            self.come_online(out);
            self.status = Some(read(status));
            if let Some(news) = self.news() {
                self.report(What::Charger(news), out);
            }
        }
    }

    /// Takes the charger's sealed answer to a hello.
    pub fn welcomed(&mut self, welcome: &Welcome, now_ms: u64, out: &mut Vec<Report>) {
        self.host.welcomed(welcome, now_ms);
        if self.host.is_online(now_ms) {
            self.come_online(out);
        }
    }

    /// Takes what the charger said about a command; false where it is none that it was sent.
    pub fn replied(&mut self, reply: &Reply, now_ms: u64, out: &mut Vec<Report>) -> bool {
        let done = self.host.replied(reply, now_ms);
        done.is_some_and(|done| {
            self.end(done, out);
            self.go_on(now_ms, out);
            true
        })
    }

    /// Looks at the time: ends commands that were not answered, notices silence.
    pub fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        while let Some(done) = self.host.give_up(now_ms) {
            self.end(done, out);
            self.go_on(now_ms, out);
        }
        if self.is_online() && !self.host.is_online(now_ms) {
            let restarted = self.host.is_present(now_ms);
            let reason = if restarted { "it restarted" } else { "it does not answer" };
            self.go_offline(reason, out);
        } else if self.reported.is_none() && now_ms >= self.unheard_at_ms() {
            self.go_offline("it was not heard since the start", out);
        }
    }

    /// The way to the charger is gone.
    pub fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        if let Some(Offer { id, .. }) = self.next.take() {
            self.end(Done { id, outcome: Outcome::Unanswered, elapsed_ms: None }, out);
        }
        while let Some(done) = self.host.give_up(u64::MAX) {
            self.end(done, out);
        }
        self.host.lost();
        if self.reported != Some(false) {
            self.go_offline(reason, out);
        }
    }

    fn unheard_at_ms(&self) -> u64 {
        self.since_ms + self.host.pace().silent_after_ms
    }

    fn tell(&mut self, offer: Offer<Action>) {
        if self.is_telling {
            self.next = Some(offer);
        } else {
            self.is_telling = self.host.offer(offer).is_ok();
        }
    }

    /// Tells it what is newest, where that is not too old.
    fn go_on(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        match self.next.take() {
            Some(next) if now_ms < next.expires_at_ms => self.tell(next),
            Some(Offer { id, .. }) => {
                self.end(Done { id, outcome: Outcome::Unanswered, elapsed_ms: None }, out);
            }
            None => {}
        }
    }

    fn end(&mut self, done: Done<Refusal>, out: &mut Vec<Report>) {
        self.is_telling = false;
        let (outcome, refusal) = match done.outcome {
            Outcome::Judged(Verdict::Accepted) => (event::Outcome::Accepted, None),
            Outcome::Judged(Verdict::Expired) => (event::Outcome::Expired, None),
            Outcome::Judged(Verdict::Refused(why)) => (event::Outcome::Refused, Some(word(why))),
            Outcome::Duplicate => (event::Outcome::Duplicate, None),
            Outcome::Unanswered => (event::Outcome::Unanswered, None),
        };
        let command = CommandId(Uuid::from_bytes(done.id));
        let sent_to_result_ms = done.elapsed_ms;
        self.report(What::Result { command, outcome, refusal, sent_to_result_ms }, out);
    }

    fn come_online(&mut self, out: &mut Vec<Report>) {
        if !self.is_online() {
            self.set_online(true);
            self.report(What::Online, out);
        }
    }

    fn go_offline(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.set_online(false);
        self.status = None;
        self.report(What::Offline { reason: reason.to_owned() }, out);
    }

    fn set_online(&mut self, online: bool) {
        self.reported = Some(online);
        self.online.store(online, Ordering::Release);
    }

    fn report(&self, what: What, out: &mut Vec<Report>) {
        out.push(Report { device: self.device.clone(), what });
    }
}

/// In the words of our protocol. A current that no vehicle can be offered is none.
fn action(target: Target) -> Action {
    let offer = |ma: u32| if ma < MIN_OFFER_MA { 0 } else { ma };
    let Target { limit_ma, fallback_ma, lease_s } = target;
    match offer(limit_ma) {
        0 => Action::Disable,
        limit_ma => {
            Action::Enable(Allowance { limit_ma, lease_s, fallback_ma: offer(fallback_ma) })
        }
    }
}

fn read(status: &wire::Status) -> Status {
    let plug = match status.pilot {
        Pilot::Charging | Pilot::Ventilation if status.closed => Plug::Charging,
        Pilot::Plugged | Pilot::Charging | Pilot::Ventilation => Plug::Plugged,
        Pilot::Unplugged | Pilot::Error => Plug::Free,
    };
    let fault = match status.fault {
        Fault::None if status.pilot == Pilot::Error => Some(Fault::Pilot),
        Fault::None => None,
        fault => Some(fault),
    };
    let meter = status.meter.map_or(Meter::default(), |meter| Meter {
        energy_wh: Some(meter.energy_wh),
        current_ma: meter.current_ma.into_iter().max(),
    });
    let limit_ma = if status.enabled { status.limit_ma } else { 0 };
    Status { plug, limit_ma, fault: fault.map(|fault| fault_word(fault).to_owned()), meter }
}

const fn fault_word(fault: Fault) -> &'static str {
    match fault {
        Fault::None => "none",
        Fault::Residual => "a current to earth",
        Fault::OverCurrent => "more current than was offered",
        Fault::Voltage => "too much or too little voltage",
        Fault::Temperature => "too hot",
        Fault::Contactor => "the contactor does not follow",
        Fault::Pilot => "the control pilot is not as it must be",
        Fault::Meter => "the meter does not answer",
        Fault::Other => "something else",
    }
}

const fn word(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Fault => "fault",
        Refusal::Busy => "busy",
        Refusal::TooLong => "too_long",
        Refusal::OutOfRange => "out_of_range",
        Refusal::Unauthenticated => "unauthenticated",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use firmware_protocol::session::{Arrival, Device};

    use super::{super::News, *};

    const PACE: Pace = Pace {
        poll_every_ms: Some(500),
        answer_within_ms: 50,
        silent_after_ms: 3_000,
        sealed: false,
    };

    struct Scene {
        peer: Peer,
        charger: Device<Refusal>,
        told: Vec<Action>,
        reports: Vec<Report>,
        now_ms: u64,
        /// Commands reach it, and its answers are lost.
        is_mute: bool,
    }

    impl Scene {
        fn new() -> Self {
            let peer = Peer::new("charger-1".parse().unwrap(), PACE, Arc::default(), 0);
            let (told, reports) = (Vec::new(), Vec::new());
            let charger = Device::new(7);
            Self { peer, charger, told, reports, now_ms: 0, is_mute: false }
        }

        fn run(&mut self, for_ms: u64) {
            for _ in 0..for_ms {
                self.now_ms += 1;
                self.peer.tick(self.now_ms, &mut self.reports);
                if let Some(request) = self.peer.due(self.now_ms) {
                    self.answer(&request);
                }
            }
        }

        fn answer(&mut self, request: &Request) {
            let now_ms = self.now_ms;
            if let Request::Command(command) = request {
                let told = &mut self.told;
                let arrival = Arrival::on_line(now_ms);
                let reply = self.charger.command(command, arrival, || {
                    told.push(command.action);
                    Ok(())
                });
                if !self.is_mute {
                    assert!(self.peer.replied(&reply, now_ms, &mut self.reports));
                }
                return;
            }
            if let Request::Hello(hello) = request {
                self.charger.hello(hello, now_ms);
            }
            let status = wire::Status {
                boot: self.charger.boot(),
                session: self.charger.session(),
                uptime_ms: now_ms,
                pilot: Pilot::Charging,
                fault: Fault::None,
                enabled: true,
                closed: true,
                limit_ma: 16_000,
                lease_s: 30,
                plugged_count: 1,
                fault_count: 0,
                meter: Some(wire::Meter { energy_wh: 5, ..wire::Meter::default() }),
            };
            self.peer.heard(&status, now_ms, &mut self.reports);
        }

        fn order(&mut self, limit_ma: u32) {
            let target = Target { limit_ma, fallback_ma: 6_000, lease_s: 30 };
            let order = Order {
                device: self.peer.device().clone(),
                id: CommandId(Uuid::new_v4()),
                action: AnyAction::Charger(target),
                expires_at_ms: self.now_ms + 3_000,
            };
            self.peer.order(&order, &mut self.reports);
        }
    }

    fn enable(limit_ma: u32) -> Action {
        Action::Enable(Allowance { limit_ma, lease_s: 30, fallback_ma: 6_000 })
    }

    #[test]
    fn it_comes_online_and_tells_how_it_is() {
        let mut scene = Scene::new();
        scene.run(1_000);
        assert!(scene.peer.is_online());
        assert_eq!(scene.reports[0].what, What::Online);
        let What::Charger(News::Status(status)) = &scene.reports[1].what else { panic!() };
        assert_eq!((status.plug, status.limit_ma), (Plug::Charging, 16_000));
        assert_eq!(status.meter.energy_wh, Some(5));
        assert_eq!(scene.peer.status(), Some(status));
    }

    #[test]
    fn it_is_told_each_thing_once() {
        let mut scene = Scene::new();
        scene.run(1_000);
        for limit_ma in [16_000, 5_999, 10_000] {
            scene.order(limit_ma);
            scene.run(100);
        }
        assert_eq!(scene.told, [enable(16_000), Action::Disable, enable(10_000)]);
    }

    #[test]
    fn what_is_older_is_never_told_after_what_is_newer() {
        let mut scene = Scene::new();
        scene.run(1_000);
        scene.is_mute = true;
        scene.order(16_000);
        scene.run(100);
        for limit_ma in [12_000, 8_000, 0] {
            scene.order(limit_ma);
        }
        scene.is_mute = false;
        scene.run(2_000);
        assert_eq!(scene.told, [enable(16_000), Action::Disable]);
        let taken = scene.reports.iter().filter(|report| {
            matches!(report.what, What::Result { outcome: event::Outcome::Accepted, .. })
        });
        assert_eq!(taken.count(), 2);
    }

    #[test]
    fn one_that_is_away_is_told_nothing_later() {
        let mut scene = Scene::new();
        scene.run(1_000);
        scene.peer.lost("the line is gone", &mut scene.reports);
        scene.order(16_000);
        scene.run(1_000);
        assert_eq!(scene.told, []);
    }
}
