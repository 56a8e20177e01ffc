//! Standardization of a series by its own mean and standard deviation.

/// Scales values to mean 0 and (population) standard deviation 1; constant values become 0. Those after the end of a
/// sample, which are NaN, stay NaN and do not count.
pub fn standardize(values: &mut [f32]) {
    let known = || values.iter().filter(|v| !v.is_nan()).map(|&v| f64::from(v));
    let n = known().count().max(1) as f64;
    let mean = known().sum::<f64>() / n;
    let std = (known().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    // Smaller deviations are rounding errors of f32.
    let scale = if std > mean.abs() * 1e-7 && std > f64::from(f32::MIN_POSITIVE) { std } else { 1.0 };
    values.iter_mut().for_each(|v| *v = ((f64::from(*v) - mean) / scale) as f32);
}
