//! What was chosen for a run: where its configuration departs from what its preset and its data imply.

use dashnas::config::Config;
use dashnas::config::keys::KEYS;
use dashnas::config::layers::Override;
use dashnas::config::rules::Facts;
use dashnas::run::load::Loaded;
use dashnas_core::digest::sha256;
use dashnas_core::names::SearchStrategy;
use dashnas_tasks::recipes;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// Keys that do not make another method: what is run where, on what data, and how often.
const APART: [&str; 9] = [
    "preset",
    "seed",
    "tensorboard",
    "task.kind",
    "task.metric",
    "task.unknown",
    "task.transforms",
    "task.data-dir",
    "task.train-samples",
];
/// Sections of such keys.
const SECTIONS_APART: [&str; 3] = ["data", "darcy", "baseline"];
/// Keys and sections that the plain backbone has nothing to do with.
const SEARCH_ONLY: [&str; 7] = [
    "space",
    "search",
    "race",
    "backbone.search-width",
    "backbone.depthwise",
    "budget.max-params",
    "budget.max-latency",
];

/// Values by key.
pub type Choices = BTreeMap<String, String>;

/// The departures of a run.
pub fn choices(run: &Loaded) -> Choices {
    let (mut given, usual) = (values(&run.config), values(&usual(run)));
    // The configuration of a version that had one strategy does not name it; the files of the search do.
    let strategy = match (&run.race, run.alpha.is_empty()) {
        (Some(_), _) => Some(SearchStrategy::Race),
        (None, false) => Some(SearchStrategy::Paper),
        (None, true) => None,
    };
    given.extend(strategy.map(|strategy| ("search.strategy".to_owned(), strategy.name().to_owned())));
    given.into_iter().filter(|(key, value)| usual.get(key) != Some(value)).collect()
}

/// The keys in which runs differ.
pub fn differing(all: &[Choices]) -> BTreeSet<&str> {
    let keys: BTreeSet<&str> = all.iter().flat_map(|c| c.keys().map(String::as_str)).collect();
    keys.into_iter().filter(|&key| all.iter().any(|c| c.get(key) != all[0].get(key))).collect()
}

/// `, search.epochs 4, …` of the keys in which runs differ.
pub fn words(choices: &Choices, differing: &BTreeSet<&str>, plain: bool) -> String {
    let concerns = |key: &str| !plain || !SEARCH_ONLY.iter().any(|s| key == *s || section(key) == *s);
    let chosen = choices.iter().filter(|(key, _)| differing.contains(key.as_str()) && concerns(key));
    chosen.map(|(key, value)| format!(", {key} {value}")).collect()
}

fn section(key: &str) -> &str {
    key.split_once('.').map_or("", |(section, _)| section)
}

/// The configuration that the preset, the recipe of a built-in task and the data's shape imply.
fn usual(run: &Loaded) -> Config {
    let preset = run.config.preset;
    let recipe =
        recipes::find(&run.data.source).and_then(|recipe| Override::of_recipe(recipe, preset).ok()).unwrap_or_default();
    let config = Config::load_over(Some(preset), &recipe, None, &[]).unwrap_or_else(|_| Config::preset(preset));
    let facts = run.data.task.zip(run.data.input.as_ref()).map(|(task, input)| Facts {
        dims: input.len().saturating_sub(1),
        task,
        train_samples: run.data.samples[0],
    });
    facts.and_then(|facts| config.resolve(&facts).ok()).unwrap_or(config)
}

fn values(config: &Config) -> Choices {
    // What the program wrote it can read.
    let table: Table = config.to_toml().parse().unwrap_or_default();
    let mut values = Choices::new();
    for key in KEYS.iter().filter(|key| !SECTIONS_APART.contains(&key.section)) {
        let path = key.path();
        let section =
            if key.section.is_empty() { Some(&table) } else { table.get(key.section).and_then(Value::as_table) };
        if let Some(value) = section.and_then(|s| s.get(key.name)).filter(|_| !APART.contains(&path.as_str())) {
            let text = value.to_string().replace('"', "");
            // Given kernels are too long for the name of a method.
            let text =
                if path == "search.kernels" && text != "auto" { sha256(text.as_bytes())[..8].into() } else { text };
            values.insert(path, text);
        }
    }
    values
}
