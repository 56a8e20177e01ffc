//! Images on the sphere (Cohen et al. 2018, "Spherical CNNs"; the Spherical task of NAS-Bench-360).
//!
//! The image lies on the square [−1, 1]² of the equator's plane; stereographic projection from the south
//! pole wraps it around the north pole (the unit disc onto the northern hemisphere). The sphere is then
//! rotated at random and sampled on the Driscoll–Healy grid of bandwidth 30: polar angles π(2j + 1)/(4·30) and
//! azimuths 2πk/(2·30). Points outside the image are 0.

use crate::transform::seed::SEED;
use dashnas_core::rng::normal;
use dashnas_formats::array::Array;
use std::f64::consts::PI;

/// The bandwidth of the grid.
const BANDWIDTH: usize = 30;
/// Number of polar angles, and of azimuths, of the grid.
pub(super) const SIDE: usize = 2 * BANDWIDTH;

/// Projects images `[N, C, H, W]` to `[N, C, 60, 60]`. The rotation of an image depends on its split `part` and its
/// index in it; `first` is the index of the first of these images.
pub(super) fn project(images: &Array, part: u64, first: usize) -> Array {
    let [n, c, h, w] = images.shape[..] else { unreachable!("only images are projected") };
    let grid = grid();
    let mut data = Vec::with_capacity(n * c * SIDE * SIDE);
    for i in 0..n {
        let rotation = rotation(&normal(4, 1.0, &mut SEED.stream("transform/spherical", &[part, (first + i) as u64])));
        let at: Vec<[f64; 2]> = grid.iter().map(|&v| on_plane(rotate(&rotation, v))).collect();
        for image in images.row(i).chunks_exact(h * w) {
            data.extend(at.iter().map(|&p| sample(image, [h, w], p)));
        }
    }
    Array::new(vec![n, c, SIDE, SIDE], data)
}

/// The grid's points on the unit sphere.
fn grid() -> Vec<[f64; 3]> {
    let point = |i: usize| {
        let polar = PI * (2 * (i / SIDE) + 1) as f64 / (4 * BANDWIDTH) as f64;
        let azimuth = 2.0 * PI * (i % SIDE) as f64 / SIDE as f64;
        [polar.sin() * azimuth.cos(), polar.sin() * azimuth.sin(), polar.cos()]
    };
    (0..SIDE * SIDE).map(point).collect()
}

/// The rotation of a quaternion of any length; four normal draws give a uniform distribution over all rotations.
fn rotation(q: &[f32]) -> [[f64; 3]; 3] {
    let q: Vec<f64> = q.iter().map(|&v| f64::from(v)).collect();
    let length = q.iter().map(|v| v * v).sum::<f64>().sqrt();
    let [w, x, y, z] = if length > 0.0 { [0, 1, 2, 3].map(|i| q[i] / length) } else { [1.0, 0.0, 0.0, 0.0] };
    [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ]
}

fn rotate(rotation: &[[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    rotation.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
}

/// Stereographic projection from the south pole.
fn on_plane([x, y, z]: [f64; 3]) -> [f64; 2] {
    // At the south pole itself this is infinite, and outside every image.
    [x / (1.0 + z), y / (1.0 + z)]
}

/// The image at a point of the plane, bilinear between pixels; x runs along the columns.
fn sample(image: &[f32], [h, w]: [usize; 2], [x, y]: [f64; 2]) -> f32 {
    let column = (x + 1.0) / 2.0 * (w - 1) as f64;
    let row = (y + 1.0) / 2.0 * (h - 1) as f64;
    // NaN, from 0/0 at the pole, is outside too.
    if !((0.0..=(w - 1) as f64).contains(&column) && (0.0..=(h - 1) as f64).contains(&row)) {
        return 0.0;
    }
    let (r, c) = (row as usize, column as usize);
    let (down, right) = ((r + 1).min(h - 1), (c + 1).min(w - 1));
    let (fr, fc) = (row - r as f64, column - c as f64);
    let at = |r: usize, c: usize| f64::from(image[r * w + c]);
    let above = at(r, c) * (1.0 - fc) + at(r, right) * fc;
    let below = at(down, c) * (1.0 - fc) + at(down, right) * fc;
    (above * (1.0 - fr) + below * fr) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_rotation_the_north_is_the_image_and_the_south_is_empty() {
        // The image is its own column: x on the plane.
        let (h, w) = (33, 33);
        let image: Vec<f32> = (0..h * w).map(|i| 1.0 + (i % w) as f32 / 16.0).collect();
        for (i, v) in grid().into_iter().enumerate() {
            let polar = PI * (2 * (i / SIDE) + 1) as f64 / 120.0;
            let azimuth = 2.0 * PI * (i % SIDE) as f64 / 60.0;
            let got = f64::from(sample(&image, [h, w], on_plane(v)));
            // Stereographic: a polar angle t is at radius tan(t/2).
            let (x, y) = ((polar / 2.0).tan() * azimuth.cos(), (polar / 2.0).tan() * azimuth.sin());
            let want = if x.abs() <= 1.0 && y.abs() <= 1.0 { 2.0 + x } else { 0.0 };
            let edge = (x.abs() - 1.0).abs() < 1e-9 || (y.abs() - 1.0).abs() < 1e-9;
            assert!(edge || (got - want).abs() < 1e-5, "{i}: {got} {want}");
        }
    }

    #[test]
    fn rotations_are_orthogonal_with_determinant_1() {
        let r = rotation(&[0.3, -1.2, 0.5, 2.0]);
        for i in 0..3 {
            for j in 0..3 {
                let dot: f64 = (0..3).map(|k| r[i][k] * r[j][k]).sum();
                assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
        let determinant = r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1])
            - r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0])
            + r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
        assert!((determinant - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_constant_image_covers_its_share_of_the_sphere() {
        let images = Array::new(vec![2, 1, 8, 8], vec![3.0; 128]);
        let sphere = project(&images, 0, 0);
        assert_eq!(sphere.shape, [2, 1, SIDE, SIDE]);
        assert_ne!(sphere.row(0), sphere.row(1), "each has its own rotation");
        for i in 0..2 {
            // Weighted by area, the square takes ∬ 4/(1 + r²)² over [−1, 1]² of 4π: 0.5541.
            let (mut inside, mut all) = (0.0, 0.0);
            for (p, &v) in sphere.row(i).iter().enumerate() {
                let area = (PI * (2 * (p / SIDE) + 1) as f64 / 120.0).sin();
                all += area;
                inside += if v == 3.0 { area } else { 0.0 };
                assert!(v == 0.0 || (v - 3.0).abs() < 1e-6);
            }
            assert!((inside / all - 0.554).abs() < 0.02, "{}", inside / all);
        }
    }
}
