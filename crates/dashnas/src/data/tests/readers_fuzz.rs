//! Whatever the bytes, every reader returns. `DASHNAS_FUZZ_CASES` raises the number of cases of each.

use super::readers::{folder, idx, mat5, png, wav};
use super::*;
use crate::data::readers::{arff, csv, delimited, fasta, hdf5, idx as idx_reader, mat, parquet, sound, ts};
use proptest::prelude::*;

/// As many cases as the variable says, or `few`.
pub(crate) fn cases(few: u32) -> ProptestConfig {
    let cases = std::env::var("DASHNAS_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(few);
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

/// A table as pyarrow writes it: columns a (float), b (int64 with gaps), c (int64) and label (text), Snappy.
const PARQUET: &[u8] = include_bytes!("corpus/table.parquet");

fn options() -> ReadOptions {
    ReadOptions { max_bytes: 1 << 24, ..Default::default() }
}

/// Runs the parser of a format on bytes; only that it returns matters.
fn parse(format: usize, bytes: &[u8]) {
    let path = Path::new("fuzz");
    let text = String::from_utf8_lossy(bytes);
    match format {
        0 => drop(ts::parse(path, &text)),
        1 => drop(arff::parse(path, &text)),
        2 => drop(delimited::parse(path, &text)),
        3 => drop(csv::table(path, &text, None)),
        4 => drop(fasta::parse(path, &text)),
        5 => drop(idx_reader::parse(path, bytes, &options())),
        6 => drop(mat::Mat::parse(path, bytes, &options())),
        7 => drop(parquet::table(path, bytes, &options())),
        8 => drop(sound::parse(path, bytes)),
        _ => unreachable!("formats are numbered from 0 to 8"),
    }
}

/// A good file of each format.
fn good(format: usize) -> Vec<u8> {
    match format {
        0 => b"@problemName t\n@classLabel true a b\n@data\n1,2,?:3,4:a\n5,6:7,8:b\n".to_vec(),
        1 => b"@relation 'r'\n@attribute s relational\n@attribute a0 numeric\n@end s\n@attribute 'c d' {a,'b c'}\n@data\n\"1,2\\n3,4\",a\n'5,6',\"b c\"\n".to_vec(),
        2 => b"1\t2.5\tNaN\n-1\t3e4\t5\n".to_vec(),
        3 => b"a;\"b \"\"q\"\"\";label\n1;2;x\n3;;\"y\nz\"\n".to_vec(),
        4 => b">a|x\nACGTN\nAC-GT\n;note\n>b y\nMKV*\n".to_vec(),
        5 => idx(&[2, 3, 3], &[7; 18]),
        6 => mat5(true),
        7 => PARQUET.to_vec(),
        _ => wav(8000, 60, 440.0),
    }
}

/// Changes to a file: bytes overwritten, a part cut out, a part repeated, the end cut off.
#[derive(Debug, Clone)]
struct Damage {
    bytes: Vec<(prop::sample::Index, u8)>,
    cut: Option<(prop::sample::Index, prop::sample::Index)>,
    repeat: Option<(prop::sample::Index, prop::sample::Index)>,
    end: Option<prop::sample::Index>,
}

fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(vec![0u8, 1, 127, 128, 255, b',', b'\n', b'"', b'\'', b'>', b'@', b':', b'{'])
    ];
    (
        prop::collection::vec((any::<prop::sample::Index>(), byte), 0..6),
        any::<Option<(prop::sample::Index, prop::sample::Index)>>(),
        any::<Option<(prop::sample::Index, prop::sample::Index)>>(),
        any::<Option<prop::sample::Index>>(),
    )
        .prop_map(|(bytes, cut, repeat, end)| Damage { bytes, cut, repeat, end })
}

