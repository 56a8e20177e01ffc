//! The bound on the number of parameters, which every network of a race keeps.

use aggconv::KernelSpace;
use dashnas_nn::graph::topology::Graph;

/// An upper bound on the trainable parameters of a network.
#[derive(Debug, Clone)]
pub(crate) struct SizeBound {
    most: u64,
    /// The parameters of everything but the searched layers.
    fixed: u64,
    /// The parameters of each searched layer by kernel size, for the sizes of the space in ascending order.
    layers: Vec<Vec<(usize, u64)>>,
    graph: Graph,
}

impl SizeBound {
    /// The bound of at most `most` parameters on the networks of a graph.
    pub fn new(most: u64, graph: &Graph, space: &KernelSpace) -> Self {
        let mut sizes: Vec<usize> = space.candidates().iter().map(|c| c.k).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let layer = |conv: &&dashnas_nn::graph::node::Convolution| {
            sizes.iter().map(|&k| (k, conv.params(k, graph.dims()))).collect()
        };
        let layers = graph.searched().iter().map(layer).collect();
        Self { most, fixed: graph.fixed_params(), layers, graph: graph.clone() }
    }

    /// The parameters of a network.
    fn params(&self, kernels: &[[usize; 2]]) -> u64 {
        let searched = self.graph.searched().into_iter().zip(kernels);
        searched.fold(self.fixed, |sum, (conv, &[k, _])| sum.saturating_add(conv.params(k, self.graph.dims())))
    }

    /// Returns whether a network is within the bound.
    pub fn allows(&self, kernels: &[[usize; 2]]) -> bool {
        self.params(kernels) <= self.most
    }

    /// Returns the network with smaller kernels where it exceeds the bound: the layer in which the next smaller size of
    /// the space saves most gets it, until the network fits. `None` if the smallest sizes do not fit.
    pub fn shrunk(&self, mut kernels: Vec<[usize; 2]>) -> Option<Vec<[usize; 2]>> {
        while !self.allows(&kernels) {
            let smaller = |(layer, &[k, _]): (usize, &[usize; 2])| {
                let sizes = &self.layers[layer];
                let &(size, params) = sizes.iter().rev().find(|(size, _)| *size < k)?;
                let now = self.graph.searched()[layer].params(k, self.graph.dims());
                Some((now.saturating_sub(params), layer, size))
            };
            // Of equal savings, the last layer.
            let (_, layer, size) = kernels.iter().enumerate().filter_map(smaller).max()?;
            kernels[layer][0] = size;
        }
        Some(kernels)
    }
}
