//! How the data of a run was cut and divided, as the texts of its report.

use dashnas::record::division::{Division, SplitPart};
use dashnas_core::text::{duration, plural};
use serde::Serialize;

/// The table of the splits, and what else is to be said of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DivisionView {
    /// Sentences above the table.
    pub sentences: Vec<String>,
    /// The heading of the column of groups, if there are groups.
    pub groups: Option<&'static str>,
    /// The splits.
    pub rows: Vec<SplitRow>,
    /// The decisions that reading the data took.
    pub notes: Vec<String>,
}

/// A split in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SplitRow {
    /// Its name.
    pub name: &'static str,
    /// The number of samples.
    pub samples: usize,
    /// The number of groups, and their names if they are few.
    pub groups: String,
    /// How its samples were chosen.
    pub chosen: String,
}

impl DivisionView {
    /// The texts of a division.
    pub fn new(division: &Division) -> Self {
        let mut sentences = Vec::new();
        if let Some(windows) = division.windows {
            let steps = |n: usize| match windows.rate {
                Some(rate) => format!("{} ({})", plural(n, "time step"), duration(n as f64 / rate)),
                None => plural(n, "time step"),
            };
            let every = match windows.stride == windows.length {
                true => "windows follow one another without overlap".to_owned(),
                false => format!("a window begins every {}", steps(windows.stride)),
            };
            sentences.push(format!("A sample is a window of {} of a recording; {every}.", steps(windows.length)));
        }
        if let (Some(are), false) = (division.groups_are, division.shared_groups.is_empty()) {
            let shared = &division.shared_groups;
            let some = shared.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
            let more = if shared.len() > 12 { ", …" } else { "" };
            sentences.push(format!(
                "{} of the test samples also {} samples that the network was trained or tuned on ({some}{more}): the test \
                 result says less about new {}s.",
                are.count(shared.len()),
                if shared.len() == 1 { "has" } else { "have" },
                are.noun()
            ));
        }
        let row = |name, part: &SplitPart| SplitRow {
            name,
            samples: part.samples,
            groups: match (part.groups, &part.names[..]) {
                (None, _) => "–".to_owned(),
                (Some(n), []) => n.to_string(),
                (Some(n), names) => format!("{n}: {}", names.join(", ")),
            },
            chosen: part.chosen.clone(),
        };
        let parts = [
            Some(("training", &division.train)),
            division.validation.as_ref().map(|part| ("validation", part)),
            division.test.as_ref().map(|part| ("test", part)),
        ];
        let grouped = [Some(&division.train), division.validation.as_ref(), division.test.as_ref()];
        let grouped = grouped.into_iter().flatten().any(|part| part.groups.is_some());
        Self {
            sentences,
            groups: division
                .groups_are
                .filter(|_| grouped)
                .map(|are| if are.noun() == "group" { "groups" } else { "recordings" }),
            rows: parts.into_iter().flatten().map(|(name, part)| row(name, part)).collect(),
            notes: division.notes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas::record::division::WindowSizes;
    use dashnas_data::groups::GroupKind;

    #[test]
    fn windows_and_held_out_recordings_are_named() {
        let part = |samples, groups, names: &[&str], chosen: &str| SplitPart {
            samples,
            chosen: chosen.into(),
            groups,
            names: names.iter().map(|&name| name.to_owned()).collect(),
        };
        let division = Division {
            windows: Some(WindowSizes { length: 128, stride: 64, rate: Some(64.0) }),
            groups_are: Some(GroupKind::Recordings),
            train: part(400, Some(20), &[], "the rest"),
            validation: None,
            test: Some(part(40, Some(2), &["mon", "tue"], "drawn with seed 0, in whole groups")),
            shared_groups: vec!["tue".into()],
            notes: vec![],
        };
        let found = DivisionView::new(&division);
        assert_eq!(
            found.sentences,
            [
                "A sample is a window of 128 time steps (2.0 s) of a recording; a window begins every 64 time steps (1.0 s).",
                "1 recording of the test samples also has samples that the network was trained or tuned on (tue): the test \
                 result says less about new recordings."
            ]
        );
        assert_eq!(found.groups, Some("recordings"));
        let groups: Vec<&str> = found.rows.iter().map(|row| row.groups.as_str()).collect();
        assert_eq!(groups, ["20", "2: mon, tue"]);
        let alone = Division { windows: None, groups_are: None, test: None, shared_groups: vec![], ..division };
        assert_eq!(DivisionView::new(&alone).sentences, Vec::<String>::new());
    }
}
