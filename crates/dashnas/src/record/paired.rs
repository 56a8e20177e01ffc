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

/// How the network of a run compares with others on the test split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
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
