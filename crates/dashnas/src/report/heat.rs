//! Arrays as pictures: fields and images as bitmaps inside the page, series as small lines.

use super::chart::{open, put};
use crate::evaluation::Picture;
use base64::Engine;

/// The colours of values from low to high: viridis at seven places.
const VALUES: [[u8; 3]; 7] =
    [[68, 1, 84], [68, 57, 131], [49, 104, 142], [33, 145, 140], [53, 183, 121], [143, 215, 68], [253, 231, 37]];
/// The colours of differences from below to above: blue over white to red.
const DIFFERENCES: [[u8; 3]; 5] = [[33, 102, 172], [146, 197, 222], [247, 247, 247], [244, 165, 130], [178, 24, 43]];

/// A palette over a range of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f32,
    high: f32,
    colors: &'static [[u8; 3]],
}

impl Scale {
    /// From the lowest to the highest of some values.
    pub fn of(values: impl Iterator<Item = f32>) -> Self {
        let (low, high) =
            values.filter(|v| v.is_finite()).fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = if low < high {
            (low, high)
        } else if low == high {
            (low - 0.5, high + 0.5)
        } else {
            (0.0, 1.0)
        };
        Self { low, high, colors: &VALUES }
    }

    /// As far below 0 as above.
    pub fn around_zero(values: impl Iterator<Item = f32>) -> Self {
        let most = values.filter(|v| v.is_finite()).fold(0f32, |m, v| m.max(v.abs()));
        let most = if most > 0.0 { most } else { 1.0 };
        Self { low: -most, high: most, colors: &DIFFERENCES }
    }

    /// The lowest and highest value.
    pub fn range(&self) -> [f64; 2] {
        [f64::from(self.low), f64::from(self.high)]
    }

    fn index(&self, v: f32) -> u8 {
        // Clamped to 0..=255; NaN becomes 0.
        (((v - self.low) / (self.high - self.low)).clamp(0.0, 1.0) * 255.0) as u8
    }

    /// The colour of an index of 0..=255.
    fn color(&self, index: usize) -> [u8; 3] {
        let at = index as f64 / 255.0 * (self.colors.len() - 1) as f64;
        let lower = (at.floor() as usize).min(self.colors.len() - 2);
        let share = at - lower as f64;
        std::array::from_fn(|c| {
            let (a, b) = (f64::from(self.colors[lower][c]), f64::from(self.colors[lower + 1][c]));
            (a + (b - a) * share).round() as u8
        })
    }
}

/// One channel as an `img` element of a bitmap, the first row on top.
pub fn bitmap(alt: &str, values: &[f32], width: usize, scale: Scale) -> String {
    let alt = super::chart::escape(alt);
    let data = base64::engine::general_purpose::STANDARD.encode(bmp(values, width, scale));
    format!(r#"<img class="field" alt="{alt}" src="data:image/bmp;base64,{data}">"#)
}

/// A bitmap of 256 colours: file header, information header, palette, rows from the bottom up.
fn bmp(values: &[f32], width: usize, scale: Scale) -> Vec<u8> {
    const HEADERS: usize = 54 + 4 * 256;
    let height = values.len() / width.max(1);
    // Rows take a multiple of four bytes.
    let stride = width.next_multiple_of(4);
    // Pictures are at most 64 pixels on a side.
    let word = |v: usize| (v as u32).to_le_bytes();
    let mut out = Vec::with_capacity(HEADERS + stride * height);
    out.extend(b"BM");
    for v in [HEADERS + stride * height, 0, HEADERS, 40, width, height] {
        out.extend(word(v));
    }
    out.extend([1, 0, 8, 0]);
    for v in [0, stride * height, 2835, 2835, 256, 0] {
        out.extend(word(v));
    }
    for index in 0..256 {
        let [r, g, b] = scale.color(index);
        out.extend([b, g, r, 0]);
    }
    for row in values.chunks_exact(width.max(1)).rev() {
        out.extend(row.iter().map(|&v| scale.index(v)));
        out.extend(std::iter::repeat_n(0, stride - width));
    }
    out
}

/// A picture: its channels as lines of a chart, or as bitmaps.
pub fn picture(alt: &str, p: &Picture) -> String {
    let [channels, _, width] = p.shape;
    if !p.is_series() {
        return (0..channels)
            .map(|c| bitmap(alt, p.channel(c), width, Scale::of(p.channel(c).iter().copied())))
            .collect();
    }
    let lines: Vec<(&str, &[f32])> =
        (0..channels).map(|c| (["var(--s0)", "var(--s1)", "var(--s2)"][c % 3], p.channel(c))).collect();
    sparkline(alt, &lines)
}

/// Series over the same axis, without numbers.
pub fn sparkline(alt: &str, lines: &[(&str, &[f32])]) -> String {
    let [low, high] = Scale::of(lines.iter().flat_map(|(_, v)| v.iter().copied())).range();
    let mut out = open(alt, [240.0, 90.0]);
    for (color, values) in lines {
        let last = (values.len().max(2) - 1) as f64;
        put(&mut out, format_args!(r#"<polyline class="thin" style="stroke:{color}" points=""#));
        for (i, &v) in values.iter().enumerate() {
            let (x, y) = (2.0 + 236.0 * i as f64 / last, 86.0 - 82.0 * (f64::from(v) - low) / (high - low));
            put(&mut out, format_args!("{x:.1},{y:.1} "));
        }
        out.push_str(r#""/>"#);
    }
    out + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitmap_has_its_size_in_its_headers_and_rows_from_the_bottom() {
        let scale = Scale::of([0.0, 1.0].into_iter());
        let bytes = bmp(&[0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0], 5, scale);
        assert_eq!(bytes.len(), 1078 + 16);
        assert_eq!(bytes[2..6], 1094u32.to_le_bytes());
        assert_eq!((&bytes[18..22], &bytes[22..26]), (&[5, 0, 0, 0][..], &[2, 0, 0, 0][..]));
        assert_eq!(bytes[1078..], [255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[54..58], [84, 1, 68, 0], "blue, green, red of the lowest");
        assert_eq!(bytes[1074..1078], [37, 231, 253, 0]);
    }

    #[test]
    fn scales_hold_up_without_a_range() {
        assert_eq!(Scale::of([3.0, 3.0].into_iter()).range(), [2.5, 3.5]);
        assert_eq!(Scale::of([f32::NAN].into_iter()).range(), [0.0, 1.0]);
        assert_eq!(Scale::around_zero([0.0].into_iter()).range(), [-1.0, 1.0]);
        let scale = Scale::around_zero([-2.0, 1.0].into_iter());
        assert_eq!((scale.range(), scale.index(0.0), scale.color(0)), ([-2.0, 2.0], 127, [33, 102, 172]));
        assert_eq!(scale.index(f32::NAN), 0);
    }
}
