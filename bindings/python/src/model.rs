//! Trained models.

use crate::errors::from_pipeline;
use crate::{arrays, json};
use burn::tensor::Device;
use dashnas::bench::random_inputs;
use dashnas::data::Array;
use dashnas::export::onnx::{DEFAULT_OPSET, onnx};
use dashnas::export::{OnnxOptions, fold_batch_norm, verify};
use dashnas::model::{self, Artefact, LabelType};
use dashnas::predict::InputError;
use dashnas::run_dir::write_atomic;
use numpy::{IntoPyArray, PyArray1, PyArrayDyn, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::io;
use std::path::{Path, PathBuf};

/// Samples that an ONNX file is compared on.
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

    /// An ONNX file that was run again on random inputs.
    fn onnx(&self, options: OnnxOptions, fold: bool) -> Result<Vec<u8>, dashnas::Error> {
        let mut artefact = self.model.to_artefact();
        if fold {
            artefact = fold_batch_norm(&artefact)?;
        }
        let file = onnx(&artefact, options)?;
        // Folded or not, it is to say what this model says.
        verify(&file, &self.model, options.raw, &random_inputs(&self.model, SAMPLES, 0))?;
        Ok(file)
    }

    /// Inputs, which have no more axes than the model's own: an image is no series, though it have one channel.
    fn inputs(&self, py: Python<'_>, x: &PyReadonlyArrayDyn<'_, f32>) -> PyResult<Array> {
        let expected = self.model.card().read_as.clone();
        if x.shape().len() > expected.len() + 1 {
            return Err(from_pipeline(py, InputError::Rank { shape: x.shape().to_vec(), expected }.into()));
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
        let read = Artefact::from_bytes(data, Path::new("the model"));
        let model = read.and_then(|artefact| model::Model::from_artefact(artefact, &Device::flex()));
        model.map(Self::new).map_err(|e| from_pipeline(py, e))
    }

    /// The contents of a model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.model.to_artefact().to_bytes().map_err(|e| from_pipeline(py, e))?;
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
            let mut artefact = self.model.to_artefact();
            artefact.card.labels = labels;
            artefact.write(&path)
        });
        written.map_err(|e| from_pipeline(py, e))
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
        let x = self.inputs(py, &x)?;
        let prediction = py.detach(|| self.model.predict(&x)).map_err(|e| from_pipeline(py, e))?;
        let classes = prediction.classes.map(|classes| classes.into_pyarray(py));
        Ok((arrays::to_python(py, prediction.values)?, classes))
    }

    /// What the network itself says: logits, or values that are not decoded.
    fn outputs<'py>(&self, py: Python<'py>, x: PyReadonlyArrayDyn<'py, f32>) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let x = self.inputs(py, &x)?;
        let outputs = py.detach(|| self.model.outputs(&x)).map_err(|e| from_pipeline(py, e))?;
        arrays::to_python(py, outputs)
    }

    /// The model as an ONNX file's contents, which were run again and agree with the model.
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

    /// The same as a file, written whole or not at all.
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
