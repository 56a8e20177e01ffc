//! The choices that a configuration names: presets, backbones, tuners, kinds of tasks and class weights.

use crate::task::TaskKind;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A preset: a named set of values that a configuration starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Takes minutes on a small machine; for trying things out.
    Quick,
    /// A fair budget for a laptop.
    Standard,
    /// The settings of appendix A.5.2.
    Paper,
}

impl Preset {
    /// Every preset, the smallest budget first.
    pub const ALL: [Preset; 3] = [Preset::Quick, Preset::Standard, Preset::Paper];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Quick => "quick",
            Preset::Standard => "standard",
            Preset::Paper => "paper",
        }
    }
}

/// A backbone, the topology of the network (A.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackboneName {
    /// Wide ResNet 16 for 2-D data.
    #[serde(rename = "wrn-2d")]
    Wrn2d,
    /// The residual network of three blocks for 1-D data.
    #[serde(rename = "wrn-1d")]
    Wrn1d,
    /// A temporal convolutional network for 1-D data (Bai et al. 2018).
    Tcn,
    /// InceptionTime for 1-D data (Ismail Fawaz et al. 2020).
    InceptionTime,
    /// The residual network of 34 layers for 1-D data (Hong et al. 2020).
    #[serde(rename = "resnet-1d")]
    ResNet1d,
    /// U-Net for 2-D data (Ronneberger et al. 2015).
    #[serde(rename = "unet")]
    UNet,
    /// ConvNeXt for 2-D data in the size that the library timm calls atto (Liu et al. 2022).
    #[serde(rename = "convnext-atto")]
    ConvNextAtto,
    /// ConvNeXt-T for 2-D data (Liu et al. 2022).
    #[serde(rename = "convnext-t")]
    ConvNextT,
}

impl BackboneName {
    /// Every backbone.
    pub const ALL: [BackboneName; 8] = [
        BackboneName::Wrn2d,
        BackboneName::UNet,
        BackboneName::ConvNextAtto,
        BackboneName::ConvNextT,
        BackboneName::Wrn1d,
        BackboneName::InceptionTime,
        BackboneName::Tcn,
        BackboneName::ResNet1d,
    ];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            BackboneName::Wrn2d => "wrn-2d",
            BackboneName::Wrn1d => "wrn-1d",
            BackboneName::InceptionTime => "inception-time",
            BackboneName::Tcn => "tcn",
            BackboneName::ResNet1d => "resnet-1d",
            BackboneName::UNet => "unet",
            BackboneName::ConvNextAtto => "convnext-atto",
            BackboneName::ConvNextT => "convnext-t",
        }
    }

    /// The paper's choice for data with so many spatial axes (§3.3).
    pub fn for_dims(dims: usize) -> Self {
        if dims == 1 { BackboneName::Wrn1d } else { BackboneName::Wrn2d }
    }

    /// Number of spatial axes of the data that the backbone takes.
    pub fn dims(self) -> usize {
        match self {
            BackboneName::Wrn2d | BackboneName::UNet | BackboneName::ConvNextAtto | BackboneName::ConvNextT => 2,
            BackboneName::Wrn1d | BackboneName::InceptionTime | BackboneName::Tcn | BackboneName::ResNet1d => 1,
        }
    }

    /// The kernel sizes of a block of the plain network, where they are different; odd, because only odd kernels have a
    /// centered "same" padding. The published sizes are 8, 5 and 3 (Wang et al. 2017), and 40, 20 and 10 (Ismail Fawaz et
    /// al. 2020). That of a TCN is 7 throughout (Bai et al. 2018), that of a ResNet-1D is 16 (Hong et al. 2020), that of a
    /// ConvNeXt is 7 (Liu et al. 2022), and those of the other networks for images are 3.
    pub fn plain_kernels(self) -> &'static [usize] {
        match self {
            BackboneName::Wrn2d | BackboneName::UNet => &[3],
            BackboneName::Wrn1d => &[7, 5, 3],
            BackboneName::InceptionTime => &[39, 19, 9],
            BackboneName::Tcn | BackboneName::ConvNextAtto | BackboneName::ConvNextT => &[7],
            BackboneName::ResNet1d => &[15],
        }
    }
}

