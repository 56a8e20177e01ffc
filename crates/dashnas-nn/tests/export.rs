//! Exported models are compared with the models themselves, over a matrix of small networks with random weights: every
//! backbone, head, dimension and kernel of the search spaces, odd and even sizes, kernels wider than the input.
//!
//! With `DASHNAS_EXPORT_DIR` set, the matrix is also written there, with inputs and outputs, for other programs to
//! run.

mod common;

use common::Recipe;
use dashnas_core::names::BackboneName;
use dashnas_core::names::BackboneName::{ConvNextAtto, ConvNextT, InceptionTime, ResNet1d, Tcn, UNet, Wrn1d, Wrn2d};
use dashnas_core::task::TaskKind;
use dashnas_data::normalize::Scheme;
use dashnas_data::transform::kind::Transform;
use dashnas_formats::array::Array;
use dashnas_nn::error::{ExportError, ModelError};
use dashnas_nn::export::fold::fold_batch_norm;
use dashnas_nn::export::onnx::{OnnxOptions, onnx};
use dashnas_nn::export::torch::torch;
use dashnas_nn::export::verify::{Agreement, other_size, verify};
use dashnas_nn::model::Model;
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

/// The kernels that a layer can choose by default.
fn space(backbone: BackboneName) -> Vec<[usize; 2]> {
    let sizes: &[usize] = if backbone.dims() == 1 { &[3, 7, 11, 15, 19] } else { &[3, 5, 7, 9] };
    sizes.iter().flat_map(|&k| [1, 3, 7, 15].map(|d| [k, d])).collect()
}

/// The kernels of the default space and some that only a user asks for, distributed over three networks; many reach far
/// beyond the inputs.
fn kernel_lists(backbone: BackboneName) -> [Vec<[usize; 2]>; 3] {
    let all = [space(backbone), vec![[1, 1], [5, 3], [7, 2], [3, 4], [9, 15], [11, 5], [21, 2]]].concat();
    [0, 1, 2].map(|i| all.iter().copied().skip(i).step_by(3).collect())
}

