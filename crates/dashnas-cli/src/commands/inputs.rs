//! Inputs for a trained model, from files or from the test split of a built-in data set.

use crate::args::flags::{FLAGS, translate};
use crate::args::reading::ReadArgs;
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::progress::Progress;
use dashnas::config::Config;
use dashnas::run::source;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_data::centering;
use dashnas_data::dataset::Dataset;
use dashnas_data::open::open_inputs;
use dashnas_formats::array::Array;
use dashnas_formats::options::{Lengths, ReadOptions, Span};
use dashnas_formats::places::Windows;
use dashnas_nn::artifact::ModelCard;
use dashnas_tasks::source::is_built_in;
use std::path::Path;

/// Inputs for a model.
pub struct ModelInputs {
    /// The inputs, less the centers of the model.
    pub x: Array,
    /// The names of the samples, where there are any.
    pub ids: Option<Vec<String>>,
    /// The windows that the samples are, where recordings were cut into windows.
    pub windows: Option<Windows>,
    /// The rows of the samples in their table, where they are not all.
    pub rows: Option<Vec<usize>>,
}

/// The options with which data for a model is read: those of its training data, and those that are given.
///
/// # Errors
/// With exit code 2, an option without effect, or one that contradicts the training; with exit code 4, a value that is not
/// allowed.
pub fn reading_of(card: &ModelCard, read: &ReadArgs) -> Result<ReadOptions, Failure> {
    if let Some(option) = read.dividing_option() {
        let hint = Some("leave it out: all samples are used, or those of the test split if there is one".to_owned());
        return Err(Failure::new(Code::Usage, format!("{option} has no effect here, as no split is made"), hint));
    }
    let given = read.over(&card.reading)?;
    if let Some((key, value, own)) = card.reading.contradiction(&given) {
        let key = format!("data.{key}");
        let option = FLAGS.iter().find(|(known, _)| *known == key).map_or(key.as_str(), |(_, option)| *option);
        return Err(Failure::new(
            Code::Usage,
            format!("{option} {value} contradicts the training of the model, whose data was read with {option} {own}"),
            Some(format!("leave out {option}: the model reads new data as its training data was read")),
        ));
    }
    Ok(given)
}

/// Refuses windows of another length than those of the model.
///
/// # Errors
/// With exit code 3.
pub fn check_window(card: &ModelCard, reading: &ReadOptions) -> Result<(), Failure> {
    match card.reading.window {
        Some(own) if reading.window != card.reading.window => Err(Failure::new(
            Code::Data,
            format!("the model takes windows of {own} time steps, and no other length"),
            Some("leave out --window; --stride may be another one than in training".to_owned()),
        )),
        // A model of series that were cut beforehand takes windows of their length.
        None => match (reading.window, &card.read_as[..]) {
            (Some(Span::Steps(steps)), &[_, length]) if steps == length => Ok(()),
            (Some(window), shape) => {
                let takes = match shape {
                    [_, length] => format!("series of {length} points"),
                    _ => "samples of two axes, such as images and spectrograms".to_owned(),
                };
                Err(Failure::new(
                    Code::Usage,
                    format!(
                        "--window {window} does not fit the model, which takes {takes} and was not trained on windows"
                    ),
                    Some("leave out --window, or give the length of the series".to_owned()),
                ))
            }
            (None, _) => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Reads inputs for the model at `path`.
///
/// # Errors
/// With exit code 3, the data set's own error.
pub fn inputs(
    data: &str,
    path: &Path,
    card: &ModelCard,
    read: &ReadArgs,
    progress: &mut Progress,
) -> Result<ModelInputs, Failure> {
    if is_built_in(data) {
        return Ok(ModelInputs { x: built_in(data, path, card, progress)?, ids: None, windows: None, rows: None });
    }
    let reading = reading_of(card, read)?;
    check_window(card, &reading)?;
    let found = open_inputs(Path::new(data), &reading)?;
    found.origin.notes.iter().for_each(|note| tracing::debug!("{data}: {note}"));
    found.origin.warnings.iter().for_each(|warning| tracing::warn!("{}", translate(warning)));
    warn_of_size(data, card, &found.x.shape);
    if let Some(chosen) = &found.chosen {
        progress.print(&format!("{data}: {}", translate(chosen)));
    }
    Ok(ModelInputs { x: found.x, ids: found.ids, windows: found.windows, rows: found.rows })
}

/// Warns of samples of another size than those that the model was trained on.
pub fn warn_of_size(data: &str, card: &ModelCard, shape: &[usize]) {
    let trained = card.read_as.get(1..).unwrap_or_default();
    let found = shape.get(2..).unwrap_or_default();
    if !trained.is_empty() && trained.len() == found.len() && trained != found && card.reading.lengths != Lengths::Mask
    {
        let size = |axes: &[usize]| axes.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        let hint =
            if trained.len() == 1 { "cut or fill up the arrays to get samples" } else { "--resize makes images" };
        tracing::warn!(
            "{data}: a sample has {} points, but those that the model was trained on have {}: the predictions may be \
             worse; {hint} of that size",
            size(found),
            size(trained)
        );
    }
}

/// Warns of channels of new inputs, less the centers of the model, that do not look like those of the training data.
///
/// # Errors
/// With exit code 3, if the inputs do not fit the model.
pub fn warn_of_unlike(data: &str, card: &ModelCard, x: &Array) -> Result<(), Failure> {
    for difference in card.unlike_training(x)? {
        tracing::warn!("{data}: {difference}");
    }
    Ok(())
}

/// The test inputs of a task or of the built-in data set, as the configuration of the run has them.
fn built_in(data: &str, path: &Path, card: &ModelCard, progress: &mut Progress) -> Result<Array, Failure> {
    if !path.is_dir() {
        return Err(Failure::new(
            Code::Data,
            format!("{data} needs the configuration of a run, and {} is a model file without one", path.display()),
            Some("give the run directory instead of the model file, or a file of inputs".to_owned()),
        ));
    }
    let dir = RunDir::open(path)?;
    let config = Config::load(None, Some(&dir.file(names::CONFIG)), &[])?;
    test_inputs(source::read(data, &config, progress)?, card)
}

/// The test inputs of a data set, less the centers of a model and not less those of the data set, which may be others: a
/// model of an earlier version has none.
///
/// # Errors
/// With exit code 3, if the inputs can no longer be read.
pub fn test_inputs(data: Dataset, card: &ModelCard) -> Result<Array, Failure> {
    let mut x = data.test.x;
    let (own, wanted) = (&data.reading.centers.inputs, &card.centers().inputs);
    if own != wanted && data.transforms.is_empty() {
        let center = |centers: &[f64], c: usize| centers.get(c).copied().unwrap_or(0.0);
        let moved: Vec<f64> = (0..x.shape[1]).map(|c| center(wanted, c) - center(own, c)).collect();
        centering::subtract(&mut x, &moved);
    }
    Ok(x.in_memory()?)
}
