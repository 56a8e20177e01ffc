//! Assembles what a reader found into a data set: decides the layout, the classes, the kind of task and the splits.

use crate::centering;
use crate::check;
use crate::check::Tolerance;
use crate::class_numbers;
use crate::dataset::{Dataset, Origin, SplitFacts};
use crate::draw::draw_test_split;
use crate::groups::{GroupKind, Groups};
use crate::in_files;
use crate::in_files::Holds;
use crate::infer;
use crate::split::Split;
use crate::statistics;
use crate::statistics::OfSplits;
use crate::suspect;
use crate::targets::Targets;
use crate::unknown;
use crate::unusual;
use crate::weights;
use dashnas_core::names::TaskName;
use dashnas_core::task::TaskKind;
use dashnas_core::text::{mebibytes, plural};
use dashnas_formats::account::ColumnRole;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;
use dashnas_formats::found::{Labels, NumericTargets, UnassembledData, UnassembledSplit};
use dashnas_formats::options::{Layout, Lengths};
use dashnas_formats::places::{Place, Windows};
use dashnas_formats::role::Role;
use dashnas_formats::sample_facts::{Counting, Places, SampleFacts};
use dashnas_formats::{ends, fill, spill};
use std::collections::{HashMap, HashSet};

/// Samples to predict from, which need no labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The name of the file or folder.
    pub name: String,
    /// Inputs, N×C×L or N×C×H×W, relative to the centers of the options.
    pub x: Array,
    /// The label of each sample as it is in the files, if there are labels.
    pub labels: Option<Vec<String>>,
    /// The name of each sample, if the format has them: its file in a folder, or the header of its sequence.
    pub ids: Option<Vec<String>>,
    /// The windows that the samples are, if recordings were cut into windows: the recordings, and one split.
    pub windows: Option<Windows>,
    /// The row of each sample in its table, from 0, if they are not all rows.
    pub rows: Option<Vec<usize>>,
    /// Which samples these are, in words, if they are those of the test split.
    pub chosen: Option<String>,
    /// The files that they were read from.
    pub origin: Origin,
}

