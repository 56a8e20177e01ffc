//! Arrays as pictures: fields and images as bitmaps inside the page, series as small line charts.

use crate::chart::{open, put};
use base64::Engine;
use dashnas::evaluation::example::Picture;
use dashnas_core::text::short;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// The colors of values from low to high: viridis at seven places.
const VALUES: [[u8; 4]; 7] = [
    [68, 1, 84, 255],
    [68, 57, 131, 255],
    [49, 104, 142, 255],
    [33, 145, 140, 255],
    [53, 183, 121, 255],
    [143, 215, 68, 255],
    [253, 231, 37, 255],
];
/// The colors of differences from below to above: blue to red, and nothing where there is none, so that they suit a light
/// page as well as a dark one.
const DIFFERENCES: [[u8; 4]; 3] = [[38, 120, 220, 255], [128, 128, 128, 0], [226, 72, 54, 255]];
/// The colors of an image of one channel.
const GRAYS: [[u8; 4]; 2] = [[0, 0, 0, 255], [255, 255, 255, 255]];
/// The color of a place without a number in a picture of differences.
const UNKNOWN: [u8; 4] = [128, 128, 128, 90];

/// A palette over a range of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f32,
    high: f32,
    colors: &'static [[u8; 4]],
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

    /// The same range in shades of gray.
    pub fn gray(self) -> Self {
        Self { colors: &GRAYS, ..self }
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

    /// The place of a value in the range, from 0 to 1.
    fn place(&self, v: f32) -> f64 {
        f64::from(((v - self.low) / (self.high - self.low)).clamp(0.0, 1.0))
    }

    /// The color of a value.
    fn color(&self, v: f32) -> [u8; 4] {
        if v.is_nan() {
            return if self.colors == DIFFERENCES { UNKNOWN } else { [0; 4] };
        }
        let at = self.place(v) * (self.colors.len() - 1) as f64;
        let lower = (at.floor() as usize).min(self.colors.len() - 2);
        let share = at - lower as f64;
        let [mut a, mut b] = [self.colors[lower], self.colors[lower + 1]];
        // What is transparent has the color of its neighbor.
        if a[3] == 0 {
            a = [b[0], b[1], b[2], 0];
        } else if b[3] == 0 {
            b = [a[0], a[1], a[2], 0];
        }
        std::array::from_fn(|c| {
            let (a, b) = (f64::from(a[c]), f64::from(b[c]));
            (a + (b - a) * share).round() as u8
        })
    }

    /// A bar of the colors between the values at its ends.
    pub fn bar(&self) -> String {
        let [low, high] = self.range().map(short);
        // Differences change from one color to the other where both are transparent.
        let colors = if self.colors == DIFFERENCES {
            let [[r, g, b, _], _, [x, y, z, _]] = DIFFERENCES;
            format!("rgb({r} {g} {b}),rgb({r} {g} {b} / 0) 50%,rgb({x} {y} {z} / 0) 50%,rgb({x} {y} {z})")
        } else {
            let stops: Vec<String> = self.colors.iter().map(|[r, g, b, _]| format!("rgb({r} {g} {b})")).collect();
            stops.join(",")
        };
        format!(
            r#"<span class="scale"><span>{low}</span><i style="background:linear-gradient(to right,{colors})"></i><span>{high}</span></span>"#
        )
    }
}

/// One channel as an `img` element of a bitmap, the first row on top.
pub fn bitmap(alt: &str, values: &[f32], width: usize, scale: Scale) -> String {
    let colors: Vec<[u8; 4]> = values.iter().map(|&v| scale.color(v)).collect();
    img(alt, &colors, width)
}

/// Three channels as red, green and blue on one scale.
fn in_color(alt: &str, p: &Picture) -> String {
    let scale = Scale::of(p.values.iter().copied());
    let byte = |v: f32| (255.0 * scale.place(v)).round() as u8;
    let [red, green, blue] = [0, 1, 2].map(|c| p.channel(c));
    let pixels = red.iter().zip(green).zip(blue).map(|((&r, &g), &b)| {
        let known = !(r.is_nan() || g.is_nan() || b.is_nan());
        if known { [byte(r), byte(g), byte(b), 255] } else { [0; 4] }
    });
    img(alt, &pixels.collect::<Vec<_>>(), p.shape[2])
}

