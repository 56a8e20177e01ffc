//! A network as nodes and tensors of ONNX.

use crate::artifact::card::ModelCard;
use crate::error::ExportError;
use crate::export::onnx::graph::{OnnxGraph, axes, float, int, ints, pads, text};
use crate::export::onnx::mask::Masks;
use crate::graph::node::MaxPool;
use crate::layers::{Conv, Layer, layers};
use crate::weights::Weights;
use aggconv::norm::NormAct;
use aggconv::pointwise::LayerNorm;
use dashnas_core::task::TaskKind;
use dashnas_formats::array::Array;

/// Writes a network into a graph of ONNX.
pub(super) struct Writer<'a> {
    /// The graph with the nodes and tensors so far.
    pub graph: OnnxGraph,
    /// The weights of the model.
    pub weights: Weights<'a>,
    /// The number of axes of the data.
    pub dims: usize,
    /// The positions before the ends of samples with lengths of their own.
    pub masks: Masks,
}

impl Writer<'_> {
    /// Adds an operator on the value `x` and a constant.
    pub fn with(&mut self, op: &str, x: &str, name: &str, constant: &Array) -> String {
        let constant = self.graph.tensor(name, &constant.shape, &constant.data);
        self.graph.node(op, &[x, &constant], Vec::new())
    }

    /// Adds the network itself, with the value `x` as its input, and returns the name of its output.
    pub fn network(&mut self, card: &ModelCard, x: String) -> Result<String, ExportError> {
        let mut values: Vec<String> = Vec::new();
        let graph = &card.graph;
        for (id, before, layer) in layers(graph, &card.architecture.kernels) {
            let inputs: Vec<&str> = before.iter().map(|input| values[input.0].as_str()).collect();
            let value = match (layer, inputs.as_slice()) {
                (Layer::Input, _) if graph.is_masked() => self.masks.cut_off(&mut self.graph, &x),
                (Layer::Input, _) => x.clone(),
                (Layer::Conv(conv), &[x, ..]) => self.conv(&conv, x)?,
                (Layer::Norm { name, channels }, &[x, ..]) => self.norm(&name, channels, x)?,
                (Layer::LayerNorm { name, channels }, &[x, ..]) => self.layer_norm(&name, channels, x)?,
                (Layer::LayerScale { name, channels }, &[x, ..]) => self.layer_scale(&name, channels, x)?,
                (Layer::Gelu, &[x, ..]) => self.gelu(x),
                (Layer::Relu, inputs) => self.graph.node("Relu", inputs, Vec::new()),
                (Layer::Dropout, &[x, ..]) => x.to_owned(),
                (Layer::Sum, &[first, ref rest @ ..]) => {
                    let add = |sum: String, x: &&str| self.graph.node("Add", &[&sum, x], Vec::new());
                    rest.iter().fold(first.to_owned(), add)
                }
                (Layer::Concat, inputs) => self.graph.node("Concat", inputs, vec![int("axis", 1)]),
                (Layer::MaxPool(pool), &[x, ..]) => {
                    let x = match graph.is_masked() {
                        true => self.masks.lowered(&mut self.graph, x, graph.stride(before[0])),
                        false => x.to_owned(),
                    };
                    self.max_pool(pool, &x)
                }
                (Layer::Resize { times }, &[x, like]) => self.resize(times, x, like),
                (Layer::Mean, &[x, ..]) if graph.is_masked() => {
                    self.masks.mean(&mut self.graph, x, graph.stride(before[0]))
                }
                (Layer::Last, &[x, ..]) if graph.is_masked() => {
                    self.masks.last(&mut self.graph, x, graph.stride(before[0]))
                }
                (Layer::Last, &[x, ..]) => self.last(x),
                (Layer::Mean, inputs) => self.graph.node("GlobalAveragePool", inputs, Vec::new()),
                (Layer::Linear { channels }, &[x, ..]) => self.head(channels, card.graph.is_dense(), x)?,
                (layer, _) => unreachable!("{layer:?} has its inputs, or the graph had not been made"),
            };
            values.push(match graph.is_masked_after(id) {
                true => self.masks.cleared(&mut self.graph, &value, graph.stride(id)),
                false => value,
            });
        }
        Ok(values.pop().unwrap_or(x))
    }

    fn conv(&mut self, conv: &Conv, x: &str) -> Result<String, ExportError> {
        let [weight, bias] = self.weights.conv(conv, self.dims)?;
        let [c_in, c_out] = conv.channels;
        let [before, after] = conv.padding();
        let shape = [&[c_out, c_in / conv.groups][..], &vec![conv.kernel; self.dims]].concat();
        let weight = self.graph.tensor(&format!("{}.weight", conv.name), &shape, weight);
        let bias = self.graph.tensor(&format!("{}.bias", conv.name), &[c_out], bias);
        let attributes = vec![
            ints("kernel_shape", conv.kernel, self.dims),
            ints("dilations", conv.dilation, self.dims),
            ints("strides", conv.stride, self.dims),
            pads(before, after, self.dims),
            int("group", conv.groups as i64),
        ];
        Ok(self.graph.node("Conv", &[x, &weight, &bias], attributes))
    }

    fn max_pool(&mut self, pool: MaxPool, x: &str) -> String {
        let [before, after] = pool.padding();
        let attributes = vec![
            ints("kernel_shape", pool.kernel, self.dims),
            ints("strides", pool.stride, self.dims),
            pads(before, after, self.dims),
        ];
        self.graph.node("MaxPool", &[x], attributes)
    }

    /// The last position of `x`, on one axis.
    fn last(&mut self, x: &str) -> String {
        let [starts, ends, axes] = [("starts", -1), ("ends", i64::MAX), ("axes", 2)].map(|(name, value)| {
            let name = self.graph.free(name);
            self.graph.integers(&name, &[value])
        });
        self.graph.node("Slice", &[x, &starts, &ends, &axes], Vec::new())
    }

    /// Repeats each position of `x` so many times, and cuts off what is beyond the positions of `like`.
    fn resize(&mut self, times: usize, x: &str, like: &str) -> String {
        let scales: Vec<f32> = [vec![1.0; 2], vec![times as f32; self.dims]].concat();
        let name = self.graph.free("scales");
        let scales = self.graph.tensor(&name, &[scales.len()], &scales);
        let name = self.graph.free("no_region");
        let region = self.graph.tensor(&name, &[0], &[]);
        let attributes = vec![
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"),
        ];
        let repeated = self.graph.node("Resize", &[x, &region, &scales], attributes);
        let axes: Vec<i64> = (2..2 + self.dims as i64).collect();
        let name = self.graph.free("axes");
        let axes = self.graph.integers(&name, &axes);
        let name = self.graph.free("starts");
        let starts = self.graph.integers(&name, &vec![0; self.dims]);
        let shape = self.graph.node("Shape", &[like], Vec::new());
        let ends = self.graph.node("Gather", &[&shape, &axes], vec![int("axis", 0)]);
        self.graph.node("Slice", &[&repeated, &starts, &ends, &axes], Vec::new())
    }

    fn norm(&mut self, name: &str, channels: usize, x: &str) -> Result<String, ExportError> {
        let values = self.weights.norm(name, channels)?;
        let names = ["gamma", "beta", "running_mean", "running_var"].map(|part| format!("{name}.{part}"));
        for (name, values) in names.iter().zip(values) {
            self.graph.tensor(name, &[channels], values);
        }
        let [gamma, beta, mean, variance] = &names;
        let epsilon = float("epsilon", NormAct::EPSILON as f32);
        Ok(self.graph.node("BatchNormalization", &[x, gamma, beta, mean, variance], vec![epsilon]))
    }

    /// Adds a layer normalization. The operator normalizes the last axes, so that the channels are moved there.
    fn layer_norm(&mut self, name: &str, channels: usize, x: &str) -> Result<String, ExportError> {
        let [gamma, beta] = self.weights.layer_norm(name, channels)?;
        let gamma = self.graph.tensor(&format!("{name}.gamma"), &[channels], gamma);
        let beta = self.graph.tensor(&format!("{name}.beta"), &[channels], beta);
        let last = 1 + self.dims as i64;
        let order = [&[0][..], &(2..=last).collect::<Vec<_>>(), &[1]].concat();
        let back = [&[0, last][..], &(1..last).collect::<Vec<_>>()].concat();
        let x = self.graph.node("Transpose", &[x], vec![axes("perm", order)]);
        let attributes = vec![int("axis", -1), float("epsilon", LayerNorm::EPSILON as f32)];
        let x = self.graph.node("LayerNormalization", &[&x, &gamma, &beta], attributes);
        Ok(self.graph.node("Transpose", &[&x], vec![axes("perm", back)]))
    }

    fn layer_scale(&mut self, name: &str, channels: usize, x: &str) -> Result<String, ExportError> {
        let factor = self.weights.layer_scale(name, channels)?;
        let shape = [&[1, channels][..], &vec![1; self.dims]].concat();
        let factor = self.graph.tensor(&format!("{name}.factor"), &shape, factor);
        Ok(self.graph.node("Mul", &[x, &factor], Vec::new()))
    }

    /// Adds a Gaussian error linear unit, `x·(1 + erf(x/√2))/2`. An operator for it exists only since opset 20.
    fn gelu(&mut self, x: &str) -> String {
        let [root, one, half] = [std::f32::consts::FRAC_1_SQRT_2, 1.0, 0.5].map(|value| {
            let name = self.graph.free("gelu");
            self.graph.tensor(&name, &[1], &[value])
        });
        let scaled = self.graph.node("Mul", &[x, &root], Vec::new());
        let erf = self.graph.node("Erf", &[&scaled], Vec::new());
        let sum = self.graph.node("Add", &[&erf, &one], Vec::new());
        let product = self.graph.node("Mul", &[x, &sum], Vec::new());
        self.graph.node("Mul", &[&product, &half], Vec::new())
    }

    /// Adds the linear map of every position (`dense`), or of the means over all positions.
    fn head(&mut self, [features, outputs]: [usize; 2], dense: bool, x: &str) -> Result<String, ExportError> {
        let (weight, bias) = self.weights.head([features, outputs])?;
        let bias = self.graph.tensor("head.bias", &[outputs], bias);
        if dense {
            let shape = [&[outputs, features][..], &vec![1; self.dims]].concat();
            let weight = self.graph.tensor("head.weight", &shape, &weight);
            return Ok(self.graph.node("Conv", &[x, &weight, &bias], vec![ints("kernel_shape", 1, self.dims)]));
        }
        let weight = self.graph.tensor("head.weight", &[outputs, features], &weight);
        let flat = self.graph.node("Flatten", &[x], vec![int("axis", 1)]);
        Ok(self.graph.node("Gemm", &[&flat, &weight, &bias], vec![int("transB", 1)]))
    }

    /// Adds the operations that make predictions from the outputs of the network.
    pub fn finish(&mut self, card: &ModelCard, mut x: String) -> String {
        match card.task {
            TaskKind::Classification { .. } => self.graph.node("Softmax", &[&x], vec![int("axis", 1)]),
            TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => self.graph.node("Sigmoid", &[&x], Vec::new()),
            TaskKind::Regression { .. } | TaskKind::DenseRegression { .. } => {
                if let Some((mean, scale)) = card.targets.mean_and_scale() {
                    x = self.with("Mul", &x, "output_scale", &scale);
                    x = self.with("Add", &x, "output_mean", &mean);
                }
                x
            }
        }
    }
}
