//! `dashnas export`: a trained model in the formats of other programs.

use crate::args::common::CommonArgs;
use crate::args::numbers::positive;
use crate::args::reading::ReadArgs;
use crate::commands::inputs::{ModelInputs, inputs, test_inputs};
use crate::commands::outputs::Output;
use crate::commands::setup::uninterruptible;
use crate::commands::written::Written;
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::label::line;
use crate::output;
use crate::progress::Progress;
use crate::verbosity::Verbosity;
use anstyle::AnsiColor;
use clap::{Args, ValueEnum};
use dashnas::bench::infer::random_inputs;
use dashnas::config::Config;
use dashnas::record::data::DataRecord;
use dashnas::run::source;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::files::write_atomic;
use dashnas_formats::array::Array;
use dashnas_nn::error::ModelError;
use dashnas_nn::export::fold::fold_batch_norm;
use dashnas_nn::export::onnx::{DEFAULT_OPSET, OnnxOptions, onnx, output_name};
use dashnas_nn::export::torch::torch;
use dashnas_nn::export::verify;
use dashnas_nn::export::verify::{Agreement, TOLERANCE, other_size};
use dashnas_nn::model::Model;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A run directory, or a model.dashnas file.
    pub model: PathBuf,
    /// The format.
    #[arg(long, value_enum, default_value = "onnx")]
    pub format: Format,
    /// The file to write [default: model.onnx or model.safetensors, in the run directory or beside the model].
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Also replace a file that `export` did not write, or a model file, or write into the directory of another run.
    #[arg(long)]
    pub force: bool,
    /// Leave out the transforms and normalization of the inputs, and the softmax, sigmoid or change of units of the
    /// outputs.
    #[arg(long)]
    pub raw: bool,
    /// The version of ONNX's operators [default: 17].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = positive::<i64>())]
    pub opset: Option<i64>,
    /// Merge batch normalization into the convolutions before it.
    #[arg(long)]
    pub fold_batch_norm: bool,
    /// The data set to verify the export on [default: the test inputs of the run; random inputs for a model file].
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,
    /// The number of samples to verify the export on [default: 64].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = positive::<u16>())]
    pub samples: Option<u16>,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Options for reading --data, where it differs from the training data.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// The number of samples that an export is verified on, unless it is given.
const SAMPLES: u16 = 64;

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// ONNX; the file is verified: its outputs are compared with those of the model.
    Onnx,
    /// Weights under PyTorch's names, and a Python module that loads them.
    Safetensors,
    /// A model file, for example with --fold-batch-norm.
    Dashnas,
}

/// What `dashnas export --json` prints.
#[derive(Serialize)]
struct Exported {
    format: Format,
    files: Vec<PathBuf>,
    bytes: usize,
    opset: Option<i64>,
    /// The inputs that the file was verified on, and the result; for ONNX only.
    inputs: Option<&'static str>,
    agreement: Option<Agreement>,
    /// The other length, or height and width, that the file was verified at as well.
    other_size: Option<Vec<usize>>,
    relative_difference: Option<f64>,
}

/// Writes the model in another format. An ONNX file that does not agree with the model is not written.
pub fn export(args: &ExportArgs, verbosity: Verbosity) -> Result<(), Failure> {
    if args.format != Format::Onnx && args.opset.is_some() {
        return Err(usage("--opset applies only to ONNX files", "use it with --format onnx"));
    }
    if args.format == Format::Dashnas && args.raw {
        return Err(usage("a model file always contains its preprocessing", "leave out --raw"));
    }
    if let (None, Some(option)) = (&args.data, args.read.first_option()) {
        return Err(usage(&format!("{option} applies only to --data"), "leave it out, or give --data"));
    }
    let verified = [("--data", args.data.is_some()), ("--samples", args.samples.is_some())];
    if let (false, Some((option, _))) = (args.format == Format::Onnx, verified.into_iter().find(|(_, given)| *given)) {
        return Err(usage(&format!("{option} is for verifying ONNX files"), "leave it out, or use --format onnx"));
    }
    let out = target(args)?;
    let module = Some(out.with_extension("py")).filter(|_| args.format == Format::Safetensors);
    let kind = match args.format {
        Format::Onnx => Written::Onnx,
        Format::Safetensors => Written::Weights,
        Format::Dashnas => Written::Model,
    };
    for (path, kind) in [(Some(&out), kind), (module.as_ref(), Written::Module)] {
        let Some(path) = path else { continue };
        let output = Output { what: "the export", path, kind, force: args.force };
        output.check([args.model.as_path()].into_iter().chain(args.data.as_deref().map(Path::new)))?;
    }
    let mut progress = uninterruptible(args.common.threads, verbosity)?;
    let mut model = Model::load(&args.model)?;
    if args.fold_batch_norm {
        let folded = fold_batch_norm(&model.to_artifact()).map_err(ModelError::from)?;
        model = Model::from_artifact(folded, model.device())?;
    }
    let done = match args.format {
        Format::Onnx => write_onnx(args, &model, out, &mut progress)?,
        Format::Safetensors => write_torch(args, &model, out)?,
        Format::Dashnas => {
            let bytes = model.to_artifact().to_bytes()?;
            write(&out, &bytes)?;
            Exported::new(args.format, vec![out], bytes.len())
        }
    };
    if args.common.json { output::print_json(&done) } else { output::print(&text(&done, &model, args.raw)) }
}

