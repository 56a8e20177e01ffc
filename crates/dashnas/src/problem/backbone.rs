//! The backbone of a configuration on a data set, and the kernels that a configuration gives for it.

use crate::config::error::ConfigError;
use crate::config::sections::Config;
use dashnas_core::task::TaskKind;
use dashnas_core::text::plural;
use dashnas_formats::options::Lengths;
use dashnas_nn::backbone::spec::NetworkSpec;
use dashnas_nn::graph::topology::Graph;

/// The facts about a data set that decide the graph of its backbone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackboneData {
    /// Spatial axes of the input, 1 or 2.
    pub dims: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Positions on the shortest axis of the input.
    pub extent: usize,
    /// The kind of task.
    pub task: TaskKind,
}

impl BackboneData {
    /// The facts about a data set of `dims` axes whose inputs are `[channels, height, width]`; the height of series is 1.
    pub fn new(dims: usize, [channels, h, w]: [usize; 3], task: TaskKind) -> Self {
        Self { dims, channels, extent: NetworkSpec::extent_of(dims, [h, w]), task }
    }
}

/// The graph of the backbone of a configuration at a width.
pub(crate) fn backbone_graph(config: &Config, data: BackboneData, width: usize) -> Graph {
    let name = config.backbone_name(data.dims);
    let shape = NetworkSpec {
        channels: data.channels,
        outputs: data.task.outputs(),
        dense: data.task.is_dense(),
        width,
        base: config.backbone.channels,
        extent: data.extent,
        plain_kernels: config.backbone.plain_kernels.as_deref().unwrap_or(name.plain_kernels()),
    };
    let graph = dashnas_nn::backbone::by_name(name).graph(shape);
    graph.with_mask(config.data.lengths == Lengths::Mask)
}

/// Checks that there is one kernel for each searched layer of the backbone. `origin` continues the description of the
/// list with where it is from; it may be empty.
///
/// # Errors
/// [`ConfigError::Mismatch`] that names both numbers.
pub(crate) fn check_kernel_count(
    config: &Config,
    data: BackboneData,
    kernels: usize,
    origin: &str,
) -> Result<(), ConfigError> {
    let layers = backbone_graph(config, data, config.backbone.width).searched().len();
    if kernels == layers {
        return Ok(());
    }
    Err(ConfigError::Mismatch {
        key: "search.kernels",
        value: format!("a list of {}{origin}", plural(kernels, "kernel")),
        reason: format!(
            "does not fit the {layers} searched layers of the backbone {}",
            config.backbone_name(data.dims).name()
        ),
    })
}
