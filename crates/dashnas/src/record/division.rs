//! How the samples of a data set were cut and divided, for people and programs: a part of what `data.json` keeps.

use dashnas_data::dataset::Dataset;
use dashnas_data::groups::{GroupKind, Groups, distinct_names};
use dashnas_formats::account::ColumnRole;
use dashnas_formats::options::Span;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};

/// Groups of a split up to which their names are kept.
const NAMED: usize = 12;

/// How the samples were cut out of recordings and divided into splits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Division {
    /// The windows, if recordings were cut into windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<WindowSizes>,
    /// What the groups are, if there are groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_are: Option<GroupKind>,
    /// The training samples.
    pub train: SplitPart,
    /// The samples that choose the hyperparameters, if there are any that stay the same in the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<SplitPart>,
    /// The test samples; `None` for arrays in Python, which come without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<SplitPart>,
    /// The groups with test samples that have training or given validation samples as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_groups: Vec<String>,
    /// The decisions that reading the data took, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The sizes of windows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WindowSizes {
    /// Time steps of a window.
    pub length: usize,
    /// Time steps from the beginning of a window to that of the next.
    pub stride: usize,
    /// Time steps in a second, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

/// The samples of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitPart {
    /// The number of samples.
    pub samples: usize,
    /// How they were chosen, as a part of a sentence.
    pub chosen: String,
    /// The number of their groups, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// The names of the groups, if there are at most 12.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl Division {
    /// Describes a data set. `held_out` are the training samples that tuning holds out for validation, by their position
    /// from 0, if they are the same in the whole run. Without `tested`, there is no test split: that of the data is a
    /// placeholder.
    pub fn new(data: &Dataset, held_out: Option<&[usize]>, tested: bool) -> Self {
        let groups = data.groups.as_ref();
        let part = |samples: usize, chosen: String, names: Option<Vec<&str>>| {
            let distinct = names.map(distinct_names);
            let named = distinct.iter().filter(|names| names.len() <= NAMED).flatten();
            let names = named.map(|&name| name.to_owned()).collect();
            SplitPart { samples, chosen, groups: distinct.map(|names| names.len()), names }
        };
        let named = |of: fn(&Groups) -> Option<&[u32]>| {
            groups.and_then(|groups| {
                Some(of(groups)?.iter().map(|&number| recording(groups, number)).collect::<Vec<_>>())
            })
        };
        let train = named(|groups| groups.train.as_deref());
        let val = named(|groups| groups.val.as_deref());
        let test = named(|groups| groups.test.as_deref());
        let known: HashSet<&str> = [&train, &val].into_iter().flatten().flatten().copied().collect();
        let shared: BTreeSet<&str> = test.iter().flatten().copied().filter(|name| known.contains(name)).collect();
        let validation = match (&data.val, held_out) {
            (Some(split), _) => Some(part(split.len(), given(data), val)),
            (None, Some(rows)) => {
                let of_rows = train.as_ref().map(|train| rows.iter().map(|&row| train[row]).collect());
                Some(part(rows.len(), held_out_words(data), of_rows))
            }
            (None, None) => None,
        };
        let rest = if data.origin.drawn.is_some() { "the rest".to_owned() } else { given(data) };
        Self {
            windows: windows(data),
            groups_are: groups.map(|groups| groups.are),
            train: part(data.train.len(), if tested { rest } else { "given to `fit`".to_owned() }, train),
            validation,
            test: tested.then(|| part(data.test.len(), test_is(data), test)),
            shared_groups: shared.into_iter().filter(|_| tested).map(str::to_owned).collect(),
            notes: data.origin.notes.clone(),
        }
    }
}

/// The name of a group. That of a block of time, `walk#3`, is the recording that it is a part of.
pub(crate) fn recording(groups: &Groups, number: u32) -> &str {
    let name = &groups.names[number as usize];
    let block = name.rsplit_once('#').filter(|(_, block)| groups.blocks > 0 && block.parse::<usize>().is_ok());
    block.map_or(name.as_str(), |(recording, _)| recording)
}

