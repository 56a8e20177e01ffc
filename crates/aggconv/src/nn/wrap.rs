//! The layers with the shapes of Burn's `Conv1d` and `Conv2d`.

use super::{AggConv, AggConvConfig, KernelConv, KernelConvConfig};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// Defines the wrapper of a layer for one-dimensional data: `[N, C, L]`.
macro_rules! one_dimensional {
    ($(#[$doc:meta])* $name:ident, $inner:ident, $config:ident) => {
        $(#[$doc])*
        #[derive(Module, Debug)]
        pub struct $name {
            /// The layer on `[N, C, 1, L]`.
            pub inner: $inner,
        }

        impl $name {
            /// Builds the layer in one dimension, regardless of the dimensions of the configuration.
            ///
            /// # Panics
            /// If the configuration is invalid.
            pub fn new(config: $config, device: &Device) -> Self {
                Self { inner: config.with_dims(1).init(device) }
            }

            /// Runs the layer: `[N, c_in, L]` to `[N, c_out, ⌈L/s⌉]`.
            ///
            /// # Panics
            /// If the input does not fit the layer.
            pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
                self.inner.forward(x.unsqueeze_dim::<4>(2)).squeeze_dim::<3>(2)
            }
        }
    };
}

/// Defines the wrapper of a layer for two-dimensional data: `[N, C, H, W]`.
macro_rules! two_dimensional {
    ($(#[$doc:meta])* $name:ident, $inner:ident, $config:ident) => {
        $(#[$doc])*
        #[derive(Module, Debug)]
        pub struct $name {
            /// The layer.
            pub inner: $inner,
        }

        impl $name {
            /// Builds the layer in two dimensions, regardless of the dimensions of the configuration.
            ///
            /// # Panics
            /// If the configuration is invalid.
            pub fn new(config: $config, device: &Device) -> Self {
                Self { inner: config.with_dims(2).init(device) }
            }

            /// Runs the layer: `[N, c_in, H, W]` to `[N, c_out, ⌈H/s⌉, ⌈W/s⌉]`.
            ///
            /// # Panics
            /// If the input does not fit the layer.
            pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
                self.inner.forward(x)
            }
        }
    };
}

one_dimensional!(
    /// [`AggConv`] for series, in place of Burn's `Conv1d`.
    AggConv1d,
    AggConv,
    AggConvConfig
);
two_dimensional!(
    /// [`AggConv`] for images and fields, in place of Burn's `Conv2d`.
    AggConv2d,
    AggConv,
    AggConvConfig
);
one_dimensional!(
    /// [`KernelConv`] for series.
    KernelConv1d,
    KernelConv,
    KernelConvConfig
);
two_dimensional!(
    /// [`KernelConv`] for images and fields.
    KernelConv2d,
    KernelConv,
    KernelConvConfig
);
