//! Data sets among the named arrays of a container: an archive, a folder of arrays, a HDF5 or
//! MATLAB file. Which array is what is told by the words of its name.

use super::infer::RawTargets;
use super::raw::{Labels, Part, Raw, Role, words};
use super::{Array, DataError, ReadOptions};
use std::path::Path;

/// An array in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Info {
    /// Its name, with the groups it is in.
    pub name: String,
    pub shape: Vec<usize>,
    /// The element type as the format calls it.
    pub dtype: String,
    /// Whether it holds text.
    pub text: bool,
}

impl Info {
    /// `name 150×1×150 <f4`.
    pub fn describe(&self) -> String {
        let shape = self.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        format!("{} {} {}", self.name, if shape.is_empty() { "scalar" } else { &shape }, self.dtype)
    }
}

/// A file or folder of named arrays.
pub(crate) trait Container {
    /// Its path, for messages.
    fn path(&self) -> &Path;
    /// What it is, for people.
    fn format(&self) -> &str;
    /// Its arrays.
    fn list(&self) -> &[Info];
    /// The numbers of an array, and whether they are bool or integer.
    fn numbers(&mut self, name: &str) -> Result<(Array, bool), DataError>;
    /// The numbers of an array outside of memory, where it is larger than memory should hold: in its file, or decoded
    /// into one that is made for it. None if it is to be read whole.
    fn outside(&mut self, _name: &str) -> Result<Option<Array>, DataError> {
        Ok(None)
    }
    /// The texts of an array.
    fn text(&mut self, name: &str) -> Result<Vec<String>, DataError>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inputs,
    Targets,
    Groups,
    Classes,
}

const INPUTS: [&str; 14] = [
    "x", "data", "input", "inputs", "image", "images", "img", "feature", "features", "signal", "signals", "series",
    "coeff", "val",
];
const TARGETS: [&str; 13] =
    ["y", "label", "labels", "target", "targets", "class", "mask", "masks", "output", "outputs", "sol", "t", "truth"];

/// What the words of an array's name say it is.
fn understand(name: &str, options: &ReadOptions) -> Option<(Kind, Role)> {
    let words = words(name);
    let role = words.iter().find_map(|w| Role::of_word(w)).unwrap_or(Role::All);
    let named = |wanted: &Option<String>| {
        wanted.as_ref().is_some_and(|wanted| {
            let bare: Vec<_> = words.iter().filter(|w| Role::of_word(w).is_none()).cloned().collect();
            name == wanted || bare == super::raw::words(wanted)
        })
    };
    let any = |known: &[&str]| words.iter().any(|w| known.contains(&w.as_str()));
    let kind = if named(&options.group) {
        Kind::Groups
    } else if named(&options.inputs) {
        Kind::Inputs
    } else if named(&options.targets) {
        Kind::Targets
    } else if any(&["classes"]) || (any(&["names"]) && any(&["class", "label"])) {
        Kind::Classes
    } else if any(&["group", "groups", "subject", "subjects"]) {
        Kind::Groups
    } else if options.targets.is_none() && any(&TARGETS) {
        Kind::Targets
    } else if options.inputs.is_none() && any(&INPUTS) && words != ["val"].map(str::to_owned) {
        Kind::Inputs
    } else {
        return None;
    };
    Some((kind, role))
}

/// The one array of a kind for a split.
fn find<'a>(
    container: &'a dyn Container,
    options: &ReadOptions,
    kind: Kind,
    role: Role,
) -> Result<Option<&'a Info>, DataError> {
    let fits = |info: &&Info| understand(&info.name, options) == Some((kind, role));
    let mut found: Vec<&Info> = container.list().iter().filter(fits).collect();
    // Names that say nothing else go before longer ones: `x_train` before `x_train_raw`, `y` before `mask`.
    let plain = |info: &&Info| {
        let bare = words(&info.name).into_iter().filter(|w| Role::of_word(w).is_none()).collect::<Vec<_>>();
        bare == ["x"] || bare == ["y"]
    };
    if found.iter().any(plain) {
        found.retain(plain);
    }
    match found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => {
            let names: Vec<_> = found.iter().map(|i| i.name.as_str()).collect();
            let which = if kind == Kind::Inputs { "inputs" } else { "targets" };
            Err(incomplete(container, format!("one array of {which} ({} could be it)", names.join(", "))))
        }
    }
}

/// What is there is no data set, because something is missing.
pub(crate) fn incomplete(container: &dyn Container, missing: String) -> DataError {
    let contents = container.list().iter().map(Info::describe).collect();
    DataError::Incomplete { path: container.path().into(), format: container.format().into(), contents, missing }
}

