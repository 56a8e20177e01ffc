//! The configuration: the paper's values, layering, printing, and errors that say where.

use aggconv::Formulation;
use dashnas::config::*;
use dashnas::train::schedule::Schedule;
use dashnas_core::names::{BackboneName, Preset, TaskName};
use dashnas_core::task::TaskKind;
use std::path::Path;

const CLASSES: TaskKind = TaskKind::Classification { classes: 10 };
const FIELD: TaskKind = TaskKind::DenseRegression { channels: 1 };

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::from_toml(text, Path::new("my.toml"))
}

#[test]
fn the_paper_preset_is_appendix_a52() {
    let c = Config::preset(Preset::Paper);
    let two_d = Facts { dims: 2, task: CLASSES, train_samples: 50_000 };
    let darcy = Facts { dims: 2, task: FIELD, train_samples: 1000 };
    let one_d = Facts { dims: 1, task: TaskKind::Classification { classes: 24 }, train_samples: 1_000_000 };

    // Section 3.3.
    assert_eq!(c.kernel_sizes(2), [3, 5, 7, 9]);
    assert_eq!(c.kernel_sizes(1), [3, 7, 11, 15, 19]);
    assert_eq!(c.dilations(), [1, 3, 7, 15]);
    // A.5.1.
    assert_eq!((c.backbone.search_width, c.backbone.width), (1, 4));
    assert_eq!(
        [1, 4, 9, 10, 19, 20, 24, 36, 1000].map(|n| c.channels(BackboneName::Wrn1d, n)),
        [4, 4, 4, 16, 16, 64, 64, 64, 64]
    );
    // A.5.2, search.
    let s = &c.search;
    assert_eq!((s.epochs, s.momentum, s.nesterov, s.weight_decay), (100, 0.9, true, 5e-4));
    assert_eq!((c.search_lr(CLASSES), c.search_lr(FIELD)), (0.1, 0.01));
    assert_eq!((c.alpha_lr(CLASSES), c.alpha_lr(FIELD)), (0.05, 0.005));
    assert_eq!(milestone_epochs(&s.milestones, s.epochs), [60]);
    assert_eq!((s.lr_decay, s.clip, s.temperature, s.subsample), (0.2, 1.0, 1.0, 0.2));
    // A.5.2, tuning.
    let t = &c.tune;
    assert_eq!(
        (t.epochs, &t.learning_rates[..], &t.weight_decays[..]),
        (80, &[1e-1, 1e-2, 1e-3][..], &[5e-4, 5e-6][..])
    );
    assert_eq!((&t.momentums[..], &t.dropouts[..]), (&[0.9, 0.99][..], &[0.0, 0.05][..]));
    // Section 3.3: tuning costs less than retraining. Batches an epoch: 782, 100, 3907; then 99, 49.
    assert_eq!([two_d, darcy, one_d].map(|f| c.tune_subset(&f)), [0.01, 0.05, 0.01]);
    assert_eq!([990, 490].map(|train_samples| c.tune_subset(&Facts { train_samples, ..darcy })), [0.1, 0.2]);
    for (facts, share) in [two_d, darcy, one_d].map(|f| (f, c.tune_subset(&f))) {
        assert!(24.0 * t.epochs as f64 * share < c.retrain.epochs as f64, "{facts:?}");
    }
    // A.5.2, retraining.
    assert_eq!((c.retrain.epochs, c.retrain.lr_decay, c.retrain.clip), (200, 0.2, 0.0));
    assert_eq!(milestone_epochs(&c.retrain_milestones(2), 200), [60, 120, 160]);
    assert_eq!(milestone_epochs(&c.retrain_milestones(1), 200), [30, 60, 90, 120, 160]);
    // Batch sizes of the tables.
    assert_eq!([two_d, darcy, one_d].map(|f| c.retrain_batch_size(&f)), [64, 10, 256]);
    assert_eq!([two_d, darcy, one_d].map(|f| c.search_batch_size(&f)), [64, 10, 256]);
    // The data of Darcy flow: 85 x 85 points.
    assert_eq!(((c.darcy.resolution - 1) / c.darcy.stride + 1, c.darcy.train, c.darcy.test), (85, 1000, 100));
}

#[test]
fn learning_rates_step_down_at_milestones() {
    let fractions = vec![0.3, 0.6, 0.8];
    let schedule = Schedule { milestones: milestone_epochs(&fractions, 200), fractions, decay: 0.2 };
    let rate = |epoch| 0.1 * schedule.factor(epoch);
    assert_eq!(rate(0), 0.1);
    assert_eq!(rate(59), 0.1);
    assert!((rate(60) - 0.02).abs() < 1e-15);
    assert!((rate(159) - 0.004).abs() < 1e-15);
    assert!((rate(199) - 0.0008).abs() < 1e-15);
    // A run of two epochs drops twice at its end.
    assert_eq!(milestone_epochs(&[0.3, 0.6, 0.8], 2), [1, 1, 2]);
}

