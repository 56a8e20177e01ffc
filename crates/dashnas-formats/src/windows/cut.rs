//! Cuts recordings into windows, each of which is a sample.

use crate::error::DataError;
use crate::found::{self, Labels, UnassembledData, UnassembledSplit};
use crate::limits::check_memory;
use crate::options::{ReadOptions, WindowLabel};
use crate::places::{Place, Times, Windows, name_of_window};
use crate::role::Role;
use crate::sample_facts::SampleFacts;
use crate::spill::Rows;
use crate::windows::labels::StepLabels;
use crate::windows::outline::{Divided, Outline, divide, windows};
use crate::windows::spans::{Sizes, per_second};
use dashnas_core::text::{duration, plural};
use std::collections::BTreeSet;
use std::path::Path;

/// Recordings that are cut together.
pub(crate) struct Cut<'a> {
    /// The file or folder, for messages.
    pub path: &'a Path,
    /// The recordings.
    pub outlines: Vec<Outline>,
    /// Their labels, if there are any.
    pub labels: Option<StepLabels>,
    /// The length of windows and the distance between them.
    pub sizes: Sizes,
    /// Number of channels of every recording.
    pub channels: usize,
    /// Whether labels must be there.
    pub labeled: bool,
    /// Whether there is a validation split elsewhere.
    pub validated: bool,
}

/// Gives the channels of a recording by its number.
pub(crate) type Read<'a> = &'a mut dyn FnMut(usize) -> Result<Vec<Vec<f32>>, DataError>;

/// What is not in any window.
#[derive(Debug, Default)]
struct LeftOut {
    /// Recordings without a window.
    short: Vec<String>,
    /// Windows without a label.
    unlabeled: usize,
    /// Time steps that no window covers.
    uncovered: usize,
}

/// Cuts recordings into windows, and adds them to the splits that were found.
///
/// # Errors
/// [`DataError`] if there is no window, if the windows do not fit into memory, and the errors of reading.
pub(crate) fn cut(mut cut: Cut<'_>, read: Read<'_>, raw: &mut UnassembledData) -> Result<(), DataError> {
    let sizes = cut.sizes;
    let divided = match cut.labeled {
        true => divide(&mut cut.outlines, sizes, raw.reading.test_fraction, cut.validated),
        false => Divided::default(),
    };
    let (splits, left) = plan(&cut, raw);
    let all: usize = splits.iter().map(|(_, places)| places.len()).sum();
    if all == 0 {
        return Err(nothing(&cut, &left));
    }
    check_by_time(&cut, divided, &splits, raw)?;
    describe(&cut, all, &left, divided, raw);
    let mut arrays = Vec::with_capacity(splits.len());
    for (_, places) in &splits {
        arrays.push(Rows::new(cut.path, "windows", vec![places.len(), cut.channels, sizes.window], &raw.reading)?);
    }
    let mut next = vec![0usize; splits.len()];
    let mut rising = vec![true; cut.channels];
    for (r, outline) in cut.outlines.iter().enumerate() {
        if splits.iter().zip(&next).all(|((_, places), &at)| places.get(at).is_none_or(|place| place.recording != r)) {
            continue;
        }
        check_memory(cut.path, "recording", cut.channels as u128 * outline.recording.steps as u128, &raw.reading)?;
        let channels = read(r)?;
        if channels.len() != cut.channels || channels.iter().any(|c| c.len() != outline.recording.steps) {
            return Err(DataError::file(cut.path, "the file has changed while it was read"));
        }
        rising.iter_mut().zip(&channels).for_each(|(rising, c)| *rising &= c.windows(2).all(|pair| pair[0] < pair[1]));
        for (((_, places), rows), at) in splits.iter().zip(&mut arrays).zip(&mut next) {
            while let Some(place) = places.get(*at).filter(|place| place.recording == r) {
                channels.iter().try_for_each(|channel| rows.push(&channel[place.start..place.end]))?;
                *at += 1;
            }
        }
    }
    warn_of_times(&rising, raw);
    let by_group = by_group(&cut, &raw.reading);
    let groups = groups(&cut, divided, by_group);
    let first_of_steps = raw.windows.as_ref().map_or(0, |windows| windows.recordings.len());
    add_step_labels(&cut, first_of_steps, raw)?;
    let first = raw.windows.get_or_insert_default().recordings.len();
    for ((role, places), rows) in splits.into_iter().zip(arrays) {
        let y = cut.labels.as_ref().map(|labels| labels.of(&places, raw.reading.window_label));
        let (names, ids) = places.iter().map(|place| (groups(place), id(&cut.outlines, place))).unzip();
        let (x, facts) = (rows.array()?, SampleFacts::default());
        raw.parts.push(UnassembledSplit { role, x, y, groups: Some(names), ids: Some(ids), facts });
        let moved = places.into_iter().map(|place| Place { recording: first + place.recording, ..place }).collect();
        raw.windows.get_or_insert_default().splits.push(moved);
    }
    let found: &mut Windows = raw.windows.get_or_insert_default();
    found.by_time |= divided.by_time;
    found.by_group |= by_group;
    found.blocks = found.blocks.max(divided.blocks);
    found.recordings.extend(cut.outlines.into_iter().map(|outline| outline.recording));
    raw.channels_first = true;
    raw.reading.channels = Some(cut.channels);
    raw.reading.length = Some(sizes.window);
    Ok(())
}

