//! Folders of images with masks: pairs of an image and a mask of the same name in two folders.

use crate::error::DataError;
use crate::folders::paths::{folders_between, relative};
use crate::found::{Labels, NumericTargets, UnassembledData, UnassembledSplit};
use crate::media::images;
use crate::options::ReadOptions;
use crate::probe::FolderProbe;
use crate::role::Role;
use dashnas_core::names::TaskName;
use std::collections::BTreeMap;
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
    let files = folder.matching(images::is_image);
    let role = |p: &Path| folders_between(path, p).iter().find_map(|w| Role::of_word(w)).unwrap_or(Role::All);
    let stem = |p: &Path| (role(p), p.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default());
    let masks: BTreeMap<_, &PathBuf> =
        files.iter().filter(|p| kind(path, p) == Some(Kind::Mask)).map(|p| (stem(p), p)).collect();
    let inputs: Vec<&PathBuf> = files.iter().filter(|p| kind(path, p) == Some(Kind::Input)).collect();
    let mut raw = UnassembledData::new("folder of images with masks of the same names", options);
    raw.file(path);
    for split in [Role::All, Role::Train, Role::Val, Role::Test] {
        let pictures: Vec<PathBuf> = inputs.iter().filter(|p| role(p) == split).map(|p| (*p).clone()).collect();
        let Some(first) = pictures.first().cloned() else { continue };
        let ids = pictures.iter().map(|p| relative(path, p)).collect();
        let x = images::read(&pictures, &first, &mut raw.reading, &mut raw.notes)?;
        if !labeled {
            raw.parts.push(UnassembledSplit { role: split, x, y: None, groups: None, ids: Some(ids) });
            continue;
        }
        let mut paired = Vec::with_capacity(pictures.len());
        for picture in &pictures {
            let Some(mask) = masks.get(&stem(picture)) else {
                return Err(DataError::file(picture, "there is no mask of the same name")
                    .with_hint("add the mask, or remove the image"));
            };
            paired.push((*mask).clone());
        }
        // Targets are in memory, whatever the inputs are.
        let mut mask_options = ReadOptions { channels: Some(1), in_memory: Some(u64::MAX), ..raw.reading.clone() };
        let mut y = images::read(&paired, &paired[0], &mut mask_options, &mut Vec::new())?;
        let two_values = y.data.iter().all(|&v| v == 0.0 || v == 255.0);
        let binary = options.task.map_or(two_values || raw.reading.resize.is_some(), |t| t == TaskName::DenseBinary);
        if binary {
            y.data.iter_mut().for_each(|v| *v = f32::from(*v >= 128.0));
            raw.note("masks are 1 where they are at least half white");
        }
        let y = Labels::Numbers(NumericTargets { name: "masks".into(), array: y, integral: binary });
        raw.parts.push(UnassembledSplit { role: split, x, y: Some(y), groups: None, ids: Some(ids) });
    }
    Ok(raw)
}
