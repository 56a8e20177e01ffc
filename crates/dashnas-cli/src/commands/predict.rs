//! `dashnas predict`: a trained model on new data.

use super::{source, start};
use crate::args::CommonArgs;
use crate::failure::{Code, Failure};
use crate::output;
use crate::progress::{Progress, Verbosity};
use crate::read_args::ReadArgs;
use clap::Args;
use dashnas::config::Config;
use dashnas::data::{Array, open_inputs};
use dashnas::model::{Model, ModelCard};
use dashnas::predict::{OutputFormat, Prediction, table};
use dashnas::run_dir::{RunDir, names};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// `predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// A run directory, or a model.dashnas file.
    pub model: PathBuf,
    /// A file or folder of inputs in the units of the training data, with labels or without; of a data set with a
    /// test split, the test inputs.
    pub data: String,
    /// Where to: .npy (probabilities, values or fields), .csv or .parquet (class and probabilities, or values)
    /// [default: CSV on standard output].
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How the result is printed and on how many threads it is computed.
    #[command(flatten)]
    pub common: CommonArgs,
    /// How the files are read, where not as the training data was.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Predicts and writes.
pub fn predict(args: &PredictArgs, verbosity: Verbosity) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        // Asked first, since predicting may take a while.
        OutputFormat::of(out).map_err(dashnas::Error::from)?;
    }
    let mut progress = start(args.common.threads, verbosity)?;
    let model = Model::load(&args.model)?;
    let card = model.card();
    let (x, ids) = inputs(&args.data, &args.model, card, &args.read, &mut progress)?;
    let prediction = Prediction { ids, ..model.predict(&x)? };
    if let Some(out) = &args.out {
        prediction.write(card, out)?;
        if args.common.json {
            return output::print_json(&json!({ "samples": x.rows(), "task": card.task.name(), "out": out }));
        }
        return output::print(&format!("{} predictions: {}\n", x.rows(), out.display()));
    }
    if args.common.json {
        return output::print_json(&rows(&prediction, card));
    }
    let table = table::table(&prediction, card).map_err(dashnas::Error::from)?;
    output::print(&table::csv(&table))
}

/// Reads inputs for the model at `path`, and what the samples are called.
///
/// # Errors
/// With exit code 3, the data set's own error.
pub fn inputs(
    data: &str,
    path: &Path,
    card: &ModelCard,
    read: &ReadArgs,
    progress: &mut Progress,
) -> Result<(Array, Option<Vec<String>>), Failure> {
    if source::is_built_in(data) {
        return Ok((built_in(data, path, progress)?, None));
    }
    let found = open_inputs(Path::new(data), &read.over(&card.reading)?)?;
    found.origin.notes.iter().for_each(|note| tracing::debug!("{data}: {note}"));
    Ok((found.x, found.ids))
}

/// Test inputs of a task or the built-in data set, of the size and from the folder that the run's configuration says.
fn built_in(data: &str, path: &Path, progress: &mut Progress) -> Result<Array, Failure> {
    if !path.is_dir() {
        return Err(Failure::new(
            Code::Data,
            format!("how {data} is read is in a run's configuration, and {} is a file without it", path.display()),
            Some("name the run directory instead of the model file, or give a file of inputs".to_owned()),
        ));
    }
    let dir = RunDir::open(path)?;
    let config = Config::load(None, Some(&dir.file(names::CONFIG)), &[])?;
    Ok(source::read(data, &config, progress)?.test.x.in_memory()?)
}

/// One object a sample.
fn rows(prediction: &Prediction, card: &ModelCard) -> Vec<Value> {
    let key = if card.task.has_probabilities() { "probabilities" } else { "values" };
    (0..prediction.values.rows())
        .map(|i| {
            let mut row = json!({ key: prediction.values.row(i) });
            if let Some(ids) = &prediction.ids {
                row["id"] = json!(ids[i]);
            }
            if let Some(classes) = &prediction.classes {
                let class = classes[i] as usize;
                row["class"] = card.classes.as_ref().map_or_else(|| json!(class), |names| json!(names[class]));
            }
            row
        })
        .collect()
}
