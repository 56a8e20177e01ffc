//! The data set and its cache.

use crate::darcy::{DarcyConfig, SolveProgress};
use dashnas_core::task::{Loss, Metric};
use dashnas_data::normalize::{InputNormalizer, TargetNormalizer};
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use std::sync::Mutex;

fn small() -> DarcyConfig {
    DarcyConfig { resolution: 29, stride: 2, train: 6, test: 3 }
}

fn on_threads<T: Send>(n: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(work)
}

#[test]
fn the_set_is_what_the_paper_describes() {
    let set = small().dataset(4, None, None).unwrap();
    assert_eq!(set.name, "darcy-15");
    assert_eq!((set.dims(), set.channels(), set.spatial()), (2, 3, [15, 15]));
    assert_eq!((set.train.len(), set.test.len()), (6, 3));
    assert_eq!((set.task.default_loss(), set.task.default_metric()), (Loss::RelativeL2, Metric::RelativeL2));
    let (x, y) = (set.train.x.row(2), set.train.y.values().unwrap().row(2));
    assert!(x[..225].iter().all(|&a| a == 3.0 || a == 12.0));
    assert!(x[..225].contains(&3.0) && x[..225].contains(&12.0));
    for p in 0..225 {
        let (r, c) = (p / 15, p % 15);
        assert_eq!((x[225 + p], x[450 + p]), (r as f32 / 14.0, c as f32 / 14.0));
        let edge = [0, 14].contains(&r) || [0, 14].contains(&c);
        assert_eq!(y[p] == 0.0, edge, "({r}, {c})");
        assert!(y[p] >= 0.0);
    }
    // The integral of u is monotone in a: between those of a = 12 and a = 3 everywhere, which are
    // 0.035144 / a (the torsion of the unit square); 3 % for the trapezoidal rule on 15 nodes.
    let integral = y.iter().sum::<f32>() / 196.0;
    assert!((0.97 * 0.035144 / 12.0..1.03 * 0.035144 / 3.0).contains(&integral), "{integral}");
}

#[test]
fn kept_nodes_are_nodes_of_the_fine_solution() {
    let fine = DarcyConfig { stride: 1, ..small() }.dataset(4, None, None).unwrap();
    let kept = DarcyConfig { stride: 4, ..small() }.dataset(4, None, None).unwrap();
    let (fine, kept) = (fine.test.y.values().unwrap(), kept.test.y.values().unwrap());
    for p in 0..64 {
        assert_eq!(kept.row(1)[p], fine.row(1)[p / 8 * 4 * 29 + p % 8 * 4]);
    }
}

#[test]
fn threads_and_sizes_change_nothing() {
    let one = on_threads(1, || small().dataset(4, None, None)).unwrap();
    let three = on_threads(3, || small().dataset(4, None, None)).unwrap();
    assert_eq!(one, three);
    let longer = DarcyConfig { train: 9, test: 5, ..small() }.dataset(4, None, None).unwrap();
    let first: Vec<usize> = (0..6).collect();
    assert_eq!(longer.train.select(&first), one.train);
    assert_eq!(longer.test.select(&first[..3]), one.test);
    let other = small().dataset(5, None, None).unwrap();
    assert_ne!(other.train, one.train);
    assert_ne!(one.train.x.row(0), one.test.x.row(0));
}

