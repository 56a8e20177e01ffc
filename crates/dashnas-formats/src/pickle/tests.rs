//! Pickles as Python writes them, and bytes that are none.

use crate::pickle::write::Value;
use crate::pickle::{Item, Pickle, PickleError};
use proptest::prelude::*;
use std::path::Path;

fn parse(bytes: &[u8]) -> Result<Pickle, PickleError> {
    Pickle::parse(Path::new("t.pkl"), bytes.to_vec())
}

fn sample() -> Value {
    Value::Dict(vec![
        ("data", Value::u8s(&[2, 3], vec![1, 2, 3, 4, 5, 255])),
        ("labels", Value::ints([3, -1])),
        ("x", Value::f32s(&[2], &[0.5, -2.0])),
        ("names", Value::Objects(vec![2], vec![Value::Text("N"), Value::Text("~")])),
    ])
}

#[test]
fn both_pythons_say_the_same() {
    for bytes in [sample().pickle2(), sample().pickle3()] {
        let pickle = parse(&bytes).unwrap();
        let root = pickle.root();
        let data = root.get("data").unwrap().array().unwrap();
        assert_eq!((data.shape, data.data), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 255.0]));
        assert_eq!(root.get("labels").unwrap().array().unwrap().data, [3.0, -1.0]);
        assert_eq!(root.get("x").unwrap().array().unwrap().data, [0.5, -2.0]);
        let names = root.get("names").unwrap().items().unwrap();
        assert_eq!(names.iter().map(|n| n.text().unwrap()).collect::<Vec<_>>(), ["N", "~"]);
        let missing = root.get("y").map(|_| ()).unwrap_err().to_string();
        assert_eq!(missing, "t.pkl: `y` is missing from a dictionary with the keys data, labels, x, names");
    }
}

/// What `pickle.dumps` of CPython 3.11 gives, protocols 0 to 5, for
/// `{"a": [1, -2, 300, 70000, 2**40], "b": (1.5, None, True), "c": "é"}`.
#[test]
fn every_protocol_reads() {
    let cases: [&[u8]; 6] = [
        include_bytes!("corpus/plain.0.pkl"),
        include_bytes!("corpus/plain.1.pkl"),
        include_bytes!("corpus/plain.2.pkl"),
        include_bytes!("corpus/plain.3.pkl"),
        include_bytes!("corpus/plain.4.pkl"),
        include_bytes!("corpus/plain.5.pkl"),
    ];
    for (protocol, bytes) in cases.into_iter().enumerate() {
        let pickle = parse(bytes).unwrap_or_else(|e| panic!("protocol {protocol}: {e}"));
        let root = pickle.root();
        let a: Vec<f64> = root.get("a").unwrap().items().unwrap().iter().map(|v| v.number().unwrap()).collect();
        assert_eq!(a, [1.0, -2.0, 300.0, 70000.0, 1_099_511_627_776.0], "protocol {protocol}");
        let b = root.get("b").unwrap().items().unwrap();
        assert_eq!((b[0].number().unwrap(), b[1].kind().as_str(), b[2].number().unwrap()), (1.5, "None", 1.0));
        assert_eq!(root.get("c").unwrap().text().unwrap(), "é");
    }
}

#[test]
fn nothing_is_executed() {
    let attack = b"cos\nsystem\n(S'echo owned'\ntR.";
    let error = parse(attack).unwrap_err();
    assert!(matches!(&error, PickleError::Refused { name, .. } if name == "os.system"), "{error}");
    assert_eq!(error.to_string(), "t.pkl: at byte 0: the pickle wants `os.system`, which is not plain data");
    // The same by protocol 4's way of naming things.
    let attack = b"\x80\x04\x8c\x05posix\x8c\x06system\x93.";
    assert!(matches!(parse(attack).unwrap_err(), PickleError::Refused { .. }));
}

#[test]
fn bytes_as_python_3_writes_them_in_protocol_2_and_numpy_numbers() {
    // _codecs.encode("ÿ\x00", "latin1")
    let bytes = b"\x80\x02c_codecs\nencode\nX\x03\x00\x00\x00\xc3\xbf\x00X\x06\x00\x00\x00latin1\x86R.";
    assert_eq!(parse(bytes).unwrap().root().text().unwrap(), String::from_utf8_lossy(&[0xff, 0]));
    // numpy.int64(-2)
    let mut scalar = b"\x80\x03cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\x00\x00\x00i8K\x00K\x01\x87R(K\x03X\x01\x00\x00\x00<NNNK\x00K\x00K\x00tbC\x08".to_vec();
    scalar.extend((-2i64).to_le_bytes());
    scalar.extend(b"\x86R.");
    assert_eq!(parse(&scalar).unwrap().root().number().unwrap(), -2.0);
}

#[test]
fn arrays_that_lie_about_their_size_are_refused() {
    let lie = Value::Array("<f8", vec![1 << 20, 1 << 20], vec![0; 16]).pickle3();
    assert!(parse(&lie).unwrap().root().array().is_err());
    let odd = Value::Array("<f8", vec![3], vec![0; 16]).pickle3();
    let error = parse(&odd).unwrap().root().array().unwrap_err().to_string();
    assert_eq!(error, "t.pkl: an array of shape [3] and dtype <f8 has 16 bytes");
}

#[test]
fn npy_files_of_objects() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("d.npy");
    std::fs::write(&path, sample().npy()).unwrap();
    let pickle = Pickle::read_npy(&path).unwrap();
    assert_eq!(pickle.root().unwrapped().get("x").unwrap().array().unwrap().data, [0.5, -2.0]);
    std::fs::write(&path, b"").unwrap();
    assert!(Pickle::read_npy(&path).is_err());
}

/// Reads everything that can be read.
fn explore(item: Item<'_>, depth: usize) {
    let _ = (item.kind(), item.text(), item.number(), item.array(), item.get("data"));
    if depth < 6
        && let Ok(items) = item.items()
    {
        items.into_iter().take(50).for_each(|item| explore(item, depth + 1));
    }
}

proptest! {
    #![proptest_config(dashnas_testing::cases(2000))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(pickle) = parse(&bytes) {
            explore(pickle.root(), 0);
        }
    }

    #[test]
    fn no_instructions_make_it_panic(
        codes in prop::collection::vec(prop::sample::select(
            &b"(012NIJKMLFGSVUCTBX]})ltdaesucRbpgqhrj.\x80\x85\x86\x87\x88\x89\x8a\x8b\x8c\x93\x94\x95\x00\x01\n'"[..]), 0..80),
    ) {
        if let Ok(pickle) = parse(&codes) {
            explore(pickle.root(), 0);
        }
    }

    #[test]
    fn no_damage_makes_it_panic(two: bool, cut in 0usize..600, at in 0usize..600, with: u8) {
        let mut bytes = if two { sample().pickle2() } else { sample().pickle3() };
        let place = at % bytes.len();
        bytes[place] = with;
        bytes.truncate(cut.max(1));
        if let Ok(pickle) = parse(&bytes) {
            explore(pickle.root(), 0);
        }
    }
}
