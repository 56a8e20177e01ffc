//! The autodiff implementation for every backend that has [`AggConvGrads`]. It saves only those inputs that a requested
//! gradient depends on, or the values that the backend derived from them.

use super::{AggConvGrads, AggConvOps, BackwardInput, TapConvSpec, WantedGradients};
use crate::kernels::SavedInput;
use crate::mix::MixPlan;
use burn::backend::{Backend, tensor::FloatTensor};
use burn_autodiff::Autodiff;
use burn_autodiff::NodeId;
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use std::sync::Arc;

/// The saved inputs of a tap convolution, by node, and its settings.
#[derive(Debug, Clone)]
struct TapConvState {
    x: BackwardInput<NodeId>,
    w: Option<NodeId>,
    spec: TapConvSpec,
}

impl TapConvState {
    fn gradients<B: AggConvGrads>(
        self,
        dy: FloatTensor<B>,
        wanted: WantedGradients,
        checkpointer: &mut Checkpointer,
    ) -> super::TapConvGradients<FloatTensor<B>> {
        let x = match self.x {
            BackwardInput::Unneeded => BackwardInput::Unneeded,
            BackwardInput::Tensor(node) => {
                BackwardInput::Tensor(checkpointer.retrieve_node_output::<FloatTensor<B>>(node))
            }
            BackwardInput::Saved(saved) => BackwardInput::Saved(saved),
        };
        let w = self.w.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        B::tap_conv_backward(x, w, dy, &self.spec, wanted)
    }
}

fn register<B: Backend>(grads: &mut Gradients, node: Option<NodeId>, gradient: Option<FloatTensor<B>>) {
    if let (Some(node), Some(gradient)) = (node, gradient) {
        grads.register::<B>(node, gradient);
    }
}

/// Computes the convolution and, if the gradient of the weights is requested, what the backend saves of its input.
fn compute<B: AggConvGrads, C: CheckpointStrategy>(
    x: &FloatTensor<Autodiff<B, C>>,
    w: &FloatTensor<Autodiff<B, C>>,
    bias: Option<FloatTensor<Autodiff<B, C>>>,
    spec: &TapConvSpec,
) -> (FloatTensor<B>, Option<Arc<SavedInput>>) {
    let (tracked, spec) = (w.is_tracked(), spec.clone());
    let [x, w] = [x, w].map(|tensor| tensor.clone().into_primitive());
    match bias.map(|bias| bias.into_primitive()) {
        bias if tracked => B::tap_conv_saving(x, w, bias, spec),
        Some(bias) => (B::tap_conv_bias(x, w, bias, spec), None),
        None => (B::tap_conv(x, w, spec), None),
    }
}

/// Collects the values that the gradients depend on.
fn state<B: AggConvGrads, C: CheckpointStrategy>(
    x: &FloatTensor<Autodiff<B, C>>,
    w: &FloatTensor<Autodiff<B, C>>,
    saved: Option<Arc<SavedInput>>,
    spec: TapConvSpec,
    mut checkpoint: impl FnMut(&FloatTensor<Autodiff<B, C>>) -> NodeId,
) -> TapConvState {
    let input = match saved {
        Some(saved) => BackwardInput::Saved(saved),
        None if w.is_tracked() => BackwardInput::Tensor(checkpoint(x)),
        None => BackwardInput::Unneeded,
    };
    TapConvState { x: input, w: x.is_tracked().then(|| checkpoint(w)), spec }
}

#[derive(Debug)]
struct TapConv;

impl<B: AggConvGrads> Backward<B, 2> for TapConv {
    type State = TapConvState;

    fn backward(self, ops: Ops<TapConvState, 2>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let [x, w] = ops.parents.map(|parent| parent.map(|node| node.id));
        let wanted = WantedGradients { x: x.is_some(), w: w.is_some(), bias: false };
        let gradients = ops.state.gradients::<B>(dy, wanted, checkpointer);
        register::<B>(grads, x, gradients.x);
        register::<B>(grads, w, gradients.w);
    }
}

#[derive(Debug)]
struct TapConvBias;

impl<B: AggConvGrads> Backward<B, 3> for TapConvBias {
    type State = TapConvState;

    fn backward(self, ops: Ops<TapConvState, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let [x, w, bias] = ops.parents.map(|parent| parent.map(|node| node.id));
        let wanted = WantedGradients { x: x.is_some(), w: w.is_some(), bias: bias.is_some() };
        let gradients = ops.state.gradients::<B>(dy, wanted, checkpointer);
        register::<B>(grads, x, gradients.x);
        register::<B>(grads, w, gradients.w);
        register::<B>(grads, bias, gradients.bias);
    }
}

#[derive(Debug)]
struct AggMix;

impl<B: AggConvGrads> Backward<B, 2> for AggMix {
    type State = (Option<NodeId>, Option<NodeId>, Arc<MixPlan>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let dm = grads.consume::<B>(&ops.node);
        let (w, c, plan) = ops.state;
        let w = w.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let c = c.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let (dw, dc) = B::agg_mix_backward(w, c, dm, &plan);
        let [w, c] = ops.parents.map(|parent| parent.map(|node| node.id));
        register::<B>(grads, w, dw);
        register::<B>(grads, c, dc);
    }
}

impl<B: AggConvGrads, C: CheckpointStrategy> AggConvOps for Autodiff<B, C> {
    fn tap_conv(x: FloatTensor<Self>, w: FloatTensor<Self>, spec: TapConvSpec) -> FloatTensor<Self> {
        match TapConv.prepare::<C>([x.node(), w.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let (y, saved) = compute::<B, C>(&x, &w, None, &spec);
                let state = state::<B, C>(&x, &w, saved, spec, |tensor| prep.checkpoint(tensor));
                prep.finish(state, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::tap_conv(x.into_primitive(), w.into_primitive(), spec)),
        }
    }

    fn tap_conv_bias(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        spec: TapConvSpec,
    ) -> FloatTensor<Self> {
        match TapConvBias.prepare::<C>([x.node(), w.node(), bias.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let (y, saved) = compute::<B, C>(&x, &w, Some(bias), &spec);
                let state = state::<B, C>(&x, &w, saved, spec, |tensor| prep.checkpoint(tensor));
                prep.finish(state, y)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(B::tap_conv_bias(x.into_primitive(), w.into_primitive(), bias.into_primitive(), spec))
            }
        }
    }

    fn agg_mix(w: FloatTensor<Self>, c: FloatTensor<Self>, plan: Arc<MixPlan>) -> FloatTensor<Self> {
        match AggMix.prepare::<C>([w.node(), c.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = (
                    c.is_tracked().then(|| prep.checkpoint(&w)),
                    w.is_tracked().then(|| prep.checkpoint(&c)),
                    plan.clone(),
                );
                prep.finish(state, B::agg_mix(w.into_primitive(), c.into_primitive(), plan))
            }
            OpsKind::UnTracked(prep) => prep.finish(B::agg_mix(w.into_primitive(), c.into_primitive(), plan)),
        }
    }
}