#[test]
fn normalization_is_that_of_the_fourier_neural_operator() {
    let set = DarcyConfig { train: 40, ..small() }.dataset(4, None, None).unwrap();
    let mut x = set.train.x.clone();
    InputNormalizer::fit(&x, &set.normalization.input).unwrap().apply(&mut x);
    assert_eq!(x.row(7)[225..], set.train.x.row(7)[225..], "coordinates are left alone");
    let center: Vec<f32> = (0..40).map(|i| x.row(i)[112]).collect();
    assert!(center.iter().sum::<f32>().abs() < 1e-3);
    let fitted = TargetNormalizer::fit(&set.train.y, set.normalization.target);
    let mut y = set.train.y.clone();
    fitted.apply(&mut y);
    let Targets::Values(mut y) = y else { panic!("fields are values") };
    let deviation = |field: &Array| {
        let at: Vec<f64> = (0..40).map(|i| f64::from(field.row(i)[112])).collect();
        let mean = at.iter().sum::<f64>() / 40.0;
        (at.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 39.0).sqrt()
    };
    let std = deviation(set.train.y.values().unwrap());
    assert!((deviation(&y) - std / (std + 1e-5)).abs() < 1e-4);
    fitted.decode(&mut y);
    let raw = set.train.y.values().unwrap();
    assert!(y.data.iter().zip(&raw.data).all(|(a, b)| (a - b).abs() < 1e-7));
    // Whatever a network says of the boundary, decoding puts it back to 0.
    let mut wrong = Array::new(vec![1, 1, 15, 15], vec![3.0; 225]);
    fitted.decode(&mut wrong);
    assert!(wrong.data[0].abs() < 1e-4);
}

#[test]
fn the_cache_holds_the_same_data_and_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let calls = Mutex::new(Vec::new());
    let count = |p: SolveProgress| calls.lock().unwrap().push(p.done);
    let set = |seed| small().dataset(seed, Some(folder.path()), Some(&count)).unwrap();
    let solved = || std::mem::take(&mut *calls.lock().unwrap()).len();

    let made = set(4);
    let mut order = calls.lock().unwrap().clone();
    order.sort_unstable();
    assert_eq!(order, (1..=9).collect::<Vec<_>>());
    solved();
    assert_eq!(set(4), made);
    assert_eq!(solved(), 0, "the second time it is read");
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");

    // It is an ordinary archive of a and u.
    let plain = dashnas_data::npz::load(&files[0], &Default::default()).unwrap();
    assert_eq!(plain.task, made.task);
    assert_eq!(plain.train.y, made.train.y);

    // Damage is noticed, a cut or another configuration under the same name too.
    let good = std::fs::read(&files[0]).unwrap();
    for damage in [good.len() / 3, good.len() / 2, good.len() - 40] {
        let mut bytes = good.clone();
        bytes[damage] ^= 0x10;
        std::fs::write(&files[0], &bytes).unwrap();
        assert_eq!(set(4), made, "byte {damage}");
        solved();
    }
    std::fs::write(&files[0], &good[..good.len() / 2]).unwrap();
    assert_eq!(set(4), made);
    assert_eq!(solved(), 9);
    assert_eq!(std::fs::read(&files[0]).unwrap(), good, "and made anew, to the byte");
    std::fs::write(folder.path().join(small().file_name(5)), &good).unwrap();
    assert_ne!(set(5), made);
    assert_eq!(solved(), 9);
}

#[test]
fn senseless_configurations_are_refused() {
    let refused = |config: DarcyConfig| config.dataset(4, None, None).unwrap_err().to_string();
    assert_eq!(
        refused(DarcyConfig { stride: 3, ..small() }),
        "`darcy.stride` is 3: it must divide darcy.resolution - 1"
    );
    assert!(refused(DarcyConfig { stride: 0, ..small() }).contains("`darcy.stride` is 0:"));
    assert!(refused(DarcyConfig { resolution: 2, ..small() }).contains("`darcy.resolution` is 2:"));
    assert!(refused(DarcyConfig { test: 0, ..small() }).contains("`darcy.test` is 0:"));
    assert_eq!((DarcyConfig::paper().nodes(), DarcyConfig::quick().nodes()), (85, 29));
    let file = tempfile::NamedTempFile::new().unwrap();
    // A cache that is none is done without.
    assert_eq!(small().dataset(4, Some(file.path()), None).unwrap(), small().dataset(4, None, None).unwrap());
}
