//! The demonstration on a person's own pictures and cameras: ends by itself, and loses nothing.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, process::Output};

use gstreamer::{self as gst, prelude::*};
use system_tests::{camera::RtspCamera, process};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

/// Longest that a demonstration of a few cars may take, on a machine that does much else.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_pictures_is_a_car_each() {
    let folder = TempDir::new().unwrap();
    let plates = root().join("models/anpr/tests/vectors");
    for name in ["cn_line_picture", "ru_line_picture"] {
        let plate = plates.join(format!("{name}.png"));
        photograph(&plate, &folder.path().join(format!("{name}.jpg")));
    }
    fs::write(folder.path().join("notes.txt"), "no picture").unwrap();
    let shown = demo(folder.path().to_str().unwrap()).await;
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success(), "{text}\n{}", String::from_utf8_lossy(&shown.stderr));
    assert!(text.contains("\ncars 2 ") && text.contains("nothing lost"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_camera_is_watched_until_it_ends() {
    let camera = RtspCamera::show(&root().join("tests/footage/entry.mp4"));
    let shown = demo(&camera.url()).await;
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success(), "{text}\n{}", String::from_utf8_lossy(&shown.stderr));
    assert!(text.contains("  opens ") && text.contains("nothing lost"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn footage_that_shows_nothing_is_named_with_what_would_be_right() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, "neither a picture nor a video").unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (empty, video) = (folder.path().join("empty"), file("car.mp4"));
    fs::create_dir(&empty).unwrap();
    for (footage, right) in [
        ("/dev/video97", "this machine has"),
        ("rtsp://127.0.0.1:9/live", "the footage shows nothing"),
        ("/no/such/folder", "No such file"),
        (empty.to_str().unwrap(), ".jpg, .jpeg or .png"),
        (&file("car.jpg"), "no picture could be decoded"),
        (&video, "the footage shows nothing"),
    ] {
        let shown = demo(footage).await;
        let text = String::from_utf8_lossy(&shown.stderr);
        assert_eq!(shown.status.code(), Some(1), "{text}");
        assert!(text.contains(right), "{text}");
    }
}

/// A grey picture of 640 x 360 px with a plate in it.
fn photograph(plate: &Path, picture: &Path) {
    gst::init().unwrap();
    let (plate, picture) = (plate.display(), picture.display());
    let pipeline = gst::parse::launch(&format!(
        "filesrc location=\"{plate}\" ! pngdec ! videoconvert ! video/x-raw,format=I420 \
         ! videobox fill=black left=-240 top=-200 ! videobox autocrop=true \
         ! video/x-raw,width=640,height=360 ! jpegenc ! filesink location=\"{picture}\""
    ));
    let pipeline = pipeline.unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(20), &ends);
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(end.unwrap().type_(), gst::MessageType::Eos);
}

/// `make demo FOOTAGE=… ONCE=1`, built as the tests are.
async fn demo(footage: &str) -> Output {
    let port = process::free_port().unwrap().to_string();
    let run = Command::new(process::binary("demo"))
        .args(["--once", "--footage", footage, "--port", &port])
        .current_dir(root())
        .kill_on_drop(true)
        .output();
    timeout(PATIENCE, run).await.expect("it ends").unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
