//! Reads the plates in pictures: `cargo run --release -p anpr --example read -- FILE…`.
//!
//! A line for each plate: file, text, confidence, and where it is (left, top, right, bottom in px).

use anpr::{Detail, Image, Models};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut recognizer = Models::embedded()?.recognizer(Detail::Medium)?;
    for file in std::env::args().skip(1) {
        let rgb = image::open(&file).map_err(|e| format!("{file}: {e}"))?.into_rgb8();
        let image = Image::new(&rgb, rgb.width() as usize, rgb.height() as usize)?;
        for plate in recognizer.recognize(image)? {
            let at = plate.bounds;
            let place = format!("{:.0} {:.0} {:.0} {:.0}", at.x1, at.y1, at.x2, at.y2);
            println!("{file}\t{}\t{:.3}\t{place}", plate.text, plate.confidence);
        }
    }
    Ok(())
}
