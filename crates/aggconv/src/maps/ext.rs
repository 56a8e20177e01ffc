//! Sums and means as Burn backend operations: a backend that implements [`MapOps`] and [`MapGrads`] computes them with
//! its own kernels, and the implementation for `Autodiff` here serves all such backends.
//!
//! The caller, [`ops`](super::ops), checks the shapes and runs a composition of Burn operations on other backends.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};
use burn::tensor::Shape;
use burn_autodiff::checkpoint::retro_forward::RetroForward;
use burn_autodiff::checkpoint::{base::Checkpointer, state::BackwardStates, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind, binary, unary};
use burn_autodiff::{Autodiff, NodeId};
use std::marker::PhantomData;

/// Operations on whole activations.
#[backend_extension(Flex, Autodiff)]
pub trait MapOps: Backend {
    /// The sum of two tensors of the same shape.
    fn map_add(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The mean of `x: [batch, channels, …]` over all positions: `[batch, channels]`.
    fn map_mean(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The backward passes of [`MapOps`], on a backend without autodiff. The sum needs none, because both terms have the
/// gradient of the sum.
pub trait MapGrads: MapOps {
    /// Computes the gradient of an input of this shape from the gradient of its mean.
    fn map_mean_backward(shape: Shape, dy: FloatTensor<Self>) -> FloatTensor<Self>;
}

#[derive(Debug)]
struct Add;

impl<B: MapGrads> Backward<B, 2> for Add {
    type State = ();

    fn backward(self, ops: Ops<(), 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        binary::<B, _, _>(ops.parents, ops.node, grads, |gradient| gradient, |gradient| gradient);
    }
}

/// Recomputes the sum in the backward pass, where gradients are checkpointed.
#[derive(Debug)]
struct RecomputeSum<B> {
    terms: [NodeId; 2],
    backend: PhantomData<B>,
}

impl<B: MapGrads> RetroForward for RecomputeSum<B> {
    fn forward(&self, states: &mut BackwardStates, out_node: NodeId) {
        let [x, y] = self.terms.map(|node| states.get_state::<FloatTensor<B>>(&node));
        states.save(out_node, B::map_add(x, y));
    }
}

#[derive(Debug)]
struct Mean;

impl<B: MapGrads> Backward<B, 1> for Mean {
    type State = Shape;

    fn backward(self, ops: Ops<Shape, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let shape = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |gradient| B::map_mean_backward(shape, gradient));
    }
}

impl<B: MapGrads, C: CheckpointStrategy> MapOps for Autodiff<B, C> {
    fn map_add(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
        let terms = [x.id(), y.id()];
        let prepared = Add
            .prepare::<C>([x.node(), y.node()])
            .memory_bound()
            .retro_forward(RecomputeSum::<B> { terms, backend: PhantomData })
            .parents([&x, &y]);
        // The terms are moved and not cloned, so that the sum can reuse the memory of a term that is not needed
        // otherwise.
        prepared.stateless(B::map_add(x.into_primitive(), y.into_primitive()))
    }

    fn map_mean(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match Mean.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let shape = x.shape();
                prep.finish(shape, B::map_mean(x.into_primitive()))
            }
            OpsKind::UnTracked(prep) => prep.finish(B::map_mean(x.into_primitive())),
        }
    }
}
