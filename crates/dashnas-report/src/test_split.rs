//! The networks on the test split: confusion matrix, scores, fields, and the samples with the largest errors.

use crate::chart::{Axis, Series, Style};
use crate::curves::{Figure, color};
use crate::heat::{Scale, bitmap, picture, sparkline};
use dashnas::evaluation::curve::Curve;
use dashnas::evaluation::details::Details;
use dashnas::evaluation::example::{Answer, ErrorRank, Example, Picture};
use dashnas::evaluation::{Assessment, Evaluation};
use dashnas_core::text::short;
use serde::Serialize;

/// Classes up to which the whole matrix is shown.
const MATRIX: usize = 40;
/// Confused pairs listed.
const PAIRS: usize = 12;

/// One network on the test split.
#[derive(Debug, Clone, Serialize)]
pub struct NetworkOnTest {
    /// The name of the network.
    pub network: &'static str,
    /// The confusion matrix, of a classification.
    pub confusion: Option<Confusion>,
    /// A table of scores: its header and its rows.
    pub scores: Option<(Vec<&'static str>, Vec<Vec<String>>)>,
    /// Predicted against true values.
    pub scatter: Option<Figure>,
    /// ROC and precision-recall curves.
    pub curves: Vec<Figure>,
    /// The samples that are shown.
    pub examples: Vec<ShownSample>,
    /// Whether all samples that are shown are predicted rightly: then they are those of which the network is least sure.
    pub unsure: bool,
    /// The definition of a sample's error.
    pub error: &'static str,
    /// A sentence on the channels that are drawn, if not all of them are.
    pub drawn: Option<String>,
}

/// A confusion matrix; of one too large to show, only the most frequent mistakes.
#[derive(Debug, Clone, Serialize)]
pub struct Confusion {
    /// Names of the classes; empty if the matrix is not shown.
    pub names: Vec<String>,
    /// Rows of cells: the count and its share of the true class, in percent.
    pub rows: Vec<Vec<(u64, u64)>>,
    /// `(true, predicted, count, of)` of the most frequent mistakes.
    pub mistakes: Vec<(String, String, u64, u64)>,
}

/// A test sample with its prediction.
#[derive(Debug, Clone, Serialize)]
pub struct ShownSample {
    /// The rank of its error.
    pub place: &'static str,
    /// Its number in the test split, from 1.
    pub number: usize,
    /// Where it is in the files, if that is known.
    pub name: Option<String>,
    /// The error.
    pub error: String,
    /// The drawing of the input.
    pub input: String,
    /// The true target as text; empty for fields.
    pub truth: String,
    /// The prediction as text; empty for fields.
    pub predicted: String,
    /// Whether the two agree.
    pub right: bool,
    /// `(caption, picture)` of fields: true, predicted, difference.
    pub fields: Vec<(String, String)>,
}

/// The searched network, by its name, and the plain one if it was evaluated.
pub fn networks_on_test(evaluation: &Evaluation, network: &'static str) -> Vec<NetworkOnTest> {
    let name = |i: usize| match &evaluation.classes {
        Some(names) if i < names.len() => names[i].clone(),
        _ => i.to_string(),
    };
    let searched = std::iter::once((network, &evaluation.searched));
    let plain = evaluation.baseline.iter().map(|b| ("plain network", b));
    searched.chain(plain).map(|(network, a)| one(network, a, &name)).collect()
}

fn one(network: &'static str, a: &Assessment, name: &dyn Fn(usize) -> String) -> NetworkOnTest {
    let (mut confusion, mut scores, mut scatter) = (None, None, None);
    match &a.details {
        Details::Classes { confusion: counts } => {
            confusion = Some(Confusion::new(counts, name));
            if counts.len() <= MATRIX {
                scores = Some(class_scores(counts, name));
            }
        }
        Details::Labels { labels } => {
            let header = vec!["label", "support", "precision", "recall", "F1", "AUROC", "average precision"];
            let cell = |v: Option<f64>| v.map_or("–".into(), |v| format!("{v:.3}"));
            let rows = labels.iter().enumerate().map(|(i, l)| {
                let scores = [l.precision, l.recall, l.f1, l.auroc, l.average_precision].map(cell);
                [vec![name(i), l.positives.to_string()], scores.to_vec()].concat()
            });
            scores = Some((header, rows.collect()));
        }
        Details::Values { outputs, pairs } => {
            let header = vec!["output", "MAE", "RMSE", "R²"];
            let error = |v: Option<f64>| v.map_or("–".into(), short);
            let rows = outputs.iter().enumerate().map(|(i, o)| {
                vec![(i + 1).to_string(), error(o.mae), error(o.rmse), o.r2.map_or("–".into(), |v| format!("{v:.4}"))]
            });
            scores = Some((header, rows.collect()));
            let points: Vec<(f64, f64)> = pairs.iter().map(|p| (f64::from(p[0]), f64::from(p[1]))).collect();
            let all = || points.iter().flat_map(|p| [p.0, p.1]);
            let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
            let series = [
                Series {
                    label: "perfect".into(),
                    color: "var(--dim)".into(),
                    points: vec![(low, low), (high, high)],
                    style: Style::Dashes,
                },
                Series { label: "test values".into(), color: "var(--s0)".into(), points, style: Style::Dots },
            ];
            scatter =
                Figure::new("Predicted against true values", &Axis::new("true"), &Axis::new("predicted"), &series, "");
        }
    }
    let error = match a.examples.first().map(|e| &e.truth) {
        Some(Answer::Class { .. }) => "−ln of the probability given to the true class",
        Some(Answer::Labels { .. }) => "mean binary cross entropy over the labels",
        Some(Answer::Values { .. }) => "mean absolute error",
        Some(Answer::Field { .. }) if matches!(a.details, Details::Labels { .. }) => "mean binary cross entropy",
        _ => "‖ŷ − y‖₂ / ‖y‖₂",
    };
    let drawn = a.examples.first().and_then(|e| {
        let [all, drawn] = [e.input.original[0], e.input.shape[0]];
        (drawn < all).then(|| format!("The first {drawn} of {all} channels are drawn."))
    });
    // Inputs of a regression of fields are fields as well; all others are images.
    let of_fields = matches!(a.details, Details::Values { .. });
    let examples: Vec<ShownSample> = a.examples.iter().map(|e| shown(e, name, of_fields)).collect();
    let unsure = !examples.is_empty() && examples.iter().all(|e| e.right);
    let curves = ranking(&a.curves, name);
    NetworkOnTest { network, confusion, scores, scatter, curves, examples, unsure, error, drawn }
}

impl Confusion {
    fn new(counts: &[Vec<u64>], name: &dyn Fn(usize) -> String) -> Self {
        let of = |row: &[u64]| row.iter().sum::<u64>();
        let mut mistakes: Vec<(usize, usize, u64, u64)> = (counts.iter().enumerate())
            .flat_map(|(t, row)| row.iter().enumerate().map(move |(p, &n)| (t, p, n, of(row))))
            .filter(|&(t, p, n, _)| t != p && n > 0)
            .collect();
        mistakes.sort_by_key(|&(t, p, n, _)| (std::cmp::Reverse(n), t, p));
        let small = counts.len() <= MATRIX;
        let percent = |n: u64, all: u64| (100 * n + all / 2).checked_div(all).unwrap_or(0);
        Self {
            names: if small { (0..counts.len()).map(name).collect() } else { vec![] },
            rows: if small {
                counts.iter().map(|row| row.iter().map(|&n| (n, percent(n, of(row)))).collect()).collect()
            } else {
                vec![]
            },
            mistakes: mistakes.into_iter().take(PAIRS).map(|(t, p, n, all)| (name(t), name(p), n, all)).collect(),
        }
    }
}

/// Precision, recall and F1 of each class, from the counts by true (row) and predicted class (column).
fn class_scores(counts: &[Vec<u64>], name: &dyn Fn(usize) -> String) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let all: u64 = counts.iter().flatten().sum();
    let percent =
        |n: u64, of: u64| if of == 0 { "–".into() } else { format!("{:.1} %", 100.0 * n as f64 / of as f64) };
    let row = |class: usize| {
        let hits = counts[class][class];
        let truth: u64 = counts[class].iter().sum();
        let predicted: u64 = counts.iter().map(|row| row[class]).sum();
        vec![
            name(class),
            truth.to_string(),
            percent(truth, all),
            percent(hits, predicted),
            percent(hits, truth),
            percent(2 * hits, truth + predicted),
        ]
    };
    let header = vec!["class", "test samples", "share", "precision", "recall", "F1"];
    (header, (0..counts.len()).map(row).collect())
}