/// Assembles and checks a data set called `name`; errors name `origin`.
pub(crate) fn dataset(origin: &str, name: &str, mut raw: UnassembledData) -> Result<Dataset, DataError> {
    layout(origin, &mut raw)?;
    subtract_centers(&mut raw);
    for part in &raw.parts {
        check::inputs(origin, &format!("x_{}", part.role.name()), &part.x)?;
        lengths(origin, part)?;
    }
    fill_missing(origin, &mut raw)?;
    open_ends(&mut raw)?;
    note_file_backed(&mut raw);
    note_lengths(&mut raw)?;
    let checked = check_before_draw(origin, &raw)?;
    let unknown = unknown::mark(origin, &mut raw)?;
    weights::check(origin, &mut raw)?;
    let drawn = draw_test_split(origin, &mut raw)?;
    let classes = match raw.classes.take() {
        Some(given) => {
            class_numbers::from_zero(&mut raw, &given);
            name_by(origin, &mut raw, &given)?;
            Some(given)
        }
        None => name_classes(origin, &mut raw)?,
    };

    let mut inputs = Vec::new();
    let mut targets = Vec::new();
    let groups = groups(&raw);
    let with_val = raw.parts.iter().any(|p| p.role == Role::Val);
    let mut facts = SplitFacts::default();
    for part in raw.parts.drain(..) {
        let mut of_part = part.facts;
        of_part.places = part.ids.map(Places::Names).or(of_part.places);
        let (role, slot) = match part.role {
            Role::Val => (Role::Val, &mut facts.val),
            Role::Test => (Role::Test, &mut facts.test),
            _ => (Role::Train, &mut facts.train),
        };
        *slot = of_part;
        inputs.push(part.x);
        match part.y {
            // Errors about an array of this name are led back to the files.
            Some(Labels::Numbers(y)) => targets.push(NumericTargets { name: format!("y_{}", role.name()), ..y }),
            // `draw_test_split` refuses parts without targets, and names have become numbers.
            _ => unreachable!("targets are numbers by now"),
        }
    }
    if raw.reading.task.is_none()
        && let Some((warning, text)) = unusual::targets(&targets)
    {
        if warning { raw.warn(text) } else { raw.note(text) }
    }
    let in_files = |error| in_files::located(error, &facts);
    let wanted = raw.reading.task.or(raw.reading.first_reading.task);
    let (task, targets) =
        infer::targets(origin, &inputs[0].shape.clone(), targets, wanted, unknown).map_err(in_files)?;
    if let Some(note) = unusual::without_labels(task, targets.iter()) {
        raw.note(note);
    }
    let mut splits: Vec<Split> = inputs.into_iter().zip(targets).map(|(x, y)| Split { x, y }).collect();
    // The splits are training, validation (if any) and test, in this order.
    let test = splits.pop().unwrap_or_else(|| unreachable!("there is a test split"));
    let val = with_val.then(|| splits.remove(1));
    let train = splits.remove(0);
    let inputs = raw.columns.iter().filter(|column| !raw.arrays && column.role == ColumnRole::Input);
    let columns: Vec<&str> = inputs.map(|column| column.name.as_str()).collect();
    let known = unusual::Known { facts: &facts.train, arrays: raw.arrays, reading: &raw.reading, columns: &columns };
    let all = [Some(&train), val.as_ref(), Some(&test)];
    let OfSplits { usual, digests, spans } = statistics::of_splits(all, raw.digits.inputs, !raw.columns.is_empty())?;
    unusual::values(&train, usual, known)?.into_iter().for_each(|warning| raw.warn(warning));
    let ends = raw.reading.lengths == Lengths::Mask;
    let mut parts = [Some(train), val, Some(test)];
    if ends && task.is_dense() {
        parts.iter_mut().flatten().try_for_each(forget_after_ends)?;
    }
    let [Some(train), val, Some(test)] = parts else { unreachable!("there are a training and a test split") };
    let tolerance = Tolerance { ends, unknown: (ends || unknown) && task.is_dense(), checked, ..Tolerance::default() };
    let mut set = Dataset::checked(origin, name.into(), task, train, val, test, tolerance).map_err(in_files)?;
    let mut warnings = raw.warnings;
    if let (Some(mut names), TaskKind::Classification { .. } | TaskKind::MultiLabel { .. }) = (classes, task) {
        warnings.extend(suspect::class_names(&mut names, task));
        set = set.with_classes(names)?;
    }
    set.groups = groups;
    set.facts = facts;
    set.spans = spans;
    if !raw.columns.is_empty() {
        warnings.extend(suspect::classes(&set));
        warnings.extend(suspect::duplicates(&digests));
    }
    let (notes, columns) = (raw.notes, raw.columns);
    set.origin = Origin { format: raw.format, files: raw.files, notes, warnings, columns, drawn };
    set.reading = raw.reading;
    Ok(set)
}

/// The groups of the samples, where the training samples have any.
fn groups(raw: &UnassembledData) -> Option<Groups> {
    let of = |role: Role| {
        let part = raw.parts.iter().find(|part| part.role == role);
        part.and_then(|part| part.groups.as_deref())
    };
    let train = raw.parts.first()?.groups.as_deref()?;
    let groups = Groups::new(kind_of_groups(raw.windows.as_ref()), [Some(train), of(Role::Val), of(Role::Test)]);
    Some(Groups { blocks: raw.windows.as_ref().map_or(0, |windows| windows.blocks), ..groups })
}

/// What the groups of samples are that may be windows.
pub(crate) fn kind_of_groups(windows: Option<&Windows>) -> GroupKind {
    match windows {
        Some(windows) if !windows.by_group => GroupKind::Recordings,
        _ => GroupKind::Groups,
    }
}

