//! Exported models against the models themselves, over a matrix of small networks with random weights: every
//! backbone, head, dimension and kind of kernel, odd and even sizes, kernels wider than the input.
//!
//! With `DASHNAS_EXPORT_DIR` set, the matrix is also written there, with inputs and outputs, for other programs to
//! run.

mod common;

use common::Recipe;
use dashnas::Error;
use dashnas::config::BackboneName::{self, Wrn1d, Wrn2d};
use dashnas::config::Transform;
use dashnas::data::{Array, Scheme};
use dashnas::export::onnx::{OnnxOptions, onnx};
use dashnas::export::torch::torch;
use dashnas::export::{Agreement, ExportError, fold_batch_norm, verify};
use dashnas::model::Model;
use dashnas::task::TaskKind;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

const TASKS: [TaskKind; 5] = [
    TaskKind::Classification { classes: 3 },
    TaskKind::MultiLabel { labels: 4 },
    TaskKind::Regression { outputs: 2 },
    TaskKind::DenseRegression { channels: 2 },
    TaskKind::DenseBinary { channels: 1 },
];

/// Every backbone with every task, over sizes and kernels that differ in what can go wrong.
fn matrix() -> Vec<(String, Recipe)> {
    let sizes = [(Wrn1d, [[2, 1, 24], [1, 1, 13], [3, 1, 5]]), (Wrn2d, [[1, 8, 8], [3, 7, 9], [2, 10, 3]])];
    // Small, dilated, mixed, and the extremes of both spaces: reaching far beyond any of the inputs.
    let kernels = [vec![[3, 1]], vec![[5, 3], [3, 7]], vec![[9, 15], [1, 1], [7, 2], [3, 4]]];
    let mut found = Vec::new();
    for (backbone, inputs) in sizes {
        for task in TASKS {
            for (input, kernels) in inputs.into_iter().zip(&kernels) {
                for scheme in [Scheme::PerChannel, Scheme::Pointwise] {
                    // Two-dimensional networks are slow to run again and again: one scheme for each.
                    if backbone == Wrn2d && (scheme == Scheme::Pointwise) != (input[1] == 7) {
                        continue;
                    }
                    let seed = found.len() as u64 + 1;
                    let recipe =
                        Recipe { kernels: kernels.clone(), scheme, seed, ..Recipe::new(backbone, task, input) };
                    found.push((format!("{:02}-{}-{}", found.len(), backbone.name(), task.name()), recipe));
                }
            }
        }
    }
    found
}

fn folded(model: &Model) -> Model {
    let artefact = fold_batch_norm(&model.to_artefact()).expect("the model is whole");
    Model::from_artefact(artefact, model.device()).expect("the parts fit")
}

/// Writes what another program needs to repeat the comparison.
fn write(folder: &Path, name: &str, model: &Model, options: OnnxOptions, x: &Array, bytes: &[u8]) {
    let file = |suffix: &str| folder.join(format!("{name}{suffix}"));
    let array = |a: &Array| {
        let shape: Vec<String> = a.shape.iter().map(usize::to_string).collect();
        let mut bytes = format!("{}\n", shape.join(" ")).into_bytes();
        bytes.extend(a.data.iter().flat_map(|v| v.to_le_bytes()));
        bytes
    };
    let mut given = x.clone();
    if options.raw {
        model.card().inputs.apply(&mut given);
    }
    let y = if options.raw { model.outputs(x) } else { model.predict(x).map(|y| y.values) }.expect("the inputs fit");
    let module = torch(&model.to_artefact(), &format!("{name}.safetensors"), options.raw).expect("exports");
    fs::create_dir_all(folder).expect("writable");
    fs::write(file(".onnx"), bytes).expect("writable");
    fs::write(file(".x"), array(&given)).expect("writable");
    fs::write(file(".y"), array(&y)).expect("writable");
    fs::write(file(".safetensors"), module.weights).expect("writable");
    fs::write(file(".py"), module.module).expect("writable");
}

