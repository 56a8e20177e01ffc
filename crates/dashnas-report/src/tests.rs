use crate::chart::{Axis, Series, Style, chart, escape};
use dashnas_core::text::short;
use dashnas_core::text::{duration, thousands, utc};

#[test]
fn numbers_are_short() {
    let cases = [
        (0.0, "0"),
        (1234.5, "1234"),
        (0.12345, "0.1235"),
        (-2.5, "−2.5"),
        (100.0, "100"),
        (1e-7, "1e−7"),
        (2.5e8, "2.5e8"),
        (0.00050, "0.0005"),
    ];
    for (v, text) in cases {
        assert_eq!(short(v), text);
    }
    assert_eq!((thousands(0), thousands(1_234_567)), ("0".into(), "1\u{202f}234\u{202f}567".into()));
    assert_eq!([duration(5.25), duration(184.0), duration(3720.0)], ["5.2 s", "3 min 4 s", "1 h 2 min"]);
    assert_eq!(utc(951_782_399), "2000-02-28 23:59 UTC");
    assert_eq!(utc(951_782_400 + 86_400), "2000-03-01 00:00 UTC");
}

#[test]
fn texts_from_data_cannot_become_markup() {
    assert_eq!(escape("<b onload=\"x\">&'"), "&lt;b onload=&quot;x&quot;&gt;&amp;&#39;");
    let bad = "</title><script>alert(1)</script>";
    let series = Series { label: bad.into(), color: "red".into(), points: vec![(0.0, 1.0)], style: Style::Dots };
    let svg = chart(bad, &Axis::new(bad), &Axis::new("y"), &[series]).expect("a point");
    assert!(!svg.contains("<script"), "{svg}");
}

#[test]
fn charts_put_points_where_their_axes_say() {
    let line = |points: Vec<(f64, f64)>| Series { label: "l".into(), color: "red".into(), points, style: Style::Line };
    let axis = |from, to| Axis::new("").spanning(from, to);
    let svg = chart("t", &axis(0.0, 10.0), &axis(0.0, 1.0), &[line(vec![(0.0, 0.0), (5.0, 0.5), (10.0, 1.0)])]);
    assert!(svg.expect("drawn").contains(r#"d="M50.0 208.0L220.0 110.0L390.0 12.0""#));
    assert_eq!(chart("t", &Axis::new(""), &Axis::new(""), &[line(vec![])]), None);
    let beside = chart("t", &Axis::new(""), &Axis::new(""), &[line(vec![]), line(vec![(1.0, 1.0)])]).expect("a point");
    assert_eq!((beside.matches("class=\"line\"").count(), beside.matches("d=\"h0").count()), (1, 0));
    assert_eq!(chart("t", &Axis::new("").log(), &Axis::new(""), &[line(vec![(-1.0, 1.0)])]), None);
}

#[test]
fn ticks_close_to_each_other_are_told_apart() {
    let points = vec![(0.0, 2.77255), (1.0, 2.77259)];
    let line = Series { label: "l".into(), color: "red".into(), points, style: Style::Line };
    let svg = chart("t", &Axis::new(""), &Axis::new(""), &[line]).expect("drawn");
    assert!(svg.contains(">2.77255<") && svg.contains(">2.77256<"), "{svg}");
    assert!(svg.contains(">0.5<"), "few digits where they are enough: {svg}");
}

#[test]
fn trials_and_epochs_are_counted_in_whole_numbers() {
    let dots = |style| Series { label: "l".into(), color: "red".into(), points: vec![(1.0, 1.0), (2.0, 3.0)], style };
    let drawn = |x: &Axis| chart("t", x, &Axis::counting(""), &[dots(Style::Dots)]).expect("drawn");
    let (halves, whole) = (drawn(&Axis::new("")), drawn(&Axis::counting("")));
    assert!(halves.contains(">1.5<") && !whole.contains(">1.5<"), "{whole}");
    assert_eq!(whole.matches("class=\"tick\"").count(), 2);
    // Lines one upon another are all seen.
    let rates = chart("t", &Axis::new(""), &Axis::new(""), &[dots(Style::Steps), dots(Style::Steps)]).expect("drawn");
    assert!(rates.contains("stroke-width:4.4\"") && rates.contains("stroke-width:2.2\""), "{rates}");
}

#[test]
fn receptive_fields_add_up_through_strides() {
    let mut net = dashnas_nn::graph::build::GraphBuilder::new(2);
    let input = net.input(1);
    let first = net.after(input).conv(1, 3, 1).end();
    let first = net.sum(&[first, input]);
    let body = net.after(first).conv(1, 3, 2).relu().conv(1, 3, 1).end();
    let shortcut = net.after(first).pointwise(1, 2).end();
    let both = net.sum(&[body, shortcut]);
    let graph = net.finish(both, 1, false);
    let blocks = crate::kernels::blocks(&graph, &[[3, 1], [5, 3], [3, 7]], &[9, 7]);
    let convs: Vec<_> = blocks.iter().flat_map(|b| &b.convs).collect();
    // 3; 3 + 12; then every point is two apart: 15 + 2·14.
    assert_eq!(convs.iter().map(|c| c.receptive_field).collect::<Vec<_>>(), [3, 15, 43]);
    assert_eq!(convs.iter().map(|c| c.span).collect::<Vec<_>>(), [3, 13, 29]);
    assert_eq!(convs.iter().map(|c| c.plain_receptive_field).collect::<Vec<_>>(), [3, 5, 9]);
    assert_eq!(convs.iter().map(|c| c.output.as_str()).collect::<Vec<_>>(), ["1 × 9 × 7", "1 × 5 × 4", "1 × 5 × 4"]);
    assert_eq!(convs.iter().map(|c| c.params.as_str()).collect::<Vec<_>>(), ["10", "26", "10"]);
    assert_eq!(convs.iter().map(|c| c.multiply_adds.as_str()).collect::<Vec<_>>(), ["567", "500", "180"]);
    // The 1×1 convolution of the shortcut and the linear map of one mean are the rest.
    let all = crate::kernels::all_multiply_adds(&graph, &[[3, 1], [5, 3], [3, 7]], &[9, 7]);
    assert_eq!(all, 567 + 500 + 180 + 20 + 1);
    let titles: Vec<_> = blocks.iter().map(|b| format!("{} {}", b.title, b.residual)).collect();
    assert_eq!(titles, ["Block 1 + input", "Block 1 + 1×1"]);
}

#[test]
fn weights_become_runs_of_equal_shade() {
    use dashnas::record::alpha::AlphaRecord;
    let record = |epoch, a: f64| AlphaRecord { epoch, layers: vec![vec![a, 1.0 - a]] };
    let records: Vec<AlphaRecord> = (0..100).map(|e| record(e, if e < 50 { 0.0 } else { 1.0 })).collect();
    let layers = crate::alpha::layers(&records, &[3, 5], &[1]);
    assert_eq!((layers.len(), layers[0].leading.as_str()), (1, "k 3, d 1 (100.0 %)"));
    // Two full halves of 24 columns of 170/48 each, one in each row.
    assert!(layers[0].svg.contains("M111.0 0h85.0v7h-85.0zM26.0 7h85.0v7h-85.0z"), "{}", layers[0].svg);
    assert!(crate::alpha::layers(&records, &[3, 5, 7], &[1]).is_empty(), "weights of another space are not drawn");
}
