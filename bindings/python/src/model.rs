//! Trained models.

use crate::errors::from_pipeline;
use crate::{arrays, json};
use burn::tensor::Device;
use dashnas::export::{OnnxOptions, fold_batch_norm, onnx};
use dashnas::model::{self, Artefact};
use numpy::{IntoPyArray, PyArray1, PyArrayDyn, PyReadonlyArrayDyn};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::{Path, PathBuf};

/// A trained model: a network with everything needed to run it on raw data.
#[pyclass(frozen, module = "dashnas")]
pub struct Model {
    /// Boxed: it is aligned more strictly than Python allocates.
    model: Box<model::Model>,
}

impl Model {
    /// Wraps a model of the library.
    pub fn new(model: model::Model) -> Self {
        Self { model: Box::new(model) }
    }
}

#[pymethods]
impl Model {
    /// Reads a model file, or that of a run directory.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| model::Model::load(&path)).map(Self::new).map_err(|e| from_pipeline(py, e))
    }

    /// Reads the contents of a model file.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        let read = Artefact::from_bytes(data, Path::new("the model"));
        let model = read.and_then(|artefact| model::Model::from_artefact(artefact, &Device::flex()));
        model.map(Self::new).map_err(|e| from_pipeline(py, e))
    }

    /// The contents of a model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.model.to_artefact().to_bytes().map_err(|e| from_pipeline(py, e))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes a model file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.model.save(&path)).map_err(|e| from_pipeline(py, e))
    }

    /// What is known of the model, as a dict.
    #[getter]
    fn card<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::to_python(py, self.model.card())
    }

    /// Probabilities or values, and the most probable classes where there are classes.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArrayDyn<'py, f32>,
    ) -> PyResult<(Bound<'py, PyArrayDyn<f32>>, Option<Bound<'py, PyArray1<u32>>>)> {
        let x = arrays::to_rust(&x);
        let prediction = py.detach(|| self.model.predict(&x)).map_err(|e| from_pipeline(py, e))?;
        let classes = prediction.classes.map(|classes| classes.into_pyarray(py));
        Ok((arrays::to_python(py, prediction.values)?, classes))
    }

    /// What the network itself says: logits, or values that are not decoded.
    fn outputs<'py>(&self, py: Python<'py>, x: PyReadonlyArrayDyn<'py, f32>) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let x = arrays::to_rust(&x);
        let outputs = py.detach(|| self.model.outputs(&x)).map_err(|e| from_pipeline(py, e))?;
        arrays::to_python(py, outputs)
    }

    /// The model as an ONNX file's contents.
    #[pyo3(signature = (*, opset=None, raw=false, fold=false))]
    fn to_onnx<'py>(
        &self,
        py: Python<'py>,
        opset: Option<i64>,
        raw: bool,
        fold: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut options = OnnxOptions { raw, ..OnnxOptions::default() };
        options.opset = opset.unwrap_or(options.opset);
        let written = py.detach(|| {
            let mut artefact = self.model.to_artefact();
            if fold {
                artefact = fold_batch_norm(&artefact)?;
            }
            onnx::onnx(&artefact, options)
        });
        Ok(PyBytes::new(py, &written.map_err(|e| from_pipeline(py, e.into()))?))
    }

    /// Pickles as the contents of its file.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py)?,)))
    }

    fn __repr__(&self) -> String {
        let card = self.model.card();
        format!("<dashnas.Model: {}, {} searched layers>", card.task, card.architecture.kernels.len())
    }
}
