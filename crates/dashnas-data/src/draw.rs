//! The test split of data that comes without one: drawn at random, the last samples in time, or a fold.

use crate::dataset::DrawnSplit;
use crate::split::{folds, groups_of, split_by, split_by_time};
use dashnas_core::names::TaskName;
use dashnas_core::text::plural;
use dashnas_formats::error::DataError;
use dashnas_formats::found::{Labels, UnassembledData, UnassembledSplit};
use dashnas_formats::options::{ReadOptions, SplitBy};
use dashnas_formats::role::Role;

/// Sorts the splits, and draws a test split if there is none. Returns the description of that draw.
pub(crate) fn draw_test_split(origin: &str, raw: &mut UnassembledData) -> Result<Option<DrawnSplit>, DataError> {
    raw.parts.sort_by_key(|p| p.role);
    if let Some(part) = raw.parts.iter().find(|p| p.y.is_none()) {
        let reason = format!("the {} samples have no labels or targets", part.role.name());
        let hint = "a data set to train on needs them; only prediction does without";
        return Err(DataError::file(origin.as_ref(), reason).with_hint(hint));
    }
    let test = raw.parts.iter().any(|p| p.role == Role::Test);
    let source = raw.parts.iter().position(|p| p.role == Role::Train || (p.role == Role::All && !test));
    let Some(source) = source else {
        let reason = "there are only test samples, but none to train on";
        return Err(DataError::file(origin.as_ref(), reason).with_hint("add the training file"));
    };
    let by_time = raw.reading.split_by == SplitBy::Time;
    if by_time && raw.windows.is_some() {
        let reason = "windows of recordings are divided by whole recordings, or by time if there is one recording only";
        return Err(DataError::file(origin.as_ref(), reason).with_hint("leave out `data.split-by`"));
    }
    if by_time && raw.parts.iter().any(|p| p.role != Role::Test && p.facts.times.is_none()) {
        return Err(DataError::file(
            origin.as_ref(),
            "the samples are to be divided by time, but their times are not known",
        )
        .with_hint("name the column or array of times with `data.time`; files of other kinds have no times"));
    }
    if test {
        if raw.reading.folds.is_some() && raw.windows.as_ref().is_some_and(|found| found.by_time) {
            let reason = "one recording cannot be divided into folds, which keep recordings whole";
            return Err(DataError::file(origin.as_ref(), reason)
                .with_hint("leave out `data.folds`: the last part of the recording is the test split then"));
        }
        if raw.reading.folds.is_some() {
            return Err(DataError::file(origin.as_ref(), "there is a test split, so that no folds are made")
                .with_hint(ONE_SPLIT));
        }
        let windows: usize = raw.parts.iter().map(|part| part.x.rows()).sum();
        let by_time = raw.windows.as_ref().is_some_and(|found| found.by_time);
        refuse_without_effect(origin, &raw.reading, by_time)?;
        let samples = raw.parts.iter().filter(|part| part.role == Role::Test).map(|part| part.x.rows()).sum();
        return Ok(by_time.then(|| DrawnSplit { of: windows, samples, by_time, ..DrawnSplit::default() }));
    }
    let part = raw.parts.remove(source);
    let strata: Option<Vec<u32>> = part.y.as_ref().and_then(|y| strata(y, raw.reading.task));
    let groups = part.groups.as_deref().map(groups_of);
    let n = part.x.rows();
    let (train, test, drawn) = match divided(origin, &part, strata.as_deref(), groups.as_deref(), &raw.reading) {
        Err(_) if raw.windows.is_some() && raw.reading.folds.is_none() && !by_time => {
            return Err(too_few_recordings(origin, part.groups.as_deref().unwrap_or_default()));
        }
        divided => divided?,
    };
    let validated = raw.parts.iter().any(|p| p.role == Role::Val);
    let rest = if validated { "; the validation split is used for choosing settings" } else { "" };
    let share = 100.0 * drawn.samples as f64 / n as f64;
    raw.note(match (drawn.fold, drawn.by_time) {
        (Some([fold, of]), _) => {
            format!("cross-validation: the test split is fold {fold} of {of}, {} of {n} samples{rest}", drawn.samples)
        }
        (None, true) => format!(
            "there is no test split: the last {} of {n} samples in time ({share:.0} %) are held out as one{}{rest}",
            drawn.samples,
            whole_blocks(&drawn, raw.reading.test_fraction)
        ),
        (None, false) => {
            format!("there is no test split: {} of {n} samples ({share:.0} %) are held out as one{rest}", drawn.samples)
        }
    });
    if let (true, Some(times)) = (drawn.by_time && drawn.grouped, &part.facts.times) {
        let last = train.iter().map(|&i| times[i]).fold(f64::NEG_INFINITY, f64::max);
        let early = test.iter().filter(|&&i| times[i] <= last).count();
        if early > 0 {
            raw.note(format!(
                "groups stay whole, each at the time of its last sample: {early} of the {} test samples are not later than \
                 all training samples",
                test.len()
            ));
        }
    }
    let (x_train, x_test) = part.x.divide(&train, &test);
    let take = |x, rows: &[usize], role| UnassembledSplit {
        role,
        x,
        y: part.y.as_ref().map(|y| y.select(rows)),
        groups: part.groups.as_ref().map(|g| rows.iter().map(|&i| g[i].clone()).collect()),
        ids: part.ids.as_ref().map(|ids| rows.iter().map(|&i| ids[i].clone()).collect()),
        facts: part.facts.select(rows),
    };
    let (train, test) = (take(x_train, &train, Role::Train), take(x_test, &test, Role::Test));
    raw.parts.extend([train, test]);
    raw.parts.sort_by_key(|p| p.role);
    Ok(Some(drawn))
}

