//! Folders of images with masks: pairs of an image and a mask of the same name in two folders.

use crate::array::Array;
use crate::error::DataError;
use crate::folders::paths::{folders_between, relative};
use crate::folders::{label_file, labels};
use crate::found::{Labels, NumericTargets, UnassembledData, UnassembledSplit};
use crate::limits::check_memory;
use crate::media::images;
use crate::media::mask_values::{COLOR, Mask};
use crate::options::ReadOptions;
use crate::probe::FolderProbe;
use crate::role::Role;
use crate::sample_facts::SampleFacts;
use dashnas_core::names::TaskName;
use dashnas_core::text::plural;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The two kinds of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    Mask,
}

/// Returns the kind of an image by the names of the folders that it is in.
fn kind(folder: &Path, file: &Path) -> Option<Kind> {
    folders_between(folder, file).iter().find_map(|name| match name.to_ascii_lowercase().as_str() {
        "image" | "images" | "img" | "imgs" | "input" | "inputs" | "x" => Some(Kind::Input),
        "mask" | "masks" | "label" | "labels" | "target" | "targets" | "y" | "gt" | "annotations" => Some(Kind::Mask),
        _ => None,
    })
}

/// Returns whether all images in a folder are inputs or masks by the names of their folders, and some are masks.
pub(crate) fn recognizes(folder: &FolderProbe) -> bool {
    let images = || folder.all.iter().filter(|p| images::is_image(p));
    images().all(|p| kind(&folder.path, p).is_some()) && images().any(|p| kind(&folder.path, p) == Some(Kind::Mask))
}

/// Reads pairs of image and mask.
///
/// # Errors
/// [`DataError`] with the image that has no mask, or with the first file that cannot be read.
pub(crate) fn read(folder: &FolderProbe, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    let path = &*folder.path;
    let labeled = labeled || options.scored;
    let files = folder.matching(images::is_image);
    let role = |p: &Path| folders_between(path, p).iter().find_map(|w| Role::of_word(w)).unwrap_or(Role::All);
    let stem = |p: &Path| (role(p), p.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default());
    // `1_mask.png` is the mask of `1.png`.
    let ends = ["_mask", "-mask", "_seg", "_segmentation", "_gt", "_label", "_annotation"];
    let bare = |name: &str| ends.iter().find_map(|end| name.strip_suffix(end)).map(str::to_owned);
    let all = || files.iter().filter(|p| kind(path, p) == Some(Kind::Mask)).map(|p| (stem(p), p));
    let mut masks: BTreeMap<_, &PathBuf> =
        all().filter_map(|((role, name), p)| Some(((role, bare(&name)?), p))).collect();
    masks.extend(all());
    let inputs: Vec<&PathBuf> = files.iter().filter(|p| kind(path, p) == Some(Kind::Input)).collect();
    let mut raw = UnassembledData::new("folder of images with masks of the same names", options);
    raw.file(path);
    let table = beside(folder, &inputs, options, labeled, &mut raw)?;
    let split_of = |p: &Path| match &table {
        Some(table) => table.roles.get(p).copied().unwrap_or_else(|| role(p)),
        None => role(p),
    };
    let mut found = Vec::new();
    for split in [Role::All, Role::Train, Role::Val, Role::Test] {
        let of_split = inputs.iter().filter(|p| split_of(p) == split);
        // Files to predict from need not be in the table.
        let kept = of_split.filter(|p| !labeled || table.as_ref().is_none_or(|table| table.rows.contains_key(**p)));
        let pictures: Vec<PathBuf> = kept.map(|p| (*p).clone()).collect();
        let mut paired = Vec::with_capacity(pictures.len());
        for picture in pictures.iter().filter(|_| labeled) {
            let Some(mask) = masks.get(&stem(picture)) else {
                return Err(DataError::file(picture, "there is no mask of the same name")
                    .with_hint("add the mask, or remove the image"));
            };
            paired.push((*mask).clone());
        }
        if !pictures.is_empty() {
            found.push((split, pictures, paired));
        }
    }
    // One meaning of the values holds for all splits.
    let meaning = if labeled {
        let all: Vec<&PathBuf> = found.iter().flat_map(|(_, _, paired)| paired).collect();
        let meaning = meaning(path, &all, options, &mut raw)?;
        check_unknown(path, meaning, options)?;
        Some(meaning)
    } else {
        None
    };
    for (split, pictures, paired) in found {
        let ids = pictures.iter().map(|p| relative(path, p)).collect();
        let x = images::read(&pictures, &pictures[0], &mut raw.reading, &mut raw.notes, &mut raw.warnings)?;
        let y = meaning.map(|meaning| targets(&paired, meaning, &raw.reading)).transpose()?;
        let rows: Option<Vec<usize>> =
            table.as_ref().and_then(|table| pictures.iter().map(|p| table.rows.get(p).copied()).collect());
        let (mut groups, mut facts) = (None, SampleFacts::default());
        if let (Some(table), Some(rows)) = (&table, rows) {
            groups = table.groups.as_ref().map(|groups| rows.iter().map(|&i| groups[i].clone()).collect());
            facts = table.facts.select(&rows);
        }
        raw.parts.push(UnassembledSplit { role: split, x, y, groups, ids: Some(ids), facts });
    }
    Ok(raw)
}

