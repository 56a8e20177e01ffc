//! A plan followed through the grid: what each operation works on, and how many numbers the
//! network has.

use super::{Op, Plan, Residual};

/// An operation and the grid it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traced<'a> {
    /// The operation.
    pub op: &'a Op,
    /// `[height, width]` of its input; height 1 for series.
    pub input: [usize; 2],
    /// Whether it lies on a shortcut.
    pub shortcut: bool,
}

impl Plan {
    /// Every operation with the grid of its input, in the order of the forward pass, for a
    /// network given `[height, width]`.
    pub fn trace(&self, input: [usize; 2]) -> Vec<Traced<'_>> {
        let mut out = Vec::new();
        let mut grid = input;
        for stage in &self.stages {
            let before = grid;
            grid = self.follow(&stage.body, before, false, &mut out);
            if let Residual::Project { ops } = &stage.residual {
                self.follow(ops, before, true, &mut out);
            }
        }
        out
    }

    fn follow<'a>(
        &self,
        ops: &'a [Op],
        mut input: [usize; 2],
        shortcut: bool,
        out: &mut Vec<Traced<'a>>,
    ) -> [usize; 2] {
        for op in ops {
            out.push(Traced { op, input, shortcut });
            input = self.output(op, input);
        }
        input
    }

    /// The grid that an operation makes of another.
    pub fn output(&self, op: &Op, [h, w]: [usize; 2]) -> [usize; 2] {
        let (Op::Conv { stride, .. } | Op::Pointwise { stride, .. }) = *op else { return [h, w] };
        [if self.dims == 1 { h } else { h.div_ceil(stride) }, w.div_ceil(stride)]
    }

    /// Trained numbers of a searched layer with kernel size `k`, its bias included; 0 for an
    /// operation that is not searched.
    pub fn conv_params(&self, op: &Op, k: usize) -> u64 {
        match *op {
            Op::Conv { c_in, c_out, .. } => (c_in * c_out * k.pow(self.dims as u32) + c_out) as u64,
            _ => 0,
        }
    }

    /// Trained numbers of everything but the searched layers, with a head of so many outputs.
    pub fn fixed_params(&self, outputs: usize) -> u64 {
        let body = self.trace([1, 1]).into_iter().map(|t| match *t.op {
            Op::Pointwise { c_in, c_out, .. } => c_in * c_out + c_out,
            Op::Norm { channels } => 2 * channels,
            Op::Conv { .. } | Op::Relu | Op::Dropout => 0,
        });
        (body.sum::<usize>() + (self.features + 1) * outputs) as u64
    }
}

#[cfg(test)]
mod tests {
    use crate::backbone::{Op, Shape};
    use crate::config::BackboneName;
    use crate::model::count_parameters;
    use crate::network::{Kernels, Network};
    use crate::rng::Seed;
    use burn::tensor::Device;

    #[test]
    fn parameters_are_those_of_the_network() {
        for name in BackboneName::ALL {
            for (outputs, k) in [(3, 5), (12, 9)] {
                let shape =
                    Shape { channels: 2, outputs, dense: false, width: 2, base: None, plain_kernels: &[7, 5, 3] };
                let plan = name.resolve().plan(shape);
                let searched = plan.searched();
                let kernels = Kernels::Fixed(vec![[k, 3]; searched.len()]);
                let mut stream = Seed(0).stream("test", &[]);
                let network = Network::new(&plan, outputs, false, &kernels, &mut stream, &Device::flex());
                let convs: u64 = searched.iter().map(|op| plan.conv_params(op, k)).sum();
                assert_eq!(plan.fixed_params(outputs) + convs, count_parameters(&network), "{}", name.name());
            }
        }
    }

    #[test]
    fn strides_shrink_the_grid_of_what_follows() {
        let shape = Shape { channels: 3, outputs: 10, dense: false, width: 1, base: None, plain_kernels: &[7, 5, 3] };
        let plan = BackboneName::Wrn2d.resolve().plan(shape);
        let trace = plan.trace([33, 20]);
        let convs: Vec<_> = trace.iter().filter(|t| matches!(t.op, Op::Conv { .. })).map(|t| t.input).collect();
        assert_eq!(convs[..6], [[33, 20]; 6]);
        assert_eq!(convs[6..10], [[33, 20], [17, 10], [17, 10], [17, 10]]);
        assert_eq!(trace.last().map(|t| t.input), Some([9, 5]));
        assert!(trace.iter().any(|t| t.shortcut && t.input == [33, 20]));
    }
}
