//! Checks the ranges of the values.

use crate::config::error::ConfigError;
use crate::config::sections::Config;
use dashnas_core::names::ClassWeights;
use dashnas_formats::options::{ReadOptions, SplitBy};
use dashnas_tasks::darcy::DarcyError;
use std::fmt::Debug;

/// The largest grid, number of epochs and other counts, so that their sums cannot overflow.
const LARGEST: usize = 1 << 24;
/// The largest kernel size. Images have at most as many points on a side (`data.resize`), and on a series, a convolution of
/// this size from 64 channels to 64 has 33 million weights. What is larger is an error of typing, which would otherwise
/// show only when memory runs out.
const LARGEST_KERNEL: usize = 8191;
/// The largest dilation. The points of a kernel are then 4 seconds of sound at 16 kHz apart, further than most inputs are
/// long, so that a larger one sees nothing but padding beside its center.
const LARGEST_DILATION: usize = 65_535;

impl Config {
    /// Checks every value's range.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for the first value that is out of its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check("seed", &self.seed, self.seed <= i64::MAX as u64, "it can be at most 2^63 - 1")?;
        self.validate_space()?;
        self.validate_data()?;
        self.validate_task()?;
        self.validate_search()?;
        self.validate_race()?;
        self.validate_tune()?;
        self.validate_augment()?;
        self.validate_retrain()?;
        self.validate_asha()?;
        self.validate_budget()?;
        match self.darcy.check() {
            Err(DarcyError::Config { key, value, reason }) => check(key, &value, false, reason),
            // The check finds no other error.
            _ => Ok(()),
        }
    }

    fn validate_space(&self) -> Result<(), ConfigError> {
        if let Some(sizes) = &self.space.kernel_sizes {
            kernels("space.kernel-sizes", sizes)?;
            check("space.kernel-sizes", sizes, distinct(sizes), "each value may occur only once")?;
        }
        if let Some(dilations) = &self.space.dilations {
            check("space.dilations", dilations, !dilations.is_empty(), "it must contain at least one dilation")?;
            in_range("space.dilations", dilations)?;
            check("space.dilations", dilations, distinct(dilations), "each value may occur only once")?;
        }
        let backbone = &self.backbone;
        counts("backbone.search-width", backbone.search_width)?;
        counts("backbone.width", backbone.width)?;
        counts("backbone.min-channels", backbone.min_channels)?;
        if let Some(channels) = backbone.channels {
            counts("backbone.channels", channels)?;
        }
        let Some(plain) = &backbone.plain_kernels else { return Ok(()) };
        kernels("backbone.plain-kernels", plain)?;
        check(
            "backbone.plain-kernels",
            plain,
            [1, 3].contains(&plain.len()),
            "it must have three values, one for each convolution of a block, or for tcn and resnet-1d one value",
        )
    }

    fn validate_data(&self) -> Result<(), ConfigError> {
        let data = &self.data;
        let within = |key, value: Option<usize>, limit| {
            check(
                key,
                &value,
                value.is_none_or(|v| (1..=limit).contains(&v)),
                "it must be at least 1 and not exceed the limit of this key",
            )
        };
        within("data.channels", data.channels, 4096)?;
        within("data.length", data.length, LARGEST)?;
        let combined = "it has no effect together with data.window";
        let whole = |set: bool| !set || data.window.is_none();
        check("data.length", &data.length, whole(data.length.is_some()), combined)?;
        let columns = "with data.window, every column is a channel";
        check("data.channels", &data.channels, whole(data.channels.is_some()), columns)?;
        let decimal = data.decimal.as_deref().is_none_or(|sign| matches!(sign, "." | ","));
        check("data.decimal", &data.decimal, decimal, "it must be \".\" or \",\"")?;
        let size = data.resize.is_none_or(|size| size.iter().all(|n| (1..=8192).contains(n)));
        check("data.resize", &data.resize, size, "height and width must be from 1 to 8192")?;
        let letters = data.alphabet.as_deref().is_none_or(|a| {
            (1..=256).contains(&a.len()) && a.is_ascii() && distinct(a.to_ascii_uppercase().as_bytes())
        });
        check("data.alphabet", &data.alphabet, letters, "it must consist of distinct ASCII letters")?;
        let rate = (1_000..=384_000).contains(&data.audio_rate);
        check("data.audio-rate", &data.audio_rate, rate, "it must be from 1000 to 384000")?;
        let bands = (1..=512).contains(&data.mel_bands);
        check("data.mel-bands", &data.mel_bands, bands, "it must be from 1 to 512")?;
        for (key, ms) in [("data.mel-window-ms", data.mel_window_ms), ("data.mel-hop-ms", data.mel_hop_ms)] {
            check(key, &ms, (1.0..=10_000.0).contains(&ms), "it must be from 1 to 10000")?;
        }
        let window = (data.mel_window_ms * f64::from(data.audio_rate) / 1000.0) as usize;
        let covers = data.mel_fft.is_none_or(|points| (window..=LARGEST).contains(&points));
        let reason = "it must be at least the number of samples in a window, mel-window-ms at audio-rate";
        check("data.mel-fft", &data.mel_fft, covers, reason)?;
        let folds = data.folds.is_none_or(|folds| (2..=1000).contains(&folds));
        check("data.folds", &data.folds, folds, "it must be from 2 to 1000")?;
        let fold = data.fold.is_none_or(|fold| data.folds.is_some_and(|folds| (1..=folds).contains(&fold)));
        check("data.fold", &data.fold, fold, "it must be from 1 to data.folds, which must be given as well")?;
        let apart = data.folds.is_none() || data.split_by == SplitBy::Random;
        check(
            "data.split-by",
            &data.split_by.name(),
            apart,
            "folds are random: with data.folds, later samples would train a network that is tested on earlier ones",
        )?;
        let sized = data.folds.is_none() || data.test_fraction == ReadOptions::default().test_fraction;
        check("data.test-fraction", &data.test_fraction, sized, "with data.folds, the test split is one of the folds")?;
        let drawn = data.split_seed.is_none() || data.split_by == SplitBy::Random;
        check("data.split-seed", &data.split_seed, drawn, "with data.split-by, the test split is not drawn")?;
        let fraction = data.test_fraction > 0.0 && data.test_fraction < 1.0;
        check("data.test-fraction", &data.test_fraction, fraction, "it must be between 0 and 1")
    }

    fn validate_task(&self) -> Result<(), ConfigError> {
        let task = &self.task;
        let samples = task.train_samples;
        check("task.train-samples", &samples, samples <= i64::MAX as usize, "it can be at most 2^63 - 1")?;
        not_negative("task.focal-gamma", task.focal_gamma)?;
        positive("task.pos-weight", task.pos_weight)?;
        let share = task.validation_fraction;
        check("task.validation-fraction", &share, share > 0.0 && share < 1.0, "it must be between 0 and 1")?;
        optional(task.unknown, |v| check("task.unknown", &v, v.is_finite(), "it must be a finite number"))?;
        match &task.class_weights {
            ClassWeights::Given(weights) => each("task.class-weights", weights, positive),
            _ => Ok(()),
        }
    }

    fn validate_augment(&self) -> Result<(), ConfigError> {
        let augment = &self.augment;
        for (key, value) in [("augment.crop", augment.crop), ("augment.shift", augment.shift)] {
            check(key, &value, value <= LARGEST, "it can be at most 16777216")?;
        }
        let range = augment.amplitude;
        check("augment.amplitude", &range, (0.0..1.0).contains(&range), "it must be at least 0 and below 1")?;
        not_negative("augment.mixup", augment.mixup)
    }

    fn validate_search(&self) -> Result<(), ConfigError> {
        let search = &self.search;
        if let Some(given) = &search.kernels {
            let (sizes, dilations): (Vec<_>, Vec<_>) = given.iter().map(|&[k, d]| (k, d)).unzip();
            kernels("search.kernels", &sizes)?;
            in_range("search.kernels", &dilations)?;
        }
        counts("search.epochs", search.epochs)?;
        step_bounds("search.max-steps", search.min_steps, search.max_steps)?;
        fraction("search.subsample", search.subsample)?;
        optional(search.batch_size, |n| counts("search.batch-size", n))?;
        optional(search.lr, |lr| positive("search.lr", lr))?;
        optional(search.alpha_lr, |lr| positive("search.alpha-lr", lr))?;
        momentum("search.momentum", search.momentum)?;
        not_negative("search.weight-decay", search.weight_decay)?;
        milestones("search.milestones", &search.milestones)?;
        fraction("search.lr-decay", search.lr_decay)?;
        not_negative("search.clip", search.clip)?;
        positive("search.temperature", search.temperature)?;
        not_negative("search.alpha-grad-scale", search.alpha_grad_scale)?;
        not_negative("search.receptive-field-penalty", search.receptive_field_penalty)?;
        not_negative("search.alpha-init-std", search.alpha_init_std)?;
        positive("search.weight-init-std", search.weight_init_std)
    }

    fn validate_race(&self) -> Result<(), ConfigError> {
        let race = &self.race;
        optional(race.steps, |n| counts("race.steps", n))?;
        let networks = (2..=1000).contains(&race.contestants);
        check("race.contestants", &race.contestants, networks, "it must be from 2 to 1000")?;
        check("race.reduction", &race.reduction, (2..=64).contains(&race.reduction), "it must be from 2 to 64")
    }

    fn validate_tune(&self) -> Result<(), ConfigError> {
        let tune = &self.tune;
        let workers = tune.workers.is_none_or(|n| (1..=1024).contains(&n));
        check("tune.workers", &tune.workers, workers, "it must be from 1 to 1024")?;
        counts("tune.epochs", tune.epochs)?;
        step_bounds("tune.max-steps", tune.min_steps, tune.max_steps)?;
        optional(tune.subset, |share| fraction("tune.subset", share))?;
        each("tune.learning-rates", &tune.learning_rates, positive)?;
        each("tune.weight-decays", &tune.weight_decays, not_negative)?;
        each("tune.momentums", &tune.momentums, momentum)?;
        each("tune.dropouts", &tune.dropouts, dropout)
    }

    fn validate_asha(&self) -> Result<(), ConfigError> {
        let asha = &self.asha;
        counts("asha.samples", asha.samples)?;
        check("asha.reduction", &asha.reduction, (2..=LARGEST).contains(&asha.reduction), "it must be at least 2")?;
        counts("asha.brackets", asha.brackets)?;
        check("asha.min-steps", &asha.min_steps, asha.min_steps <= LARGEST, "it can be at most 16777216")?;
        check("asha.workers", &asha.workers, (1..=64).contains(&asha.workers), "it must be from 1 to 64")?;
        range("asha.learning-rates", asha.learning_rates, positive)?;
        range("asha.weight-decays", asha.weight_decays, positive)?;
        range("asha.momentums", asha.momentums, momentum)?;
        range("asha.dropouts", asha.dropouts, dropout)
    }

    fn validate_budget(&self) -> Result<(), ConfigError> {
        let budget = &self.budget;
        not_negative("budget.time-limit", budget.time_limit)?;
        let long = "it can be at most 1e9 seconds, which are 31 years; 0 means no limit";
        check("budget.time-limit", &budget.time_limit, budget.time_limit <= 1e9, long)?;
        let limited = budget.time_limit > 0.0 || !budget.use_all_the_time;
        check("budget.use-all-the-time", &budget.use_all_the_time, limited, "it needs budget.time-limit")?;
        let whole = "it can be at most 2^63 - 1";
        check("budget.memory-limit", &budget.memory_limit, budget.memory_limit <= i64::MAX as u64, whole)?;
        check("budget.max-params", &budget.max_params, budget.max_params <= i64::MAX as u64, whole)?;
        not_negative("budget.max-latency", budget.max_latency)
    }

    fn validate_retrain(&self) -> Result<(), ConfigError> {
        let retrain = &self.retrain;
        counts("retrain.epochs", retrain.epochs)?;
        step_bounds("retrain.max-steps", retrain.min_steps, retrain.max_steps)?;
        if let Some(fractions) = &retrain.milestones {
            milestones("retrain.milestones", fractions)?;
        }
        fraction("retrain.lr-decay", retrain.lr_decay)?;
        optional(retrain.batch_size, |n| counts("retrain.batch-size", n))?;
        not_negative("retrain.clip", retrain.clip)?;
        optional(retrain.lr, |lr| positive("retrain.lr", lr))?;
        not_negative("retrain.weight-decay", retrain.weight_decay)?;
        momentum("retrain.momentum", retrain.momentum)?;
        dropout("retrain.dropout", retrain.dropout)
    }
}

