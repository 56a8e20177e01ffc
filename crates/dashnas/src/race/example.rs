//! A task whose best kernels are known, for tests: only a kernel that reaches 21 positions solves it.

use crate::config::sections::Config;
use dashnas_core::names::Preset;
use dashnas_core::rng::{Seed, Stream};
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_nn::graph::build::GraphBuilder;
use dashnas_nn::graph::topology::Graph;
use rand::RngExt;

/// Random signs of 64 positions. The class says whether the signs 21 positions apart mostly agree, which no two
/// other positions tell.
fn pairs(samples: usize, stream: &mut Stream) -> Split {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for i in 0..samples {
        let class = (i % 2) as u32;
        let mut series: Vec<f32> = (0..64).map(|_| if stream.random::<bool>() { 1.0 } else { -1.0 }).collect();
        for t in 21..64 {
            if stream.random::<f64>() < 0.8 {
                series[t] = if class == 0 { series[t - 21] } else { -series[t - 21] };
            }
        }
        x.extend(series);
        y.push(class);
    }
    Split { x: Array::new(vec![samples, 1, 64], x), y: Targets::Classes(y) }
}

/// One searched layer, a normalization, a ReLU and the mean over all positions.
pub(crate) fn one_layer() -> Graph {
    let mut net = GraphBuilder::new(1);
    let input = net.input(1);
    let features = net.after(input).conv(8, 3, 1).norm().relu().end();
    net.finish(features, 2, false)
}

/// The data set, and the configuration of a search for a kernel of three taps with a seed.
pub(crate) fn task(seed: u64) -> (Dataset, Config) {
    let mut stream = Seed(5).stream("pairs", &[]);
    let (train, test) = (pairs(240, &mut stream), pairs(20, &mut stream));
    let task = TaskKind::Classification { classes: 2 };
    let data = Dataset::new("pairs", task, train, None, test).expect("the data is sound");
    let mut config = Config::preset(Preset::Quick);
    (config.seed, config.race.steps) = (seed, Some(1600));
    config.space.kernel_sizes = Some(vec![3]);
    config.space.dilations = Some(vec![1, 5, 7, 9, 15, 21, 27]);
    (data, config)
}
