//! The progress of the search: the weight of every kernel size and dilation in every layer over the epochs, and the
//! entropy of the weights.

use crate::chart::{Axis, Series, Style, chart, open, put};
use dashnas::record::alpha::AlphaRecord;
use dashnas_core::math::{argmax, entropy};
use serde::Serialize;

/// The most columns of a layer's picture; with more epochs, neighboring ones are averaged.
const COLUMNS: usize = 48;
/// The number of shades for the weights.
const SHADES: usize = 12;

/// The picture of one layer.
#[derive(Debug, Clone, Serialize)]
pub struct Layer {
    /// `layer 1`.
    pub title: String,
    /// The kernel with the largest weight: `k 7, d 15 (61 %)`.
    pub leading: String,
    /// The picture.
    pub svg: String,
}

/// One picture for each layer: a row for each kernel size and dilation (k-major, the first on top), a column for each
/// epoch.
pub fn layers(records: &[AlphaRecord], kernel_sizes: &[usize], dilations: &[usize]) -> Vec<Layer> {
    let Some(last) = records.last() else { return Vec::new() };
    let candidates = kernel_sizes.len() * dilations.len();
    let fits = |i: usize| records.iter().all(|r| r.layers.get(i).is_some_and(|l| l.len() == candidates));
    let Some(darkest) = darkest(records, candidates) else { return Vec::new() };
    (0..last.layers.len())
        .filter(|&i| fits(i))
        .map(|i| {
            let history: Vec<&[f64]> = records.iter().map(|r| r.layers[i].as_slice()).collect();
            let now = history[history.len() - 1];
            let best = argmax(now);
            let (k, d) = (kernel_sizes[best / dilations.len()], dilations[best % dilations.len()]);
            let title = format!("layer {}", i + 1);
            let named = format!("Weights of {title} over the epochs");
            Layer {
                leading: format!("k {k}, d {d} ({:.1} %)", 100.0 * now[best]),
                svg: picture(&named, &history, kernel_sizes, dilations, best, darkest),
                title,
            }
        })
        .collect()
}

/// The weight of the darkest shade: the largest one of the whole search, but at least four times that of equal weights, so
/// that weights that stayed equal look equal. The lightest shade is the weight 0.
pub fn darkest(records: &[AlphaRecord], candidates: usize) -> Option<f64> {
    let largest = records.iter().flat_map(|r| r.layers.iter().flatten()).copied().reduce(f64::max)?;
    Some(largest.max(4.0 / candidates.max(1) as f64).min(1.0))
}

/// Draws a layer, with the kernel sizes on the left and, on the right, the dilation of the row with the largest weight at
/// the end.
fn picture(
    title: &str,
    history: &[&[f64]],
    kernel_sizes: &[usize],
    dilations: &[usize],
    best: usize,
    darkest: f64,
) -> String {
    const ROW: f64 = 7.0;
    let (left, width) = (26.0, 170.0);
    let leads = format!("d {}", dilations[best % dilations.len()]);
    let dilations = dilations.len();
    let rows = kernel_sizes.len() * dilations;
    let columns = history.len().min(COLUMNS);
    let weight = |row: usize, column: usize| {
        let of = column * history.len() / columns..(column + 1) * history.len() / columns;
        history[of.clone()].iter().map(|h| h[row]).sum::<f64>() / of.len().max(1) as f64
    };
    let shade = |w: f64| ((w / darkest).clamp(0.0, 1.0) * SHADES as f64).round() as usize;
    // One path a shade, of runs of equal cells: far smaller than a rectangle a cell.
    let mut paths = vec![String::new(); SHADES + 1];
    let cell = width / columns as f64;
    for row in 0..rows {
        let shades: Vec<usize> = (0..columns).map(|c| shade(weight(row, c))).collect();
        let mut start = 0;
        for run in shades.chunk_by(|a, b| a == b) {
            let (x, w, y) = (left + start as f64 * cell, run.len() as f64 * cell, row as f64 * ROW);
            put(&mut paths[run[0]], format_args!("M{x:.1} {y:.0}h{w:.1}v{ROW}h-{w:.1}z"));
            start += run.len();
        }
    }
    let height = rows as f64 * ROW;
    let mut out = open(title, [left + width + 32.0, height + 6.0]);
    for (s, d) in paths.iter().enumerate().skip(1).filter(|(_, d)| !d.is_empty()) {
        put(
            &mut out,
            format_args!(r#"<path style="fill:var(--s0);opacity:{:.2}" d="{d}"/>"#, s as f64 / SHADES as f64),
        );
    }
    for (i, k) in kernel_sizes.iter().enumerate() {
        let top = (i * dilations) as f64 * ROW;
        let middle = top + dilations as f64 * ROW / 2.0 + 4.0;
        put(
            &mut out,
            format_args!(
                r#"<path class="grid" d="M{left} {top:.0}h{width}"/><text x="20" y="{middle:.0}" text-anchor="end">{k}</text>"#
            ),
        );
    }
    let (right, middle) = (left + width, (best as f64 + 0.5) * ROW);
    put(&mut out, format_args!(r#"<rect class="frame" x="{left}" y="0.5" width="{width}" height="{height}"/>"#));
    put(&mut out, format_args!(r#"<path class="tick" d="M{right} {middle:.1}h3"/>"#));
    // Within the picture at its first and last rows too.
    let baseline = (middle + 4.0).clamp(10.0, height + 3.0);
    put(&mut out, format_args!(r#"<text class="title" x="{:.0}" y="{baseline:.1}">{leads}</text>"#, right + 5.0));
    out + "</svg>"
}

/// The entropy of every layer, light at the input and strong at the output, and their mean.
pub fn entropies(records: &[AlphaRecord], candidates: usize) -> Option<String> {
    let layers = records.last()?.layers.len();
    let epoch = |r: &AlphaRecord| (r.epoch + 1) as f64;
    let mut series: Vec<Series> = (0..layers)
        .map(|i| Series {
            label: format!("layer {}", i + 1),
            color: format!("color-mix(in oklab, var(--s0) {}%, var(--s2))", 100 * i / layers.max(2).saturating_sub(1)),
            points: records.iter().filter_map(|r| Some((epoch(r), entropy(r.layers.get(i)?)))).collect(),
            style: Style::Faint,
        })
        .collect();
    let mean = |r: &AlphaRecord| r.layers.iter().map(|l| entropy(l)).sum::<f64>() / r.layers.len().max(1) as f64;
    series.push(Series {
        label: "mean".into(),
        color: "var(--ink)".into(),
        points: records.iter().map(|r| (epoch(r), mean(r))).collect(),
        style: Style::Line,
    });
    let open = (candidates.max(1) as f64).ln();
    let ends = [records.first().map(epoch), records.last().map(epoch)];
    series.push(Series {
        label: "equal weights".into(),
        color: "var(--dim)".into(),
        points: ends.into_iter().flatten().map(|x| (x, open)).collect(),
        style: Style::Dashes,
    });
    let y = Axis::new("entropy").showing_zero();
    chart("Entropy of the layers' weights over the epochs", &Axis::new("epoch"), &y, &series)
}
