//! A network camera: a real RTSP server that shows a moving ball, or a film once.

use std::{
    path::Path,
    thread::{self, JoinHandle},
};

use gstreamer::{self as gst, glib};
use gstreamer_rtsp_server::{self as rtsp, prelude::*};

/// How the camera encodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// As most do.
    H264,
    /// As old ones do.
    Jpeg,
}

/// A camera at `rtsp://127.0.0.1:<port>/live`; the ball has 640 x 360 px at 15 frames a second. It is
/// switched off when it is dropped.
#[derive(Debug)]
pub struct RtspCamera {
    server: rtsp::RTSPServer,
    main_loop: glib::MainLoop,
    source: glib::Source,
    thread: Option<JoinHandle<()>>,
}

impl RtspCamera {
    /// Switches a camera on; port 0 takes a free one.
    ///
    /// # Panics
    /// When GStreamer or its elements are missing, or the port is taken.
    pub fn start(codec: Codec, port: u16) -> Self {
        Self::serve(&launch(codec), port)
    }

    /// Switches a camera on that shows a film in H.264 to whoever connects, and then ends.
    ///
    /// # Panics
    /// When GStreamer or its elements are missing.
    pub fn show(film: &Path) -> Self {
        let film = film.display();
        Self::serve(
            &format!(
                "( filesrc location=\"{film}\" ! qtdemux ! h264parse ! rtph264pay name=pay0 )"
            ),
            0,
        )
    }

    fn serve(launch: &str, port: u16) -> Self {
        gst::init().expect("GStreamer is installed");
        let context = glib::MainContext::new();
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let server = rtsp::RTSPServer::new();
        server.set_address("127.0.0.1");
        server.set_service(&port.to_string());
        let factory = rtsp::RTSPMediaFactory::new();
        factory.set_launch(launch);
        factory.set_shared(true);
        let mounts = server.mount_points().expect("a new server has mount points");
        mounts.add_factory("/live", factory);
        let source = server.create_source(rtsp::gio::Cancellable::NONE).expect("the port is free");
        source.attach(Some(&context));
        let thread = thread::spawn({
            let main_loop = main_loop.clone();
            move || main_loop.run()
        });
        Self { server, main_loop, source, thread: Some(thread) }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        u16::try_from(self.server.bound_port()).expect("it listens")
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/live", self.port())
    }
}

impl Drop for RtspCamera {
    fn drop(&mut self) {
        // Like pulling the plug: present viewers go as well.
        self.server.client_filter(Some(&mut |_, _| rtsp::RTSPFilterResult::Remove));
        self.source.destroy();
        self.main_loop.quit();
        if let Some(thread) = self.thread.take() {
            // A panic there was already printed.
            let _ = thread.join();
        }
    }
}

fn launch(codec: Codec) -> String {
    let encode = match codec {
        Codec::H264 => {
            "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay"
        }
        Codec::Jpeg => "jpegenc ! rtpjpegpay",
    };
    format!(
        "( videotestsrc is-live=true pattern=ball \
         ! video/x-raw,format=I420,width=640,height=360,framerate=15/1 \
         ! {encode} name=pay0 pt=96 )"
    )
}
