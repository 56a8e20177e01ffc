//! A written ONNX file run again, by another program's engine, and compared with the model.

use super::ExportError;
use crate::data::Array;
use crate::error::Error;
use crate::model::Model;
use rten::{ModelOptions, Value, op_registry};
use serde::Serialize;

/// The largest difference allowed, as a share of the outputs' scale.
pub const TOLERANCE: f64 = 1e-4;

/// How well two computations of the same outputs agree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Agreement {
    /// Samples compared.
    pub samples: usize,
    /// The largest absolute difference.
    pub difference: f64,
    /// The largest absolute output.
    pub scale: f64,
}

impl Agreement {
    /// Compares arrays of the same shape.
    pub fn of(expected: &Array, found: &[f32]) -> Self {
        let pairs = expected.data.iter().zip(found);
        // `max` would pass over a NaN.
        let worst = |worst: f64, d: f64| if d.is_nan() { f64::INFINITY } else { worst.max(d) };
        let difference = pairs.map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs()).fold(0.0, worst);
        let scale = expected.data.iter().map(|&v| f64::from(v).abs()).fold(0.0, worst);
        Self { samples: expected.rows(), difference, scale }
    }

    /// The difference as a share of the scale.
    pub fn relative(&self) -> f64 {
        if self.difference == 0.0 { 0.0 } else { self.difference / self.scale }
    }
}

/// Runs an ONNX file on raw inputs and compares it with the model that it was made from.
///
/// # Errors
/// [`ExportError::Disagrees`] beyond [`TOLERANCE`], [`ExportError::NotRunnable`] if the file cannot be run, and
/// [`Error::Input`] if the inputs do not fit the model.
pub fn verify(file: &[u8], model: &Model, raw: bool, x: &Array) -> Result<Agreement, Error> {
    let expected = if raw { model.outputs(x)? } else { model.predict(x)?.values };
    let mut given = model.card().shaped(x).into_owned();
    if raw {
        given = model.card().transformed(x)?.into_owned();
        model.card().inputs.apply(&mut given);
    }
    let found = run(file, given, expected.shape.len())?;
    if found.shape != expected.shape {
        let reason = format!("it gives shape {:?}, the model {:?}", found.shape, expected.shape);
        return Err(ExportError::NotRunnable { reason }.into());
    }
    let agreement = Agreement::of(&expected, &found.data);
    // Not `>`: an agreement that is NaN is none.
    if agreement.relative() <= TOLERANCE {
        Ok(agreement)
    } else {
        Err(ExportError::Disagrees { difference: agreement.relative() }.into())
    }
}

/// Runs an ONNX file on one input; its output has `rank` axes.
///
/// # Errors
/// [`ExportError::NotRunnable`] with what the engine says.
pub fn run(file: &[u8], x: Array, rank: usize) -> Result<Array, ExportError> {
    fn failed(e: impl std::fmt::Display) -> ExportError {
        ExportError::NotRunnable { reason: e.to_string() }
    }
    let operators = op_registry!(
        Abs,
        Add,
        BatchNormalization,
        Conv,
        Div,
        Flatten,
        Gather,
        Gemm,
        GlobalAveragePool,
        Greater,
        Mul,
        Relu,
        Reshape,
        Sigmoid,
        Softmax,
        Sqrt,
        Sub,
        Where
    );
    let model = ModelOptions::with_ops(operators).load(file.to_vec()).map_err(failed)?;
    let x = Value::from_shape(&x.shape, x.data).map_err(failed)?;
    let y = model.run_one(x.into(), None).map_err(failed)?;
    let (shape, data) = match rank {
        2 => y.into_shape_vec::<f32, 2>().map(|(s, d)| (s.to_vec(), d)),
        3 => y.into_shape_vec::<f32, 3>().map(|(s, d)| (s.to_vec(), d)),
        _ => y.into_shape_vec::<f32, 4>().map(|(s, d)| (s.to_vec(), d)),
    }
    .map_err(failed)?;
    Ok(Array::new(shape, data))
}