fn check(key: &'static str, value: &impl Debug, ok: bool, reason: &'static str) -> Result<(), ConfigError> {
    if ok {
        return Ok(());
    }
    // A value that may be left out is shown without its wrapping.
    let shown = format!("{value:?}");
    let value = shown.strip_prefix("Some(").and_then(|inner| inner.strip_suffix(')')).unwrap_or(&shown).to_owned();
    Err(ConfigError::Invalid { origin: None, key, value, reason })
}

fn optional<T>(value: Option<T>, check: impl Fn(T) -> Result<(), ConfigError>) -> Result<(), ConfigError> {
    value.map_or(Ok(()), check)
}

fn step_bounds(key: &'static str, min: usize, max: usize) -> Result<(), ConfigError> {
    check(key, &max, max == 0 || min <= max, "it must be 0 or at least min-steps")
}

fn counts(key: &'static str, value: usize) -> Result<(), ConfigError> {
    check(key, &value, (1..=LARGEST).contains(&value), "it must be from 1 to 16777216")
}

fn kernels(key: &'static str, sizes: &[usize]) -> Result<(), ConfigError> {
    check(key, &sizes, !sizes.is_empty(), "it must contain at least one kernel size")?;
    check(key, &sizes, sizes.iter().all(|k| k % 2 == 1), "kernel sizes must be odd")?;
    let possible = sizes.iter().all(|k| *k <= LARGEST_KERNEL);
    check(key, &sizes, possible, "kernel sizes can be at most 8191; a dilation makes a kernel reach further")
}

