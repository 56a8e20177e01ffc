//! Images as arrays: PNG, JPEG, TIFF, WebP, BMP, GIF and PNM.

use crate::array::Array;
use crate::error::DataError;
use crate::media::jpeg::Jpeg;
use crate::media::tiff_directory::{flaw, is_big};
use crate::naming::extension;
use crate::options::ReadOptions;
use crate::spill::Rows;
use crate::text::and_more;
use dashnas_core::text::plural;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use rayon::prelude::*;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use tiff::tags::Tag;

/// Files that are decoded in parallel before their values are stored.
pub(crate) const BATCH: usize = 64;

/// Extensions of images that are read.
pub(crate) const EXTENSIONS: &[&str] =
    &["png", "jpg", "jpeg", "jpe", "jfif", "tif", "tiff", "webp", "bmp", "gif", "pgm", "ppm", "pbm", "pnm"];

/// Returns whether a file is an image, by its extension.
pub(crate) fn is_image(path: &Path) -> bool {
    EXTENSIONS.contains(&extension(path).as_str())
}

/// A decoded image, upright.
struct Decoded {
    image: DynamicImage,
    /// Whether it was stored turned or mirrored.
    turned: bool,
    /// Whether further images follow in the file.
    several: bool,
}

/// Decodes one image; its width, its height and the memory for it are bounded.
fn decode(path: &Path, options: &ReadOptions) -> Result<Decoded, DataError> {
    let bytes = crate::bytes::bytes(path, options.max_bytes)?;
    let bad = |e: image::ImageError| {
        let unread = matches!(e, image::ImageError::Unsupported(_)).then(|| unread_tiff(&bytes)).flatten();
        if let Some(reason) = unread {
            return DataError::file(path, reason)
                .with_hint("convert it to 8 or 16 bits, or save such values as arrays: numpy.savez(file, x=x, y=y)");
        }
        DataError::file(path, format!("it is not an image that can be read: {e}"))
            .with_hint("it may be cut short, or of a variant that is not supported: convert it to PNG")
    };
    if let Some(jpeg) = Jpeg::scan(&bytes) {
        check_jpeg(path, jpeg)?;
    }
    if let Some(flaw) = flaw(&bytes) {
        let reason = format!("it is not an image that can be read: {flaw}");
        return Err(DataError::file(path, reason).with_hint("it is damaged or cut short: get it again, or remove it"));
    }
    let reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format();
    let mut reader = reader.map_err(|e| DataError::io(path, e))?;
    if is_big(&bytes) {
        // The decoder reads it, but the format is not guessed from its first bytes.
        reader.set_format(ImageFormat::Tiff);
    }
    let format = reader.format();
    let mut limits = Limits::default();
    let most = options.max_bytes.min(1 << 30);
    (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (Some(16_384), Some(16_384), Some(most));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(bad)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(DataError::file(path, format!("the image has no pixels: its size is {width}×{height}")));
    }
    if decoder.total_bytes() > most {
        let (array, bytes) = ("image".into(), decoder.total_bytes().into());
        return Err(DataError::TooLarge { path: path.into(), array, bytes, limit: most });
    }
    // An orientation that cannot be read turns nothing.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(bad)?;
    image.apply_orientation(orientation);
    check_floats(path, &image)?;
    Ok(Decoded { image, turned: orientation != Orientation::NoTransforms, several: holds_several(format, &bytes) })
}

/// Decodes one image, and turns it upright.
///
/// # Errors
/// [`DataError::File`] if it cannot be read.
pub(crate) fn decode_upright(path: &Path, options: &ReadOptions) -> Result<DynamicImage, DataError> {
    decode(path, options).map(|decoded| decoded.image)
}

/// Returns whether all pixels of an image are gray, also if it is stored in color.
pub(crate) fn is_gray(image: &DynamicImage) -> bool {
    !image.color().has_color() || image.to_rgb8().pixels().all(|p| p.0[0] == p.0[1] && p.0[1] == p.0[2])
}

/// Returns whether some pixels of an image are not opaque.
fn is_transparent(image: &DynamicImage) -> bool {
    image.color().has_alpha() && image.to_rgba8().pixels().any(|p| p.0[3] < u8::MAX)
}

/// The largest of the values of an image of 16 bits; `None` of other images.
fn largest_of_16_bits(image: &DynamicImage) -> Option<u16> {
    match image {
        DynamicImage::ImageLuma16(image) => image.as_raw().iter().copied().max(),
        DynamicImage::ImageRgb16(image) => image.as_raw().iter().copied().max(),
        DynamicImage::ImageLumaA16(image) => image.pixels().map(|p| p.0[0]).max(),
        DynamicImage::ImageRgba16(image) => image.pixels().filter_map(|p| p.0[..3].iter().copied().max()).max(),
        _ => None,
    }
}

/// Refuses a JPEG file that the decoder would read wrongly.
fn check_jpeg(path: &Path, jpeg: Jpeg) -> Result<(), DataError> {
    if !jpeg.ends {
        return Err(DataError::file(path, "the JPEG image is cut short").with_hint("get it again, or remove it"));
    }
    if jpeg.colors == 4 && !jpeg.adobe {
        let reason = "it is a CMYK JPEG image that does not say how its colors are stored";
        return Err(DataError::file(path, reason).with_hint("convert it to RGB"));
    }
    Ok(())
}

