//! What a vote over frames gives: `cargo bench --bench vote -- FOLDER`, with a folder as
//! `models/training/approaches.py` draws it.
//!
//! Each car's folder is named `NUMBER_PLATE` and holds its frames. A frame's reading is that of the
//! plate that was found most surely; the vote is over all frames of the car. A gate does not wait for
//! all of them: it acts on the first vote that is sure enough.

use std::fs;
use std::path::{Path, PathBuf};

use anpr::{Detail, Image, Models, Outcome, Reading, Recognizer, Vote};

type Failure = Box<dyn std::error::Error>;

/// Readings below these confidences are not acted on.
const THRESHOLDS: [f32; 5] = [0.0, 0.8, 0.9, 0.95, 0.99];

/// A gate acts on one reading of this confidence …
const CERTAIN: f32 = 0.99;
/// … or on a vote of this confidence in which two agree (`[recognition]` of its configuration).
const PLAUSIBLE: f32 = 0.95;

/// A reading's confidence, and whether it is right.
type Judged = (f32, bool);

fn main() -> Result<(), Failure> {
    let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else {
        println!("votes are not measured: name a folder that models/training/approaches.py drew");
        return Ok(());
    };
    let mut recognizer = Models::embedded()?.recognizer(Detail::High)?;
    let (mut frames, mut votes, mut acts) = (Vec::new(), Vec::new(), Vec::new());
    for car in sorted(Path::new(&folder))? {
        let name = car.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let plate = name.split_once('_').ok_or("a car's folder is named NUMBER_PLATE")?.1;
        let judge = |o: &Outcome| (o.confidence, is_same(&o.text, plate));
        let (mut vote, mut act) = (Vote::new(), None);
        for file in sorted(&car)? {
            if let Some(reading) = surest(&mut recognizer, &file)? {
                frames.push((reading.confidence, is_same(&reading.text, plate)));
                vote.add(reading);
                act = act.or_else(|| vote.outcome().filter(is_acted_on).as_ref().map(judge));
            }
        }
        votes.push(vote.outcome().as_ref().map_or((0.0, false), judge));
        acts.extend(act);
    }
    report("single frames with a plate", &frames);
    report("votes, one for each car", &votes);
    report("first votes that a gate acts on", &acts);
    Ok(())
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths)
}

/// The reading of the plate that was found most surely.
fn surest(recognizer: &mut Recognizer, file: &Path) -> Result<Option<Reading>, Failure> {
    let rgb = image::open(file)?.into_rgb8();
    let image = Image::new(&rgb, rgb.width() as usize, rgb.height() as usize)?;
    let readings = recognizer.recognize(image)?;
    Ok(readings.into_iter().max_by(|a, b| a.score.total_cmp(&b.score)))
}

fn is_acted_on(outcome: &Outcome) -> bool {
    outcome.confidence >= CERTAIN || (outcome.agreeing >= 2 && outcome.confidence >= PLAUSIBLE)
}

/// Whether two texts are the same where O is 0 and I is 1, as some countries write them.
fn is_same(read: &str, plate: &str) -> bool {
    let plain = |text: &str| text.replace('O', "0").replace('I', "1");
    plain(read) == plain(plate)
}

fn report(what: &str, judged: &[Judged]) {
    println!("{what}: {}", judged.len());
    for threshold in THRESHOLDS {
        let acted: Vec<_> = judged.iter().filter(|(chance, _)| *chance >= threshold).collect();
        let wrong = acted.iter().filter(|(_, right)| !right).count();
        println!("  confidence from {threshold:.2}: {:>5}, of them wrong {wrong:>4}", acted.len());
    }
}
