//! `dashnas predict`: a trained model on new data.

use super::{prepare, source};
use crate::args::CommonArgs;
use crate::failure::Failure;
use crate::output;
use crate::progress::{Progress, Verbosity};
use clap::Args;
use dashnas::config::{Config, Preset};
use dashnas::data::Array;
use dashnas::model::{Model, ModelCard};
use dashnas::predict::{OutputFormat, Prediction, read_inputs, table};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// `predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// A run directory, or a model.dashnas file.
    pub model: PathBuf,
    /// The inputs, in the units of the training data: an .npy file, or a data set, of which the test inputs are taken.
    pub data: String,
    /// Where to: .npy (probabilities, values or fields), .csv or .parquet (class and probabilities, or values)
    /// [default: CSV on standard output].
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How the result is printed and on how many threads it is computed.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Predicts and writes.
pub fn predict(args: &PredictArgs, verbosity: Verbosity) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        // Asked first, since predicting may take a while.
        OutputFormat::of(out).map_err(dashnas::Error::from)?;
    }
    let mut progress = prepare(args.common.threads, verbosity)?;
    let model = Model::load(&args.model)?;
    let x = inputs(&args.data, &mut progress)?;
    let prediction = model.predict(&x)?;
    let card = model.card();
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

/// Reads inputs: an array, or the test inputs of a data set.
///
/// # Errors
/// With exit code 3, the data set's own error.
pub fn inputs(data: &str, progress: &mut Progress) -> Result<Array, Failure> {
    if data == source::DARCY {
        return Ok(source::load(data, &Config::preset(Preset::Standard), progress)?.test.x);
    }
    Ok(read_inputs(Path::new(data))?)
}

/// One object a sample.
fn rows(prediction: &Prediction, card: &ModelCard) -> Vec<Value> {
    let key = if card.task.has_probabilities() { "probabilities" } else { "values" };
    (0..prediction.values.rows())
        .map(|i| {
            let mut row = json!({ key: prediction.values.row(i) });
            if let Some(classes) = &prediction.classes {
                let class = classes[i] as usize;
                row["class"] = card.classes.as_ref().map_or_else(|| json!(class), |names| json!(names[class]));
            }
            row
        })
        .collect()
}
