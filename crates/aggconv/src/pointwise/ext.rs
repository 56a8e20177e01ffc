//! The operations as Burn backend operations: a backend that implements [`PointwiseOps`] and [`PointwiseGrads`] computes
//! them with its own kernels, and the implementation for `Autodiff` here serves all such backends.
//!
//! Outputs are recomputed in the backward pass where gradients are checkpointed: the convolutions that follow need them,
//! and they cost little to compute.
//!
//! The caller, [`ops`](super::ops), checks the shapes and runs a composition of Burn operations on other backends.

use burn::backend::{Backend, backend_extension, tensor::FloatTensor};
use burn_autodiff::checkpoint::retro_forward::RetroForward;
use burn_autodiff::checkpoint::{base::Checkpointer, state::BackwardStates, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_autodiff::{Autodiff, NodeId};
use std::marker::PhantomData;

/// Operations on each position. `x` is `[batch, channels, …]`, and every other tensor is `[channels]`.
#[backend_extension(Flex, Autodiff)]
pub trait PointwiseOps: Backend {
    /// The exact GELU.
    fn exact_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Layer normalization over the channels.
    fn channel_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;

    /// The product with the factor of each channel.
    fn channel_scale(x: FloatTensor<Self>, factor: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The backward passes of [`PointwiseOps`], on a backend without autodiff.
pub trait PointwiseGrads: PointwiseOps {
    /// The gradient of the input from that of the output.
    fn exact_gelu_backward(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The gradients of x, γ and β from that of the output.
    fn channel_layer_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
        dy: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 3];

    /// The gradients of x and the factors from that of the output.
    fn channel_scale_backward(
        x: FloatTensor<Self>,
        factor: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 2];
}

/// Registers the gradients of the parents that are tracked.
fn register<B: Backend, const N: usize>(
    grads: &mut Gradients,
    parents: [Option<NodeId>; N],
    gradients: [FloatTensor<B>; N],
) {
    for (parent, gradient) in parents.into_iter().zip(gradients) {
        if let Some(parent) = parent {
            grads.register::<B>(parent, gradient);
        }
    }
}

#[derive(Debug)]
struct Gelu;

impl<B: PointwiseGrads> Backward<B, 1> for Gelu {
    type State = NodeId;

    fn backward(self, ops: Ops<NodeId, 1>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let x = checkpointer.retrieve_node_output::<FloatTensor<B>>(ops.state);
        register::<B, 1>(grads, ops.parents.map(|parent| parent.map(|node| node.id)), [B::exact_gelu_backward(x, dy)]);
    }
}

#[derive(Debug)]
struct RecomputeGelu<B>(NodeId, PhantomData<B>);

impl<B: PointwiseGrads> RetroForward for RecomputeGelu<B> {
    fn forward(&self, states: &mut BackwardStates, out_node: NodeId) {
        let x = states.get_state::<FloatTensor<B>>(&self.0);
        states.save(out_node, B::exact_gelu(x));
    }
}

#[derive(Debug)]
struct LayerNorm;

/// The inputs of a layer normalization by node, and ε.
#[derive(Debug, Clone)]
struct LayerNormState {
    inputs: [NodeId; 3],
    epsilon: f64,
}

impl<B: PointwiseGrads> Backward<B, 3> for LayerNorm {
    type State = LayerNormState;

    fn backward(self, ops: Ops<LayerNormState, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let LayerNormState { inputs: [x, gamma, _], epsilon } = ops.state;
        let [x, gamma] = [x, gamma].map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        register::<B, 3>(
            grads,
            ops.parents.map(|parent| parent.map(|node| node.id)),
            B::channel_layer_norm_backward(x, gamma, epsilon, dy),
        );
    }
}

#[derive(Debug)]
struct RecomputeLayerNorm<B>(LayerNormState, PhantomData<B>);

impl<B: PointwiseGrads> RetroForward for RecomputeLayerNorm<B> {
    fn forward(&self, states: &mut BackwardStates, out_node: NodeId) {
        let [x, gamma, beta] = self.0.inputs.map(|node| states.get_state::<FloatTensor<B>>(&node));
        states.save(out_node, B::channel_layer_norm(x, gamma, beta, self.0.epsilon));
    }
}

#[derive(Debug)]
struct Scale;

impl<B: PointwiseGrads> Backward<B, 2> for Scale {
    type State = [NodeId; 2];

    fn backward(self, ops: Ops<[NodeId; 2], 2>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let [x, factor] = ops.state.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        register::<B, 2>(
            grads,
            ops.parents.map(|parent| parent.map(|node| node.id)),
            B::channel_scale_backward(x, factor, dy),
        );
    }
}

#[derive(Debug)]
struct RecomputeScale<B>([NodeId; 2], PhantomData<B>);

impl<B: PointwiseGrads> RetroForward for RecomputeScale<B> {
    fn forward(&self, states: &mut BackwardStates, out_node: NodeId) {
        let [x, factor] = self.0.map(|node| states.get_state::<FloatTensor<B>>(&node));
        states.save(out_node, B::channel_scale(x, factor));
    }
}

impl<B: PointwiseGrads, C: CheckpointStrategy> PointwiseOps for Autodiff<B, C> {
    fn exact_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let input = x.id();
        let prepared = Gelu
            .prepare::<C>([x.node()])
            .memory_bound()
            .retro_forward(RecomputeGelu::<B>(input, PhantomData))
            .parents([&x])
            .stateful();
        match prepared {
            OpsKind::Tracked(mut prep) => {
                prep.checkpoint(&x);
                prep.finish(input, B::exact_gelu(x.into_primitive()))
            }
            OpsKind::UnTracked(prep) => prep.finish(B::exact_gelu(x.into_primitive())),
        }
    }

    fn channel_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let state = LayerNormState { inputs: [x.id(), gamma.id(), beta.id()], epsilon };
        let prepared = LayerNorm
            .prepare::<C>([x.node(), gamma.node(), beta.node()])
            .memory_bound()
            .retro_forward(RecomputeLayerNorm::<B>(state.clone(), PhantomData))
            .parents([&x, &gamma, &beta])
            .stateful();
        let compute = |[x, gamma, beta]: [FloatTensor<Self>; 3]| {
            B::channel_layer_norm(x.into_primitive(), gamma.into_primitive(), beta.into_primitive(), epsilon)
        };
        match prepared {
            OpsKind::Tracked(mut prep) => {
                for tensor in [&x, &gamma, &beta] {
                    prep.checkpoint(tensor);
                }
                prep.finish(state, compute([x, gamma, beta]))
            }
            OpsKind::UnTracked(prep) => prep.finish(compute([x, gamma, beta])),
        }
    }

    fn channel_scale(x: FloatTensor<Self>, factor: FloatTensor<Self>) -> FloatTensor<Self> {
        let inputs = [x.id(), factor.id()];
        let prepared = Scale
            .prepare::<C>([x.node(), factor.node()])
            .memory_bound()
            .retro_forward(RecomputeScale::<B>(inputs, PhantomData))
            .parents([&x, &factor])
            .stateful();
        match prepared {
            OpsKind::Tracked(mut prep) => {
                for tensor in [&x, &factor] {
                    prep.checkpoint(tensor);
                }
                prep.finish(inputs, B::channel_scale(x.into_primitive(), factor.into_primitive()))
            }
            OpsKind::UnTracked(prep) => prep.finish(B::channel_scale(x.into_primitive(), factor.into_primitive())),
        }
    }
}
