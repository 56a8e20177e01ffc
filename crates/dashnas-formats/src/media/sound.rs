//! Files of sound as log-mel spectrograms.

use crate::array::Array;
use crate::audio::logmel::{LogMel, LogMelSettings};
use crate::audio::resample;
use crate::audio::resample::resampled_len;
use crate::error::DataError;
use crate::limits::check_bytes;
use crate::media::decode::supported;
pub use crate::media::decode::{Clip, parse};
pub use crate::media::defect::Defect;
use crate::media::wav;
use crate::media::wav::Wav;
use crate::naming::{extension, is_gzipped};
use crate::options::{Lengths, ReadOptions};
use crate::series::values::cut_warning;
use crate::spill::Rows;
use crate::text::and_more;
use dashnas_core::text::plural;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// Extensions of files of sound that are read.
pub(crate) const EXTENSIONS: &[&str] = &["wav", "wave", "flac", "ogg", "oga", "mp3", "aif", "aiff"];

/// Returns whether a file is sound, by its extension.
pub(crate) fn is_sound(path: &Path) -> bool {
    EXTENSIONS.contains(&extension(path).as_str())
}

/// Returns the number of samples (per channel) in a file, their rate, and what is wrong with the file. Of WAV files the
/// header tells; others are decoded.
fn length(path: &Path, limit: u64) -> Result<(usize, u32, Option<Defect>), DataError> {
    let mut prefix = Vec::new();
    let mut file = File::open(path).map_err(|e| DataError::io(path, e))?;
    file.by_ref().take(4).read_to_end(&mut prefix).map_err(|e| DataError::io(path, e))?;
    if !is_gzipped(path) && wav::is_wav(&prefix) {
        let size = file.metadata().map_err(|e| DataError::io(path, e))?.len();
        let wav = Wav::scan(path, &mut BufReader::new(file), size)?;
        if let Some((frames, rate)) = wav.frames().filter(|(frames, _)| *frames > 0) {
            supported(path, 1, rate)?;
            return Ok((usize::try_from(frames).unwrap_or(usize::MAX), rate, wav.defect));
        }
    }
    let clip = parse(path, &crate::bytes::bytes(path, limit)?, limit)?;
    Ok((clip.samples.len(), clip.rate, clip.defect))
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

/// Notes the files with defects, by kind.
fn note_defects(paths: &[PathBuf], defects: impl Iterator<Item = Option<Defect>>, notes: &mut Vec<String>) {
    let mut found: BTreeMap<Defect, Vec<&PathBuf>> = BTreeMap::new();
    for (path, defect) in paths.iter().zip(defects) {
        if let Some(defect) = defect {
            found.entry(defect).or_default().push(path);
        }
    }
    for (defect, files) in found {
        let first = files.first().map(|p| p.display().to_string()).unwrap_or_default();
        let (text, reading, more) = (defect.text(), defect.reading(), and_more(files.len()));
        notes.push(format!("{} {text}, {reading}: {first}{more}", plural(files.len(), "recording")));
    }
}

/// The numbers of samples of clips at the rate that sound is brought to.
///
/// # Errors
/// [`DataError`] with the first clip that cannot be read.
pub(crate) fn lengths(
    paths: &[PathBuf],
    options: &ReadOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<usize>, DataError> {
    let rate = options.audio_rate;
    let read = |path: &PathBuf| {
        let (samples, own, defect) = length(path, options.max_bytes)?;
        let resampled = resampled_len(samples, own, rate);
        check_bytes(path, "sound", 4 * resampled as u128, options.max_bytes)?;
        Ok((resampled, own, defect))
    };
    let clips: Vec<Result<_, DataError>> = paths.par_iter().map(read).collect();
    // The first error in the order of the files.
    let clips: Vec<(usize, u32, Option<Defect>)> = clips.into_iter().collect::<Result<_, _>>()?;
    let other = clips.iter().filter(|clip| clip.1 != rate).count();
    let resampled = match other {
        0 => String::new(),
        n => format!("; {} resampled from other rates (`data.audio-rate`)", plural(n, "clip")),
    };
    notes.push(format!(
        "sound is read as its samples at {rate} Hz, averaged over the channels{resampled}; without `data.window` it would be \
         converted to log-mel spectrograms"
    ));
    note_defects(paths, clips.iter().map(|clip| clip.2), notes);
    Ok(clips.into_iter().map(|clip| clip.0).collect())
}

/// The samples of a clip at the rate that sound is brought to.
///
/// # Errors
/// [`DataError`] if it cannot be read.
pub(crate) fn samples(path: &Path, options: &ReadOptions) -> Result<Vec<f32>, DataError> {
    let clip = parse(path, &crate::bytes::bytes(path, options.max_bytes)?, options.max_bytes)?;
    if let Some(i) = clip.samples.iter().position(|v| !v.is_finite()) {
        return Err(DataError::file(path, format!("sample {i} is {}", clip.samples[i])));
    }
    resample(&clip.samples, clip.rate, options.audio_rate).map_err(|e| DataError::file(path, e.to_string()))
}

/// Reads clips as log-mel spectrograms, N×1×bands×frames. The clips for which `decides` is set give the number of
/// frames by [`Lengths`] (clips are not stretched: resampling means padding with silence here). `new` clips are for a
/// model.
///
/// # Errors
/// [`DataError`] with the first clip that cannot be read.
pub(crate) fn read(
    paths: &[PathBuf],
    decides: &[bool],
    new: bool,
    options: &mut ReadOptions,
    [notes, warnings]: [&mut Vec<String>; 2],
) -> Result<Array, DataError> {
    let settings = settings(options);
    options.mel_fft = Some(settings.fft);
    let mel = LogMel::new(&settings);
    let limit = options.max_bytes;
    // The lengths come first; the samples are read when the size of the array is known.
    let clips: Vec<Result<_, DataError>> = paths
        .par_iter()
        .map(|path| {
            let (samples, rate, defect) = length(path, limit)?;
            // Resampling may give up to 384 times as many samples, because rates are from 1000 to 384 000 Hz.
            let resampled = resampled_len(samples, rate, settings.rate);
            check_bytes(path, "sound", 4 * resampled as u128, limit)?;
            let spectrum = mel.frames(resampled) as u128 * settings.bands as u128;
            check_bytes(path, "spectrogram", 4 * spectrum, limit)?;
            Ok((mel.frames(resampled), rate, defect))
        })
        .collect();
    // The first error in the order of the files.
    let clips: Vec<(usize, u32, Option<Defect>)> = clips.into_iter().collect::<Result<_, _>>()?;
    let lens = || clips.iter().zip(decides).filter(|(_, d)| **d).map(|(c, _)| c.0);
    let (min, max) = (lens().min().unwrap_or(1), lens().max().unwrap_or(1));
    let frames = options.length.unwrap_or(if options.lengths == Lengths::Truncate { min } else { max });
    if new && options.length.is_some() {
        warnings.extend(cut_warning(clips.iter().map(|clip| clip.0), frames, "frames", options));
    }
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
        let how = if options.lengths == Lengths::Mask { "kept and masked" } else { "padded with silence" };
        notes.push(format!("clips are {min} to {max} frames long: {how} or cut off to {frames}"));
    }
    note_defects(paths, clips.iter().map(|clip| clip.2), notes);
    let bands = settings.bands;
    // There is at least one clip.
    let first = paths.first().map_or(Path::new("sound"), PathBuf::as_path);
    let mut rows = Rows::new(first, "spectrograms", vec![paths.len(), 1, bands, frames], options)?;
    let after = if options.lengths == Lengths::Mask { f32::NAN } else { 1e-10f32.ln() };
    let read = |path: &PathBuf| {
        let samples = samples(path, options)?;
        let n = mel.frames(samples.len());
        let mut row = Vec::with_capacity(bands * frames);
        for band in mel.compute(&samples).chunks(n) {
            let kept = n.min(frames);
            row.extend_from_slice(&band[..kept]);
            row.extend(std::iter::repeat_n(after, frames - kept));
        }
        Ok(row)
    };
    for some in paths.chunks(crate::media::images::BATCH) {
        let some: Vec<Result<Vec<f32>, DataError>> = some.par_iter().map(read).collect();
        some.into_iter().try_for_each(|clip| rows.push(&clip?))?;
    }
    rows.array()
}
