//! A network, verified, fitted to the shape of its input and made ready for one thread.

use std::sync::Arc;

use ring::digest;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::OpState;
use tract_onnx::tract_core::plan::EvalContext;
use tract_onnx::tract_hir::internal::DimLike;

use crate::Error;

/// What a network's bytes are checked against.
pub(crate) struct Expected<'a> {
    pub file: &'a str,
    pub sha256: &'a str,
    /// The input's name.
    pub input: &'a str,
    /// Names in the order in which they are wanted.
    pub outputs: &'a [String],
}

/// An optimised network; cheap to share between threads, each of which runs its own [`Session`].
#[derive(Debug, Clone)]
pub(crate) struct Network {
    plan: Arc<TypedRunnableModel>,
    file: Arc<str>,
    input: [usize; 4],
    /// Index among the network's outputs, and shape, in the order asked for.
    outputs: Vec<(usize, Vec<usize>)>,
}

/// A verified network before it is fitted to the size of its input.
#[derive(Debug, Clone)]
pub(crate) struct Parsed {
    model: Arc<InferenceModel>,
    file: Arc<str>,
    /// Index among the network's outputs, in the order asked for.
    outputs: Vec<usize>,
}

impl Parsed {
    pub fn load(bytes: &[u8], expected: &Expected) -> Result<Self, Error> {
        verify_hash(bytes, expected)?;
        let model = tract_onnx::onnx()
            .with_ignore_value_info(true)
            .model_for_read(&mut &*bytes)
            .map_err(|e| failed(expected.file, "parse the network", e))?;
        let outputs = find_tensors(&model, expected.input, expected)?;
        Ok(Self { model: Arc::new(model), file: expected.file.into(), outputs })
    }

    /// The network for inputs of this shape.
    pub fn plan(&self, shape: [usize; 4]) -> Result<Network, Error> {
        let failed = |act| move |source: TractError| failed(&self.file, act, source);
        let model = InferenceModel::clone(&self.model)
            .with_input_fact(0, f32::fact(shape).into())
            .and_then(InferenceModelExt::into_optimized)
            .map_err(failed("fit the network to its input shape"))?;
        let outputs = self
            .outputs
            .iter()
            .map(|slot| Ok((*slot, concrete_shape(&model, *slot)?)))
            .collect::<TractResult<_>>()
            .map_err(failed("tell the shapes of the outputs"))?;
        let plan = model.into_runnable().map_err(failed("plan the network"))?;
        Ok(Network { plan, file: self.file.clone(), input: shape, outputs })
    }
}

fn failed(file: &str, act: &'static str, source: TractError) -> Error {
    Error::Network { file: file.to_owned(), act, source: source.into() }
}

impl Network {
    /// The shape of the output that was asked for as number `index`.
    pub fn output_shape(&self, index: usize) -> &[usize] {
        &self.outputs[index].1
    }

    pub fn session(&self) -> Result<Session, Error> {
        let input = Tensor::zero::<f32>(&self.input).map_err(|e| self.failed("allocate", e))?;
        let state = self.plan.spawn().map_err(|e| self.failed("start", e))?;
        Ok(Session { state, input: Arc::new(input), network: self.clone() })
    }

    fn failed(&self, act: &'static str, source: TractError) -> Error {
        failed(&self.file, act, source)
    }
}

/// The hash of a file's bytes, hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let found = digest::digest(&digest::SHA256, bytes);
    found.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn verify_hash(bytes: &[u8], expected: &Expected) -> Result<(), Error> {
    let found = sha256(bytes);
    if found.eq_ignore_ascii_case(expected.sha256) {
        return Ok(());
    }
    Err(Error::Hash { file: expected.file.to_owned(), wanted: expected.sha256.to_owned(), found })
}

/// Checks the input's name and finds the wanted outputs by theirs.
fn find_tensors(
    model: &InferenceModel,
    input: &str,
    expected: &Expected,
) -> Result<Vec<usize>, Error> {
    let names = |outlets: &[OutletId]| -> Vec<String> {
        let name = |outlet: &OutletId| match model.outlet_label(*outlet) {
            Some(label) => label.to_owned(),
            None => model.node(outlet.node).name.clone(),
        };
        outlets.iter().map(name).collect()
    };
    let missing = |tensor: &str, wanted: &str, there: &[String]| Error::Shape {
        file: expected.file.to_owned(),
        tensor: tensor.to_owned(),
        wanted: wanted.to_owned(),
        found: format!("missing (there are: {})", there.join(", ")),
    };
    let inputs = names(&model.inputs);
    if inputs != [input] {
        return Err(missing(input, "the only input", &inputs));
    }
    let outputs = names(&model.outputs);
    let find = |name: &String| {
        outputs.iter().position(|o| o == name).ok_or_else(|| missing(name, "an output", &outputs))
    };
    expected.outputs.iter().map(find).collect()
}

fn concrete_shape(model: &TypedModel, output: usize) -> TractResult<Vec<usize>> {
    let fact = model.output_fact(output)?;
    fact.shape.iter().map(|dim| Ok(dim.to_usize()?)).collect()
}

/// One thread's use of a [`Network`]: its buffers live as long as it does.
pub(crate) struct Session {
    network: Network,
    state: TypedSimpleState,
    input: Arc<Tensor>,
}

impl Session {
    /// Lets `draw` write the input before [`run`](Self::run); what it leaves stays from last time.
    pub fn fill(&mut self, draw: impl FnOnce(&mut [f32])) {
        // Between runs nobody else holds the tensor, so that nothing is copied here.
        let tensor = Arc::make_mut(&mut self.input);
        let mut plain = tensor.as_plain_ram_mut().expect("the input was made in plain memory");
        draw(plain.as_slice_mut().expect("the input was made of floats"));
    }

    /// Runs the network with `eval` in place of each layer's own evaluation; the outputs are dropped.
    pub fn run_with<F>(&mut self, eval: F) -> Result<(), Error>
    where
        F: for<'a, 'b, 'c> FnMut(
            &'a EvalContext<'a>,
            Option<&'b mut (dyn OpState + 'static)>,
            &'c TypedNode,
            TVec<TValue>,
        ) -> TractResult<TVec<TValue>>,
    {
        let input = tvec![self.input.clone().into_tvalue()];
        let run = self.state.run_plan_with_eval(input, eval);
        run.map(drop).map_err(|e| self.network.failed("run the network", e))
    }

    /// Runs the network and hands each output that was asked for to `take`.
    pub fn run(&mut self, mut take: impl FnMut(usize, &[f32])) -> Result<(), Error> {
        let input = tvec![self.input.clone().into_tvalue()];
        let results =
            self.state.run(input).map_err(|e| self.network.failed("run the network", e))?;
        for (index, (slot, _)) in self.network.outputs.iter().enumerate() {
            let values = results[*slot]
                .try_as_plain_ram()
                .map_err(|e| self.network.failed("take an output", e))?;
            let values =
                values.as_slice::<f32>().map_err(|e| self.network.failed("take an output", e))?;
            take(index, values);
        }
        Ok(())
    }
}
