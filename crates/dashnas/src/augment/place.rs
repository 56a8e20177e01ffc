//! Where a sample is put on its grid: cropped, flipped, shifted.

use crate::config::AugmentConfig;
use crate::rng::Stream;
use rand::RngExt;

/// A move of a grid's points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Rows and columns that a crop of the padded grid is moved by: positive ones bring in padding at the
    /// end.
    pub crop: [isize; 2],
    /// Mirrors the last axis.
    pub flip: bool,
    /// Points that the last axis is rolled by, its end coming in at its start.
    pub roll: usize,
}

impl Place {
    /// Draws a move for a grid `[height, width]`, height 1 for series.
    pub fn draw(config: &AugmentConfig, [h, w]: [usize; 2], stream: &mut Stream) -> Self {
        let mut offset = |size: usize| {
            // No more than the grid has, so that something of the sample is left.
            let most = config.crop.min(size - 1);
            if most > 0 { stream.random_range(0..=2 * most) as isize - most as isize } else { 0 }
        };
        let crop = [if h > 1 { offset(h) } else { 0 }, offset(w)];
        let flip = config.flip && stream.random::<bool>();
        let most = config.shift.min(w / 2);
        let roll = if most > 0 { (stream.random_range(0..=2 * most) + w - most) % w } else { 0 };
        Self { crop, flip, roll }
    }

    /// Appends the moved `plane`, `[height, width]`, to `out`; points from outside it are `fill`.
    pub fn apply(&self, plane: &[f32], [h, w]: [usize; 2], fill: f32, out: &mut Vec<f32>) {
        for row in 0..h {
            let Some(from) = row.checked_add_signed(self.crop[0]).filter(|&r| r < h) else {
                out.extend(std::iter::repeat_n(fill, w));
                continue;
            };
            let line = &plane[from * w..(from + 1) * w];
            out.extend((0..w).map(|column| {
                let column = if self.flip { w - 1 - column } else { column };
                match column.checked_add_signed(self.crop[1]).filter(|&c| c < w) {
                    Some(column) => line[(column + w - self.roll) % w],
                    None => fill,
                }
            }));
        }
    }
}
