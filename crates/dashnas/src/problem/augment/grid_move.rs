//! Moves of a sample on its grid: crops, flips and rolls.

use dashnas_core::rng::Stream;
use rand::RngExt;

/// The bounds of random moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveBounds {
    /// The largest number of rows and of columns that a crop moves by.
    pub crop: usize,
    /// Whether moves may mirror the last axis.
    pub flip: bool,
    /// The largest number of points that the last axis is rolled by.
    pub shift: usize,
}

/// A move of the points of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GridMove {
    /// Rows and columns by which a crop of the padded grid is moved. Positive numbers bring padding in at the end.
    pub crop: [isize; 2],
    /// Whether the last axis is mirrored.
    pub flip: bool,
    /// Points by which the last axis is rolled: its end comes in at its start.
    pub roll: usize,
}

impl GridMove {
    /// Draws a move within bounds for a grid `[height, width]`, of height 1 for series.
    pub fn draw(bounds: MoveBounds, [h, w]: [usize; 2], stream: &mut Stream) -> Self {
        let mut offset = |size: usize| {
            // Less than the size of the grid, so that a part of the sample remains.
            let most = bounds.crop.min(size - 1);
            if most > 0 { stream.random_range(0..=2 * most) as isize - most as isize } else { 0 }
        };
        let crop = [if h > 1 { offset(h) } else { 0 }, offset(w)];
        let flip = bounds.flip && stream.random::<bool>();
        let most = bounds.shift.min(w / 2);
        let roll = if most > 0 { (stream.random_range(0..=2 * most) + w - most) % w } else { 0 };
        Self { crop, flip, roll }
    }

    /// Appends a `plane`, `[height, width]`, of a sample that ends at `length` on the last axis: what is before the end
    /// is moved as [`GridMove::apply`] does, and NaN follows.
    pub fn apply_before(&self, length: usize, plane: &[f32], [h, w]: [usize; 2], fill: f32, out: &mut Vec<f32>) {
        if length >= w {
            return self.apply(plane, [h, w], fill, out);
        }
        let whole: Vec<f32> = plane.chunks_exact(w).flat_map(|line| line[..length].iter().copied()).collect();
        let mut moved = Vec::with_capacity(whole.len());
        self.apply(&whole, [h, length], fill, &mut moved);
        for line in moved.chunks_exact(length.max(1)) {
            out.extend_from_slice(line);
            out.extend(std::iter::repeat_n(f32::NAN, w - length));
        }
    }

    /// Appends the moved `plane`, `[height, width]`, to `out`. Points from outside the plane are `fill`.
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
