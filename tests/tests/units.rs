//! The service units: they name programs and verbs that exist, and keep their privileges few.
#![allow(clippy::unwrap_used)]

use std::{path::Path, process::Command};

/// systemd's own score of exposure, in tenths: 10.0 is everything, below 2.0 is sandboxed.
const MOST_EXPOSURE: &str = "20";

fn unit(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("systemd").join(name).to_string_lossy().into_owned()
}

#[test]
fn services_are_sandboxed() {
    for name in ["gatehouse-edge.service", "gatehouse-cloud.service"] {
        let threshold = format!("--threshold={MOST_EXPOSURE}");
        let scored = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager", &threshold, &unit(name)])
            .output();
        let Ok(scored) = scored else {
            println!("skipped: there is no systemd-analyze on this machine");
            return;
        };
        let text = String::from_utf8_lossy(&scored.stdout);
        assert!(scored.status.success(), "{name}: {}", text.lines().last().unwrap_or_default());
    }
}

#[test]
fn services_start_what_the_programs_offer() {
    for (name, program) in
        [("gatehouse-edge.service", "edge-daemon"), ("gatehouse-cloud.service", "cloud-sync")]
    {
        let text = std::fs::read_to_string(unit(name)).unwrap();
        let lines = text.lines().filter_map(|line| {
            let command = line.strip_prefix("ExecStart=").or(line.strip_prefix("ExecStartPre="));
            command?.strip_prefix("/usr/bin/")
        });
        let commands: Vec<_> = lines.collect();
        assert!(!commands.is_empty());
        for command in commands {
            let mut words = command.split(' ');
            assert_eq!(words.next(), Some(program));
            let verb = words.next().unwrap();
            let options = words.filter(|word| word.starts_with("--"));
            let help = Command::new(system_tests::process::binary(program))
                .args([verb, "--help"])
                .output()
                .unwrap();
            assert!(help.status.success(), "{program} has no verb {verb}");
            let help = String::from_utf8_lossy(&help.stdout).into_owned();
            for option in options {
                assert!(help.contains(option), "{program} {verb} has no option {option}");
            }
        }
    }
}
