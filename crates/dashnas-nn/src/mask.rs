//! Batches of samples with lengths of their own.
//!
//! A shorter sample is NaN after its [end](dashnas_formats::ends), in all channels. The network leaves these positions out: it computes for each sample what it would compute for the sample alone.

use aggconv::maps::ops as maps;
use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};
use dashnas_formats::ends;

/// The magnitude of the values after the ends where maxima are taken: beyond the values of networks, and finite, so that
/// a product with zero is zero.
pub(crate) const LOW: f32 = 1e30;

/// The lengths of the samples of a batch, some of which are shorter than the last axis.
#[derive(Debug, Clone)]
pub(crate) struct Mask {
    lengths: Vec<usize>,
}

impl Mask {
    /// Takes the lengths from a batch `[N, C, H, W]`, and returns the batch with zeros after the ends. `None` if no
    /// sample ends before the others: nothing has to be left out then. Unless the positions of the outputs are those of
    /// the inputs (`dense`), what follows the longest sample is cut off.
    pub fn of(x: Tensor<4>, dense: bool) -> (Tensor<4>, Option<Self>) {
        let [n, c, h, w] = x.dims();
        let first = x.clone().slice([0..n, 0..1, 0..1, 0..w]).into_data();
        let first = first.convert::<f32>();
        let lengths: Vec<usize> = match first.as_slice::<f32>() {
            Ok(values) => values.chunks(w).map(|line| ends::length(line, w)).collect(),
            // Converted above.
            Err(_) => vec![w; n],
        };
        if lengths.iter().all(|&length| length == w) {
            return (x, None);
        }
        let longest = lengths.iter().copied().max().unwrap_or(w);
        let x = if dense { x } else { x.slice([0..n, 0..c, 0..h, 0..longest]) };
        if !dense && lengths.iter().all(|&length| length == longest) {
            return (x, None);
        }
        let ended = x.clone().is_nan();
        (x.mask_fill(ended, 0.0), Some(Self { lengths }))
    }

    /// The positions of each sample on the last axis of a value of this stride.
    fn lengths(&self, stride: usize) -> impl Iterator<Item = usize> {
        self.lengths.iter().map(move |length| length.div_ceil(stride))
    }

    /// Applies a function of values `[1, C, 1, positions]` to the positions before the ends of a value `[N, C, H, W]` of
    /// this stride. The result has zeros after the ends.
    pub fn within(&self, x: Tensor<4>, stride: usize, f: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Tensor<4> {
        let [n, c, h, w] = x.dims();
        let rows = self.lengths(stride).enumerate().flat_map(|(i, length)| (0..h).map(move |y| (i * h + y, length)));
        let positions: Vec<i32> =
            rows.flat_map(|(row, length)| (0..length).map(move |at| (row * w + at) as i32)).collect();
        let count = positions.len();
        let positions = Tensor::<1, Int>::from_data(TensorData::new(positions, [count]), &x.device());
        let by_channel = x.permute([1, 0, 2, 3]).reshape([c, n * h * w]);
        let empty = Tensor::<2>::zeros([c, n * h * w], &by_channel.device());
        let inside = by_channel.select(1, positions.clone()).reshape([1, c, 1, count]);
        let inside = f(inside).reshape([c, count]);
        let whole = empty.select_assign(1, positions, inside, IndexingUpdateOp::Add);
        whole.reshape([c, n, h, w]).permute([1, 0, 2, 3])
    }

    /// Makes a value `[N, C, H, W]` of this stride zero after the ends.
    pub fn cleared(&self, x: Tensor<4>, stride: usize) -> Tensor<4> {
        let inside = self.inside(&x, stride);
        x * inside
    }

    /// Makes a value `[N, C, H, W]` of this stride so low after the ends that it is in no maximum.
    pub fn lowered(&self, x: Tensor<4>, stride: usize) -> Tensor<4> {
        let inside = self.inside(&x, stride);
        x * inside.clone() + (inside - 1.0) * LOW
    }

    /// 1 before the ends of a value of this stride and 0 after them, `[N, 1, 1, W]`.
    fn inside(&self, x: &Tensor<4>, stride: usize) -> Tensor<4> {
        let [n, _, _, w] = x.dims();
        let inside: Vec<f32> =
            self.lengths(stride).flat_map(|length| (0..w).map(move |at| if at < length { 1.0 } else { 0.0 })).collect();
        Tensor::from_data(TensorData::new(inside, [n, 1, 1, w]), &x.device())
    }

    /// The value at the last position before the end of each sample, `[N, C, 1, W]` of this stride to `[N, C, 1, 1]`.
    pub fn last(&self, x: Tensor<4>, stride: usize) -> Tensor<4> {
        let [n, _, _, w] = x.dims();
        let last: Vec<f32> = self
            .lengths(stride)
            .flat_map(|length| (0..w).map(move |at| if at + 1 == length { 1.0 } else { 0.0 }))
            .collect();
        let last = Tensor::<4>::from_data(TensorData::new(last, [n, 1, 1, w]), &x.device());
        (x * last).sum_dim(3)
    }

    /// Computes the mean over the positions before the ends, `[N, C, H, W]` to `[N, C, 1, 1]`, of a value of this stride
    /// that is zero after them.
    pub fn mean(&self, x: Tensor<4>, stride: usize) -> Tensor<4> {
        let [n, c, _, w] = x.dims();
        let device = x.device();
        let means = maps::mean_positions(x).unwrap_or_else(|error| panic!("{error}"));
        let factors: Vec<f32> = self.lengths(stride).map(|length| w as f32 / length as f32).collect();
        let factors = Tensor::<2>::from_data(TensorData::new(factors, [n, 1]), &device);
        (means * factors).reshape([n, c, 1, 1])
    }
}