#[test]
fn printed_text_reads_back_and_explains_every_key() {
    for preset in Preset::ALL {
        for facts in [
            None,
            Some(Facts { dims: 1, task: CLASSES, train_samples: 37 }),
            Some(Facts { dims: 2, task: FIELD, train_samples: 1000 }),
        ] {
            let mut config = Config::preset(preset);
            config.seed = i64::MAX as u64;
            let config = facts.map_or(config.clone(), |facts| config.resolve(&facts).unwrap());
            assert_eq!(parse(&config.to_toml()).unwrap(), config);
        }
    }
    // Every field of the structs is a key of the table and the other way round.
    let text = Config::default().to_toml();
    let whole: toml::Table = toml::Table::try_from(Config::default()).unwrap();
    let mut fields = Vec::new();
    for (name, value) in &whole {
        match value.as_table() {
            Some(section) => fields.extend(section.keys().map(|key| format!("{name}.{key}"))),
            None => fields.push(name.clone()),
        }
    }
    let mut keys: Vec<String> = KEYS.iter().map(Key::path).collect();
    keys.sort();
    fields.sort();
    assert_eq!(keys, fields);
    // Each key stands under its comment.
    let lines: Vec<&str> = text.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        assert!(line.len() <= 100, "{line}");
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(lines[i - 1].starts_with("# "), "{line} has no comment");
        }
    }
    for key in KEYS {
        assert!(!key.help.is_empty() && key.help.ends_with('.'), "{}", key.path());
    }
}

#[test]
fn layers_lie_over_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, "preset = \"paper\"\n[search]\nepochs = 7\nlr = 1\n[space]\ndilations = [1, 2]\n").unwrap();
    let flags = [
        Override::new("search.epochs", 9, "--epochs"),
        Override::parse("space.dilations=auto", "--set").unwrap(),
        Override::parse("space.kernel-sizes = [3, 5]", "--set").unwrap(),
        Override::parse("task.loss=focal", "--set").unwrap(),
    ];

    let from_file = Config::load(None, Some(&path), &[]).unwrap();
    let mut expected = Config::preset(Preset::Paper);
    expected.search.epochs = 7;
    expected.search.lr = Some(1.0);
    expected.space.dilations = Some(vec![1, 2]);
    assert_eq!(from_file, expected);

    let all = Config::load(Some(Preset::Quick), Some(&path), &flags).unwrap();
    let mut expected = Config::preset(Preset::Quick);
    expected.search.epochs = 9;
    expected.search.lr = Some(1.0);
    expected.space.kernel_sizes = Some(vec![3, 5]);
    expected.task.loss = Some(dashnas_core::task::Loss::Focal);
    assert_eq!(all, expected);
}

#[test]
fn errors_name_the_line_the_key_and_what_to_do() {
    let cases = [
        ("seed = 1\n\n[search]\nepoch = 3\n", "my.toml:4: unknown key `search.epoch`", "did you mean `search.epochs`?"),
        (
            "[space]\nkernel_sizes = [3]\n",
            "my.toml:2: unknown key `space.kernel_sizes`",
            "did you mean `space.kernel-sizes`?",
        ),
        ("[serach]\nepochs = 3\n", "my.toml:1: unknown key `serach`", "did you mean `search`?"),
        ("subsample = 0.5\n", "my.toml:1: unknown key `subsample`", "did you mean `search.subsample`?"),
        (
            "zzz = 0\n",
            "my.toml:1: unknown key `zzz`",
            "the configuration reference lists every key with its meaning and a valid value",
        ),
        (
            "[search]\n\nepochs = \"many\"\n",
            "my.toml:3: `search.epochs`: found the text \"many\" where a whole number from 0 on is expected",
            "the configuration reference lists every key with its meaning and a valid value",
        ),
        (
            "[task]\nloss = \"mae\"\n",
            "my.toml:2: `task.loss`: found `mae` where one of `cross-entropy`, `focal`, `bce-with-logits`, `mse`, \
             `relative-l2` is expected",
            "the configuration reference lists every key with its meaning and a valid value",
        ),
        (
            "[search]\nepochs = 0\n",
            "my.toml:2: `search.epochs` is 0, but it must be from 1 to 16777216",
            "the configuration reference lists every key with its meaning and a valid value",
        ),
    ];
    for (text, message, hint) in cases {
        let error = parse(text).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (message, Some(hint)), "{text}");
    }
    let syntax = parse("seed = 1\n[search\n").unwrap_err();
    assert!(matches!(syntax, ConfigError::Syntax { line: 2, .. }), "{syntax}");
    let flag = Config::load(None, None, &[Override::parse("search.epochs=x", "--set").unwrap()]).unwrap_err();
    assert_eq!(
        flag.to_string(),
        "--set: `search.epochs`: found the text \"x\" where a whole number from 0 on is expected"
    );
    let flag = Config::load(None, None, &[Override::new("search.clip", -1.0, "--set")]).unwrap_err();
    assert_eq!(flag.to_string(), "--set: `search.clip` is -1.0, but it must be 0 or more");
    let flag = Config::load(None, None, &[Override::new("search.epoch", 3, "--set")]).unwrap_err();
    assert!(matches!(&flag, ConfigError::UnknownKey { suggestion: Some(near), .. } if near == "search.epochs"));
    let section = Config::load(None, None, &[Override::new("retrain", 3, "--set")]).unwrap_err();
    assert_eq!(
        section.to_string(),
        "--set: `retrain`: this is a section; set one of its keys, such as `retrain.epochs`"
    );
    let missing = Config::load(None, Some(Path::new("no/such.toml")), &[]).unwrap_err();
    assert!(missing.to_string().contains("no/such.toml"), "{missing}");
}

