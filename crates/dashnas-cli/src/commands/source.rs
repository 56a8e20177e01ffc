//! Where data sets come from: a file, a task's folder, or the built-in Darcy flow.

use crate::failure::Failure;
use dashnas::config::Config;
use dashnas::darcy::{DarcyConfig, DarcyError};
use dashnas::data::{self, Dataset};
use dashnas::event::{Event, Observer, Stage};
use dashnas::{tasks, transform};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The argument that names the built-in data set.
pub const DARCY: &str = "darcy-flow";

/// Reads or makes the data set that an argument names.
///
/// # Errors
/// With exit code 3, the data set's own error.
pub fn load(source: &str, config: &Config, observer: &mut dyn Observer) -> Result<Dataset, Failure> {
    Ok(transform::apply(config, read(source, config, observer)?)?)
}

/// The data set before its transforms, which are part of a trained model.
///
/// # Errors
/// As [`load`].
pub fn read(source: &str, config: &Config, observer: &mut dyn Observer) -> Result<Dataset, Failure> {
    let folder = config.task.data_dir.as_ref();
    if source == DARCY && folder.is_none() {
        return darcy(config, observer);
    }
    if let Some(recipe) = tasks::find(source) {
        return Ok(recipe.load(&folder.map_or_else(|| recipe.default_folder(), PathBuf::from))?);
    }
    Ok(data::open(Path::new(source), &config.read_options())?)
}

/// Whether the argument names a data set that is not a path: the built-in one or a task's.
pub fn is_built_in(source: &str) -> bool {
    source == DARCY || tasks::find(source).is_some()
}

/// What a run directory remembers of the argument, so that it can be read again from anywhere.
pub fn record(source: &str) -> String {
    if is_built_in(source) {
        return source.to_owned();
    }
    std::path::absolute(source).map_or_else(|_| source.to_owned(), |path| path.display().to_string())
}

/// Takes the Darcy flow data from the cache, or makes it on all threads while this one shows how far it is.
fn darcy(config: &Config, observer: &mut dyn Observer) -> Result<Dataset, Failure> {
    let darcy = &config.darcy;
    let (resolution, stride, train, test) = (darcy.resolution, darcy.stride, darcy.train, darcy.test);
    // A benchmark: the same problems whatever the seed of the run.
    let wanted = DarcyConfig { resolution, stride, train, test, seed: 0 };
    let cache = cache_dir(|name| std::env::var_os(name));
    let solved = Arc::new(AtomicUsize::new(0));
    let counter = solved.clone();
    let threads = rayon::current_num_threads();
    let maker = thread::spawn(move || {
        let count = |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        let make = || wanted.dataset(cache.as_deref(), Some(&count));
        // A pool of its own: of the one that there is, the thread that shows how far it is is a member.
        match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool.install(make),
            Err(_) => make(),
        }
    });

    let start = Instant::now();
    let steps_total = (train + test) as u64;
    let mut shown = 0;
    while !maker.is_finished() {
        if observer.cancelled() {
            // The thread ends with the process; a cache file is written whole or not at all.
            return Err(dashnas::Error::Interrupted.into());
        }
        let step = solved.load(Ordering::Relaxed) as u64;
        if step > shown {
            if shown == 0 {
                observer.event(&Event::StageStarted { stage: Stage::Data, steps_total, epochs: 0 });
            }
            shown = step;
            observer.event(&Event::Step {
                stage: Stage::Data,
                trial: None,
                epoch: 0,
                step,
                steps_total,
                loss: None,
                lr: None,
            });
        }
        thread::sleep(Duration::from_millis(20));
    }
    let made: Result<Dataset, DarcyError> = maker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    if shown > 0 {
        observer.event(&Event::StageFinished { stage: Stage::Data, seconds: start.elapsed().as_secs_f64() });
    }
    let mut made = made?;
    made.origin.format = "built in: flow problems that were made and solved here".into();
    Ok(made)
}

/// `$DASHNAS_CACHE`, else `dashnas` in the user's cache folder; none if the system has no such folder.
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
    fn paths_are_remembered_from_the_root() {
        assert_eq!(record("darcy-flow"), "darcy-flow");
        assert!(Path::new(&record("folder/set.npz")).is_absolute());
    }
}
