//! Verification of an exported ONNX file: a foreign engine runs it, and its outputs are compared with those of the
//! model.

use crate::artifact::card::ModelCard;
use crate::error::ExportError;
use crate::error::ModelError;
use crate::model::Model;
use dashnas_data::transform::kind::Transform;
use dashnas_formats::array::Array;
use dashnas_formats::ends;
use rten::{ModelOptions, Value, op_registry};
use serde::Serialize;

/// The largest allowed difference, as a fraction of the scale of the outputs.
pub const TOLERANCE: f64 = 1e-4;

/// The scale of the outputs is at least this fraction of the largest output: outputs that hardly vary, such as those of
/// an untrained network, do not require more than single precision.
const LEAST_SPREAD: f64 = 0.1;

/// The number of samples that are run at another size.
const OTHER_SIZE_SAMPLES: usize = 2;

/// The agreement of two computations of the same outputs.
///
/// Outputs in units of the training targets are compared before the conversion to these units: a large offset (kelvins,
/// years, hectopascals) would make every difference look small.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Agreement {
    /// The number of samples compared.
    pub samples: usize,
    /// The largest absolute difference; for values in units, of the normalized values, beyond the rounding error of the
    /// conversion.
    pub difference: f64,
    /// The largest deviation of an output from its mean over samples and positions, but at least a tenth of the
    /// largest output; for values in units also at least 1, the deviation of the training targets.
    pub scale: f64,
}

impl Agreement {
    /// Compares arrays of the same shape, `[N, outputs, …]`.
    pub fn of(expected: &Array, found: &[f32]) -> Self {
        Self::in_units(expected, found, None, false)
    }

    /// Compares outputs in units with a mean and a scale; see [`TargetNormalizer::mean_and_scale`]. With `ends`, expected
    /// outputs that are NaN are after the end of a sample, where there is nothing to compare.
    ///
    /// [`TargetNormalizer::mean_and_scale`]: dashnas_data::normalize::TargetNormalizer::mean_and_scale
    fn in_units(expected: &Array, found: &[f32], units: Option<&(Array, Array)>, ends: bool) -> Self {
        let outputs = expected.shape.get(1).copied().unwrap_or(1).max(1);
        let plane = expected.shape.iter().skip(2).product::<usize>().max(1);
        let channel = |i: usize| i / plane % outputs;
        let unit = |i: usize| {
            let Some((mean, scale)) = units else { return (0.0, 1.0) };
            // There is one pair for each output, or one for each point.
            let at = if scale.data.len() == outputs { channel(i) } else { channel(i) * plane + i % plane };
            (f64::from(mean.data[at]), f64::from(scale.data[at]))
        };
        // Both sides round a product and a sum.
        let rounding = if units.is_some() { 2.0 * f64::from(f32::EPSILON) } else { 0.0 };
        // `max` would ignore a NaN.
        let worst = |worst: f64, d: f64| if d.is_nan() { f64::INFINITY } else { worst.max(d) };

        let (mut difference, mut sums, mut values) = (0.0, vec![0.0; outputs], Vec::with_capacity(found.len()));
        let pairs = expected.data.iter().zip(found).enumerate().filter(|(_, (a, _))| !(ends && a.is_nan()));
        for (i, (&a, &b)) in pairs {
            let (mean, scale) = unit(i);
            let (a, b) = (f64::from(a), f64::from(b));
            let apart = (a - b).abs();
            let apart = if apart.is_finite() { (apart - rounding * a.abs().max(b.abs())).max(0.0) } else { f64::NAN };
            difference = worst(difference, apart / scale);
            let value = (a - mean) / scale;
            sums[channel(i)] += value;
            values.push((channel(i), value));
        }
        let count = (values.len() / outputs).max(1) as f64;
        let spread = values.iter().map(|&(c, v): &(usize, f64)| (v - sums[c] / count).abs()).fold(0.0, worst);
        let largest = values.iter().map(|(_, v)| v.abs()).fold(0.0, worst);
        let least = if units.is_some() { 1.0 } else { 0.0 };
        Self { samples: expected.rows(), difference, scale: spread.max(LEAST_SPREAD * largest).max(least) }
    }

    /// Returns the difference as a fraction of the scale.
    pub fn relative(&self) -> f64 {
        if self.difference == 0.0 { 0.0 } else { self.difference / self.scale }
    }
}

/// Runs an ONNX file on raw inputs and compares its outputs with those of the model; then again with another batch size
/// and, where the network takes any length or size, at [another size](other_size). Returns the worse of the two
/// agreements.
///
/// # Errors
/// [`ExportError::Disagrees`] beyond [`TOLERANCE`], [`ExportError::NotRunnable`] if the file cannot be run, and
/// [`ModelError::Input`] if the inputs do not fit the model.
pub fn verify(file: &[u8], model: &Model, raw: bool, x: &Array) -> Result<Agreement, ModelError> {
    let mut x = x.clone();
    x.load()?;
    let x = model.card().shaped(&x)?;
    let engine = engine(file)?;
    let first = compare(&engine, model, raw, &x)?;
    let second = compare(&engine, model, raw, &at_other_size(model.card(), &x))?;
    let worse = if second.relative() > first.relative() { second } else { first };
    let agreement = Agreement { samples: first.samples, ..worse };
    // Not `>`, so that NaN counts as a disagreement.
    if agreement.relative() <= TOLERANCE {
        Ok(agreement)
    } else {
        Err(ExportError::Disagrees { difference: agreement.relative(), tolerance: TOLERANCE }.into())
    }
}