fn img(alt: &str, pixels: &[[u8; 4]], width: usize) -> String {
    let alt = crate::chart::escape(alt);
    let data = base64::engine::general_purpose::STANDARD.encode(png(pixels, width));
    format!(r#"<img class="field" alt="{alt}" src="data:image/png;base64,{data}">"#)
}

fn png(pixels: &[[u8; 4]], width: usize) -> Vec<u8> {
    let height = pixels.len() / width.max(1);
    let mut out = Vec::new();
    // Pictures are at most 64 pixels on a side and memory takes every write; what could fail leaves a broken picture.
    let _ = PngEncoder::new(&mut out).write_image(
        pixels[..width * height].as_flattened(),
        width as u32,
        height as u32,
        ExtendedColorType::Rgba8,
    );
    out
}

/// A picture: its channels as lines of a chart, or as bitmaps. A field has a scale of its values; an image is gray if it has
/// one channel, and in color if it has three.
pub fn picture(alt: &str, p: &Picture, is_field: bool) -> String {
    let [channels, _, width] = p.shape;
    if !p.is_series() {
        if !is_field && p.original[0] == 3 {
            return in_color(alt, p);
        }
        let one = |c| {
            let scale = Scale::of(p.channel(c).iter().copied());
            match is_field {
                true => format!("<span>{}{}</span>", bitmap(alt, p.channel(c), width, scale), scale.bar()),
                false => bitmap(alt, p.channel(c), width, scale.gray()),
            }
        };
        return (0..channels).map(one).collect();
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

    fn pixels(html: &str) -> Vec<u8> {
        let (_, data) = html.split_once("base64,").expect("a picture");
        let (data, _) = data.split_once('"').expect("its end");
        let bytes = base64::engine::general_purpose::STANDARD.decode(data).expect("base64");
        image::load_from_memory_with_format(&bytes, image::ImageFormat::Png).expect("a PNG").to_rgba8().into_raw()
    }

    #[test]
    fn a_bitmap_has_the_colors_of_its_values_and_none_where_there_is_none() {
        let scale = Scale::of([0.0, 1.0].into_iter());
        let values = [0.0, 0.0, 1.0, f32::NAN, 0.5, 1.0];
        let [low, middle, high] = [[68, 1, 84, 255], [33, 145, 140, 255], [253, 231, 37, 255]];
        assert_eq!(pixels(&bitmap("", &values, 3, scale)), [low, low, high, [0; 4], middle, high].concat());
        let [black, gray, white] = [0, 128, 255].map(|v| [v, v, v, 255]);
        assert_eq!(pixels(&bitmap("", &values, 3, scale.gray())), [black, black, white, [0; 4], gray, white].concat());
    }

    #[test]
    fn images_are_gray_or_in_color_and_fields_have_a_scale() {
        let image = |channels: usize, values: &[f32]| Picture::new([channels, 2, 1], values);
        let color = picture("", &image(3, &[0.0, 1.0, 1.0, 0.0, 0.5, 0.5]), false);
        assert_eq!(pixels(&color), [0, 255, 128, 255, 255, 0, 128, 255]);
        let gray = picture("", &image(1, &[-1.0, 3.0]), false);
        assert_eq!(pixels(&gray), [0, 0, 0, 255, 255, 255, 255, 255]);
        let field = picture("", &image(3, &[0.0, 1.0, 1.0, 0.0, 0.5, 2.5]), true);
        assert_eq!((field.matches("<img").count(), field.matches("class=\"scale\"").count()), (3, 3));
        assert!(field.contains("<span>0.5</span>") && field.contains("<span>2.5</span>"), "{field}");
    }

    #[test]
    fn scales_hold_up_without_a_range() {
        assert_eq!(Scale::of([3.0, 3.0].into_iter()).range(), [2.5, 3.5]);
        assert_eq!(Scale::of([f32::NAN].into_iter()).range(), [0.0, 1.0]);
        assert_eq!(Scale::around_zero([0.0].into_iter()).range(), [-1.0, 1.0]);
        let scale = Scale::around_zero([-2.0, 1.0].into_iter());
        assert_eq!((scale.range(), scale.color(-2.0), scale.color(0.0)[3]), ([-2.0, 2.0], [38, 120, 220, 255], 0));
        assert_eq!((scale.color(1.0), scale.color(f32::NAN)), ([226, 72, 54, 128], UNKNOWN));
    }

    #[test]
    fn lines_break_where_there_is_no_number() {
        let svg = sparkline("", &[("red", &[0.0, 1.0, f32::NAN, 1.0, f32::NAN])]);
        assert!(svg.contains(r#"d="M2.0 86.0h0L61.0 4.0M179.0 4.0h0""#), "{svg}");
    }
}
