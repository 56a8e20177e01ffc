//! Backbones: fixed topologies whose convolutions the search replaces (§3.1).
//!
//! A backbone fixes where the convolutions are; the search chooses their kernel sizes and dilations. A backbone
//! describes its network as a [`Graph`](crate::graph::topology::Graph), from which everything else follows. To add one,
//! write a file here, and add its name to [`BackboneName`] and to [`by_name`].

mod convnext;
mod inception;
mod resnet1d;
pub mod spec;
mod tcn;
mod unet;
mod wrn1d;
mod wrn2d;

pub use crate::backbone::convnext::ConvNext;
pub use crate::backbone::inception::InceptionTime;
pub use crate::backbone::resnet1d::ResNet1d;
pub use crate::backbone::spec::{Backbone, NetworkSpec};
pub use crate::backbone::tcn::Tcn;
pub use crate::backbone::unet::UNet;
pub use crate::backbone::wrn1d::Wrn1d;
pub use crate::backbone::wrn2d::Wrn2d;

use dashnas_core::names::BackboneName;

/// Returns the backbone with a name.
pub fn by_name(name: BackboneName) -> &'static dyn Backbone {
    match name {
        BackboneName::Wrn2d => &Wrn2d,
        BackboneName::Wrn1d => &Wrn1d,
        BackboneName::InceptionTime => &InceptionTime,
        BackboneName::Tcn => &Tcn,
        BackboneName::ResNet1d => &ResNet1d,
        BackboneName::UNet => &UNet,
        BackboneName::ConvNextAtto => &ConvNext::ATTO,
        BackboneName::ConvNextT => &ConvNext::TINY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::node::Operation;
    use crate::graph::topology::Graph;

    const SHAPE: NetworkSpec<'static> = NetworkSpec {
        channels: 3,
        outputs: 10,
        dense: false,
        width: 4,
        base: None,
        extent: 32,
        plain_kernels: &[7, 5, 3],
    };

    /// A graph can only be made if its channels and strides agree with each other; this test compares them with the
    /// task.
    #[test]
    fn every_backbone_fits_its_task() {
        for name in BackboneName::ALL {
            for dense in [false, true] {
                for width in [1, 4] {
                    for outputs in [1, 12, 100] {
                        let graph = by_name(name).graph(NetworkSpec { outputs, dense, width, ..SHAPE });
                        assert_eq!((graph.dims(), graph.inputs(), graph.is_dense()), (name.dims(), 3, dense));
                        assert_eq!(graph.head()[1], outputs);
                        let extents = [2, 64, 200].map(|extent| NetworkSpec { extent, outputs, dense, width, ..SHAPE });
                        for spec in extents {
                            let size = if name.dims() == 1 { [1, spec.extent] } else { [spec.extent, 300] };
                            let end = by_name(name).graph(spec).trace(size).last().map(|t| t.output);
                            assert_eq!(end, Some(if dense { size } else { [1, 1] }), "{name:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn wrn_16_has_thirteen_searched_layers_and_the_series_network_nine() {
        let two = Wrn2d.graph(SHAPE);
        assert_eq!(two.plain_kernels(), vec![[3, 1]; 13]);
        assert_eq!(two.head(), [256, 10]);
        let one = Wrn1d.graph(NetworkSpec { outputs: 24, ..SHAPE });
        assert_eq!(one.plain_kernels(), [[7, 1], [5, 1], [3, 1]].repeat(3));
        assert_eq!(one.head(), [128, 24]);
        assert_eq!(
            Wrn1d.graph(NetworkSpec { outputs: 4, ..SHAPE }).head()[0],
            8,
            "min(4^(4//10 + 1), 64) = 4, doubled"
        );
    }

    #[test]
    fn inception_time_and_unet_as_published() {
        // One channel needs no bottleneck: six modules of three convolutions with kernels of 39, 19 and 9.
        let spec = NetworkSpec { channels: 1, outputs: 5, plain_kernels: &[39, 19, 9], ..SHAPE };
        let series = InceptionTime.graph(spec);
        assert_eq!(series.plain_kernels(), [[39, 1], [19, 1], [9, 1]].repeat(6));
        assert_eq!(series.head(), [128, 5]);
        let convs = |c_in: u64| 32 * c_in * (39 + 19 + 9) + 3 * 32;
        let plain: u64 = series.searched().iter().map(|c| c.params(c.kernel, 1)).sum();
        assert_eq!(plain, convs(1) + 5 * convs(32));
        let point = |c_in: u64, c: u64| c_in * c + c;
        let norms = 8 * 2 * 128;
        let bottlenecks = 5 * point(128, 32) + 5 * point(128, 32) + point(1, 32);
        assert_eq!(series.fixed_params(), norms + bottlenecks + point(1, 128) + point(128, 128) + (128 + 1) * 5);
        // Two convolutions at each of four levels down and three up.
        let grid = UNet.graph(NetworkSpec { dense: true, outputs: 1, ..SHAPE });
        let channels: Vec<usize> = grid.searched().iter().map(|conv| conv.channels[1]).collect();
        assert_eq!(channels, [32, 32, 64, 64, 128, 128, 256, 256, 128, 128, 64, 64, 32, 32]);
        let inputs: Vec<usize> = grid.searched().iter().map(|conv| conv.channels[0]).collect();
        assert_eq!(inputs, [3, 32, 32, 64, 64, 128, 128, 256, 256, 128, 128, 64, 64, 32]);
        let sizes: Vec<_> = grid.trace([29, 30]).iter().map(|t| t.output).collect();
        assert!(sizes.contains(&[4, 4]), "{sizes:?}");
        assert_eq!(sizes.last(), Some(&[29, 30]));
    }

    /// With the published 64 channels: the numbers of the publication, but for kernels of 15 and shortcuts by 1×1
    /// convolutions.
    #[test]
    fn resnet_1d_has_34_layers_of_groups_of_channels() {
        let spec = NetworkSpec { channels: 1, outputs: 4, base: Some(64), plain_kernels: &[15], ..SHAPE };
        let net = ResNet1d.graph(spec);
        let convs = net.searched();
        assert_eq!(net.plain_kernels(), vec![[15, 1]; 33]);
        assert_eq!(net.head(), [512, 4]);
        assert_eq!((convs[0].channels, convs[0].groups), ([1, 64], 1));
        assert!(convs[1..].iter().all(|conv| conv.groups == 32));
        let widths: Vec<usize> = convs[1..].iter().map(|conv| conv.channels[1]).collect();
        assert_eq!(widths, [[64; 8], [128; 8], [256; 8], [512; 8]].concat());
        let strided: Vec<usize> = (0..33).filter(|&layer| convs[layer].stride == 2).collect();
        assert_eq!(strided, [3, 7, 11, 15, 19, 23, 27, 31], "the first convolution of every second block");
        let lengths: Vec<usize> = net.trace([1, 1000]).iter().map(|t| t.output[1]).collect();
        assert_eq!(lengths[lengths.len() - 3], 4, "1000 / 2^8, rounded up");
        // A convolution of c_in to c_out channels in 32 groups.
        let conv = |c_in: u64, c_out: u64| c_in / 32 * c_out * 15 + c_out;
        let stage = |c_in, c| conv(c_in, c) + 7 * conv(c, c);
        let convs = (15 * 64 + 64) + stage(64, 64) + stage(64, 128) + stage(128, 256) + stage(256, 512);
        assert_eq!(net.params(&net.plain_kernels()) - net.fixed_params(), convs);
        // Two normalizations for each block, but one for the first, beside those of the stem and the head.
        let blocks = |c_in: u64, c: u64| c_in + c + 6 * c;
        let norms = 2 * (64 + (64 + 6 * 64) + blocks(64, 128) + blocks(128, 256) + blocks(256, 512) + 512);
        let points: u64 = (64 * 128 + 128) + (128 * 256 + 256) + (256 * 512 + 512);
        assert_eq!(net.fixed_params(), norms + points + (512 + 1) * 4);
        // An odd number of channels has groups of one.
        let odd = ResNet1d.graph(NetworkSpec { base: Some(3), ..spec });
        assert_eq!(odd.searched()[1].groups, 3);
        assert_eq!(odd.head()[0], 24);
    }

    /// The numbers of parameters of the library timm with 7 classes and 3 channels, and Table 9 of the publication.
    #[test]
    fn convnext_as_published() {
        let spec = NetworkSpec { outputs: 7, extent: 224, ..SHAPE };
        let [atto, tiny] = [ConvNext::ATTO, ConvNext::TINY].map(|size| size.graph(spec));
        assert_eq!((atto.plain_kernels(), tiny.plain_kernels()), (vec![[7, 1]; 12], vec![[7, 1]; 18]));
        assert!(atto.searched().iter().all(|conv| conv.channels == [conv.groups; 2]));
        assert_eq!(atto.params(&atto.plain_kernels()), 3_376_767);
        let thousand = ConvNext::TINY.graph(NetworkSpec { outputs: 1000, ..spec });
        assert_eq!(thousand.params(&tiny.plain_kernels()), 28_589_128, "29 million");
        let grids = |graph: &Graph, n| {
            let mut grids: Vec<usize> = graph.trace([n, n]).iter().map(|t| t.output[0]).collect();
            grids.dedup();
            grids
        };
        assert_eq!(grids(&atto, 224), [224, 56, 28, 14, 7, 1]);
        let small = ConvNext::ATTO.graph(NetworkSpec { extent: 32, ..spec });
        assert_eq!(grids(&small, 32), [32, 16, 8, 4, 1]);
        let middle = ConvNext::ATTO.graph(NetworkSpec { extent: 64, ..spec });
        assert_eq!(grids(&middle, 64), [64, 32, 16, 8, 4, 1]);
        let dense = ConvNext::ATTO.graph(NetworkSpec { dense: true, outputs: 1, ..spec });
        assert_eq!(grids(&dense, 85), [85, 43, 22, 11, 22, 43, 85]);
        assert_eq!(dense.plain_kernels().len(), 15);
    }

    /// The numbers of the paper's tables, by hand.
    #[test]
    fn parameters_by_hand() {
        let conv = |c_in: u64, c_out: u64, taps: u64| c_in * c_out * taps + c_out;
        // m = 4 from 3 channels: three blocks of kernels 7, 5 and 3, two of them with a projection and its norm.
        let one = Wrn1d.graph(NetworkSpec { outputs: 4, ..SHAPE });
        let block = |c_in, c| conv(c_in, c, 7) + conv(c, c, 5) + conv(c, c, 3);
        let plain: u64 = one.searched().iter().map(|c| c.params(c.kernel, 1)).sum();
        assert_eq!(plain, block(3, 4) + block(4, 8) + block(8, 8));
        let norms = 2 * (3 * 4 + 3 * 8 + 3 * 8 + 4 + 8);
        assert_eq!(one.fixed_params(), norms + conv(3, 4, 1) + conv(4, 8, 1) + (8 + 1) * 4);
        // Width 1: 16 channels and then 16, 32 and 64; projections where channels or grids change.
        let two = Wrn2d.graph(NetworkSpec { width: 1, ..SHAPE });
        let group = |c_in, c| conv(c_in, c, 9) + 3 * conv(c, c, 9);
        assert_eq!(two.searched_params(3), conv(3, 16, 9) + group(16, 16) + group(16, 32) + group(32, 64));
        let norms = 2 * (4 * 16 + 16 + 3 * 32 + 32 + 3 * 64 + 64);
        assert_eq!(two.fixed_params(), norms + conv(16, 32, 1) + conv(32, 64, 1) + (64 + 1) * 10);
    }

    #[test]
    fn strides_shrink_the_grid_of_what_follows() {
        let graph = Wrn2d.graph(NetworkSpec { width: 1, ..SHAPE });
        let trace = graph.trace([33, 20]);
        let of = |searched| {
            let wanted = move |op: &Operation| matches!(op, Operation::Conv(conv) if conv.searched == searched);
            trace.iter().filter(move |t| wanted(t.operation)).map(|t| t.input).collect::<Vec<_>>()
        };
        let convs = of(true);
        assert_eq!(convs[..6], [[33, 20]; 6]);
        assert_eq!(convs[6..10], [[33, 20], [17, 10], [17, 10], [17, 10]]);
        assert_eq!(of(false), [[33, 20], [17, 10]]);
        let sizes: Vec<_> = trace.iter().rev().take(3).map(|t| t.output).collect();
        assert_eq!(sizes, [[1, 1], [1, 1], [9, 5]], "a linear map of the means over the remaining grid");
    }
}
