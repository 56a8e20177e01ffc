//! Groups of samples that are alike, such as the windows of a recording or the samples of a person. No split divides them
//! unless it was given so, and the samples of one group are not independent of each other.

use crate::split::groups_of;
use dashnas_core::text::plural;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What the groups of a data set are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    /// The values of the column or array of groups, `data.group`.
    #[default]
    Groups,
    /// The recordings that windows were cut from.
    Recordings,
}

impl GroupKind {
    /// A number of groups in words: `1 recording`, `12 groups`.
    pub fn count(self, n: usize) -> String {
        plural(n, self.noun())
    }

    /// One of the groups.
    pub fn noun(self) -> &'static str {
        match self {
            GroupKind::Groups => "group",
            GroupKind::Recordings => "recording",
        }
    }
}

/// The groups of the samples of a data set. A group has the same number in every split.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    /// What the groups are.
    pub are: GroupKind,
    /// The names of the groups, by their numbers.
    pub names: Vec<String>,
    /// The group of each training sample; `None` if it is not known. Their numbers are the first ones, without a gap.
    pub train: Option<Vec<u32>>,
    /// The group of each validation sample.
    pub val: Option<Vec<u32>>,
    /// The group of each test sample.
    pub test: Option<Vec<u32>>,
    /// The number of blocks of time that the only training recording is divided into, each of which is a group; 0 if it is
    /// not divided.
    pub blocks: usize,
}

impl Groups {
    /// The groups of the training, validation and test samples, by their names.
    pub fn new(are: GroupKind, splits: [Option<&[String]>; 3]) -> Self {
        let all: Vec<String> = splits.iter().flatten().flat_map(|names| names.iter().cloned()).collect();
        let numbers = groups_of(&all);
        let mut names: Vec<String> = Vec::new();
        for (name, &number) in all.into_iter().zip(&numbers) {
            if number as usize == names.len() {
                names.push(name);
            }
        }
        let mut rest = &numbers[..];
        let [train, val, test] = splits.map(|split| {
            let (own, next) = rest.split_at(split?.len());
            rest = next;
            Some(own.to_vec())
        });
        Self { are, names, train, val, test, blocks: 0 }
    }

    /// The same without the training samples after the first `samples`.
    pub(crate) fn with_train(&self, samples: usize) -> Self {
        let named = |split: &Option<Vec<u32>>| -> Option<Vec<String>> {
            split.as_ref().map(|numbers| numbers.iter().map(|&number| self.names[number as usize].clone()).collect())
        };
        let train = self.train.as_ref().map(|train| train[..samples.min(train.len())].to_vec());
        let [train, val, test] = [&train, &self.val, &self.test].map(named);
        Self { blocks: self.blocks, ..Self::new(self.are, [train.as_deref(), val.as_deref(), test.as_deref()]) }
    }
}

/// Different names, in the order of their first appearance.
pub fn distinct_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    names.into_iter().filter(|&name| seen.insert(name)).collect()
}

/// The number of different groups of some samples.
pub fn distinct(numbers: &[u32]) -> usize {
    numbers.iter().collect::<HashSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_one_number_in_all_splits() {
        let names = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let (train, test) = (names("ccab"), names("dcd"));
        let groups = Groups::new(GroupKind::Groups, [Some(&train), None, Some(&test)]);
        assert_eq!(groups.names, ["c", "a", "b", "d"]);
        assert_eq!((groups.train.as_deref(), groups.test.as_deref()), (Some(&[0, 0, 1, 2][..]), Some(&[3, 0, 3][..])));
        // The numbers of the training samples have no gap.
        let fewer = groups.with_train(3);
        assert_eq!((fewer.train.as_deref(), fewer.test.as_deref()), (Some(&[0, 0, 1][..]), Some(&[2, 0, 2][..])));
        assert_eq!((fewer.names, distinct(&[3, 0, 3])), (vec!["c".to_owned(), "a".into(), "d".into()], 2));
        assert_eq!([GroupKind::Recordings.count(1), GroupKind::Groups.count(2)], ["1 recording", "2 groups"]);
    }
}
