//! The values of masks as they are stored: gray values, the indices of a palette, or colors.

use crate::error::DataError;
use crate::media::images::{decode_upright, is_gray};
use crate::options::ReadOptions;
use png::{ColorType, Decoder, Limits, Transformations};
use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

/// What is added to a color that is no gray, so that it is no gray value. Black is 0.
pub(crate) const COLOR: u32 = 1 << 24;

/// A mask.
pub(crate) struct Mask {
    /// The values, row by row: gray values of 8 or 16 bits, indices of a palette, or [`COLOR`] and red, green and blue.
    pub values: Vec<u32>,
    /// The height and the width.
    pub size: [usize; 2],
    /// Whether the values are the indices of a palette.
    pub indexed: bool,
}

impl Mask {
    /// Reads a mask.
    ///
    /// # Errors
    /// [`DataError::File`] if it is no image that can be read.
    pub fn read(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let bytes = crate::bytes::bytes(path, options.max_bytes)?;
        // The image is also decoded, which checks it, and its size against the memory.
        let image = decode_upright(path, options)?;
        let size = [image.height() as usize, image.width() as usize];
        if let Some(values) = indices(&bytes).filter(|values| values.len() == size[0] * size[1]) {
            return Ok(Self { values, size, indexed: true });
        }
        let wide = image.color().bytes_per_pixel() / image.color().channel_count() > 1;
        let values = if !image.color().has_color() && wide {
            image.to_luma16().into_raw().into_iter().map(u32::from).collect()
        } else if is_gray(&image) {
            image.to_luma8().into_raw().into_iter().map(u32::from).collect()
        } else {
            let color = |p: &image::Rgb<u8>| match p.0 {
                [r, g, b] if r == g && g == b => u32::from(r),
                [r, g, b] => COLOR | u32::from(r) << 16 | u32::from(g) << 8 | u32::from(b),
            };
            image.to_rgb8().pixels().map(color).collect()
        };
        Ok(Self { values, size, indexed: false })
    }
}

/// The indices of a PNG image with a palette of colors; `None` of another image, and if all colors of the palette are
/// grays, which are the values then.
fn indices(bytes: &[u8]) -> Option<Vec<u32>> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: 1 << 30 });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().ok()?;
    let info = reader.info();
    if info.color_type != ColorType::Indexed {
        return None;
    }
    let palette = info.palette.as_deref()?.to_vec();
    let mut packed = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut packed).ok()?;
    let (width, bits) = (frame.width as usize, frame.bit_depth as usize);
    let one = |line: &[u8], x: usize| {
        let at = x * bits;
        let byte = line.get(at / 8).copied().unwrap_or(0);
        u32::from(byte >> (8 - bits - at % 8)) & ((1 << bits) - 1)
    };
    let lines = packed.chunks(frame.line_size.max(1)).take(frame.height as usize);
    let values: Vec<u32> = lines.flat_map(|line| (0..width).map(move |x| one(line, x))).collect();
    let used: BTreeSet<u32> = values.iter().copied().collect();
    let gray = |&i: &u32| palette.get(3 * i as usize..3 * i as usize + 3).is_some_and(|c| c[0] == c[1] && c[1] == c[2]);
    (!used.iter().all(gray)).then_some(values)
}