#[test]
fn every_network_of_the_matrix_agrees_in_onnx() {
    let folder = std::env::var_os("DASHNAS_EXPORT_DIR");
    let (mut worst, mut compared) = (0f64, 0);
    for (i, (name, recipe)) in matrix().into_iter().enumerate() {
        let (model, x) = (recipe.model(), recipe.inputs(3));
        let folded = folded(&model);
        let agreement =
            Agreement::of(&model.predict(&x).expect("fits").values, &folded.predict(&x).expect("fits").values.data);
        assert!(agreement.relative() < 1e-5, "{name}: folding changes the outputs: {agreement:?}");
        let opsets = [17, 7, 9, 13, 21, 23];
        for (variant, model, raw) in [("", &model, false), ("-raw", &model, true), ("-folded", &folded, false)] {
            let options = OnnxOptions { opset: opsets[i % opsets.len()], raw };
            let bytes = onnx(&model.to_artefact(), options).expect("exports");
            let agreement = verify(&bytes, model, raw, &x).unwrap_or_else(|e| panic!("{name}{variant}: {e}"));
            worst = worst.max(agreement.relative());
            compared += 1;
            if let Some(folder) = &folder {
                write(Path::new(folder), &format!("{name}{variant}"), model, options, &x, &bytes);
            }
        }
    }
    println!("{compared} ONNX files; the largest relative difference is {worst:.2e}");
    assert!(worst < 1e-5, "far inside the tolerance, or something is approximate: {worst:e}");
}

#[test]
fn a_file_takes_any_batch_and_size_the_network_takes() {
    for (backbone, input, h, w) in [(Wrn1d, [2, 1, 16], 1, 37), (Wrn2d, [1, 8, 8], 5, 12)] {
        for task in [TASKS[0], TASKS[3]] {
            let recipe = Recipe::new(backbone, task, input);
            let model = recipe.model();
            let bytes = onnx(&model.to_artefact(), OnnxOptions::default()).expect("exports");
            for n in [1, 4] {
                verify(&bytes, &model, false, &recipe.inputs_of(n, h, w)).expect("agrees at another size");
            }
        }
    }
}

#[test]
fn folding_leaves_only_normalizations_of_sums() {
    let norms = |m: &Model| m.to_artefact().parameters.keys().filter(|k| k.ends_with("gamma")).count();
    let series = Recipe::new(Wrn1d, TASKS[0], [2, 1, 16]).model();
    assert_eq!((norms(&series), norms(&folded(&series))), (11, 0));
    let images = Recipe::new(Wrn2d, TASKS[0], [2, 8, 8]).model();
    // The first of each of the six blocks and the last one of all follow sums, or the stem.
    assert_eq!((norms(&images), norms(&folded(&images))), (13, 7));
    // What is left can be saved and loaded as any model.
    let again = folded(&images);
    assert_eq!(folded(&again).to_artefact(), again.to_artefact());
}

#[test]
fn an_opset_that_cannot_hold_the_network_is_refused() {
    let artefact = Recipe::new(Wrn1d, TASKS[0], [2, 1, 16]).model().to_artefact();
    let error = |opset| onnx(&artefact, OnnxOptions { opset, raw: true }).expect_err("it cannot");
    let old = error(6);
    assert_eq!(
        old.to_string(),
        "ONNX opset 6 cannot hold this network: BatchNormalization needs opset 7, for batch normalization outside \
         training"
    );
    assert_eq!(old.hint().as_deref(), Some("use --opset 7 or a later one"));
    assert!(matches!(error(99), ExportError::UnknownOpset { opset: 99 }));
    assert!(matches!(error(-1), ExportError::UnknownOpset { .. }));
}

