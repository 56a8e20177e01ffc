//! The errors of all networks as a drawing: a row for each group, a point for each network.

use crate::bench::wording::groups;
use crate::chart::{Axis, escape, labeled, open, put};
use crate::curves::Figure;
use dashnas::bench::search::document::{Document, NetworkResult};
use dashnas_core::task::Metric;

/// Width of the drawing, and the ends of its plotting area.
const WIDTH: f64 = 400.0;
const LEFT: f64 = 128.0;
const RIGHT: f64 = 390.0;
const TOP: f64 = 6.0;
/// Height of a row, and of the axis below the rows.
const ROW: f64 = 28.0;
const BELOW: f64 = 42.0;
/// Points closer than this lie upon each other. They are moved apart by these heights.
const CLOSE: f64 = 8.0;
const APART: [f64; 5] = [0.0, -8.0, 8.0, -4.0, 4.0];

/// The test and the validation errors; none where there are no values.
pub fn errors(document: &Document) -> Vec<Figure> {
    let figure = |split: &str, of: fn(&NetworkResult) -> Option<f64>| {
        let metric = document.metric.title();
        let title = format!("{}{} of each network", split[..1].to_uppercase(), &format!("{split} {metric}")[1..]);
        let svg = drawing(document, split, of)?;
        let note = "Each point is a network; the line is the mean of the random ones. Lower is better.".to_owned();
        Some(Figure { title, up: None, svg, legend: vec![], note })
    };
    [figure("test", |n| n.test), figure("validation", |n| n.validation)].into_iter().flatten().collect()
}

/// The color of a group, by its title.
fn color(title: &str) -> &'static str {
    match title {
        "random" => "var(--dim)",
        "uniform" => "var(--s5)",
        "plain" => "var(--s1)",
        "paper, retrained" => "var(--s2)",
        _ => "var(--s0)",
    }
}

/// Draws one kind of error.
fn drawing(document: &Document, split: &str, of: fn(&NetworkResult) -> Option<f64>) -> Option<String> {
    let metric = document.metric;
    let (scale, unit) = if metric == Metric::ZeroOneError { (100.0, " in %") } else { (1.0, "") };
    let value = |n: &NetworkResult| of(n).filter(|v| v.is_finite()).map(|v| scale * v);
    let groups = groups(document);
    let axis = Axis::new(&format!("{split} {}{unit}", metric.title()));
    let range = axis.range(groups.iter().flat_map(|group| group.networks.iter().filter_map(value)))?;
    let x = |v: f64| LEFT + (RIGHT - LEFT) * axis.at(range, v);
    let bottom = TOP + ROW * groups.len() as f64;
    let mut out = open(&format!("{} of each network", axis.title), [WIDTH, bottom + BELOW]);
    for (v, label) in labeled(axis.ticks(range)) {
        let at = x(v);
        put(&mut out, format_args!(r#"<path class="grid" d="M{at:.1} {TOP}V{bottom:.1}"/>"#));
        let y = bottom + 17.0;
        put(&mut out, format_args!(r#"<text x="{at:.1}" y="{y:.1}" text-anchor="middle">{label}</text>"#));
    }
    put(&mut out, format_args!(r#"<path class="axis" d="M{LEFT} {bottom:.1}H{RIGHT}"/>"#));
    let (middle, y) = (f64::midpoint(LEFT, RIGHT), bottom + 36.0);
    let title = escape(&axis.title);
    put(&mut out, format_args!(r#"<text class="title" x="{middle}" y="{y:.1}" text-anchor="middle">{title}</text>"#));
    let random: Vec<f64> = document.random.iter().filter_map(value).collect();
    if !random.is_empty() {
        let mean = x(random.iter().sum::<f64>() / random.len() as f64);
        put(&mut out, format_args!(r#"<path class="mark" d="M{mean:.1} {TOP}V{bottom:.1}"/>"#));
    }
    for (row, group) in groups.iter().enumerate() {
        let y = TOP + ROW * (row as f64 + 0.5);
        let (end, base) = (LEFT - 8.0, y + 4.0);
        put(&mut out, format_args!(r#"<text x="{end}" y="{base:.1}" text-anchor="end">{}</text>"#, group.title));
        let mut drawn: Vec<f64> = Vec::new();
        for network in group.networks {
            let Some(value) = value(network) else { continue };
            let at = x(value);
            let before = drawn.iter().filter(|other| (*other - at).abs() < CLOSE).count();
            drawn.push(at);
            let (y, color) = (y + APART[before % APART.len()], color(group.title));
            let name = escape(&format!("{}: {}", network.name, metric.format(value / scale)));
            put(
                &mut out,
                format_args!(
                    r#"<circle cx="{at:.1}" cy="{y:.1}" r="4.5" style="fill:{color}"><title>{name}</title></circle>"#
                ),
            );
        }
    }
    Some(out + "</svg>")
}
