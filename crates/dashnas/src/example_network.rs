//! A small network, for tests.

use dashnas_core::names::BackboneName;
use dashnas_nn::backbone::spec::NetworkSpec;
use dashnas_nn::graph::topology::Graph;

/// Its properties.
pub(crate) const SPEC: NetworkSpec<'static> = NetworkSpec {
    channels: 1,
    outputs: 3,
    dense: false,
    width: 1,
    base: Some(4),
    extent: 32,
    plain_kernels: &[7, 5, 3],
};

/// The network `wrn-1d`.
pub(crate) fn wrn_1d() -> Graph {
    dashnas_nn::backbone::by_name(BackboneName::Wrn1d).graph(SPEC)
}
