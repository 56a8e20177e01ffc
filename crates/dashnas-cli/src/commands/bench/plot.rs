//! Lines on logarithmic axes, as CSV and SVG files.
//!
//! The SVG files stand on their own, with fixed colors, which is why they are drawn by a plotting library; the charts of
//! the report follow the theme of their page and are drawn by `dashnas-report`.

use plotters::prelude::*;
use std::error::Error;
use std::fmt::Write;

/// One line of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The name in the legend.
    pub label: String,
    /// `(x, y)`, both positive, x ascending.
    pub points: Vec<(f64, f64)>,
}

/// One row for each x, one column for each series; a field is empty where a series has no such point.
pub fn csv(axis: &str, series: &[Series]) -> String {
    let mut xs: Vec<f64> = series.iter().flat_map(|s| s.points.iter().map(|p| p.0)).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let mut out = axis.to_owned();
    for s in series {
        let _ = write!(out, ",{}", s.label);
    }
    for x in xs {
        let _ = write!(out, "\n{x}");
        for s in series {
            match s.points.iter().find(|p| p.0 == x) {
                Some((_, y)) => drop(write!(out, ",{y:.6}")),
                None => out.push(','),
            }
        }
    }
    out.push('\n');
    out
}

/// Draws the series on log-log axes.
///
/// # Errors
/// If there is nothing to draw, or the drawing library says so.
pub fn svg(title: &str, axis: &str, series: &[Series]) -> Result<String, Box<dyn Error>> {
    let points = || series.iter().flat_map(|s| &s.points);
    let span = |pick: fn(&(f64, f64)) -> f64| {
        let (low, high) = points().map(pick).fold((f64::INFINITY, 0f64), |(l, h), v| (l.min(v), h.max(v)));
        (low, high)
    };
    let ((x0, x1), (y0, y1)) = (span(|p| p.0), span(|p| p.1));
    if !(x0.is_finite() && y0 > 0.0) {
        return Err("there are no points".into());
    }
    let mut out = String::new();
    {
        let root = SVGBackend::with_string(&mut out, (820, 520)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(64)
            .build_cartesian_2d((x0..x1 * 1.0001).log_scale(), (y0 * 0.7..y1 * 1.4).log_scale())?;
        chart.configure_mesh().x_desc(axis).y_desc("seconds").draw()?;
        for (i, s) in series.iter().enumerate() {
            let style = Palette99::pick(i).stroke_width(2);
            chart
                .draw_series(LineSeries::new(s.points.iter().copied(), style).point_size(3))?
                .label(&s.label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], Palette99::pick(i).stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        root.present()?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series() -> [Series; 2] {
        [
            Series { label: "a".into(), points: vec![(1.0, 0.5), (4.0, 1.0)] },
            Series { label: "b".into(), points: vec![(1.0, 0.25)] },
        ]
    }

    #[test]
    fn csv_leaves_missing_points_empty() {
        assert_eq!(csv("n", &series()), "n,a,b\n1,0.500000,0.250000\n4,1.000000,\n");
    }

    #[test]
    fn svg_has_a_line_and_a_label_for_each_series() {
        let svg = svg("T", "n", &series()).expect("it can be drawn");
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(svg.matches("<polyline").count() >= 3, "two lines and at least the legend");
        assert!(super::svg("T", "n", &[]).is_err());
    }
}