/// Checks that the values of samples that a test split is drawn from are finite, while their places are those in the file.
/// Returns whether they were checked: not if there is a test split.
fn check_before_draw(origin: &str, raw: &UnassembledData) -> Result<bool, DataError> {
    if raw.parts.iter().any(|part| part.role == Role::Test) {
        return Ok(false);
    }
    // The account gives the name of an array with its shape and its type.
    let input = raw.columns.iter().find(|column| raw.arrays && column.role == ColumnRole::Input);
    let named = input.and_then(|column| column.name.rsplitn(3, ' ').last());
    for part in &raw.parts {
        let name = match part.role {
            Role::All => named.unwrap_or("x").to_owned(),
            role => format!("x_{}", role.name()),
        };
        if !raw.finite {
            check::input_values(origin, &name, &part.x, raw.reading.lengths == Lengths::Mask)?;
        }
        if let Some(Labels::Numbers(y)) = &part.y {
            check::finite(origin, &y.name, &y.array)?;
        }
    }
    Ok(true)
}

/// Samples to predict from: those of the test split, or all if there is only one split.
pub(crate) fn inputs(origin: &str, name: &str, mut raw: UnassembledData) -> Result<Inputs, DataError> {
    let Joined { all, windows, rows, chosen } = joined(origin, &mut raw)?;
    let (notes, warnings, columns) = (raw.notes, raw.warnings, raw.columns);
    let origin = Origin { format: raw.format, files: raw.files, notes, warnings, columns, drawn: None };
    let labels = all.y.map(|y| texts(&y));
    Ok(Inputs { name: name.into(), x: all.x, labels, ids: all.ids, windows, rows, chosen, origin })
}

/// The samples of the test split, or all if there is only one split.
pub(crate) struct Joined {
    /// The samples.
    pub all: UnassembledSplit,
    /// The windows that they are, if recordings were cut.
    pub windows: Option<Windows>,
    /// The row of each sample in its table, from 0, if they are not all rows.
    pub rows: Option<Vec<usize>>,
    /// Which samples these are, in words, if they are those of the test split.
    pub chosen: Option<String>,
}

/// Joins the samples of the test split, or all if there is only one split, and checks their inputs.
pub(crate) fn joined(origin: &str, raw: &mut UnassembledData) -> Result<Joined, DataError> {
    layout(origin, raw)?;
    subtract_centers(raw);
    fill_missing(origin, raw)?;
    let roles: Vec<Role> = raw.parts.iter().map(|part| part.role).collect();
    let only_test = roles.len() > 1 && roles.contains(&Role::Test);
    let windows = raw.windows.take().map(|windows| {
        let kept = windows.splits.into_iter().zip(&roles).filter(|(_, role)| !only_test || **role == Role::Test);
        let places: Vec<Place> = kept.flat_map(|(places, _)| places).collect();
        Windows { splits: vec![places], ..windows }
    });
    let mut chosen = None;
    if only_test {
        let all: usize = raw.parts.iter().map(|part| part.x.rows()).sum();
        raw.parts.retain(|p| p.role == Role::Test);
        let test: usize = raw.parts.iter().map(|part| part.x.rows()).sum();
        let split = raw.columns.iter().find(|column| column.role == ColumnRole::Split);
        let way = split.map_or_else(String::new, |column| {
            format!("; for all of them, leave out the column of splits with `data.ignore` {}", column.name)
        });
        chosen =
            Some(format!("the predictions are those for the test split, {test} of {}{way}", plural(all, "sample")));
        raw.notes.extend(chosen.clone());
    }
    let rows = raw.parts.first().filter(|_| only_test && windows.is_none()).and_then(|part| numbered(&part.facts));
    let mut parts = std::mem::take(&mut raw.parts).into_iter();
    // A reader that finds no sample fails.
    let mut all = parts.next().unwrap_or_else(|| unreachable!("a reader finds at least one part"));
    for part in parts {
        if part.x.shape[1..] != all.x.shape[1..] {
            return Err(shape_error(origin, part.role, &part.x, &all.x));
        }
        all.x.data.extend_from_slice(&part.x.data);
        all.x.shape[0] += part.x.shape[0];
        all.y = all.y.zip(part.y).and_then(|(y, more)| y.followed_by(more));
        all.ids = all.ids.zip(part.ids).map(|(all, more)| [all, more].concat());
        all.groups = all.groups.zip(part.groups).map(|(all, more)| [all, more].concat());
        let weights = all.facts.weights.zip(part.facts.weights).map(|(all, more)| [all, more].concat());
        all.facts = SampleFacts { weights, ..SampleFacts::default() };
    }
    check::inputs(origin, "x", &all.x)?;
    check::input_values(origin, "x", &all.x, raw.reading.lengths == Lengths::Mask)?;
    Ok(Joined { all, windows, rows, chosen })
}

