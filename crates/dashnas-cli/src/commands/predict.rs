//! `dashnas predict`: a trained model on new data.

use crate::args::common::CommonArgs;
use crate::args::reading::ReadArgs;
use crate::commands::inputs::inputs;
use crate::commands::setup::uninterruptible;
use crate::failure::Failure;
use crate::output;
use crate::verbosity::Verbosity;
use clap::Args;
use dashnas_core::text::plural;
use dashnas_nn::artifact::ModelCard;
use dashnas_nn::error::ModelError;
use dashnas_nn::model::Model;
use dashnas_nn::predict::output::OutputFormat;
use dashnas_nn::predict::{Prediction, csv, table};
use serde_json::{Value, json};
use std::path::PathBuf;

/// `predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// A run directory, or a model.dashnas file.
    pub model: PathBuf,
    /// A file or folder with inputs in the units of the training data, with or without labels. Of a data set with a
    /// test split, the test inputs are used.
    pub data: String,
    /// The file to write: .npy (probabilities, values or fields), .csv or .parquet (class and probabilities, or
    /// values) [default: CSV on standard output].
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Options for reading the files, where they differ from the training data.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Predicts and writes.
pub fn predict(args: &PredictArgs, verbosity: Verbosity) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        // Checked first, since predicting may take a while.
        OutputFormat::of(out).map_err(ModelError::from)?;
    }
    let mut progress = uninterruptible(args.common.threads, verbosity)?;
    let model = Model::load(&args.model)?;
    let card = model.card();
    let (x, ids) = inputs(&args.data, &args.model, card, &args.read, &mut progress)?;
    let prediction = Prediction { ids, ..model.predict(&x)? };
    if let Some(out) = &args.out {
        prediction.write(card, out)?;
        if args.common.json {
            return output::print_json(&json!({ "samples": x.rows(), "task": card.task.name(), "out": out }));
        }
        return output::print(&format!("Wrote {} to {}\n", plural(x.rows(), "prediction"), out.display()));
    }
    if args.common.json {
        return output::print_json(&rows(&prediction, card));
    }
    let table = table::table(&prediction, card).map_err(ModelError::from)?;
    output::print(&csv(&table))
}

/// One object for each sample.
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
