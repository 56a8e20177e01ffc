//! Changes of the sampling rate.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, ResampleError, Resampler, ResamplerConstructionError};

/// The smallest number of samples in a block, on the side of the lower rate: the filter is as long as a block.
const BLOCK: usize = 512;

/// A failure to resample: a rate of 0, or a sample that is not finite.
#[derive(Debug, thiserror::Error)]
pub enum RateError {
    /// The resampler cannot be made for these rates.
    #[error("sound cannot be resampled: {0}")]
    Rates(#[from] ResamplerConstructionError),
    /// A sample is NaN or infinite.
    #[error("sample {0} is not finite")]
    NotFinite(usize),
    /// The resampler fails.
    #[error("sound cannot be resampled: {0}")]
    Samples(#[from] ResampleError),
}

/// Resamples from `from` to `to` hertz; frequencies above half of the lower rate are removed. The length is
/// [`resampled_len`].
///
/// # Errors
/// [`RateError`] if a rate is 0, or if a sample is not finite.
pub fn resample(samples: &[f32], from: u32, to: u32) -> Result<Vec<f32>, RateError> {
    if from == to || samples.is_empty() {
        return Ok(samples.to_vec());
    }
    if let Some(i) = samples.iter().position(|v| !v.is_finite()) {
        return Err(RateError::NotFinite(i));
    }
    // A block is a whole number of periods of the two rates; an even number, because the delay is half a block.
    let period = (from / gcd(from, to).max(1)).max(1) as usize;
    let wanted = BLOCK.saturating_mul((from / to.max(1)).max(1) as usize);
    let block = wanted.div_ceil(period).next_multiple_of(2) * period;
    // In double precision: the filter of rates without a common divisor is as long as a second.
    let mut resampler = Fft::<f64>::new(from as usize, to as usize, block, 1, FixedSync::Both)?;
    // The slice has as many samples as are said here.
    let wide: Vec<f64> = samples.iter().map(|&v| f64::from(v)).collect();
    let Ok(input) = InterleavedSlice::new(&wide, 1, wide.len()) else { return Ok(Vec::new()) };
    let out = resampler.process_all(&input, wide.len(), None)?.take_data();
    let mut out: Vec<f32> = out.into_iter().map(|v| v as f32).collect();
    out.resize(resampled_len(samples.len(), from, to), 0.0);
    Ok(out)
}

/// The greatest common divisor.
fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Returns the number of samples that [`resample`] makes of `n`: `⌈n·to/from⌉`.
pub fn resampled_len(n: usize, from: u32, to: u32) -> usize {
    if from == to || from == 0 {
        return n;
    }
    (n as u128 * u128::from(to)).div_ceil(u128::from(from)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64, rate: u32, n: usize) -> Vec<f32> {
        (0..n).map(|i| (2.0 * std::f64::consts::PI * hertz * i as f64 / f64::from(rate)).sin() as f32).collect()
    }

    #[test]
    fn a_tone_keeps_its_pitch() {
        for (from, to) in
            [(8000, 22050), (44100, 22050), (48000, 16000), (22050, 22051), (384_000, 8000), (11025, 44100)]
        {
            let out = resample(&tone(440.0, from, from as usize / 2), from, to).unwrap();
            assert_eq!(out.len(), (from as usize / 2 * to as usize).div_ceil(from as usize));
            let expected = tone(440.0, to, out.len());
            // Away from the ends, where the filter reaches beyond the samples.
            let inner = 600..out.len() - 600;
            let worst = inner.map(|i| (out[i] - expected[i]).abs()).fold(0.0, f32::max);
            assert!(worst < 2e-3, "{from} to {to}: {worst}");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        let out = resample(&tone(6000.0, 22050, 11025), 22050, 8000).unwrap();
        let worst = out[600..out.len() - 600].iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!(worst < 2e-3, "{worst}");
    }

    #[test]
    fn every_length_is_as_announced_and_a_rate_of_0_is_refused() {
        for n in [0, 1, 2, 511, 512, 513, 4000] {
            assert_eq!(resample(&vec![0.5; n], 22050, 8000).unwrap().len(), resampled_len(n, 22050, 8000), "{n}");
        }
        assert!(resample(&[0.0], 0, 8000).is_err() && resample(&[0.0], 8000, 0).is_err());
        assert!(resample(&[0.0, f32::NAN], 8000, 4000).is_err());
    }
}