/// Every backbone with every task and all kernels, over odd, even and small sizes.
fn matrix() -> Vec<(String, Recipe)> {
    let (series, grids) = ([[2, 1, 24], [1, 1, 13], [3, 1, 5]], [[1, 8, 8], [3, 7, 9], [2, 10, 3]]);
    // New ones come last, so that the weights of the others stay the same.
    let sizes = [
        (Wrn1d, series),
        (InceptionTime, series),
        (Tcn, series),
        (Wrn2d, grids),
        (UNet, grids),
        (ResNet1d, series),
        (ConvNextAtto, grids),
        (ConvNextT, grids),
    ];
    let mut found = Vec::new();
    for (backbone, inputs) in sizes {
        for task in TASKS {
            for (input, kernels) in inputs.into_iter().zip(kernel_lists(backbone)) {
                for scheme in [Scheme::PerChannel, Scheme::Pointwise] {
                    // Two-dimensional networks are slow to run again and again: one scheme for each.
                    if backbone.dims() == 2 && (scheme == Scheme::Pointwise) != (input[1] == 7) {
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
    let artifact = fold_batch_norm(&model.to_artifact()).expect("the model is whole");
    Model::from_artifact(artifact, model.device()).expect("the parts fit")
}

#[test]
fn the_matrix_has_every_kernel_of_the_spaces_with_every_head() {
    let matrix = matrix();
    for backbone in BackboneName::ALL {
        for task in TASKS {
            let of = |r: &&Recipe| r.backbone == backbone && r.task == task;
            let networks = matrix.iter().map(|(_, recipe)| recipe).filter(of);
            let kernels: Vec<[usize; 2]> =
                networks.flat_map(|r| r.model().card().architecture.kernels.clone()).collect();
            let missing: Vec<_> = space(backbone).into_iter().filter(|pair| !kernels.contains(pair)).collect();
            assert!(missing.is_empty(), "{backbone:?} for {task}: no {missing:?}");
        }
    }
}

/// Writes the files with which another program can repeat the comparison: inputs `.x` and outputs `.y`, and, where the
/// network takes any length or size, `.x2` and `.y2` of another size and another batch.
fn write(folder: &Path, name: &str, model: &Model, options: OnnxOptions, [x, other]: [&Array; 2], bytes: &[u8]) {
    let file = |suffix: &str| folder.join(format!("{name}{suffix}"));
    let array = |a: &Array| {
        let shape: Vec<String> = a.shape.iter().map(usize::to_string).collect();
        let mut bytes = format!("{}\n", shape.join(" ")).into_bytes();
        bytes.extend(a.data.iter().flat_map(|v| v.to_le_bytes()));
        bytes
    };
    fs::create_dir_all(folder).expect("writable");
    let pair = |x: &Array, [given, outputs]: [&str; 2]| {
        let y =
            if options.raw { model.outputs(x) } else { model.predict(x).map(|y| y.values) }.expect("the inputs fit");
        let mut x = x.clone();
        if options.raw {
            x = dashnas_data::transform::inputs("x", x, &model.card().transforms).expect("they apply");
            model.card().inputs.apply(&mut x);
        }
        fs::write(file(given), array(&x)).expect("writable");
        fs::write(file(outputs), array(&y)).expect("writable");
    };
    pair(x, [".x", ".y"]);
    if model.card().any_size() {
        pair(other, [".x2", ".y2"]);
    }
    let module = torch(&model.to_artifact(), &format!("{name}.safetensors"), options.raw).expect("exports");
    fs::write(file(".onnx"), bytes).expect("writable");
    fs::write(file(".safetensors"), module.weights).expect("writable");
    fs::write(file(".py"), module.module).expect("writable");
}

/// Returns inputs of another size and another batch size.
fn inputs_at_other_size(recipe: &Recipe) -> Array {
    let [_, h, w] = recipe.input;
    recipe.inputs_of(5, if h == 1 { 1 } else { h + h / 2 + 1 }, w + w / 2 + 1)
}

/// Networks for samples with lengths of their own, with every task, also with a transform.
fn masked() -> Vec<(String, Recipe)> {
    let mut found = Vec::new();
    for (backbone, input) in [
        (Wrn1d, [2, 1, 24]),
        (Wrn1d, [1, 1, 13]),
        (InceptionTime, [2, 1, 19]),
        (Tcn, [2, 1, 19]),
        (Wrn2d, [2, 7, 9]),
        (UNet, [2, 7, 9]),
        (ResNet1d, [2, 1, 24]),
        (ConvNextAtto, [2, 7, 9]),
    ] {
        for task in TASKS {
            for transforms in [vec![], vec![Transform::StandardizeSamples]] {
                let kernels = kernel_lists(backbone)[found.len() % 3].clone();
                let name = format!("masked-{:02}-{}-{}", found.len(), backbone.name(), task.name());
                let seed = 100 + found.len() as u64;
                let recipe = Recipe { kernels, seed, transforms, masked: true, ..Recipe::new(backbone, task, input) };
                found.push((name, recipe));
            }
        }
    }
    found
}

/// A file of an opset without the operators that lengths need is refused with the one that has them.
#[test]
fn lengths_need_opset_11() {
    let recipe = Recipe { masked: true, ..Recipe::new(Wrn1d, TASKS[0], [2, 1, 24]) };
    let error = onnx(&recipe.model().to_artifact(), OnnxOptions { opset: 10, raw: false }).unwrap_err();
    assert!(matches!(error, ExportError::Opset { needs: 11, operator: "Range", .. }), "{error}");
}

#[test]
fn every_network_of_the_matrix_agrees_in_onnx() {
    let folder = std::env::var_os("DASHNAS_EXPORT_DIR");
    let (mut worst, mut compared) = (0f64, 0);
    for (i, (name, recipe)) in matrix().into_iter().chain(masked()).enumerate() {
        let (model, x, other) = (recipe.model(), recipe.inputs(3), inputs_at_other_size(&recipe));
        let folded = folded(&model);
        // Outputs after the end of a sample are NaN.
        let known = |model: &Model| {
            let mut values = model.predict(&x).expect("fits").values;
            values.data.iter_mut().filter(|v| recipe.masked && v.is_nan()).for_each(|v| *v = 0.0);
            values
        };
        let agreement = Agreement::of(&known(&model), &known(&folded).data);
        assert!(agreement.relative() < 1e-5, "{name}: folding changes the outputs: {agreement:?}");
        // Lengths, finer grids, last positions and layer normalizations need a later version.
        let opsets = match recipe.backbone {
            ConvNextAtto | ConvNextT => [17, 18, 19, 20, 21, 23],
            _ if recipe.masked || matches!(recipe.backbone, UNet | Tcn) => [17, 11, 12, 13, 21, 23],
            _ => [17, 7, 9, 13, 21, 23],
        };
        for (variant, model, raw) in [("", &model, false), ("-raw", &model, true), ("-folded", &folded, false)] {
            let options = OnnxOptions { opset: opsets[i % opsets.len()], raw };
            let bytes = onnx(&model.to_artifact(), options).expect("exports");
            let agreement = verify(&bytes, model, raw, &x).unwrap_or_else(|e| panic!("{name}{variant}: {e}"));
            worst = worst.max(agreement.relative());
            compared += 1;
            if let Some(folder) = &folder {
                write(Path::new(folder), &format!("{name}{variant}"), model, options, [&x, &other], &bytes);
            }
        }
    }
    println!("{compared} ONNX files; the largest relative difference is {worst:.2e}");
    assert!(worst < 1e-5, "far inside the tolerance, or something is approximate: {worst:e}");
}

#[test]
fn a_network_with_branches_agrees_in_onnx() {
    let folder = std::env::var_os("DASHNAS_EXPORT_DIR");
    for (i, (backbone, input)) in [(Wrn1d, [2, 1, 13]), (Wrn2d, [2, 7, 6])].into_iter().enumerate() {
        for task in [TASKS[0], TASKS[3]] {
            let recipe = Recipe { branched: true, ..Recipe::new(backbone, task, input) };
            let (model, x) = (recipe.model(), recipe.inputs(3));
            let folded = folded(&model);
            let norms = |m: &Model| m.to_artifact().parameters.keys().filter(|k| k.ends_with("gamma")).count();
            assert_eq!((norms(&model), norms(&folded)), (5, 2), "a concatenation's and a sum's are left");
            for (name, model) in [("", &model), ("-folded", &folded)] {
                let options = OnnxOptions::default();
                let bytes = onnx(&model.to_artifact(), options).expect("exports");
                let agreement = verify(&bytes, model, false, &x).unwrap_or_else(|e| panic!("{backbone:?}{name}: {e}"));
                assert!(agreement.relative() < 1e-5, "{agreement:?}");
                if let Some(folder) = &folder {
                    let name = format!("branched-{i}-{}{name}", task.name());
                    write(Path::new(folder), &name, model, options, [&x, &inputs_at_other_size(&recipe)], &bytes);
                }
            }
            let same =
                Agreement::of(&model.predict(&x).expect("fits").values, &folded.predict(&x).expect("fits").values.data);
            assert!(same.relative() < 1e-5, "folding changes the outputs: {same:?}");
        }
    }
}

#[test]
fn a_file_takes_any_batch_and_size_the_network_takes() {
    for (backbone, input, h, w) in [(Wrn1d, [2, 1, 16], 1, 37), (Wrn2d, [1, 8, 8], 5, 12)] {
        for task in [TASKS[0], TASKS[3]] {
            let recipe = Recipe::new(backbone, task, input);
            let model = recipe.model();
            let bytes = onnx(&model.to_artifact(), OnnxOptions::default()).expect("exports");
            for n in [1, 4] {
                verify(&bytes, &model, false, &recipe.inputs_of(n, h, w)).expect("agrees at another size");
            }
        }
    }
}

#[test]
fn folding_leaves_only_normalizations_of_sums() {
    let norms = |m: &Model| m.to_artifact().parameters.keys().filter(|k| k.ends_with("gamma")).count();
    let series = Recipe::new(Wrn1d, TASKS[0], [2, 1, 16]).model();
    assert_eq!((norms(&series), norms(&folded(&series))), (11, 0));
    let images = Recipe::new(Wrn2d, TASKS[0], [2, 8, 8]).model();
    // The first of each of the six blocks and the last one of all follow sums, or the stem.
    assert_eq!((norms(&images), norms(&folded(&images))), (13, 7));
    // The folded model can be saved and loaded as any other.
    let again = folded(&images);
    assert_eq!(folded(&again).to_artifact(), again.to_artifact());
}

#[test]
fn an_opset_that_cannot_hold_the_network_is_refused() {
    let artifact = Recipe::new(Wrn1d, TASKS[0], [2, 1, 16]).model().to_artifact();
    let error = |opset| onnx(&artifact, OnnxOptions { opset, raw: true }).expect_err("it cannot");
    let old = error(6);
    assert_eq!(
        old.to_string(),
        "ONNX opset 6 cannot express this network: BatchNormalization needs opset 7 (for batch normalization outside \
         training)"
    );
    assert_eq!(old.hint().as_deref(), Some("use opset 7 or a later version"));
    assert!(matches!(error(99), ExportError::UnknownOpset { opset: 99, .. }));
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
            // A constant channel, whose value single precision rounds, becomes 0 and not noise.
            let points = input[1] * input[2];
            x.data[..points].fill(1234.567);
            for (opset, raw) in [(9, false), (17, false), (23, false), (17, true)] {
                let options = OnnxOptions { opset, raw };
                let bytes = onnx(&model.to_artifact(), options).expect("exports");
                let agreement = verify(&bytes, &model, raw, &x).unwrap_or_else(|e| panic!("{transforms:?}: {e}"));
                assert!(agreement.relative() < 1e-5, "{transforms:?}: {agreement:?}");
                if let (Some(folder), 17, false) = (&folder, opset, raw) {
                    let name = format!("transforms-{i}-{}", task.name());
                    write(Path::new(folder), &name, &model, options, [&x, &inputs_at_other_size(&recipe)], &bytes);
                }
            }
            // Leaving out the transform makes a difference, so that the comparison above tested it.
            let mut without = model.to_artifact();
            if transforms != [Flatten] && transforms != [Permute] && transforms != [Permute, Permute] {
                without.card.transforms.retain(|t| *t != StandardizeSamples);
                let bytes = onnx(&without, OnnxOptions::default()).expect("exports");
                let error = verify(&bytes, &model, false, &x).expect_err("it is another function");
                assert!(matches!(error, ModelError::Export(ExportError::Disagrees { .. })), "{error}");
            }
        }
    }

    let recipe = Recipe { transforms: vec![Spherical], ..Recipe::new(Wrn2d, TASKS[0], [1, 60, 60]) };
    let artifact = recipe.model().to_artifact();
    let error = onnx(&artifact, OnnxOptions::default()).expect_err("turns are drawn");
    assert!(
        error.to_string().contains("transform spherical") && error.hint().is_some_and(|h| h.contains("raw network"))
    );
    assert!(torch(&artifact, "m", false).is_err());
    assert!(onnx(&artifact, OnnxOptions { raw: true, ..OnnxOptions::default() }).is_ok());
    let recipe = Recipe { transforms: vec![StandardizeSamples], ..Recipe::new(Wrn1d, TASKS[0], [1, 1, 12]) };
    let error = onnx(&recipe.model().to_artifact(), OnnxOptions { opset: 8, raw: false }).expect_err("no Where yet");
    assert!(error.to_string().contains("Where needs opset 9 (for standardization"), "{error}");
}

/// In units such as kelvins or years, the part of the targets that a network learns is small compared with the offset.
#[test]
fn an_error_is_detected_whatever_the_units_of_the_targets() {
    for (task, scheme) in
        [(TASKS[2], Scheme::PerChannel), (TASKS[3], Scheme::PerChannel), (TASKS[3], Scheme::Pointwise)]
    {
        for offset in [0.0, 1e3, 1e5, -1e6] {
            let recipe = Recipe { offset, scheme, ..Recipe::new(Wrn1d, task, [2, 1, 16]) };
            let (model, x) = (recipe.model(), recipe.inputs(4));
            let bytes = onnx(&model.to_artifact(), OnnxOptions::default()).expect("exports");
            let agreement = verify(&bytes, &model, false, &x).unwrap_or_else(|e| panic!("{task} at {offset}: {e}"));
            assert!((1.0..100.0).contains(&agreement.scale), "in the network's units: {agreement:?}");
            // The bias of the head is off by a fifth of the standard deviation of the targets.
            let mut other = model.to_artifact();
            let bias = other.parameters.iter_mut().find(|(name, _)| name.contains("head_bias")).expect("it has one");
            bias.1.values[0] += 0.2;
            let bytes = onnx(&other, OnnxOptions::default()).expect("exports");
            let error = verify(&bytes, &model, false, &x).expect_err("another function");
            assert!(matches!(error, ModelError::Export(ExportError::Disagrees { .. })), "{task} at {offset}: {error}");
        }
    }
    // Without a normalization of the targets, the spread of the outputs is the scale.
    let y = Array::new(vec![4, 1], vec![1000.0, 1001.0, 1002.0, 1001.0]);
    let found: Vec<f32> = y.data.iter().map(|v| v + 0.01).collect();
    assert!(Agreement::of(&y, &found).relative() > 9e-5 && Agreement::of(&y, &y.data).relative() == 0.0);
    let steady = Array::new(vec![2, 2], vec![0.5; 4]);
    assert!(Agreement::of(&steady, &[0.500_000_06; 4]).relative() < 1e-5);
    assert!(Agreement::of(&steady, &[0.501; 4]).relative() > 1e-3);
}

#[test]
fn a_file_that_is_right_at_one_length_only_is_detected() {
    let recipe = Recipe::new(Wrn1d, TASKS[0], [2, 1, 16]);
    let (model, x) = (recipe.model(), recipe.inputs(3));
    assert_eq!(other_size(model.card(), &x.shape), Some(vec![25]));
    // The same normalization as a pointwise one.
    let mut tied = model.to_artifact();
    let mut card = serde_json::to_value(&tied.card).expect("it is data");
    for channel in card["inputs"]["channels"].as_array_mut().expect("one for each channel") {
        let (mean, scale) = (channel["mean"].clone(), channel["scale"].clone());
        *channel = serde_json::json!({ "scheme": "pointwise", "mean": vec![mean; 16], "scale": vec![scale; 16] });
    }
    tied.card = serde_json::from_value(card).expect("it is a card");
    assert_eq!(other_size(&tied.card, &x.shape), None);
    let bytes = onnx(&tied, OnnxOptions::default()).expect("exports");
    let same = Model::from_artifact(tied, model.device()).expect("the parts fit");
    verify(&bytes, &same, false, &x).expect("it is right for the network that is tied to its length");
    let error = verify(&bytes, &model, false, &x).expect_err("this one takes any");
    assert!(matches!(error, ModelError::Export(ExportError::NotRunnable { .. })), "{error}");
}

#[test]
fn a_file_that_computes_something_else_is_detected() {
    let recipe = Recipe::new(Wrn1d, TASKS[2], [2, 1, 16]);
    let (model, x) = (recipe.model(), recipe.inputs(2));
    let mut other = model.to_artifact();
    other.parameters.get_mut("convs.4.weight").expect("there are nine").values[0] += 0.5;
    let bytes = onnx(&other, OnnxOptions::default()).expect("exports");
    let error = verify(&bytes, &model, false, &x).expect_err("the weights differ");
    assert!(matches!(error, ModelError::Export(ExportError::Disagrees { .. })), "{error}");
    let error = verify(&bytes[..bytes.len() / 2], &model, false, &x).expect_err("half a file");
    assert!(matches!(error, ModelError::Export(ExportError::NotRunnable { .. })), "{error}");
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
    let kernel = (0usize..10, 1usize..16).prop_map(|(half, d)| [2 * half + 1, d]);
    let kernels = proptest::collection::vec(kernel, 1..5);
    let scheme = prop_oneof![Just(Scheme::Identity), Just(Scheme::PerChannel), Just(Scheme::Pointwise)];
    let shape = (any::<bool>(), 1usize..4, 2usize..12, 2usize..12);
    (shape, proptest::sample::select(&TASKS[..]), kernels, scheme, 0u64..1000, first).prop_map(
        |((flat, c, h, w), task, kernels, scheme, seed, transforms)| {
            let backbone: BackboneName = if flat { Wrn1d } else { Wrn2d };
            let input = [c, if flat { 1 } else { h }, w];
            Recipe { kernels, scheme, seed, transforms, ..Recipe::new(backbone, task, input) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]
    /// Any graph, kernels and sizes: the written file computes what the model does, folded or not.
    #[test]
    fn any_network_agrees_in_onnx(recipe in any_recipe(), fold: bool, raw: bool) {
        let (model, x) = (recipe.model(), recipe.inputs(2));
        let model = if fold { folded(&model) } else { model };
        let bytes = onnx(&model.to_artifact(), OnnxOptions { raw, ..OnnxOptions::default() }).expect("exports");
        let agreement = verify(&bytes, &model, raw, &x);
        prop_assert!(agreement.is_ok(), "{:?}", agreement);
    }
}
