//! Features of an architecture: what the surrogate knows of it.
//!
//! The searched layers are divided by depth into [`SEGMENTS`] segments: the first layer, where the input enters, and
//! thirds of the rest. In each segment a kernel is described by the taps that can touch the input, by its reach and by
//! its reach relative to the grid. The features are standardized over the kernel space, so that a random architecture
//! has features of mean 0 and variance 1: spaces, depths and sizes of input become comparable.

use aggconv::{Candidate, KernelSpace};
use dashnas_nn::graph::node::{Operation, ParameterKind};
use dashnas_nn::graph::topology::Graph;

/// The segments of the searched layers by depth.
pub const SEGMENTS: usize = 4;
/// The features of a segment.
const PER_SEGMENT: usize = 4;
/// The number of features of an architecture.
pub const FEATURES: usize = SEGMENTS * PER_SEGMENT;

/// The searched layers of a network on an input of some size, and the kernels that they may have.
#[derive(Debug, Clone)]
pub struct Geometry {
    /// The larger side of the grid that each searched layer convolves.
    extents: Vec<usize>,
    /// Mean and standard deviation of each quantity over the kernel space, by layer.
    scales: Vec<[[f64; 2]; PER_SEGMENT]>,
}

impl Geometry {
    /// Describes the searched layers of a graph for inputs of size `[height, width]`.
    pub fn new(graph: &Graph, input: [usize; 2], space: &KernelSpace) -> Self {
        let trace = graph.trace(input);
        let searched = trace.iter().filter(|node| {
            matches!(node.operation, Operation::Conv(_)) && node.operation.kind() == ParameterKind::Searched
        });
        let extents: Vec<usize> = searched.map(|node| node.input[0].max(node.input[1]).max(1)).collect();
        let scales = extents.iter().map(|&extent| scale(extent, space.candidates())).collect();
        Self { extents, scales }
    }

    /// Returns the number of searched layers.
    pub fn layers(&self) -> usize {
        self.extents.len()
    }

    /// Returns the segment of a layer, from 0.
    pub fn segment(&self, layer: usize) -> usize {
        match layer {
            0 => 0,
            _ => 1 + (layer - 1) * (SEGMENTS - 1) / (self.layers() - 1).max(1),
        }
    }

    /// Returns the standardized features of one kernel in a layer.
    fn standardized(&self, layer: usize, kernel: [usize; 2]) -> [f64; PER_SEGMENT] {
        let mut values = quantities(self.extents[layer], kernel);
        for (value, [mean, deviation]) in values.iter_mut().zip(self.scales[layer]) {
            *value = (*value - mean) / deviation;
        }
        values
    }

    /// Returns the features of an architecture, one kernel `[k, d]` for each searched layer.
    ///
    /// # Panics
    /// Panics if there is not one kernel for each searched layer.
    pub fn features(&self, kernels: &[[usize; 2]]) -> [f64; FEATURES] {
        assert_eq!(kernels.len(), self.layers(), "one kernel for each searched layer");
        let mut sums = [0.0; FEATURES];
        let mut layers = [0usize; SEGMENTS];
        for (layer, &kernel) in kernels.iter().enumerate() {
            let segment = self.segment(layer);
            layers[segment] += 1;
            for (i, value) in self.standardized(layer, kernel).into_iter().enumerate() {
                sums[segment * PER_SEGMENT + i] += value;
            }
        }
        for (i, sum) in sums.iter_mut().enumerate() {
            // The variance of a sum of independent layers is their number.
            *sum /= (layers[i / PER_SEGMENT].max(1) as f64).sqrt();
        }
        sums
    }
}

/// Quantities of a kernel on a grid: the logarithm of the taps that can touch the input, the logarithm of the reach, its
/// square, and the reach relative to the grid.
fn quantities(extent: usize, [k, d]: [usize; 2]) -> [f64; PER_SEGMENT] {
    let side = (k.saturating_sub(1) / 2).min((extent - 1) / d.max(1));
    let taps = (2 * side + 1) as f64;
    let reach = (2 * side * d + 1) as f64;
    [taps.log2(), reach.log2(), reach.log2().powi(2), reach / extent as f64]
}

/// The mean and the standard deviation of each quantity over the candidates on a grid.
fn scale(extent: usize, candidates: &[Candidate]) -> [[f64; 2]; PER_SEGMENT] {
    let all: Vec<[f64; PER_SEGMENT]> = candidates.iter().map(|c| quantities(extent, [c.k, c.d])).collect();
    let n = all.len().max(1) as f64;
    std::array::from_fn(|i| {
        let mean = all.iter().map(|q| q[i]).sum::<f64>() / n;
        let variance = all.iter().map(|q| (q[i] - mean).powi(2)).sum::<f64>() / n;
        // Where all candidates are alike, the feature says nothing.
        [mean, if variance > 1e-12 { variance.sqrt() } else { 1.0 }]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example_network::SPEC;
    use dashnas_core::names::BackboneName;

    fn geometry(name: BackboneName, input: [usize; 2], k: &[usize], d: &[usize]) -> (Geometry, KernelSpace) {
        let space = KernelSpace::new(k.to_vec(), d.to_vec()).expect("a valid space");
        (Geometry::new(&dashnas_nn::backbone::by_name(name).graph(SPEC), input, &space), space)
    }

    #[test]
    fn taps_that_cannot_touch_the_input_do_not_count() {
        assert_eq!(quantities(100, [7, 3]), [7f64.log2(), 19f64.log2(), 19f64.log2().powi(2), 0.19]);
        // On 8 positions, offset 7 is the last one that touches the input: 15 does not.
        assert_eq!(quantities(8, [9, 15]), [0.0, 0.0, 0.0, 0.125]);
        assert_eq!(quantities(8, [9, 7])[0], 3f64.log2());
        assert_eq!(quantities(1, [3, 1]), [0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn random_architectures_have_mean_zero_and_variance_one() {
        let (geometry, space) = geometry(BackboneName::Wrn1d, [1, 99], &[3, 7, 11, 15, 19], &[1, 3, 7, 15]);
        assert_eq!(geometry.layers(), 9);
        assert_eq!((0..9).map(|l| geometry.segment(l)).collect::<Vec<_>>(), [0, 1, 1, 1, 2, 2, 2, 3, 3]);
        // Over all candidates in one layer, the others fixed.
        for layer in 0..9 {
            let sum: f64 = space.candidates().iter().map(|c| geometry.standardized(layer, [c.k, c.d])[1]).sum();
            assert!(sum.abs() < 1e-9, "{sum}");
        }
    }

    #[test]
    fn the_grid_of_images_shrinks_with_depth() {
        let (geometry, _) = geometry(BackboneName::Wrn2d, [28, 20], &[3, 9], &[1, 3]);
        assert_eq!(geometry.layers(), 13);
        assert_eq!((geometry.extents[0], geometry.extents[12]), (28, 7));
        let one = geometry.features(&[[3, 1]; 13]);
        let mut other = [[3, 1]; 13];
        other[0] = [9, 3];
        let other = geometry.features(&other);
        assert!(one[..PER_SEGMENT] != other[..PER_SEGMENT] && one[PER_SEGMENT..] == other[PER_SEGMENT..]);
    }
}
