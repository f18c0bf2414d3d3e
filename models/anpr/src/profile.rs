//! Where a network's time goes, by the class of its layers.
//!
//! The clock is passed in, as everywhere in this crate; so one board's figures can be compared with
//! another's, layer class by layer class.

use std::collections::BTreeMap;
use std::time::Duration;

use tract_onnx::tract_core::plan;

use crate::network::Session;
use crate::{Error, Recognizer};

/// Time that the layers of one class took in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerTime {
    /// `detector`, `refiner` or `reader`.
    pub network: &'static str,
    /// The inference engine's name of the class.
    pub class: String,
    /// Layers of this class.
    pub layers: usize,
    /// What they took together.
    pub time: Duration,
}

impl Recognizer {
    /// Runs each network once on what it saw last, and says what each class of layers took, the
    /// slowest of a network first. `now` is the time since any fixed moment.
    ///
    /// # Errors
    /// [`Error::Network`] where the inference engine fails.
    pub fn profile(&mut self, now: &dyn Fn() -> Duration) -> Result<Vec<LayerTime>, Error> {
        let [refiner, reader] = self.reader.sessions();
        let sessions =
            [("detector", self.detector.session()), ("refiner", refiner), ("reader", reader)];
        let mut times = Vec::new();
        for (network, session) in sessions {
            let mut of_one: Vec<LayerTime> = session
                .layer_times(now)?
                .into_iter()
                .map(|(class, (layers, time))| LayerTime { network, class, layers, time })
                .collect();
            of_one.sort_by_key(|layers| std::cmp::Reverse(layers.time));
            times.append(&mut of_one);
        }
        Ok(times)
    }
}

impl Session {
    /// Runs the network on its present input: by class of layers how many, and their time.
    fn layer_times(
        &mut self,
        now: &dyn Fn() -> Duration,
    ) -> Result<BTreeMap<String, (usize, Duration)>, Error> {
        let mut times: BTreeMap<String, (usize, Duration)> = BTreeMap::new();
        self.run_with(|context, state, node, inputs| {
            let begun = now();
            let outputs = plan::eval(context, state, node, inputs);
            let entry = times.entry(node.op.name().into_owned()).or_default();
            *entry = (entry.0 + 1, entry.1 + now().saturating_sub(begun));
            outputs
        })?;
        Ok(times)
    }
}
