//! PNG and JPEG images as arrays.

use crate::array::Array;
use crate::error::DataError;
use crate::naming::extension;
use crate::options::ReadOptions;
use crate::spill::Rows;
use image::{DynamicImage, ImageReader, Limits};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Files that are decoded in parallel before their values are stored.
pub(crate) const BATCH: usize = 64;

/// Returns whether a file is an image, by its extension.
pub(crate) fn is_image(path: &Path) -> bool {
    matches!(extension(path).as_str(), "png" | "jpg" | "jpeg")
}

/// Decodes one image; its width, its height and the memory for it are bounded.
fn decode(path: &Path, options: &ReadOptions) -> Result<DynamicImage, DataError> {
    let bad = |reason: String| DataError::file(path, reason).with_hint("it may be cut short or not be an image");
    let mut reader = ImageReader::open(path)
        .map_err(|e| DataError::io(path, e))?
        .with_guessed_format()
        .map_err(|e| DataError::io(path, e))?;
    let mut limits = Limits::default();
    let most = options.max_bytes.min(1 << 30);
    (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (Some(16_384), Some(16_384), Some(most));
    reader.limits(limits);
    reader.decode().map_err(|e| bad(format!("it is not an image that can be read: {e}")))
}

/// Returns the number of channels of an image as it is stored.
fn stored_channels(image: &DynamicImage) -> usize {
    // Transparency is rarely meant as a channel; it is read only if four channels are requested.
    if image.color().has_color() { 3 } else { 1 }
}

/// Returns the values of an image, C×H×W, from 0 to 255 (16-bit images keep their fractions).
fn values(image: &DynamicImage, channels: usize) -> Vec<f32> {
    let planes = |pixels: &[f32]| -> Vec<f32> {
        (0..channels)
            .flat_map(|c| pixels.iter().skip(c).step_by(channels).map(|v| v * 255.0).collect::<Vec<_>>())
            .collect()
    };
    let wide = matches!(image.color().bits_per_pixel() / u16::from(image.color().channel_count()), 16..);
    if !wide {
        let bytes = match channels {
            1 => image.to_luma8().into_raw(),
            3 => image.to_rgb8().into_raw(),
            _ => image.to_rgba8().into_raw(),
        };
        return (0..channels).flat_map(|c| bytes.iter().skip(c).step_by(channels).map(|&b| f32::from(b))).collect();
    }
    match channels {
        1 => {
            let luma = image.to_luma16().into_raw();
            luma.iter().map(|&v| f32::from(v) / 257.0).collect()
        }
        3 => planes(&image.to_rgb32f().into_raw()),
        _ => planes(&image.to_rgba32f().into_raw()),
    }
}

/// Resizes each plane bilinearly, averaging over the area of an output pixel where it is larger.
fn resize(values: &[f32], planes: usize, from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let [h, w] = from;
    let rows: Vec<f32> = (0..planes * h).flat_map(|r| stretch(&values[r * w..(r + 1) * w], to[1])).collect();
    let mut out = vec![0.0; planes * to[0] * to[1]];
    for p in 0..planes {
        for x in 0..to[1] {
            let column: Vec<f32> = (0..h).map(|y| rows[(p * h + y) * to[1] + x]).collect();
            for (y, v) in stretch(&column, to[0]).into_iter().enumerate() {
                out[(p * to[0] + y) * to[1] + x] = v;
            }
        }
    }
    out
}

/// Resamples one line of pixels by a triangle filter as wide as the coarser of the two grids.
fn stretch(line: &[f32], n: usize) -> Vec<f32> {
    if line.len() == n {
        return line.to_vec();
    }
    let scale = line.len() as f64 / n as f64;
    let width = scale.max(1.0);
    (0..n)
        .map(|i| {
            let center = (i as f64 + 0.5) * scale - 0.5;
            let from = (center - width).ceil().max(0.0) as usize;
            let to = ((center + width).floor() as usize).min(line.len() - 1);
            let (mut sum, mut total) = (0.0, 0.0);
            for (j, &v) in line.iter().enumerate().take(to + 1).skip(from) {
                let weight = (1.0 - (j as f64 - center).abs() / width).max(0.0);
                sum += weight * f64::from(v);
                total += weight;
            }
            (sum / total.max(f64::MIN_POSITIVE)) as f32
        })
        .collect()
}

/// Reads images of one size, or resizes them, into N×C×H×W. The image `first` decides the size and the channels.
///
/// # Errors
/// [`DataError::File`] with the first image that cannot be read, or whose size or channels differ.
pub(crate) fn read(
    paths: &[PathBuf],
    first: &Path,
    options: &mut ReadOptions,
    notes: &mut Vec<String>,
) -> Result<Array, DataError> {
    let image = decode(first, options)?;
    let given = options.channels.is_some();
    let stored = stored_channels(&image);
    let channels = options.channels.unwrap_or(stored);
    if !matches!(channels, 1 | 3 | 4) {
        return Err(DataError::file(first, format!("images have 1, 3 or 4 channels, not {channels}")));
    }
    let size = [image.height() as usize, image.width() as usize];
    let wanted = options.resize.unwrap_or(size);
    options.channels = Some(channels);
    if options.resize.is_some() {
        notes.push(format!("images are resized to {}×{}", wanted[0], wanted[1]));
    }
    let shape = vec![paths.len(), channels, wanted[0], wanted[1]];
    let mut rows = Rows::new(first, "images", shape, options)?;
    let resized = options.resize.is_some();
    let options = &*options;
    let read = |path: &PathBuf| {
        let image = decode(path, options)?;
        if !given && stored_channels(&image) != stored {
            let kind = |channels| if channels == 1 { "grayscale" } else { "in color" };
            let reason =
                format!("it is {}, but {} is {}", kind(stored_channels(&image)), first.display(), kind(stored));
            let hint = "set `data.channels` to 1 (grayscale) or to 3 (color) to convert all images";
            return Err(DataError::file(path, reason).with_hint(hint));
        }
        let found = [image.height() as usize, image.width() as usize];
        if found == wanted {
            return Ok(values(&image, channels));
        }
        if !resized {
            let reason = format!("it is {}×{}, but {} is {}×{}", found[0], found[1], first.display(), size[0], size[1]);
            let hint = format!("resize all images with `data.resize`, for example to {}x{}", size[0], size[1]);
            return Err(DataError::file(path, reason).with_hint(hint));
        }
        Ok(resize(&values(&image, channels), channels, found, wanted))
    };
    for some in paths.chunks(BATCH) {
        let some: Vec<Vec<f32>> = some.par_iter().map(read).collect::<Result<_, DataError>>()?;
        some.iter().try_for_each(|image| rows.push(image))?;
    }
    rows.array()
}
