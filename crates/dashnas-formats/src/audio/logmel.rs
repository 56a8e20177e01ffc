//! Log-mel spectrograms, by default with the settings of the FSD50K baseline: 96 bands of sound at
//! 22 050 Hz, windows of 30 ms every 10 ms.

use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::PI;
use std::sync::Arc;

/// Lower bound of the energies, so that silence has a logarithm.
const FLOOR: f64 = 1e-10;

/// The settings of a spectrogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogMelSettings {
    /// The sampling rate in hertz.
    pub rate: u32,
    /// The number of mel bands.
    pub bands: usize,
    /// The length of the window in milliseconds.
    pub window_ms: f64,
    /// The time from one window to the next in milliseconds.
    pub hop_ms: f64,
    /// The number of points of the Fourier transform; the window is padded with zeros. The transform is never shorter
    /// than the window.
    pub fft: usize,
}

/// The number of points of the transform of the FSD50K baseline.
const FFT: usize = 1920;

impl LogMelSettings {
    /// Returns the default number of points for a window: that of the FSD50K baseline or, for longer windows, the next
    /// power of two. Padding the window with zeros makes the bins narrower than the lowest bands.
    pub fn fft_for(rate: u32, window_ms: f64) -> usize {
        match samples(rate, window_ms) {
            0..=FFT => FFT,
            window => window.next_power_of_two(),
        }
    }
}

/// Returns the number of samples in a time, rounded down as in the FSD50K baseline: 661 and 220 at 22 050 Hz.
fn samples(rate: u32, ms: f64) -> usize {
    ((ms * f64::from(rate) / 1000.0 + 1e-6).floor() as usize).max(1)
}

impl Default for LogMelSettings {
    fn default() -> Self {
        Self { rate: 22_050, bands: 96, window_ms: 30.0, hop_ms: 10.0, fft: FFT }
    }
}

/// Computes spectrograms.
///
/// Frame t is centered on sample t·hop (with zeros beyond the ends), so that n samples give `1 + ⌊n / hop⌋` frames: 101
/// for a second at the default settings. A frame is weighted by a periodic Hann window, its power spectrum is summed by
/// triangular filters at equal steps of `2595·log₁₀(1 + f/700)` from 0 to half the rate, and the natural logarithm is
/// taken. It is computed in double precision, as resampling is: the Fourier transforms of a second precision would take
/// as long to compile as all of the readers of tables.
pub struct LogMel {
    bands: usize,
    hop: usize,
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
    /// For each band the first bin and the weights from it on.
    filters: Vec<(usize, Vec<f64>)>,
}

impl LogMel {
    /// Prepares the window, the transform and the filters.
    pub fn new(settings: &LogMelSettings) -> Self {
        let (size, hop) = (samples(settings.rate, settings.window_ms), samples(settings.rate, settings.hop_ms));
        let window = (0..size).map(|i| 0.5 - 0.5 * (2.0 * PI * i as f64 / size as f64).cos()).collect();
        let n = size.max(settings.fft);
        let fft = RealFftPlanner::new().plan_fft_forward(n);
        let filters = filters(settings, n);
        Self { bands: settings.bands, hop, window, fft, filters }
    }

    /// Returns the number of frames of this many samples.
    pub fn frames(&self, samples: usize) -> usize {
        1 + samples / self.hop
    }

    /// Computes the spectrogram, bands × frames in row-major order.
    pub fn compute(&self, samples: &[f32]) -> Vec<f32> {
        let frames = self.frames(samples.len());
        let mut out = vec![0.0; self.bands * frames];
        let mut input = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let half = self.window.len() / 2;
        for t in 0..frames {
            input.fill(0.0);
            for (i, (slot, weight)) in input.iter_mut().zip(&self.window).enumerate() {
                let at = (t * self.hop + i).checked_sub(half);
                *slot = weight * at.and_then(|at| samples.get(at)).map_or(0.0, |&v| f64::from(v));
            }
            // All three buffers are made by the transform, so their lengths agree.
            let done = self.fft.process_with_scratch(&mut input, &mut spectrum, &mut scratch);
            debug_assert!(done.is_ok());
            for (band, (first, weights)) in self.filters.iter().enumerate() {
                let power = weights.iter().zip(&spectrum[*first..]).map(|(w, c)| w * c.norm_sqr()).sum::<f64>();
                out[band * frames + t] = power.max(FLOOR).ln() as f32;
            }
        }
        out
    }
}

fn mel(hertz: f64) -> f64 {
    2595.0 * (1.0 + hertz / 700.0).log10()
}

fn hertz(mel: f64) -> f64 {
    700.0 * (10f64.powf(mel / 2595.0) - 1.0)
}

