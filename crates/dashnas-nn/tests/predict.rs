//! The model file and predictions from raw inputs.

mod common;

use common::Recipe;
use dashnas_core::files::FileError;
use dashnas_core::names::BackboneName::{Wrn1d, Wrn2d};
use dashnas_core::task::TaskKind;
use dashnas_data::normalize::Scheme;
use dashnas_data::open::open;
use dashnas_data::transform::kind::Transform;
use dashnas_formats::array::Array;
use dashnas_formats::centers::Centers;
use dashnas_formats::options::ReadOptions;
use dashnas_nn::artifact::Artifact;
use dashnas_nn::error::{InputError, ModelError, OutputError};
use dashnas_nn::export::onnx::{OnnxOptions, onnx};
use dashnas_nn::export::verify::verify;
use dashnas_nn::model::Model;
use dashnas_nn::predict::{ColumnValues, Prediction, table};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

fn classifier() -> Recipe {
    Recipe::new(Wrn1d, TaskKind::Classification { classes: 3 }, [2, 1, 20])
}

#[test]
fn a_saved_model_is_the_same_model() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for scheme in [Scheme::PerChannel, Scheme::Pointwise, Scheme::Identity] {
        let recipe = Recipe { scheme, ..Recipe::new(Wrn2d, TaskKind::DenseRegression { channels: 2 }, [1, 6, 5]) };
        let (model, path) = (recipe.model(), folder.path().join("model.dashnas"));
        model.save(&path).expect("writable");
        let again = Model::load(&path).expect("readable");
        assert_eq!(again.to_artifact(), model.to_artifact());
        let x = recipe.inputs(3);
        let y = again.predict(&x).expect("the inputs fit");
        assert_eq!(y, model.predict(&x).expect("the inputs fit"));
        assert_eq!(y.values.shape, [3, 2, 6, 5]);
        let bytes = |m: &Model| m.to_artifact().to_bytes().expect("encodes");
        assert_eq!(bytes(&again), bytes(&model), "the same model gives the same bytes");
    }
}

#[test]
fn predictions_are_in_the_units_of_the_data() {
    // Targets lie in 10..14: a network of any weights, decoded, is near their mean.
    let recipe = Recipe::new(Wrn1d, TaskKind::Regression { outputs: 2 }, [1, 1, 12]);
    let (model, x) = (recipe.model(), recipe.inputs(40));
    let (raw, y) = (model.outputs(&x).expect("fits"), model.predict(&x).expect("fits").values);
    let (mean, scale) = model.card().targets.mean_and_scale().expect("they are normalized");
    for (i, (&r, &v)) in raw.data.iter().zip(&y.data).enumerate() {
        assert_eq!(v, r * scale.data[i % 2] + mean.data[i % 2]);
    }

    let recipe = classifier();
    let (model, x) = (recipe.model(), recipe.inputs(300));
    let (raw, y) = (model.outputs(&x).expect("fits"), model.predict(&x).expect("fits"));
    let classes = y.classes.expect("a classifier names classes");
    for ((logits, p), class) in raw.data.chunks(3).zip(y.values.data.chunks(3)).zip(classes) {
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let best = p.iter().copied().fold(0.0, f32::max);
        assert_eq!(p[class as usize], best);
        let ratio = (logits[0] - logits[1]).exp();
        assert!((p[0] / p[1] - ratio).abs() < 1e-4 * ratio);
    }
    // 300 samples need several forward passes; each row is the same as on its own.
    let alone = Array::new(vec![1, 2, 20], x.row(299).to_vec());
    let alone = model.predict(&alone).expect("fits").values;
    alone.data.iter().zip(y.values.row(299)).for_each(|(a, b)| assert!((a - b).abs() < 1e-6));
}

