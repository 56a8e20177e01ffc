//! Convolution through the discrete Fourier transform (Eq. 4) that never stores the spectrum of a whole two-dimensional
//! grid.
//!
//! Let N_h×N_w be the size of the transform and `W̃[k] = Σ_o w[o]·exp(2πi k·o/N)`. The correlation is
//! `Ŷ[k] = W̃[k]·X̂[k]`, the input gradient is conj(W̃)·Ŷ', and the weight gradient is Σ_n Ŷ'·conj(X̂). Each is a small
//! complex matrix product over the channels (or over the batch) at every frequency. Five properties make the
//! computation fast:
//!
//! - N only needs to reach n + max|offset| over the taps that can touch the input, because values that wrap around fall
//!   outside the crop.
//! - Sixteen planes are transformed at once, one in each vector lane (`fft`). Two real signals form one complex signal
//!   (`real`).
//! - Only the transforms of the rows are stored (`row_spectra`). `columns`, `apply` and `correlate` process one column
//!   frequency at a time: they transform the columns, multiply and transform back within the cache. Column frequencies
//!   are independent of each other, so they are also the unit of parallel work, and no sum depends on the number of
//!   threads.
//! - Row spectra that exceed the caches are written with non-temporal stores (`RowSpectra::is_non_temporal`).
//! - The kernel is sparse: its spectrum is computed from its taps (`kernel_spectrum`), and the weight gradient is
//!   computed only at the taps (`weight_gradient`).

mod apply;
mod backward;
mod batch;
pub mod benchmark;
mod cgemm;
mod columns;
mod correlate;
mod fft;
mod forward;
mod gauss;
mod kernel_spectrum;
mod layout;
mod matrix;
mod phases;
mod planes;
mod pointwise;
mod real;
mod row_spectra;
mod saved;
mod setup;
mod sizes;
#[cfg(test)]
mod tests;
mod weight_gradient;
mod weights;

pub(super) use backward::backward;
pub(super) use forward::{forward, forward_saving};
pub(super) use saved::SavedSpectra;
pub(super) use sizes::{operations, sizes};
