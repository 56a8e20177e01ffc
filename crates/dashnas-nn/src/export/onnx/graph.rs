//! A graph of ONNX built from nodes and tensors.

use crate::export::onnx::proto::{
    AttributeProto, DOUBLE, Dimension, FLOAT, GraphProto, INT64, NodeProto, TensorProto, TensorShapeProto, TensorType,
    TypeProto, ValueInfoProto,
};

/// The operators in use: the name, the first opset with the variant in use, and the purpose.
pub const OPERATORS: [(&str, i64, &str); 29] = [
    ("Abs", 6, "standardization of the inputs"),
    ("Add", 7, "sums of arrays of different shapes"),
    ("BatchNormalization", 7, "batch normalization outside training"),
    ("Cast", 6, "lengths of samples"),
    ("Concat", 4, "concatenations"),
    ("Conv", 1, "convolutions"),
    ("Div", 7, "normalization of the inputs"),
    ("Erf", 9, "Gaussian error linear units"),
    ("Flatten", 1, "the head"),
    ("Gather", 1, "the order of the inputs"),
    ("Gemm", 7, "the head's bias"),
    ("GlobalAveragePool", 1, "the head"),
    ("Greater", 7, "standardization of the inputs"),
    ("LayerNormalization", 17, "layer normalization"),
    ("Less", 9, "lengths of samples"),
    ("MaxPool", 1, "maxima over windows"),
    ("Mul", 7, "the scale of the outputs"),
    ("Range", 11, "lengths of samples"),
    ("Relu", 6, "rectified linear units"),
    ("Reshape", 5, "the shape of the inputs"),
    ("Resize", 11, "values on a finer grid"),
    ("Shape", 1, "lengths of samples"),
    ("Sigmoid", 6, "probabilities of labels"),
    ("Slice", 10, "the last position and values on a finer grid"),
    ("Softmax", 1, "probabilities of classes"),
    ("Sqrt", 6, "standardization of the inputs"),
    ("Sub", 7, "normalization of the inputs"),
    ("Transpose", 1, "layer normalization"),
    ("Where", 9, "standardization of the inputs"),
];

/// A graph under construction.
#[derive(Debug, Default)]
pub struct OnnxGraph {
    nodes: Vec<NodeProto>,
    tensors: Vec<TensorProto>,
}

impl OnnxGraph {
    /// Adds a node and returns the name of its one output.
    pub fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        let output = format!("{}_{}", op.to_lowercase(), self.nodes.len());
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&s| s.to_owned()).collect(),
            output: vec![output.clone()],
            name: output.clone(),
            op_type: op.to_owned(),
            attribute: attributes,
        });
        output
    }

    /// Adds a tensor of weights and returns its name.
    pub fn tensor(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        debug_assert_eq!(shape.iter().product::<usize>(), values.len());
        self.put(name, shape, FLOAT, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Adds a tensor of numbers in double precision and returns its name.
    pub fn doubles(&mut self, name: &str, shape: &[usize], values: &[f64]) -> String {
        self.put(name, shape, DOUBLE, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Adds a list of whole numbers and returns its name.
    pub fn integers(&mut self, name: &str, values: &[i64]) -> String {
        self.put(name, &[values.len()], INT64, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Adds one whole number, an array without axes, and returns its name.
    pub fn integer(&mut self, name: &str, value: i64) -> String {
        self.put(name, &[], INT64, value.to_le_bytes().to_vec())
    }

    fn put(&mut self, name: &str, shape: &[usize], data_type: i32, raw_data: Vec<u8>) -> String {
        let dims = shape.iter().map(|&n| n as i64).collect();
        self.tensors.push(TensorProto { dims, data_type, name: name.to_owned(), raw_data });
        name.to_owned()
    }

    /// Returns a name for a tensor that is not in use, beginning with `name`.
    pub fn free(&self, name: &str) -> String {
        let taken = |name: &str| self.tensors.iter().any(|t| t.name == name);
        let numbered = (1u32..).map(|n| format!("{name}_{n}"));
        std::iter::once(name.to_owned()).chain(numbered).find(|n| !taken(n)).unwrap_or_default()
    }

    /// Iterates over the names of the operators of the nodes.
    pub fn operators(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| node.op_type.as_str())
    }

    /// Returns the size of the tensors in bytes.
    pub fn bytes(&self) -> usize {
        self.tensors.iter().map(|t| t.raw_data.len()).sum()
    }

    /// Ends the graph from the inputs to the value `last`, which is renamed to `output`. Before version 4 of the file
    /// format, weights are listed as inputs as well.
    pub fn finish(
        mut self,
        mut inputs: Vec<ValueInfoProto>,
        last: &str,
        output: ValueInfoProto,
        ir_version: i64,
    ) -> GraphProto {
        for node in &mut self.nodes {
            let names = node.input.iter_mut().chain(&mut node.output);
            names.filter(|name| *name == last).for_each(|name| name.clone_from(&output.name));
        }
        if ir_version < 4 {
            let shape = |t: &TensorProto| t.dims.iter().map(|&n| known(n as usize)).collect::<Vec<_>>();
            inputs.extend(self.tensors.iter().map(|t| typed(&t.name, t.data_type, shape(t))));
        }
        GraphProto {
            node: self.nodes,
            name: "network".to_owned(),
            initializer: self.tensors,
            input: inputs,
            output: vec![output],
        }
    }
}

/// Describes a named array of an element type.
pub fn typed(name: &str, elem_type: i32, dim: Vec<Dimension>) -> ValueInfoProto {
    let tensor = TensorType { elem_type, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
}

/// Returns an axis of a fixed size.
pub fn known(n: usize) -> Dimension {
    Dimension { dim_value: Some(n as i64), dim_param: None }
}

/// Returns an axis of variable size, with a name.
pub fn any(name: &str) -> Dimension {
    Dimension { dim_value: None, dim_param: Some(name.to_owned()) }
}

/// Returns an attribute with a whole number.
pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), i: Some(i), r#type: 2, ..AttributeProto::default() }
}

/// Returns an attribute with `count` equal whole numbers.
pub fn ints(name: &str, n: usize, count: usize) -> AttributeProto {
    AttributeProto { name: name.to_owned(), ints: vec![n as i64; count], r#type: 7, ..AttributeProto::default() }
}

/// Returns an attribute with whole numbers, such as axes.
pub fn axes(name: &str, ints: Vec<i64>) -> AttributeProto {
    AttributeProto { name: name.to_owned(), ints, r#type: 7, ..AttributeProto::default() }
}

/// Returns the attribute with the padding before and after each of `dims` axes.
pub fn pads(before: usize, after: usize, dims: usize) -> AttributeProto {
    let pads = [vec![before as i64; dims], vec![after as i64; dims]].concat();
    AttributeProto { name: "pads".to_owned(), ints: pads, r#type: 7, ..AttributeProto::default() }
}

/// Returns an attribute with a text.
pub fn text(name: &str, s: &str) -> AttributeProto {
    AttributeProto { name: name.to_owned(), s: Some(s.as_bytes().to_vec()), r#type: 3, ..AttributeProto::default() }
}

/// Returns an attribute with a real number.
pub fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), f: Some(f), r#type: 1, ..AttributeProto::default() }
}