/// The rows of some samples of one file, from 0, unless they are the first ones.
fn numbered(facts: &SampleFacts) -> Option<Vec<usize>> {
    let Some(Places::Numbers { sources, counting: Counting::Rows, at }) = &facts.places else { return None };
    let rows: Vec<usize> = at.iter().map(|(_, row)| (*row as usize).saturating_sub(1)).collect();
    let first = rows.iter().enumerate().all(|(i, &row)| i == row);
    (sources.len() == 1 && !first).then_some(rows)
}

fn texts(y: &Labels) -> Vec<String> {
    match y {
        Labels::Names(names) => names.clone(),
        Labels::Numbers(raw) => (0..raw.array.rows())
            .map(|i| raw.array.row(i).iter().map(f32::to_string).collect::<Vec<_>>().join(" "))
            .collect(),
    }
}

fn shape_error(origin: &str, role: Role, x: &Array, first: &Array) -> DataError {
    DataError::Shape {
        origin: origin.into(),
        array: format!("x_{}", role.name()),
        shape: x.shape.clone(),
        expected: format!("[N, …] with the same sizes in every split, {:?}", &first.shape[1..]),
    }
}

fn lengths(origin: &str, part: &UnassembledSplit) -> Result<(), DataError> {
    let name = part.role.name();
    let n = part.x.rows();
    let facts = &part.facts;
    let lengths = [
        (format!("y_{name}"), part.y.as_ref().map(Labels::rows)),
        (format!("group_{name}"), part.groups.as_ref().map(Vec::len)),
        (format!("weight_{name}"), facts.weights.as_ref().map(Vec::len)),
        (format!("time_{name}"), facts.times.as_ref().map(Vec::len)),
    ];
    let Some((y, y_len)) = lengths.into_iter().find_map(|(name, len)| Some((name, len.filter(|&len| len != n)?)))
    else {
        return Ok(());
    };
    Err(DataError::Lengths { origin: origin.into(), x: format!("x_{name}"), x_len: n, y, y_len })
}

/// Fills missing values, if the options say so.
fn fill_missing(origin: &str, raw: &mut UnassembledData) -> Result<(), DataError> {
    let Some(how) = raw.reading.fill_missing else { return Ok(()) };
    let (mut filled, mut unread) = (fill::Filled::default(), false);
    for part in &mut raw.parts {
        let x = &mut part.x;
        let ends = raw.reading.lengths == Lengths::Mask;
        let mut here = fill::Filled::default();
        here.add(&x.data, x.shape.iter().skip(2).product());
        if ends {
            here.values = missing_before_ends(x);
        }
        if x.is_file_backed() || here.values > 0 {
            fill::check(origin, &x.shape, how)?;
            fill::fill(x, how, ends);
        }
        (filled.values, filled.empty) = (filled.values + here.values, filled.empty + here.empty);
        unread |= x.is_file_backed();
    }
    raw.notes.extend(filled.notes(how));
    if unread {
        raw.note(format!("missing values are filled when they are read ({})", how.name()));
    }
    Ok(())
}

