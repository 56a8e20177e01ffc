//! Whether a test set can tell two networks apart.

use dashnas_data::groups::GroupKind;
use serde::{Deserialize, Serialize};

/// The comparison of two networks on the same test samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// The test.
    pub test: PairedTest,
    /// The probability of a difference at least as large if the networks were equally good.
    pub p: f64,
    /// The groups that were drawn, where whole groups of samples were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupCount>,
}

/// A paired test of two networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PairedTest {
    /// The exact test of McNemar on the samples that only one of them has right.
    Mcnemar,
    /// The test samples drawn anew, with the same draws for both.
    Bootstrap,
    /// Whole groups of the test samples drawn anew, with the same draws for both, and a correction for few groups.
    ClusterBootstrap,
}

/// The groups of the test samples, such as recordings. Samples of one group are alike, so that the number of the groups, and
/// not that of the samples, says how much a test set can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCount {
    /// The number of the groups.
    pub number: usize,
    /// What the groups are.
    pub are: GroupKind,
}

impl GroupCount {
    /// The groups in words: `12 recordings`.
    pub fn words(self) -> String {
        self.are.count(self.number)
    }

    /// Whether there are too few for an interval or a test.
    pub fn too_few(self) -> bool {
        self.number < FEWEST_GROUPS
    }
}

/// The fewest groups of test samples that an interval or a test is computed from.
pub const FEWEST_GROUPS: usize = 5;

/// The largest probability at which a difference is taken for one.
const LEVEL: f64 = 0.05;

impl Paired {
    /// Whether the test set shows a difference.
    pub fn shows_difference(&self) -> bool {
        self.p <= LEVEL
    }

    /// The test and its result, as in `exact McNemar test, p = 0.22`.
    pub fn words(&self) -> String {
        let test = match self.test {
            PairedTest::Mcnemar => "exact McNemar test",
            PairedTest::Bootstrap | PairedTest::ClusterBootstrap => "paired bootstrap",
        };
        let test = test.to_owned() + &over(self.groups);
        match self.p {
            p if p < 0.001 => format!("{test}, p < 0.001"),
            p if p < 0.1 => format!("{test}, p = {p:.3}"),
            p => format!("{test}, p = {p:.2}"),
        }
    }
}

/// The 95 % interval of a metric: where it may lie, as far as the number of the test samples, or of their groups, goes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How it was computed.
    pub by: IntervalMethod,
    /// The groups of the samples, where whole groups were drawn or left out, or counted instead of the samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupCount>,
}

impl Interval {
    /// How it was computed, in words: `Wilson`, `bootstrap over 12 recordings`.
    pub fn method(self) -> String {
        let method = match self.by {
            IntervalMethod::Wilson => "Wilson",
            IntervalMethod::Bootstrap | IntervalMethod::ClusterBootstrap => "bootstrap",
            IntervalMethod::Jackknife => "jackknife",
        };
        method.to_owned() + &over(self.groups)
    }
}

/// The groups that something was computed over, as the end of its name.
fn over(groups: Option<GroupCount>) -> String {
    groups.map_or_else(String::new, |groups| format!(" over {}", groups.words()))
}

/// Why a metric has no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoInterval {
    /// The test samples are from fewer than [`FEWEST_GROUPS`] groups.
    FewGroups,
    /// All samples or groups have the same value, so that nothing can be estimated from their spread.
    NoSpread,
    /// It would take long.
    TooLarge,
    /// There are too few samples, or the metric is not defined on parts of them.
    Undefined,
}

/// How an interval is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalMethod {
    /// Wilson's score interval of a share of counted samples.
    Wilson,
    /// Percentiles of draws of the samples.
    Bootstrap,
    /// Percentiles of draws of whole groups of samples, moved outward where the groups are few.
    ClusterBootstrap,
    /// The spread of the metric when one of twenty parts of the samples (or one of fewer than forty groups) is left out,
    /// for metrics that are no mean over the samples and whose draws would take long.
    Jackknife,
}

/// How the network of a run compares with others on the test split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The groups of the test samples, if samples of one group are alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupCount>,
    /// The interval of the metric of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_interval: Option<NoInterval>,
    /// The interval of the metric of the plain network, if it was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain_interval: Option<Interval>,
    /// Against the plain network, if it was trained and can be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain: Option<Paired>,
    /// The metric of guessing the same for every sample, as the training targets suggest: the most common class, the share
    /// of each label, or the mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guessing: Option<f64>,
    /// Against guessing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_guessing: Option<Paired>,
}

impl Judgement {
    /// The groups of the test samples, if they are too few for an interval or a test.
    pub fn too_few_groups(&self) -> Option<GroupCount> {
        self.groups.filter(|groups| groups.too_few())
    }
}
