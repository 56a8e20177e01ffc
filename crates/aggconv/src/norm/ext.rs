//! Normalization as Burn backend operations: a backend that implements [`NormOps`] computes it
//! with its own kernels, and its autodiff follows from [`NormGrads`], once for all.
//!
//! Shapes are checked by the caller, [`ops`](super::ops), which runs a composition of Burn
//! operations on other backends.

use burn::backend::ops::{ActivationOps, ModuleOps};
use burn::backend::{AutodiffBackend, Backend, backend_extension, tensor::FloatTensor};
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_autodiff::{Autodiff, NodeId};

/// Batch normalization with or without a ReLU behind it. `x` is `[batch, channels, …]`, every
/// other tensor `[channels]`.
#[backend_extension(Flex, Autodiff)]
pub trait NormOps: Backend {
    /// With the statistics of the batch: the output, the mean and the biased variance. Only the
    /// output is differentiable.
    fn norm_act_train(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// With given statistics.
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

/// The inputs of [`NormOps::norm_act_train`] and the statistics it returned, which is all that
/// its backward pass needs.
#[derive(Debug, Clone)]
pub struct NormContext<T> {
    /// The input.
    pub x: T,
    /// γ.
    pub gamma: T,
    /// β.
    pub beta: T,
    /// The batch's mean.
    pub mean: T,
    /// The batch's biased variance.
    pub variance: T,
    /// ε.
    pub epsilon: f64,
    /// Whether a ReLU followed.
    pub relu: bool,
}

/// The backward pass of [`NormOps`], on a backend without autodiff.
pub trait NormGrads: NormOps {
    /// The gradients of x, γ and β, from that of the output.
    fn norm_act_train_backward(
        context: NormContext<FloatTensor<Self>>,
        dy: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 3];
}

#[derive(Debug)]
struct NormActTrain;

/// The kept inputs by node, the statistics by value.
#[derive(Debug, Clone)]
struct State<T> {
    inputs: [NodeId; 3],
    mean: T,
    variance: T,
    epsilon: f64,
    relu: bool,
}

impl<B: NormGrads> Backward<B, 3> for NormActTrain {
    type State = State<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let State { inputs, mean, variance, epsilon, relu } = ops.state;
        let [x, gamma, beta] = inputs.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let context = NormContext { x, gamma, beta, mean, variance, epsilon, relu };
        for (parent, gradient) in ops.parents.into_iter().zip(B::norm_act_train_backward(context, dy)) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
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
        let prepared = NormActTrain.prepare::<C>([x.node(), gamma.node(), beta.node()]).compute_bound().stateful();
        let (output, mean, variance) = match prepared {
            OpsKind::Tracked(mut prep) => {
                let inputs = [prep.checkpoint(&x), prep.checkpoint(&gamma), prep.checkpoint(&beta)];
                let (y, mean, variance) =
                    B::norm_act_train(x.into_primitive(), gamma.into_primitive(), beta.into_primitive(), epsilon, relu);
                let state = State { inputs, mean: mean.clone(), variance: variance.clone(), epsilon, relu };
                (prep.finish(state, y), mean, variance)
            }
            OpsKind::UnTracked(prep) => {
                let (y, mean, variance) =
                    B::norm_act_train(x.into_primitive(), gamma.into_primitive(), beta.into_primitive(), epsilon, relu);
                (prep.finish(y), mean, variance)
            }
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
        // A frozen layer in a training network: rare enough to be composed.
        let y = Self::batch_norm(x, gamma, beta, mean, variance, epsilon);
        if relu { Self::relu(y) } else { y }
    }
}
