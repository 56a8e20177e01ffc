//! The settings of the recipes, as configurations.

use dashnas::config::error::ConfigError;
use dashnas::config::{Config, Override};
use dashnas_core::names::Preset;
use dashnas_core::task::{Loss, Metric, TaskKind};
use dashnas_data::transform::Transform;
use dashnas_tasks::recipes::{ALL, find};

fn config(name: &str, preset: Preset) -> Result<Config, ConfigError> {
    let settings = Override::of_recipe(find(name).unwrap(), preset)?;
    Config::load_over(Some(preset), &settings, None, &[])
}

#[test]
fn every_recipe_has_valid_settings() {
    for recipe in ALL {
        for preset in Preset::ALL {
            config(recipe.name, preset).unwrap_or_else(|e| panic!("{}: {e}", recipe.name));
        }
    }
}

/// Appendix A.5.2, "Task-Specific Hyperparameters", the learning rates' rule and the metrics of Table 5.
#[test]
fn the_settings_are_the_papers() {
    use Loss::{BceWithLogits as Bce, CrossEntropy as Ce, Focal, Mse};
    use Metric::{ContactMae, OneMinusAuroc, OneMinusF1, OneMinusMap, ZeroOneError};
    let classes = |classes| TaskKind::Classification { classes };
    let two: (&[usize], &[usize]) = (&[3, 5, 7, 9], &[1, 3, 7, 15]);
    let one: (&[usize], &[usize]) = (&[3, 7, 11, 15, 19], &[1, 3, 7, 15]);
    let cases = [
        ("cifar100", classes(100), 64, two, Ce, ZeroOneError),
        ("spherical", classes(100), 64, two, Ce, ZeroOneError),
        ("ninapro", classes(18), 128, two, Focal, ZeroOneError),
        ("fsd50k", TaskKind::MultiLabel { labels: 200 }, 128, two, Bce, OneMinusMap),
        ("psicov", TaskKind::DenseRegression { channels: 1 }, 8, two, Mse, ContactMae),
        ("cosmic", TaskKind::DenseBinary { channels: 1 }, 4, two, Bce, OneMinusAuroc),
        ("ecg", classes(4), 1024, one, Ce, OneMinusF1),
        ("satellite", classes(24), 256, one, Ce, ZeroOneError),
        ("deepsea", TaskKind::MultiLabel { labels: 36 }, 256, one, Bce, OneMinusAuroc),
    ];
    for (name, task, batch, (sizes, dilations), loss, metric) in cases {
        let config = config(name, Preset::Paper).unwrap();
        let dims = if sizes.len() == 5 { 1 } else { 2 };
        assert_eq!((config.search.batch_size, config.retrain.batch_size), (Some(batch), Some(batch)), "{name}");
        assert_eq!((config.kernel_sizes(dims), config.dilations()), (sizes.to_vec(), dilations.to_vec()), "{name}");
        assert_eq!((config.loss(task), config.metric(task)), (loss, metric), "{name}");
        let rates = if task.is_dense() { (0.01, 0.005) } else { (0.1, 0.05) };
        assert_eq!((config.search_lr(task), config.alpha_lr(task)), rates, "{name}");
    }
}

#[test]
fn a_users_setting_goes_over_the_recipe() {
    let settings = Override::of_recipe(find("ecg").unwrap(), Preset::Quick).unwrap();
    let mine = [Override::new("search.batch-size", 32, "--set")];
    let config = Config::load_over(Some(Preset::Quick), &settings, None, &mine).unwrap();
    assert_eq!((config.search.batch_size, config.retrain.batch_size), (Some(32), Some(1024)));
}

#[test]
fn the_satellite_series_are_standardized() {
    assert_eq!(config("satellite", Preset::Quick).unwrap().task.transforms, [Transform::StandardizeSamples]);
}
