//! The operator by itself, on arrays.

use crate::arrays::{to_rust, vector_to_python};
use crate::errors::{Class, raise};
use crate::threads::compute;
use aggconv::ops::{self, AggConvOptions};
use aggconv::{Formulation, KernelSpace};
use burn::tensor::{Device, Tensor, TensorData, activation};
use dashnas_formats::array::Array;
use numpy::{PyArrayDyn, PyReadonlyArrayDyn};
use pyo3::prelude::*;
use std::fmt::Display;

type ArrayIn<'py> = PyReadonlyArrayDyn<'py, f32>;
type ArrayOut<'py> = Bound<'py, PyArrayDyn<f32>>;

/// What the operator is given, besides its operands.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    kernel_sizes: Vec<usize>,
    dilations: Vec<usize>,
    stride: usize,
    groups: usize,
    formulation: String,
}

/// `Σ_{k,d} softmax(α)_{k,d} · Conv_{k,d}(x) + b`; shapes as in `dashnas.agg_conv`, weights flat.
///
/// # Errors
/// `dashnas.errors.OperatorError` if the operands do not fit together.
#[pyfunction]
#[pyo3(signature = (x, weights, alpha, bias, options))]
pub fn agg_conv<'py>(
    py: Python<'py>,
    x: ArrayIn<'py>,
    weights: ArrayIn<'py>,
    alpha: ArrayIn<'py>,
    bias: Option<ArrayIn<'py>>,
    options: Options,
) -> PyResult<ArrayOut<'py>> {
    let operands = Operands::new(py, &x, &weights, &alpha, bias.as_ref())?;
    let (options, dims) = (operands.options(py, options)?, operands.dims());
    let y = compute(py, None, || operands.on(&Device::flex()).forward(&options))?.map_err(|e| wrong(py, &e))?;
    data_out(py, y, dims)
}

/// The gradients of `Σ dy · agg_conv(x, weights, alpha)` by x, weights (flat), alpha and bias.
///
/// # Errors
/// As [`agg_conv`], and if `dy` has not the shape of the output.
#[pyfunction]
#[pyo3(signature = (dy, x, weights, alpha, options))]
pub fn agg_conv_backward<'py>(
    py: Python<'py>,
    dy: ArrayIn<'py>,
    x: ArrayIn<'py>,
    weights: ArrayIn<'py>,
    alpha: ArrayIn<'py>,
    options: Options,
) -> PyResult<(ArrayOut<'py>, ArrayOut<'py>, ArrayOut<'py>)> {
    let operands = Operands::new(py, &x, &weights, &alpha, None)?;
    let (options, dims) = (operands.options(py, options)?, operands.dims());
    let dy = to_rust(&dy);
    let gradients = compute(py, None, || -> Result<_, String> {
        let device = Device::flex().autodiff();
        let on = operands.on(&device).requiring_gradients();
        let y = on.forward(&options).map_err(|e| e.to_string())?;
        let expected = data_shape(y.dims(), options.dims);
        if dy.shape != expected {
            return Err(format!("dy has shape {:?}, but the output has {expected:?}", dy.shape));
        }
        let dy = Tensor::<4>::from_data(TensorData::new(dy.data, y.dims()), &device);
        let mut gradients = (y * dy).sum().backward();
        let missing = "the output does not depend on it";
        let dx = on.x.grad_remove(&mut gradients).ok_or(missing)?;
        let dw = on.w.grad_remove(&mut gradients).ok_or(missing)?;
        let da = on.alpha.grad_remove(&mut gradients).ok_or(missing)?;
        Ok((dx, dw, da))
    })?;
    let (dx, dw, da) = gradients.map_err(|e| wrong(py, &e))?;
    let (dw_shape, da_shape) = (dw.dims().to_vec(), da.dims().to_vec());
    Ok((
        data_out(py, dx, dims)?,
        vector_to_python(py, values(py, dw)?, dw_shape)?,
        vector_to_python(py, values(py, da)?, da_shape)?,
    ))
}

/// The operands as they came, with their ranks checked.
struct Operands {
    x: Array,
    w: Array,
    alpha: Array,
    bias: Option<Array>,
}

