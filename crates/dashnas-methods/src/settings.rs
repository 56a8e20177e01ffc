//! Methods that are a run of the pipeline under settings of their own: one entry of [`TABLE`] each.

use crate::method::{Method, MethodInput};
use crate::run::run;
use dashnas::bench::search::settings::RANDOM_SEEDS;
use dashnas::config::rules::Facts;
use dashnas::config::sections::Config;
use dashnas::error::Error;
use dashnas::record::event::Observer;
use dashnas::record::outcome::Outcome;
use dashnas::run::kernels::{KernelSource, plain_kernels};
use dashnas::run::pipeline::Run;
use dashnas_core::names::{AlphaUpdate, BackboneName, SearchStrategy, Tuner};
use std::path::Path;
use std::time::Duration;

/// A method as settings of the pipeline.
pub(super) struct MethodSettings {
    name: &'static str,
    title: &'static str,
    source: &'static str,
    /// The backbone; `None`: the paper's choice by dimension, a Wide ResNet.
    backbone: Option<BackboneName>,
    kernels: MethodKernels,
    /// K and D; `None`: those of the configuration.
    space: Option<[&'static [usize]; 2]>,
    tuning: MethodTuning,
    /// How a search by a supernet changes its architecture parameters.
    alpha: AlphaUpdate,
}

/// Where the kernels of a method come from.
enum MethodKernels {
    /// A search by this strategy.
    Searched(SearchStrategy),
    /// The original kernels of the backbone.
    Plain,
    /// Drawn uniformly from the space, with the seed of the run: other kernels for every seed.
    Random,
}

/// How a method tunes the training hyperparameters.
enum MethodTuning {
    /// As the configuration says.
    Configured,
    /// Not at all: the values of the section `[retrain]`, which by default are those of the paper.
    None,
    /// By ASHA.
    Asha,
}

/// What most methods have in common.
const DASH: MethodSettings = MethodSettings {
    name: "dash",
    title: "DASH, the search of the paper by a supernet",
    source: "Shen, Khodak and Talwalkar 2022, section 3",
    backbone: None,
    kernels: MethodKernels::Searched(SearchStrategy::Paper),
    space: None,
    tuning: MethodTuning::Configured,
    alpha: AlphaUpdate::Gradient,
};

/// The methods, in the order in which they are listed and run.
pub(super) static TABLE: [MethodSettings; 14] = [
    DASH,
    MethodSettings {
        name: "race",
        title: "the race of networks, the other search of this program",
        source: "not in the paper; successive halving: Jamieson and Talwalkar 2016",
        kernels: MethodKernels::Searched(SearchStrategy::Race),
        ..DASH
    },
    MethodSettings {
        name: "baby-dash",
        title: "BABY DASH, the search of the paper with K = {3, 5} and D = {1, 2}",
        source: "Shen, Khodak and Talwalkar 2022, section 4.1",
        space: Some([&[3, 5], &[1, 2]]),
        ..DASH
    },
    MethodSettings {
        name: "wrn",
        title: "Wide ResNet with its own kernels and the settings of the paper, not tuned",
        source: "Zagoruyko and Komodakis 2016; Shen, Khodak and Talwalkar 2022, section 4.1",
        kernels: MethodKernels::Plain,
        tuning: MethodTuning::None,
        ..DASH
    },
    MethodSettings {
        name: "wrn-asha",
        title: "Wide ResNet with its own kernels, tuned by ASHA",
        source: "Li et al. 2020; Shen, Khodak and Talwalkar 2022, section 4.1",
        kernels: MethodKernels::Plain,
        tuning: MethodTuning::Asha,
        ..DASH
    },
    MethodSettings {
        name: "random",
        title: "Wide ResNet with random kernels of the space, others for every seed, not searched",
        source: "Li and Talwalkar 2019",
        kernels: MethodKernels::Random,
        ..DASH
    },
    MethodSettings {
        name: "dash-tcn",
        title: "the search of the paper in a temporal convolutional network",
        source: "Shen, Khodak and Talwalkar 2022, section 3; Bai et al. 2018",
        backbone: Some(BackboneName::Tcn),
        ..DASH
    },
    MethodSettings {
        name: "dash-convnext",
        title: "the search of the paper in ConvNeXt, in its smallest size",
        source: "Shen, Khodak and Talwalkar 2022, section 3; Liu et al. 2022",
        backbone: Some(BackboneName::ConvNextAtto),
        ..DASH
    },
    MethodSettings {
        name: "dash-gaea",
        title: "the search of the paper with the exponentiated gradient of GAEA",
        source: "Li et al. 2021; Shen, Khodak and Talwalkar 2022, section 3",
        alpha: AlphaUpdate::ExponentiatedGradient,
        ..DASH
    },
    MethodSettings {
        name: "tcn",
        title: "temporal convolutional network with its own kernels, tuned",
        source: "Bai et al. 2018; Shen, Khodak and Talwalkar 2022, section 4.1",
        backbone: Some(BackboneName::Tcn),
        kernels: MethodKernels::Plain,
        ..DASH
    },
    MethodSettings {
        name: "inception-time",
        title: "InceptionTime, one network, with its own kernels, tuned",
        source: "Ismail Fawaz et al. 2020",
        backbone: Some(BackboneName::InceptionTime),
        kernels: MethodKernels::Plain,
        ..DASH
    },
    MethodSettings {
        name: "unet",
        title: "U-Net with its own kernels, tuned",
        source: "Ronneberger et al. 2015",
        backbone: Some(BackboneName::UNet),
        kernels: MethodKernels::Plain,
        ..DASH
    },
    MethodSettings {
        name: "resnet-1d",
        title: "residual network of 34 layers for long recordings, with its own kernels, tuned",
        source: "Hong et al. 2020; Hannun et al. 2019",
        backbone: Some(BackboneName::ResNet1d),
        kernels: MethodKernels::Plain,
        ..DASH
    },
    MethodSettings {
        name: "convnext",
        title: "ConvNeXt in its smallest size, with its own kernels, tuned",
        source: "Liu et al. 2022",
        backbone: Some(BackboneName::ConvNextAtto),
        kernels: MethodKernels::Plain,
        ..DASH
    },
];

impl MethodSettings {
    /// The configuration of the run.
    ///
    /// # Errors
    /// [`Error::Config`] and [`Error::Space`] if the settings do not fit the data.
    fn config(&self, input: &MethodInput<'_>) -> Result<Config, Error> {
        let data = input.data;
        let mut config = input.config.clone();
        config.baseline.enabled = false;
        config.backbone.name = self.backbone;
        if let Some([sizes, dilations]) = self.space {
            config.space.kernel_sizes = Some(sizes.to_vec());
            config.space.dilations = Some(dilations.to_vec());
        }
        match self.tuning {
            MethodTuning::Configured => {}
            MethodTuning::None => config.tune.enabled = false,
            MethodTuning::Asha => config.tune.tuner = Some(Tuner::Asha),
        }
        match self.kernels {
            MethodKernels::Searched(strategy) => {
                config.search.strategy = strategy;
                config.search.alpha_update = self.alpha;
                if self.alpha == AlphaUpdate::ExponentiatedGradient {
                    // GAEA has no scaling of the gradient by its norm.
                    config.search.alpha_grad_scale = 0.0;
                }
            }
            MethodKernels::Plain => config.search.kernels = Some(plain_kernels(&config, data)?),
            MethodKernels::Random => {
                let seed = RANDOM_SEEDS.saturating_add(config.seed);
                config.search.kernels = Some(KernelSource::Random(seed).resolve(&config, data)?);
            }
        }
        config.resolve(&Facts { dims: data.dims(), task: data.task, train_samples: data.train.len() })?;
        config.validate()?;
        Ok(config)
    }
}

impl Method for MethodSettings {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn source(&self) -> &'static str {
        self.source
    }

    fn unsuited(&self, input: &MethodInput<'_>) -> Option<String> {
        let dims = input.data.dims();
        match self.backbone {
            Some(backbone) if backbone.dims() != dims => {
                Some(format!("its network takes {}-D data, but the data set is {dims}-D", backbone.dims()))
            }
            _ if matches!(self.tuning, MethodTuning::Asha) && !input.config.tune.enabled => {
                Some("it differs from another method by its tuning, which is switched off (`tune.enabled`)".into())
            }
            _ => self.config(input).err().map(|error| error.to_string()),
        }
    }

    fn check_limits(&self, input: &MethodInput<'_>) -> Result<(), Error> {
        let config = self.config(input)?;
        match config.budget.time_limit > 0.0 {
            true => Run::check_time_limit(&config, input.data, Duration::ZERO),
            false => Ok(()),
        }
    }

    fn train(&self, input: &MethodInput<'_>, out: &Path, observer: &mut dyn Observer) -> Result<Outcome, Error> {
        run(&self.config(input)?, input, out, observer)
    }
}
