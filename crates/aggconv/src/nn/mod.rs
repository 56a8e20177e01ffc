//! temp
#![allow(missing_docs)]
use crate::ops::*;
use crate::*;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation};
use std::sync::Arc;
#[derive(Module, Debug)]
pub struct AggConv {
    pub weight: Param<Tensor<3>>,
    pub alpha: Param<Tensor<1>>,
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    pub space: Arc<KernelSpace>,
    #[module(skip)]
    pub dims: usize,
    #[module(skip)]
    pub stride: usize,
    #[module(skip)]
    pub groups: usize,
    #[module(skip)]
    pub method: Method,
}
pub struct AggConvConfig {
    channels: [usize; 2],
    space: KernelSpace,
    dims: usize,
    stride: usize,
    groups: usize,
    method: Method,
}
impl AggConvConfig {
    pub fn new(channels: [usize; 2], space: KernelSpace) -> Self {
        Self { channels, space, dims: 2, stride: 1, groups: 1, method: Method::Auto }
    }
    pub fn with_dims(mut self, d: usize) -> Self {
        self.dims = d;
        self
    }
    pub fn with_stride(mut self, d: usize) -> Self {
        self.stride = d;
        self
    }
    pub fn with_groups(mut self, d: usize) -> Self {
        self.groups = d;
        self
    }
    pub fn with_method(mut self, d: Method) -> Self {
        self.method = d;
        self
    }
    pub fn init(&self, device: &Device) -> AggConv {
        let t: usize = self.space.candidates().iter().map(|c| c.k.pow(self.dims as u32)).sum();
        AggConv {
            weight: Param::from_tensor(Tensor::zeros([self.channels[1], self.channels[0] / self.groups, t], device)),
            alpha: Param::from_tensor(Tensor::zeros([self.space.len()], device)),
            bias: Some(Param::from_tensor(Tensor::zeros([self.channels[1]], device))),
            space: Arc::new(self.space.clone()),
            dims: self.dims,
            stride: self.stride,
            groups: self.groups,
            method: self.method,
        }
    }
}
impl AggConv {
    pub fn mixing(&self, noise: Option<Tensor<1>>, tau: f64) -> Tensor<1> {
        let l = activation::log_softmax(self.alpha.val(), 0);
        let l = match noise {
            Some(n) => l + n,
            None => l,
        };
        activation::softmax(l / tau, 0)
    }
    pub fn forward_mixed(&self, x: Tensor<4>, c: Tensor<1>) -> Tensor<4> {
        let mut o = AggConvOptions::new(self.space.clone(), self.dims);
        o.stride = self.stride;
        o.groups = self.groups;
        o.method = self.method;
        agg_conv(x, self.weight.val(), c, self.bias.as_ref().map(|b| b.val()), &o).unwrap()
    }
}
#[derive(Module, Debug)]
pub struct KernelConv {
    pub weight: Param<Tensor<3>>,
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    taps: Arc<TapSet>,
    #[module(skip)]
    dims: usize,
    #[module(skip)]
    stride: usize,
}
pub struct KernelConvConfig {
    channels: [usize; 2],
    k: usize,
    d: usize,
    dims: usize,
    stride: usize,
}
impl KernelConvConfig {
    pub fn new(channels: [usize; 2], k: usize) -> Self {
        Self { channels, k, d: 1, dims: 2, stride: 1 }
    }
    pub fn with_dims(mut self, d: usize) -> Self {
        self.dims = d;
        self
    }
    pub fn with_dilation(mut self, d: usize) -> Self {
        self.d = d;
        self
    }
    pub fn with_stride(mut self, d: usize) -> Self {
        self.stride = d;
        self
    }
    pub fn init(&self, device: &Device) -> KernelConv {
        let taps = Arc::new(TapSet::lattice(self.k, self.d, self.dims));
        KernelConv {
            weight: Param::from_tensor(Tensor::zeros([self.channels[1], self.channels[0], taps.len()], device)),
            bias: Some(Param::from_tensor(Tensor::zeros([self.channels[1]], device))),
            taps,
            dims: self.dims,
            stride: self.stride,
        }
    }
}
impl KernelConv {
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut o = TapConvOptions::new(self.taps.clone());
        o.stride = if self.dims == 1 { [1, self.stride] } else { [self.stride; 2] };
        tap_conv(x, self.weight.val(), self.bias.as_ref().map(|b| b.val()), &o).unwrap()
    }
}
