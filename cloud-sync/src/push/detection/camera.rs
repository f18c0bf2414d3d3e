//! What the frames of the channels say about the camera that they come from. Pure; the time is
//! passed in.

/// A camera that has sent no frame for so long is gone, in milliseconds.
const CAMERA_GONE_MS: u64 = 10_000;
/// Part of the mean that the newest gap between frames makes.
const NEWEST: f64 = 0.2;

/// A camera whose frames come in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Camera {
    /// Of its frames, px.
    pub(crate) width: u32,
    /// Of its frames, px.
    pub(crate) height: u32,
    /// Frames in a second that are read.
    pub(crate) fps: f64,
}

/// Watches the frames of the camera that sent the latest one.
#[derive(Debug, Default)]
pub(super) struct CameraMeter {
    size: (u32, u32),
    last_ms: Option<u64>,
    /// Mean gap between two frames; none before the second.
    gap_ms: Option<f64>,
}

impl CameraMeter {
    /// A frame came in.
    pub(super) fn frame(&mut self, size: (u32, u32), now_ms: u64) {
        let gap_ms = self.last_ms.map(|last_ms| now_ms.saturating_sub(last_ms));
        let is_same = size == self.size && gap_ms.is_some_and(|gap_ms| gap_ms < CAMERA_GONE_MS);
        let newest = gap_ms.filter(|_| is_same).map(|gap_ms| gap_ms as f64);
        self.gap_ms = match (self.gap_ms.filter(|_| is_same), newest) {
            (Some(mean), Some(newest)) => Some(mean + NEWEST * (newest - mean)),
            (None, newest) => newest,
            (Some(_), None) => None,
        };
        (self.size, self.last_ms) = (size, Some(now_ms));
    }

    /// The camera, where it has sent something of late.
    pub(super) fn at(&self, now_ms: u64) -> Option<Camera> {
        let since_ms = now_ms.saturating_sub(self.last_ms?);
        let fps = self.gap_ms.map_or(0.0, |gap_ms| 1000.0 / gap_ms.max(1.0));
        let (width, height) = self.size;
        (since_ms < CAMERA_GONE_MS).then_some(Camera { width, height, fps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_there_while_its_frames_come() {
        let mut meter = CameraMeter::default();
        assert_eq!(meter.at(0), None);
        for frame in 0..20 {
            meter.frame((1920, 1080), 1000 + frame * 100);
        }
        let camera = Camera { width: 1920, height: 1080, fps: 10.0 };
        assert_eq!(meter.at(3000), Some(camera));
        assert_eq!(meter.at(60_000), None);
        meter.frame((640, 480), 70_000);
        assert_eq!(meter.at(70_000), Some(Camera { width: 640, height: 480, fps: 0.0 }));
    }
}
