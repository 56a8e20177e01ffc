//! Arrays as pictures: fields and images as bitmaps inside the page, series as small line charts.

use crate::chart::{open, put};
use base64::Engine;
use dashnas::evaluation::example::Picture;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// The colors of values from low to high: viridis at seven places.
const VALUES: [[u8; 3]; 7] =
    [[68, 1, 84], [68, 57, 131], [49, 104, 142], [33, 145, 140], [53, 183, 121], [143, 215, 68], [253, 231, 37]];
/// The colors of differences from below to above: blue over white to red.
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

    /// The color of a value.
    fn color(&self, v: f32) -> [u8; 3] {
        let place = f64::from(((v - self.low) / (self.high - self.low)).clamp(0.0, 1.0));
        let at = place * (self.colors.len() - 1) as f64;
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
    let alt = crate::chart::escape(alt);
    let data = base64::engine::general_purpose::STANDARD.encode(png(values, width, scale));
    format!(r#"<img class="field" alt="{alt}" src="data:image/png;base64,{data}">"#)
}

/// A bitmap that is transparent where there is no number.
fn png(values: &[f32], width: usize, scale: Scale) -> Vec<u8> {
    let height = values.len() / width.max(1);
    let pixel = |&v: &f32| {
        let [r, g, b] = scale.color(v);
        if v.is_nan() { [0; 4] } else { [r, g, b, 255] }
    };
    let pixels: Vec<u8> = values[..width * height].iter().flat_map(pixel).collect();
    let mut out = Vec::new();
    // Pictures are at most 64 pixels on a side and memory takes every write; what could fail leaves a broken picture.
    let _ = PngEncoder::new(&mut out).write_image(&pixels, width as u32, height as u32, ExtendedColorType::Rgba8);
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

/// Series over the same axis, without numbers; broken where there is none.
pub fn sparkline(alt: &str, lines: &[(&str, &[f32])]) -> String {
    let [low, high] = Scale::of(lines.iter().flat_map(|(_, v)| v.iter().copied())).range();
    let mut out = open(alt, [240.0, 90.0]);
    for (color, values) in lines {
        let last = (values.len().max(2) - 1) as f64;
        put(&mut out, format_args!(r#"<path class="thin" style="stroke:{color}" d=""#));
        let mut joined = false;
        for (i, &v) in values.iter().enumerate() {
            if v.is_nan() {
                joined = false;
                continue;
            }
            let (x, y) = (2.0 + 236.0 * i as f64 / last, 86.0 - 82.0 * (f64::from(v) - low) / (high - low));
            // Of a point alone there is no line; round ends make it a dot.
            let start = if joined { "L" } else { "M" };
            put(&mut out, format_args!("{start}{x:.1} {y:.1}"));
            if !joined {
                out.push_str("h0");
            }
            joined = true;
        }
        out.push_str(r#""/>"#);
    }
    out + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitmap_has_the_colors_of_its_values_and_none_where_there_is_none() {
        let scale = Scale::of([0.0, 1.0].into_iter());
        let bytes = png(&[0.0, 0.0, 1.0, f32::NAN, 0.5, 1.0], 3, scale);
        let read = image::load_from_memory_with_format(&bytes, image::ImageFormat::Png).expect("a picture").to_rgba8();
        assert_eq!(read.dimensions(), (3, 2));
        let [low, middle, high] = [[68, 1, 84, 255], [33, 145, 140, 255], [253, 231, 37, 255]];
        assert_eq!(read.into_raw(), [low, low, high, [0; 4], middle, high].concat());
    }

    #[test]
    fn scales_hold_up_without_a_range() {
        assert_eq!(Scale::of([3.0, 3.0].into_iter()).range(), [2.5, 3.5]);
        assert_eq!(Scale::of([f32::NAN].into_iter()).range(), [0.0, 1.0]);
        assert_eq!(Scale::around_zero([0.0].into_iter()).range(), [-1.0, 1.0]);
        let scale = Scale::around_zero([-2.0, 1.0].into_iter());
        assert_eq!((scale.range(), scale.color(0.0), scale.color(-2.0)), ([-2.0, 2.0], [247; 3], [33, 102, 172]));
    }

    #[test]
    fn lines_break_where_there_is_no_number() {
        let svg = sparkline("", &[("red", &[0.0, 1.0, f32::NAN, 1.0, f32::NAN])]);
        assert!(svg.contains(r#"d="M2.0 86.0h0L61.0 4.0M179.0 4.0h0""#), "{svg}");
    }
}