/// How the test split was chosen.
pub(crate) fn test_is(data: &Dataset) -> String {
    data.origin.drawn.as_ref().map_or_else(|| given(data), |drawn| drawn.way())
}

/// How a given split was given.
pub(crate) fn given(data: &Dataset) -> String {
    match data.origin.columns.iter().find(|column| column.role == ColumnRole::Split) {
        Some(column) => format!("given by the column `{}`", column.name),
        None => "given with the data".to_owned(),
    }
}

/// How training samples were held out for tuning.
pub(crate) fn held_out_words(data: &Dataset) -> String {
    let way = if data.facts.train.times.is_some() { "the last in time" } else { "drawn with the seed" };
    format!("of the training samples, {way}, for tuning only")
}

/// The sizes of the windows, as reading the data set found them.
fn windows(data: &Dataset) -> Option<WindowSizes> {
    let steps = |span: Option<Span>| match span? {
        Span::Steps(steps) => Some(steps),
        Span::Seconds(seconds) => Some((seconds * data.reading.rate?).round() as usize),
    };
    let length = steps(data.reading.window)?;
    Some(WindowSizes { length, stride: steps(data.reading.stride).unwrap_or(length), rate: data.reading.rate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::task::TaskKind;
    use dashnas_data::dataset::DrawnSplit;
    use dashnas_data::split::Split;
    use dashnas_data::targets::Targets;
    use dashnas_formats::array::Array;

    fn data() -> Dataset {
        let split = |n: usize| Split {
            x: Array::new(vec![n, 1, 4], (0..4 * n).map(|i| i as f32).collect()),
            y: Targets::Classes((0..n as u32).map(|i| i % 2).collect()),
        };
        let task = TaskKind::Classification { classes: 2 };
        let mut data = Dataset::new("made", task, split(6), None, split(4)).expect("sound");
        let names = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let groups = [names("aabbcc"), names("ddcd")];
        data.groups = Some(Groups::new(GroupKind::Recordings, [Some(&groups[0]), None, Some(&groups[1])]));
        data
    }

    #[test]
    fn splits_have_their_groups_and_the_way_they_were_chosen() {
        let mut data = data();
        (data.reading.window, data.reading.stride) = (Some(Span::Steps(4)), Some(Span::Steps(2)));
        data.reading.rate = Some(50.0);
        let found = Division::new(&data, Some(&[4, 5]), true);
        assert_eq!(found.windows, Some(WindowSizes { length: 4, stride: 2, rate: Some(50.0) }));
        assert_eq!(
            (found.train.samples, found.train.groups, &found.train.names[..]),
            (6, Some(3), &["a", "b", "c"].map(String::from)[..])
        );
        let held = found.validation.expect("two samples are held out");
        assert_eq!((held.samples, held.groups, &held.names[..]), (2, Some(1), &["c".to_owned()][..]));
        assert_eq!(held.chosen, "of the training samples, drawn with the seed, for tuning only");
        let test = found.test.expect("there is a test split");
        assert_eq!((test.samples, test.groups, test.chosen.as_str()), (4, Some(2), "given with the data"));
        assert_eq!(found.shared_groups, ["c"], "it is divided");
        data.origin.drawn = Some(DrawnSplit { grouped: true, seed: 3, ..DrawnSplit::default() });
        let found = Division::new(&data, None, true);
        assert_eq!((found.train.chosen.as_str(), found.validation), ("the rest", None));
        assert_eq!(found.test.map(|test| test.chosen).as_deref(), Some("drawn with seed 3, in whole groups"));
        assert_eq!(Division::new(&data, None, false).test, None);
        // The only recording, in blocks of time.
        let names = ["a#0", "a#0", "a#1", "a#1", "a#2", "a#2"].map(String::from);
        let test = ["a"; 4].map(String::from);
        let groups = Groups::new(GroupKind::Recordings, [Some(&names), None, Some(&test)]);
        data.groups = Some(Groups { blocks: 3, ..groups });
        let found = Division::new(&data, None, true);
        assert_eq!((found.train.groups, &found.shared_groups[..]), (Some(1), &["a".to_owned()][..]));
    }
}
