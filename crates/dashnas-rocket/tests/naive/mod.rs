//! The transforms by their definitions, one value at a time.

use dashnas_rocket::{Convolutions, Kernels, RandomKernel, Series, Transform};

/// Returns the features of one sample (channels × steps).
pub fn features(transform: &Transform, sample: &[f32]) -> Vec<f32> {
    let [_, length] = transform.shape();
    match transform.kernels() {
        Kernels::Rocket(kernels) => {
            let channels: Vec<Vec<f32>> = sample.chunks(length).map(normalized).collect();
            kernels.iter().flat_map(|kernel| random(kernel, &channels)).collect()
        }
        Kernels::MiniRocket(convolutions) => {
            let channels: Vec<Vec<f32>> = sample.chunks(length).map(<[f32]>::to_vec).collect();
            values(convolutions, &channels).iter().map(|values| proportion(values)).collect()
        }
        Kernels::MultiRocket { series, differences } => {
            let channels: Vec<Vec<f32>> = sample.chunks(length).map(<[f32]>::to_vec).collect();
            let changes: Vec<Vec<f32>> =
                channels.iter().map(|x| (1..x.len()).map(|t| x[t] - x[t - 1]).collect()).collect();
            [values(series, &channels), values(differences, &changes)]
                .iter()
                .flat_map(|all| {
                    let pools: [fn(&[f32]) -> f32; 4] = [proportion, longest_stretch, mean, mean_index];
                    pools.into_iter().flat_map(|pool| all.iter().map(move |values| pool(values)))
                })
                .collect()
        }
        _ => unreachable!("there are three transforms"),
    }
}

/// Returns the features of all samples, one sample after another.
pub fn all_features(transform: &Transform, series: Series<'_>) -> Vec<f32> {
    (0..series.samples()).flat_map(|sample| features(transform, series.sample(sample))).collect()
}

/// Returns the positions with the weight 2 of the kernels of MiniRocket, in lexicographic order.
pub fn kernels() -> Vec<[usize; 3]> {
    let mut kernels = Vec::new();
    for a in 0..9 {
        for b in a + 1..9 {
            for c in b + 1..9 {
                kernels.push([a, b, c]);
            }
        }
    }
    kernels
}

/// Returns a channel with zeros before and after it.
fn at(channel: &[f32], step: isize) -> f32 {
    usize::try_from(step).ok().and_then(|step| channel.get(step)).copied().unwrap_or(0.0)
}

/// Returns, for each bias, the convolution minus the bias.
fn values(convolutions: &Convolutions, channels: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let length = channels[0].len() as isize;
    let mut biases = convolutions.biases().iter();
    let mut all = Vec::new();
    for (place, (&dilation, &count)) in
        convolutions.dilations().iter().zip(convolutions.biases_per_kernel()).enumerate()
    {
        let dilation = dilation as isize;
        for (kernel, twos) in kernels().iter().enumerate() {
            let padding = if place % 2 == kernel % 2 { 0 } else { 4 * dilation };
            let convolution: Vec<f32> = (padding..length - padding)
                .map(|step| {
                    let mut sum = 0.0;
                    for &channel in &convolutions.channels()[place * 84 + kernel] {
                        for tap in 0..9 {
                            let weight = if twos.contains(&tap) { 2.0 } else { -1.0 };
                            sum += weight * at(&channels[channel], step + (tap as isize - 4) * dilation);
                        }
                    }
                    sum
                })
                .collect();
            for bias in biases.by_ref().take(count) {
                all.push(convolution.iter().map(|value| value - bias).collect());
            }
        }
    }
    all
}

fn proportion(values: &[f32]) -> f32 {
    values.iter().filter(|value| **value > 0.0).count() as f32 / values.len() as f32
}

fn longest_stretch(values: &[f32]) -> f32 {
    values.split(|value| *value <= 0.0).map(<[f32]>::len).max().unwrap_or(0) as f32
}

fn mean(values: &[f32]) -> f32 {
    let positive: Vec<f32> = values.iter().copied().filter(|value| *value > 0.0).collect();
    if positive.is_empty() { 0.0 } else { positive.iter().sum::<f32>() / positive.len() as f32 }
}

fn mean_index(values: &[f32]) -> f32 {
    let indices: Vec<f64> = (0u32..).zip(values).filter(|(_, v)| **v > 0.0).map(|(i, _)| f64::from(i)).collect();
    if indices.is_empty() { -1.0 } else { (indices.iter().sum::<f64>() / indices.len() as f64) as f32 }
}

/// Returns the proportion of positive values and the maximum of a kernel of ROCKET.
fn random(kernel: &RandomKernel, channels: &[Vec<f32>]) -> [f32; 2] {
    let taps = kernel.weights().len() / kernel.channels().len();
    let (length, dilation, padding) = (channels[0].len(), kernel.dilation(), kernel.padding());
    let end = length as isize + padding as isize - ((taps - 1) * dilation) as isize;
    let values: Vec<f32> = (-(padding as isize)..end)
        .map(|step| {
            let mut sum = kernel.bias();
            for tap in 0..taps {
                for (place, &channel) in kernel.channels().iter().enumerate() {
                    let weight = kernel.weights()[place * taps + tap];
                    sum += weight * at(&channels[channel], step + (tap * dilation) as isize);
                }
            }
            sum
        })
        .collect();
    [proportion(&values), values.iter().copied().fold(f32::NEG_INFINITY, f32::max)]
}

/// Returns a channel with the mean 0 and the standard deviation 1.
fn normalized(channel: &[f32]) -> Vec<f32> {
    if channel.iter().all(|value| *value == channel[0]) {
        return vec![0.0; channel.len()];
    }
    let count = channel.len() as f64;
    let mean = channel.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let deviation = (channel.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count).sqrt();
    channel.iter().map(|&value| ((f64::from(value) - mean) / deviation) as f32).collect()
}
