//! Line and point charts as SVG, for the report.
//!
//! A chart is 400 units wide with text of size 12 and is shown at about that width, so that it is legible on a phone.
//! Colors are the page's CSS variables, so that a chart follows the light and the dark theme. This is why the report does
//! not draw with a plotting library, as `dashnas bench figures` does: the library's drawings have fixed colors and sizes,
//! and are files of their own.

use dashnas_core::text::short;

use std::fmt::Write;

/// Width and height of a chart, and the edges of its plotting area.
const SIZE: [f64; 2] = [400.0, 250.0];
const LEFT: f64 = 50.0;
const RIGHT: f64 = 390.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 208.0;
/// Width of the last line in steps.
const STEPS: f64 = 2.2;

/// A line, or points if `dots`.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name; empty for none in the legend.
    pub label: String,
    /// CSS color.
    pub color: String,
    /// `(x, y)`, in the order they are joined.
    pub points: Vec<(f64, f64)>,
    /// How it is drawn.
    pub style: Style,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Joined points.
    Line,
    /// Joined points, thin, without a legend.
    Faint,
    /// A line that only changes in steps.
    Steps,
    /// Single points, each named by the label.
    Dots,
    /// A dashed line.
    Dashes,
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its caption.
    pub title: String,
    /// Whether it is logarithmic: points that are not positive are left out then.
    pub log: bool,
    /// Whether it counts, so that nothing lies between whole numbers.
    pub whole: bool,
    /// Shown at least up from here.
    pub from: Option<f64>,
    /// Shown at least up to here.
    pub to: Option<f64>,
}

impl Axis {
    /// A linear axis that fits its points.
    pub fn new(title: &str) -> Self {
        Self { title: title.into(), log: false, whole: false, from: None, to: None }
    }

    /// A linear axis of epochs, trials and the like.
    pub fn counting(title: &str) -> Self {
        Self { whole: true, ..Self::new(title) }
    }

    /// The same axis, logarithmic.
    pub fn log(self) -> Self {
        Self { log: true, ..self }
    }

    /// The same axis, with these in view.
    pub fn spanning(self, from: f64, to: f64) -> Self {
        Self { from: Some(from), to: Some(to), ..self }
    }

    /// The same axis, with 0 in view.
    pub fn showing_zero(self) -> Self {
        Self { from: Some(0.0), ..self }
    }

    /// A logarithmic axis if the values are positive and far apart.
    pub fn fitting(title: &str, values: impl Iterator<Item = f64>) -> Self {
        let (low, high) =
            values.filter(|v| v.is_finite()).fold((f64::INFINITY, 0f64), |(l, h), v| (l.min(v), h.max(v)));
        Self { log: low > 0.0 && high > 30.0 * low, ..Self::new(title) }
    }

    /// What is in view.
    pub fn range(&self, values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
        let shown = values.filter(|v| v.is_finite() && (!self.log || *v > 0.0)).chain(self.from).chain(self.to);
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return None;
        }
        if self.log {
            return Some(if low == high { [low / 2.0, high * 2.0] } else { [low / 1.15, high * 1.15] });
        }
        let pad = if low == high { low.abs().max(1.0) / 2.0 } else { (high - low) * 0.05 };
        // An axis that was given an end stops there.
        Some([
            if self.from == Some(low) && low < high { low } else { low - pad },
            if self.to == Some(high) && low < high { high } else { high + pad },
        ])
    }

    /// The place of a value in the range, from 0 to 1.
    pub fn at(&self, [low, high]: [f64; 2], v: f64) -> f64 {
        if self.log { (v / low).ln() / (high / low).ln() } else { (v - low) / (high - low) }
    }

    /// The values at which the axis has ticks.
    pub fn ticks(&self, [low, high]: [f64; 2]) -> Vec<f64> {
        if self.log {
            let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
            let of = |steps: &[f64]| -> Vec<f64> {
                decades
                    .clone()
                    .flat_map(|e| steps.iter().map(move |s| s * 10f64.powi(e)))
                    .filter(|v| (low..=high).contains(v))
                    .collect()
            };
            let tens = of(&[1.0]);
            if tens.len() >= 3 {
                let every = tens.len().div_ceil(6);
                return tens.into_iter().step_by(every).collect();
            }
            let fine = of(&[1.0, 2.0, 5.0]);
            if fine.len() >= 2 {
                return fine;
            }
        }
        let rough = (high - low) / 4.5;
        let magnitude = 10f64.powf(rough.log10().floor());
        let step = magnitude * [1.0, 2.0, 5.0, 10.0].into_iter().find(|s| s * magnitude >= rough).unwrap_or(10.0);
        let step = if self.whole { step.max(1.0) } else { step };
        let first = (low / step).ceil() as i64;
        let last = (high / step).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }
}

