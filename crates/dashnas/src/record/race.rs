//! A race of networks, as the run directory keeps it (`race.json`).

use dashnas_core::score::Score;
use serde::{Deserialize, Serialize};

/// Where the kernels of a contestant come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// They are the original kernels of the backbone.
    Plain,
    /// They are one of the architectures that did well on other data sets.
    Portfolio,
    /// They were drawn at random.
    Random,
    /// They are a change of the best ones so far, which the trials suggest.
    Proposal,
}

impl Origin {
    /// What a reader is told of the origin.
    pub fn title(self) -> &'static str {
        match self {
            Origin::Plain => "plain network",
            Origin::Portfolio => "portfolio",
            Origin::Random => "random",
            Origin::Proposal => "change of the best",
        }
    }
}

/// What is believed of the quality of one architecture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Belief {
    /// The mean, in units of the spread of random architectures, whose mean is 0; lower is better.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
}

/// A trial of a contestant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RaceTrial {
    /// The number of the trial, from 0.
    pub trial: usize,
    /// The round, from 0. The trials of a round have the same data, initial weights and number of steps.
    pub round: usize,
    /// Training steps.
    pub steps: u64,
    /// The learning rate.
    pub lr: f64,
    /// The score on held-out training data; `None` if the trial failed.
    pub score: Option<Score>,
    /// Why the trial failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A network in a race.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contestant {
    /// Where its kernels come from.
    pub origin: Origin,
    /// `[kernel size, dilation]` of every searched layer.
    pub kernels: Vec<[usize; 2]>,
    /// Its trials, in the order of the rounds.
    pub trials: Vec<RaceTrial>,
    /// What is believed of its quality after all trials.
    pub belief: Belief,
    /// Why it was chosen or not, as a sentence.
    pub verdict: String,
}

/// A race and its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RaceRecord {
    /// The contestants in the order in which they entered.
    pub contestants: Vec<Contestant>,
    /// The number of the chosen contestant.
    pub chosen: usize,
    /// The learning rate of the race.
    pub lr: f64,
    /// The probability that the chosen network is better than the plain network, by the model of the race; `None` if the
    /// plain network was chosen or was not compared with it.
    pub better_than_plain: Option<f64>,
    /// The probability that the chosen network is better than a random architecture of the space, by the same model.
    pub better_than_random: f64,
    /// How sure the choice is, as a sentence.
    pub conclusion: String,
}
