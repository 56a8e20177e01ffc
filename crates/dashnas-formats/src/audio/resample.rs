//! Changes of the sampling rate.

use std::f64::consts::PI;

/// Zero crossings of the filter on each side.
const CROSSINGS: f64 = 16.0;

/// Resamples from `from` to `to` hertz with a sinc filter under a Hann window; frequencies above half of the lower rate
/// are removed. The length is `⌈n·to/from⌉`.
pub fn resample(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    if from == to || samples.is_empty() || from == 0 {
        return samples.to_vec();
    }
    let ratio = f64::from(to) / f64::from(from);
    // Cut off at the lower of the two Nyquist frequencies, in cycles a sample of the input times two.
    let cutoff = ratio.min(1.0);
    let reach = CROSSINGS / cutoff;
    let n = resampled_len(samples.len(), from, to);
    (0..n)
        .map(|i| {
            let center = i as f64 / ratio;
            let first = (center - reach).ceil().max(0.0) as usize;
            let last = ((center + reach).floor() as usize).min(samples.len() - 1);
            let mut sum = 0.0;
            for (j, &v) in samples.iter().enumerate().take(last + 1).skip(first) {
                let t = j as f64 - center;
                let x = PI * t * cutoff;
                let sinc = if x.abs() < 1e-9 { 1.0 } else { x.sin() / x };
                sum += f64::from(v) * cutoff * sinc * (0.5 + 0.5 * (PI * t / reach).cos());
            }
            sum as f32
        })
        .collect()
}

/// Returns the number of samples that [`resample`] makes of `n`.
pub fn resampled_len(n: usize, from: u32, to: u32) -> usize {
    if from == to || n == 0 || from == 0 {
        return n;
    }
    (n as f64 * (f64::from(to) / f64::from(from))).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64, rate: u32, n: usize) -> Vec<f32> {
        (0..n).map(|i| (2.0 * PI * hertz * i as f64 / f64::from(rate)).sin() as f32).collect()
    }

    #[test]
    fn a_tone_keeps_its_pitch() {
        for (from, to) in [(8000, 22050), (44100, 22050), (48000, 16000)] {
            let out = resample(&tone(440.0, from, from as usize / 2), from, to);
            assert_eq!(out.len(), to as usize / 2);
            let expected = tone(440.0, to, out.len());
            // Away from the ends, where the kernel reaches beyond the samples.
            let inner = 400..out.len() - 400;
            let worst = inner.map(|i| (out[i] - expected[i]).abs()).fold(0.0, f32::max);
            assert!(worst < 2e-3, "{from} to {to}: {worst}");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        let out = resample(&tone(6000.0, 22050, 11025), 22050, 8000);
        let worst = out[400..out.len() - 400].iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!(worst < 2e-3, "{worst}");
    }
}
