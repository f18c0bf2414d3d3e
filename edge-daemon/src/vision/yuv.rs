//! Luma and chroma to RGB. Rows without gaps; chroma of odd sides is rounded up.

/// How luma and chroma were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Colour {
    /// Luma from 0 to 255 as in JPEG, not 16 to 235 as in video.
    pub full_range: bool,
    /// By ITU-R BT.709 (high definition), not BT.601.
    pub bt709: bool,
}

/// The conversion in 1/65536.
struct Matrix {
    black: i32,
    luma: i32,
    red_v: i32,
    green_u: i32,
    green_v: i32,
    blue_u: i32,
}

impl From<Colour> for Matrix {
    fn from(colour: Colour) -> Self {
        // Shares of red and blue in luma (ITU-R BT.601-7, 2.5.1; BT.709-6, 3.2).
        let (kr, kb) = if colour.bt709 { (0.2126, 0.0722) } else { (0.299, 0.114) };
        let kg = 1.0 - kr - kb;
        let (black, luma, chroma) =
            if colour.full_range { (0, 1.0, 1.0) } else { (16, 255.0 / 219.0, 255.0 / 224.0) };
        let fixed = |factor: f64| (factor * 65536.0).round() as i32;
        Self {
            black,
            luma: fixed(luma),
            red_v: fixed(2.0 * (1.0 - kr) * chroma),
            green_u: fixed(-2.0 * (1.0 - kb) * kb / kg * chroma),
            green_v: fixed(-2.0 * (1.0 - kr) * kr / kg * chroma),
            blue_u: fixed(2.0 * (1.0 - kb) * chroma),
        }
    }
}

impl Matrix {
    /// What a pair of chromas adds to red, green and blue.
    #[inline(always)]
    fn chroma(&self, u: u8, v: u8) -> [i32; 3] {
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        [self.red_v * v, self.green_u * u + self.green_v * v, self.blue_u * u]
    }

    #[inline(always)]
    fn pixel(&self, y: u8, chroma: [i32; 3], out: &mut [u8]) {
        let luma = (i32::from(y) - self.black) * self.luma + (1 << 15);
        for (out, chroma) in out.iter_mut().zip(chroma) {
            *out = ((luma + chroma) >> 16).clamp(0, 255) as u8;
        }
    }

    /// One row; `chroma` gives one pair for each two pixels.
    #[inline(always)]
    fn row(&self, luma: &[u8], chroma: impl Iterator<Item = (u8, u8)>, out: &mut [u8]) {
        for ((luma, out), (u, v)) in luma.chunks(2).zip(out.chunks_mut(6)).zip(chroma) {
            let chroma = self.chroma(u, v);
            for (&y, out) in luma.iter().zip(out.chunks_exact_mut(3)) {
                self.pixel(y, chroma, out);
            }
        }
    }
}

/// All luma, then each chroma at half the resolution.
pub fn i420_to_rgb(data: &[u8], (width, height): (usize, usize), colour: Colour) -> Vec<u8> {
    let half = width.div_ceil(2);
    let (luma, chroma) = data.split_at(width * height);
    let (u, v) = chroma.split_at(half * height.div_ceil(2));
    rows(width, height, colour, |matrix, y, out| {
        let at = y / 2 * half;
        let pairs = u[at..at + half].iter().copied().zip(v[at..at + half].iter().copied());
        matrix.row(&luma[y * width..(y + 1) * width], pairs, out);
    })
}

/// All luma, then both chromas alternating at half the resolution.
pub fn nv12_to_rgb(data: &[u8], (width, height): (usize, usize), colour: Colour) -> Vec<u8> {
    let stride = width.div_ceil(2) * 2;
    let (luma, chroma) = data.split_at(width * height);
    rows(width, height, colour, |matrix, y, out| {
        let pairs = chroma[y / 2 * stride..][..stride].chunks_exact(2).map(|uv| (uv[0], uv[1]));
        matrix.row(&luma[y * width..(y + 1) * width], pairs, out);
    })
}

/// Luma, blue chroma, luma, red chroma for each two pixels.
pub fn yuyv_to_rgb(data: &[u8], (width, height): (usize, usize), colour: Colour) -> Vec<u8> {
    let stride = width.div_ceil(2) * 4;
    rows(width, height, colour, |matrix, y, out| {
        let quads = data[y * stride..(y + 1) * stride].chunks_exact(4);
        for (quad, out) in quads.zip(out.chunks_mut(6)) {
            let chroma = matrix.chroma(quad[1], quad[3]);
            for (&y, out) in [quad[0], quad[2]].iter().zip(out.chunks_exact_mut(3)) {
                matrix.pixel(y, chroma, out);
            }
        }
    })
}

fn rows(
    width: usize,
    height: usize,
    colour: Colour,
    convert: impl Fn(&Matrix, usize, &mut [u8]),
) -> Vec<u8> {
    let matrix = Matrix::from(colour);
    let mut rgb = vec![0; width * height * 3];
    for (y, out) in rgb.chunks_exact_mut(width * 3).enumerate() {
        convert(&matrix, y, out);
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: Colour = Colour { full_range: false, bt709: false };
    const JPEG: Colour = Colour { full_range: true, bt709: false };

    #[test]
    fn known_colours_come_out() {
        // 75 % bars of BT.601: white, red, green, blue.
        let bars =
            [([180, 128, 128], 191), ([65, 100, 212], 0), ([112, 72, 58], 1), ([35, 212, 114], 2)];
        for ([y, u, v], strongest) in bars {
            let rgb = i420_to_rgb(&[y, y, y, y, u, v], (2, 2), VIDEO);
            let pixel = &rgb[..3];
            if strongest == 191 {
                assert_eq!(pixel, [191, 191, 191]);
            } else {
                for (channel, &value) in pixel.iter().enumerate() {
                    let wanted = if channel == strongest { 191 } else { 0 };
                    assert!(value.abs_diff(wanted) <= 2, "{pixel:?}");
                }
            }
        }
    }

    #[test]
    fn black_and_white_fill_the_range_of_either_kind() {
        for (colour, black, white) in [(VIDEO, 16, 235), (JPEG, 0, 255)] {
            let rgb = nv12_to_rgb(&[black, white, black, white, 128, 128], (2, 2), colour);
            assert_eq!(rgb, [0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255]);
        }
    }

    #[test]
    fn all_layouts_agree_also_on_odd_sides() {
        let i420 = i420_to_rgb(&[50, 100, 150, 60, 110, 160, 90, 160, 200, 30], (3, 2), VIDEO);
        let nv12 = nv12_to_rgb(&[50, 100, 150, 60, 110, 160, 90, 200, 160, 30], (3, 2), VIDEO);
        let yuyv = yuyv_to_rgb(
            &[50, 90, 100, 200, 150, 160, 0, 30, 60, 90, 110, 200, 160, 160, 0, 30],
            (3, 2),
            VIDEO,
        );
        assert_eq!(i420, nv12);
        assert_eq!(i420, yuyv);
    }
}
