//! Data sets by name: the one place that decides whether a name stands for the built-in Darcy flow, for a task of the
//! paper, or for a path.

use crate::darcy::{DarcyConfig, DarcyError, SolveProgress};
pub use crate::recipes::error::TaskError;
use crate::recipes::{self, Recipe};
use dashnas_data::dataset::Dataset;
use dashnas_data::open::open;
use dashnas_formats::error::DataError;
use dashnas_formats::options::ReadOptions;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The name of the built-in data set.
pub const DARCY_FLOW: &str = "darcy-flow";

/// The seed of the built-in data set. It is a benchmark: its problems are the same whatever the seed of a run.
const SEED: u64 = 0;

/// A data set that a name stands for.
#[derive(Debug, Clone)]
pub enum DataSource {
    /// Darcy flow problems, which are generated.
    DarcyFlow,
    /// The files of a task of the paper, in a folder.
    Task(&'static Recipe, PathBuf),
    /// A file or folder.
    Path(PathBuf),
    /// A name that is both that of a built-in data set or task and that of a file or folder here.
    Ambiguous(String),
}

/// A failure to read or generate a data set.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The files of a task cannot be read.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The Darcy flow data cannot be generated.
    #[error(transparent)]
    Darcy(#[from] DarcyError),
    /// The data set cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl DataSource {
    /// Resolves a name. `folder` is the folder of the files of a task, if it is not the default one.
    pub fn of(name: &str, folder: Option<&Path>) -> Self {
        if folder.is_none() && is_built_in(name) && may_be_data(Path::new(name)) {
            return DataSource::Ambiguous(name.to_owned());
        }
        if name == DARCY_FLOW && folder.is_none() {
            return DataSource::DarcyFlow;
        }
        match recipes::find(name) {
            Some(recipe) => DataSource::Task(recipe, folder.map_or_else(|| recipe.default_folder(), Path::to_path_buf)),
            None => DataSource::Path(name.into()),
        }
    }

    /// Reads or generates the data set, before any transform. `darcy` is the size of the Darcy flow problems; `progress`
    /// is called while they are solved, and stops the work by returning `false`.
    ///
    /// # Errors
    /// [`SourceError`], with the error of the reader, the task or the solver.
    pub fn read(
        &self,
        options: &ReadOptions,
        darcy: &DarcyConfig,
        progress: &mut dyn FnMut(SolveProgress) -> bool,
    ) -> Result<Dataset, SourceError> {
        match self {
            DataSource::DarcyFlow => darcy_flow(darcy, progress),
            DataSource::Task(recipe, folder) => Ok(recipe.load(folder)?),
            DataSource::Path(path) => Ok(open(path, options)?),
            DataSource::Ambiguous(name) => {
                let reason = "it is the name of a built-in data set and that of a file or folder here";
                let hint = format!(
                    "write ./{name} to read the file or folder; for the built-in data set, rename it, or set \
                     `task.data-dir` to the folder of the published files"
                );
                Err(DataError::file(Path::new(name), reason).with_hint(hint).into())
            }
        }
    }
}

/// Whether a path leads to something that could be a data set. The directory of a run, which may have the name of its
/// data set, is none.
fn may_be_data(path: &Path) -> bool {
    path.exists() && !path.join("events.jsonl").exists() && !path.join("config.toml").exists()
}

/// Whether a name stands for a data set that is not a path.
pub fn is_built_in(name: &str) -> bool {
    name == DARCY_FLOW || recipes::find(name).is_some()
}

/// The name as a run directory records it, so that the data set can be read again from any working directory.
pub fn record(name: &str) -> String {
    if is_built_in(name) {
        return name.to_owned();
    }
    std::path::absolute(name).map_or_else(|_| name.to_owned(), |path| path.display().to_string())
}

/// Reads the Darcy flow data from the cache, or generates them on all threads while this thread reports the progress.
fn darcy_flow(config: &DarcyConfig, progress: &mut dyn FnMut(SolveProgress) -> bool) -> Result<Dataset, SourceError> {
    let wanted = config.clone();
    let total = wanted.train + wanted.test;
    let cache = cache_dir(|name| std::env::var_os(name));
    let solved = Arc::new(AtomicUsize::new(0));
    let counter = solved.clone();
    let threads = rayon::current_num_threads();
    let maker = thread::spawn(move || {
        let count = |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        let make = || wanted.dataset(SEED, cache.as_deref(), Some(&count));
        // A pool of its own: the calling thread is a member of the current one and is busy reporting.
        match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool.install(make),
            Err(_) => make(),
        }
    });
    while !maker.is_finished() {
        if !progress(SolveProgress { done: solved.load(Ordering::Relaxed), total }) {
            // The thread ends with the process; a cache file is written whole or not at all.
            return Err(SourceError::Interrupted);
        }
        thread::sleep(Duration::from_millis(20));
    }
    let made: Result<Dataset, DarcyError> = maker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let mut made = made?;
    made.origin.format = "built in: generated flow problems".into();
    Ok(made)
}

/// `$DASHNAS_CACHE`, else `dashnas` in the user's cache folder; `None` if the system has no such folder.
fn cache_dir(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("DASHNAS_CACHE").or_else(|| {
        let home = folder("XDG_CACHE_HOME")
            .or_else(|| folder("LOCALAPPDATA"))
            .or_else(|| folder("HOME").map(|home| home.join(".cache")));
        home.map(|home| home.join("dashnas"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_where_the_user_wants_it() {
        let with = |set: &[(&str, &str)]| {
            cache_dir(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
        };
        assert_eq!(with(&[("HOME", "/h"), ("DASHNAS_CACHE", "/c")]), Some("/c".into()));
        assert_eq!(with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]), Some("/x/dashnas".into()));
        assert_eq!(with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "")]), Some("/h/.cache/dashnas".into()));
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn paths_are_recorded_from_the_root() {
        assert_eq!(record("darcy-flow"), "darcy-flow");
        assert!(Path::new(&record("folder/set.npz")).is_absolute());
    }

    #[test]
    fn a_folder_with_the_name_of_a_task_is_not_taken_for_either() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!may_be_data(&folder.path().join("ecg")));
        assert!(may_be_data(folder.path()));
        let ambiguous = DataSource::Ambiguous("ecg".into());
        let error = ambiguous.read(&ReadOptions::default(), &DarcyConfig::default(), &mut |_| true).unwrap_err();
        assert_eq!(error.to_string(), "ecg: it is the name of a built-in data set and that of a file or folder here");
        let SourceError::Data(error) = error else { panic!("{error}") };
        assert!(error.hint().unwrap().starts_with("write ./ecg"), "{error}");
        std::fs::write(folder.path().join("config.toml"), "").unwrap();
        assert!(!may_be_data(folder.path()), "the directory of a run");
    }

    #[test]
    fn a_name_is_a_task_or_a_path() {
        assert!(matches!(DataSource::of("darcy-flow", None), DataSource::DarcyFlow));
        assert!(
            matches!(DataSource::of("darcy-flow", Some(Path::new("d"))), DataSource::Task(r, f) if r.name == "darcy-flow" && f == Path::new("d"))
        );
        assert!(
            matches!(DataSource::of("satellite", None), DataSource::Task(_, f) if f == Path::new("data/satellite"))
        );
        assert!(matches!(DataSource::of("satellite.csv", None), DataSource::Path(_)));
        assert!(matches!(DataSource::of("./satellite", None), DataSource::Path(_)));
    }
}
