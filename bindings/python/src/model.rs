//! Trained models.

use crate::errors::{Class, from_pipeline, raise};
use crate::threads::compute;
use crate::{arrays, json};
use burn::tensor::Device;
use dashnas::bench::infer::random_inputs;
use dashnas_core::files::write_atomic;
use dashnas_formats::array::Array;
use dashnas_formats::fill;
use dashnas_formats::options::Lengths;
use dashnas_nn::artifact::{Artifact, LabelType};
use dashnas_nn::error::InputError;
use dashnas_nn::error::ModelError;
use dashnas_nn::export::fold::fold_batch_norm;
use dashnas_nn::export::onnx::OnnxOptions;
use dashnas_nn::export::onnx::{DEFAULT_OPSET, onnx};
use dashnas_nn::export::torch::torch;
use dashnas_nn::export::verify;
use dashnas_nn::model;
use numpy::ndarray::Axis;
use numpy::{IntoPyArray, PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ffi::CString;
use std::io;
use std::path::{Path, PathBuf};

/// The number of samples on which an ONNX file is compared with the model.
const SAMPLES: usize = 16;

/// Who calls, so that a warning names the line of the user.
#[derive(Debug, Clone, Copy)]
pub enum Caller {
    /// The user.
    User,
    /// `evaluate` of an estimator, which the user calls.
    Evaluation,
    /// `_predict` of an estimator, which its methods call.
    Prediction,
}

/// Warns of inputs that do not look like the training data.
///
/// # Errors
/// The warning, where Python makes errors of warnings.
pub fn warn_of_unlike(py: Python<'_>, differences: &[String], caller: Caller) -> PyResult<()> {
    let level = match caller {
        Caller::User => 1,
        Caller::Evaluation => 2,
        Caller::Prediction => 3,
    };
    for difference in differences {
        let category = py.import("dashnas.errors")?.getattr("DashnasWarning")?;
        // No name of a channel holds the end of a text in C.
        let text = CString::new(format!("X: {difference}")).unwrap_or_default();
        PyErr::warn(py, &category, &text, level)?;
    }
    Ok(())
}

/// A trained model: a network with everything needed to run it on raw data.
#[pyclass(frozen, module = "dashnas")]
pub struct Model {
    /// Boxed: it is aligned more strictly than Python allocates.
    model: Box<model::Model>,
    centered: Option<Box<Centered>>,
}

/// The same model for inputs that are centered in `f64`, whose values are to be moved back in `f64`.
struct Centered {
    model: model::Model,
    inputs: Option<Vec<f64>>,
    targets: Option<Vec<f64>>,
}

impl Centered {
    fn of(model: &model::Model) -> Option<Box<Self>> {
        let centers = model.card().centers();
        let some = |centers: &Vec<f64>| (!centers.is_empty()).then(|| centers.clone());
        let (inputs, targets) = (some(&centers.inputs), some(&centers.targets));
        (!centers.is_empty()).then(|| Box::new(Self { model: model.of_centered(), inputs, targets }))
    }
}

type ArrayOut<'py> = Bound<'py, PyArrayDyn<f32>>;

impl Model {
    /// Wraps a model of the library.
    pub fn new(model: model::Model) -> Self {
        Self { centered: Centered::of(&model), model: Box::new(model) }
    }

    /// The model for inputs that are centered already, if that is another one.
    pub fn of_centered(&self) -> &model::Model {
        self.centered.as_ref().map_or(&*self.model, |centered| &centered.model)
    }

    /// What is to be added to its values, if anything is.
    pub fn target_centers(&self) -> Option<&[f64]> {
        self.centered.as_ref()?.targets.as_deref()
    }

    /// The contents of an ONNX file, verified against the model on random inputs.
    fn onnx(&self, options: OnnxOptions, fold: bool) -> Result<Vec<u8>, ModelError> {
        let mut artifact = self.model.to_artifact();
        if fold {
            artifact = fold_batch_norm(&artifact)?;
        }
        let file = onnx(&artifact, options)?;
        // The engine computes in single precision: it runs the same file without the subtraction in double precision.
        let centered = self.of_centered();
        let relative = match self.centered {
            Some(_) => {
                artifact.card = artifact.card.of_centered();
                onnx(&artifact, options)?
            }
            None => file.clone(),
        };
        // Folded or not, it must agree with this model.
        verify(&relative, centered, options.raw, &random_inputs(centered, SAMPLES, 0))?;
        Ok(file)
    }

    /// Inputs with at most as many axes as the model's own: an image is not a series, even if it has one channel. Missing
    /// values are filled as in training.
    pub fn inputs(&self, py: Python<'_>, x: &PyReadonlyArrayDyn<'_, f32>) -> PyResult<Array> {
        let card = self.model.card();
        let expected = card.read_as.clone();
        if x.shape().len() > expected.len() + 1 {
            return Err(from_pipeline(py, ModelError::from(InputError::Rank { shape: x.shape().to_vec(), expected })));
        }
        let mut x = arrays::to_rust(x);
        if let Some(how) = card.reading.fill_missing
            && x.data.iter().any(|v| v.is_nan())
        {
            if x.shape.len() == expected.len() {
                x.shape.insert(1, 1);
            }
            fill::check("x", &x.shape, how).map_err(|e| from_pipeline(py, e))?;
            fill::fill(&mut x, how, card.reading.lengths == Lengths::Mask);
        }
        Ok(x)
    }
}

#[pymethods]
impl Model {
    /// Reads a model file, or that of a run directory.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        compute(py, None, || model::Model::load(&path))?.map(Self::new).map_err(|e| from_pipeline(py, e))
    }

    /// Reads the contents of a model file.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        let model = compute(py, None, || {
            let artifact = Artifact::from_bytes(data, Path::new("the model"))?;
            model::Model::from_artifact(artifact, &Device::flex())
        })?;
        model.map(Self::new).map_err(|e| from_pipeline(py, e))
    }

    /// The contents of a model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.model.to_artifact().to_bytes().map_err(|e| from_pipeline(py, e))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes a model file; `labels` is the type of its classes. A file that dashnas did not write is replaced with
    /// `overwrite` only.
    #[pyo3(signature = (path, *, labels=None, overwrite=false))]
    fn save(&self, py: Python<'_>, path: PathBuf, labels: Option<&str>, overwrite: bool) -> PyResult<()> {
        spare(py, &path, "model", overwrite)?;
        let labels = match labels {
            None => self.model.card().labels,
            Some("bool") => Some(LabelType::Bool),
            Some("int") => Some(LabelType::Int),
            Some("float") => Some(LabelType::Float),
            Some("str") => Some(LabelType::Str),
            Some(other) => {
                return Err(raise(
                    py,
                    Class::Config,
                    &format!("there is no type of classes {other:?}"),
                    Some("one of bool, int, float, str".to_owned()),
                ));
            }
        };
        let written = compute(py, None, || {
            let mut artifact = self.model.to_artifact();
            artifact.card.labels = labels;
            artifact.write(&path)
        })?;
        written.map_err(|e| from_pipeline(py, e))
    }

    /// The description of the model, as a dict.
    #[getter]
    fn card<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::to_python(py, self.model.card())
    }

    /// The number of trained parameters.
    #[getter]
    fn n_parameters(&self) -> u64 {
        model::count_parameters(self.model.network())
    }

    /// What is to be subtracted from the inputs in `f64`, one number for each channel, and added to the values, one for each
    /// output, by [`Model::predict_centered`]; `None` for what needs nothing, and `None` for both if the model is for `f32`.
    #[getter]
    fn centers(&self) -> (Option<Vec<f64>>, Option<Vec<f64>>) {
        self.centered.as_ref().map_or((None, None), |of| (of.inputs.clone(), of.targets.clone()))
    }

    /// Probabilities or values, and the most probable class of each sample of a classification. Inputs of any type and
    /// layout are taken.
    #[pyo3(signature = (x, threads=None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        threads: Option<usize>,
    ) -> PyResult<(ArrayOut<'py>, Option<Bound<'py, PyArray1<u32>>>)> {
        if let Some(Centered { model, inputs: Some(centers), targets: None }) = self.centered.as_deref()
            && let Ok(wide) = x.extract::<PyReadonlyArrayDyn<'py, f64>>()
            && wide.shape().get(1) == Some(&centers.len())
        {
            let mut wide = wide.as_array().to_owned();
            for (mut channel, &center) in wide.axis_iter_mut(Axis(1)).zip(centers) {
                channel.mapv_inplace(|v| v - center);
            }
            let x = wide.mapv(|v| v as f32).into_pyarray(py).readonly();
            return self.predict_with(py, model, x, threads, Caller::User);
        }
        self.predict_with(py, &self.model, arrays::any_as_f32(x)?, threads, Caller::User)
    }

    /// As [`Model::predict`], for inputs that are centered already; the values are to be moved back.
    #[pyo3(signature = (x, threads=None))]
    fn predict_centered<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArrayDyn<'py, f32>,
        threads: Option<usize>,
    ) -> PyResult<(ArrayOut<'py>, Option<Bound<'py, PyArray1<u32>>>)> {
        self.predict_with(py, self.of_centered(), x, threads, Caller::Prediction)
    }

    /// The outputs of the network itself: logits, or values that are not decoded.
    fn outputs<'py>(&self, py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<ArrayOut<'py>> {
        let x = self.inputs(py, &arrays::any_as_f32(x)?)?;
        let outputs = compute(py, None, || self.model.outputs(&x))?.map_err(|e| from_pipeline(py, e))?;
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
        let file = compute(py, None, || self.onnx(options, fold))?.map_err(|e| from_pipeline(py, e))?;
        Ok(PyBytes::new(py, &file))
    }

    /// The model as an ONNX file, written whole or not at all. A file that dashnas did not write is replaced with `overwrite`
    /// only.
    #[pyo3(signature = (path, *, opset=None, raw=false, fold=false, overwrite=false))]
    fn save_onnx(
        &self,
        py: Python<'_>,
        path: PathBuf,
        opset: Option<i64>,
        raw: bool,
        fold: bool,
        overwrite: bool,
    ) -> PyResult<()> {
        spare(py, &path, "onnx", overwrite)?;
        let options = OnnxOptions { opset: opset.unwrap_or(DEFAULT_OPSET), raw };
        let file = compute(py, None, || self.onnx(options, fold))?.map_err(|e| from_pipeline(py, e))?;
        let written = py.detach(|| write_atomic(&path, &file));
        written.map_err(|e| io::Error::new(e.kind(), format!("cannot write {}: {e}", path.display())).into())
    }

    /// The source of a PyTorch module and the safetensors file of its weights, which the source calls `weights`.
    #[pyo3(signature = (weights, *, raw=false))]
    fn torch_files<'py>(&self, py: Python<'py>, weights: &str, raw: bool) -> PyResult<(String, Bound<'py, PyBytes>)> {
        let files = compute(py, None, || torch(&self.model.to_artifact(), weights, raw))?;
        let files = files.map_err(|e| from_pipeline(py, ModelError::from(e)))?;
        Ok((files.module, PyBytes::new(py, &files.weights)))
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

/// Raises `FileExistsError` if a file would be replaced that dashnas did not write.
fn spare(py: Python<'_>, path: &Path, kind: &str, overwrite: bool) -> PyResult<()> {
    py.import("dashnas._files")?.call_method1("spare", (path, kind, overwrite)).map(drop)
}

impl Model {
    fn predict_with<'py>(
        &self,
        py: Python<'py>,
        model: &model::Model,
        x: PyReadonlyArrayDyn<'py, f32>,
        threads: Option<usize>,
        caller: Caller,
    ) -> PyResult<(ArrayOut<'py>, Option<Bound<'py, PyArray1<u32>>>)> {
        let x = self.inputs(py, &x)?;
        let predict = || Ok((model.card().unlike_training(&x)?, model.predict(&x)?));
        let found = compute(py, threads, predict)?.map_err(|e: ModelError| from_pipeline(py, e))?;
        let (differences, prediction) = found;
        warn_of_unlike(py, &differences, caller)?;
        let classes = prediction.classes.map(|classes| classes.into_pyarray(py));
        Ok((arrays::to_python(py, prediction.values)?, classes))
    }
}