/// Counts the missing values before the ends of the samples in memory.
fn missing_before_ends(x: &Array) -> usize {
    let width = x.shape.last().copied().unwrap_or(1).max(1);
    let missing = |sample: &[f32]| {
        let length = ends::length(sample, width);
        sample.chunks(width).flat_map(|line| &line[..length.min(line.len())]).filter(|v| v.is_nan()).count()
    };
    x.data.chunks(x.row_len().max(1)).map(missing).sum()
}

/// Notes the lengths of samples that keep them, unless the reader has.
fn note_lengths(raw: &mut UnassembledData) -> Result<(), DataError> {
    if raw.reading.lengths != Lengths::Mask || raw.notes.iter().any(|note| note.contains("masked")) {
        return Ok(());
    }
    let (mut least, mut most, mut width) = (usize::MAX, 0, 0);
    for x in raw.parts.iter().map(|part| &part.x) {
        width = x.shape.last().copied().unwrap_or(1);
        for i in 0..x.rows() {
            let length = ends::length(&x.fetch(i)?, width);
            (least, most) = (least.min(length), most.max(length));
        }
    }
    raw.note(if least < width {
        format!("samples are {least} to {most} long: kept, and masked up to {width} (`data.lengths` mask)")
    } else {
        format!("all samples are {width} long, so that `data.lengths` mask has no effect")
    });
    Ok(())
}

/// Makes zeros of the unknown targets of fields after the ends of their samples: as the inputs there, they mean nothing,
/// and they are marked as unknown later.
fn open_ends(raw: &mut UnassembledData) -> Result<(), DataError> {
    if raw.reading.lengths != Lengths::Mask {
        return Ok(());
    }
    for part in &mut raw.parts {
        let Some(Labels::Numbers(y)) = &mut part.y else { continue };
        let (x, y) = (&part.x, &mut y.array);
        let grid = x.shape.len() >= 3 && y.shape.len() == x.shape.len() && y.shape[2..] == x.shape[2..];
        if !grid || y.is_file_backed() || y.rows() != x.rows() || !y.data.iter().any(|v| v.is_nan()) {
            continue;
        }
        let width = x.shape.last().copied().unwrap_or(1).max(1);
        let row_len = y.row_len().max(1);
        for (i, row) in y.data.chunks_mut(row_len).enumerate() {
            let length = ends::length(&x.fetch(i)?, width);
            let after = row.chunks_mut(width).flat_map(|line| line.iter_mut().skip(length));
            after.filter(|v| v.is_nan()).for_each(|v| *v = 0.0);
        }
    }
    Ok(())
}

/// Marks the targets of a field after the ends of its samples as unknown, where the field has the grid of the inputs.
pub(crate) fn forget_after_ends(split: &mut Split) -> Result<(), DataError> {
    let Targets::Values(y) = &mut split.y else { return Ok(()) };
    if y.shape.len() != split.x.shape.len() || y.shape[2..] != split.x.shape[2..] || y.rows() != split.x.rows() {
        return Ok(());
    }
    fill::clear_after_ends(&split.x, y)
}

/// Subtracts the centers of the options from inputs whose reader has not: they have no more digits than `f32`.
fn subtract_centers(raw: &mut UnassembledData) {
    if !raw.digits.inputs_centered {
        raw.parts.iter_mut().for_each(|part| centering::subtract(&mut part.x, &raw.reading.centers.inputs));
    }
}

/// Notes that inputs are not in memory.
fn note_file_backed(raw: &mut UnassembledData) {
    let parts = || raw.parts.iter().map(|part| &part.x);
    let stay = parts().any(|x| x.is_file_backed() && !x.is_temporary());
    let spilled: u64 = parts().filter(|x| x.is_temporary()).map(|x| 4 * (x.rows() * x.row_len()) as u64).sum();
    if stay {
        raw.note("the inputs are too large for memory: they stay in their file and are read in batches");
    }
    if spilled > 0 {
        raw.note(format!(
            "the inputs are too large for memory: they are decoded into a temporary file of {} in {} and read in \
             batches",
            mebibytes(spilled),
            spill::temporary_folder().display()
        ));
    }
}