impl Damage {
    fn apply(self, mut file: Vec<u8>) -> Vec<u8> {
        for (at, value) in self.bytes {
            let at = at.index(file.len());
            file[at] = value;
        }
        let span = |(a, b): (prop::sample::Index, prop::sample::Index), n: usize| {
            let (a, b) = (a.index(n), b.index(n));
            a.min(b)..a.max(b).min(a.min(b) + 16)
        };
        if let Some(ends) = self.repeat {
            let part = file[span(ends, file.len())].to_vec();
            let at = ends.1.index(file.len());
            file.splice(at..at, part);
        }
        if let Some(ends) = self.cut {
            file.drain(span(ends, file.len()));
        }
        if let (Some(end), false) = (self.end, file.is_empty()) {
            file.truncate(end.index(file.len()));
        }
        file
    }
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), ascii in "[0-9,.:\n@\"'{}a-cNa?>;\t-]{0,120}") {
        for format in 0..9 {
            parse(format, &bytes);
            parse(format, ascii.as_bytes());
        }
    }

    #[test]
    fn damaged_files(damage in damage()) {
        for format in 0..9 {
            parse(format, &damage.clone().apply(good(format)));
        }
    }

    #[test]
    fn damaged_files_of_other_makers(damage in damage()) {
        let files = folder(&[
            ("a.h5", &damage.clone().apply(hdf5_file())),
            ("p/a/1.png", &damage.clone().apply(png(5, 4, 3))),
            ("p/b/1.png", &png(5, 4, 3)),
        ]);
        if let Ok(mut file) = hdf5::Hdf5::open(&files.path().join("a.h5"), &options()) {
            use crate::data::arrays::Container;
            for name in file.list().iter().map(|i| i.name.clone()).collect::<Vec<_>>() {
                let _ = file.numbers(&name);
            }
        }
        let _ = open_inputs(&files.path().join("p"), &options());
    }
}

fn hdf5_file() -> Vec<u8> {
    let mut builder = hdf5_pure::FileBuilder::new();
    builder.create_dataset("x").with_f32_data(&[1.0; 24]).with_shape(&[4, 1, 6]);
    builder.create_dataset("y").with_i32_data(&[0, 1, 0, 1]).with_shape(&[4]);
    builder.finish().unwrap()
}

/// Files that once made trouble, or stand for a kind of trouble.
#[test]
fn the_corpus() {
    for format in 0..9 {
        for bytes in [
            &b""[..],
            b"\n\n",
            b"\"",
            b"@data",
            b"@attribute",
            b"@attribute a{",
            b"@attribute \xc3\xa9t\xc3\xa9 numeric\n@data\n",
            b">",
            b"1",
            b"\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"PAR1\x15\x00\x00\x00\x01\x00\x00\x00PAR1",
            b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00data\x00\x00\x00\x00",
        ] {
            parse(format, bytes);
        }
        let file = good(format);
        (0..file.len()).step_by(1 + file.len() / 200).for_each(|n| parse(format, &file[..n]));
    }
}

#[test]
fn a_table_of_another_maker_is_read() {
    let table = parquet::table(Path::new("table.parquet"), PARQUET, &options()).unwrap();
    let names: Vec<&str> = table.columns.iter().map(|c| c.0.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "label"]);
    use crate::data::readers::table::Values;
    let numbers = |c: usize| match &table.columns[c].1 {
        Values::Numbers(v) => v.clone(),
        _ => panic!("column {c} holds no numbers"),
    };
    assert_eq!(numbers(0), (0..20).map(|i| i as f32 * 0.25).collect::<Vec<_>>());
    for (i, v) in numbers(1).iter().enumerate() {
        assert!(if i % 7 == 3 { v.is_nan() } else { *v == i as f32 }, "{i}: {v}");
    }
    assert_eq!(numbers(2), (0..20).map(|i| (i % 3) as f32).collect::<Vec<_>>());
    let labels = (0..20).map(|i| ["cat", "dog", "eel"][i % 3].to_owned()).collect();
    assert_eq!(table.columns[3].1, Values::Text(labels));
}
