//! The arrays of the splits of a data set among named arrays, and the account of all arrays.

use crate::account::{ColumnAccount, ColumnRole};
use crate::array_use::{ArrayKind, ArrayUse, named_by, use_of};
use crate::error::{DataError, Location};
use crate::groups;
use crate::info::ArrayInfo;
use crate::naming::words_of;
use crate::options::ReadOptions;
use crate::role::Role;
use std::path::Path;

/// The arrays of one split.
pub(crate) struct SplitArrays {
    pub role: Role,
    /// The inputs.
    pub x: ArrayInfo,
    /// The targets, if there are any.
    pub y: Option<ArrayInfo>,
    /// The groups, if there are any: samples of one group have equal values in all of them.
    pub groups: Vec<ArrayInfo>,
    /// The weights, if there are any.
    pub weights: Option<ArrayInfo>,
    /// The times, if the options name them.
    pub times: Option<ArrayInfo>,
}

impl SplitArrays {
    /// Returns whether an array of this name is one of them.
    fn uses(&self, name: &str) -> bool {
        let others = [&self.y, &self.weights, &self.times].into_iter().flatten().chain(&self.groups);
        self.x.name == name || others.into_iter().any(|info| info.name == name)
    }
}

/// Refuses arrays `y` of the shape of `x` that may be the values of an axis: beside an array `z` of this shape, or beside
/// other targets.
///
/// # Errors
/// [`DataError`] with the array that may be an axis. Returns what is missing where two arrays may be the targets.
pub(crate) fn check_axes(
    path: &Path,
    list: &[ArrayInfo],
    options: &ReadOptions,
    targets: &[&ArrayInfo],
) -> Result<Option<String>, DataError> {
    let axis = |info: &&ArrayInfo| {
        let bare: Vec<_> = words_of(&info.name).into_iter().filter(|w| Role::of_word(w).is_none()).collect();
        match &bare[..] {
            [one] if ["x", "y", "z"].contains(&one.as_str()) => one.chars().next(),
            _ => None,
        }
    };
    let of = |letter: char, shape: &[usize]| {
        list.iter().any(|info| axis(&info) == Some(letter) && info.shape == shape && shape.len() > 1)
    };
    let Some(y) = targets.iter().find(|info| axis(info) == Some('y') && of('x', &info.shape)) else { return Ok(None) };
    if options.targets.is_some() || options.inputs.is_some() {
        return Ok(None);
    }
    if of('z', &y.shape) {
        return Err(DataError::at(
            path,
            Location::Entry(y.name.clone()),
            "it has the shape of x and z, so that it may be the values of an axis and not the targets",
        )
        .with_hint(
            "stack axes into one array of inputs, numpy.stack([x, y, z], 1), and save the labels under a name of their own; \
             or set `data.inputs` and `data.targets`",
        ));
    }
    let other = targets.iter().find(|info| info.name != y.name && info.refused.is_none());
    Ok(other.map(|other| {
        format!("one array of targets ({} and {} could be it; `data.targets` says which)", y.name, other.name)
    }))
}

/// Describes missing inputs or targets; `wanted` is the name that the options give.
pub(crate) fn missing(letter: &str, what: &str, role: Role, wanted: &Option<String>) -> String {
    if let Some(wanted) = wanted {
        let split = if role == Role::All { String::new() } else { format!(" for the split `{}`", role.name()) };
        return format!("{what} (an array named {wanted}{split}, as `data.{what}` says)");
    }
    match role {
        Role::All => format!("{what} (an array named {letter}_train, or {letter})"),
        _ => format!("{what} (an array named {letter}_{})", role.name()),
    }
}

/// Warns of arrays that may divide the samples, where they are not used for that.
pub(crate) fn unused_splits(list: &[ArrayInfo], found: &[SplitArrays]) -> Option<String> {
    let used = |name: &String| found.iter().any(|arrays| arrays.uses(name));
    let divides = |info: &&ArrayInfo| {
        let words = words_of(&info.name);
        let split = |w: &String| ["split", "splits", "fold", "folds", "partition", "subset"].contains(&w.as_str());
        words.iter().any(|w| split(w) || (w.len() > 2 && matches!(Role::of_word(w), Some(Role::Train | Role::Test))))
    };
    let names: Vec<String> = (list.iter().filter(divides))
        .filter(|info| !used(&info.name) && !info.axis)
        .map(|info| format!("`{}`", info.name))
        .collect();
    let divided = found.iter().any(|arrays| arrays.role != Role::All);
    (!divided && !names.is_empty()).then(|| {
        format!(
            "{} may divide the samples into splits, and {} not used: save the samples of each split as x_train, y_train, x_test \
             and y_test",
            names.join(", "),
            if names.len() == 1 { "is" } else { "are" }
        )
    })
}

