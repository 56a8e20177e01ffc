//! Inputs that stay in their file: trained on to the same bits, until it changes. And what is trained on at all.

use dashnas::config::Config;
use dashnas::error::Error;
use dashnas::record::event::{Event, Observer};
use dashnas::run::pipeline::Run;
use dashnas::run::preview::Preview;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::names::{Preset, SearchStrategy};
use dashnas_core::stage::Stage;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::open::open;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;
use dashnas_formats::options::{Layout, ReadOptions};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// The head of a `.npy` file.
fn head(descr: &str, shape: &[usize]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    text.extend(std::iter::repeat_n(' ', (128 - 10 - text.len() - 1) % 64));
    text.push('\n');
    [b"\x93NUMPY\x01\0".to_vec(), (text.len() as u16).to_le_bytes().to_vec(), text.into_bytes()].concat()
}

fn small() -> Config {
    let mut c = Config::preset(Preset::Quick);
    c.space.kernel_sizes = Some(vec![3, 5]);
    c.space.dilations = Some(vec![1]);
    c.backbone.width = 1;
    (c.search.batch_size, c.retrain.batch_size) = (Some(8), Some(8));
    (c.search.epochs, c.search.min_steps, c.search.max_steps) = (1, 0, 4);
    (c.tune.epochs, c.tune.min_steps, c.tune.max_steps) = (1, 0, 2);
    c.tune.learning_rates = vec![0.1, 0.01];
    (c.retrain.epochs, c.retrain.min_steps, c.retrain.max_steps) = (1, 0, 4);
    c
}

/// Trains on a path; what is kept of it that does not depend on the clock.
fn train(path: &Path, layout: Layout, in_memory: u64, outside: bool) -> Vec<Vec<u8>> {
    let options = ReadOptions { in_memory: Some(in_memory), layout: Some(layout), ..Default::default() };
    let set = open(path, &options).expect("it is a data set");
    assert_eq!(set.train.x.is_file_backed(), outside, "{}", path.display());
    assert_eq!(set.origin.notes.iter().any(|note| note.contains("stay in their file")), outside);
    let temp = tempfile::tempdir().expect("a temporary directory");
    let out = temp.path().join("run");
    let mut events: Vec<Event> = Vec::new();
    Run::start(&small(), "here", &set, &out, &mut events).expect("it starts").all().expect("it finishes");
    kept(&out)
}

/// What a run leaves that does not depend on the clock.
fn kept(out: &Path) -> Vec<Vec<u8>> {
    let dir = RunDir::open(out).expect("a run directory");
    [names::ALPHA, names::ARCHITECTURE, names::MODEL]
        .iter()
        .map(|f| fs::read(dir.path().join(f)).expect("kept"))
        .collect()
}

/// N×L×2 (channels last) of 16-bit numbers, big-endian, and as many labels, without a test split.
fn arrays() -> [(&'static str, Vec<u8>); 2] {
    let (n, l) = (60usize, 16usize);
    let value = |i: usize| ((i * 37 + i / 7 * 11) % 251) as i16 - (i / (2 * l) % 2) as i16 * 90;
    let x = (0..n * l * 2).flat_map(|i| value(i).to_be_bytes());
    let y = (0..n).flat_map(|i| ((i % 2) as i32).to_le_bytes());
    [
        ("x", head(">i2", &[n, l, 2]).into_iter().chain(x).collect()),
        ("y", head("<i4", &[n]).into_iter().chain(y).collect()),
    ]
}

#[test]
fn inputs_in_a_file_give_the_same_bits() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let folder = temp.path().join("set");
    fs::create_dir(&folder).expect("made");
    let archive = temp.path().join("set.npz");
    let mut zip = zip::ZipWriter::new(File::create(&archive).expect("made"));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in arrays() {
        fs::write(folder.join(format!("{name}.npy")), &bytes).expect("written");
        zip.start_file(format!("{name}.npy"), stored).expect("begun");
        zip.write_all(&bytes).expect("written");
    }
    zip.finish().expect("finished");
    for path in [folder, archive] {
        let last = Layout::ChannelsLast;
        assert!(train(&path, last, u64::MAX, false) == train(&path, last, 0, true), "{} differs", path.display());
    }
}

#[test]
fn a_value_that_is_no_number_is_found_in_the_file() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let mut x = head("<f4", &[6, 1, 8]);
    x.extend((0..48).flat_map(|i| if i == 21 { f32::NAN } else { i as f32 }.to_le_bytes()));
    fs::write(temp.path().join("x.npy"), x).expect("written");
    let y = (0..6).flat_map(|i: i32| (i % 2).to_le_bytes());
    fs::write(temp.path().join("y.npy"), head("<i4", &[6]).into_iter().chain(y).collect::<Vec<u8>>()).expect("written");
    let message = |in_memory| {
        let options = ReadOptions { in_memory: Some(in_memory), test_fraction: 0.5, ..Default::default() };
        open(temp.path(), &options).expect_err("it is not finite").to_string()
    };
    assert_eq!(message(0), message(u64::MAX));
    // A file that is too short is refused before anything is read.
    let path = temp.path().join("x.npy");
    let whole = fs::read(&path).expect("there");
    fs::write(&path, &whole[..whole.len() - 5]).expect("written");
    assert!(message(0).contains("x.npy"), "{}", message(0));
}

/// Cuts the file of the inputs off at a step of a stage.
struct Cut<'a> {
    file: &'a Path,
    stage: Stage,
    steps: usize,
}