/// Refuses settings of a test split that is given, or that is the last part of the only recording.
fn refuse_without_effect(origin: &str, reading: &ReadOptions, by_time: bool) -> Result<(), DataError> {
    let given = [
        ("test-fraction", !by_time && reading.test_fraction != ReadOptions::default().test_fraction),
        ("split-seed", reading.split_seed.is_some()),
    ];
    let Some((key, _)) = given.into_iter().find(|(_, given)| *given) else { return Ok(()) };
    let reason = match by_time {
        true => "the last part of the only recording is the test split",
        false => "there is a test split",
    };
    Err(DataError::file(origin.as_ref(), format!("`data.{key}` has no effect: {reason}"))
        .with_hint(format!("leave out `data.{key}`, or the test samples")))
}

/// Why a test split by time has another share than the one that was asked for; empty if it has that one.
fn whole_blocks(drawn: &DrawnSplit, fraction: f64) -> &'static str {
    let differs = (drawn.samples as f64 - drawn.of as f64 * fraction).abs() >= 1.0;
    match (differs, drawn.grouped) {
        (false, _) => "",
        (true, false) => ", because samples of one time stay together",
        (true, true) => ", because samples of one time and groups stay together",
    }
}

/// The error for windows whose recordings cannot be divided.
fn too_few_recordings(origin: &str, groups: &[String]) -> DataError {
    let recordings = groups.iter().collect::<std::collections::HashSet<_>>().len();
    let reason = format!(
        "{} cannot be divided into training and test data: no one can be held out so that every class is left to train on",
        plural(recordings, "recording")
    );
    DataError::file(origin.as_ref(), reason).with_hint(
        "give more recordings of each class; or say which time steps are for training and testing, in files whose names \
         end in train and test or in a column that `data.split` names",
    )
}

/// What to do where samples cannot be divided because they are divided already.
const ONE_SPLIT: &str = "folds are made of samples without a test split: give one file or folder of all samples, or of the training \
                         samples alone; a column of splits is left out with `data.ignore`";

/// Training and test rows of samples without a test split, and the description of the draw.
fn divided(
    origin: &str,
    part: &UnassembledSplit,
    strata: Option<&[u32]>,
    groups: Option<&[u32]>,
    reading: &ReadOptions,
) -> Result<(Vec<usize>, Vec<usize>, DrawnSplit), DataError> {
    let n = part.x.rows();
    let seed = reading.split_seed.map_or(reading.seed, u64::from);
    let refuse = |reason: String, hint: &str| DataError::file(origin.as_ref(), reason).with_hint(hint);
    let mut drawn =
        DrawnSplit { of: n, stratified: strata.is_some(), grouped: groups.is_some(), seed, ..Default::default() };
    let (train, test) = match (reading.folds, &part.facts.times) {
        (Some(count), _) => {
            let fold = reading.fold.unwrap_or(1);
            let of = folds(n, strata, groups, count as usize, seed);
            let used: std::collections::BTreeSet<usize> = of.iter().flatten().copied().collect();
            if used.len() < count as usize {
                let there = match groups {
                    Some(groups) => plural(groups.iter().max().map_or(0, |&last| last as usize + 1), "group"),
                    None => plural(n, "sample"),
                };
                let reason = format!("{there} cannot be divided into {count} folds");
                return Err(refuse(reason, "ask for fewer folds, or give more samples"));
            }
            drawn.fold = Some([fold, count]);
            (0..n).partition(|&i| of[i] != Some((fold as usize).saturating_sub(1)))
        }
        (None, Some(times)) if reading.split_by == SplitBy::Time => {
            (drawn.by_time, drawn.stratified) = (true, false);
            split_by_time(times, groups, reading.test_fraction)
        }
        _ => split_by(n, strata, groups, reading.test_fraction, seed),
    };
    if test.is_empty() || train.is_empty() {
        let reason = format!("{} cannot be divided into training and test data", plural(n, "sample"));
        let hint = match (drawn.by_time, drawn.grouped) {
            (true, true) => {
                "groups stay whole, each at the time of its last sample, and all of them last to the end: leave the group \
                 out with `data.ignore`, or give a separate test split"
            }
            (true, false) => "they all have the same time: give more samples, or a separate test split",
            (false, _) => "give more samples, or a separate test split",
        };
        return Err(refuse(reason, hint));
    }
    drawn.samples = test.len();
    Ok((train, test, drawn))
}

/// The classes to stratify by, numbered in the order of their appearance.
fn strata(y: &Labels, task: Option<TaskName>) -> Option<Vec<u32>> {
    match y {
        Labels::Names(names) => Some(groups_of(names)),
        Labels::Numbers(raw) => {
            let single = raw.array.row_len() == 1 && raw.array.shape.len() <= 2;
            let wanted = task.map_or(raw.integral, |t| t == TaskName::Classification);
            (single && wanted).then(|| groups_of(&raw.array.data.iter().map(f32::to_string).collect::<Vec<_>>()))
        }
    }
}
