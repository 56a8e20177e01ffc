//! The presets: the values of appendix A.5.2, and one table of the differences between the presets.

use crate::config::sections::{
    AshaConfig, AugmentConfig, BackboneConfig, BaselineConfig, BudgetConfig, Config, RaceConfig, RetrainConfig,
    SearchConfig, SpaceConfig, TaskConfig, TuneConfig,
};
use aggconv::Formulation;
use dashnas_core::names::{AlphaUpdate, ClassWeights, Preset, SearchStrategy};
use dashnas_formats::options::ReadOptions;
use dashnas_tasks::darcy::DarcyConfig;

/// The values that depend on the preset. All others are the same in all presets.
struct PresetValues {
    preset: Preset,
    width: usize,
    min_channels: usize,
    search_epochs: usize,
    search_steps: [usize; 2],
    alpha_grad_scale: f64,
    subsample: f64,
    contestants: usize,
    tune_epochs: usize,
    tune_steps: [usize; 2],
    tune_subset: Option<f64>,
    learning_rates: &'static [f64],
    weight_decays: &'static [f64],
    momentums: &'static [f64],
    dropouts: &'static [f64],
    retrain_epochs: usize,
    retrain_steps: [usize; 2],
    darcy: DarcyConfig,
}

const PRESETS: [PresetValues; 3] = [
    PresetValues {
        preset: Preset::Quick,
        width: 1,
        min_channels: 32,
        search_epochs: 8,
        search_steps: [150, 400],
        alpha_grad_scale: 30.0,
        subsample: 0.5,
        contestants: 9,
        tune_epochs: 4,
        tune_steps: [60, 160],
        tune_subset: Some(0.5),
        learning_rates: &[1e-1, 1e-2, 1e-3],
        weight_decays: &[5e-4],
        momentums: &[0.9],
        dropouts: &[0.0],
        retrain_epochs: 15,
        retrain_steps: [600, 1200],
        darcy: DarcyConfig::quick(),
    },
    PresetValues {
        preset: Preset::Standard,
        width: 2,
        min_channels: 64,
        search_epochs: 30,
        search_steps: [400, 2000],
        alpha_grad_scale: 30.0,
        subsample: 0.5,
        contestants: 12,
        tune_epochs: 12,
        tune_steps: [150, 800],
        tune_subset: Some(0.5),
        learning_rates: &[1e-1, 1e-2, 1e-3],
        weight_decays: &[5e-4],
        momentums: &[0.9, 0.99],
        dropouts: &[0.0, 0.05],
        retrain_epochs: 60,
        retrain_steps: [1600, 8000],
        darcy: DarcyConfig::standard(),
    },
    PresetValues {
        preset: Preset::Paper,
        width: 4,
        min_channels: 4,
        search_epochs: 100,
        search_steps: [0, 0],
        alpha_grad_scale: 100.0,
        subsample: 0.2,
        contestants: 12,
        tune_epochs: 80,
        tune_steps: [0, 0],
        tune_subset: None,
        learning_rates: &[1e-1, 1e-2, 1e-3],
        weight_decays: &[5e-4, 5e-6],
        momentums: &[0.9, 0.99],
        dropouts: &[0.0, 0.05],
        retrain_epochs: 200,
        retrain_steps: [0, 0],
        darcy: DarcyConfig::paper(),
    },
];

/// The section `[search]` of a preset.
fn search_section(values: &PresetValues) -> SearchConfig {
    SearchConfig {
        kernels: None,
        // The preset `paper` is the paper's algorithm to the letter.
        strategy: if values.preset == Preset::Paper { SearchStrategy::Paper } else { SearchStrategy::Race },
        epochs: values.search_epochs,
        min_steps: values.search_steps[0],
        max_steps: values.search_steps[1],
        subsample: values.subsample,
        batch_size: None,
        lr: None,
        alpha_lr: None,
        alpha_update: AlphaUpdate::Gradient,
        momentum: 0.9,
        nesterov: true,
        weight_decay: 5e-4,
        milestones: vec![0.6],
        lr_decay: 0.2,
        clip: 1.0,
        temperature: 1.0,
        formulation: Formulation::Auto,
        alpha_grad_scale: values.alpha_grad_scale,
        receptive_field_penalty: 1e-5,
        alpha_init_std: 1e-3,
        weight_init_std: 0.01,
    }
}

