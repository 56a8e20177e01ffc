//! The results of a bench of the search as text for people.

use crate::text_table::table_of_numbers;
use comfy_table::Table;
use dashnas::bench::search::document::{Document, NetworkResult};
use dashnas::bench::search::statistics::mean;
use dashnas_core::stage::Stage;
use dashnas_core::text::{duration, plural, plural_of};
use dashnas_report::bench::conclusion::conclusion;
use dashnas_report::bench::wording::{agreement, entropy, error, groups, number};
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
    for sentence in [agreement(document), entropy(document)].concat() {
        text += &format!("{sentence}\n");
    }
    text += &format!("{}\n\n{}\n", times(document), conclusion(document).text);
    for note in &document.notes {
        text += &format!("Note: {note}.\n");
    }
    text + &format!("Results: {}\n", out.display())
}

/// The errors of each group.
fn errors(document: &Document) -> Table {
    let metric = format!("test {}: least", document.metric.title());
    let mut table = table_of_numbers(&[
        "networks",
        "number",
        &metric,
        "mean",
        "largest",
        "validation, mean",
        "loss, mean",
        "time, mean",
    ]);
    for group in groups(document) {
        let [least, average, largest] = group.errors(document.metric);
        table.add_row([
            group.title.to_owned(),
            group.values(|n| n.test).len().to_string(),
            least,
            average,
            largest,
            error(document.metric, mean(&group.values(|n| n.validation))),
            number(mean(&group.values(|n| n.test_loss)), 4),
            mean(&group.values(|n| Some(n.seconds))).map_or_else(|| "-".to_owned(), duration),
        ]);
    }
    table
}

/// Percentiles and ratios of each group.
fn statistics(document: &Document) -> Table {
    let mut table = table_of_numbers(&[
        "networks",
        "percentile",
        "by loss",
        "to random",
        "to random, loss",
        "to plain",
        "to plain, loss",
    ]);
    for group in groups(document) {
        let Some(figures) = group.figures else { continue };
        table.add_row([group.title.to_owned()].into_iter().chain(figures.texts()));
    }
    table
}

/// The rank correlation of each signal.
fn signals(document: &Document) -> Table {
    let mut table =
        table_of_numbers(&["signal", "Kendall's tau with the test metric", "with the test loss", "networks"]);
    for found in &document.kendall {
        let [tau, tau_loss] = [found.tau, found.tau_loss].map(|tau| number(tau, 2));
        table.add_row([found.signal.clone(), tau, tau_loss, found.networks.to_string()]);
    }
    table
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