/// Adds the labels of the time steps, where they are asked for. `first` is the number of the first recording.
fn add_step_labels(cut: &Cut<'_>, first: usize, raw: &mut UnassembledData) -> Result<(), DataError> {
    let (Some(labels), true) = (&cut.labels, raw.reading.step_labels) else { return Ok(()) };
    let rule = raw.reading.window_label;
    let step = |recording: usize, start: usize| Place { recording, start, end: start + 1 };
    let steps =
        cut.outlines.iter().enumerate().flat_map(|(r, outline)| (0..outline.recording.steps).map(move |s| step(r, s)));
    let steps: Vec<Place> = steps.filter(|place| labels.known(place, rule)).collect();
    let found = labels.of(&steps, rule);
    let steps = steps.into_iter().map(|place| Place { recording: first + place.recording, ..place }).collect();
    let all = match raw.step_labels.take() {
        None => found::StepLabels { steps, labels: found },
        Some(before) => {
            let Some(labels) = before.labels.followed_by(found) else {
                return Err(DataError::file(
                    cut.path,
                    "its labels are of another kind than those of the recordings that were read first",
                ));
            };
            found::StepLabels { steps: [before.steps, steps].concat(), labels }
        }
    };
    raw.step_labels = Some(all);
    Ok(())
}

/// The name of a window, which no other has.
fn id(outlines: &[Outline], place: &Place) -> String {
    name_of_window(&outlines[place.recording].recording.name, place)
}

/// Whether recordings belong to several groups, so that those are not divided. New recordings that are scored by groups may
/// also be all of one group.
fn by_group(cut: &Cut<'_>, options: &ReadOptions) -> bool {
    let groups: BTreeSet<_> = cut.outlines.iter().map(|outline| &outline.group).collect();
    let scored = options.scored && !cut.labeled && options.group.is_some();
    groups.len() > 1 || (scored && !groups.contains(&None))
}

/// The group of a recording, and the first step of each of its stretches with the number of its block.
type Blocks = (String, Vec<(usize, Option<usize>)>);

/// The group of each window, which no split divides: its group or recording, or its block where there is only one.
fn groups<'a>(cut: &Cut<'a>, divided: Divided, by_group: bool) -> impl Fn(&Place) -> String + use<'a> {
    let of: Vec<Blocks> = (cut.outlines.iter())
        .map(|outline| {
            let own = outline.group.as_ref().filter(|_| by_group).unwrap_or(&outline.recording.name);
            let blocks = outline.stretches.iter().map(|s| (s.from, s.block)).collect();
            (own.clone(), if divided.blocks > 0 { blocks } else { Vec::new() })
        })
        .collect();
    move |place| {
        let (name, blocks) = &of[place.recording];
        let at = blocks.partition_point(|(from, _)| *from <= place.start);
        match at.checked_sub(1).and_then(|i| blocks[i].1) {
            Some(block) => format!("{name}#{block}"),
            None => name.clone(),
        }
    }
}

