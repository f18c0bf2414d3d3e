//! A network, fitted to the shape of its input and made ready for one thread.

mod direct;
mod parsed;

pub(crate) use parsed::{Parsed, sha256};

use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::OpState;
use tract_onnx::tract_core::plan::EvalContext;
use tract_onnx::tract_hir::internal::DimLike;

use crate::Error;

/// An optimised network; cheap to share between threads, each of which runs its own [`Session`].
#[derive(Debug, Clone)]
pub(crate) struct Network {
    plan: Arc<TypedRunnableModel>,
    file: Arc<str>,
    input: [usize; 4],
    /// Index among the network's outputs, and shape, in the order asked for.
    outputs: Vec<(usize, Vec<usize>)>,
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
