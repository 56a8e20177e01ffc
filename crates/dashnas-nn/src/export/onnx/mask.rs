//! The positions before the ends of samples with lengths of their own, as nodes.

use crate::export::onnx::graph::{OnnxGraph, int};
use crate::export::onnx::proto::{FLOAT, INT64};
use crate::mask::LOW;

/// The second input of a network for samples with lengths of their own: `[batch]`, whole numbers.
pub(super) const LENGTHS: &str = "lengths";

/// The positions before the ends of values of one stride.
#[derive(Debug, Clone)]
struct Inside {
    /// The stride of the values.
    stride: usize,
    /// Whether a position is before the end: a value `[batch, 1, width]` or `[batch, 1, 1, width]` of truth values.
    flags: String,
    /// The same as 0 and 1.
    factors: String,
    /// The positions, `[width]`, and the lengths of the samples, whole numbers.
    at: String,
    lengths: String,
    /// The width, as a real number.
    width: String,
    /// The width of the values over the length of each sample, `[batch, 1, 1]` or `[batch, 1, 1, 1]`.
    share: String,
}

/// The positions before the ends of the values of a network.
#[derive(Debug)]
pub(super) struct Masks {
    /// The number of axes of the data.
    dims: usize,
    /// The positions of values of each stride that have been asked for.
    known: Vec<Inside>,
}

impl Masks {
    /// Starts without nodes, for data of `dims` axes.
    pub fn new(dims: usize) -> Self {
        Self { dims, known: Vec::new() }
    }

    /// Returns the positions before the ends of the value `x` of this stride; the nodes are added once for each stride.
    fn inside(&mut self, graph: &mut OnnxGraph, x: &str, stride: usize) -> Inside {
        if let Some(known) = self.known.iter().find(|inside| inside.stride == stride) {
            return known.clone();
        }
        let number = |graph: &mut OnnxGraph, name: &str, value: usize| {
            let name = graph.free(name);
            graph.integer(&name, value as i64)
        };
        let mut lengths = LENGTHS.to_owned();
        if stride > 1 {
            let (more, by) = (number(graph, "stride_less_one", stride - 1), number(graph, "stride", stride));
            let sum = graph.node("Add", &[&lengths, &more], Vec::new());
            lengths = graph.node("Div", &[&sum, &by], Vec::new());
        }
        let name = graph.free("ends_shape");
        let shape = graph.integers(&name, &[&[-1][..], &vec![1; self.dims + 1]].concat());
        let lengths = graph.node("Reshape", &[&lengths, &shape], Vec::new());
        let (last, zero, one) =
            (number(graph, "last_axis", self.dims + 1), number(graph, "zero", 0), number(graph, "one", 1));
        let sizes = graph.node("Shape", &[x], Vec::new());
        let width = graph.node("Gather", &[&sizes, &last], vec![int("axis", 0)]);
        let at = graph.node("Range", &[&zero, &width, &one], Vec::new());
        let flags = graph.node("Less", &[&at, &lengths], Vec::new());
        let float = |graph: &mut OnnxGraph, x: &str| graph.node("Cast", &[x], vec![int("to", FLOAT.into())]);
        let factors = float(graph, &flags);
        let (width, real) = (float(graph, &width), float(graph, &lengths));
        let share = graph.node("Div", &[&width, &real], Vec::new());
        let inside = Inside { stride, flags, factors, at, lengths, width, share };
        self.known.push(inside.clone());
        inside
    }

    /// Makes the input `x`, whose values after the ends may be anything, zero there.
    pub fn cut_off(&mut self, graph: &mut OnnxGraph, x: &str) -> String {
        let inside = self.inside(graph, x, 1);
        let name = graph.free("after_the_end");
        let zero = graph.tensor(&name, &[1], &[0.0]);
        graph.node("Where", &[&inside.flags, x, &zero], Vec::new())
    }

    /// Makes the value `x` of this stride, which is finite, zero after the ends.
    pub fn cleared(&mut self, graph: &mut OnnxGraph, x: &str, stride: usize) -> String {
        let inside = self.inside(graph, x, stride);
        graph.node("Mul", &[x, &inside.factors], Vec::new())
    }

    /// Adds the value at the last position before the ends of a value of this stride.
    pub fn last(&mut self, graph: &mut OnnxGraph, x: &str, stride: usize) -> String {
        let inside = self.inside(graph, x, stride);
        let name = graph.free("next");
        let one = graph.integer(&name, 1);
        let next = graph.node("Add", &[&inside.at, &one], Vec::new());
        let others = graph.node("Less", &[&next, &inside.lengths], Vec::new());
        let others = graph.node("Cast", &[&others], vec![int("to", FLOAT.into())]);
        let last = graph.node("Sub", &[&inside.factors, &others], Vec::new());
        let only = graph.node("Mul", &[x, &last], Vec::new());
        let mean = graph.node("GlobalAveragePool", &[&only], Vec::new());
        graph.node("Mul", &[&mean, &inside.width], Vec::new())
    }

    /// Makes the value `x` of this stride so low after the ends that it is in no maximum.
    pub fn lowered(&mut self, graph: &mut OnnxGraph, x: &str, stride: usize) -> String {
        let inside = self.inside(graph, x, stride);
        let name = graph.free("in_no_maximum");
        let low = graph.tensor(&name, &[1], &[-LOW]);
        graph.node("Where", &[&inside.flags, x, &low], Vec::new())
    }

    /// Adds the mean over the positions before the ends of a value of this stride that is zero after them.
    pub fn mean(&mut self, graph: &mut OnnxGraph, x: &str, stride: usize) -> String {
        let inside = self.inside(graph, x, stride);
        let mean = graph.node("GlobalAveragePool", &[x], Vec::new());
        graph.node("Mul", &[&mean, &inside.share], Vec::new())
    }
}

/// The element type of the lengths.
pub(super) const LENGTHS_TYPE: i32 = INT64;