/// The windows of each split, and what is left out.
fn plan(cut: &Cut<'_>, raw: &UnassembledData) -> (Vec<(Role, Vec<Place>)>, LeftOut) {
    let mut left = LeftOut::default();
    let mut splits: Vec<(Role, Vec<Place>)> = Vec::new();
    for (r, outline) in cut.outlines.iter().enumerate() {
        let (mut any, mut covered) = (false, 0);
        let mut end = 0;
        for (stretch, place) in windows(outline, r, cut.sizes) {
            any = true;
            covered += place.end - place.start.max(end);
            end = place.end;
            let labeled = cut.labels.as_ref().is_none_or(|labels| labels.known(&place, raw.reading.window_label));
            // Where time steps are scored, the windows are those of a prediction.
            if (cut.labeled || raw.reading.scored) && !labeled && !raw.reading.step_labels {
                left.unlabeled += 1;
                continue;
            }
            match splits.iter_mut().find(|(role, _)| *role == stretch.role) {
                Some((_, places)) => places.push(place),
                None => splits.push((stretch.role, vec![place])),
            }
        }
        left.uncovered += outline.recording.steps - covered;
        if !any {
            left.short.push(outline.recording.name.clone());
        }
    }
    splits.sort_by_key(|(role, _)| *role);
    (splits, left)
}

/// The error if there is no window.
fn nothing(cut: &Cut<'_>, left: &LeftOut) -> DataError {
    let longest = cut.outlines.iter().flat_map(|o| &o.stretches).map(|s| s.to - s.from).max().unwrap_or(0);
    if left.unlabeled > 0 {
        let reason = format!("none of its {} has a label", plural(left.unlabeled, "window"));
        return DataError::file(cut.path, reason).with_hint("label the time steps that windows are to be cut from");
    }
    let reason = format!(
        "no recording has {} in a row: the longest stretch without a gap has {longest}",
        plural(cut.sizes.window, "time step")
    );
    let hint = if cut.labeled {
        "choose a shorter `data.window`; rows belong together that have the same `data.group` and follow one another, or whose \
         `data.time` rises in small steps"
    } else {
        "the model was trained on windows of this length: give recordings that are at least as long and have no gaps"
    };
    DataError::file(cut.path, reason).with_hint(hint)
}

/// Warns of channels that count the time steps of every recording.
fn warn_of_times(rising: &[bool], raw: &mut UnassembledData) {
    use crate::account::ColumnRole;
    let inputs: Vec<String> = (raw.columns.iter())
        .filter(|column| column.role == ColumnRole::Input)
        .zip(rising)
        .filter(|(_, rising)| **rising)
        .map(|(column, _)| format!("`{}`", column.name))
        .collect();
    if let [first, ..] = &inputs[..]
        && inputs.len() * 4 <= rising.len() + 3
    {
        raw.warn(format!(
            "the values of column {first} rise throughout every recording, like a time or the number of a step: name it \
             with `data.time`, or leave it out with `data.ignore`, unless it is a measurement"
        ));
    }
}

