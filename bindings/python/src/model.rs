//! Trained models.

use crate::errors::from_pipeline;
use crate::{arrays, json};
use burn::tensor::Device;
use dashnas::bench::infer::random_inputs;
use dashnas_core::files::write_atomic;
use dashnas_formats::array::Array;
use dashnas_nn::artifact::{Artifact, LabelType};
use dashnas_nn::error::InputError;
use dashnas_nn::error::ModelError;
use dashnas_nn::export::fold::fold_batch_norm;
use dashnas_nn::export::onnx::OnnxOptions;
use dashnas_nn::export::onnx::{DEFAULT_OPSET, onnx};
use dashnas_nn::export::verify;
use dashnas_nn::model;
use numpy::{IntoPyArray, PyArray1, PyArrayDyn, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::io;
use std::path::{Path, PathBuf};

/// The number of samples on which an ONNX file is compared with the model.
const SAMPLES: usize = 16;

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

    /// The contents of an ONNX file, verified against the model on random inputs.
    fn onnx(&self, options: OnnxOptions, fold: bool) -> Result<Vec<u8>, ModelError> {
        let mut artifact = self.model.to_artifact();
        if fold {
            artifact = fold_batch_norm(&artifact)?;
        }
        let file = onnx(&artifact, options)?;
        // Folded or not, it must agree with this model.
        verify(&file, &self.model, options.raw, &random_inputs(&self.model, SAMPLES, 0))?;
        Ok(file)
    }

    /// Inputs with at most as many axes as the model's own: an image is not a series, even if it has one channel.
    fn inputs(&self, py: Python<'_>, x: &PyReadonlyArrayDyn<'_, f32>) -> PyResult<Array> {
        let expected = self.model.card().read_as.clone();
        if x.shape().len() > expected.len() + 1 {
            return Err(from_pipeline(py, ModelError::from(InputError::Rank { shape: x.shape().to_vec(), expected })));
        }
        Ok(arrays::to_rust(x))
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
        let read = Artifact::from_bytes(data, Path::new("the model"));
        let model = read.and_then(|artifact| model::Model::from_artifact(artifact, &Device::flex()));
        model.map(Self::new).map_err(|e| from_pipeline(py, e))
    }

    /// The contents of a model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.model.to_artifact().to_bytes().map_err(|e| from_pipeline(py, e))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes a model file; `labels` is the type of its classes.
    #[pyo3(signature = (path, *, labels=None))]
    fn save(&self, py: Python<'_>, path: PathBuf, labels: Option<&str>) -> PyResult<()> {
        let labels = match labels {
            None => self.model.card().labels,
            Some("bool") => Some(LabelType::Bool),
            Some("int") => Some(LabelType::Int),
            Some("float") => Some(LabelType::Float),
            Some("str") => Some(LabelType::Str),
            Some(other) => {
                return Err(PyValueError::new_err(format!("labels are bool, int, float or str, not {other}")));
            }
        };
        let written = py.detach(|| {
            let mut artifact = self.model.to_artifact();
            artifact.card.labels = labels;
            artifact.write(&path)
        });
        written.map_err(|e| from_pipeline(py, e))
    }

    /// The description of the model, as a dict.
    #[getter]
    fn card<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::to_python(py, self.model.card())
    }

    /// Probabilities or values, and the most probable class of each sample of a classification.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArrayDyn<'py, f32>,
    ) -> PyResult<(Bound<'py, PyArrayDyn<f32>>, Option<Bound<'py, PyArray1<u32>>>)> {
        let x = self.inputs(py, &x)?;
        let prediction = py.detach(|| self.model.predict(&x)).map_err(|e| from_pipeline(py, e))?;
        let classes = prediction.classes.map(|classes| classes.into_pyarray(py));
        Ok((arrays::to_python(py, prediction.values)?, classes))
    }

    /// The outputs of the network itself: logits, or values that are not decoded.
    fn outputs<'py>(&self, py: Python<'py>, x: PyReadonlyArrayDyn<'py, f32>) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let x = self.inputs(py, &x)?;
        let outputs = py.detach(|| self.model.outputs(&x)).map_err(|e| from_pipeline(py, e))?;
        arrays::to_python(py, outputs)
    }

    /// The model as the contents of an ONNX file, verified against the model.
    #[pyo3(signature = (*, opset=None, raw=false, fold=false))]
    fn to_onnx<'py>(
        &self,
        py: Python<'py>,
        opset: Option<i64>,
        raw: bool,
        fold: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let options = OnnxOptions { opset: opset.unwrap_or(DEFAULT_OPSET), raw };
        let file = py.detach(|| self.onnx(options, fold)).map_err(|e| from_pipeline(py, e))?;
        Ok(PyBytes::new(py, &file))
    }

    /// The model as an ONNX file, written whole or not at all.
    #[pyo3(signature = (path, *, opset=None, raw=false, fold=false))]
    fn save_onnx(&self, py: Python<'_>, path: PathBuf, opset: Option<i64>, raw: bool, fold: bool) -> PyResult<()> {
        let options = OnnxOptions { opset: opset.unwrap_or(DEFAULT_OPSET), raw };
        let file = py.detach(|| self.onnx(options, fold)).map_err(|e| from_pipeline(py, e))?;
        let written = py.detach(|| write_atomic(&path, &file));
        written.map_err(|e| io::Error::new(e.kind(), format!("cannot write {}: {e}", path.display())).into())
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
