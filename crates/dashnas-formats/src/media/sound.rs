//! WAV files as log-mel spectrograms.

use crate::array::Array;
use crate::audio::logmel::{LogMel, LogMelSettings};
use crate::audio::resample;
use crate::audio::resample::resampled_len;
use crate::error::DataError;
use crate::limits::check_bytes;
use crate::naming::{extension, is_gzipped};
use crate::options::{Lengths, ReadOptions};
use crate::spill::Rows;
use dashnas_core::text::plural;
use hound::{SampleFormat, WavReader};
use rayon::prelude::*;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// Returns whether a file is a WAV file, by its extension.
pub(crate) fn is_wav(path: &Path) -> bool {
    matches!(extension(path).as_str(), "wav" | "wave")
}

/// The error for a file that is not valid WAV.
fn bad(path: &Path, e: &hound::Error) -> DataError {
    DataError::file(path, format!("it cannot be read as WAV: {e}"))
        .with_hint("convert it: ffmpeg -i in -c:a pcm_s16le out.wav")
}

/// Reads the header of a WAV file.
fn header<R: Read>(path: &Path, bytes: R) -> Result<WavReader<R>, DataError> {
    let reader = WavReader::new(bytes).map_err(|e| bad(path, &e))?;
    let spec = reader.spec();
    if spec.channels == 0 || !(1_000..=384_000).contains(&spec.sample_rate) {
        let reason =
            format!("sound of {} at {} Hz is not supported", plural(spec.channels.into(), "channel"), spec.sample_rate);
        return Err(DataError::file(path, reason));
    }
    Ok(reader)
}

/// Returns the number of samples (per channel) in a file by its header, and their rate.
fn length(path: &Path, limit: u64) -> Result<(usize, u32), DataError> {
    let size = std::fs::metadata(path).map_err(|e| DataError::io(path, e))?.len();
    if !is_gzipped(path) && size > 0 {
        let file = File::open(path).map_err(|e| DataError::io(path, e))?;
        let reader = header(path, BufReader::new(file))?;
        let spec = reader.spec();
        // A header that gives more samples than there are bytes is not trusted.
        if u64::from(reader.len()) * u64::from(spec.bits_per_sample.div_ceil(8)) <= size {
            return Ok((reader.duration() as usize, spec.sample_rate));
        }
    }
    parse(path, &crate::bytes::bytes(path, limit)?).map(|(samples, rate)| (samples.len(), rate))
}

/// Decodes the samples of a WAV file, from −1 to 1 and averaged over its channels, and their rate in hertz.
///
/// # Errors
/// [`DataError::File`] if it is not a WAV file.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<(Vec<f32>, u32), DataError> {
    let mut reader = header(path, bytes)?;
    let bad = |e| bad(path, &e);
    let spec = reader.spec();
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

/// Returns the settings of the spectrogram in the options.
fn settings(options: &ReadOptions) -> LogMelSettings {
    LogMelSettings {
        rate: options.audio_rate,
        bands: options.mel_bands,
        window_ms: options.mel_window_ms,
        hop_ms: options.mel_hop_ms,
        fft: options.mel_fft.unwrap_or_else(|| LogMelSettings::fft_for(options.audio_rate, options.mel_window_ms)),
    }
}

/// Reads clips as log-mel spectrograms, N×1×bands×frames. The clips for which `decides` is set give the number of
/// frames by [`Lengths`] (clips are not stretched: resampling means padding here).
///
/// # Errors
/// [`DataError`] with the first clip that cannot be read.
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
    // Lengths come from the headers; the samples are read when the size of the array is known.
    let clips: Vec<(usize, u32)> = paths
        .par_iter()
        .map(|path| {
            let (samples, rate) = length(path, limit)?;
            // Resampling may give up to 384 times as many samples, because rates are from 1000 to 384 000 Hz.
            let resampled = resampled_len(samples, rate, settings.rate);
            check_bytes(path, "sound", 4 * resampled as u128, limit)?;
            let spectrum = mel.frames(resampled) as u128 * settings.bands as u128;
            check_bytes(path, "spectrogram", 4 * spectrum, limit)?;
            Ok((mel.frames(resampled), rate))
        })
        .collect::<Result<_, DataError>>()?;
    let lens = || clips.iter().zip(decides).filter(|(_, d)| **d).map(|(c, _)| c.0);
    let (min, max) = (lens().min().unwrap_or(1), lens().max().unwrap_or(1));
    let frames = options.length.unwrap_or(if options.lengths == Lengths::Truncate { min } else { max });
    options.length = Some(frames);
    notes.push(format!(
        "sound is converted to log-mel spectrograms: {} bands of {} points, windows of {} ms every {} ms at {} Hz",
        settings.bands, settings.fft, settings.window_ms, settings.hop_ms, settings.rate
    ));
    let lowest = clips.iter().map(|c| c.1).min().unwrap_or(settings.rate);
    if lowest < settings.rate {
        notes.push(format!(
            "clips are at {lowest} Hz, so that bands above {} Hz are empty (set `data.audio-rate` to {lowest})",
            lowest / 2
        ));
    }
    if min < max || frames != max {
        notes.push(format!("clips are {min} to {max} frames long: padded with silence or cut off to {frames}"));
    }
    let bands = settings.bands;
    // There is at least one clip.
    let first = paths.first().map_or(Path::new("sound"), PathBuf::as_path);
    let mut rows = Rows::new(first, "spectrograms", vec![paths.len(), 1, bands, frames], options)?;
    let silence = 1e-10f32.ln();
    let read = |path: &PathBuf| {
        let (samples, rate) = parse(path, &crate::bytes::bytes(path, limit)?)?;
        if let Some(i) = samples.iter().position(|v| !v.is_finite()) {
            return Err(DataError::file(path, format!("sample {i} is {}", samples[i])));
        }
        // There are as many samples as the header says, or fewer.
        let samples = resample(&samples, rate, settings.rate);
        let n = mel.frames(samples.len());
        let mut row = Vec::with_capacity(bands * frames);
        for band in mel.compute(&samples).chunks(n) {
            let kept = n.min(frames);
            row.extend_from_slice(&band[..kept]);
            row.extend(std::iter::repeat_n(silence, frames - kept));
        }
        Ok(row)
    };
    for some in paths.chunks(crate::media::images::BATCH) {
        let some: Vec<Vec<f32>> = some.par_iter().map(read).collect::<Result<_, DataError>>()?;
        some.iter().try_for_each(|clip| rows.push(clip))?;
    }
    rows.array()
}
