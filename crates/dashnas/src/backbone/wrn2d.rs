//! Wide ResNet 16-w (Zagoruyko and Komodakis, 2016), the paper's 2-D backbone (appendix A.5.1).

use super::{Backbone, Op, Plan, Residual, Shape, Stage};

/// A 3×3 stem of 16 channels, then three groups of two pre-activation blocks with 16w, 32w and
/// 64w channels, then batch normalization and ReLU before the head. The second and third group
/// halve the grid (in their first block's second convolution, where the paper's table puts the
/// stride), unless the task is dense.
#[derive(Debug, Clone, Copy)]
pub struct Wrn2d;

const STEM: usize = 16;
const BLOCKS_A_GROUP: usize = 2;

impl Backbone for Wrn2d {
    fn plan(&self, shape: Shape<'_>) -> Plan {
        let conv = |c_in, c_out, stride| Op::Conv { c_in, c_out, stride, kernel: 3 };
        let mut stages = vec![Stage { body: vec![conv(shape.channels, STEM, 1)], residual: Residual::None }];
        let mut c = STEM;
        for group in 0..3 {
            let c_out = (STEM * shape.width) << group;
            for block in 0..BLOCKS_A_GROUP {
                let stride = if group > 0 && block == 0 && !shape.dense { 2 } else { 1 };
                let body = vec![
                    Op::Norm { channels: c },
                    Op::Relu,
                    conv(c, c_out, 1),
                    Op::Dropout,
                    Op::Norm { channels: c_out },
                    Op::Relu,
                    conv(c_out, c_out, stride),
                ];
                let residual = if stride == 1 && c == c_out {
                    Residual::Identity
                } else {
                    Residual::Project { ops: vec![Op::Pointwise { c_in: c, c_out, stride }] }
                };
                stages.push(Stage { body, residual });
                c = c_out;
            }
        }
        stages.push(Stage { body: vec![Op::Norm { channels: c }, Op::Relu], residual: Residual::None });
        Plan { dims: 2, stages, features: c }
    }
}
