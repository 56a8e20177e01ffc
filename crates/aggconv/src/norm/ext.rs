//! Normalization as Burn backend operations: a backend that implements [`NormOps`] and [`NormGrads`] computes it with
//! its own kernels, and the implementation for `Autodiff` here serves all such backends.
//!
//! The caller, [`ops`](super::ops), checks the shapes and runs a composition of Burn operations on other backends.

use burn::backend::ops::{ActivationOps, ModuleOps};
use burn::backend::{AutodiffBackend, Backend, backend_extension, tensor::FloatTensor};
use burn_autodiff::checkpoint::retro_forward::RetroForward;
use burn_autodiff::checkpoint::{base::Checkpointer, state::BackwardStates, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_autodiff::{Autodiff, NodeId};

/// Batch normalization, optionally followed by a ReLU. `x` is `[batch, channels, …]`, and every other tensor is
/// `[channels]`.
#[backend_extension(Flex, Autodiff)]
pub trait NormOps: Backend {
    /// Normalizes with the statistics of the batch. Returns the output, the mean and the biased variance; only the
    /// output is differentiable.
    fn norm_act_train(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// Normalizes with given statistics.
    fn norm_act(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> FloatTensor<Self>;
}

/// The inputs of [`NormOps::norm_act_train`] and the statistics that it returned, which its backward pass needs.
#[derive(Debug, Clone)]
pub struct NormContext<T> {
    /// The input.
    pub x: T,
    /// γ.
    pub gamma: T,
    /// β.
    pub beta: T,
    /// The mean of the batch.
    pub mean: T,
    /// The biased variance of the batch.
    pub variance: T,
    /// ε.
    pub epsilon: f64,
    /// Whether a ReLU follows.
    pub relu: bool,
}

/// The backward pass of [`NormOps`], on a backend without autodiff.
pub trait NormGrads: NormOps {
    /// Computes the gradients of x, γ and β from the gradient of the output.
    fn norm_act_train_backward(
        context: NormContext<FloatTensor<Self>>,
        dy: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 3];
}

#[derive(Debug)]
struct NormActTrain;

/// The inputs by node, and the statistics by value.
#[derive(Debug, Clone)]
struct NormState<T> {
    inputs: [NodeId; 3],
    mean: T,
    variance: T,
    epsilon: f64,
    relu: bool,
}

impl<B: NormGrads> Backward<B, 3> for NormActTrain {
    type State = NormState<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let NormState { inputs, mean, variance, epsilon, relu } = ops.state;
        let [x, gamma, beta] = inputs.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let context = NormContext { x, gamma, beta, mean, variance, epsilon, relu };
        for (parent, gradient) in ops.parents.into_iter().zip(B::norm_act_train_backward(context, dy)) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

/// Recomputes the output in the backward pass, where gradients are checkpointed. The convolution that follows needs the
/// output, and recomputation is cheap compared with keeping it from one pass to the other.
#[derive(Debug)]
struct RecomputeOutput<B: Backend>(NormState<FloatTensor<B>>);

impl<B: NormGrads> RetroForward for RecomputeOutput<B> {
    fn forward(&self, states: &mut BackwardStates, out_node: NodeId) {
        let NormState { inputs, mean, variance, epsilon, relu } = self.0.clone();
        let [x, gamma, beta] = inputs.map(|node| states.get_state::<FloatTensor<B>>(&node));
        states.save(out_node, B::norm_act(x, gamma, beta, mean, variance, epsilon, relu));
    }
}

impl<B: NormGrads, C: CheckpointStrategy> NormOps for Autodiff<B, C> {
    fn norm_act_train(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let [x_inner, gamma_inner, beta_inner] = [&x, &gamma, &beta].map(|tensor| tensor.primitive().clone());
        let (y, mean, variance) = B::norm_act_train(x_inner, gamma_inner, beta_inner, epsilon, relu);
        let inputs = [nodes[0].id(), nodes[1].id(), nodes[2].id()];
        let state = NormState { inputs, mean: mean.clone(), variance: variance.clone(), epsilon, relu };
        let prepared = NormActTrain
            .prepare::<C>(nodes)
            .memory_bound()
            .retro_forward(RecomputeOutput::<B>(state.clone()))
            .parents([&x, &gamma, &beta])
            .stateful();
        let output = match prepared {
            OpsKind::Tracked(mut prep) => {
                for tensor in [&x, &gamma, &beta] {
                    prep.checkpoint(tensor);
                }
                prep.finish(state, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(y),
        };
        (output, Self::from_inner(mean), Self::from_inner(variance))
    }

    fn norm_act(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> FloatTensor<Self> {
        // A frozen layer in a network in training is rare, so it is composed of Burn operations.
        let y = Self::batch_norm(x, gamma, beta, mean, variance, epsilon);
        if relu { Self::relu(y) } else { y }
    }
}
