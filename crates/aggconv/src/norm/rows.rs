//! The inner loops, over contiguous values of one channel. All are inlined into a caller that is
//! compiled for the widest vectors of the machine; the order of every operation is fixed, so the
//! width does not show in the result.

/// Sums run in this many lanes, whatever the width of the vectors.
const LANES: usize = 16;

/// This many terms of a lane are added in `f32` before their sum is added in `f64`: few enough
/// that their roundings stay near that of one product.
const RUN: usize = 16;

/// Two sums at a time, each in [`LANES`] partial sums.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    /// Of the current run.
    run: [[f32; LANES]; 2],
    /// Terms of a lane in it.
    terms: usize,
    /// Of the runs before.
    whole: [[f64; LANES]; 2],
}

impl Sums {
    /// Adds Σ (x − shift) and Σ (x − shift)².
    #[inline(always)]
    pub(super) fn moments(&mut self, x: &[f32], shift: f32) {
        self.add(x, x, |x, _| {
            let x = x - shift;
            [x, x * x]
        });
    }

    /// Adds Σ g and Σ g·(x − μ), where g is `dy`, masked where a ReLU was flat.
    #[inline(always)]
    pub(super) fn gradient(&mut self, line: &Line, relu: bool, x: &[f32], dy: &[f32]) {
        let line = *line;
        if relu {
            self.add(x, dy, |x, dy| line.terms::<true>(x, dy));
        } else {
            self.add(x, dy, |x, dy| line.terms::<false>(x, dy));
        }
    }

    /// Adds the two terms of every pair of values.
    #[inline(always)]
    fn add(&mut self, x: &[f32], y: &[f32], terms: impl Fn(f32, f32) -> [f32; 2]) {
        let ((mut x, x_rest), (mut y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
        while !x.is_empty() {
            let n = x.len().min(RUN - self.terms);
            // A copy, which the compiler keeps in registers.
            let [mut first, mut second] = self.run;
            for (x, y) in x[..n].iter().zip(&y[..n]) {
                for i in 0..LANES {
                    let [a, b] = terms(x[i], y[i]);
                    first[i] += a;
                    second[i] += b;
                }
            }
            self.run = [first, second];
            self.count(n);
            (x, y) = (&x[n..], &y[n..]);
        }
        for (i, (&x, &y)) in x_rest.iter().zip(y_rest).enumerate() {
            let [a, b] = terms(x, y);
            self.run[0][i] += a;
            self.run[1][i] += b;
        }
        if !x_rest.is_empty() {
            self.count(1);
        }
    }

    /// Counts terms of the current run and ends it when it is full.
    #[inline(always)]
    fn count(&mut self, terms: usize) {
        self.terms += terms;
        if self.terms == RUN {
            self.end();
        }
    }

    #[inline(always)]
    fn end(&mut self) {
        for (whole, run) in self.whole.iter_mut().zip(&self.run) {
            whole.iter_mut().zip(run).for_each(|(whole, run)| *whole += f64::from(*run));
        }
        self.run = Default::default();
        self.terms = 0;
    }

    /// Both sums, the lanes added pairwise.
    #[inline(always)]
    pub(super) fn total(mut self) -> [f64; 2] {
        self.end();
        self.whole.map(|mut lanes| {
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
    fn terms<const RELU: bool>(&self, x: f32, dy: f32) -> [f32; 2] {
        let centred = x - self.mean;
        let g = self.masked::<RELU>(centred, dy);
        [g, g * centred]
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