/// The one array of a container that holds no other, as inputs.
pub(crate) fn only(container: &mut dyn Container, options: &ReadOptions) -> Result<Raw, DataError> {
    let [info] = container.list() else { return Err(incomplete(container, "one array of inputs".into())) };
    let name = info.name.clone();
    let mut raw = Raw::new(container.format(), options);
    raw.file(container.path());
    let x = container.numbers(&name)?.0;
    raw.parts.push(Part { role: Role::All, x, y: None, groups: None, ids: None });
    Ok(raw)
}

/// Reads the data set in a container. Targets may be missing where `labelled` is not set.
pub(crate) fn read(container: &mut dyn Container, options: &ReadOptions, labelled: bool) -> Result<Raw, DataError> {
    let mut raw = Raw::new(container.format(), options);
    raw.file(container.path());
    let split = find(container, options, Kind::Inputs, Role::Train)?.is_some()
        || find(container, options, Kind::Inputs, Role::Test)?.is_some();
    let roles = if split { &[Role::Train, Role::Val, Role::Test][..] } else { &[Role::All] };
    let mut plan = Vec::new();
    for &role in roles {
        let x = find(container, options, Kind::Inputs, role)?.map(|i| i.name.clone());
        let y = find(container, options, Kind::Targets, role)?.cloned();
        let group = find(container, options, Kind::Groups, role)?.cloned();
        let needed = role == Role::Train || (labelled && role == Role::All);
        match (x, y) {
            (None, None) if !needed || !labelled => {}
            (None, _) => return Err(incomplete(container, missing("x", "inputs", role))),
            (Some(_), None) if labelled => return Err(incomplete(container, missing("y", "targets", role))),
            (Some(x), y) => plan.push((role, x, y, group)),
        }
    }
    if labelled && split && !container_has(&plan, Role::Test) && named_test(container) {
        return Err(incomplete(container, missing("x", "inputs", Role::Test)));
    }
    if plan.is_empty() && !labelled {
        // A single array needs no name.
        let numeric: Vec<_> = container.list().iter().filter(|i| !i.text && i.shape.len() >= 2).collect();
        match numeric[..] {
            [one] => plan.push((Role::All, one.name.clone(), None, None)),
            _ => return Err(incomplete(container, "an array of inputs".into())),
        }
    }
    for (role, x, y, group) in plan {
        let x = match container.outside(&x)? {
            Some(outside) => outside,
            None => container.numbers(&x)?.0,
        };
        let y = y.map(|info| targets(container, &info, role, x.rows())).transpose()?;
        let groups = group.map(|info| names(container, &info)).transpose()?;
        raw.parts.push(Part { role, x, y, groups, ids: None });
    }
    let classes = container
        .list()
        .iter()
        .find(|i| understand(&i.name, options).is_some_and(|(kind, _)| kind == Kind::Classes) && i.text);
    if let Some(info) = classes.cloned() {
        raw.classes = Some(container.text(&info.name)?);
    }
    Ok(raw)
}

type Plan = (Role, String, Option<Info>, Option<Info>);

fn container_has(plan: &[Plan], role: Role) -> bool {
    plan.iter().any(|p| p.0 == role)
}

/// Whether any array speaks of a test split.
fn named_test(container: &dyn Container) -> bool {
    container.list().iter().any(|i| words(&i.name).iter().any(|w| Role::of_word(w) == Some(Role::Test)))
}

fn missing(letter: &str, what: &str, role: Role) -> String {
    match role {
        Role::All => format!("{what} (an array named {letter}_train, or {letter})"),
        _ => format!("{what} (an array named {letter}_{})", role.name()),
    }
}

fn targets(container: &mut dyn Container, info: &Info, role: Role, samples: usize) -> Result<Labels, DataError> {
    if info.text {
        return Ok(Labels::Names(container.text(&info.name)?));
    }
    let (mut array, integral) = container.numbers(&info.name)?;
    // MATLAB has no vectors, only rows and columns.
    if array.shape == [1, samples] && samples > 1 {
        array.shape = vec![samples];
    }
    let name = if role == Role::All { info.name.clone() } else { format!("y_{}", role.name()) };
    Ok(Labels::Numbers(RawTargets { name, array, integral }))
}

fn names(container: &mut dyn Container, info: &Info) -> Result<Vec<String>, DataError> {
    if info.text {
        return container.text(&info.name);
    }
    Ok(container.numbers(&info.name)?.0.data.iter().map(f32::to_string).collect())
}