/// Draws series; none if there is nothing to draw.
pub fn chart(title: &str, x: &Axis, y: &Axis, series: &[Series]) -> Option<String> {
    let points = || series.iter().flat_map(|s| &s.points);
    let (xs, ys) = (x.range(points().map(|p| p.0))?, y.range(points().map(|p| p.1))?);
    points().next()?;
    let px = |v: f64| LEFT + (RIGHT - LEFT) * x.at(xs, v);
    let py = |v: f64| BOTTOM - (BOTTOM - TOP) * y.at(ys, v);
    let mut out = open(title, SIZE);
    for (v, label) in labeled(y.ticks(ys)) {
        let at = py(v);
        put(
            &mut out,
            format_args!(
                r#"<path class="grid" d="M{LEFT} {at:.1}H{RIGHT}"/><text x="{:.0}" y="{:.1}" text-anchor="end">{}</text>"#,
                LEFT - 6.0,
                at + 4.0,
                label
            ),
        );
    }
    for (v, label) in labeled(x.ticks(xs)) {
        let at = px(v);
        put(
            &mut out,
            format_args!(
                r#"<path class="tick" d="M{at:.1} {BOTTOM}v4"/><text x="{at:.1}" y="{:.0}" text-anchor="middle">{}</text>"#,
                BOTTOM + 17.0,
                label
            ),
        );
    }
    put(&mut out, format_args!(r#"<path class="axis" d="M{LEFT} {BOTTOM}H{RIGHT}"/>"#));
    put(
        &mut out,
        format_args!(
            r#"<text class="title" x="{:.0}" y="{:.0}" text-anchor="middle">{}</text>"#,
            f64::midpoint(LEFT, RIGHT),
            SIZE[1] - 6.0,
            escape(&x.title)
        ),
    );
    for (i, s) in series.iter().enumerate() {
        let shown = s
            .points
            .iter()
            .filter(|p| (!x.log || p.0 > 0.0) && (!y.log || p.1 > 0.0) && p.0.is_finite() && p.1.is_finite());
        if s.style == Style::Dots {
            for &(a, b) in shown {
                put(
                    &mut out,
                    format_args!(
                        r#"<circle cx="{:.1}" cy="{:.1}" r="{}" style="fill:{}"><title>{}</title></circle>"#,
                        px(a),
                        py(b),
                        if s.points.len() > 50 { 2.0 } else { 5.0 },
                        s.color,
                        escape(&s.label)
                    ),
                );
            }
            continue;
        }
        let mut d = String::new();
        for (i, &(a, b)) in shown.enumerate() {
            let (a, b) = (px(a), py(b));
            match (i, s.style) {
                (0, _) => put(&mut d, format_args!("M{a:.1} {b:.1}")),
                (_, Style::Steps) => put(&mut d, format_args!("H{a:.1}V{b:.1}")),
                _ => put(&mut d, format_args!("L{a:.1} {b:.1}")),
            }
        }
        if d.is_empty() {
            continue;
        }
        // A single point has no line; round ends make it a dot.
        if !d.contains(['L', 'H']) {
            d.push_str("h0");
        }
        let class = match s.style {
            Style::Faint => "faint",
            Style::Dashes => "dashes",
            _ => "line",
        };
        // Stages often follow the same steps: those drawn first are wide enough to be seen behind the others.
        let width = match s.style {
            Style::Steps => format!(";stroke-width:{:.1}", STEPS * (series.len() - i).min(3) as f64),
            _ => String::new(),
        };
        put(
            &mut out,
            format_args!(
                r#"<path class="{class}" style="stroke:{}{width}" d="{d}"><title>{}</title></path>"#,
                s.color,
                escape(&s.label)
            ),
        );
    }
    Some(out + "</svg>")
}

/// Ticks with what is written at them: few digits, but more where ticks close to each other would read alike.
pub fn labeled(ticks: Vec<f64>) -> Vec<(f64, String)> {
    let labels: Vec<String> = ticks.iter().map(|&v| short(v)).collect();
    let alike = labels.windows(2).any(|pair| pair[0] == pair[1]);
    let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    // Steps are 1, 2 or 5 times a power of ten, but for rounding.
    let decimals = (-(1.001 * step).log10().floor()).clamp(0.0, 9.0) as usize;
    let label =
        |(v, label): (f64, String)| (v, if alike { format!("{v:.decimals$}").replace('-', "−") } else { label });
    ticks.into_iter().zip(labels).map(label).collect()
}

/// The start of a drawing.
pub fn open(title: &str, [width, height]: [f64; 2]) -> String {
    let title = escape(title);
    format!(r#"<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">"#)
}

/// Appends to a text. Writing to a string cannot fail.
pub fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(what);
}

/// Text that means itself in HTML and SVG, in and out of attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