/// Returns whether the name of any array contains a word for a test split.
pub(crate) fn names_a_test_split(list: &[ArrayInfo]) -> bool {
    list.iter().any(|i| words_of(&i.name).iter().any(|w| Role::of_word(w) == Some(Role::Test)))
}

/// The names of the arrays of groups that the options name, separated by commas. A name may hold a comma.
pub(crate) fn names_of_groups<'a>(list: &[ArrayInfo], wanted: &'a str) -> Vec<&'a str> {
    match list.iter().any(|info| info.name == wanted) {
        true => vec![wanted],
        false => wanted.split(',').map(str::trim).collect(),
    }
}

/// The same options with one array of groups.
pub(crate) fn by_group(options: &ReadOptions, name: &str) -> ReadOptions {
    ReadOptions { group: Some(name.to_owned()), ..options.clone() }
}

/// Warns of arrays of groups that the training data had, and the new data that is to be scored lacks.
pub(crate) fn lacking_groups(found: &[SplitArrays], options: &ReadOptions) -> Option<String> {
    let wanted = options.group.as_ref()?;
    let used: Vec<ArrayInfo> = found.iter().flat_map(|arrays| &arrays.groups).cloned().collect();
    let there = |name: &&str| {
        let options = by_group(options, name);
        used.iter().any(|info| use_of(info, &options).is_some_and(|found| found.reason == named_by("data.group")))
    };
    let (there, lacking): (Vec<&str>, Vec<&str>) = names_of_groups(&used, wanted).into_iter().partition(there);
    groups::warning_of_lacking("array", &lacking, &there)
}

/// Gives the use of every array in the container, with the reason.
pub(crate) fn account(list: &[ArrayInfo], options: &ReadOptions, found: &[SplitArrays]) -> Vec<ColumnAccount> {
    let used = |name: &str| found.iter().any(|arrays| arrays.uses(name));
    let of = |info: &ArrayInfo| {
        let known = use_of(info, options);
        let used = used(&info.name);
        let (role, reason) = match (known, &info.refused) {
            (Some(ArrayUse { kind: ArrayKind::Inputs, reason, .. }), _) if used => (ColumnRole::Input, reason),
            (Some(ArrayUse { kind: ArrayKind::Targets, reason, .. }), _) if used => (ColumnRole::Label, reason),
            (Some(ArrayUse { kind: ArrayKind::Groups, reason, .. }), _) if used => (ColumnRole::Group, reason),
            (Some(ArrayUse { kind: ArrayKind::Weights, reason, .. }), _) if used => (ColumnRole::Weight, reason),
            (Some(ArrayUse { kind: ArrayKind::Times, reason, .. }), _) if used => (ColumnRole::Time, reason),
            (Some(ArrayUse { kind: ArrayKind::Classes, .. }), None) if info.text => {
                (ColumnRole::Label, "it holds the names of the classes".into())
            }
            (None, _) if used => (ColumnRole::Input, "it is the only array".into()),
            (_, Some(refusal)) => (ColumnRole::LeftOut, refusal.reason.clone()),
            (Some(ArrayUse { kind: ArrayKind::Classes, .. }), _) => {
                (ColumnRole::LeftOut, "its name is that of the names of the classes, but it is no text".into())
            }
            _ if info.axis => (ColumnRole::LeftOut, "it holds the coordinates of an axis".into()),
            (Some(_), _) => (ColumnRole::LeftOut, "another array fits better".into()),
            (None, _) => (ColumnRole::LeftOut, "its name does not tell a use".into()),
        };
        ColumnAccount { name: info.describe(), role, reason }
    };
    list.iter().map(of).collect()
}
