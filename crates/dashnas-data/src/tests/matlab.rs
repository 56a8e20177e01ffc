//! MATLAB files of the kinds that people save: structures, sparse matrices, samples last, large labels.

use crate::tests::readers::{element, folder, matrix, open_with};
use crate::tests::*;

/// A file of level 5 with these variables.
pub(super) fn file(variables: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"MATLAB 5.0 MAT-file".to_vec();
    out.resize(124, b' ');
    out.extend([0, 1, b'I', b'M']);
    variables.iter().for_each(|v| out.extend(v));
    out
}

/// The beginning of a matrix of a class.
fn head(class: u8, name: &str, shape: &[i32]) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|n| n.to_le_bytes()).collect();
    [element(6, &[class, 0, 0, 0, 0, 0, 0, 0]), element(5, &shape), element(1, name.as_bytes())].concat()
}

/// A structure of one element with these fields.
fn structure(name: &str, fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let names: Vec<u8> = fields.iter().flat_map(|(n, _)| n.bytes().chain([0; 16]).take(16)).collect();
    let mut body = [head(2, name, &[1, 1]), element(5, &16i32.to_le_bytes()), element(1, &names)].concat();
    fields.iter().for_each(|(_, value)| body.extend(value));
    element(14, &body)
}

/// A sparse diagonal matrix of a size.
fn diagonal(name: &str, n: i32) -> Vec<u8> {
    let ints = |range: std::ops::Range<i32>| range.flat_map(i32::to_le_bytes).collect::<Vec<u8>>();
    let values: Vec<u8> = (0..n).flat_map(|i| f64::from(i + 1).to_le_bytes()).collect();
    let body = [head(5, name, &[n, n]), element(5, &ints(0..n)), element(5, &ints(0..n + 1)), element(9, &values)];
    element(14, &body.concat())
}

fn opened(variables: &[Vec<u8>], options: &ReadOptions) -> Result<Dataset, DataError> {
    open_with(&folder(&[("s.mat", &file(variables))]), "s.mat", options)
}

#[test]
fn kinds_of_variables_are_read_or_refused_by_name() {
    let x: Vec<f64> = (0..8 * 3).map(f64::from).collect();
    let y = |base: f64| (0..8).map(|i| base + f64::from(i % 2)).collect::<Vec<f64>>();
    let plain = ReadOptions::default();
    // A structure in a structure; the names are those of MATLAB.
    let inner = structure("", &[("X", matrix("", &[8, 3], &x)), ("y", matrix("", &[8, 1], &y(1.0)))]);
    let nested = structure("s", &[("data", inner)]);
    let set = opened(std::slice::from_ref(&nested), &plain).unwrap();
    assert_eq!((set.channels(), set.spatial()), (1, [1, 3]));
    assert_eq!(set.classes.as_deref().unwrap(), ["1", "2"]);
    let named = ReadOptions { inputs: Some("s.data.X".into()), targets: Some("s.data.y".into()), ..plain.clone() };
    assert!(opened(&[nested], &named).is_ok());
    // Doubles that f32 would merge.
    let large = [matrix("X", &[8, 3], &x), matrix("y", &[8, 1], &y(2f64.powi(40)))];
    let set = opened(&large, &plain).unwrap();
    assert_eq!(set.classes.as_deref().unwrap(), ["1099511627776", "1099511627777"]);
    // Sparse inputs are full.
    let set = opened(&[diagonal("X", 8), matrix("y", &[8, 1], &y(0.0))], &plain).unwrap();
    let first = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    assert!([&set.train, &set.test].iter().any(|s| (0..s.x.rows()).any(|i| s.x.row(i) == first)));
    // Features by samples, and one-hot columns.
    let one_hot: Vec<f64> = (0..8).flat_map(|i| [f64::from((i + 1) % 2), f64::from(i % 2)]).collect();
    let set = opened(&[matrix("X", &[3, 8], &x), matrix("y", &[2, 8], &one_hot)], &plain).unwrap();
    assert_eq!((set.task, set.spatial()), (TaskKind::Classification { classes: 2 }, [1, 3]));
    assert!(set.train.x.data.chunks(3).all(|row| row[1] == row[0] + 1.0 && row[0] % 3.0 == 0.0));
    // New data of the same kind are read in the same way.
    let files = folder(&[("new.mat", &file(&[matrix("X", &[3, 5], &x[..15])]))]);
    let inputs = open_inputs(&files.path().join("new.mat"), &set.reading.of_model(&[1, 3])).unwrap();
    assert_eq!((inputs.x.shape.as_slice(), inputs.x.row(1)), (&[5, 1, 3][..], &[3.0, 4.0, 5.0][..]));
    // What cannot be read is passed over beside arrays, and refused by name where it is asked for.
    let object = {
        let body =
            [element(6, &[17, 0, 0, 0, 0, 0, 0, 0]), element(1, b"label"), element(1, b"MCOS"), element(1, b"string")];
        element(14, &body.concat())
    };
    let struct_array = element(14, &[head(2, "X", &[1, 4]), element(5, &16i32.to_le_bytes())].concat());
    let arrays = || vec![matrix("X", &[8, 3], &x), matrix("y", &[8, 1], &y(0.0))];
    assert!(opened(&[arrays(), vec![object.clone()]].concat(), &plain).is_ok());
    for (variables, words) in [
        (vec![matrix("X", &[8, 3], &x), object], &["`label`", "class string", "cellstr(label)"][..]),
        (vec![struct_array, matrix("y", &[8, 1], &y(0.0))], &["`X`", "struct array of 1×4", "cat(1, s.X)"]),
    ] {
        let error = opened(&variables, &plain).unwrap_err();
        let said = format!("{error} {}", error.hint().unwrap_or_default());
        words.iter().for_each(|word| assert!(said.contains(word), "`{said}` does not say `{word}`"));
    }
}

#[test]
fn damaged_structures_and_sparse_matrices_are_refused() {
    let damaged = [
        element(
            14,
            &[head(5, "X", &[2, 2]), element(5, &[9, 0, 0, 0]), element(5, &[0; 12]), element(9, &[0; 8])].concat(),
        ),
        element(14, &[head(5, "X", &[2, 2]), element(5, &[]), element(5, &[0; 4]), element(9, &[])].concat()),
        element(14, &[head(2, "X", &[1, 1]), element(5, &[16, 0, 0, 0]), element(1, &[b'a'; 16])].concat()),
        element(14, &head(5, "X", &[i32::MAX, i32::MAX])),
    ];
    for variable in damaged {
        let options = ReadOptions { max_bytes: 1 << 20, ..Default::default() };
        assert!(opened(&[variable, matrix("y", &[2, 1], &[0.0, 1.0])], &options).is_err());
    }
}
