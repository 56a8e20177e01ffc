//! Settings that the chosen strategy of the search does not use.

use crate::config::keys::KEYS;
use crate::config::layers::to_table;
use crate::config::rules::Facts;
use crate::config::sections::Config;
use dashnas_core::names::{Preset, SearchStrategy};
use toml::Value;

/// The keys of the section `[search]` that the race uses, too: what is searched and how, and the size of its batches.
const OF_BOTH: [&str; 4] = ["kernels", "strategy", "subsample", "batch-size"];

impl Config {
    /// A warning about the keys that were set although the strategy of the search does not use them. A configuration
    /// does not record who set a value: those that differ from the preset were set. Both are compared without `"auto"`,
    /// since the configuration of a run that is resumed has none. There is none for given kernels, for which nothing is
    /// searched.
    pub(crate) fn unused(&self, facts: &Facts) -> Option<String> {
        if self.search.kernels.is_some() {
            return None;
        }
        let (section, owner, kept): (_, _, &[&str]) = match self.search.strategy {
            SearchStrategy::Race => ("search", "the search of the paper", &OF_BOTH),
            SearchStrategy::Paper => ("race", "the race", &[]),
        };
        let resolved = |config: &Config| config.resolve(facts).map(|config| to_table(&config));
        let (given, preset) = (resolved(self).ok()?, resolved(&Config::preset(self.preset)).ok()?);
        // The recipes of the paper's tasks set it with the preset of the paper.
        let of_recipe = |name: &str| self.preset == Preset::Paper && name == "alpha-grad-scale";
        let keys = KEYS.iter().filter(|key| key.section == section);
        let keys = keys.filter(|key| !kept.contains(&key.name) && !of_recipe(key.name));
        let value = |table: &toml::Table, name: &str| table.get(section).and_then(|s: &Value| s.get(name).cloned());
        let set = keys.filter(|key| value(&given, key.name) != value(&preset, key.name));
        let set: Vec<String> = set.map(|key| format!("`{}`", key.path())).collect();
        let (last, others) = set.split_last()?;
        let (names, verbs, they) = match others {
            [] => (last.clone(), "is set, but changes", "it is"),
            others => (format!("{} and {last}", others.join(", ")), "are set, but change", "they are"),
        };
        let strategy = self.search.strategy.name();
        Some(format!("{names} {verbs} nothing: {they} for {owner}, and `search.strategy` is \"{strategy}\""))
    }
}

impl Config {
    /// A warning about a number of epochs of retraining that was set, but that the bounds on the steps, which were not,
    /// replace by another one. The recipes of the paper's tasks set it with the preset of the paper.
    pub(crate) fn overruled_epochs(&self, facts: &Facts) -> Option<String> {
        let (own, preset) = (&self.retrain, Config::preset(self.preset).retrain);
        let bounds = [own.min_steps, own.max_steps];
        if self.preset == Preset::Paper || own.epochs == preset.epochs || bounds != [preset.min_steps, preset.max_steps]
        {
            return None;
        }
        let per_epoch = facts.train_samples.div_ceil(self.retrain_batch_size(facts).max(1)).max(1);
        let asked = own.epochs * per_epoch;
        let [least, most] = bounds;
        let (key, bound) = if asked < least {
            ("min-steps", least)
        } else if most > 0 && asked > most {
            ("max-steps", most)
        } else {
            return None;
        };
        Some(format!(
            "`retrain.epochs` is {}, which is {asked} steps, but `retrain.{key}` is {bound}: set it as well, or nothing \
             changes",
            own.epochs
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::task::TaskKind;

    #[test]
    fn epochs_that_the_bounds_on_the_steps_replace_are_named() {
        let facts = Facts { dims: 1, task: TaskKind::Classification { classes: 3 }, train_samples: 1000 };
        let mut config = Config::preset(Preset::Quick);
        assert_eq!(config.overruled_epochs(&facts), None);
        let of = |config: &Config| config.overruled_epochs(&facts).unwrap_or_default();
        config.retrain.epochs = 1;
        assert!(of(&config).contains("`retrain.epochs` is 1, which is") && of(&config).contains("`retrain.min-steps`"));
        config.retrain.epochs = 100_000;
        assert!(of(&config).contains("but `retrain.max-steps` is"));
        (config.retrain.min_steps, config.retrain.max_steps) = (0, 0);
        assert_eq!(config.overruled_epochs(&facts), None);
    }

    #[test]
    fn keys_of_the_other_strategy_are_named_if_they_were_set() {
        let facts = Facts { dims: 1, task: TaskKind::Classification { classes: 3 }, train_samples: 100 };
        for preset in Preset::ALL {
            assert_eq!(Config::preset(preset).unused(&facts), None);
            // The configuration in a run directory has no "auto".
            let resolved = Config::preset(preset).resolve(&facts).expect("it fits");
            assert_eq!(resolved.unused(&facts), None);
        }
        let mut config = Config::preset(Preset::Quick);
        (config.search.batch_size, config.race.contestants) = (Some(8), 5);
        assert_eq!(config.unused(&facts), None, "the race uses them");
        config.search.epochs += 1;
        let message = "`search.epochs` is set, but changes nothing: it is for the search of the paper, and \
                       `search.strategy` is \"race\"";
        assert_eq!(config.unused(&facts).as_deref(), Some(message));
        (config.search.lr, config.search.temperature) = (Some(0.5), 2.0);
        let found = config.unused(&facts).expect("three keys");
        assert!(
            found.starts_with("`search.epochs`, `search.lr` and `search.temperature` are set, but change nothing"),
            "{found}"
        );
        let paper = SearchStrategy::Paper;
        config.search.strategy = paper;
        let message = "`race.contestants` is set, but changes nothing: it is for the race, and `search.strategy` is \
                       \"paper\"";
        assert_eq!(config.unused(&facts).as_deref(), Some(message));
        config.search.kernels = Some(vec![[3, 1]]);
        assert_eq!(config.unused(&facts), None);
    }
}
