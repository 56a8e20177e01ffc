//! The inner loops, over contiguous values of one channel. All are inlined into a caller that is
//! compiled for the widest vectors of the machine; the order of every operation is fixed, so the
//! width does not show in the result.

/// Sums run in this many lanes, whatever the width of the vectors: enough to hide the latency of
/// the addition.
const LANES: usize = 16;

/// Two sums at a time, each in [`LANES`] partial sums.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    first: [f64; LANES],
    second: [f64; LANES],
}

impl Sums {
    /// Adds Σ (x − shift) and Σ (x − shift)².
    #[inline(always)]
    pub(super) fn moments(&mut self, x: &[f32], shift: f32) {
        let shift = f64::from(shift);
        // Copies, which the compiler keeps in registers.
        let (mut first, mut second) = (self.first, self.second);
        let (blocks, rest) = x.as_chunks::<LANES>();
        for x in blocks {
            for i in 0..LANES {
                let x = f64::from(x[i]) - shift;
                first[i] += x;
                second[i] += x * x;
            }
        }
        for (i, &x) in rest.iter().enumerate() {
            let x = f64::from(x) - shift;
            first[i] += x;
            second[i] += x * x;
        }
        *self = Self { first, second };
    }

    /// Adds Σ g and Σ g·(x − μ), where g is `dy`, masked where a ReLU was flat.
    #[inline(always)]
    pub(super) fn gradient(&mut self, line: &Line, relu: bool, x: &[f32], dy: &[f32]) {
        if relu { self.gradient_of::<true>(line, x, dy) } else { self.gradient_of::<false>(line, x, dy) }
    }

    #[inline(always)]
    fn gradient_of<const RELU: bool>(&mut self, line: &Line, x: &[f32], dy: &[f32]) {
        let line = *line;
        let (mut first, mut second) = (self.first, self.second);
        let ((x, x_rest), (dy, dy_rest)) = (x.as_chunks::<LANES>(), dy.as_chunks::<LANES>());
        for (x, dy) in x.iter().zip(dy) {
            for i in 0..LANES {
                let [g, dot] = line.terms::<RELU>(x[i], dy[i]);
                first[i] += g;
                second[i] += dot;
            }
        }
        for (i, (&x, &dy)) in x_rest.iter().zip(dy_rest).enumerate() {
            let [g, dot] = line.terms::<RELU>(x, dy);
            first[i] += g;
            second[i] += dot;
        }
        *self = Self { first, second };
    }

    /// Both sums, the lanes added pairwise.
    #[inline(always)]
    pub(super) fn total(self) -> [f64; 2] {
        [self.first, self.second].map(|mut lanes| {
            let mut n = LANES;
            while n > 1 {
                n /= 2;
                for i in 0..n {
                    lanes[i] += lanes[i + n];
                }
            }
            lanes[0]
        })
    }
}

/// What normalization is within one channel: `scale · (x − mean) + beta`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) mean: f32,
    /// γ / √(σ² + ε).
    pub(super) scale: f32,
    pub(super) beta: f32,
    /// 1 / √(σ² + ε).
    pub(super) inverse_std: f64,
}

impl Line {
    #[inline(always)]
    fn value(&self, centred: f32) -> f32 {
        centred * self.scale + self.beta
    }

    /// `dy` where the ReLU passes its argument on; NaN passes.
    #[inline(always)]
    fn masked<const RELU: bool>(&self, centred: f32, dy: f32) -> f32 {
        if RELU && self.value(centred) <= 0.0 { 0.0 } else { dy }
    }

    /// g and g·(x − μ).
    #[inline(always)]
    fn terms<const RELU: bool>(&self, x: f32, dy: f32) -> [f64; 2] {
        let centred = x - self.mean;
        let g = f64::from(self.masked::<RELU>(centred, dy));
        [g, g * f64::from(centred)]
    }

    /// Writes the output.
    #[inline(always)]
    pub(super) fn apply(&self, relu: bool, x: &[f32], y: &mut [f32]) {
        let line = *self;
        if relu {
            for (y, &x) in y.iter_mut().zip(x) {
                let value = line.value(x - line.mean);
                // Not `max`, which would turn NaN into 0.
                *y = if value <= 0.0 { 0.0 } else { value };
            }
        } else {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = line.value(x - line.mean);
            }
        }
    }
}

/// What the gradient of the input is within one channel:
/// `scale · (g − mean − projection · (x − line.mean))`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slope {
    pub(super) line: Line,
    /// ∂β / M.
    pub(super) mean: f32,
    /// ∂γ / (M · √(σ² + ε)).
    pub(super) projection: f32,
}

impl Slope {
    #[inline(always)]
    fn value<const RELU: bool>(&self, x: f32, dy: f32) -> f32 {
        let centred = x - self.line.mean;
        let g = self.line.masked::<RELU>(centred, dy);
        self.line.scale * (g - self.mean - self.projection * centred)
    }

    /// Writes the gradient of the input.
    #[inline(always)]
    pub(super) fn apply(&self, relu: bool, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        if relu { self.apply_to::<true>(x, dy, dx) } else { self.apply_to::<false>(x, dy, dx) }
    }

    #[inline(always)]
    fn apply_to<const RELU: bool>(&self, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        let slope = *self;
        for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
            *dx = slope.value::<RELU>(x, dy);
        }
    }

    /// Replaces the gradient of the output by that of the input.
    #[inline(always)]
    pub(super) fn apply_in_place(&self, relu: bool, x: &[f32], gradient: &mut [f32]) {
        if relu { self.apply_in_place_to::<true>(x, gradient) } else { self.apply_in_place_to::<false>(x, gradient) }
    }

    #[inline(always)]
    fn apply_in_place_to<const RELU: bool>(&self, x: &[f32], gradient: &mut [f32]) {
        let slope = *self;
        for (gradient, &x) in gradient.iter_mut().zip(x) {
            *gradient = slope.value::<RELU>(x, *gradient);
        }
    }
}