/// Returns the other length, or height and width, at which a file is run, given the shape of the inputs: one and a half
/// times theirs. `None` if the network is tied to one size.
pub fn other_size(card: &ModelCard, shape: &[usize]) -> Option<Vec<usize>> {
    // The projection onto the sphere has a fixed output size.
    let free = card.any_size() && !card.transforms.contains(&Transform::Spherical);
    let size = &shape[shape.len().checked_sub(card.read_as.len() - 1)?..];
    free.then(|| size.iter().map(|n| n + n / 2 + 1).collect())
}

/// Returns the first inputs at another size, repeated periodically; or only the first one if the network is tied to a
/// size.
fn at_other_size(card: &ModelCard, x: &Array) -> Array {
    let Some(size) = other_size(card, &x.shape) else { return x.select(&[0]) };
    let rows = x.rows().min(OTHER_SIZE_SAMPLES);
    let (from, to) = (&x.shape[2..], [&[rows, x.shape[1]], &size[..]].concat());
    let plane: usize = from.iter().product();
    let mut data = Vec::with_capacity(to.iter().product());
    let (width, wide) = (from[from.len() - 1], size[size.len() - 1]);
    for (i, image) in x.data.chunks_exact(plane).take(rows * x.shape[1]).enumerate() {
        let sample = i / x.shape[1];
        // The first sample is whole, the second one ends earlier if samples have ends.
        let (length, end) = match card.graph.is_masked() {
            true => (ends::length(x.row(sample), width).max(1), wide - wide / 3 * sample),
            false => (width, wide),
        };
        let row = |h: usize| {
            let h = if from.len() == 1 { 0 } else { h % from[0] };
            let line = image[h * width..h * width + length].iter().copied().cycle().take(end);
            line.chain(std::iter::repeat_n(f32::NAN, wide - end))
        };
        let height = if size.len() == 1 { 1 } else { size[0] };
        data.extend((0..height).flat_map(row));
    }
    Array::new(to, data)
}

fn compare(engine: &rten::Model, model: &Model, raw: bool, x: &Array) -> Result<Agreement, ModelError> {
    let card = model.card();
    let expected = if raw { model.outputs(x)? } else { model.predict(x)?.values };
    let mut given = card.shaped(x)?.into_owned();
    if raw {
        given = card.transformed(x)?.into_owned();
        card.inputs.apply(&mut given);
    }
    let found = run(engine, given, card.graph.is_masked(), expected.shape.len())?;
    if found.shape != expected.shape {
        let reason = format!("its outputs have shape {:?}, those of the model {:?}", found.shape, expected.shape);
        return Err(ExportError::NotRunnable { reason }.into());
    }
    let units = if raw { None } else { card.targets.mean_and_scale() };
    Ok(Agreement::in_units(&expected, &found.data, units.as_ref(), card.graph.is_masked()))
}

fn failed(e: impl std::fmt::Display) -> ExportError {
    ExportError::NotRunnable { reason: e.to_string() }
}

/// Loads a file into the engine.
fn engine(file: &[u8]) -> Result<rten::Model, ExportError> {
    let operators = op_registry!(
        Abs,
        Add,
        BatchNormalization,
        Cast,
        Concat,
        Conv,
        Div,
        Erf,
        Flatten,
        Gather,
        Gemm,
        GlobalAveragePool,
        Greater,
        LayerNormalization,
        Less,
        MaxPool,
        Mul,
        Range,
        Relu,
        Reshape,
        Resize,
        Shape,
        Sigmoid,
        Slice,
        Softmax,
        Sqrt,
        Sub,
        Transpose,
        Where
    );
    ModelOptions::with_ops(operators).load(file.to_vec()).map_err(failed)
}

/// Runs a file on inputs, and on their lengths if it takes them; its output has `rank` axes.
fn run(engine: &rten::Model, mut x: Array, lengths: bool, rank: usize) -> Result<Array, ExportError> {
    let (width, n) = (x.shape.last().copied().unwrap_or(1), x.rows());
    let ends: Vec<i32> = (0..n).map(|i| ends::length(x.row(i), width) as i32).collect();
    // A number where the file must not look.
    x.data.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = 3.5);
    let x = Value::from_shape(&x.shape, x.data).map_err(failed)?;
    let ids = engine.input_ids();
    let mut inputs = vec![(*ids.first().ok_or_else(|| failed("it has no input"))?, x.into())];
    if lengths {
        let ends = Value::from_shape(&[n], ends).map_err(failed)?;
        inputs.push((engine.node_id("lengths").map_err(failed)?, ends.into()));
    }
    let output = *engine.output_ids().first().ok_or_else(|| failed("it has no output"))?;
    let [y] = engine.run_n(inputs, [output], None).map_err(failed)?;
    let (shape, data) = match rank {
        2 => y.into_shape_vec::<f32, 2>().map(|(s, d)| (s.to_vec(), d)),
        3 => y.into_shape_vec::<f32, 3>().map(|(s, d)| (s.to_vec(), d)),
        _ => y.into_shape_vec::<f32, 4>().map(|(s, d)| (s.to_vec(), d)),
    }
    .map_err(failed)?;
    Ok(Array::new(shape, data))
}
