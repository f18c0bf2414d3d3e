//! What the configuration says about cameras and recognition.

use std::{fmt, path::PathBuf};

use domain::ids::CameraId;
use serde::Deserialize;

use super::{frame::Rgb, models::ModelsConfig};

/// What vision needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// The cameras.
    pub cameras: Vec<CameraConfig>,
    /// How readings become sightings.
    pub recognition: RecognitionConfig,
    /// Networks of one's own.
    pub models: ModelsConfig,
}

/// One camera (`[[cameras]]`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CameraConfig {
    /// Its name.
    pub id: CameraId,
    /// Most frames a second that are looked at.
    #[serde(default = "default_fps")]
    pub fps: f32,
    /// The part of the picture where plates are looked for; all of it where this is absent.
    pub zone: Option<Zone>,
    /// Where its frames come from.
    #[serde(flatten)]
    pub source: SourceConfig,
}

/// Where frames come from (`source = "…"`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "source", rename_all = "lowercase")]
pub enum SourceConfig {
    /// Pictures or a video on the disk.
    Files(FilesConfig),
    /// A network camera.
    Rtsp(RtspConfig),
    /// A camera at the machine.
    V4l2(V4l2Config),
}

/// `source = "files"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    /// A folder of pictures (each is a vehicle that comes and goes), a picture, or a video.
    pub path: PathBuf,
    /// Whether it starts again at the end; otherwise the camera is finished then.
    #[serde(default = "default_true")]
    pub r#loop: bool,
    /// How long each picture is shown, in milliseconds.
    #[serde(default = "default_show_ms")]
    pub show_ms: u32,
    /// How long the lane is empty between two pictures, in milliseconds.
    #[serde(default = "default_gap_ms")]
    pub gap_ms: u32,
}

/// `source = "rtsp"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RtspConfig {
    /// The stream, with user and password where the camera asks for them.
    pub url: RtspUrl,
    /// How the frames travel.
    #[serde(default)]
    pub transport: Transport,
}

/// How RTSP frames travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Inside the RTSP connection: nothing is lost, and firewalls let it through.
    #[default]
    Tcp,
    /// Beside it.
    Udp,
}

/// `source = "v4l2"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct V4l2Config {
    /// The device, like `/dev/video0`; links in `/dev/v4l/by-id` survive a change of ports.
    pub device: PathBuf,
    /// Width that is asked for, in pixels.
    #[serde(default = "default_width")]
    pub width: u32,
    /// Height that is asked for, in pixels.
    #[serde(default = "default_height")]
    pub height: u32,
    /// Pixel format that is asked for; where absent, the first of these that the device has.
    pub format: Option<V4l2Format>,
}

/// Pixel formats of V4L2 devices that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum V4l2Format {
    /// A JPEG for each frame: all that USB 2 carries at full rate.
    Mjpg,
    /// Two pixels in four bytes.
    Yuyv,
    /// Luma, then both chromas alternating at half the resolution.
    Nv12,
}

/// A part of the picture: left, top, right, bottom, as shares of its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Zone(pub [f32; 4]);

/// How readings become sightings (`[recognition]`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecognitionConfig {
    /// Whose formats readings are weighed with; with none, a reading is what the pixels say.
    pub regions: Vec<anpr::Region>,
    /// From this confidence on one reading is enough, 0 to 1.
    pub certain: f32,
    /// Two agreeing readings need at least this confidence together, 0 to 1.
    pub plausible: f32,
    /// A plate that stays unread is reported when it is at least this wide, in pixels.
    pub min_plate_px: f32,
}

impl Default for RecognitionConfig {
    fn default() -> Self {
        let regions = anpr::Region::ALL.to_vec();
        Self { regions, certain: 0.99, plausible: 0.95, min_plate_px: 60.0 }
    }
}

/// The address of a stream. It is never shown with what stands before the `@`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct RtspUrl(String);

impl RtspUrl {
    /// The address with its secrets, for the connection alone.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }

