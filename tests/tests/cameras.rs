//! Cameras against real peers: an RTSP server, a video file.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use edge_daemon::{
    sightings::{Message, Received, Receiver},
    vision::{
        self, CameraConfig, RecognitionConfig,
        camera::{Camera, Lost, Next, open},
    },
};
use gstreamer::{self as gst, prelude::*};
use system_tests::camera::{Codec, RtspCamera};

/// Far longer than anything takes, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(source: &str) -> CameraConfig {
    toml::from_str(&format!("id = \"entry\"\n{source}")).expect("a camera's configuration")
}

fn rtsp(url: &str, transport: &str) -> CameraConfig {
    config(&format!("source = \"rtsp\"\nurl = \"{url}\"\ntransport = \"{transport}\""))
}

/// The sizes of the first frames, with how bright their brightest and darkest samples are.
fn frames(camera: &mut dyn Camera, count: usize) -> Result<Vec<(usize, usize, u8, u8)>, Lost> {
    let until = Instant::now() + PATIENCE;
    let mut frames = Vec::new();
    while frames.len() < count && Instant::now() < until {
        if let Next::Frame(frame) = camera.next()? {
            let (width, height) = (frame.pixels.width(), frame.pixels.height());
            let samples =
                (0..height).step_by(4).flat_map(|y| (0..width).step_by(4).map(move |x| (x, y)));
            let luma: Vec<u8> = samples.map(|(x, y)| frame.pixels.luma(x, y)).collect();
            let (dark, bright) = (luma.iter().min(), luma.iter().max());
            frames.push((width, height, *dark.unwrap_or(&0), *bright.unwrap_or(&0)));
        }
    }
    Ok(frames)
}

#[test]
fn an_rtsp_camera_delivers_what_it_sees() {
    for (codec, transport) in [(Codec::H264, "tcp"), (Codec::Jpeg, "tcp"), (Codec::H264, "udp")] {
        let server = RtspCamera::start(codec, 0);
        let mut camera = open(&rtsp(&server.url(), transport)).expect("it opens");
        let frames = frames(&mut *camera, 3).expect("it delivers");
        assert_eq!(frames.len(), 3, "{codec:?} over {transport}");
        for (width, height, dark, bright) in frames {
            assert_eq!((width, height), (640, 360), "{codec:?} over {transport}");
            assert!(dark < 60 && bright > 180, "a white ball on black: {dark} to {bright}");
        }
    }
}

#[test]
fn a_camera_that_is_not_there_says_why_and_no_secret() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("it is bound").port();
    drop(free);
    let url = format!("rtsp://admin:geheim@127.0.0.1:{port}/live");
    let lost = match open(&rtsp(&url, "tcp")) {
        Ok(mut camera) => frames(&mut *camera, 1).expect_err("nobody listens"),
        Err(lost) => lost,
    };
    let said = lost.to_string();
    assert!(said.contains(&format!("127.0.0.1:{port}")) && !said.contains("geheim"), "{said}");
}

/// A vision process of one camera, as the core sees it.
struct Core {
    runtime: tokio::runtime::Runtime,
    receiver: Receiver,
    _state: tempfile::TempDir,
}

impl Core {
    fn with(camera: CameraConfig) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let state = tempfile::tempdir().expect("a folder");
        let socket = state.path().join("sightings.sock");
        let receiver = runtime.block_on(async { Receiver::bind(&socket) }).expect("a socket");
        let pictures = state.path().join("pictures");
        thread::spawn(move || {
            let config = vision::Config {
                cameras: vec![camera],
                recognition: RecognitionConfig::default(),
                models: vision::ModelsConfig::default(),
            };
            if let Err(error) = vision::run(&config, &pictures, &socket) {
                eprintln!("vision ended: {error}");
            }
        });
        Self { runtime, receiver, _state: state }
    }

    /// Waits until the camera is said to be online, or offline; why.
    fn camera_is(&mut self, wanted: bool) -> String {
        let said = async {
            loop {
                match self.receiver.next().await {
                    Received::Message(Message::Camera { online, reason, .. })
                        if online == wanted =>
                    {
                        return reason;
                    }
                    Received::Disconnected(cut) => panic!("{cut}"),
                    _ => {}
                }
            }
        };
        let said = async { tokio::time::timeout(PATIENCE, said).await };
        self.runtime.block_on(said).expect("it is said in time")
    }
}

#[test]
fn a_camera_that_is_switched_off_is_an_event_and_comes_back_by_itself() {
    let server = RtspCamera::start(Codec::Jpeg, 0);
    let port = server.port();
    let mut core = Core::with(rtsp(&server.url(), "tcp"));
    core.camera_is(true);
    drop(server);
    let reason = core.camera_is(false);
    assert!(reason.contains(&format!("127.0.0.1:{port}/live")), "{reason}");
    let server = RtspCamera::start(Codec::Jpeg, port);
    core.camera_is(true);
    drop(server);
}

/// Writes a video of one second, 15 frames.
fn record(path: &Path) {
    gst::init().expect("GStreamer is installed");
    let pipeline = gst::parse::launch(&format!(
        "videotestsrc num-buffers=15 pattern=ball ! video/x-raw,width=320,height=180,framerate=15/1 \
         ! x264enc ! mp4mux ! filesink location=\"{}\"",
        path.display()
    ))
    .expect("the elements are installed");
    pipeline.set_state(gst::State::Playing).expect("it runs");
    let bus = pipeline.bus().expect("a pipeline has a bus");
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &end);
    assert_eq!(message.map(|m| m.type_()), Some(gst::MessageType::Eos));
    pipeline.set_state(gst::State::Null).expect("it stops");
}

#[test]
fn a_video_is_played_at_its_own_pace_and_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a b.mp4");
    record(&path);
    let source = |repeats| format!("source = \"files\"\npath = {path:?}\nloop = {repeats}");
    let mut camera = open(&config(&source(false))).expect("it opens");
    let mut frames = 0;
    let started = Instant::now();
    loop {
        match camera.next().expect("it plays") {
            Next::Frame(_) => frames += 1,
            Next::End => break,
            _ => assert!(started.elapsed() < PATIENCE),
        }
    }
    assert!((1..=15).contains(&frames));
    assert!(started.elapsed() > Duration::from_millis(800), "a second of video takes a second");

    let mut camera = open(&config(&source(true))).expect("it opens");
    let again = self::frames(&mut *camera, 30).expect("it plays");
    assert_eq!(again.len(), 30, "it starts again at its end");
}

#[test]
fn a_file_that_is_no_video_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes.mp4");
    std::fs::write(&path, "no video").expect("a file");
    let camera = config(&format!("source = \"files\"\npath = {path:?}"));
    let lost = open(&camera).and_then(|mut camera| frames(&mut *camera, 1));
    assert!(lost.expect_err("there is nothing to see").to_string().contains("notes.mp4"));
}