#[test]
fn raw_inputs_are_transformed_as_the_training_data_were() {
    let recipe = Recipe { transforms: vec![Transform::StandardizeSamples], ..classifier() };
    let (model, x) = (recipe.model(), recipe.inputs(3));
    // Each sample in other units and with another offset.
    let mut moved = x.clone();
    moved.data.chunks_mut(40).enumerate().for_each(|(i, row)| row.iter_mut().for_each(|v| *v = 40.0 * *v - i as f32));
    let (a, b) = (model.predict(&x).expect("fits").values, model.predict(&moved).expect("fits").values);
    a.data.iter().zip(&b.data).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{a} {b}"));
    let plain = classifier().model();
    assert_ne!(plain.predict(&x).expect("fits").values, a);
    // A permutation fixes the number of positions; flattening makes images into series.
    let recipe = Recipe { transforms: vec![Transform::Permute], ..classifier() };
    assert!(matches!(
        recipe.model().predict(&recipe.inputs_of(2, 1, 7)),
        Err(ModelError::Input(InputError::Size { .. }))
    ));
    let recipe = Recipe { transforms: vec![Transform::Flatten], input: [2, 4, 5], ..classifier() };
    assert_eq!(recipe.model().predict(&recipe.inputs(2)).expect("fits").values.shape, [2, 3]);
    assert!(matches!(recipe.model().predict(&x), Err(ModelError::Input(InputError::Rank { .. }))));
}

#[test]
fn a_field_of_too_many_points_is_no_table() {
    let model = Recipe::new(Wrn2d, TaskKind::DenseRegression { channels: 1 }, [1, 6, 5]).model();
    let values = Array::new(vec![1, 1, 101, 100], vec![0.0; 10_100]);
    let prediction = Prediction { values, centers: Vec::new(), classes: None, ids: None, places: Vec::new() };
    let error = table::table(&prediction, model.card()).expect_err("it is wide");
    assert!(matches!(error, OutputError::TooWide { columns: 10_100, .. }), "{error}");
    assert!(error.hint().is_some_and(|h| h.contains(".npy")));
}

#[test]
fn a_single_channel_needs_no_axis() {
    let model = Recipe::new(Wrn1d, TaskKind::Regression { outputs: 1 }, [1, 1, 12]).model();
    let of = |shape: &[usize]| {
        let x = Array::new(shape.to_vec(), (0..24).map(|v| v as f32).collect());
        model.predict(&x).map(|y| y.values)
    };
    let y = of(&[2, 1, 12]).expect("fits");
    assert_eq!((of(&[2, 12]).expect("fits"), of(&[2, 1, 1, 12]).expect("fits")), (y.clone(), y));
    assert!(of(&[24]).is_err() && of(&[2, 2, 2, 3]).is_err());
}

#[test]
fn another_length_is_accepted_unless_the_normalization_is_pointwise() {
    let recipe = classifier();
    let model = recipe.model();
    assert_eq!(model.predict(&recipe.inputs_of(2, 1, 7)).expect("any length").values.shape, [2, 3]);
    let recipe = Recipe { scheme: Scheme::Pointwise, ..recipe };
    let error = recipe.model().predict(&recipe.inputs_of(2, 1, 7)).expect_err("the grid is fixed");
    assert_eq!(error.to_string(), "the inputs have length [7]; this model takes only [20]");
    assert!(error.hint().is_some_and(|h| h.contains("resample")));
}

/// Inputs that are too large for memory stay in their file until their batch is read.
#[test]
fn inputs_that_stay_in_a_file_give_the_same_predictions() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, descr: &str, shape: &str, data: Vec<u8>| {
        let mut head = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        head.extend(std::iter::repeat_n(' ', 117 - head.len()));
        head.push('\n');
        let head = [&b"\x93NUMPY\x01\0"[..], &(head.len() as u16).to_le_bytes(), head.as_bytes()].concat();
        fs::write(folder.path().join(name), [head, data].concat()).expect("writable");
    };
    let x = classifier().inputs(400);
    write("x.npy", "<f4", "(400, 2, 20)", x.data.iter().flat_map(|v| v.to_le_bytes()).collect());
    write("y.npy", "<i4", "(400,)", (0..400).flat_map(|i: i32| (i % 3).to_le_bytes()).collect());
    let read = |in_memory| {
        let options = ReadOptions { in_memory: Some(in_memory), ..Default::default() };
        open(folder.path(), &options).expect("it is a data set").train.x
    };
    let (outside, inside) = (read(0), read(u64::MAX));
    assert!(outside.is_file_backed() && !inside.is_file_backed());
    for transforms in [vec![], vec![Transform::StandardizeSamples, Transform::Permute]] {
        let model = Recipe { transforms, ..classifier() }.model();
        assert_eq!(model.predict(&outside).expect("fits"), model.predict(&inside).expect("fits"));
        let few: Vec<usize> = (0..5).collect();
        let bytes = onnx(&model.to_artifact(), OnnxOptions::default()).expect("exports");
        let agreement = |x: &Array| verify(&bytes, &model, false, &x.select(&few)).expect("agrees");
        assert_eq!(agreement(&outside), agreement(&inside));
    }
}