/// What a table beside the folders says of the images.
struct Beside {
    /// The row of each image.
    rows: HashMap<PathBuf, usize>,
    /// The split of each image, if a column divides them.
    roles: HashMap<PathBuf, Role>,
    /// The groups of the rows.
    groups: Option<Vec<String>>,
    /// The weights and times of the rows.
    facts: SampleFacts,
}

/// Reads the table that names the images, if there is one: their splits, groups, weights and times.
fn beside(
    folder: &FolderProbe,
    inputs: &[&PathBuf],
    options: &ReadOptions,
    labeled: bool,
    raw: &mut UnassembledData,
) -> Result<Option<Beside>, DataError> {
    let files: Vec<PathBuf> = inputs.iter().map(|path| (*path).clone()).collect();
    let wanted = label_file::Wanted { files: &files, classes: &[], needed: false, options };
    let label_file::LabelFile { table, notes } = label_file::find(folder, wanted)?;
    raw.notes.extend(notes);
    let Some(table) = table else { return Ok(None) };
    raw.file(table);
    raw.named_by = &["group", "split", "weight", "time", "ignore"];
    let found = labels::read(
        table,
        &files,
        options,
        labels::Use { labeled: labeled && !options.scored, labels: false, classes: false },
    )?;
    raw.columns = found.account;
    raw.notes.extend(found.notes);
    raw.warnings.extend(found.warnings);
    if found.files.len() < files.len() && labeled {
        let left_out = plural(files.len() - found.files.len(), "image");
        raw.note(format!("{left_out} left out: not named by {}", relative(&folder.path, table)));
    }
    let roles = found.files.iter().cloned().zip(found.roles.into_iter().flatten()).collect();
    let rows = found.files.into_iter().enumerate().map(|(row, path)| (path, row)).collect();
    Ok(Some(Beside { rows, roles, groups: found.groups, facts: found.facts }))
}

/// What the values of masks mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// The mask is where a value is at least this.
    From(u32),
    /// Quantities.
    Quantities,
}

/// Most different values that are taken for classes.
const CLASSES: usize = 64;
/// Gray values this near to black or white are taken for them, as where a mask was compressed as JPEG.
const NEAR: u32 = 24;

/// Decides what the values of all masks mean, and says it.
///
/// # Errors
/// [`DataError::File`] if the masks hold several classes, for which there is no task, and those of reading.
fn meaning(
    folder: &Path,
    masks: &[&PathBuf],
    options: &ReadOptions,
    raw: &mut UnassembledData,
) -> Result<Meaning, DataError> {
    let unknown = unknown(options);
    let seen = masks.par_iter().map(|path| {
        let mut mask = Mask::read(path, options)?;
        mask.values.retain(|&value| Some(value) != unknown);
        let near = mask.values.iter().filter(|&&v| v <= NEAR || (255 - NEAR..=255).contains(&v)).count();
        let different: BTreeSet<u32> = mask.values.iter().copied().collect();
        // Of more, the number alone matters.
        let different =
            if different.len() > 4 * CLASSES { different.into_iter().take(4 * CLASSES).collect() } else { different };
        Ok((different, mask.indexed, near, mask.values.len()))
    });
    let seen = seen.collect::<Result<Vec<_>, DataError>>()?;
    let different: BTreeSet<u32> = seen.iter().flat_map(|(different, ..)| different).copied().collect();
    let indexed = seen.iter().any(|(_, indexed, ..)| *indexed);
    let (near, all) = seen.iter().fold((0, 0), |(near, all), (_, _, n, len)| (near + n, all + len));
    let what = if indexed { "indices of the palette" } else { "values" };
    let binary = options.task == Some(TaskName::DenseBinary);
    let values: Vec<u32> = different.iter().copied().collect();
    if let Some(unknown) = unknown {
        raw.note(format!("pixels of masks with the value {unknown} are unknown (`task.unknown`)"));
    }
    match values[..] {
        _ if options.task.is_some_and(|task| task != TaskName::DenseBinary) => Ok(Meaning::Quantities),
        [0, 1, 255] => {
            let reason = "the masks have the values 0, 1 and 255, which may stand for pixels that are not known";
            Err(DataError::file(folder, reason)
                .with_hint("set `task.unknown` to 255 if these pixels do not count, otherwise save masks of 0 and 255"))
        }
        [] | [_] | [0, 255] => {
            raw.note("masks are 1 where they are at least half white");
            Ok(Meaning::From(128))
        }
        [_, mask] => {
            let name = if mask >= COLOR { format!("#{:06x}", mask - COLOR) } else { mask.to_string() };
            raw.note(format!("masks have two {what}: they are 1 where the value is {name}"));
            Ok(Meaning::From(mask))
        }
        _ if !indexed
            && values.last().is_some_and(|&v| v <= 255 && (binary || v >= 255 - NEAR && near * 20 >= all * 19)) =>
        {
            let most = values.last().copied().unwrap_or(0);
            if most < 128 {
                let reason =
                    format!("the masks have {} values up to {most}, and none is at least half white", values.len());
                return Err(DataError::file(folder, reason).with_hint("save masks as 0 and 255, or as 0 and 1"));
            }
            raw.note("masks are 1 where they are at least half white");
            Ok(Meaning::From(128))
        }
        _ if indexed || binary || values.len() <= CLASSES => {
            let shown =
                values.iter().take(6).map(|&v| if v >= COLOR { format!("#{:06x}", v - COLOR) } else { v.to_string() });
            let shown = shown.collect::<Vec<_>>().join(", ");
            let more = if values.len() > 6 { ", …" } else { "" };
            let reason = format!(
                "the masks have {} {what}, {shown}{more}: they look like several classes, and masks of one class or \
                 quantities are supported",
                values.len()
            );
            Err(DataError::file(folder, reason).with_hint(
                "save a mask of 0 and 255 for one class, or set `task.kind` to dense-regression if the values are quantities",
            ))
        }
        _ => {
            if values.last().is_some_and(|&v| v >= COLOR) {
                raw.note("masks in color are read as gray values");
            }
            raw.note("the values of the masks are quantities; `task.kind` dense-binary makes masks of them");
            Ok(Meaning::Quantities)
        }
    }
}

