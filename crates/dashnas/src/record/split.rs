//! The samples of each split, by their places in the files: what `split.json` keeps.

use crate::record::data::ARRAYS;
use crate::record::division::{given, held_out_words, recording, test_is};
use dashnas_data::dataset::Dataset;
use dashnas_data::groups::{GroupKind, Groups, distinct_names};
use dashnas_formats::sample_facts::{Counting, Places};
use serde::{Deserialize, Serialize};

/// Which samples are in which split. It is written once, at the start of a run, and never read by it;
/// [`TrainedOn`](crate::record::trained_on::TrainedOn) reads it to recognize training samples among new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitRecord {
    /// The path of the data, or the name of a task.
    pub source: String,
    /// How the test split was chosen.
    pub test_is: String,
    /// How the validation split was chosen; `None` if there is no single one.
    pub validation_is: Option<String>,
    /// The groups of each split, if there are groups.
    pub groups: Option<SplitGroups>,
    /// The training samples.
    pub train: Vec<PlaceList>,
    /// The samples that choose the hyperparameters. Unless they were given as a split, they are training samples.
    pub validation: Option<Vec<PlaceList>>,
    /// The test samples.
    pub test: Vec<PlaceList>,
}

/// The names of the groups of each split, in the order of their first samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitGroups {
    /// What the groups are.
    pub are: GroupKind,
    /// Those of the training samples.
    pub train: Vec<String>,
    /// Those of the given validation samples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation: Vec<String>,
    /// Those of the test samples.
    #[serde(default)]
    pub test: Vec<String>,
}

impl SplitGroups {
    fn new(groups: &Groups, tested: bool) -> Self {
        let names = |of: &Option<Vec<u32>>| {
            let all = of.iter().flatten().map(|&number| recording(groups, number));
            distinct_names(all).into_iter().map(str::to_owned).collect()
        };
        let test = if tested { names(&groups.test) } else { Vec::new() };
        Self { are: groups.are, train: names(&groups.train), validation: names(&groups.val), test }
    }
}

/// Some samples of one file, of one array, or of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceList {
    /// The path of the file; `None` if each sample has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The name of the array in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array: Option<String>,
    /// The samples.
    #[serde(flatten)]
    pub samples: Numbers,
}

/// The samples in a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Numbers {
    /// Rows from 1; a header, comments and blank lines do not count.
    Rows(Vec<u64>),
    /// Indices along the first axis, from 0.
    Indices(Vec<u64>),
    /// Names of files, or headers of sequences.
    Names(Vec<String>),
}

impl SplitRecord {
    /// The record on one line for each split.
    pub fn to_json(&self) -> String {
        // Texts, numbers and lists of them can always be encoded.
        let encoded = |value: serde_json::Result<String>| value.unwrap_or_default();
        let groups = self.groups.as_ref().map(|groups| ("groups", encoded(serde_json::to_string(groups))));
        let mut fields = vec![
            ("source", encoded(serde_json::to_string(&self.source))),
            ("test_is", encoded(serde_json::to_string(&self.test_is))),
            ("validation_is", encoded(serde_json::to_string(&self.validation_is))),
        ];
        fields.extend(groups);
        fields.extend([
            ("train", encoded(serde_json::to_string(&self.train))),
            ("validation", encoded(serde_json::to_string(&self.validation))),
            ("test", encoded(serde_json::to_string(&self.test))),
        ]);
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("  \"{name}\": {value}")).collect();
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    /// Describes the splits of a data set. `held_out` are the training samples that tuning holds out for validation, by
    /// their position from 0, if they are the same in the whole run.
    pub fn new(source: &str, data: &Dataset, held_out: Option<&[usize]>) -> Self {
        let arrays = source == ARRAYS;
        let test_is = match arrays {
            true => "none: the run was started on arrays in Python".to_owned(),
            false => test_is(data),
        };
        let facts = &data.facts;
        let (validation, validation_is) = match (&data.val, held_out) {
            (Some(val), _) => (Some(lists(facts.val.places.as_ref(), val.len())), Some(given(data))),
            (None, Some(rows)) => {
                let places = facts.train.places.as_ref().map(|places| places.select(rows));
                let from = match &places {
                    Some(places) => lists(Some(places), rows.len()),
                    None => vec![PlaceList::indices(rows.iter().map(|&row| row as u64).collect())],
                };
                (Some(from), Some(held_out_words(data)))
            }
            (None, None) => (None, None),
        };
        Self {
            source: source.into(),
            test_is,
            validation_is,
            groups: data.groups.as_ref().map(|groups| SplitGroups::new(groups, !arrays)),
            train: lists(facts.train.places.as_ref(), data.train.len()),
            validation,
            // That of arrays is a placeholder.
            test: if arrays { Vec::new() } else { lists(facts.test.places.as_ref(), data.test.len()) },
        }
    }
}

impl PlaceList {
    /// Samples of a split of which only the position is known.
    fn indices(indices: Vec<u64>) -> Self {
        Self { file: None, array: None, samples: Numbers::Indices(indices) }
    }
}

/// The `n` samples of a split by file and array, in the order of their first appearance.
fn lists(places: Option<&Places>, n: usize) -> Vec<PlaceList> {
    match places.filter(|places| places.len() == n) {
        None => vec![PlaceList::indices((0..n as u64).collect())],
        Some(Places::Names(names)) => {
            vec![PlaceList { file: None, array: None, samples: Numbers::Names(names.clone()) }]
        }
        Some(Places::Numbers { sources, counting, at }) => {
            let numbers =
                |number: usize| at.iter().filter(|place| place.0 as usize == number).map(|place| place.1).collect();
            let list = |(number, source): (usize, &dashnas_formats::sample_facts::Source)| PlaceList {
                file: Some(source.file.clone()),
                array: source.array.clone(),
                samples: match counting {
                    Counting::Rows => Numbers::Rows(numbers(number)),
                    Counting::Indices => Numbers::Indices(numbers(number)),
                },
            };
            sources.iter().enumerate().map(list).filter(|list| !list.samples.is_empty()).collect()
        }
    }
}

impl Numbers {
    fn is_empty(&self) -> bool {
        match self {
            Numbers::Rows(numbers) | Numbers::Indices(numbers) => numbers.is_empty(),
            Numbers::Names(names) => names.is_empty(),
        }
    }
}
