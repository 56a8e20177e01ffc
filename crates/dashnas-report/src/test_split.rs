//! The networks on the test split: confusion matrix, scores, fields, and the samples with the largest errors.

use crate::chart::{Axis, Series, Style};
use crate::curves::Figure;
use crate::heat::{Scale, bitmap, picture, sparkline};
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
    /// The samples that are shown.
    pub examples: Vec<ShownSample>,
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
    /// Its row in the test split.
    pub row: usize,
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

/// The searched network and, if it was evaluated, the plain one.
pub fn networks_on_test(evaluation: &Evaluation) -> Vec<NetworkOnTest> {
    let name = |i: usize| match &evaluation.classes {
        Some(names) if i < names.len() => names[i].clone(),
        _ => i.to_string(),
    };
    let searched = std::iter::once(("searched network", &evaluation.searched));
    let plain = evaluation.baseline.iter().map(|b| ("plain network", b));
    searched.chain(plain).map(|(network, a)| one(network, a, &name)).collect()
}

fn one(network: &'static str, a: &Assessment, name: &dyn Fn(usize) -> String) -> NetworkOnTest {
    let (mut confusion, mut scores, mut scatter) = (None, None, None);
    match &a.details {
        Details::Classes { confusion: counts } => confusion = Some(Confusion::new(counts, name)),
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
    let examples = a.examples.iter().map(|e| shown(e, name)).collect();
    NetworkOnTest { network, confusion, scores, scatter, examples, error, drawn }
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

fn shown(e: &Example, name: &dyn Fn(usize) -> String) -> ShownSample {
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
        row: e.row,
        error: short(e.error),
        input: picture("Input", &e.input),
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
        let range = |s: Scale| format!("{} to {}", short(s.range()[0]), short(s.range()[1]));
        out.push((format!("true{suffix}, {}", range(scale)), bitmap("True field", t, width, scale)));
        out.push((format!("predicted{suffix}, same scale"), bitmap("Predicted field", p, width, scale)));
        out.push((format!("difference{suffix}, {}", range(around)), bitmap("Difference", &difference, width, around)));
    }
    out
}
