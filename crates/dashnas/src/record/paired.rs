//! Whether a test set can tell two networks apart.

use serde::{Deserialize, Serialize};

/// The comparison of two networks on the same test samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// The test.
    pub test: PairedTest,
    /// The probability of a difference at least as large if the networks were equally good.
    pub p: f64,
}

/// A paired test of two networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PairedTest {
    /// The exact test of McNemar on the samples that only one of them has right.
    Mcnemar,
    /// The test samples drawn anew, with the same draws for both.
    Bootstrap,
}

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
            PairedTest::Bootstrap => "paired bootstrap",
        };
        match self.p {
            p if p < 0.001 => format!("{test}, p < 0.001"),
            p if p < 0.1 => format!("{test}, p = {p:.3}"),
            p => format!("{test}, p = {p:.2}"),
        }
    }
}

/// The 95 % interval of a metric: where it may lie, as far as the number of the test samples goes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How it was computed.
    pub by: IntervalMethod,
}

/// How an interval is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalMethod {
    /// Wilson's score interval of a share of counted samples.
    Wilson,
    /// Percentiles of draws of the samples.
    Bootstrap,
    /// The spread of the metric when one of twenty parts of the samples is left out, for metrics that are no mean over
    /// the samples and whose draws would take long.
    Jackknife,
}

impl IntervalMethod {
    /// The name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            IntervalMethod::Wilson => "Wilson",
            IntervalMethod::Bootstrap => "bootstrap",
            IntervalMethod::Jackknife => "jackknife",
        }
    }
}

/// How the network of a run compares with others on the test split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The interval of the metric of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
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
