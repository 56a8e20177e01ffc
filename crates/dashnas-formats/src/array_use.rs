//! The use of an array in a data set, by a setting that names it or by the words of its name.

use crate::info::ArrayInfo;
use crate::naming::words_of;
use crate::options::ReadOptions;
use crate::role::Role;

/// Words in the names of inputs.
const INPUTS: [&str; 14] = [
    "x", "data", "input", "inputs", "image", "images", "img", "feature", "features", "signal", "signals", "series",
    "coeff", "val",
];
/// Words in the names of targets.
const TARGETS: [&str; 13] =
    ["y", "label", "labels", "target", "targets", "class", "mask", "masks", "output", "outputs", "sol", "t", "truth"];

/// The use of an array in a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArrayKind {
    Inputs,
    Targets,
    Groups,
    Weights,
    Times,
    Classes,
}

/// The use of an array, and what tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ArrayUse {
    /// The use.
    pub kind: ArrayKind,
    /// The split that it belongs to.
    pub role: Role,
    /// The setting that names the array, or the word of its name that tells the use.
    pub reason: String,
}

/// Returns the use of an array by the words of its name; `None` if they do not tell it.
pub(crate) fn use_of(info: &ArrayInfo, options: &ReadOptions) -> Option<ArrayUse> {
    let name = info.name.as_str();
    let words = words_of(name);
    let role = words.iter().find_map(|w| Role::of_word(w)).unwrap_or(Role::All);
    let bare: Vec<_> = words.iter().filter(|w| Role::of_word(w).is_none()).cloned().collect();
    let is = |wanted: &str| name == wanted || bare == words_of(wanted);
    let named = |wanted: &Option<String>, several: bool| {
        wanted.as_ref().is_some_and(|wanted| is(wanted) || (several && wanted.split(',').any(|part| is(part.trim()))))
    };
    let settings = [
        (&options.group, ArrayKind::Groups, "data.group"),
        (&options.weight, ArrayKind::Weights, "data.weight"),
        (&options.time, ArrayKind::Times, "data.time"),
        (&options.inputs, ArrayKind::Inputs, "data.inputs"),
        (&options.targets, ArrayKind::Targets, "data.targets"),
    ];
    for (wanted, kind, key) in settings {
        if named(wanted, kind == ArrayKind::Groups) {
            return Some(ArrayUse { kind, role, reason: named_by(key) });
        }
    }
    // The coordinates of an axis are neither inputs nor targets, whatever the axis is called.
    if info.axis {
        return None;
    }
    if info.only_classes && options.targets.is_none() {
        return Some(ArrayUse { kind: ArrayKind::Targets, role, reason: "it is the only one of classes".into() });
    }
    let any = |known: &[&str]| words.iter().find(|w| known.contains(&w.as_str())).cloned();
    let names = any(&["names", "name"]);
    let of_classes = || any(&["class", "label", "labels", "target", "targets", "category", "y"]);
    let class_names = any(&["classes"]).or_else(|| names.clone().filter(|_| of_classes().is_some()));
    // `feature_names` of scikit-learn.
    if class_names.is_none() && names.is_some() {
        return None;
    }
    let (kind, word) = if let Some(word) = class_names {
        (ArrayKind::Classes, word)
    } else if let Some(word) = any(&["group", "groups", "subject", "subjects"]) {
        (ArrayKind::Groups, word)
    } else if let Some(word) =
        any(&["weight", "weights"]).filter(|_| any(&["sample", "samples"]).is_some() && options.weight.is_none())
    {
        (ArrayKind::Weights, word)
    } else if let Some(word) = any(&TARGETS).filter(|_| options.targets.is_none()) {
        (ArrayKind::Targets, word)
    } else if let Some(word) = any(&INPUTS).filter(|_| options.inputs.is_none() && words != ["val"]) {
        (ArrayKind::Inputs, word)
    } else {
        return None;
    };
    Some(ArrayUse { kind, role, reason: format!("its name has the word `{word}`") })
}

/// The reason of the use of an array that a setting names.
pub(crate) fn named_by(key: &str) -> String {
    format!("`{key}` names it")
}