impl Operands {
    fn new(
        py: Python<'_>,
        x: &ArrayIn<'_>,
        w: &ArrayIn<'_>,
        alpha: &ArrayIn<'_>,
        bias: Option<&ArrayIn<'_>>,
    ) -> PyResult<Self> {
        let (x, w, alpha, bias) = (to_rust(x), to_rust(w), to_rust(alpha), bias.map(to_rust));
        let operands = [
            ("x", Some(&x), &[3, 4][..], "[N, C, L] or [N, C, H, W]"),
            ("weights", Some(&w), &[3], "[outputs, inputs / groups, taps]"),
            ("alpha", Some(&alpha), &[1], "[kernel sizes * dilations]"),
            ("bias", bias.as_ref(), &[1], "[outputs]"),
        ];
        for (name, array, ranks, expected) in operands {
            if let Some(array) = array.filter(|a| !ranks.contains(&a.shape.len())) {
                return Err(wrong(py, &format!("{name} has shape {:?}, not {expected}", array.shape)));
            }
        }
        Ok(Self { x, w, alpha, bias })
    }

    /// Spatial axes of the data, 1 or 2.
    fn dims(&self) -> usize {
        self.x.shape.len() - 2
    }

    fn options(&self, py: Python<'_>, given: Options) -> PyResult<AggConvOptions> {
        let space = KernelSpace::new(given.kernel_sizes, given.dilations).map_err(|e| wrong(py, &e))?;
        let formulation: Formulation = given.formulation.parse().map_err(|e| wrong(py, &e))?;
        Ok(AggConvOptions {
            stride: given.stride,
            groups: given.groups,
            formulation,
            ..AggConvOptions::new(space, self.dims())
        })
    }

    /// The operands, moved to a device.
    fn on(self, device: &Device) -> OnDevice {
        let shape = &self.x.shape;
        let x = match shape[2..] {
            [l] => [shape[0], shape[1], 1, l],
            // Ranks were checked.
            _ => [shape[0], shape[1], shape[2], shape[3]],
        };
        let tensor = |a: Array| TensorData::new(a.data, a.shape);
        OnDevice {
            x: Tensor::from_data(TensorData::new(self.x.data, x), device),
            w: Tensor::from_data(tensor(self.w), device),
            alpha: Tensor::from_data(tensor(self.alpha), device),
            bias: self.bias.map(|b| Tensor::from_data(tensor(b), device)),
        }
    }
}

/// A tensor of data of so many spatial axes, handed to Python.
fn data_out<'py>(py: Python<'py>, y: Tensor<4>, dims: usize) -> PyResult<ArrayOut<'py>> {
    let shape = data_shape(y.dims(), dims);
    vector_to_python(py, values(py, y)?, shape)
}

/// The operands as tensors; `x` has a row axis of size 1 in one dimension.
struct OnDevice {
    x: Tensor<4>,
    w: Tensor<3>,
    alpha: Tensor<1>,
    bias: Option<Tensor<1>>,
}

impl OnDevice {
    fn requiring_gradients(self) -> Self {
        let Self { x, w, alpha, bias } = self;
        Self { x: x.require_grad(), w: w.require_grad(), alpha: alpha.require_grad(), bias }
    }

    fn forward(&self, options: &AggConvOptions) -> Result<Tensor<4>, aggconv::OperatorError> {
        let mixture = activation::softmax(self.alpha.clone(), 0);
        ops::agg_conv(self.x.clone(), self.w.clone(), mixture, self.bias.clone(), options)
    }
}

/// `[N, C, L]` of a series' `[N, C, 1, L]`, and the shape itself in two dimensions.
fn data_shape([n, c, h, w]: [usize; 4], dims: usize) -> Vec<usize> {
    if dims == 1 { vec![n, c, w] } else { vec![n, c, h, w] }
}

fn values<const D: usize>(py: Python<'_>, tensor: Tensor<D>) -> PyResult<Vec<f32>> {
    tensor.into_data().try_into_vec::<f32>().map_err(|e| wrong(py, &format!("{e:?}")))
}

fn wrong(py: Python<'_>, message: &dyn Display) -> PyErr {
    raise(py, Class::Operator, message, None)
}
