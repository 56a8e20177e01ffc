//! The ten tasks of the paper (NAS-Bench-360; appendix A.4 and A.5.2) as recipes: which files they expect,
//! how these are prepared and split, and with which loss, metric and hyperparameters they are learnt.
//!
//! A recipe's settings lie between the preset and the user's own: `dashnas run satellite --data-dir DIR`
//! reads the published files; `dashnas run mine.npz --recipe satellite` learns other data of the same
//! kind the same way.

/// Published files of one folder on the web, each with its MD5 and what is done with it; what follows the name in their
/// addresses comes between.
macro_rules! published {
    ($folder:literal, $query:literal, $(($file:literal, $md5:literal, $unpack:ident)),+ $(,)?) => {
        &[$(crate::fetch::Source {
            url: concat!($folder, $file, $query),
            file: $file,
            bytes: None,
            hash: crate::fetch::Hash::Md5($md5),
            unpack: crate::fetch::Unpack::$unpack,
        }),+]
    };
}

mod cifar100;
mod cosmic;
mod darcy_flow;
mod deepsea;
mod ecg;
mod error;
mod files;
mod fsd50k;
mod legacy_random;
mod ninapro;
mod psicov;
mod satellite;
mod spherical;

pub use error::TaskError;

use crate::config::{ConfigError, Override, Preset};
use crate::data::Dataset;
use crate::fetch::Source;
use std::path::{Path, PathBuf};

/// A task: everything but the data itself.
#[derive(Debug)]
pub struct Recipe {
    /// The name on the command line.
    pub name: &'static str,
    /// What is learnt.
    pub title: &'static str,
    /// Who publishes the data under which licence.
    pub licence: &'static str,
    /// Files it reads, relative to its folder, each with what it holds.
    pub files: &'static [(&'static str, &'static str)],
    /// What is done to them.
    pub preparation: &'static str,
    /// How they are divided.
    pub split: &'static str,
    /// Configuration keys it sets, as on the command line.
    settings: &'static [&'static str],
    /// The published scale of α's gradient, for the preset `paper`; the shorter presets have their own.
    alpha_grad_scale: Option<f64>,
    /// Where the files can be had.
    pub sources: &'static [Source],
    /// What has to be done by hand, if anything.
    pub by_hand: Option<&'static str>,
    read: fn(&Path) -> Result<Dataset, TaskError>,
}

/// Every task, in the order of the paper's Table 4.
pub const ALL: [&Recipe; 10] = [
    &cifar100::RECIPE,
    &spherical::RECIPE,
    &ninapro::RECIPE,
    &fsd50k::RECIPE,
    &darcy_flow::RECIPE,
    &psicov::RECIPE,
    &cosmic::RECIPE,
    &ecg::RECIPE,
    &satellite::RECIPE,
    &deepsea::RECIPE,
];

/// The task of that name.
pub fn find(name: &str) -> Option<&'static Recipe> {
    ALL.into_iter().find(|recipe| recipe.name == name)
}

impl Recipe {
    /// What it sets in the configuration, to be laid between the preset and everything else.
    ///
    /// # Errors
    /// None, for the built-in recipes: a test reads them all.
    pub fn settings(&self, preset: Preset) -> Result<Vec<Override>, ConfigError> {
        let origin = format!("the recipe {}", self.name);
        let mut settings =
            self.settings.iter().map(|text| Override::parse(text, &origin)).collect::<Result<Vec<_>, _>>()?;
        if let (Preset::Paper, Some(scale)) = (preset, self.alpha_grad_scale) {
            settings.push(Override::new("search.alpha-grad-scale", scale, &origin));
        }
        Ok(settings)
    }

    /// Its settings as `key=value`.
    pub fn settings_text(&self) -> &'static [&'static str] {
        self.settings
    }

    /// Where its files are looked for unless told otherwise.
    pub fn default_folder(&self) -> PathBuf {
        Path::new("data").join(self.name)
    }

    /// Reads and prepares the files in a folder.
    ///
    /// # Errors
    /// [`TaskError`]: a file that is missing or not as published, by name, and those of the data itself.
    pub fn load(&self, folder: &Path) -> Result<Dataset, TaskError> {
        if !folder.is_dir() {
            return Err(TaskError::NoFolder { task: self.name, path: folder.into() });
        }
        let mut set = (self.read)(folder)?;
        set.origin.format = format!("files of the task {}", self.name);
        set.origin.files = vec![folder.display().to_string()];
        set.origin.notes.extend([format!("prepared: {}", self.preparation), format!("split: {}", self.split)]);
        Ok(set)
    }
}

/// What is said of files in the benchmark's bucket.
const MOVED: &str = "The benchmark's authors published these addresses and have since moved the files to a shared \
                     folder, which the README of github.com/rtu715/NAS-Bench-360 links to: where an address no longer \
                     answers, get the files there by hand.";

#[cfg(test)]
mod tests;