/// The ROC and the precision-recall curves. Of two classes, only those of the second are drawn.
fn ranking(curves: &[Option<Curve>], name: &dyn Fn(usize) -> String) -> Vec<Figure> {
    let first = usize::from(curves.len() == 2);
    let of = |points: fn(&Curve) -> &Vec<[f32; 2]>| -> Vec<Series> {
        let drawn = curves.iter().enumerate().skip(first);
        let line = |(i, curve): (usize, &Option<Curve>)| {
            let points = points(curve.as_ref()?).iter().map(|p| (f64::from(p[0]), f64::from(p[1]))).collect();
            Some(Series { label: name(i), color: color(i - first), points, style: Style::Line })
        };
        drawn.filter_map(line).collect()
    };
    let unit = |title: &str| Axis::new(title).spanning(0.0, 1.0);
    let mut roc = of(|c| &c.roc);
    if roc.is_empty() {
        return Vec::new();
    }
    let chance = vec![(0.0, 0.0), (1.0, 1.0)];
    roc.push(Series { label: "chance".into(), color: "var(--dim)".into(), points: chance, style: Style::Dashes });
    let note = if first == 1 { format!("Of “{}” against “{}”.", name(1), name(0)) } else { String::new() };
    let figures = [
        Figure::new("ROC curve", &unit("false positive rate"), &unit("true positive rate"), &roc, &note),
        Figure::new("Precision and recall", &unit("recall"), &unit("precision"), &of(|c| &c.precision_recall), &note),
    ];
    figures.into_iter().flatten().collect()
}

