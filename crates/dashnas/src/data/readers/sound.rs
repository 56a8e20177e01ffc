//! WAV files as log-mel spectrograms.

use crate::audio::{LogMel, LogMelSettings, resample};
use crate::data::raw::{afford, afford_bytes};
use crate::data::{Array, DataError, Lengths, ReadOptions};
use hound::{SampleFormat, WavReader};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Whether the extension is that of a WAV file.
pub(crate) fn is_wav(path: &Path) -> bool {
    matches!(super::extension(path).as_str(), "wav" | "wave")
}

/// The samples of a file, −1 to 1, channels averaged, and their rate.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<(Vec<f32>, u32), DataError> {
    let bad = |e: hound::Error| {
        DataError::file(path, format!("it is not a WAV file that can be read: {e}"))
            .with_hint("convert it: ffmpeg -i in -c:a pcm_s16le out.wav")
    };
    let mut reader = WavReader::new(bytes).map_err(bad)?;
    let spec = reader.spec();
    if spec.channels == 0 || !(1_000..=384_000).contains(&spec.sample_rate) {
        let reason = format!("{} channels at {} Hz is no sound", spec.channels, spec.sample_rate);
        return Err(DataError::file(path, reason));
    }
    let samples: Vec<f32> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>().map_err(bad)?,
        SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            reader.samples::<i32>().map(|s| s.map(|v| v as f32 * scale)).collect::<Result<_, _>>().map_err(bad)?
        }
    };
    let channels = spec.channels as usize;
    let mono = samples.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
    Ok((mono, spec.sample_rate))
}

/// Settings of the options.
fn settings(options: &ReadOptions) -> LogMelSettings {
    LogMelSettings {
        rate: options.audio_rate,
        bands: options.mel_bands,
        window_ms: options.mel_window_ms,
        hop_ms: options.mel_hop_ms,
        fft: options.mel_fft.unwrap_or_else(|| LogMelSettings::fft_for(options.audio_rate, options.mel_window_ms)),
    }
}

/// Reads clips as N×1×bands×frames. The clips of which `decides` is set give the number of frames, as
/// [`Lengths`] says (clips are not stretched: resampling means padding here).
pub(crate) fn read(
    paths: &[PathBuf],
    decides: &[bool],
    options: &mut ReadOptions,
    notes: &mut Vec<String>,
) -> Result<Array, DataError> {
    let settings = settings(options);
    options.mel_fft = Some(settings.fft);
    let mel = LogMel::new(&settings);
    let limit = options.max_bytes;
    let clips: Vec<(Vec<f32>, usize, u32)> = paths
        .par_iter()
        .map(|path| {
            let (samples, rate) = parse(path, &super::bytes(path, limit)?)?;
            if let Some(i) = samples.iter().position(|v| !v.is_finite()) {
                return Err(DataError::file(path, format!("sample {i} is {}", samples[i])));
            }
            // Up to 384 times as many: a rate is from 1000 to 384 000 Hz.
            let resampled = samples.len() as u128 * u128::from(settings.rate) / u128::from(rate);
            afford_bytes(path, "sound", 4 * resampled, limit)?;
            let spectrum = mel.frames(resampled as usize) as u128 * settings.bands as u128;
            afford_bytes(path, "spectrogram", 4 * spectrum, limit)?;
            let samples = resample(&samples, rate, settings.rate);
            Ok((mel.compute(&samples), mel.frames(samples.len()), rate))
        })
        .collect::<Result<_, DataError>>()?;
    let lens = || clips.iter().zip(decides).filter(|(_, d)| **d).map(|(c, _)| c.1);
    let (min, max) = (lens().min().unwrap_or(1), lens().max().unwrap_or(1));
    let frames = options.length.unwrap_or(if options.lengths == Lengths::Truncate { min } else { max });
    options.length = Some(frames);
    notes.push(format!(
        "sound is turned to log-mel spectrograms: {} bands of {} points, windows of {} ms every {} ms at {} Hz",
        settings.bands, settings.fft, settings.window_ms, settings.hop_ms, settings.rate
    ));
    let lowest = clips.iter().map(|c| c.2).min().unwrap_or(settings.rate);
    if lowest < settings.rate {
        notes.push(format!(
            "clips are at {lowest} Hz, so that bands above {} Hz are empty (--audio-rate {lowest})",
            lowest / 2
        ));
    }
    if min < max || frames != max {
        notes.push(format!("clips are {min} to {max} frames long: padded with silence or cut off to {frames}"));
    }
    let bands = settings.bands;
    // There is at least one clip.
    let first = paths.first().map_or(Path::new("sound"), PathBuf::as_path);
    afford(first, "spectrograms", clips.len() as u128 * (bands * frames) as u128, options)?;
    let silence = 1e-10f32.ln();
    let mut data = Vec::with_capacity(clips.len() * bands * frames);
    for (values, n, _) in clips {
        for band in values.chunks(n) {
            let kept = n.min(frames);
            data.extend_from_slice(&band[..kept]);
            data.extend(std::iter::repeat_n(silence, frames - kept));
        }
    }
    Ok(Array::new(vec![paths.len(), 1, bands, frames], data))
}