/// Brings inputs (and dense targets) into the layout N×C×L or N×C×H×W.
fn layout(origin: &str, raw: &mut UnassembledData) -> Result<(), DataError> {
    let Some(first) = raw.parts.first() else { return Ok(()) };
    let shape = first.x.shape.clone();
    let dense = match &first.y {
        Some(Labels::Numbers(y)) => y.array.shape == shape,
        _ => false,
    };
    let guess = match shape[..] {
        [_, h, w] if h >= 8 && (dense || h == w) => Layout::NoChannels,
        [_, c, _, last] if matches!(last, 1 | 3 | 4) && !matches!(c, 1 | 3 | 4) => Layout::ChannelsLast,
        // Square images with more channels.
        [_, h, w, c] if h == w && h >= 8 && c < h => Layout::ChannelsLast,
        [_, _] => Layout::NoChannels,
        // Series of one value cannot be convolved: the long axis is the time.
        [_, time, 1] if time > 1 => Layout::ChannelsLast,
        _ => Layout::ChannelsFirst,
    };
    let fixed = raw.channels_first && shape.len() >= 3;
    let layout = raw.reading.layout.unwrap_or(if fixed { Layout::ChannelsFirst } else { guess });
    if fixed && raw.reading.layout.is_none() && guess != Layout::ChannelsFirst {
        let size = shape[2..].iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        raw.note(format!(
            "the channels come first in this format: {} channels of {size}; `data.layout` {} reads it differently",
            shape[1],
            guess.name()
        ));
    }
    if raw.reading.layout.is_none() && guess == Layout::ChannelsFirst && raw.arrays {
        unusual::channels(&shape).into_iter().for_each(|text| raw.warn(text));
    }
    raw.reading.layout = Some(layout);
    let channels = raw.reading.channels;
    for part in &mut raw.parts {
        let x = &mut part.x;
        // Arrays of two axes have no axis of channels, even if others of the data set do.
        if x.shape.len() == 2 {
            let (n, l) = (x.shape[0], x.shape[1]);
            let c = channels.unwrap_or(1);
            if l % c != 0 {
                let reason = format!("rows of {l} values cannot be divided into {}", plural(c, "channel"));
                return Err(DataError::file(origin.as_ref(), reason).with_hint("check `data.channels`"));
            }
            x.shape = vec![n, c, l / c];
        } else if layout == Layout::NoChannels && x.shape.len() == 3 {
            x.shape.insert(1, 1);
        } else if layout == Layout::ChannelsLast && x.shape.len() >= 3 {
            x.move_channels_first();
            if let Some(Labels::Numbers(y)) = &mut part.y
                && y.array.shape.len() == x.shape.len()
                && y.array.shape[1..y.array.shape.len() - 1] == x.shape[2..]
            {
                y.array.move_channels_first();
            }
        }
    }
    if layout == Layout::ChannelsLast {
        raw.note("the channels are the last axis");
    } else if layout == Layout::NoChannels && shape.len() == 3 {
        raw.note(format!("arrays of {}×{} are read as images of one channel", shape[1], shape[2]));
    }
    Ok(())
}

/// Replaces names, and whole numbers other than 0..K−1, by numbers 0..K−1. Returns the names of the classes.
fn name_classes(origin: &str, raw: &mut UnassembledData) -> Result<Option<Vec<String>>, DataError> {
    let numbers = raw.parts.iter().all(|p| matches!(p.y, Some(Labels::Numbers(_))));
    if numbers {
        if !raw.renumber || raw.reading.task.is_some_and(|t| t != TaskName::Classification) || !whole_labels(raw) {
            return Ok(None);
        }
        for part in &mut raw.parts {
            if let Some(y) = &mut part.y {
                *y = Labels::Names(texts(y));
            }
        }
    }
    if raw.reading.task.is_some_and(|t| t != TaskName::Classification) {
        numbers_of_names(origin, raw)?;
        return Ok(None);
    }
    let mut known = HashSet::new();
    for part in raw.parts.iter().filter(|p| p.role != Role::Test) {
        if let Some(Labels::Names(names)) = &part.y {
            known.extend(names.iter().map(String::as_str));
        }
    }
    let mut names: Vec<String> = known.into_iter().map(String::from).collect();
    names.sort_by_cached_key(|name| key(name));
    name_by(origin, raw, &names)?;
    Ok(Some(names))
}

