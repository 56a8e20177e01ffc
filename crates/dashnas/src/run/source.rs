//! The data set of a run, by the name and the configuration that the user gave.

use crate::config::Config;
use crate::error::Error;
use crate::record::data::ARRAYS;
use crate::record::event::{Event, Observer};
use dashnas_core::stage::Stage;
use dashnas_data::dataset::Dataset;
use dashnas_data::preprocess;
use dashnas_formats::error::DataError;
use dashnas_formats::options::SplitBy;
use dashnas_tasks::darcy::SolveProgress;
use dashnas_tasks::source::DataSource;
use std::path::Path;
use std::time::Instant;

/// Reads or generates the data set of a name, and applies the transforms of the configuration.
///
/// # Errors
/// Those of [`read`], and [`Error::Data`] if a transform does not fit the data.
pub fn load(name: &str, config: &Config, observer: &mut dyn Observer) -> Result<Dataset, Error> {
    let data = read(name, config, observer)?;
    Ok(preprocess::apply(data, config.task.unknown, &config.task.transforms)?)
}

/// The data set of a name with the configured number of training samples, before its transforms, which are part of a
/// trained model.
///
/// # Errors
/// [`Error::Source`] or [`Error::Data`] if it cannot be read or generated, or if the number of training samples is too
/// small for its classes, [`Error::Interrupted`] if the observer asked to
/// stop.
pub fn read(name: &str, config: &Config, observer: &mut dyn Observer) -> Result<Dataset, Error> {
    if name == ARRAYS {
        let reason = "the run was trained on arrays of a Python process, which cannot be read again";
        let hint =
            "evaluate the model in Python with `score`, or save the arrays as an .npz file and start a run on it";
        return Err(DataError::file(Path::new(name), reason).with_hint(hint).into());
    }
    let source = DataSource::of(name, config.task.data_dir.as_deref().map(Path::new));
    let start = Instant::now();
    let mut shown = 0;
    let mut show = |SolveProgress { done, total }: SolveProgress| {
        if observer.cancelled() {
            return false;
        }
        if done > shown {
            let steps_total = total as u64;
            if shown == 0 {
                observer.event(&Event::StageStarted { stage: Stage::Data, steps_total, epochs: 0 });
            }
            shown = done;
            let (stage, step) = (Stage::Data, done as u64);
            observer.event(&Event::Step { stage, trial: None, epoch: 0, step, steps_total, loss: None, lr: None });
        }
        true
    };
    let data = source.read(&config.read_options(), &config.darcy, &mut show);
    if shown > 0 && data.is_ok() {
        observer.event(&Event::StageFinished { stage: Stage::Data, seconds: start.elapsed().as_secs_f64() });
    }
    let data = data?;
    check_division(name, config, &data)?;
    match config.task.train_samples {
        0 => Ok(data),
        samples => Ok(data.with_train_samples(samples)?),
    }
}

/// Refuses data that comes with its splits where it is to be divided into folds or by time: only files are.
fn check_division(name: &str, config: &Config, data: &Dataset) -> Result<(), DataError> {
    let refuse = |reason: &str, hint: &str| Err(DataError::file(Path::new(name), reason).with_hint(hint));
    if config.data.folds.is_some() && data.origin.drawn.and_then(|drawn| drawn.fold).is_none() {
        return refuse(
            "it comes with a test split, so that no folds are made",
            "leave out `data.folds`: the results of tasks are compared on their own test split",
        );
    }
    if config.data.split_by == SplitBy::Time && data.facts.train.times.is_none() {
        return refuse("it has no times to be divided by", "leave out `data.split-by`");
    }
    Ok(())
}
