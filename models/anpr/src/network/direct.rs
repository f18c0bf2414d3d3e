//! Convolutions without the detour over a matrix: most of what recognising a plate costs.
//!
//! The inference engine copies what each output cell sees into a column of a matrix and multiplies
//! that, which for few channels or a stride of two takes longer than the arithmetic. Here the input is
//! laid out once, padded and sorted by stride, so that what each weight meets lies in a row; four
//! output channels over 24 cells are then summed in registers. Other convolutions (grouped, dilated,
//! of a number of outputs that four does not divide) stay with the engine.

mod axis;
mod layout;
mod sum;

use fearless_simd::Level;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::model::TypedModelPatch;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::ops::math::Max;
use tract_onnx::tract_core::ops::nn::DataFormat;

use axis::Axis;
use layout::Layout;
use sum::{GROUP, Sums};

/// Puts direct convolutions in the place of those that they suit, with the ReLU that follows.
pub(super) fn put_in(model: &mut TypedModel) -> TractResult<()> {
    model.prop_consts()?;
    Rewriter::default()
        .with_rule_for("direct-convolution", |(), model, node, _, conv: &Conv| {
            replacement(model, node, conv)
        })
        .rewrite(&(), model)
}

/// A convolution of one picture of floats, channels first: inputs the picture, the weights as
/// [`packed`] and one bias for each output channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DirectConvolution {
    inputs: usize,
    outputs: usize,
    down: Axis,
    across: Axis,
    /// Whether what is negative becomes 0.
    is_rectified: bool,
}

impl DirectConvolution {
    /// What does the same as `conv` on a picture of this shape, where that is possible.
    fn of(conv: &Conv, shape: &[usize]) -> Option<Self> {
        let pool = &conv.pool_spec;
        let &[1, inputs, height, width] = shape else { return None };
        let &[kernel_height, kernel_width] = &pool.kernel_shape[..] else { return None };
        let is_plain = conv.q_params.is_none()
            && conv.group == 1
            && conv.kernel_fmt == KernelFormat::OIHW
            && pool.data_format == DataFormat::NCHW
            && pool.dilations().iter().all(|dilation| *dilation == 1)
            && pool.output_channels.is_multiple_of(GROUP);
        let padded = pool.computed_padding(&[height, width]);
        let axis = |index: usize, input, kernel| Axis {
            input,
            output: padded[index].convoluted,
            kernel,
            stride: pool.stride(index),
            padding: padded[index].pad_before,
        };
        let (down, across) = (axis(0, height, kernel_height), axis(1, width, kernel_width));
        let is_there = down.output > 0 && across.output > 0;
        let outputs = pool.output_channels;
        (is_plain && is_there).then_some(Self {
            inputs,
            outputs,
            down,
            across,
            is_rectified: false,
        })
    }

    fn output_shape(&self) -> [usize; 4] {
        [1, self.outputs, self.down.output, self.across.output]
    }
}

/// The patch that replaces `node`, where its weights and the shape of its input are known.
fn replacement(
    model: &TypedModel,
    node: &TypedNode,
    conv: &Conv,
) -> TractResult<Option<TypedModelPatch>> {
    let [input, kernel, bias] = model.node_input_facts(node.id)?[..] else { return Ok(None) };
    let (Some(shape), Some(kernel), Some(bias)) =
        (input.shape.as_concrete(), &kernel.konst, &bias.konst)
    else {
        return Ok(None);
    };
    let is_float = [input.datum_type, kernel.datum_type(), bias.datum_type()]
        .into_iter()
        .all(|datum_type| datum_type == f32::datum_type());
    let Some(mut direct) = DirectConvolution::of(conv, shape).filter(|_| is_float) else {
        return Ok(None);
    };
    let mut last = node;
    if let Some(next) = model.single_succ(node.id)?
        && is_relu(model, next)?
    {
        (direct.is_rectified, last) = (true, next);
    }
    let biases = match bias.len() {
        1 => vec![*bias.try_as_plain_ram()?.to_scalar::<f32>()?; direct.outputs],
        _ => bias.try_as_plain_ram()?.as_slice::<f32>()?.to_vec(),
    };
    let weights = packed(kernel.try_as_plain_ram()?.as_slice()?, direct.outputs);
    let mut patch = TypedModelPatch::new("direct convolution");
    let input = patch.tap_model(model, node.inputs[0])?;
    let weights = patch.add_const(format!("{}.weights", node.name), tensor1(&weights))?;
    let biases = patch.add_const(format!("{}.biases", node.name), tensor1(&biases))?;
    let output = patch.wire_node(&node.name, direct, &[input, weights, biases])?[0];
    patch.shunt_outside(model, last.id.into(), output)?;
    Ok(Some(patch))
}

fn is_relu(model: &TypedModel, node: &TypedNode) -> TractResult<bool> {
    let Some(TypedBinOp(op, None)) = node.op_as() else { return Ok(false) };
    let Some(least) = &model.outlet_fact(node.inputs[1])?.konst else { return Ok(false) };
    Ok(op.is::<Max>() && least.is_all_zero()?)
}