fn write_onnx(args: &ExportArgs, model: &Model, out: PathBuf, progress: &mut Progress) -> Result<Exported, Failure> {
    let opset = args.opset.unwrap_or(DEFAULT_OPSET);
    let options = OnnxOptions { opset, raw: args.raw };
    let file = onnx(&model.to_artifact(), options).map_err(ModelError::from)?;
    let (inputs, x) = samples(args, model, progress)?;
    // The engine computes in single precision: it runs the same file without the subtraction in double precision.
    let centered = model.of_centered();
    let relative = match model.card().centers().is_empty() {
        true => file.clone(),
        false => onnx(&centered.to_artifact(), options).map_err(ModelError::from)?,
    };
    let agreement = verify(&relative, &centered, args.raw, &x)?;
    write(&out, &file)?;
    let exported = Exported::new(args.format, vec![out], file.len());
    let relative_difference = Some(agreement.relative());
    Ok(Exported {
        opset: Some(opset),
        inputs: Some(inputs),
        agreement: Some(agreement),
        other_size: other_size(model.card(), &x.shape),
        relative_difference,
        ..exported
    })
}

fn write_torch(args: &ExportArgs, model: &Model, out: PathBuf) -> Result<Exported, Failure> {
    let name = out.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let module = out.with_extension("py");
    if module == out {
        return Err(usage(
            "the weights and the Python module cannot both be the .py file",
            "give --out a .safetensors file",
        ));
    }
    let files = torch(&model.to_artifact(), &name, args.raw).map_err(ModelError::from)?;
    write(&out, &files.weights)?;
    write(&module, files.module.as_bytes())?;
    Ok(Exported::new(args.format, vec![out, module], files.weights.len() + files.module.len()))
}

/// Inputs to verify the export on, less the centers of the model, and their origin: the given data set, else that of the run, else random.
fn samples(args: &ExportArgs, model: &Model, progress: &mut Progress) -> Result<(&'static str, Array), Failure> {
    let first = |x: Array| x.select(&(0..x.rows().min(args.samples.unwrap_or(SAMPLES).into())).collect::<Vec<_>>());
    if let Some(data) = &args.data {
        let ModelInputs { x, .. } = inputs(data, &args.model, model.card(), &args.read, progress)?;
        return Ok(("given", first(x)));
    }
    if args.model.is_dir() {
        let dir = RunDir::open(&args.model)?;
        let config = Config::load(None, Some(&dir.file(names::CONFIG)), &[])?;
        let record: DataRecord = dir.read_json(names::DATA)?;
        match source::read(&record.source, &config, progress) {
            Ok(data) => return Ok(("test", first(test_inputs(data, model.card())?))),
            Err(error) => {
                note(&format!("{error}; the export is verified on random inputs (--data gives another data set)"))
            }
        }
    }
    Ok(("random", random_inputs(model, args.samples.unwrap_or(SAMPLES).into(), 0)))
}

/// Prints a warning on standard error; it is lost if that is closed.
fn note(text: &str) {
    use std::io::Write;
    let _ = anstream::stderr().write_all(line(AnsiColor::Yellow, "warning", text).as_bytes());
}

fn usage(message: &str, hint: &str) -> Failure {
    Failure::new(Code::Usage, message, Some(hint.to_owned()))
}

/// The file to write.
fn target(args: &ExportArgs) -> Result<PathBuf, Failure> {
    if let Some(out) = &args.out {
        return Ok(out.clone());
    }
    let name = match args.format {
        Format::Onnx => "model.onnx",
        Format::Safetensors => "model.safetensors",
        Format::Dashnas => {
            return Err(usage("the file to write would be the model itself", "give another file with --out"));
        }
    };
    let folder = if args.model.is_dir() { Some(args.model.as_path()) } else { args.model.parent() };
    Ok(folder.unwrap_or(Path::new("")).join(name))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_atomic(path, bytes).map_err(|e| Failure::file("write", path, &e))
}

impl Exported {
    fn new(format: Format, files: Vec<PathBuf>, bytes: usize) -> Self {
        Self {
            format,
            files,
            bytes,
            opset: None,
            inputs: None,
            agreement: None,
            other_size: None,
            relative_difference: None,
        }
    }
}

fn text(done: &Exported, model: &Model, raw: bool) -> String {
    let files: Vec<String> = done.files.iter().map(|f| f.display().to_string()).collect();
    let mut text = format!("Wrote {} ({} KiB)\n", files.join(" and "), done.bytes.div_ceil(1024));
    if let (Some(opset), Some(inputs), Some(agreement)) = (done.opset, done.inputs, done.agreement) {
        let card = model.card();
        let free = |n: usize| if card.any_size() { "any".to_owned() } else { n.to_string() };
        let shape = if raw { card.network_shape() } else { card.read_as.clone() };
        let axes: Vec<String> = shape[1..].iter().map(|&n| free(n)).collect();
        let double = if raw || card.centers().inputs.is_empty() { "" } else { " in double precision" };
        let elsewhere = done.other_size.as_ref().map_or_else(String::new, |size| {
            let size: Vec<String> = size.iter().map(usize::to_string).collect();
            format!(" and at {} {}", if size.len() == 1 { "length" } else { "size" }, size.join("×"))
        });
        text += &format!(
            "Opset {opset}: from `input` [any, {}, {}]{double} to `{}`\nVerified on {} {inputs} {}{elsewhere}: the outputs differ from the \
             model's by at most {:.1e} of their scale ({TOLERANCE:.0e} is allowed)\n",
            shape[0],
            axes.join(", "),
            output_name(card.task, raw),
            agreement.samples,
            if agreement.samples == 1 { "sample" } else { "samples" },
            agreement.relative(),
        );
    }
    text
}