fn in_range(key: &'static str, dilations: &[usize]) -> Result<(), ConfigError> {
    check(key, &dilations, dilations.iter().all(|d| *d >= 1), "dilations must be at least 1")?;
    let possible = dilations.iter().all(|d| *d <= LARGEST_DILATION);
    check(key, &dilations, possible, "dilations can be at most 65535, which is further than most inputs are long")
}

fn distinct<T: PartialEq>(values: &[T]) -> bool {
    values.iter().enumerate().all(|(i, value)| !values[..i].contains(value))
}

fn positive(key: &'static str, value: f64) -> Result<(), ConfigError> {
    check(key, &value, value.is_finite() && value > 0.0, "it must be above 0")
}

fn not_negative(key: &'static str, value: f64) -> Result<(), ConfigError> {
    check(key, &value, value.is_finite() && value >= 0.0, "it must be 0 or more")
}

fn fraction(key: &'static str, value: f64) -> Result<(), ConfigError> {
    check(key, &value, value > 0.0 && value <= 1.0, "it must be above 0 and at most 1")
}

fn momentum(key: &'static str, value: f64) -> Result<(), ConfigError> {
    check(key, &value, (0.0..1.0).contains(&value), "it must be at least 0 and below 1")
}

fn dropout(key: &'static str, value: f64) -> Result<(), ConfigError> {
    check(key, &value, (0.0..1.0).contains(&value), "it must be at least 0 and below 1")
}

fn milestones(key: &'static str, fractions: &[f64]) -> Result<(), ConfigError> {
    let inside = fractions.iter().all(|f| *f > 0.0 && *f < 1.0);
    check(key, &fractions, inside, "milestones must be fractions of the epochs, between 0 and 1")?;
    let rising = fractions.is_sorted();
    check(key, &fractions, rising, "milestones must increase")
}

fn range(
    key: &'static str,
    [low, high]: [f64; 2],
    check_one: impl Fn(&'static str, f64) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    check(key, &[low, high], low <= high, "the first number must not exceed the second")?;
    check_one(key, low)?;
    check_one(key, high)
}

fn each(
    key: &'static str,
    values: &[f64],
    check_one: impl Fn(&'static str, f64) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    check(key, &values, !values.is_empty(), "it must contain at least one value")?;
    values.iter().try_for_each(|&value| check_one(key, value))
}