#[test]
fn transforms_are_part_of_the_file() {
    use Transform::{Flatten, Permute, Spherical, StandardizeSamples};
    let folder = std::env::var_os("DASHNAS_EXPORT_DIR");
    let cases: [(BackboneName, [usize; 3], &[Transform]); 7] = [
        (Wrn1d, [2, 1, 24], &[StandardizeSamples]),
        (Wrn2d, [2, 7, 6], &[StandardizeSamples]),
        (Wrn1d, [2, 1, 13], &[Permute]),
        (Wrn2d, [1, 5, 6], &[Permute, StandardizeSamples]),
        (Wrn1d, [2, 4, 5], &[Flatten]),
        (Wrn1d, [2, 4, 5], &[StandardizeSamples, Flatten, Permute, StandardizeSamples]),
        (Wrn2d, [3, 6, 6], &[Permute, Permute]),
    ];
    for (i, (backbone, input, transforms)) in cases.into_iter().enumerate() {
        for task in [TASKS[0], TASKS[3]] {
            let recipe = Recipe { transforms: transforms.to_vec(), ..Recipe::new(backbone, task, input) };
            let (model, mut x) = (recipe.model(), recipe.inputs(3));
            // A channel that does not vary, of a value that single precision rounds: it becomes 0 and not noise.
            let points = input[1] * input[2];
            x.data[..points].fill(1234.567);
            for (opset, raw) in [(9, false), (17, false), (23, false), (17, true)] {
                let options = OnnxOptions { opset, raw };
                let bytes = onnx(&model.to_artefact(), options).expect("exports");
                let agreement = verify(&bytes, &model, raw, &x).unwrap_or_else(|e| panic!("{transforms:?}: {e}"));
                assert!(agreement.relative() < 1e-5, "{transforms:?}: {agreement:?}");
                if let (Some(folder), 17, false) = (&folder, opset, raw) {
                    let name = format!("transforms-{i}-{}", task.name());
                    write(Path::new(folder), &name, &model, options, &x, &bytes);
                }
            }
            // What is left out makes a difference, so that it was seen above.
            let mut without = model.to_artefact();
            if transforms != [Flatten] && transforms != [Permute] && transforms != [Permute, Permute] {
                without.card.transforms.retain(|t| *t != StandardizeSamples);
                let bytes = onnx(&without, OnnxOptions::default()).expect("exports");
                let error = verify(&bytes, &model, false, &x).expect_err("it is another function");
                assert!(matches!(error, Error::Export(ExportError::Disagrees { .. })), "{error}");
            }
        }
    }

    let recipe = Recipe { transforms: vec![Spherical], ..Recipe::new(Wrn2d, TASKS[0], [1, 60, 60]) };
    let artefact = recipe.model().to_artefact();
    let error = onnx(&artefact, OnnxOptions::default()).expect_err("turns are drawn");
    assert!(error.to_string().contains("transform spherical") && error.hint().is_some_and(|h| h.contains("--raw")));
    assert!(torch(&artefact, "m", false).is_err());
    assert!(onnx(&artefact, OnnxOptions { raw: true, ..OnnxOptions::default() }).is_ok());
    let recipe = Recipe { transforms: vec![StandardizeSamples], ..Recipe::new(Wrn1d, TASKS[0], [1, 1, 12]) };
    let error = onnx(&recipe.model().to_artefact(), OnnxOptions { opset: 8, raw: false }).expect_err("no Where yet");
    assert!(error.to_string().contains("Where needs opset 9, for standardization"), "{error}");
}

#[test]
fn a_file_that_computes_something_else_is_noticed() {
    let recipe = Recipe::new(Wrn1d, TASKS[2], [2, 1, 16]);
    let (model, x) = (recipe.model(), recipe.inputs(2));
    let mut other = model.to_artefact();
    other.parameters.get_mut("convs.4.weight").expect("there are nine").values[0] += 0.5;
    let bytes = onnx(&other, OnnxOptions::default()).expect("exports");
    let error = verify(&bytes, &model, false, &x).expect_err("the weights differ");
    assert!(matches!(error, Error::Export(ExportError::Disagrees { .. })), "{error}");
    let error = verify(&bytes[..bytes.len() / 2], &model, false, &x).expect_err("half a file");
    assert!(matches!(error, Error::Export(ExportError::NotRunnable { .. })), "{error}");
    let nothing = Agreement::of(&Array::new(vec![1, 1], vec![f32::NAN]), &[f32::NAN]);
    assert!(nothing.relative() > 1.0 || nothing.relative().is_nan());
}

fn any_recipe() -> impl Strategy<Value = Recipe> {
    let first = prop_oneof![
        Just(vec![]),
        Just(vec![Transform::StandardizeSamples]),
        Just(vec![Transform::Permute]),
        Just(vec![Transform::Permute, Transform::StandardizeSamples])
    ];
    let kernel = (0usize..6, 1usize..16).prop_map(|(half, d)| [2 * half + 1, d]);
    let kernels = proptest::collection::vec(kernel, 1..5);
    let scheme = prop_oneof![Just(Scheme::Identity), Just(Scheme::PerChannel), Just(Scheme::Pointwise)];
    let shape = (any::<bool>(), 1usize..4, 2usize..12, 2usize..12);
    (shape, proptest::sample::select(&TASKS[..]), kernels, scheme, 0u64..1000, first).prop_map(
        |((flat, c, h, w), task, kernels, scheme, seed, transforms)| {
            let backbone: BackboneName = if flat { Wrn1d } else { Wrn2d };
            let input = [c, if flat { 1 } else { h }, w];
            Recipe { backbone, task, input, kernels, scheme, seed, transforms }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]
    /// Any plan, kernels and sizes: the written file computes what the model does, folded or not.
    #[test]
    fn any_network_agrees_in_onnx(recipe in any_recipe(), fold: bool, raw: bool) {
        let (model, x) = (recipe.model(), recipe.inputs(2));
        let model = if fold { folded(&model) } else { model };
        let bytes = onnx(&model.to_artefact(), OnnxOptions { raw, ..OnnxOptions::default() }).expect("exports");
        let agreement = verify(&bytes, &model, raw, &x);
        prop_assert!(agreement.is_ok(), "{:?}", agreement);
    }
}