#[test]
fn values_out_of_range_are_refused() {
    for (text, key) in [
        ("[space]\nkernel-sizes = []", "space.kernel-sizes"),
        ("[space]\nkernel-sizes = [3, 4]", "space.kernel-sizes"),
        ("[space]\nkernel-sizes = [3, 3]", "space.kernel-sizes"),
        ("[space]\nkernel-sizes = [3, 8193]", "space.kernel-sizes"),
        ("[space]\ndilations = [0]", "space.dilations"),
        ("[space]\ndilations = [65536]", "space.dilations"),
        ("[search]\nkernels = [[2000001, 1]]", "search.kernels"),
        ("[search]\nkernels = [[3, 2000000]]", "search.kernels"),
        ("[space]\ndilations = []", "space.dilations"),
        ("[backbone]\nwidth = 0", "backbone.width"),
        ("[backbone]\nplain-kernels = [8, 5, 3]", "backbone.plain-kernels"),
        ("[backbone]\nplain-kernels = [5, 3]", "backbone.plain-kernels"),
        ("[task]\nvalidation-fraction = 1.0", "task.validation-fraction"),
        ("[task]\npos-weight = -1", "task.pos-weight"),
        ("[search]\nsubsample = 0", "search.subsample"),
        ("[search]\nsubsample = 1.1", "search.subsample"),
        ("[search]\nsubsample = nan", "search.subsample"),
        ("[search]\nlr = inf", "search.lr"),
        ("[search]\nmomentum = 1", "search.momentum"),
        ("[search]\nmilestones = [60]", "search.milestones"),
        ("[search]\ntemperature = 0", "search.temperature"),
        ("[tune]\nlearning-rates = []", "tune.learning-rates"),
        ("[tune]\ndropouts = [1.0]", "tune.dropouts"),
        ("[retrain]\nmilestones = [0.6, 0.3]", "retrain.milestones"),
        ("[retrain]\nbatch-size = 0", "retrain.batch-size"),
        ("[data]\nfolds = 5\ntest-fraction = 0.25", "data.test-fraction"),
        ("[data]\nsplit-by = \"time\"\nsplit-seed = 1", "data.split-seed"),
        ("[darcy]\nstride = 3", "darcy.stride"),
        ("[darcy]\nstride = 0", "darcy.stride"),
        ("[darcy]\nresolution = 1", "darcy.resolution"),
    ] {
        match parse(text).unwrap_err() {
            ConfigError::Invalid { key: found, .. } => assert_eq!(found, key, "{text}"),
            other => panic!("{text}: {other}"),
        }
    }
    assert!(parse("[space]\nkernel-sizes = [3, 8191]\ndilations = [1, 65535]").is_ok());
    let large = parse("[space]\nkernel-sizes = [2000001]").unwrap_err().to_string();
    assert!(large.ends_with("kernel sizes can be at most 8191; a dilation makes a kernel reach further"), "{large}");
    assert!(parse("seed = -1").is_err());
    assert!(matches!(parse("[search]\nepochs = 0").unwrap_err(), ConfigError::Invalid { key: "search.epochs", .. }));
}

#[test]
fn a_backbone_must_fit_the_data() {
    let config = parse("[backbone]\nname = \"wrn-2d\"").unwrap();
    let facts = Facts { dims: 1, task: CLASSES, train_samples: 100 };
    let error = config.resolve(&facts).unwrap_err();
    assert_eq!(error.to_string(), "`backbone.name` is wrn-2d, which takes 2-D data, but the data set is 1-D");
}

#[test]
fn names_are_those_of_the_files() {
    fn quoted(value: &impl serde::Serialize) -> String {
        serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
    }
    Preset::ALL.iter().for_each(|v| assert_eq!(quoted(v), v.name()));
    BackboneName::ALL.iter().for_each(|v| assert_eq!(quoted(v), v.name()));
    Formulation::ALL.iter().for_each(|v| assert_eq!(quoted(v), v.name()));
    TaskName::ALL.iter().for_each(|v| assert_eq!(quoted(v), v.name()));
    dashnas_core::task::Loss::ALL.iter().for_each(|v| assert_eq!(quoted(v), v.name()));
}

#[test]
fn json_carries_it_too() {
    let config = Config::preset(Preset::Quick);
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config);
}