impl Observer for Cut<'_> {
    fn event(&mut self, event: &Event) {
        if matches!(event, Event::Step { stage, .. } if *stage == self.stage) {
            self.steps += 1;
            if self.steps == 2 {
                File::options().write(true).open(self.file).and_then(|f| f.set_len(200)).expect("it can be cut");
            }
        }
    }
}

#[test]
fn a_file_that_is_cut_while_it_is_trained_on_ends_the_run_which_goes_on_when_it_is_whole_again() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let set = temp.path().join("set");
    fs::create_dir(&set).expect("made");
    for (name, bytes) in arrays() {
        fs::write(set.join(format!("{name}.npy")), &bytes).expect("written");
    }
    let expected = train(&set, Layout::ChannelsLast, 0, true);
    let file = set.join("x.npy");
    let whole = fs::read(&file).expect("there");
    let read = || {
        let options = ReadOptions { in_memory: Some(0), layout: Some(Layout::ChannelsLast), ..Default::default() };
        open(&set, &options)
    };
    for stage in [Stage::Search, Stage::Tune, Stage::Retrain, Stage::Baseline] {
        let out = temp.path().join(stage.name());
        let data = read().expect("it is whole");
        let mut cut = Cut { file: &file, stage, steps: 0 };
        let error =
            Run::start(&small(), "here", &data, &out, &mut cut).expect("it starts").all().expect_err("it is cut");
        let gone = matches!(&error, Error::Data(DataError::Gone { path, .. }) if *path == file);
        assert!(gone && error.hint().is_some_and(|hint| hint.contains("resume the run")), "{stage}: {error}");
        read().expect_err("it is too short");

        fs::write(&file, &whole).expect("put back");
        let mut events: Vec<Event> = Vec::new();
        let dir = RunDir::open(&out).expect("a run directory");
        Run::open(dir, &small(), &read().expect("it is whole"), &mut events)
            .expect("it opens")
            .all()
            .expect("it goes on");
        let resumed = events.iter().any(|e| matches!(e, Event::StageResumed { stage: s, .. } if *s == stage));
        assert!(resumed, "{stage} is gone on with from its checkpoint");
        assert!(kept(&out) == expected, "{stage}: it comes to something else");
    }
}

/// A data set with a validation split of its own.
fn with_validation() -> Dataset {
    let split = |n: usize, seed: usize| {
        let x: Vec<f32> = (0..n * 16).map(|i| (((i + seed) * 7919 % 97) as f32 / 97.0) - 0.5).collect();
        let y = x.chunks(16).map(|row| u32::from(row[3] > row[8])).collect();
        Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes(y) }
    };
    let task = TaskKind::Classification { classes: 2 };
    Dataset::new("made", task, split(40, 1), Some(split(24, 9)), split(16, 5)).expect("the data is sound")
}

#[test]
fn retraining_takes_a_given_validation_split_in_which_chose_the_hyperparameters() {
    let data = with_validation();
    let temp = tempfile::tempdir().expect("a temporary directory");
    let run = |name: &str, with_validation: bool, data: &Dataset| {
        let mut config = small();
        config.retrain.with_validation = with_validation;
        // Unlike a race, the training of a supernet reports metrics on the validation split.
        config.search.strategy = SearchStrategy::Paper;
        (config.retrain.epochs, config.retrain.max_steps) = (2, 0);
        let mut events: Vec<Event> = Vec::new();
        let out = temp.path().join(name);
        Run::start(&config, "here", data, &out, &mut events).expect("it starts").all().expect("it finishes");
        (kept(&out), events)
    };
    let steps = |events: &[Event], wanted: Stage| {
        events.iter().filter(|e| matches!(e, Event::Step { stage, trial: None, .. } if *stage == wanted)).count()
    };
    let validated = |events: &[Event], wanted: Stage| {
        events
            .iter()
            .any(|e| matches!(e, Event::Epoch { stage, trial: None, val_metric: Some(_), .. } if *stage == wanted))
    };
    let scores = |events: &[Event]| -> Vec<Option<f64>> {
        let score = |e: &Event| match e {
            Event::TrialFinished { stage: Stage::Tune | Stage::Baseline, score, .. } => Some(*score),
            _ => None,
        };
        events.iter().filter_map(score).collect()
    };
    let (with, without) = (run("with", true, &data), run("without", false, &data));
    // 64 samples in batches of 8, twice; or 40.
    for stage in [Stage::Retrain, Stage::Baseline] {
        assert_eq!((steps(&with.1, stage), steps(&without.1, stage)), (16, 10), "{stage}");
        // The metric on samples that are trained on would be no validation metric.
        assert_eq!((validated(&with.1, stage), validated(&without.1, stage)), (false, true), "{stage}");
    }
    assert!(validated(&with.1, Stage::Search), "the search does not train on them");
    assert_eq!(scores(&with.1), scores(&without.1), "what chooses the hyperparameters is the same");
    assert!(!scores(&with.1).is_empty());
    // Search and architecture are the same, the model is not.
    assert!(with.0[..2] == without.0[..2] && with.0[2] != without.0[2]);

    // It is the samples of the validation split that are trained on: with others, the model is another.
    let mut other = data.clone();
    let val = other.val.as_mut().expect("there is one");
    val.x.data.iter_mut().for_each(|v| *v = -*v);
    assert!(run("other", true, &other).0[2] != with.0[2]);

    let preview = Preview::new(&small(), &data).expect("it would run");
    assert_eq!(preview.retrain_samples, [64, 24]);
    assert!(preview.to_string().contains("on 64 samples, 24 of them from the validation split"), "{preview}");
}