/// Notes what was cut, and what was left out.
fn describe(cut: &Cut<'_>, all: usize, left: &LeftOut, divided: Divided, raw: &mut UnassembledData) {
    let Sizes { window, stride } = cut.sizes;
    let steps: usize = cut.outlines.iter().map(|outline| outline.recording.steps).sum();
    let timed = match raw.reading.rate {
        Some(rate) if rate > 0.0 => {
            format!(" ({} at {})", duration(steps as f64 / rate), per_second(rate))
        }
        _ => String::new(),
    };
    let recordings = plural(cut.outlines.len(), "recording");
    raw.note(format!(
        "{recordings} of {} in all{timed}, cut into {} of {window} steps, one every {}",
        plural(steps, "time step"),
        plural(all, "window"),
        plural(stride, "step")
    ));
    if !left.short.is_empty() {
        let (n, first) = (left.short.len(), &left.short[0]);
        let more = if n > 1 { " and others" } else { "" };
        let because = if n > 1 { "they are" } else { "it is" };
        raw.note(format!("{} without a window, because {because} too short: {first}{more}", plural(n, "recording")));
    }
    let unlabeled = cut.labels.as_ref().map_or(0, StepLabels::unlabeled_steps);
    if unlabeled > 0 && (cut.labeled || raw.reading.scored) {
        let rule = match raw.reading.window_label {
            WindowLabel::Majority => "most of whose steps have none",
            WindowLabel::End => "whose last step has none",
        };
        let what = match left.unlabeled {
            0 => format!("a window {rule} would be left out, but there is none"),
            n => format!("{} {rule} left out", plural(n, "window")),
        };
        raw.note(format!("{unlabeled} of {} without a label: {what}", plural(steps, "time step")));
    } else if left.unlabeled > 0 {
        raw.note(format!("{} without a label left out", plural(left.unlabeled, "window")));
    }
    if left.uncovered > 0 {
        raw.note(format!(
            "{} in no window: at the end of a recording, or before a gap{}",
            plural(left.uncovered, "time step"),
            if stride > window { ", or between windows" } else { "" }
        ));
    }
    if divided.by_time {
        raw.note(format!(
            "there is one recording only: its last part, from {} on, is the test split; no window crosses this boundary",
            boundary(cut)
        ));
    }
    if divided.blocks > 0 {
        raw.note(format!(
            "there is one recording to train on: it is divided into {} of time, which validation keeps whole; {} that would \
             cross from one block to the next left out",
            plural(divided.blocks, "block"),
            plural(divided.crossing, "window")
        ));
    }
}

/// Refuses a division by time that leaves no window on one side, or a class without a window to train on.
fn check_by_time(
    cut: &Cut<'_>,
    divided: Divided,
    splits: &[(Role, Vec<Place>)],
    raw: &UnassembledData,
) -> Result<(), DataError> {
    if !divided.by_time {
        return Ok(());
    }
    let hint = "give several recordings, in files of their own or told apart by the column `data.group`; name a column that \
                divides the time steps into train and test with `data.split`; or choose another `data.test-fraction`";
    let of = |role: Role| splits.iter().find(|(r, _)| *r == role).map_or(&[][..], |(_, places)| places);
    let (train, test) = (of(Role::Train), of(Role::Test));
    let refuse = |reason: String| Err(DataError::file(cut.path, reason).with_hint(hint));
    if train.is_empty() || test.is_empty() {
        return refuse(format!(
            "it is one recording, whose last part is the test split, and {} in all cannot be divided so",
            plural(train.len() + test.len(), "window")
        ));
    }
    let Some(labels @ StepLabels::Classes { .. }) = &cut.labels else { return Ok(()) };
    let rule = raw.reading.window_label;
    let (Labels::Names(train), Labels::Names(test)) = (labels.of(train, rule), labels.of(test, rule)) else {
        return Ok(());
    };
    let train: BTreeSet<&String> = train.iter().collect();
    match test.iter().find(|name| !train.contains(name)) {
        Some(name) => refuse(format!(
            "it is one recording, whose last part, from {} on, is the test split; class `{name}` occurs there, but not in \
             the windows before",
            boundary(cut)
        )),
        None => Ok(()),
    }
}

/// The step at which the test split of the only recording begins, in words.
fn boundary(cut: &Cut<'_>) -> String {
    let test = |outline: &Outline| outline.stretches.iter().find(|s| s.role == Role::Test).map(|s| s.from);
    let found = cut.outlines.iter().find_map(|outline| Some(moment(outline, test(outline)?)));
    found.unwrap_or_default()
}

/// A step of a recording, in words.
fn moment(outline: &Outline, step: usize) -> String {
    let time = match &outline.recording.times {
        Some(Times::Texts(texts)) => texts.get(step).cloned(),
        Some(Times::Numbers(numbers)) => numbers.get(step).map(f64::to_string),
        Some(Times::Rate(rate)) => Some(duration(step as f64 / rate)),
        None => None,
    };
    time.map_or_else(|| format!("step {step}"), |time| format!("step {step} (time {time})"))
}
