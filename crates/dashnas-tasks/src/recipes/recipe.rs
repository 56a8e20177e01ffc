//! A task of the paper as data.

use crate::fetch::published::PublishedFile;
use crate::recipes::error::TaskError;
use dashnas_core::names::Preset;
use dashnas_data::dataset::Dataset;
use std::path::{Path, PathBuf};

/// A task of the paper: everything but the data itself.
#[derive(Debug)]
pub struct Recipe {
    /// The name, such as `satellite`.
    pub name: &'static str,
    /// Inputs and targets, in a phrase.
    pub title: &'static str,
    /// The publisher of the data and their license.
    pub license: &'static str,
    /// The files that are read, relative to the folder of the task, each with a description of its contents.
    pub files: &'static [(&'static str, &'static str)],
    /// The preparation of the data.
    pub preparation: &'static str,
    /// The division into training, validation and test samples.
    pub split: &'static str,
    /// The configuration values that the task sets under every preset, as `key=value`.
    pub(super) settings: &'static [&'static str],
    /// The published scale of the gradient of α, for the preset `paper`; the shorter presets have values of their own.
    pub(super) alpha_grad_scale: Option<f64>,
    /// The published files.
    pub sources: &'static [PublishedFile],
    /// The steps of obtaining the files that must be taken by hand, if any.
    pub by_hand: Option<&'static str>,
    /// Reads and prepares the files in a folder.
    pub(super) read: fn(&Path) -> Result<Dataset, TaskError>,
}

impl Recipe {
    /// The configuration values that the task sets under a preset, as `key=value`. They lie between the values of the
    /// preset and those of the user.
    pub fn settings(&self, preset: Preset) -> Vec<String> {
        let scale = self.alpha_grad_scale.filter(|_| preset == Preset::Paper);
        let scale = scale.map(|scale| format!("search.alpha-grad-scale={scale:?}"));
        self.settings.iter().map(|&text| text.to_owned()).chain(scale).collect()
    }

    /// The configuration values that the task sets under every preset, as `key=value`.
    pub fn common_settings(&self) -> &'static [&'static str] {
        self.settings
    }

    /// The default folder of the files, `data/NAME`.
    pub fn default_folder(&self) -> PathBuf {
        Path::new("data").join(self.name)
    }

    /// Reads and prepares the files in a folder.
    ///
    /// # Errors
    /// A [`TaskError`] that names the file that is missing or differs from the published one, or an error of the data.
    pub fn load(&self, folder: &Path) -> Result<Dataset, TaskError> {
        if !folder.is_dir() {
            return Err(TaskError::NoFolder { task: self.name, path: folder.into() });
        }
        let mut set = (self.read)(folder)?;
        set.origin.format = format!("files of the task {}", self.name);
        set.origin.files = vec![folder.display().to_string()];
        set.origin.notes.extend([format!("preparation: {}", self.preparation), format!("split: {}", self.split)]);
        Ok(set)
    }
}

/// A note on the files in the storage of NAS-Bench-360.
pub(super) const MOVED: &str = "The authors of the benchmark published these addresses and have since moved the files to \
                                a shared folder, which the README of github.com/rtu715/NAS-Bench-360 links to. If an \
                                address no longer answers, download the files from that folder by hand.";

/// The published files of one folder on the web: the address of the folder, the query that follows each file name, and
/// for each file its name, its MD5 and how it is unpacked.
macro_rules! published {
    ($folder:literal, $query:literal, $(($file:literal, $md5:literal, $unpack:ident)),+ $(,)?) => {
        &[$(crate::fetch::published::PublishedFile {
            url: concat!($folder, $file, $query),
            file: $file,
            bytes: None,
            checksum: crate::fetch::published::Checksum::Md5($md5),
            unpack: crate::fetch::published::Unpack::$unpack,
        }),+]
    };
}
pub(super) use published;
