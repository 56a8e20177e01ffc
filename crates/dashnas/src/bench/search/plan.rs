//! The networks of a bench.

use crate::bench::search::settings::{BenchSettings, RANDOM_SEEDS, seed};
use crate::config::sections::Config;
use aggconv::KernelSpace;
use serde::{Deserialize, Serialize};

/// `[k, d]` of every searched layer.
pub type Kernels = Vec<[usize; 2]>;

/// The kinds of entries of a bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// A network with random kernels.
    Random,
    /// The plain backbone.
    Plain,
    /// A network with the same kernel in every layer.
    Uniform,
    /// A search of the paper alone.
    PaperSearch,
    /// A whole run of the configured search.
    Whole,
    /// The network of a search of the paper, trained as the random networks are.
    Paper,
    /// The network of a configured search, trained as the random networks are.
    Searched,
}

impl Group {
    /// Whether its networks are trained under the conditions of the control: the same tuning, steps and seed.
    pub fn is_control(self) -> bool {
        !matches!(self, Group::PaperSearch | Group::Whole)
    }

    /// Whether its networks are trained in full and evaluated.
    pub(crate) fn is_trained(self) -> bool {
        self != Group::PaperSearch
    }
}

/// One entry of a bench, with a run directory of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// The kind.
    pub group: Group,
    /// The number within its kind, from 0.
    pub number: usize,
    /// The kernels, where they are known before a search.
    pub kernels: Option<Kernels>,
    /// The name of the entry whose search finds the kernels, if one does.
    pub search: Option<String>,
}

impl Entry {
    /// The seed of its random kernels or of its search; of other networks that of their training.
    pub(crate) fn seed(&self, base: &Config) -> u64 {
        match self.group {
            Group::Random => RANDOM_SEEDS + self.number as u64,
            Group::Plain | Group::Uniform => base.seed,
            Group::PaperSearch | Group::Whole | Group::Paper | Group::Searched => seed(base, self.number),
        }
    }
}

/// The kernels of the networks without a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenKernels {
    /// Those of the random networks.
    pub random: Vec<Kernels>,
    /// Those of the plain backbone.
    pub plain: Kernels,
    /// The kernels that one network each has in every layer.
    pub uniform: Vec<[usize; 2]>,
}

/// The entries of a bench in their order: first those that depend on no other one.
pub fn entries(given: &GivenKernels, settings: BenchSettings) -> Vec<Entry> {
    let with = |name: String, group, number, kernels: &[[usize; 2]]| Entry {
        name,
        group,
        number,
        kernels: Some(kernels.to_vec()),
        search: None,
    };
    let mut all = Vec::new();
    let random = given.random.iter().enumerate();
    all.extend(random.map(|(i, kernels)| with(format!("random-{i}"), Group::Random, i, kernels)));
    all.push(with("plain".into(), Group::Plain, 0, &given.plain));
    for (i, &[k, d]) in given.uniform.iter().enumerate() {
        all.push(with(format!("uniform-{k}x{d}"), Group::Uniform, i, &vec![[k, d]; given.plain.len()]));
    }
    let searches = [("paper", Group::PaperSearch, Group::Paper), ("ours", Group::Whole, Group::Searched)];
    for (name, group, _) in searches {
        all.extend((0..settings.seeds).map(|s| Entry {
            name: format!("{name}-{s}"),
            group,
            number: s,
            kernels: None,
            search: None,
        }));
    }
    for (name, _, group) in searches {
        all.extend((0..settings.seeds).map(|s| Entry {
            name: format!("{name}-{s}-retrained"),
            group,
            number: s,
            kernels: None,
            search: Some(format!("{name}-{s}")),
        }));
    }
    all
}

/// Kernels for networks with the same kernel in every layer, spread over the space: the smallest and the largest size
/// without dilation, the middle size with the second dilation, and the largest size with the largest dilation that
/// still fits into `length` positions. More are taken from the rest of the space in its order.
pub fn uniform_kernels(space: &KernelSpace, length: usize, count: usize) -> Vec<[usize; 2]> {
    let sorted = |values: &[usize]| {
        let mut values = values.to_vec();
        values.sort_unstable();
        values
    };
    let (sizes, dilations) = (sorted(space.kernel_sizes()), sorted(space.dilations()));
    let (Some(&small), Some(&large)) = (sizes.first(), sizes.last()) else { return Vec::new() };
    let Some(&close) = dilations.first() else { return Vec::new() };
    let middle = [sizes[sizes.len() / 2], dilations[1.min(dilations.len() - 1)]];
    let fits = |d: &&usize| large.saturating_sub(1).saturating_mul(**d) < length;
    let far = dilations.iter().rev().find(fits).copied().unwrap_or(close);
    let preferred = [[small, close], [large, close], middle, [large, far]];
    let rest = space.candidates().iter().map(|c| [c.k, c.d]);
    let mut chosen = Vec::new();
    for kernel in preferred.into_iter().chain(rest) {
        if chosen.len() < count && !chosen.contains(&kernel) {
            chosen.push(kernel);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_kernels_are_spread_over_the_space() {
        let space = KernelSpace::for_1d();
        assert_eq!(uniform_kernels(&space, 1000, 4), [[3, 1], [19, 1], [11, 3], [19, 15]]);
        assert_eq!(uniform_kernels(&space, 128, 4), [[3, 1], [19, 1], [11, 3], [19, 7]]);
        // Without a dilation that fits, the two kernels of the largest size are one.
        assert_eq!(uniform_kernels(&space, 10, 4), [[3, 1], [19, 1], [11, 3], [3, 3]]);
        assert_eq!(uniform_kernels(&space, 128, 1), [[3, 1]]);
        let one = KernelSpace::new([3], [1]).expect("a space");
        assert_eq!(uniform_kernels(&one, 128, 4), [[3, 1]]);
    }

    #[test]
    fn entries_come_before_those_that_need_them() {
        let given =
            GivenKernels { random: vec![vec![[3, 1], [5, 1]]; 2], plain: vec![[3, 1], [3, 1]], uniform: vec![[5, 3]] };
        let all = entries(&given, BenchSettings { random: 2, uniform: 1, seeds: 2 });
        let names: Vec<&str> = all.iter().map(|e| e.name.as_str()).collect();
        let expected = "random-0 random-1 plain uniform-5x3 paper-0 paper-1 ours-0 ours-1 paper-0-retrained \
                        paper-1-retrained ours-0-retrained ours-1-retrained";
        assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
        assert_eq!(all[3].kernels, Some(vec![[5, 3], [5, 3]]));
        for (i, entry) in all.iter().enumerate() {
            assert_eq!(entry.kernels.is_some(), entry.search.is_none() && entry.group.is_control());
            assert!(entry.search.iter().all(|name| all[..i].iter().any(|earlier| earlier.name == *name)));
        }
    }
}
