//! The values that a run decided where its configuration has `"auto"`, or where a limit changed a value.

use crate::budget::plan::TunePlan;
use crate::config::layers::to_table;
use crate::problem::state::Problem;
use crate::race::setup::configured_steps;
use dashnas_core::names::{SearchStrategy, Tuner};
use dashnas_data::dataset::Dataset;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// The values by their keys, `section.key`: those of `problem` that differ from the configuration that the run began with.
pub(super) fn resolved(problem: &Problem, data: &Dataset) -> BTreeMap<String, Value> {
    let mut decided = problem.config().clone();
    if decided.search.strategy == SearchStrategy::Race && decided.search.kernels.is_none() {
        let steps = problem.budget.search_steps().unwrap_or_else(|| configured_steps(problem));
        decided.race.steps = usize::try_from(steps).ok();
    }
    // Without a time limit, the configuration says it.
    decided.tune.tuner = match problem.budget.tuning() {
        Some(TunePlan::Asha { .. }) => Some(Tuner::Asha),
        Some(TunePlan::Grid { .. }) => Some(Tuner::Grid),
        Some(TunePlan::None) | None => decided.tune.tuner,
    };
    let [before, mut after] = [&problem.setup.config, &decided].map(to_table);
    let read = Value::try_from(&data.reading).ok().and_then(|value| value.try_into::<Table>().ok()).unwrap_or_default();
    if let Some(after) = after.get_mut("data").and_then(Value::as_table_mut) {
        // Only what was left to the files: the rest of what was read is the configuration itself.
        let auto = |value: &Value| value.as_str() == Some("auto");
        after.iter_mut().filter(|(_, value)| auto(value)).for_each(|(key, value)| {
            if let Some(read) = read.get(key) {
                value.clone_from(read);
            }
        });
    }
    let mut found = BTreeMap::new();
    for (section, after) in &after {
        match (before.get(section), after) {
            (Some(Value::Table(before)), Value::Table(after)) => {
                let changed = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
                found.extend(changed.map(|(key, value)| (format!("{section}.{key}"), value.clone())));
            }
            (before, after) if before != Some(after) => {
                found.insert(section.clone(), after.clone());
            }
            _ => {}
        }
    }
    found
}