#[test]
fn inputs_that_do_not_fit_are_named() {
    let model = classifier().model();
    let error = |shape: &[usize], v: f32| {
        let n = shape.iter().product();
        match model.predict(&Array::new(shape.to_vec(), vec![v; n])) {
            Err(ModelError::Input(e)) => e,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(error(&[4, 20], 0.0).to_string(), "the inputs have shape [4, 20]; this model takes [N, 2, 20]");
    assert!(matches!(error(&[1, 2, 5, 5], 0.0), InputError::Rank { .. }));
    let swapped = error(&[4, 20, 2], 0.0);
    assert_eq!(swapped.to_string(), "the inputs have 20 channels (shape [4, 20, 2]); this model takes 2");
    assert!(swapped.hint().is_some_and(|h| h.contains("swap")));
    assert!(matches!(error(&[0, 2, 20], 0.0), InputError::Empty { .. }));
    assert_eq!(error(&[1, 2, 3], f32::NAN).to_string(), "the inputs are NaN at index [0, 0, 0]; they must be finite");
}

fn reason(bytes: &[u8]) -> String {
    match Artifact::from_bytes(bytes, Path::new("m.dashnas")) {
        Err(e @ (ModelError::File(FileError::Corrupt { .. }) | ModelError::NotAModel { .. })) => e.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Returns the bytes of a file with a text in its metadata replaced by another of the same length.
fn edited(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).expect("it is there");
    let mut bytes = bytes.to_vec();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

#[test]
fn a_damaged_file_is_refused_with_the_reason() {
    let bytes = classifier().model().to_artifact().to_bytes().expect("encodes");
    assert!(reason(&bytes[..bytes.len() - 1]).contains("cut short"));
    assert!(reason(&bytes[..100]).contains("cut short"));
    assert!(reason(b"").contains("cut short"));
    assert!(reason(b"PK\x03\x04 something else entirely").contains("not a model file"));
    assert!(reason(&edited(&bytes, "format\\\":4", "format\\\":2")).contains("older version of dashnas (format 2"));
    assert!(reason(&edited(&bytes, "format\\\":4", "format\\\":9")).contains("newer version of dashnas (format 9"));
    assert!(reason(&edited(&bytes, "\\\"seed\\\":1", "\\\"seed\\\":2")).contains("checksum"));
    // A file with a correct checksum whose card contradicts itself.
    for (read_as, transforms, says) in [
        (vec![2, 21], vec![], "inputs of shape [2, 21] do not fit a network for inputs of shape [2, 1, 20]"),
        (vec![], vec![], "its model card is invalid"),
        (vec![2, 0], vec![], "its model card is invalid"),
        (vec![2, usize::MAX, 7], vec![Transform::Flatten], "its model card is invalid"),
        (vec![2, 20], vec![Transform::Flatten], "the transform flatten"),
    ] {
        let mut artifact = classifier().model().to_artifact();
        (artifact.card.read_as, artifact.card.transforms) = (read_as, transforms);
        let reason = reason(&artifact.to_bytes().expect("encodes"));
        assert!(reason.contains(says), "{reason}");
    }
    let mut flipped = bytes.clone();
    *flipped.last_mut().expect("not empty") ^= 1;
    assert!(reason(&flipped).contains("checksum"));
    assert!(reason(&edited(&bytes, "{\"dashnas\"", "{\"somenas\"")).contains("no model card of dashnas"));
}

#[test]
fn an_error_about_a_run_directory_without_a_model_has_a_hint() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = |path: &Path| Model::load(path).expect_err("there is no model");
    assert!(matches!(error(&folder.path().join("none")), ModelError::File(FileError::Io { .. })));
    assert!(matches!(error(folder.path()), ModelError::NotARun { .. }));
    fs::write(folder.path().join("config.toml"), "").expect("writable");
    assert!(error(folder.path()).hint().is_some_and(|h| h.contains("train the network")));
    fs::write(folder.path().join("model.json"), "{}").expect("writable");
    assert!(error(folder.path()).to_string().contains("older version"));
}

/// The model with numbers that are subtracted from its inputs and added to its outputs.
fn centered(recipe: &Recipe, centers: Centers) -> Model {
    let mut artifact = recipe.model().to_artifact();
    artifact.card.reading.centers = centers;
    let bytes = artifact.to_bytes().expect("encodes");
    let read = Artifact::from_bytes(&bytes, Path::new("m.dashnas")).expect("it fits");
    assert_eq!(read, artifact);
    Model::from_artifact(read, recipe.model().device()).expect("the parts fit")
}

#[test]
fn inputs_and_outputs_are_relative_to_the_centers_of_a_model() {
    let recipe = Recipe::new(Wrn1d, TaskKind::Regression { outputs: 2 }, [2, 1, 16]);
    let far = centered(&recipe, Centers { inputs: vec![1e9, 0.0], targets: vec![1.7e9, 0.0] });
    // Numbers that 32 bits hold exactly near the center.
    let relative = Array::new(vec![3, 2, 16], (0..96).map(|i| 64.0 * (i * 37 % 11) as f32).collect());
    let mut raw = relative.clone();
    raw.data.chunks_mut(16).step_by(2).flatten().for_each(|v| *v = (f64::from(*v) + 1e9) as f32);
    let plain = recipe.model().predict(&relative).expect("fits").values;
    assert_eq!(far.of_centered().predict(&relative).expect("fits").values, plain);
    let found = far.predict(&raw).expect("fits").values;
    for (pair, own) in found.data.chunks(2).zip(plain.data.chunks(2)) {
        assert_eq!((pair[0], pair[1]), ((f64::from(own[0]) + 1.7e9) as f32, own[1]));
    }
    // The exported file without the two ends in double precision is that of the model without centers.
    let own = onnx(&recipe.model().to_artifact(), OnnxOptions::default()).expect("it can be written");
    assert_eq!(onnx(&far.of_centered().to_artifact(), OnnxOptions::default()).expect("it can be written"), own);
    let whole = onnx(&far.to_artifact(), OnnxOptions::default()).expect("it can be written");
    let text = String::from_utf8_lossy(&whole);
    assert!(text.contains("input_center") && text.contains("output_center") && text.contains("[1000000000.0,0.0]"));
    // Full digits in files.
    let prediction = Prediction { centers: vec![1.7e9, 0.0], ..far.of_centered().predict(&relative).expect("fits") };
    let doubles = prediction.doubles().expect("there are centers");
    assert_eq!(doubles[2], 1.7e9 + f64::from(plain.data[2]));
    let columns = table::table(&prediction, far.card()).expect("it is narrow");
    assert_eq!(columns[1].values, ColumnValues::Doubles(vec![doubles[0], doubles[2], doubles[4]]));
}

#[test]
fn centers_that_do_not_fit_a_model_are_refused() {
    let recipe = Recipe::new(Wrn1d, TaskKind::Regression { outputs: 2 }, [2, 1, 16]);
    for (inputs, targets) in [(vec![1.0], vec![]), (vec![], vec![1.0, 2.0, 3.0])] {
        let mut artifact = recipe.model().to_artifact();
        artifact.card.reading.centers = Centers { inputs, targets };
        let error = Artifact::from_bytes(&artifact.to_bytes().expect("encodes"), Path::new("m.dashnas"));
        assert!(error.expect_err("they do not fit").to_string().contains("numbers are subtracted from"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    /// Reading a changed file gives an error or the model, but never a panic.
    #[test]
    fn a_mangled_file_never_panics(cut in 0usize..4000, at in 0usize..4000, byte: u8) {
        thread_local!(static BYTES: Vec<u8> = classifier().model().to_artifact().to_bytes().expect("encodes"));
        BYTES.with(|bytes| {
            let mut bytes = bytes[..bytes.len() - cut.min(bytes.len())].to_vec();
            if let Some(b) = bytes.get_mut(at) {
                *b = byte;
            }
            let _ = Artifact::from_bytes(&bytes, Path::new("m.dashnas"));
        });
    }
}