impl Config {
    /// The configuration of a preset.
    pub fn preset(preset: Preset) -> Config {
        // The rows of the table are in the order of the enum (tested below).
        let values = &PRESETS[preset as usize];
        Config {
            preset: values.preset,
            seed: 0,
            tensorboard: false,
            space: SpaceConfig { kernel_sizes: None, dilations: None },
            backbone: BackboneConfig {
                name: None,
                search_width: 1,
                width: values.width,
                channels: None,
                min_channels: values.min_channels,
                plain_kernels: None,
                depthwise: true,
            },
            data: ReadOptions::default(),
            task: TaskConfig {
                kind: None,
                loss: None,
                metric: None,
                focal_gamma: 2.0,
                pos_weight: 1.0,
                validation_fraction: 0.2,
                class_weights: ClassWeights::None,
                unknown: None,
                transforms: vec![],
                data_dir: None,
                train_samples: 0,
            },
            augment: AugmentConfig { crop: 0, flip: false, shift: 0, amplitude: 0.0, mixup: 0.0, balance: false },
            search: search_section(values),
            race: RaceConfig { steps: None, contestants: values.contestants, reduction: 3 },
            tune: TuneConfig {
                enabled: true,
                tuner: None,
                epochs: values.tune_epochs,
                min_steps: values.tune_steps[0],
                max_steps: values.tune_steps[1],
                subset: values.tune_subset,
                learning_rates: values.learning_rates.to_vec(),
                weight_decays: values.weight_decays.to_vec(),
                momentums: values.momentums.to_vec(),
                dropouts: values.dropouts.to_vec(),
                stop_early: true,
                workers: None,
            },
            retrain: RetrainConfig {
                epochs: values.retrain_epochs,
                min_steps: values.retrain_steps[0],
                max_steps: values.retrain_steps[1],
                milestones: None,
                lr_decay: 0.2,
                batch_size: None,
                // A.5.2 lists a threshold only for the search.
                clip: if preset == Preset::Paper { 0.0 } else { 1.0 },
                lr: None,
                weight_decay: 5e-4,
                momentum: 0.9,
                dropout: 0.0,
                nesterov: true,
                with_validation: true,
            },
            asha: AshaConfig {
                samples: 9,
                reduction: 3,
                brackets: 1,
                min_steps: 0,
                workers: 4,
                learning_rates: [1e-3, 0.3],
                weight_decays: [5e-6, 5e-3],
                momentums: [0.8, 0.99],
                dropouts: [0.0, 0.1],
            },
            baseline: BaselineConfig { enabled: true },
            budget: BudgetConfig {
                time_limit: 0.0,
                use_all_the_time: false,
                memory_limit: 0,
                max_params: 0,
                max_latency: 0.0,
            },
            darcy: values.darcy.clone(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config::preset(Preset::Standard)
    }
}

/// The defaults of a section are those of the standard preset.
macro_rules! default_from_preset {
    ($($section:ident: $type:ty),*) => {$(
        impl Default for $type {
            fn default() -> Self {
                Config::default().$section
            }
        }
    )*};
}
default_from_preset!(
    space: SpaceConfig,
    backbone: BackboneConfig,
    task: TaskConfig,
    search: SearchConfig,
    race: RaceConfig,
    tune: TuneConfig,
    augment: AugmentConfig,
    retrain: RetrainConfig,
    asha: AshaConfig,
    baseline: BaselineConfig,
    budget: BudgetConfig
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_its_own_row_and_valid() {
        for preset in Preset::ALL {
            let config = Config::preset(preset);
            assert_eq!(config.preset, preset);
            config.validate().unwrap();
        }
    }
}