fn shown(e: &Example, name: &dyn Fn(usize) -> String, of_fields: bool) -> ShownSample {
    let words = |a: &Answer| match a {
        Answer::Class { class, probability } => format!("{} ({:.1} %)", name(*class), 100.0 * probability),
        Answer::Labels { labels } if labels.is_empty() => "none".into(),
        Answer::Labels { labels } => {
            let label = |(i, p): &(usize, f64)| format!("{} ({:.0} %)", name(*i), 100.0 * p);
            labels.iter().map(label).collect::<Vec<_>>().join(", ")
        }
        Answer::Values { values } => {
            let number = |&v: &f32| if v.is_nan() { "unknown".into() } else { short(f64::from(v)) };
            values.iter().map(number).collect::<Vec<_>>().join(", ")
        }
        Answer::Field { .. } => String::new(),
    };
    let fields = match (&e.truth, &e.predicted) {
        (Answer::Field { picture: truth }, Answer::Field { picture: predicted }) => fields(truth, predicted),
        _ => vec![],
    };
    ShownSample {
        place: match e.rank {
            ErrorRank::Worst => "among the worst",
            ErrorRank::Median => "at the median",
            ErrorRank::Best => "the best",
        },
        number: e.row + 1,
        name: e.name.clone(),
        error: short(e.error),
        input: picture("Input", &e.input, of_fields),
        truth: words(&e.truth),
        predicted: words(&e.predicted),
        right: match (&e.truth, &e.predicted) {
            (Answer::Class { class: a, .. }, Answer::Class { class: b, .. }) => a == b,
            (Answer::Labels { labels: a }, Answer::Labels { labels: b }) => a == b,
            _ => false,
        },
        fields,
    }
}

/// True and predicted field on one scale, and their difference around zero. Unknown targets are left blank.
fn fields(truth: &Picture, predicted: &Picture) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if truth.shape != predicted.shape {
        return out;
    }
    let [channels, _, width] = truth.shape;
    for c in 0..channels {
        let (t, p) = (truth.channel(c), predicted.channel(c));
        let difference: Vec<f32> = p.iter().zip(t).map(|(p, t)| p - t).collect();
        let suffix = if channels > 1 { format!(", channel {}", c + 1) } else { String::new() };
        if truth.is_series() {
            let lines = [("var(--ink)", t), ("var(--s0)", p)];
            out.push((format!("true and predicted{suffix}"), sparkline("True and predicted", &lines)));
            out.push((format!("difference{suffix}"), sparkline("Difference", &[("var(--s3)", &difference)])));
            continue;
        }
        let scale = Scale::of(t.iter().chain(p).copied());
        let around = Scale::around_zero(difference.iter().copied());
        let with_bar = |alt: &str, values: &[f32], scale: Scale| bitmap(alt, values, width, scale) + &scale.bar();
        out.push((format!("true{suffix}"), with_bar("True field", t, scale)));
        out.push((format!("predicted{suffix}"), with_bar("Predicted field", p, scale)));
        out.push((format!("difference{suffix}"), with_bar("Difference", &difference, around)));
    }
    out
}
