//! Small networks (ONNX) of other people's shapes whose outputs are known.
//!
//! Each output is a table that is multiplied with the brightest value of the input: on a picture
//! with something white in it the table comes out as it is.

use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_shape_proto::{Dimension, dimension::Value as Side},
    type_proto,
};

const FLOAT: i32 = 1;
const INT64: i32 = 7;
const INT: i32 = 2;

/// A table with the shape in which the network writes it.
pub struct Table {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// A network to be written.
pub struct Network {
    graph: GraphProto,
    notes: Vec<(String, String)>,
}

impl Network {
    /// Writes these tables. Sides of the input that are 0 are left open.
    pub fn of_tables(input: [usize; 4], tables: &[Table]) -> Self {
        let mut network = Self::with_input("images", &input);
        network.node("ReduceMax", &["images"], "brightest", &[("keepdims", 0)]);
        for (index, Table { shape, values }) in tables.iter().enumerate() {
            let (constant, output) = (format!("table{index}"), format!("output{index}"));
            network.constant(&constant, shape, values);
            network.node("Mul", &["brightest", &constant], &output, &[]);
            network.graph.output.push(value(&output, shape));
        }
        network
    }

    /// Writes one step: the mean of each channel times `weights`, `[channels, classes]`.
    pub fn of_colours(input: [usize; 4], weights: &[f32]) -> Self {
        let (channels, classes) = (input[1], weights.len() / input[1]);
        let mut network = Self::with_input("x", &input);
        network.node("GlobalAveragePool", &["x"], "means", &[]);
        let mut shape = tensor("shape", &[3], INT64);
        shape.int64_data = vec![1, 1, channels as i64];
        network.graph.initializer.push(shape);
        network.node("Reshape", &["means", "shape"], "row", &[]);
        network.constant("weights", &[channels, classes], weights);
        network.node("MatMul", &["row", "weights"], "output0", &[]);
        network.graph.output.push(value("output0", &[1, 1, classes]));
        network
    }

    /// With probabilities in place of the logits of the last output.
    pub fn softmax(mut self) -> Self {
        let mut last = self.graph.output.pop().unwrap();
        let logits = std::mem::replace(&mut last.name, "probabilities".to_owned());
        self.node("Softmax", &[&logits], &last.name, &[("axis", -1)]);
        self.graph.output.push(last);
        self
    }

    /// With what an exporter notes.
    pub fn noting(mut self, key: &str, text: &str) -> Self {
        self.notes.push((key.to_owned(), text.to_owned()));
        self
    }

    /// The file's bytes.
    pub fn onnx(self) -> Vec<u8> {
        let note = |(key, value)| StringStringEntryProto { key, value };
        ModelProto {
            ir_version: 8,
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 13 }],
            graph: Some(self.graph),
            metadata_props: self.notes.into_iter().map(note).collect(),
            ..ModelProto::default()
        }
        .encode_to_vec()
    }

    fn with_input(name: &str, shape: &[usize]) -> Self {
        let graph = GraphProto { input: vec![value(name, shape)], ..GraphProto::default() };
        Self { graph, notes: Vec::new() }
    }

    fn constant(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let mut tensor = tensor(name, shape, FLOAT);
        tensor.float_data = values.to_vec();
        self.graph.initializer.push(tensor);
    }

    fn node(&mut self, op: &str, inputs: &[&str], output: &str, attributes: &[(&str, i64)]) {
        self.graph.node.push(NodeProto {
            name: output.to_owned(),
            op_type: op.to_owned(),
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.to_owned()],
            attribute: attributes.iter().map(|(name, i)| int(name, *i)).collect(),
            ..NodeProto::default()
        });
    }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: INT, i, ..AttributeProto::default() }
}

fn tensor(name: &str, shape: &[usize], data_type: i32) -> TensorProto {
    let dims = shape.iter().map(|side| *side as i64).collect();
    TensorProto { name: name.to_owned(), dims, data_type, ..TensorProto::default() }
}

fn value(name: &str, shape: &[usize]) -> ValueInfoProto {
    let side = |side: &usize| match side {
        0 => Side::DimParam("side".to_owned()),
        side => Side::DimValue(*side as i64),
    };
    let dim = shape.iter().map(|s| Dimension { value: Some(side(s)), ..Dimension::default() });
    let shape = Some(TensorShapeProto { dim: dim.collect() });
    let of = type_proto::Value::TensorType(type_proto::Tensor { elem_type: FLOAT, shape });
    let r#type = Some(TypeProto { value: Some(of), ..TypeProto::default() });
    ValueInfoProto { name: name.to_owned(), r#type, ..ValueInfoProto::default() }
}