/// Refuses floating-point images whose values are not from 0 to 1, the range that is converted to 0 to 255.
fn check_floats(path: &Path, image: &DynamicImage) -> Result<(), DataError> {
    let values = match image {
        DynamicImage::ImageRgb32F(image) => image.as_raw(),
        DynamicImage::ImageRgba32F(image) => image.as_raw(),
        _ => return Ok(()),
    };
    let Some(value) = values.iter().find(|v| !(0.0..=1.0).contains(*v)) else { return Ok(()) };
    let reason = format!("it is an image of floating-point numbers with the value {value}, not from 0 to 1");
    Err(DataError::file(path, reason).with_hint("save such values as arrays: numpy.savez(file, x=x, y=y)"))
}

/// Says of which numbers a TIFF image is that is not read; `None` if it is no TIFF image, or of unsigned integers.
fn unread_tiff(bytes: &[u8]) -> Option<String> {
    let mut tiff = tiff::decoder::Decoder::new(Cursor::new(bytes)).ok()?;
    let kind = match tiff.find_tag_unsigned_vec::<u16>(Tag::SampleFormat).ok()??.first()? {
        2 => "signed integers",
        3 => "floating-point numbers",
        5 | 6 => "complex numbers",
        _ => return None,
    };
    let bits = tiff.find_tag_unsigned_vec::<u16>(Tag::BitsPerSample).ok()??;
    let (channels, bits) = (plural(bits.len(), "channel"), bits.first()?);
    Some(format!("it is a TIFF image with {channels} of {kind} of {bits} bits, which is not read"))
}

/// Returns whether a file holds an animation or several pages.
fn holds_several(format: Option<ImageFormat>, bytes: &[u8]) -> bool {
    let file = Cursor::new(bytes);
    match format {
        Some(ImageFormat::Gif) => GifDecoder::new(file).is_ok_and(|gif| gif.into_frames().nth(1).is_some()),
        Some(ImageFormat::WebP) => WebPDecoder::new(file).is_ok_and(|webp| webp.has_animation()),
        Some(ImageFormat::Png) => PngDecoder::new(file).is_ok_and(|png| png.is_apng().unwrap_or(false)),
        Some(ImageFormat::Tiff) => tiff::decoder::Decoder::new(file).is_ok_and(|tiff| tiff.more_images()),
        _ => false,
    }
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
pub(crate) fn resize(values: &[f32], planes: usize, from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
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
    warnings: &mut Vec<String>,
) -> Result<Array, DataError> {
    let image = decode(first, options)?.image;
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
        let Decoded { image, turned, several } = decode(path, options)?;
        if !given && stored_channels(&image) != stored {
            let kind = |channels| if channels == 1 { "grayscale" } else { "in color" };
            let reason =
                format!("it is {}, but {} is {}", kind(stored_channels(&image)), first.display(), kind(stored));
            let hint = "set `data.channels` to 1 (grayscale) or to 3 (color) to convert all images";
            return Err(DataError::file(path, reason).with_hint(hint));
        }
        let depth = largest_of_16_bits(&image);
        let transparent = channels < 4 && is_transparent(&image);
        let seen = Seen { turned, several, depth, transparent };
        let found = [image.height() as usize, image.width() as usize];
        if found == wanted {
            return Ok((values(&image, channels), seen));
        }
        if !resized {
            let reason = format!("it is {}×{}, but {} is {}×{}", found[0], found[1], first.display(), size[0], size[1]);
            let hint = format!("resize all images with `data.resize`, for example to {}x{}", size[0], size[1]);
            return Err(DataError::file(path, reason).with_hint(hint));
        }
        Ok((resize(&values(&image, channels), channels, found, wanted), seen))
    };
    let (mut all, mut several) = (Vec::with_capacity(paths.len()), Vec::new());
    for some in paths.chunks(BATCH) {
        let decoded: Vec<Result<_, DataError>> = some.par_iter().map(read).collect();
        for (path, decoded) in some.iter().zip(decoded) {
            let (image, seen) = decoded?;
            rows.push(&image)?;
            several.extend(seen.several.then_some(path));
            all.push(seen);
        }
    }
    let turned = all.iter().filter(|seen| seen.turned).count();
    if turned > 0 {
        notes.push(format!("{} turned upright, as the orientation in the file says", plural(turned, "image")));
    }
    if let Some(first) = several.first() {
        let (files, more) = (plural(several.len(), "file"), and_more(several.len()));
        notes.push(format!("{files} with several images, of which the first is read: {}{more}", first.display()));
    }
    said(&all, notes, warnings);
    rows.array()
}

/// What is seen of an image besides its values.
struct Seen {
    /// Whether it was stored turned or mirrored.
    turned: bool,
    /// Whether further images follow in the file.
    several: bool,
    /// The largest value, if it has 16 bits.
    depth: Option<u16>,
    /// Whether pixels are transparent, and this is left out.
    transparent: bool,
}

/// Says what is left out of images, and that they differ in their depth.
fn said(all: &[Seen], notes: &mut Vec<String>, warnings: &mut Vec<String>) {
    let transparent = all.iter().filter(|seen| seen.transparent).count();
    if transparent > 0 {
        let (images, have) = (plural(transparent, "image"), if transparent == 1 { "has" } else { "have" });
        notes.push(format!("{images} {have} transparent pixels, which are read in their color (`data.channels` 4 reads the transparency)"));
    }
    let depths: Vec<u16> = all.iter().filter_map(|seen| seen.depth).collect();
    let largest = depths.iter().copied().max().unwrap_or(0);
    if !depths.is_empty() && depths.len() < all.len() {
        let little =
            if largest < 1 << 14 { format!(", although their values go to {largest} only") } else { String::new() };
        warnings.push(format!(
            "{} of {} images have 16 bits for a value and the others 8: both are scaled from their whole range to 0 to 255{little}; \
             save all images with the same depth and range",
            depths.len(),
            all.len()
        ));
    }
}