    /// `text` without this address's secrets.
    pub(super) fn redact(&self, text: &str) -> String {
        let shown = text.replace(&self.0, &self.to_string());
        match self.userinfo() {
            Some(userinfo) => shown.replace(userinfo, "…"),
            None => shown,
        }
    }

    fn userinfo(&self) -> Option<&str> {
        // Up to the last `@` of all: a password may hold anything, also a slash.
        Some(self.0.split_once("://")?.1.rsplit_once('@')?.0)
    }
}

impl fmt::Display for RtspUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.userinfo() {
            Some(userinfo) => f.write_str(&self.0.replacen(userinfo, "…", 1)),
            None => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for RtspUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

fn default_fps() -> f32 {
    10.0
}

fn default_true() -> bool {
    true
}

fn default_show_ms() -> u32 {
    400
}

fn default_gap_ms() -> u32 {
    1000
}

fn default_width() -> u32 {
    1280
}

fn default_height() -> u32 {
    720
}

impl Config {
    /// What is wrong with the values, each with its key and what would be right.
    pub fn check(&self) -> Vec<String> {
        let mut faults: Vec<String> = self.cameras.iter().flat_map(CameraConfig::check).collect();
        for (index, camera) in self.cameras.iter().enumerate() {
            if self.cameras[..index].iter().any(|other| other.id == camera.id) {
                faults
                    .push(format!("cameras.id = \"{}\" is there twice; name each once", camera.id));
            }
        }
        faults.extend(self.recognition.check());
        faults
    }
}

impl CameraConfig {
    /// What is wrong with the values, each with its key and what would be right.
    pub fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut hold = |holds: bool, key: &str, want: &str| {
            if !holds {
                faults.push(format!("cameras.{key} of \"{}\" must be {want}", self.id));
            }
        };
        hold((0.1..=60.0).contains(&self.fps), "fps", "from 0.1 to 60");
        hold(
            self.zone.is_none_or(|zone| zone.is_usable()),
            "zone",
            "[left, top, right, bottom], each from 0 to 1, left < right and top < bottom",
        );
        match &self.source {
            SourceConfig::Files(files) => {
                hold((1..=60_000).contains(&files.show_ms), "show_ms", "from 1 to 60000");
                hold(files.gap_ms <= 60_000, "gap_ms", "at most 60000");
            }
            SourceConfig::Rtsp(rtsp) => {
                let url = rtsp.url.secret();
                let known = ["rtsp://", "rtsps://"].iter().any(|scheme| url.starts_with(scheme));
                hold(known, "url", "an address like rtsp://user:password@192.0.2.7/stream");
            }
            SourceConfig::V4l2(v4l2) => {
                hold((160..=4096).contains(&v4l2.width), "width", "from 160 to 4096");
                hold((120..=4096).contains(&v4l2.height), "height", "from 120 to 4096");
            }
        }
        faults
    }
}

impl RecognitionConfig {
    fn check(&self) -> Vec<String> {
        let ranges = [
            ("certain", self.certain, 0.5..=1.0),
            ("plausible", self.plausible, 0.0..=1.0),
            ("min_plate_px", self.min_plate_px, 10.0..=1000.0),
        ];
        let wrong = ranges.into_iter().filter(|(_, value, range)| !range.contains(value));
        wrong
            .map(|(key, _, range)| {
                format!("recognition.{key} must be from {} to {}", range.start(), range.end())
            })
            .collect()
    }
}

impl Zone {
    fn is_usable(&self) -> bool {
        let [left, top, right, bottom] = self.0;
        self.0.iter().all(|share| (0.0..=1.0).contains(share)) && left < right && top < bottom
    }

    /// Left, top, width and height in pixels of a picture; at least one pixel each way.
    pub(super) fn of(&self, picture: &Rgb) -> [usize; 4] {
        let along = |from: f32, to: f32, size: usize| {
            let start = ((from * size as f32) as usize).min(size - 1);
            let end = ((to * size as f32).ceil() as usize).clamp(start + 1, size);
            (start, end - start)
        };
        let [left, top, right, bottom] = self.0;
        let (x, width) = along(left, right, picture.width);
        let (y, height) = along(top, bottom, picture.height);
        [x, y, width, height]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[derive(Deserialize)]
    struct File {
        cameras: Vec<CameraConfig>,
    }

    fn parse(text: &str) -> Result<Config, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        Ok(Config {
            cameras: file.cameras,
            recognition: RecognitionConfig::default(),
            models: ModelsConfig::default(),
        })
    }