/// Weights of all outputs, one after another, as four outputs' weights of one tap side by side.
fn packed(weights: &[f32], outputs: usize) -> Vec<f32> {
    let taps = weights.len() / outputs;
    let at = |group: usize, tap: usize, lane: usize| weights[(group * GROUP + lane) * taps + tap];
    let groups = 0..outputs / GROUP;
    groups
        .flat_map(|group| (0..taps).flat_map(move |tap| (0..GROUP).map(move |o| at(group, tap, o))))
        .collect()
}

impl Op for DirectConvolution {
    fn name(&self) -> StaticName {
        "DirectConvolution".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(vec![format!("{self:?}")])
    }

    fn validation(&self) -> Validation {
        Validation::Rounding
    }

    op_as_typed_op!();
}

impl EvalOp for DirectConvolution {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let [input, weights, biases] = &inputs[..] else {
            bail!("a picture, weights and biases are needed, not {} inputs", inputs.len())
        };
        let mut output = Tensor::zero::<f32>(&self.output_shape())?;
        let (weights, _) = weights.try_as_plain_ram()?.as_slice()?.as_chunks();
        let sums = Sums {
            layout: Layout::new(self.inputs, self.down, self.across),
            weights,
            biases: biases.try_as_plain_ram()?.as_slice()?,
            is_rectified: self.is_rectified,
        };
        let input = input.try_as_plain_ram()?.as_slice()?;
        sums.write(Level::new(), input, output.try_as_plain_ram_mut()?.as_slice_mut()?);
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for DirectConvolution {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(self.output_shape())))
    }

    fn cost(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<(Cost, TDim)>> {
        let cells = self.outputs * self.down.output * self.across.output;
        let each = self.inputs * self.down.kernel * self.across.kernel;
        Ok(tvec!((Cost::FMA(f32::datum_type()), (cells * each).to_dim())))
    }

    as_op!();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a convolution is, cell by cell.
    fn summed(of: &DirectConvolution, input: &[f32], weights: &[f32], biases: &[f32]) -> Vec<f32> {
        let (down, across) = (of.down, of.across);
        let at = |channel: usize, row: Option<usize>, column: Option<usize>| {
            let row = row.filter(|row| *row < down.input)?;
            let column = column.filter(|column| *column < across.input)?;
            Some(input[(channel * down.input + row) * across.input + column])
        };
        let kernel = (0..of.inputs).flat_map(|c| {
            (0..down.kernel).flat_map(move |y| (0..across.kernel).map(move |x| (c, y, x)))
        });
        let cell = |output: usize, y: usize, x: usize| {
            let weights = weights.chunks_exact(weights.len() / of.outputs).nth(output);
            let met = kernel.clone().map(|(channel, row, column)| {
                let row = (y * down.stride + row).checked_sub(down.padding);
                let column = (x * across.stride + column).checked_sub(across.padding);
                at(channel, row, column).unwrap_or(0.0)
            });
            let weights = weights.expect("each output has weights");
            let sum = biases[output] + weights.iter().zip(met).map(|(w, v)| w * v).sum::<f32>();
            if of.is_rectified { sum.max(0.0) } else { sum }
        };
        (0..of.outputs)
            .flat_map(|o| {
                (0..down.output).flat_map(move |y| (0..across.output).map(move |x| (o, y, x)))
            })
            .map(|(output, y, x)| cell(output, y, x))
            .collect()
    }

    fn axis() -> impl Strategy<Value = Axis> {
        let sides = (1usize..60, 1usize..6, 1usize..4, 0usize..4);
        sides.prop_map(|(input, kernel, stride, padding)| {
            // Zeros may also stand behind; the output ends where the kernel would see them alone.
            let input = input.max(kernel);
            let output = (input + padding - 1) / stride + 1;
            Axis { input, output, kernel, stride, padding: padding.min(kernel - 1) }
        })
    }

    fn values(count: usize, seed: u32) -> Vec<f32> {
        let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) ^ seed) >> 16 & 0xff;
        (0..count).map(|i| value(i) as f32 / 64.0 - 2.0).collect()
    }

    proptest! {
        #[test]
        fn every_cell_is_the_sum_of_what_its_weights_meet(
            inputs in 1usize..5, groups in 1usize..4, down in axis(), across in axis(),
            is_rectified: bool, seed: u32,
        ) {
            let of = DirectConvolution { inputs, outputs: GROUP * groups, down, across, is_rectified };
            let input = values(inputs * down.input * across.input, seed);
            let weights = values(of.outputs * inputs * down.kernel * across.kernel, !seed);
            let biases = values(of.outputs, 7);
            let wanted = summed(&of, &input, &weights, &biases);
            let packed = packed(&weights, of.outputs);
            for level in [Level::new(), Level::baseline()] {
                let sums = Sums {
                    layout: Layout::new(inputs, down, across),
                    weights: packed.as_chunks().0,
                    biases: &biases,
                    is_rectified,
                };
                let mut output = vec![f32::NAN; wanted.len()];
                sums.write(level, &input, &mut output);
                for (cell, (found, wanted)) in output.iter().zip(&wanted).enumerate() {
                    prop_assert!((found - wanted).abs() < 1e-3, "{cell}: {found}, wanted {wanted}");
                }
            }
        }
    }
}