/// Whether all splits hold one whole number per sample, other than just 0..K−1.
fn whole_labels(raw: &UnassembledData) -> bool {
    let mut distinct = std::collections::BTreeSet::new();
    for part in &raw.parts {
        let Some(Labels::Numbers(y)) = &part.y else { return false };
        let single = y.array.shape.len() <= 2 && y.array.row_len() == 1;
        if !y.integral || !single || y.array.data.iter().any(|v| v.fract() != 0.0) {
            return false;
        }
        distinct.extend(y.array.data.iter().map(|&v| v as i64));
    }
    let plain = distinct.iter().enumerate().all(|(i, &v)| v == i as i64);
    !plain && distinct.len() <= 1000
}

/// The sorting key of a class: numbers by value, then words. A class is its text: `1`, `01` and `1.0` are three.
fn key(name: &str) -> (bool, i64, String) {
    match name.parse::<f64>() {
        Ok(v) => {
            // The bits of floating-point numbers in the order of the numbers.
            let bits = v.to_bits() as i64;
            (false, bits ^ (((bits >> 63) as u64) >> 1) as i64, name.to_owned())
        }
        Err(_) => (true, 0, name.to_owned()),
    }
}

/// The label of a sample in a message.
fn label_of(part: &UnassembledSplit, row: usize) -> String {
    match &part.ids {
        Some(ids) => format!("the label of {}", ids[row]),
        None => in_files::entry(&part.facts, Holds::Targets, &format!("y_{}", part.role.name()), row),
    }
}

/// Replaces names by their indices in `classes`.
fn name_by(origin: &str, raw: &mut UnassembledData, classes: &[String]) -> Result<(), DataError> {
    let number: HashMap<&str, usize> = classes.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
    for part in &mut raw.parts {
        let Some(Labels::Names(names)) = &part.y else { continue };
        let mut data = Vec::with_capacity(names.len());
        for (row, name) in names.iter().enumerate() {
            let Some(&i) = number.get(name.as_str()) else {
                let reason =
                    format!("{} is `{name}`, a class that does not occur in the training samples", label_of(part, row));
                let spelled = suspect::folded(name);
                let equal = |class: &&String| suspect::folded(class) == spelled;
                let hint = match classes.iter().find(equal) {
                    Some(class) => format!("a class is its text: write it as in the training samples, `{class}`"),
                    None => {
                        "move some samples of that class to the training split, or remove them from the other split"
                            .into()
                    }
                };
                return Err(DataError::file(origin.as_ref(), reason).with_hint(hint));
            };
            data.push(i as f32);
        }
        let array = Array::new(vec![data.len()], data);
        part.y =
            Some(Labels::Numbers(NumericTargets { name: format!("y_{}", part.role.name()), array, integral: true }));
    }
    Ok(())
}

/// Reads names as numbers, if the options ask for another task than classification.
fn numbers_of_names(origin: &str, raw: &mut UnassembledData) -> Result<(), DataError> {
    for part in &mut raw.parts {
        let Some(Labels::Names(names)) = &part.y else { continue };
        let mut data = Vec::with_capacity(names.len());
        for (row, name) in names.iter().enumerate() {
            let Ok(value) = name.trim().parse() else {
                let reason = format!("{} is `{name}`, which is not a number", label_of(part, row));
                return Err(DataError::file(origin.as_ref(), reason).with_hint("set `task.kind` to classification"));
            };
            data.push(value);
        }
        let array = Array::new(vec![data.len()], data);
        part.y =
            Some(Labels::Numbers(NumericTargets { name: format!("y_{}", part.role.name()), array, integral: false }));
    }
    Ok(())
}