/// Returns triangular filters of height 1 over the bins of a transform of length n.
fn filters(settings: &LogMelSettings, n: usize) -> Vec<(usize, Vec<f64>)> {
    let rate = f64::from(settings.rate);
    let top = mel(rate / 2.0);
    let corner = |i: usize| hertz(top * i as f64 / (settings.bands + 1) as f64);
    let frequency = |bin: usize| bin as f64 * rate / n as f64;
    (0..settings.bands)
        .map(|band| {
            let (low, peak, high) = (corner(band), corner(band + 1), corner(band + 2));
            let weight = |bin: usize| {
                let f = frequency(bin);
                ((f - low) / (peak - low)).min((high - f) / (high - peak)).max(0.0)
            };
            let bins: Vec<usize> = (0..=n / 2).filter(|&bin| weight(bin) > 0.0).collect();
            match (bins.first(), bins.last()) {
                (Some(&first), Some(&last)) => (first, (first..=last).map(weight).collect()),
                // A band narrower than a bin takes the nearest bin.
                _ => (((peak * n as f64 / rate).round() as usize).min(n / 2), vec![1.0]),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, with a plain sum for the transform and `f64` throughout.
    fn by_definition(samples: &[f32], rate: f64, bands: usize, size: usize, hop: usize, n: usize) -> Vec<f64> {
        let frames = 1 + samples.len() / hop;
        let to_mel = |f: f64| 1_127.010_480_074_4 * (1.0 + f / 700.0).ln();
        let to_hertz = |m: f64| 700.0 * ((m / 1_127.010_480_074_4).exp() - 1.0);
        let step = to_mel(rate / 2.0) / (bands as f64 + 1.0);
        let mut out = vec![0.0; bands * frames];
        for t in 0..frames {
            let power: Vec<f64> = (0..=n / 2)
                .map(|k| {
                    let (mut re, mut im) = (0.0, 0.0);
                    for i in 0..size {
                        let at = (t * hop + i) as isize - (size / 2) as isize;
                        let v = usize::try_from(at).ok().and_then(|a| samples.get(a)).map_or(0.0, |&v| f64::from(v));
                        let w = (PI * i as f64 / size as f64).sin().powi(2);
                        let angle = -2.0 * PI * (k * i % n) as f64 / n as f64;
                        re += v * w * angle.cos();
                        im += v * w * angle.sin();
                    }
                    re * re + im * im
                })
                .collect();
            for b in 0..bands {
                let [low, peak, high] = [0, 1, 2].map(|j| to_hertz(step * (b + j) as f64));
                let mut sum = 0.0;
                for (k, p) in power.iter().enumerate() {
                    let f = k as f64 * rate / n as f64;
                    let rise = (f - low) / (peak - low);
                    let fall = (high - f) / (high - peak);
                    sum += p * rise.min(fall).max(0.0);
                }
                out[b * frames + t] = sum.max(1e-10).ln();
            }
        }
        out
    }

    #[test]
    fn the_spectrogram_follows_its_definition() {
        let samples: Vec<f32> =
            (0..700).map(|i| (i as f32 * 0.21).sin() + 0.3 * ((i * i) as f32 * 0.013).cos()).collect();
        // A transform cannot be shorter than the window of 120 samples; a longer one may have an odd length.
        for (fft, n) in [(0, 120), (128, 128), (375, 375)] {
            let settings = LogMelSettings { rate: 4000, bands: 12, window_ms: 30.0, hop_ms: 10.0, fft };
            let ours = LogMel::new(&settings).compute(&samples);
            let expected = by_definition(&samples, 4000.0, 12, 120, 40, n);
            assert_eq!(ours.len(), expected.len());
            for (i, (a, b)) in ours.iter().zip(&expected).enumerate() {
                assert!((f64::from(*a) - b).abs() < 1e-6 * (1.0 + b.abs()), "{n}, {i}: {a} and {b}");
            }
        }
    }

    #[test]
    fn the_transform_is_never_shorter_than_the_window() {
        assert_eq!(LogMelSettings::default().fft, LogMelSettings::fft_for(22_050, 30.0));
        for (rate, ms, fft) in [(8000, 30.0, 1920), (22_050, 30.0, 1920), (48_000, 40.0, 1920), (48_000, 50.0, 4096)] {
            assert_eq!(LogMelSettings::fft_for(rate, ms), fft);
        }
    }

    #[test]
    fn every_band_of_the_default_has_bins_of_its_own() {
        let filters = filters(&LogMelSettings::default(), FFT);
        assert!(filters.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_second_has_101_frames_of_96_bands() {
        let mel = LogMel::new(&LogMelSettings::default());
        assert_eq!(mel.frames(22_050), 101);
        let silence = mel.compute(&vec![0.0; 22_050]);
        assert_eq!(silence.len(), 96 * 101);
        assert!(silence.iter().all(|&v| v == FLOOR.ln() as f32));
    }

    #[test]
    fn a_tone_is_loudest_in_its_own_band() {
        let settings = LogMelSettings { rate: 8000, bands: 40, window_ms: 32.0, hop_ms: 10.0, fft: 256 };
        let samples: Vec<f32> = (0..4000).map(|i| (2.0 * PI * 1000.0 * f64::from(i) / 8000.0).sin() as f32).collect();
        let mel = LogMel::new(&settings);
        let (out, frames) = (mel.compute(&samples), mel.frames(4000));
        let loudest = (0..40).max_by(|a, b| out[a * frames + 20].total_cmp(&out[b * frames + 20])).unwrap();
        // Band b peaks at mel(4000)·(b+1)/41; 1000 Hz is 1000 mel of 2146.
        assert_eq!(loudest, 18);
    }
}