/// The value of pixels that are not known, if there is one that masks can have.
fn unknown(options: &ReadOptions) -> Option<u32> {
    options.unknown.filter(|v| v.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(v)).map(|v| v as u32)
}

/// Refuses a value of unknown pixels that known ones have as well, or that is lost where masks are resized.
fn check_unknown(folder: &Path, meaning: Meaning, options: &ReadOptions) -> Result<(), DataError> {
    let Some(unknown) = options.unknown else { return Ok(()) };
    let (reason, hint) = match meaning {
        Meaning::From(_) if unknown == 0.0 || unknown == 1.0 => (
            format!("`task.unknown` is {unknown}, but masks become 0 and 1"),
            "save masks with another value for unknown pixels, such as 255",
        ),
        Meaning::Quantities if options.resize.is_some() => (
            "masks of quantities with unknown pixels cannot be resized".to_owned(),
            "resize the images and masks before, and leave out `data.resize`",
        ),
        _ => return Ok(()),
    };
    Err(DataError::file(folder, reason).with_hint(hint))
}

/// Reads masks as targets; they are resized as the images are.
fn targets(paths: &[PathBuf], meaning: Meaning, options: &ReadOptions) -> Result<Labels, DataError> {
    let named = |array, integral| Labels::Numbers(NumericTargets { name: "masks".into(), array, integral });
    let Meaning::From(least) = meaning else {
        // Targets are in memory, whatever the inputs are.
        let mut options = ReadOptions { channels: Some(1), in_memory: Some(u64::MAX), ..options.clone() };
        let array = images::read(paths, &paths[0], &mut options, &mut Vec::new(), &mut Vec::new())?;
        return Ok(named(array, false));
    };
    let mut first: Option<[usize; 2]> = None;
    let mut data = Vec::new();
    for some in paths.chunks(images::BATCH) {
        let read = some.par_iter().map(|path| Mask::read(path, options)).collect::<Result<Vec<_>, _>>()?;
        for (path, mask) in some.iter().zip(read) {
            let size = *first.get_or_insert(options.resize.unwrap_or(mask.size));
            let elements = paths.len() as u128 * (size[0] * size[1]) as u128;
            check_memory(path, "masks", elements, options)?;
            let is_unknown = |v: u32| Some(v) == unknown(options);
            let plane = |value: fn(bool, bool) -> bool| -> Vec<f32> {
                let pixel = |&v: &u32| f32::from(u8::from(value(v >= least, is_unknown(v))));
                mask.values.iter().map(pixel).collect()
            };
            // A pixel to which an unknown one contributes is not known.
            let (mut mask_plane, mut unknown_plane) =
                (plane(|is_mask, unknown| is_mask && !unknown), plane(|_, unknown| unknown));
            if mask.size == size || options.resize.is_some() {
                if mask.size != size {
                    mask_plane = images::resize(&mask_plane, 1, mask.size, size);
                    unknown_plane = images::resize(&unknown_plane, 1, mask.size, size);
                }
                let value = options.unknown.unwrap_or(f64::NAN) as f32;
                let pixel = |(v, unknown): (&f32, &f32)| {
                    if *unknown > 0.0 { value } else { f32::from(u8::from(*v >= 0.5)) }
                };
                data.extend(mask_plane.iter().zip(&unknown_plane).map(pixel));
            } else {
                let reason = format!(
                    "it is {}×{}, but {} is {}×{}",
                    mask.size[0],
                    mask.size[1],
                    paths[0].display(),
                    size[0],
                    size[1]
                );
                return Err(DataError::file(path, reason).with_hint("resize all images with `data.resize`"));
            }
        }
    }
    let [height, width] = first.unwrap_or_default();
    Ok(named(Array::new(vec![paths.len(), 1, height, width], data), true))
}
