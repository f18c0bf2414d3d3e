//! The V4L2 camera against a real driver, in a Linux of its own (`tests/v4l2/run`).

use std::{path::Path, process::Command};

#[test]
fn a_v4l2_camera_delivers_what_the_driver_shows() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("v4l2/run");
    let run = Command::new(script).arg(env!("CARGO_BIN_EXE_capture-v4l2")).output();
    let run = run.expect("the script starts");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    print!("{said}");
    if said.starts_with("skipped: ") {
        return;
    }
    for format in ["yuyv", "nv12"] {
        let line = said.lines().find(|line| line.contains(&format!(" {format} 640x360 frames=5")));
        let line = line.unwrap_or_else(|| panic!("no frames in {format}:\n{said}"));
        assert!(line.ends_with("bars=WYCGMRBK"), "the driver's colour bars: {line}");
    }
    assert!(said.contains("mjpg refused: /dev/video0: it offers "), "{said}");
}
