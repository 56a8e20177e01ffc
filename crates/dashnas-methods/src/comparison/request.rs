//! What is compared, and what is refused before anything is made.

use crate::comparison::error::ComparisonError;
use crate::comparison::record::LeftOut;
use crate::list::{all, find};
use crate::method::{Method, MethodInput};
use dashnas::config::sections::Config;
use dashnas::error::Error;
use dashnas::run::pipeline::Run;
use dashnas_core::names::AlphaUpdate;
use dashnas_data::dataset::Dataset;

/// The word that stands for all methods.
pub const ALL: &str = "all";

/// The methods of some names, each once, in the order of the names; `all` stands for every method.
///
/// # Errors
/// [`ComparisonError::Unknown`] and [`ComparisonError::Empty`].
pub fn methods(names: &[impl AsRef<str>]) -> Result<Vec<&'static dyn Method>, ComparisonError> {
    let mut chosen: Vec<&'static dyn Method> = Vec::new();
    for name in names.iter().map(AsRef::as_ref) {
        let named = match name {
            ALL => all(),
            name => vec![find(name).ok_or_else(|| ComparisonError::Unknown { name: name.into() })?],
        };
        for method in named {
            if chosen.iter().all(|other| other.name() != method.name()) {
                chosen.push(method);
            }
        }
    }
    if chosen.is_empty() { Err(ComparisonError::Empty { what: "no methods" }) } else { Ok(chosen) }
}

/// Checks a configuration before the data set is read.
///
/// # Errors
/// [`ComparisonError::Unsuitable`] for a setting that the methods decide, [`ComparisonError::Empty`] without seeds, and
/// those of [`Config::validate`].
pub fn check(config: &Config, seeds: u32) -> Result<(), ComparisonError> {
    if seeds == 0 {
        return Err(ComparisonError::Empty { what: "no seeds" });
    }
    let strategy = Config::preset(config.preset).search.strategy;
    for (set, key, reason) in [
        (config.backbone.name.is_some(), "backbone.name", "each method has a backbone of its own"),
        (config.search.strategy != strategy, "search.strategy", "each method has a search of its own"),
        (
            config.search.alpha_update != AlphaUpdate::Gradient,
            "search.alpha-update",
            "it distinguishes two of the methods",
        ),
        (config.search.kernels.is_some(), "search.kernels", "each method finds kernels of its own"),
        (config.data.folds.is_some(), "data.folds", "methods are compared on one test split"),
    ] {
        if set {
            return Err(ComparisonError::Unsuitable { key, reason });
        }
    }
    seeded(config, seeds - 1).validate().map_err(Error::from)?;
    Ok(())
}

/// A comparison that can be begun.
pub struct Request<'a> {
    /// The configuration of all runs, with the first seed. The seed of the test split is fixed in it.
    pub config: Config,
    /// The name from which the data can be read again.
    pub source: &'a str,
    /// The data set.
    pub data: &'a Dataset,
    /// The methods that can be used.
    pub methods: Vec<&'static dyn Method>,
    /// The methods that cannot.
    pub left_out: Vec<LeftOut>,
    /// The number of seeds, from that of the configuration on.
    pub seeds: u32,
}

impl<'a> Request<'a> {
    /// Sorts out the methods that cannot be used on a data set that was read under the configuration, and checks the limits
    /// for the first of the others. The seed of a drawn test split is fixed: it stays the same for all seeds.
    ///
    /// # Errors
    /// Those of [`check`] and of [`Run::check`], [`ComparisonError::NoneSuits`], and [`Error::TimeLimit`].
    pub fn new(
        config: &Config,
        source: &'a str,
        data: &'a Dataset,
        wanted: &[&'static dyn Method],
        seeds: u32,
    ) -> Result<Self, ComparisonError> {
        check(config, seeds)?;
        let mut config = config.clone();
        config.baseline.enabled = false;
        if let Some(drawn) = data.origin.drawn.filter(|drawn| !drawn.by_time) {
            let seed = u32::try_from(drawn.seed).map_err(|_| ComparisonError::Unsuitable {
                key: "seed",
                reason: "the seed of a test split that is the same for all runs can be at most 4294967295; give that one \
                         by `data.split-seed`",
            })?;
            config.data.split_seed = Some(seed);
        }
        Run::check(&config, data)?;
        let input = MethodInput { config: &config, source, data };
        let (mut methods, mut left_out) = (Vec::new(), Vec::new());
        for &method in wanted {
            match method.unsuited(&input) {
                None => methods.push(method),
                Some(reason) => left_out.push(LeftOut { method: method.name().into(), reason }),
            }
        }
        let Some(first) = methods.first() else {
            let reasons = left_out.iter().map(|left| format!("{}: {}", left.method, left.reason)).collect();
            return Err(ComparisonError::NoneSuits { reasons });
        };
        first.check_limits(&input)?;
        Ok(Self { config, source, data, methods, left_out, seeds })
    }
}

/// The configuration of the runs with a seed, by its number from 0.
pub(crate) fn seeded(config: &Config, number: u32) -> Config {
    Config { seed: config.seed.saturating_add(number.into()), ..config.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::names::{BackboneName, Preset, SearchStrategy};

    #[test]
    fn methods_are_chosen_once_and_in_order() {
        let names = |wanted: &[&str]| methods(wanted).map(|found| found.iter().map(|m| m.name()).collect::<Vec<_>>());
        assert_eq!(names(&["wrn", "dash", "wrn"]).expect("known"), ["wrn", "dash"]);
        assert_eq!(names(&["all", "dash"]).expect("known").len(), all().len());
        assert!(matches!(names(&["dart"]), Err(ComparisonError::Unknown { name }) if name == "dart"));
        assert!(matches!(names(&[]), Err(ComparisonError::Empty { .. })));
    }

    #[test]
    fn settings_that_the_methods_decide_are_refused() {
        let preset = Config::preset(Preset::Quick);
        assert!(check(&preset, 3).is_ok() && matches!(check(&preset, 0), Err(ComparisonError::Empty { .. })));
        let refused = |change: fn(&mut Config)| {
            let mut config = preset.clone();
            change(&mut config);
            match check(&config, 1) {
                Err(ComparisonError::Unsuitable { key, .. }) => key,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(refused(|c| c.backbone.name = Some(BackboneName::Tcn)), "backbone.name");
        assert_eq!(refused(|c| c.search.strategy = SearchStrategy::Paper), "search.strategy");
        assert_eq!(refused(|c| c.search.kernels = Some(vec![[3, 1]])), "search.kernels");
        assert_eq!(refused(|c| c.data.folds = Some(3)), "data.folds");
        // The paper's preset has the paper's search, which is not a setting of the user.
        assert!(check(&Config::preset(Preset::Paper), 1).is_ok());
        let last = Config { seed: i64::MAX as u64, ..preset };
        assert!(check(&last, 1).is_ok() && check(&last, 2).is_err());
    }
}
