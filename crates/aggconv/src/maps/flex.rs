//! The implementation for Flex by this module's kernels, in `f32`.

use super::ext::{MapGrads, MapOps};
use crate::flex::{Contiguous, pooled};
use crate::kernels::scratch::Scratch;
use burn::backend::{Flex, tensor::FloatTensor};
use burn::tensor::Shape;

/// Adds `y` to `x` if the memory of x may be overwritten. Returns whether it was.
fn add_in_place(x: &mut Contiguous, y: &Contiguous) -> bool {
    x.exclusive_mut().map(|x| super::add_assign(x, y.as_slice())).is_some()
}

impl MapOps for Flex {
    fn map_add(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
        let [mut x, mut y] = [x, y].map(Contiguous::new);
        if add_in_place(&mut x, &y) {
            return x.0;
        }
        if add_in_place(&mut y, &x) {
            return y.0;
        }
        let mut sum = Scratch::take_long_lived(x.shape().num_elements());
        super::add(x.as_slice(), y.as_slice(), &mut sum);
        pooled(sum, x.shape().clone())
    }

    fn map_mean(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let x = Contiguous::new(x);
        let (dims, plane) = planes(x.shape());
        let mut means = Scratch::take_long_lived(dims[0] * dims[1]);
        super::mean(x.as_slice(), plane, &mut means);
        pooled(means, dims)
    }
}

impl MapGrads for Flex {
    fn map_mean_backward(shape: Shape, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        let (_, plane) = planes(&shape);
        let mut dx = Scratch::take_long_lived(shape.num_elements());
        super::mean_backward(Contiguous::new(dy).as_slice(), plane, &mut dx);
        pooled(dx, shape)
    }
}

/// The shape `[batch, channels]`, and the number of positions of a sample and channel.
fn planes(shape: &Shape) -> ([usize; 2], usize) {
    let dims: &[usize] = shape;
    ([dims[0], dims[1]], dims[2..].iter().product())
}