/// A strategy of the search for kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchStrategy {
    /// A race of networks: short trainings on held-out data, by successive halving.
    Race,
    /// The supernet of the paper (Algorithm 1).
    Paper,
}

impl SearchStrategy {
    /// Every strategy.
    pub const ALL: [SearchStrategy; 2] = [SearchStrategy::Race, SearchStrategy::Paper];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            SearchStrategy::Race => "race",
            SearchStrategy::Paper => "paper",
        }
    }
}

/// A rule by which the search of the paper updates the architecture parameters α.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlphaUpdate {
    /// Gradient descent on α with the optimizer of the weights, as in the paper.
    Gradient,
    /// Exponentiated gradient on the probabilities, the softmax of α (GAEA: Li et al. 2021).
    ExponentiatedGradient,
}

impl AlphaUpdate {
    /// Every rule.
    pub const ALL: [AlphaUpdate; 2] = [AlphaUpdate::Gradient, AlphaUpdate::ExponentiatedGradient];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            AlphaUpdate::Gradient => "gradient",
            AlphaUpdate::ExponentiatedGradient => "exponentiated-gradient",
        }
    }
}

/// A method of tuning the training hyperparameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tuner {
    /// Grid search: every combination of given values.
    Grid,
    /// Asynchronous successive halving (ASHA) over values sampled from ranges.
    Asha,
}

impl Tuner {
    /// Every tuner.
    pub const ALL: [Tuner; 2] = [Tuner::Grid, Tuner::Asha];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Tuner::Grid => "grid",
            Tuner::Asha => "asha",
        }
    }
}

/// A kind of task without its size, which comes from the data: [`TaskKind`] by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskName {
    /// One class for each sample.
    Classification,
    /// Any subset of the labels for each sample.
    MultiLabel,
    /// Real numbers for each sample.
    Regression,
    /// A real field over the input's grid.
    DenseRegression,
    /// A 0/1 mask over the input's grid.
    DenseBinary,
}

impl TaskName {
    /// Every kind.
    pub const ALL: [TaskName; 5] = [
        TaskName::Classification,
        TaskName::MultiLabel,
        TaskName::Regression,
        TaskName::DenseRegression,
        TaskName::DenseBinary,
    ];

    /// The kind with its number of outputs.
    pub fn with_outputs(self, n: usize) -> TaskKind {
        match self {
            TaskName::Classification => TaskKind::Classification { classes: n },
            TaskName::MultiLabel => TaskKind::MultiLabel { labels: n },
            TaskName::Regression => TaskKind::Regression { outputs: n },
            TaskName::DenseRegression => TaskKind::DenseRegression { channels: n },
            TaskName::DenseBinary => TaskKind::DenseBinary { channels: n },
        }
    }

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        self.with_outputs(1).name()
    }
}

/// The weights of the classes in the losses of classification.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ClassWeights {
    /// Every class weighs 1.
    #[default]
    None,
    /// `n / (classes · samples of the class)`, so that the classes weigh the same in total.
    Balanced,
    /// One weight for each class.
    Given(Vec<f64>),
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ClassWeights::None => serializer.serialize_str("none"),
            ClassWeights::Balanced => serializer.serialize_str("balanced"),
            ClassWeights::Given(weights) => weights.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected \"none\", \"balanced\" or a list of numbers")]
        enum Written {
            Name(String),
            List(Vec<f64>),
        }
        match Written::deserialize(deserializer)? {
            Written::List(weights) => Ok(ClassWeights::Given(weights)),
            Written::Name(name) if name == "none" => Ok(ClassWeights::None),
            Written::Name(name) if name == "balanced" => Ok(ClassWeights::Balanced),
            Written::Name(name) => {
                Err(D::Error::custom(format!("`{name}` is neither \"none\", \"balanced\" nor a list of numbers")))
            }
        }
    }
}

impl From<TaskKind> for TaskName {
    fn from(kind: TaskKind) -> Self {
        match kind {
            TaskKind::Classification { .. } => TaskName::Classification,
            TaskKind::MultiLabel { .. } => TaskName::MultiLabel,
            TaskKind::Regression { .. } => TaskName::Regression,
            TaskKind::DenseRegression { .. } => TaskName::DenseRegression,
            TaskKind::DenseBinary { .. } => TaskName::DenseBinary,
        }
    }
}
