//! The results of a bench of the search as text for people.

use comfy_table::{CellAlignment, Table, presets};
use dashnas::bench::search::document::{ByGroup, Document, NetworkResult};
use dashnas::bench::search::statistics::{Agreement, mean};
use dashnas_core::stage::Stage;
use dashnas_core::text::{duration, plural, plural_of};
use std::path::Path;

/// The whole text.
pub fn text(document: &Document, out: &Path) -> String {
    let [train, test] = document.samples;
    let [finished, planned] = document.finished;
    let mut text = format!(
        "{}: {} (preset {}, seed {}), {} to train on and {test} to test on; {finished} of {} have a result\n\n{}\n\n{}\n\n",
        document.dataset,
        document.task,
        document.preset.name(),
        document.seed,
        plural(train, "sample"),
        plural_of(planned, "entry", "entries"),
        errors(document),
        statistics(document),
    );
    text += "The percentile of a network is the percentage of random networks that are worse, ties counting half; 50 is \
             chance.\nIn brackets: the 95 % bootstrap interval. Ratios are those of mean errors. ";
    text += &format!("The loss is the {} on the test split.\n", document.loss);
    text += "The test split was looked at once for each network, and nothing was chosen by it.\n\n";
    if !document.kendall.is_empty() {
        text += &format!("{}\n\n", signals(document));
    }
    text += &agreement(document);
    text += &entropy(document);
    text + &format!("{}\nResults: {}\n", times(document), out.display())
}

/// The groups of networks with their titles.
fn groups(document: &Document) -> [(&'static str, &[NetworkResult]); 6] {
    [
        ("random", &document.random),
        ("plain", &document.plain),
        ("uniform", &document.uniform),
        ("paper, retrained", &document.paper),
        ("searched, retrained", &document.searched),
        ("searched, whole run", &document.whole),
    ]
}

/// The errors of each group.
fn errors(document: &Document) -> Table {
    let metric = format!("test {}: least", document.metric.title());
    let mut table =
        table(&["networks", "number", &metric, "mean", "largest", "validation, mean", "loss, mean", "time, mean"]);
    for (title, group) in groups(document) {
        let values = |of: fn(&NetworkResult) -> Option<f64>| -> Vec<f64> { group.iter().filter_map(of).collect() };
        let tests = values(|n| n.test);
        let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| document.metric.format(v));
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"));
        table.add_row([
            title.to_owned(),
            tests.len().to_string(),
            shown(tests.iter().copied().reduce(f64::min)),
            shown(mean(&tests)),
            shown(tests.iter().copied().reduce(f64::max)),
            shown(mean(&values(|n| n.validation))),
            number(mean(&values(|n| n.test_loss))),
            mean(&values(|n| Some(n.seconds))).map_or_else(|| "-".to_owned(), duration),
        ]);
    }
    table
}

/// Percentiles and ratios of each group.
fn statistics(document: &Document) -> Table {
    let mut table =
        table(&["networks", "percentile", "by loss", "to random", "to random, loss", "to plain", "to plain, loss"]);
    let each = |of: &ByGroup<f64>| [of.plain, of.uniform, of.paper, of.searched, of.whole];
    let interval = &document.percentile_interval;
    let intervals = [interval.plain, interval.uniform, interval.paper, interval.searched, interval.whole];
    let rows = groups(document).into_iter().skip(1).zip(each(&document.percentile)).zip(intervals);
    let ratios = each(&document.ratio_to_random).into_iter().zip(each(&document.ratio_to_plain));
    for ((((title, _), percentile), interval), (random, plain)) in rows.zip(ratios) {
        let ratio = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
        table.add_row([
            title.to_owned(),
            with_interval(percentile.metric, interval.metric),
            with_interval(percentile.loss, interval.loss),
            ratio(random.metric),
            ratio(random.loss),
            ratio(plain.metric),
            ratio(plain.loss),
        ]);
    }
    table
}

/// `87.5 [62.5, 100.0]`.
fn with_interval(value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    match (value, interval) {
        (Some(value), Some([low, high])) => format!("{value:.1} [{low:.1}, {high:.1}]"),
        (Some(value), None) => format!("{value:.1}"),
        _ => "-".to_owned(),
    }
}

/// The rank correlation of each signal.
fn signals(document: &Document) -> Table {
    let mut table = table(&["signal", "Kendall's tau with the test metric", "with the test loss", "networks"]);
    for found in &document.kendall {
        let tau = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"));
        table.add_row([found.signal.clone(), tau(found.tau), tau(found.tau_loss), found.networks.to_string()]);
    }
    table
}

/// How far the seeds agree.
fn agreement(document: &Document) -> String {
    let found = document.agreement;
    let line = |title: &str, of: Option<Agreement>| {
        of.map_or_else(String::new, |of| {
            format!(
                "Seeds of {title} choose the same kernel in {:.0} % of the layers (chance: {:.0} %), the same size in \
                 {:.0} % ({:.0} %), the same dilation in {:.0} % ({:.0} %).\n",
                100.0 * of.kernel,
                100.0 * found.chance.kernel,
                100.0 * of.size,
                100.0 * found.chance.size,
                100.0 * of.dilation,
                100.0 * found.chance.dilation
            )
        })
    };
    line("the search", found.searched) + &line("the paper's search", found.paper)
}

/// How decided the searches are.
fn entropy(document: &Document) -> String {
    let line = |title: &str, value: Option<f64>| {
        value.map_or_else(String::new, |value| {
            format!(
                "The mean entropy of α after {title} is {value:.3}; undecided is {:.3}.\n",
                document.entropy.undecided
            )
        })
    };
    line("the search", document.entropy.searched) + &line("the paper's search", document.entropy.paper)
}

/// The mean time of a search, and the time of the whole bench.
fn times(document: &Document) -> String {
    let search = |of: &[NetworkResult]| {
        mean(&of.iter().filter_map(|n| n.stages.get(&Stage::Search).copied()).collect::<Vec<_>>())
    };
    let line = |title: &str, seconds: Option<f64>| {
        seconds.map_or_else(String::new, |seconds| format!("a search{title} {} on average, ", duration(seconds)))
    };
    let searched = line("", search(&document.whole)) + &line(" of the paper", search(&document.paper_searches));
    format!("Time: {searched}all entries {}.", duration(document.seconds))
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_follow_their_value() {
        assert_eq!(with_interval(Some(87.5), Some([62.5, 100.0])), "87.5 [62.5, 100.0]");
        assert_eq!(with_interval(Some(50.0), None), "50.0");
        assert_eq!(with_interval(None, None), "-");
    }
}
