//! The bound on the number of parameters, which every network of a race keeps.

use aggconv::KernelSpace;
use dashnas_nn::graph::topology::Graph;

/// An upper bound on the trainable parameters of a network.
#[derive(Debug, Clone)]
pub(crate) struct SizeBound {
    most: u64,
    /// The kernel sizes of the space, ascending.
    sizes: Vec<usize>,
    graph: Graph,
}

impl SizeBound {
    /// The bound of at most `most` parameters on the networks of a graph.
    pub fn new(most: u64, graph: Graph, space: &KernelSpace) -> Self {
        let mut sizes: Vec<usize> = space.candidates().iter().map(|c| c.k).collect();
        sizes.sort_unstable();
        sizes.dedup();
        Self { most, sizes, graph }
    }

    /// Returns whether a network is within the bound.
    pub fn allows(&self, kernels: &[[usize; 2]]) -> bool {
        self.graph.params(kernels) <= self.most
    }

    /// Returns the network with smaller kernels where it exceeds the bound: the layer in which the next smaller size of
    /// the space saves most gets it, until the network fits. `None` if the smallest sizes do not fit.
    pub fn shrunk(&self, mut kernels: Vec<[usize; 2]>) -> Option<Vec<[usize; 2]>> {
        let (layers, dims) = (self.graph.searched(), self.graph.dims());
        while !self.allows(&kernels) {
            let smaller = |(layer, &[k, _]): (usize, &[usize; 2])| {
                let &size = self.sizes.iter().rev().find(|&&size| size < k)?;
                let params = |k| layers[layer].params(k, dims);
                Some((params(k).saturating_sub(params(size)), layer, size))
            };
            // Of equal savings, the last layer.
            let (_, layer, size) = kernels.iter().enumerate().filter_map(smaller).max()?;
            kernels[layer][0] = size;
        }
        Some(kernels)
    }
}
