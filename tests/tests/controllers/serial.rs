//! Stories of a serial line.

use std::time::Duration;

use domain::{
    event::{Action, Outcome},
    ids::CommandId,
};
use edge_daemon::controller::{
    Command, SendError, What,
    barrier::{Arm, News},
};
use firmware_protocol::{
    barrier::{self, Answer, Reply, Status, Verdict},
    frame::Frame,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use system_tests::{
    barrier::{Barrier, Happening},
    device::Faults,
    serial::SerialLine,
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::scene::{Scene, TIMING, name};

/// A barrier `entry` alone on its line.
struct Site {
    barrier: Barrier,
    line: SerialLine,
    scene: Scene,
    _directory: TempDir,
}

impl Site {
    async fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("line");
        let barrier = Barrier::new(TIMING);
        let line = SerialLine::new(&path, vec![(7, barrier.clone())]).unwrap();
        let mut scene = Scene::new(&format!(
            "[[controllers]]\nid = 'entry'\nlink = 'serial'\npath = '{}'\naddress = 7",
            path.display()
        ));
        scene.online("entry").await;
        Self { barrier, line, scene, _directory: directory }
    }

    /// What the barrier answers to the next command.
    async fn next_reply(&self) -> Reply {
        let answered = async {
            loop {
                for (_, happening) in self.barrier.board().hardware.take_happenings() {
                    if let Happening::Command { reply, .. } = happening {
                        return reply;
                    }
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), answered).await.expect("it answers within ten seconds")
    }
}

#[tokio::test]
async fn a_vehicle_passes() {
    let mut site = Site::new().await;
    site.barrier.board().hardware.vehicle();
    site.scene.seen("entry", News::Presence(true)).await;
    let id = site.scene.send("entry", Action::Open).unwrap();
    site.scene
        .until("entry", |what| {
            matches!(what, What::Sent { command, .. } if *command == id).then_some(())
        })
        .await;
    assert_eq!(site.scene.result("entry", id).await, Outcome::Accepted);
    for seen in [News::Arm(Arm::Open), News::Loop(true), News::Loop(false)] {
        site.scene.seen("entry", seen).await;
    }
    assert_eq!(site.scene.command("entry", Action::Close).await, Outcome::Accepted);
    site.barrier.arm(Arm::Closed).await;
    let caused: Vec<_> = site.barrier.movements().iter().map(|m| (m.action, m.command)).collect();
    assert_eq!(caused.len(), 2, "{caused:?}");
    assert_eq!(caused[0].1, Some(id.0.into_bytes()));
}

#[tokio::test]
async fn a_repeated_command_moves_nothing() {
    let mut site = Site::new().await;
    assert_eq!(site.scene.command("entry", Action::Open).await, Outcome::Accepted);
    assert_eq!(site.scene.command("entry", Action::Close).await, Outcome::Accepted);
    site.barrier.board().hardware.take_happenings();
    site.line.replay(barrier::Action::Open);
    let reply = site.next_reply().await;
    assert!(reply.duplicate);
    assert_eq!(reply.verdict, Verdict::Accepted);
    assert_eq!(site.barrier.movements().len(), 2);
}

#[tokio::test]
async fn a_line_that_doubles_everything_moves_once() {
    let mut site = Site::new().await;
    site.barrier.set_faults(Faults { duplicates: true, ..Faults::default() });
    assert_eq!(site.scene.command("entry", Action::Open).await, Outcome::Accepted);
    site.barrier.arm(Arm::Open).await;
    assert_eq!(site.barrier.movements().len(), 1);
}

#[tokio::test]
async fn a_command_that_is_replayed_after_its_end_moves_nothing() {
    let mut site = Site::new().await;
    assert_eq!(site.scene.command("entry", Action::Open).await, Outcome::Accepted);
    assert_eq!(site.scene.command("entry", Action::Close).await, Outcome::Accepted);
    sleep(Duration::from_millis(3_100)).await;
    site.barrier.board().hardware.take_happenings();
    site.line.replay(barrier::Action::Open);
    assert_eq!(site.next_reply().await.verdict, Verdict::Expired);
    site.barrier.board().restart();
    site.line.replay(barrier::Action::Open);
    assert_eq!(site.next_reply().await.verdict, Verdict::Expired);
    site.scene.offline("entry").await;
    site.scene.online("entry").await;
    assert_eq!(site.barrier.movements().len(), 2);
}

#[tokio::test]
async fn a_command_that_the_line_held_back_moves_nothing() {
    let mut site = Site::new().await;
    site.barrier.set_faults(Faults { slow_ms: 3_200, ..Faults::default() });
    let id = site.scene.send("entry", Action::Open).unwrap();
    assert_eq!(site.scene.result("entry", id).await, Outcome::Unanswered);
    let reply = site.next_reply().await;
    assert_eq!(reply.id, id.0.into_bytes());
    assert_eq!(reply.verdict, Verdict::Expired);
    assert_eq!(site.barrier.movements(), []);
}

#[tokio::test]
async fn a_command_with_too_long_a_life_is_not_taken() {
    let site = Site::new().await;
    let id = CommandId(Uuid::new_v4());
    let expires_in = Duration::from_secs(11);
    let command = Command { id, action: Action::Open.into(), expires_in };
    let refused = site.scene.controllers.send(&name("entry"), command);
    assert_eq!(refused, Err(SendError::TooLong(name("entry"))));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_without_a_second_movement() {
    let mut site = Site::new().await;
    // The board acts, and its answer comes too late to count, until it is fast again.
    site.barrier.set_faults(Faults { slow_ms: 120, ..Faults::default() });
    let id = site.scene.send("entry", Action::Open).unwrap();
    site.barrier.arm(Arm::Open).await;
    site.barrier.set_faults(Faults::default());
    assert_eq!(site.scene.result("entry", id).await, Outcome::Accepted);
    assert_eq!(site.barrier.movements().len(), 1);
}

#[tokio::test]
async fn a_silent_device_is_offline_and_takes_no_command() {
    let mut site = Site::new().await;
    site.barrier.set_faults(Faults { silent: true, ..Faults::default() });
    let id = site.scene.send("entry", Action::Open).unwrap();
    assert_eq!(site.scene.result("entry", id).await, Outcome::Unanswered);
    if site.scene.controllers.is_online(&name("entry")) {
        site.scene.offline("entry").await;
    }
    assert_eq!(site.scene.send("entry", Action::Open), Err(SendError::Offline(name("entry"))));
    site.barrier.set_faults(Faults::default());
    site.scene.online("entry").await;
    assert_eq!(site.barrier.movements(), []);
}

#[tokio::test]
async fn an_occupied_loop_keeps_the_arm_up() {
    let mut site = Site::new().await;
    assert_eq!(site.scene.command("entry", Action::Open).await, Outcome::Accepted);
    site.barrier.arm(Arm::Open).await;
    site.barrier.board().hardware.block(true);
    let id = site.scene.send("entry", Action::Close).unwrap();
    let refusal = |what: &What| match what {
        What::Result { command, refusal, .. } if *command == id => *refusal,
        _ => None,
    };
    assert_eq!(site.scene.until("entry", refusal).await, "under_arm");
    assert_eq!(site.barrier.board().hardware.arm(), Arm::Open);
}

#[tokio::test]
async fn what_happened_between_two_looks_is_reported() {
    let mut site = Site::new().await;
    {
        let mut board = site.barrier.board();
        board.hardware.block(true);
        board.hardware.block(false);
        board.hardware.press();
        board.hardware.fire = true;
    }
    for seen in [News::Fire(true), News::Button { press: 1 }, News::Loop(true), News::Loop(false)] {
        site.scene.seen("entry", seen).await;
    }
}

#[tokio::test]
async fn a_button_pressed_while_nobody_listened_opens_nothing_later() {
    let mut site = Site::new().await;
    site.line.unplug();
    site.scene.offline("entry").await;
    site.barrier.board().hardware.press();
    site.line.plug();
    site.scene.online("entry").await;
    sleep(Duration::from_millis(200)).await;
    let pressed =
        site.scene.rest().iter().any(|r| matches!(r.what, What::Barrier(News::Button { .. })));
    assert!(!pressed);
}

#[tokio::test]
async fn an_unplugged_line_comes_back() {
    let mut site = Site::new().await;
    for _ in 0..2 {
        site.line.unplug();
        site.scene.offline("entry").await;
        assert_eq!(site.scene.send("entry", Action::Open), Err(SendError::Offline(name("entry"))));
        site.line.plug();
        site.scene.online("entry").await;
    }
    assert_eq!(site.barrier.movements(), []);
    assert_eq!(site.scene.command("entry", Action::Open).await, Outcome::Accepted);
}

#[tokio::test]
async fn noise_costs_no_command() {
    let mut site = Site::new().await;
    let mut random = StdRng::seed_from_u64(1);
    for round in 0..30 {
        let mut noise = vec![0; random.random_range(1..2_000)];
        random.fill(&mut noise[..]);
        site.line.inject(noise);
        site.line.inject(half_a_frame());
        site.line.inject(a_frame_with_a_bad_checksum());
        let action = if round % 2 == 0 { Action::Open } else { Action::Close };
        assert_eq!(site.scene.command("entry", action).await, Outcome::Accepted);
    }
    assert_eq!(site.barrier.movements().len(), 30);
    assert!(site.scene.dropped() > 30);
}

#[tokio::test]
async fn ten_megabytes_without_a_delimiter_are_survived() {
    let mut site = Site::new().await;
    site.line.inject(vec![0x55; 10 << 20]);
    while site.scene.dropped() == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    while !site.scene.controllers.is_online(&name("entry")) {
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(site.scene.command("entry", Action::Open).await, Outcome::Accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_neighbour_on_the_line_starves_nobody() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("line");
    let (good, bad) = (Barrier::new(TIMING), Barrier::new(TIMING));
    let _line = SerialLine::new(&path, vec![(1, good.clone()), (2, bad.clone())]).unwrap();
    let entry = |id: &str, address: u8| {
        let path = path.display();
        format!(
            "[[controllers]]\nid = '{id}'\nlink = 'serial'\npath = '{path}'\naddress = {address}\n"
        )
    };
    let mut scene = Scene::new(&(entry("good", 1) + &entry("bad", 2) + &entry("absent", 3)));
    scene.online("good").await;
    bad.set_faults(Faults { babbling: true, ..Faults::default() });
    for round in 0..10 {
        let action = if round % 2 == 0 { Action::Open } else { Action::Close };
        assert_eq!(scene.command("good", action).await, Outcome::Accepted);
    }
    assert_eq!(good.movements().len(), 10);
    assert_eq!(bad.movements(), []);
    assert_eq!(scene.send("absent", Action::Open), Err(SendError::Offline(name("absent"))));
}

/// A status as the device would send it, cut off.
fn half_a_frame() -> Vec<u8> {
    let whole = unasked_status();
    whole[..whole.len() / 2].to_vec()
}

fn a_frame_with_a_bad_checksum() -> Vec<u8> {
    let mut frame = unasked_status();
    let last = frame.len() - 3;
    frame[last] ^= 0x10;
    frame
}

fn unasked_status() -> Vec<u8> {
    let status: Status = Barrier::new(TIMING).status();
    let (kind, payload) = Answer::Status(status).encode();
    Frame { address: 7, sequence: 1, kind, payload }.encode().to_vec()
}
