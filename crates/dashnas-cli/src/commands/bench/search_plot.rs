//! The errors of a bench of the search as an SVG file: a row for each group of networks, a point for each network.

use dashnas::bench::search::document::{Document, NetworkResult};
use dashnas_core::task::Metric;
use plotters::prelude::*;
use std::error::Error;

/// A group of networks in the drawing.
type Row<'a> = (&'static str, RGBColor, &'a [NetworkResult]);

/// The error of a network that is drawn.
type ErrorOf = fn(&NetworkResult) -> Option<f64>;

const GRAY: RGBColor = RGBColor(120, 120, 120);
const ORANGE: RGBColor = RGBColor(213, 94, 0);
const DARK_BLUE: RGBColor = RGBColor(0, 90, 181);

/// Draws the test errors and the validation errors; `None` if there are none.
///
/// # Errors
/// Those of the drawing library.
pub fn svg(document: &Document) -> Result<Option<String>, Box<dyn Error>> {
    // From the bottom up.
    let rows: [Row<'_>; 6] = [
        ("random", GRAY, &document.random),
        ("uniform", GRAY, &document.uniform),
        ("plain", BLACK, &document.plain),
        ("paper", ORANGE, &document.paper),
        ("searched", DARK_BLUE, &document.searched),
        ("whole run", DARK_BLUE, &document.whole),
    ];
    let panels: [(&str, ErrorOf); 2] = [("test", |n| n.test), ("validation", |n| n.validation)];
    let drawn: Vec<_> =
        panels.into_iter().filter(|(_, of)| rows.iter().any(|row| row.2.iter().any(|n| of(n).is_some()))).collect();
    if drawn.is_empty() {
        return Ok(None);
    }
    let mut out = String::new();
    {
        let height = 250 * drawn.len() as u32;
        let root = SVGBackend::with_string(&mut out, (820, height)).into_drawing_area();
        root.fill(&WHITE)?;
        for (area, (split, of)) in root.split_evenly((drawn.len(), 1)).iter().zip(&drawn) {
            panel(area, document, split, &rows, *of)?;
        }
        root.present()?;
    }
    Ok(Some(out))
}

/// Draws one kind of error.
fn panel(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    document: &Document,
    split: &str,
    rows: &[Row<'_>],
    of: ErrorOf,
) -> Result<(), Box<dyn Error>> {
    let (scale, unit) = if document.metric == Metric::ZeroOneError { (100.0, " in %") } else { (1.0, "") };
    let value = |n: &NetworkResult| of(n).filter(|v| v.is_finite()).map(|v| scale * v);
    let values = rows.iter().flat_map(|row| row.2.iter().filter_map(value));
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let pad = if high > low { 0.06 * (high - low) } else { high.abs().max(1.0) * 0.1 };
    let title = format!("{}: {split} {} of each network", document.dataset, document.metric.title());
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 17))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(90)
        .build_cartesian_2d(low - pad..high + pad, -0.7..rows.len() as f64 - 0.3)?;
    let name = |at: &f64| {
        let row = (at.round() - at).abs() < 1e-6 && *at > -0.5;
        if row { rows.get(at.round() as usize).map_or("", |row| row.0).to_owned() } else { String::new() }
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(rows.len() + 2)
        .y_label_formatter(&name)
        .x_desc(format!("{split} {}{unit}", document.metric.title()))
        .draw()?;
    for (at, (_, color, networks)) in rows.iter().enumerate() {
        let points = networks.iter().filter_map(value);
        let style = color.mix(0.65).filled();
        chart.draw_series(points.map(|v| Circle::new((v, at as f64), 5, style)))?;
    }
    // The mean of the random networks, to compare the others with.
    let random: Vec<f64> = rows[0].2.iter().filter_map(value).collect();
    if !random.is_empty() {
        let mean = random.iter().sum::<f64>() / random.len() as f64;
        let line = [(mean, -0.7), (mean, rows.len() as f64 - 0.3)];
        chart.draw_series(LineSeries::new(line, GRAY.stroke_width(1)))?;
    }
    Ok(())
}
