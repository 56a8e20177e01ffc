//! Folders of images as well-known data sets and tools keep them, which cannot be read as they are.

use crate::error::DataError;
use crate::naming::extension;
use crate::probe::FolderProbe;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Most bytes of a text that is looked at.
const BYTES: u64 = 1 << 20;

/// Refuses a folder of images whose labels are in files that are not read, instead of taking other names for labels.
///
/// # Errors
/// [`DataError::File`] with what was seen, and what to do.
pub(crate) fn check(folder: &FolderProbe, images: &[PathBuf]) -> Result<(), DataError> {
    let texts: Vec<&PathBuf> = folder.all.iter().filter(|path| extension(path) == "txt").collect();
    if let Some(boxes) = boxes(&texts, images) {
        let reason = format!(
            "it holds boxes of objects in images, as of YOLO ({}), and finding objects is no task that is supported",
            boxes.display()
        );
        return Err(DataError::file(&folder.path, reason).with_hint(
            "to learn classes of whole images, write labels.csv with the columns `file` and `label` and move the folder of \
             boxes away; to learn where objects are, save masks as images of the same names",
        ));
    }
    let attributes = texts.iter().find(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
        name.is_some_and(|name| name.starts_with("list_attr"))
    });
    match attributes {
        Some(path) => Err(DataError::file(path, "it is a list of attributes as of CelebA, which is not read")
            .with_hint(
                "write a file of labels for one attribute: in pandas, read_csv('list_attr_celeba.txt', sep=r'\\s+', \
             skiprows=1)['Smiling'].rename_axis('file').to_csv('labels.csv'), beside the images",
            )),
        None => Ok(()),
    }
}

/// The first file of boxes: a text in a folder `labels` with the name of an image, whose first line is a class and at least
/// four numbers from 0 to 1.
fn boxes<'a>(texts: &[&'a PathBuf], images: &[PathBuf]) -> Option<&'a PathBuf> {
    let stems: BTreeSet<_> = images.iter().filter_map(|image| image.file_stem()).collect();
    let inside = |path: &Path| {
        path.ancestors().skip(1).filter_map(Path::file_name).any(|name| name.eq_ignore_ascii_case("labels"))
    };
    let named = |path: &&&PathBuf| path.file_stem().is_some_and(|stem| stems.contains(stem));
    let first = texts.iter().filter(|path| inside(path)).filter(named);
    let holds = |path: &Path| {
        let text = crate::bytes::text(path, BYTES).unwrap_or_default();
        let fields: Vec<&str> = text.lines().next().unwrap_or("").split_whitespace().collect();
        let share = |field: &&str| field.parse::<f64>().is_ok_and(|v| (0.0..=1.0).contains(&v));
        fields.len() >= 5 && fields[0].parse::<u32>().is_ok() && fields[1..5].iter().all(share)
    };
    // Images without objects have empty files.
    first.take(100).find(|path| holds(path)).copied()
}