    fn faults(camera: &str) -> Vec<String> {
        parse(&format!("[[cameras]]\nid = \"entry\"\n{camera}")).unwrap().check()
    }

    #[test]
    fn a_key_of_another_source_is_refused_by_name() {
        let text =
            "[[cameras]]\nid = \"entry\"\nsource = \"rtsp\"\nurl = \"rtsp://a\"\npath = \"b\"";
        assert!(parse(text).unwrap_err().contains("unknown field `path`"));
        let text = "[[cameras]]\nid = \"entry\"\nsource = \"usb\"";
        assert!(parse(text).unwrap_err().contains("unknown variant `usb`"));
        let text = "[[cameras]]\nid = \"entry\"\nsource = \"rtsp\"";
        assert!(parse(text).unwrap_err().contains("missing field `url`"));
    }

    #[test]
    fn wrong_values_are_named_with_what_would_be_right() {
        assert!(faults("source = \"v4l2\"\ndevice = \"/dev/video0\"").is_empty());
        let files = "source = \"files\"\npath = \"cars\"\n";
        let zone = faults(&format!("{files}zone = [0.5, 0.0, 0.5, 1.0]"));
        assert!(zone[0].contains("cameras.zone of \"entry\"") && zone[0].contains("left < right"));
        assert!(faults(&format!("{files}fps = 0.0"))[0].contains("from 0.1 to 60"));
        assert!(faults("source = \"rtsp\"\nurl = \"http://a\"")[0].contains("rtsp://user"));
        let twice = format!("[[cameras]]\nid = \"a\"\n{files}").repeat(2);
        assert!(parse(&twice).unwrap().check()[0].contains("twice"));
    }

    #[test]
    fn the_example_shows_every_key_and_each_with_its_usual_value() {
        let text = include_str!("../../../config/edge.example.toml");
        let table: toml::Table = text.parse().unwrap();
        let mut config = parse(text).unwrap();
        let recognition: RecognitionConfig = table["recognition"].clone().try_into().unwrap();
        assert_eq!(recognition, RecognitionConfig::default());
        config.recognition = recognition;
        assert!(config.check().is_empty(), "{:?}", config.check());
        for (camera, least) in config.cameras.iter().zip([
            "source = \"rtsp\"\nurl = \"rtsp://viewer:secret@192.0.2.10:554/stream1\"",
            "source = \"v4l2\"\ndevice = \"/dev/video0\"\nformat = \"mjpg\"",
            "source = \"files\"\npath = \"/srv/footage\"",
        ]) {
            let least = parse(&format!("[[cameras]]\nid = \"a\"\n{least}")).unwrap();
            assert_eq!(camera.source, least.cameras[0].source);
        }
    }

    #[test]
    fn regions_are_named_or_left_out_and_others_are_refused() {
        let parse = |text: &str| toml::from_str::<RecognitionConfig>(text);
        assert_eq!(parse("regions = [\"ru\"]").unwrap().regions, [anpr::Region::Ru]);
        assert!(parse("regions = []").unwrap().regions.is_empty());
        let error = parse("regions = [\"mars\"]").unwrap_err().to_string();
        assert!(error.contains("mars") && error.contains("`cn`, `ru`, `eu`"), "{error}");
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let url = RtspUrl("rtsp://admin:se@cr/et@10.0.0.9:554/live".into());
        for shown in [
            format!("{url} {url:?}"),
            url.redact("cannot open rtsp://admin:se@cr/et@10.0.0.9:554/live (admin:se@cr/et)"),
        ] {
            assert!(!shown.contains("cr/et") && shown.contains("10.0.0.9"), "{shown}");
        }
    }
}
