//! The implementation for Flex by this crate's kernels, in `f32`.

use super::{AggConvGrads, AggConvOps, BackwardInput, TapConvGradients, TapConvSpec, WantedGradients};
use crate::flex::{Contiguous, pooled, tensor};
use crate::kernels::scratch::Scratch;
use crate::kernels::{self, Gradients, SavedInput};
use crate::mix::{self, MixGradients, MixPlan};
use burn::backend::{Flex, tensor::FloatTensor};
use burn_flex::FlexTensor;
use std::sync::Arc;

fn y_shape(spec: &TapConvSpec) -> [usize; 4] {
    let [h, w] = spec.geometry.output();
    [spec.geometry.batch, spec.geometry.c_out, h, w]
}

/// Computes the convolution and, if `keep`, what can replace the input in the backward pass.
fn forward(
    x: FlexTensor,
    w: FlexTensor,
    bias: Option<FlexTensor>,
    spec: &TapConvSpec,
    keep: bool,
) -> (FlexTensor, Option<Arc<SavedInput>>) {
    let (x, w, bias) = (Contiguous::new(x), Contiguous::new(w), bias.map(Contiguous::new));
    let (x, w, bias) = (x.as_slice(), w.as_slice(), bias.as_ref().map(Contiguous::as_slice));
    let mut y = Scratch::take_long_lived(spec.geometry.y_len());
    let saved = if keep {
        kernels::forward_saving(spec.algorithm, &spec.geometry, x, w, bias, &mut y)
    } else {
        kernels::forward(spec.algorithm, &spec.geometry, x, w, bias, &mut y);
        None
    };
    (pooled(y, y_shape(spec)), saved.map(Arc::new))
}

impl AggConvOps for Flex {
    fn tap_conv(x: FloatTensor<Self>, w: FloatTensor<Self>, spec: TapConvSpec) -> FloatTensor<Self> {
        forward(x, w, None, &spec, false).0
    }

    fn tap_conv_bias(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        spec: TapConvSpec,
    ) -> FloatTensor<Self> {
        forward(x, w, Some(bias), &spec, false).0
    }

    fn agg_mix(w: FloatTensor<Self>, c: FloatTensor<Self>, plan: Arc<MixPlan>) -> FloatTensor<Self> {
        let [c_out, c_in, _] = w.layout().shape().dims();
        let taps = plan.taps().len();
        let mut m = Scratch::take_long_lived(c_out * c_in * taps);
        mix::forward(&plan, Contiguous::new(w).as_slice(), Contiguous::new(c).as_slice(), &mut m);
        pooled(m, [c_out, c_in, taps])
    }
}

impl AggConvGrads for Flex {
    fn tap_conv_saving(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        bias: Option<FloatTensor<Self>>,
        spec: TapConvSpec,
    ) -> (FloatTensor<Self>, Option<Arc<SavedInput>>) {
        forward(x, w, bias, &spec, true)
    }

    fn tap_conv_backward(
        x: BackwardInput<FloatTensor<Self>>,
        w: Option<FloatTensor<Self>>,
        dy: FloatTensor<Self>,
        spec: &TapConvSpec,
        wanted: WantedGradients,
    ) -> TapConvGradients<FloatTensor<Self>> {
        let g = &spec.geometry;
        let (x, saved) = match x {
            BackwardInput::Unneeded => (None, None),
            BackwardInput::Tensor(x) => (Some(Contiguous::new(x)), None),
            BackwardInput::Saved(saved) => (None, Some(saved)),
        };
        let (w, dy) = (w.map(Contiguous::new), Contiguous::new(dy));
        let mut dx = wanted.x.then(|| Scratch::take_long_lived(g.x_len()));
        let mut dw = wanted.w.then(|| Scratch::take_long_lived(g.w_len()));
        let mut db = wanted.bias.then(|| vec![0.0; g.c_out]);
        if dx.is_some() || dw.is_some() {
            // The kernels check the lengths of both operands. An operand that was not saved is not read, so any slice
            // of its length is valid.
            let stand_in = |saved: &Option<Contiguous>, len| Scratch::take(if saved.is_some() { 0 } else { len });
            let (no_x, no_w) = (stand_in(&x, g.x_len()), stand_in(&w, g.w_len()));
            kernels::backward_saved(
                spec.algorithm,
                g,
                (x.as_ref().map_or(&no_x, |x| x.as_slice()), saved.as_deref()),
                w.as_ref().map_or(&no_w, |w| w.as_slice()),
                dy.as_slice(),
                Gradients { x: dx.as_deref_mut(), w: dw.as_deref_mut(), bias: db.as_deref_mut() },
            );
        } else if let Some(db) = &mut db {
            bias_gradient(dy.as_slice(), g.output().iter().product(), db);
        }
        TapConvGradients {
            x: dx.map(|dx| pooled(dx, [g.batch, g.c_in, g.input[0], g.input[1]])),
            w: dw.map(|dw| pooled(dw, [g.c_out, g.c_in_per_group(), g.taps.len()])),
            bias: db.map(|db| tensor(db, [g.c_out])),
        }
    }

    fn agg_mix_backward(
        w: Option<FloatTensor<Self>>,
        c: Option<FloatTensor<Self>>,
        dm: FloatTensor<Self>,
        plan: &MixPlan,
    ) -> (Option<FloatTensor<Self>>, Option<FloatTensor<Self>>) {
        let [c_out, c_in, _] = dm.layout().shape().dims();
        let (t, n) = (plan.weights(), plan.candidates());
        let (w, c, dm) = (w.map(Contiguous::new), c.map(Contiguous::new), Contiguous::new(dm));
        let mut dw = c.as_ref().map(|_| Scratch::take_long_lived(c_out * c_in * t));
        let mut dc = w.as_ref().map(|_| vec![0.0; n]);
        // Operands that were not saved are not read, so any slice of their length is valid.
        let (no_w, no_c) = (Scratch::take(if w.is_some() { 0 } else { c_out * c_in * t }), vec![0.0; n]);
        mix::backward(
            plan,
            w.as_ref().map_or(&no_w, |w| w.as_slice()),
            c.as_ref().map_or(&no_c, |c| c.as_slice()),
            dm.as_slice(),
            MixGradients { w: dw.as_deref_mut(), c: dc.as_deref_mut() },
        );
        (dw.map(|dw| pooled(dw, [c_out, c_in, t])), dc.map(|dc| tensor(dc, [n])))
    }
}

/// Computes the sum of `dy: [batch, c_out, plane]` over each output channel, without a convolution.
fn bias_gradient(dy: &[f32], plane: usize, db: &mut [f32]) {
    let channels = db.len();
    for (o, db) in db.iter_mut().enumerate() {
        // Thousands of terms are added in `f64`, so that their rounding errors do not accumulate.
        let samples = dy.chunks_exact(channels * plane).map(|dy| &dy[o * plane..(o + 1) * plane]);
        *db = samples.map(|dy| dy.iter().map(|&v| f64::from(v)).sum::<f64>()).sum::<f64>() as f32;
    }
}
