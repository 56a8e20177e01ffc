//! The rounds of a race: how many networks are trained for how many steps.

/// The largest number of held-out samples that score a trial.
pub(crate) const MAX_HELD_OUT: usize = 2048;

/// A round: all of its trials have the same number of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Round {
    /// The number of networks.
    pub networks: usize,
    /// Training steps of each.
    pub steps: u64,
}

/// The fewest steps of a trial. The score of a shorter one says nothing.
const MIN_STEPS: u64 = 10;

/// Returns the rounds of a race of some networks whose trials take at most `steps` steps together, `extra` additional
/// trials in the first round included. One in `reduction` networks enters the next round, with `reduction` times as many
/// steps; the last round has at least two. The plain network takes part in every round, in addition to them. There are
/// fewer networks where the trials would be too short.
pub(crate) fn rounds(networks: usize, reduction: usize, extra: usize, steps: u64, longest: u64) -> Vec<Round> {
    let reduction = reduction.max(2);
    let factor = |round: usize| (reduction as u64).saturating_pow(round as u32);
    let sizes = |first: usize| {
        let survivors = std::iter::successors(Some(first), |&last| (last / reduction >= 2).then_some(last / reduction));
        let plain = |(round, n)| if round == 0 { n } else { n + 1 };
        survivors.enumerate().map(plain).collect::<Vec<usize>>()
    };
    let shortest = |sizes: &[usize]| {
        let shares: u64 = sizes.iter().enumerate().map(|(round, &n)| n as u64 * factor(round)).sum();
        steps / (shares + extra as u64)
    };
    let mut all = (2..=networks.max(2)).rev().map(sizes);
    let long_enough = all.clone().find(|sizes| shortest(sizes) >= MIN_STEPS);
    let chosen = long_enough.or_else(|| all.next_back()).unwrap_or_default();
    let first = shortest(&chosen).max(1);
    let round = |(round, networks)| Round { networks, steps: first.saturating_mul(factor(round)).min(longest.max(1)) };
    chosen.iter().copied().enumerate().map(round).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_take_at_most_the_steps() {
        let round = |networks, steps| Round { networks, steps };
        assert_eq!(rounds(6, 3, 0, 450, 600), [round(6, 30), round(3, 90)]);
        assert_eq!(rounds(12, 3, 0, 1200, 1600), [round(12, 44), round(5, 132)]);
        assert_eq!(rounds(12, 3, 0, 1200, 100), [round(12, 44), round(5, 100)]);
        assert_eq!(rounds(1, 3, 0, 100, 100), [round(2, 50)]);
        assert_eq!(rounds(6, 3, 1, 455, 600), [round(6, 28), round(3, 84)]);
        // Too short for six: fewer networks.
        assert_eq!(rounds(6, 3, 0, 60, 600), [round(5, 12)]);
        assert_eq!(rounds(6, 3, 0, 3, 600), [round(2, 1)]);
        for networks in 1..40 {
            for steps in [2, 30, 100, 1000, 12345] {
                let taken: u64 =
                    rounds(networks, 3, 0, steps, 10_000).iter().map(|r| r.networks as u64 * r.steps).sum();
                assert!(taken <= steps.max(2), "{networks} {steps}: {taken}");
            }
        }
    }
}
