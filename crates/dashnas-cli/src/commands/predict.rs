//! `dashnas predict`: a trained model on new data.

use crate::args::common::CommonArgs;
use crate::args::reading::ReadArgs;
use crate::commands::inputs::{ModelInputs, inputs, warn_of_unlike};
use crate::commands::outputs::Output;
use crate::commands::scoring::{self, Labeled};
use crate::commands::setup::uninterruptible;
use crate::commands::written::Written;
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::output;
use crate::verbosity::Verbosity;
use clap::{Args, ValueEnum};
use dashnas_core::text::plural;
use dashnas_data::labeled::LabeledInputs;
use dashnas_formats::array::Array;
use dashnas_formats::places::Place;
use dashnas_nn::artifact::ModelCard;
use dashnas_nn::error::ModelError;
use dashnas_nn::model::Model;
use dashnas_nn::predict::output::OutputFormat;
use dashnas_nn::predict::{ColumnValues, Prediction, by_time, csv, table};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// `predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// A run directory, or a model.dashnas file.
    pub model: PathBuf,
    /// A file or folder with inputs in the units of the training data, with or without labels. Of a data set with a
    /// test split, the test inputs are used; of a table with a column of splits all rows, if --ignore names the column.
    pub data: String,
    /// The file to write: .npy (probabilities, values or fields), .csv or .parquet (class and probabilities, or
    /// values) [default: CSV on standard output].
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Also replace a file that `predict` did not write, or write into the directory of another run.
    #[arg(long, requires = "out")]
    pub force: bool,
    /// What a row of the output is, if recordings are cut into windows: a window, or a time step, whose prediction is the
    /// mean of those of the windows that cover it.
    #[arg(long, value_enum, default_value_t = By::Window)]
    pub by: By,
    /// Also compute the metric of the run, from labels that the data must have: with --by time those of time steps. It is
    /// printed after the name of the file, or on standard error where the predictions are on standard output.
    #[arg(long)]
    pub score: bool,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Options for reading the files, where they differ from the training data.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// What a row of the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// A window, or any other sample.
    Window,
    /// A time step of a recording.
    Time,
}

/// Predicts and writes.
pub fn predict(args: &PredictArgs, verbosity: Verbosity) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        // Checked first, since predicting may take a while.
        OutputFormat::of(out).map_err(ModelError::from)?;
        let output = Output { what: "the predictions", path: out, kind: Written::Predictions, force: args.force };
        output.check([Path::new(&args.data), &args.model])?;
    }
    let mut progress = uninterruptible(args.common.threads, verbosity)?;
    let model = Model::load(&args.model)?;
    let card = model.card();
    let (ModelInputs { x, ids, windows, rows: chosen }, labeled) = if args.score {
        let mut labeled = Labeled::read(&args.data, &args.model, card, &args.read, args.by == By::Time)?;
        labeled.warn_of_training();
        let LabeledInputs { x, ids, windows, rows, .. } = &mut labeled.inputs;
        let x = std::mem::replace(x, Array::new(vec![0], Vec::new()));
        (ModelInputs { x, ids: ids.take(), windows: windows.take(), rows: rows.take() }, Some(labeled))
    } else {
        (inputs(&args.data, &args.model, card, &args.read, &mut progress)?, None)
    };
    if args.by == By::Time && (windows.is_none() || card.task.is_dense()) {
        let reason = match windows {
            None => "the samples are not windows of recordings, so that time steps cannot be predicted",
            Some(_) => "the model predicts a field for each window, so that there is no mean for a time step",
        };
        let hint = "leave out --by time, or give a recording and --window LENGTH".to_owned();
        return Err(Failure::new(Code::Data, format!("{}: {reason}", args.data), Some(hint)));
    }
    let samples = x.rows();
    warn_of_unlike(&args.data, card, &x)?;
    // Files are read relative to the centers of the model.
    let scores = model.of_centered().scores(&x)?;
    let score = match (&labeled, args.by) {
        (Some(labeled), By::Window) => Some(labeled.score(card, &scores, None, None)?),
        _ => None,
    };
    let predicted = model.prediction(scores);
    let places = match (&windows, &chosen) {
        (Some(windows), _) => by_time::places(windows),
        (None, rows) => rows.iter().map(|rows| by_time::numbers("row", rows.iter().copied())).collect(),
    };
    let mut prediction = Prediction { ids, places, centers: card.centers().targets.clone(), ..predicted };
    let (mut uncovered, mut score) = (0, score);
    if let (By::Time, Some(windows)) = (args.by, &windows) {
        let predicted = by_time::by_time(&prediction, windows);
        let all: Vec<Place> = windows.splits.concat();
        score = labeled.map(|labeled| labeled.score_steps(card, &predicted, &all)).transpose()?;
        (prediction, uncovered) = (predicted.prediction, predicted.uncovered);
    }
    let unit = if args.by == By::Time { "time step" } else { "prediction" };
    if uncovered > 0 && !args.common.json {
        progress.print(&format!("{} left out, because no window covers them", plural(uncovered, "time step")));
    }
    if let Some(out) = &args.out {
        prediction.write(card, out)?;
        if args.common.json {
            let mut said = json!({ "samples": samples, "task": card.task.name(), "out": out });
            if args.by == By::Time {
                said["steps"] = json!(prediction.values.rows());
                said["uncovered"] = json!(uncovered);
            }
            if let Some(score) = &score {
                said["score"] = json!(score);
            }
            return output::print_json(&said);
        }
        let scored = score.map_or_else(String::new, |score| scoring::line(&score) + "\n");
        let written = plural(prediction.values.rows(), unit);
        return output::print(&format!("Wrote {written} to {}\n{scored}", out.display()));
    }
    if args.common.json {
        let rows = rows(&prediction, card);
        return match &score {
            Some(score) => output::print_json(&json!({ "predictions": rows, "score": score })),
            None => output::print_json(&rows),
        };
    }
    if let Some(score) = &score {
        // It was asked for, so it is printed with --quiet too.
        output::aside(&(scoring::line(score) + "\n"));
    }
    let table = table::table(&prediction, card).map_err(ModelError::from)?;
    output::print(&csv(&table))
}

/// One object for each sample.
fn rows(prediction: &Prediction, card: &ModelCard) -> Vec<Value> {
    let key = if card.task.has_probabilities() { "probabilities" } else { "values" };
    let (doubles, width) = (prediction.doubles(), prediction.values.row_len());
    (0..prediction.values.rows())
        .map(|i| {
            let mut row = match &doubles {
                Some(doubles) => json!({ key: doubles[i * width..(i + 1) * width] }),
                None => json!({ key: prediction.values.row(i) }),
            };
            for column in &prediction.places {
                row[&column.name] = match &column.values {
                    ColumnValues::Numbers(v) => json!(v[i]),
                    ColumnValues::Texts(v) => json!(v[i]),
                    ColumnValues::Reals(v) => json!(v[i]),
                    ColumnValues::Doubles(v) => json!(v[i]),
                };
            }
            if let (Some(ids), true) = (&prediction.ids, prediction.places.is_empty()) {
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
