//! A race of networks, as the run directory keeps it (`race.json`).

use dashnas_core::score::Score;
use serde::{Deserialize, Serialize};

/// A network that is better than another one with less than this probability cannot be told from it.
const TOLD_APART: f64 = 0.6;

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

/// Whether a network that is better than another one with this probability can be told from it.
pub fn told_apart(better: f64) -> bool {
    better >= TOLD_APART
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

impl RaceRecord {
    /// Whether the plain network won.
    pub fn plain_won(&self) -> bool {
        self.contestants.get(self.chosen).is_some_and(|winner| winner.origin == Origin::Plain)
    }

    /// Whether the race shows no preference: no networks could be compared, or the winner cannot be told from the plain
    /// network.
    pub fn undecided(&self) -> bool {
        let compared = self.contestants.iter().flat_map(|c| &c.trials).any(|trial| trial.score.is_some());
        !compared || (!self.plain_won() && !self.better_than_plain.is_some_and(told_apart))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_winner_that_cannot_be_told_from_the_plain_network_is_no_preference() {
        let contestant = |origin, score: Option<f64>| {
            let score = score.map(|loss| Score { loss, metric: None });
            let trial = RaceTrial { trial: 0, round: 0, steps: 1, lr: 0.1, score, reason: None };
            let belief = Belief { mean: 0.0, deviation: 1.0 };
            Contestant { origin, kernels: vec![], trials: vec![trial], belief, verdict: String::new() }
        };
        let race = |winner, score, better_than_plain| RaceRecord {
            contestants: vec![contestant(winner, score)],
            chosen: 0,
            lr: 0.1,
            better_than_plain,
            better_than_random: 0.5,
            conclusion: String::new(),
        };
        let cases = [
            (Origin::Random, Some(1.0), Some(0.61), [false, false]),
            (Origin::Random, Some(1.0), Some(0.59), [true, false]),
            (Origin::Random, Some(1.0), None, [true, false]),
            (Origin::Plain, Some(1.0), None, [false, true]),
            (Origin::Plain, None, None, [true, true]),
        ];
        for (winner, score, better, expected) in cases {
            let race = race(winner, score, better);
            assert_eq!([race.undecided(), race.plain_won()], expected, "{winner:?} {score:?} {better:?}");
        }
    }
}
