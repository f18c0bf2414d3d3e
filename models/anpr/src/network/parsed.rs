//! A network as its file describes it: verified, its tensors named, before it is fitted to a size.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::{DimLike, format_err};

use super::{Network, concrete_shape, direct, failed};
use crate::Error;

/// A verified network before it is fitted to the size of its input.
#[derive(Debug, Clone)]
pub(crate) struct Parsed {
    model: Arc<InferenceModel>,
    file: Arc<str>,
    /// Index among the network's outputs, in the order asked for.
    outputs: Vec<usize>,
    /// The weights of its plans, packed as the processor wants them; plans share those that are alike.
    weights: Arc<Mutex<Vec<Arc<Tensor>>>>,
}

impl Parsed {
    /// The network in a file's bytes, where these have this hash. All its outputs are asked for, in
    /// its own order.
    pub fn load(bytes: &[u8], file: &str, sha256: &str) -> Result<Self, Error> {
        verify_hash(bytes, file, sha256)?;
        let parse = || tract_onnx::onnx().with_ignore_value_info(true).model_for_read(&mut &*bytes);
        let model = caught(parse).map_err(|e| failed(file, "parse the network", e))?;
        let outputs = (0..model.outputs.len()).collect();
        Ok(Self { model: Arc::new(model), file: file.into(), outputs, weights: Arc::default() })
    }

    /// The same, asked for the outputs of these names only; fails where there is another input.
    pub fn with_tensors(self, input: &str, outputs: &[String]) -> Result<Self, Error> {
        let missing = |tensor: &str, wanted: &str, there: &[String]| Error::Shape {
            file: self.file.to_string(),
            tensor: tensor.to_owned(),
            wanted: wanted.to_owned(),
            found: format!("missing (there are: {})", there.join(", ")),
        };
        let inputs = self.inputs();
        if inputs != [input] {
            return Err(missing(input, "the only input", &inputs));
        }
        let there = self.outputs();
        let find = |name: &String| {
            there.iter().position(|o| o == name).ok_or_else(|| missing(name, "an output", &there))
        };
        let outputs = outputs.iter().map(find).collect::<Result<_, _>>()?;
        Ok(Self { outputs, ..self })
    }

    /// The same, asked for one output only.
    pub fn with_output(&self, index: usize) -> Self {
        Self { outputs: vec![self.outputs[index]], ..self.clone() }
    }

    /// The file's name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The names of all inputs.
    pub fn inputs(&self) -> Vec<String> {
        self.names(&self.model.inputs)
    }

    /// The names of all outputs.
    pub fn outputs(&self) -> Vec<String> {
        self.names(&self.model.outputs)
    }

    /// The sides of the only input, where it is one of floats; those left open are none.
    pub fn input_sides(&self) -> Option<Vec<Option<usize>>> {
        let [_] = self.model.inputs[..] else { return None };
        let fact = self.model.input_fact(0).ok()?;
        let is_float = fact.datum_type.concretize().is_none_or(|of| of == f32::datum_type());
        let rank = usize::try_from(fact.shape.rank().concretize()?).ok()?;
        let side = |axis| fact.shape.dim(axis)?.concretize()?.to_usize().ok();
        is_float.then(|| (0..rank).map(side).collect())
    }

    /// What the exporter noted under this key.
    pub fn note(&self, key: &str) -> Option<String> {
        let value = self.model.properties.get(&format!("onnx.metadata_props.{key}"))?;
        value.try_as_plain_ram().ok()?.to_scalar::<String>().ok().cloned()
    }

    /// The network for inputs of this shape.
    pub fn plan(&self, shape: [usize; 4]) -> Result<Network, Error> {
        let failed = |act| move |source: TractError| failed(&self.file, act, source);
        let fit = || {
            let model = InferenceModel::clone(&self.model);
            let mut model = model.with_input_fact(0, f32::fact(shape).into())?.into_typed()?;
            direct::put_in(&mut model)?;
            model.into_optimized()
        };
        let mut model = caught(fit).map_err(failed("fit the network to its input shape"))?;
        self.share_weights(&mut model).map_err(failed("share the weights"))?;
        let outputs = self
            .outputs
            .iter()
            .map(|slot| Ok((*slot, concrete_shape(&model, *slot)?)))
            .collect::<TractResult<_>>()
            .map_err(failed("tell the shapes of the outputs"))?;
        let plan = model.into_runnable().map_err(failed("plan the network"))?;
        Ok(Network { plan, file: self.file.clone(), input: shape, outputs })
    }

    /// Puts weights of earlier plans in the place of those of `model` that are the same.
    fn share_weights(&self, model: &mut TypedModel) -> TractResult<()> {
        let mut known = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        for node in &mut model.nodes {
            let Some(constant) = node.op_as::<Const>() else { continue };
            let mine = Arc::clone(constant.val());
            let Some(same) = known.iter().find(|other| **other == mine) else {
                known.push(mine);
                continue;
            };
            let fact = TypedFact::try_from(Arc::clone(same))?;
            let shared =
                Const::new_with_opt_exotic_fact(Arc::clone(same), fact.exotic_fact.clone())?;
            (node.op, node.outputs[0].fact) = (Box::new(shared), fact);
        }
        Ok(())
    }

    fn names(&self, outlets: &[OutletId]) -> Vec<String> {
        let name = |outlet: &OutletId| match self.model.outlet_label(*outlet) {
            Some(label) => label.to_owned(),
            None => self.model.node(outlet.node).name.clone(),
        };
        outlets.iter().map(name).collect()
    }
}

/// What the engine makes of a file, which may be damaged in ways that it does not expect.
fn caught<T>(act: impl FnOnce() -> TractResult<T>) -> TractResult<T> {
    // Nothing is used further that a panic may have left half done.
    catch_unwind(AssertUnwindSafe(act))
        .unwrap_or_else(|_| Err(format_err!("the inference engine cannot make sense of it")))
}

/// The hash of a file's bytes, hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let found = digest::digest(&digest::SHA256, bytes);
    found.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn verify_hash(bytes: &[u8], file: &str, wanted: &str) -> Result<(), Error> {
    let found = sha256(bytes);
    if found.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Error::Hash { file: file.to_owned(), wanted: wanted.to_owned(), found })
}
