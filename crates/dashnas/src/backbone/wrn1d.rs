//! The residual network for time series (Wang et al. 2017; Fawaz et al. 2020), the paper's 1-D
//! backbone, there called 1D WRN (appendix A.5.1).

use super::{Backbone, Op, Plan, Residual, Shape, Stage};

/// Three residual blocks of three convolutions, each followed by dropout, batch normalization
/// and ReLU, with m, 2m and 2m channels, `m = min(4^(outputs//10 + 1), 64)` unless set. The width
/// factor is the 2-D network's: the paper uses one width throughout here.
///
/// The paper's kernels are 8, 5 and 3; only odd kernels have a centred "same" padding, so the
/// plain backbone here uses 7, 5 and 3 by default.
#[derive(Debug, Clone, Copy)]
pub struct Wrn1d;

/// `min(4^(outputs//10 + 1), 64)`: fewer channels for tasks with few classes.
fn base_channels(outputs: usize) -> usize {
    match outputs / 10 {
        0 => 4,
        1 => 16,
        _ => 64,
    }
}

impl Backbone for Wrn1d {
    fn plan(&self, shape: Shape<'_>) -> Plan {
        let base = shape.base.unwrap_or_else(|| base_channels(shape.outputs));
        let mut stages = Vec::new();
        let mut c = shape.channels;
        for c_out in [base, 2 * base, 2 * base] {
            let body = shape
                .plain_kernels
                .iter()
                .enumerate()
                .flat_map(|(i, &kernel)| {
                    let c_in = if i == 0 { c } else { c_out };
                    [Op::Conv { c_in, c_out, stride: 1, kernel }, Op::Dropout, Op::Norm { channels: c_out }, Op::Relu]
                })
                .collect();
            let residual = if c == c_out {
                Residual::Identity
            } else {
                Residual::Project {
                    ops: vec![Op::Pointwise { c_in: c, c_out, stride: 1 }, Op::Norm { channels: c_out }],
                }
            };
            stages.push(Stage { body, residual });
            c = c_out;
        }
        Plan { dims: 1, stages, features: c }
    }
}
