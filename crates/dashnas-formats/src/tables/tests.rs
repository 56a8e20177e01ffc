//! Tables as PyArrow writes them, and tables that the crates of the formats write.

use crate::error::DataError;
use crate::options::ReadOptions;
use crate::tables::load::load;
use crate::tables::sources::open;
use crate::tables::table::{Column, Table};
use arrow_array::{ArrayRef, Float32Array, Int64Array, ListArray, RecordBatch, StringArray, types::Float32Type};
use std::path::Path;
use std::sync::Arc;

fn table_with(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Table, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    load(Path::new(name), open(&path, options)?, options)
}

fn table(name: &str, bytes: &[u8]) -> Table {
    table_with(name, bytes, &ReadOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Files as `corpus/make.py` writes them.
macro_rules! made {
    ($name:literal) => {
        made!("parquet/", $name)
    };
    ($format:literal, $name:literal) => {
        ($name, &include_bytes!(concat!("../../../dashnas-fuzz/corpus/", $format, $name))[..])
    };
}

fn numbers(table: &Table, name: &str) -> Vec<f32> {
    let c = table.columns.iter().position(|c| c.name == name).unwrap_or_else(|| panic!("no column {name}"));
    assert!(table.columns[c].facts.is_numeric(), "{name}");
    table.numbers(c).expect("in memory").collect()
}

#[test]
fn every_encoding_and_compression_says_the_same() {
    let files = [
        made!("snappy"),
        made!("plain"),
        made!("gzip_v2"),
        made!("zstd"),
        made!("lz4"),
        made!("split"),
        made!("delta"),
    ];
    let arrow = [made!("arrow/", "plain"), made!("arrow/", "lz4"), made!("arrow/", "stream")];
    let files =
        files.into_iter().map(|file| ("t.parquet", file)).chain(arrow.into_iter().map(|file| ("t.arrow", file)));
    for (format, (name, bytes)) in files {
        let table = table(format, bytes);
        let column = |wanted: &str, value: fn(usize) -> f32| {
            let expected: Vec<f32> = (0..20).map(value).collect();
            assert_eq!(numbers(&table, wanted), expected, "{name}, {wanted}");
        };
        column("f", |i| i as f32 * 0.25);
        column("i", |i| i as f32);
        column("s", |i| i as f32 - 5.0);
        column("u", |i| (u32::MAX - i as u32) as f32);
        column("b", |i| f32::from(i % 3 == 0));
        for (i, v) in numbers(&table, "d").iter().enumerate() {
            let there = *v == (i as f64 / 3.0) as f32;
            assert!(if i % 7 == 3 { v.is_nan() } else { there }, "{name}, d, {i}: {v}");
        }
    }
}

#[test]
fn dates_are_days_times_of_day_seconds_and_decimals_numbers() {
    let parquet = [made!("logical"), made!("logical_decimals"), made!("logical_old")].map(|file| ("t.parquet", file));
    for (format, (name, bytes)) in parquet.into_iter().chain([("t.arrow", made!("arrow/", "logical"))]) {
        let table = table(format, bytes);
        let column = |wanted: &str, value: fn(f64) -> f64| {
            for (i, found) in numbers(&table, wanted).iter().enumerate() {
                assert_eq!(*found, value(i as f64) as f32, "{name}, {wanted}, {i}");
            }
        };
        // 28 February and 1 January 2020; a minute before 1970.
        column("date", |i| 18_320.0 + i);
        ["ms", "us", "ns"].iter().for_each(|unit| column(unit, |i| 18_262.0 + i / 86_400.0));
        column("before", |i| (i - 60.0) / 86_400.0);
        column("time", |i| 3720.0 + i);
        column("small", |i| if i < 3.0 { i - 3.25 } else { i - 2.75 });
        column("large", |i| if i > 3.0 { 2.875 - i } else { 3.125 - i });
        column("half", |i| i / 4.0);
    }
}

#[test]
fn what_arrow_files_do_not_support_is_refused_by_name() {
    let said = |bytes| table_with("t.arrow", bytes, &ReadOptions::default()).unwrap_err().to_string();
    assert!(said(made!("arrow/", "zstd").1).contains("Zstandard is not supported"));
    assert!(said(b"FEA1\0\0\0\0\0\0\0\0").contains("version 1"));
}

/// 4000 times a text of half a megabyte, of which a dictionary holds one.
#[test]
fn texts_of_a_dictionary_are_counted_against_the_limit() {
    let options = ReadOptions { max_bytes: 1 << 24, ..Default::default() };
    let error = table_with("bomb.parquet", made!("bomb").1, &options).unwrap_err().to_string();
    assert!(error.ends_with("bomb.parquet: `label`: its texts are larger than the memory limit"), "{error}");
}

/// A batch of a float, a whole number that float64 rounds, a text and a list.
fn batch() -> RecordBatch {
    let lists = (0..4).map(|i| Some((0..3 + i % 2).map(|v| Some(v as f32)).collect::<Vec<_>>()));
    let columns: [(&str, ArrayRef); 4] = [
        ("x", Arc::new(Float32Array::from(vec![Some(0.5), None, Some(-1.0), Some(2.0)]))),
        ("big", Arc::new(Int64Array::from(vec![9_007_199_254_740_993, 9_007_199_254_740_994, 1, 2]))),
        ("t", Arc::new(StringArray::from(vec!["a", "b", "a", "b"]))),
        ("l", Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(lists))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// The batch twice, in every format that has types.
fn written() -> Vec<(&'static str, Vec<u8>)> {
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
    let batch = batch();
    let mut parquet = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    let mut file = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    let packed = IpcWriteOptions::default().try_with_compression(Some(arrow_ipc::CompressionType::LZ4_FRAME)).unwrap();
    let mut lz4 = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), packed).unwrap();
    for _ in 0..2 {
        parquet.write(&batch).unwrap();
        parquet.flush().unwrap();
        file.write(&batch).unwrap();
        stream.write(&batch).unwrap();
        lz4.write(&batch).unwrap();
    }
    file.finish().unwrap();
    stream.finish().unwrap();
    lz4.finish().unwrap();
    vec![
        ("t.parquet", parquet.into_inner().unwrap()),
        ("t.arrow", file.into_inner().unwrap()),
        ("t.ipc", stream.into_inner().unwrap()),
        ("t.feather", lz4.into_inner().unwrap()),
    ]
}

#[test]
fn every_typed_format_gives_the_same_columns() {
    for (name, bytes) in written() {
        for in_memory in [0, u64::MAX] {
            let options = ReadOptions { in_memory: Some(in_memory), ..Default::default() };
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            let table = load(&path, open(&path, &options).unwrap(), &options).unwrap();
            let facts = |c: usize| &table.columns[c].facts;
            assert_eq!((table.rows(), facts(0).missing, facts(0).first_missing), (8, 2, Some(1)), "{name}");
            let lists = facts(3).lists.map(|lists| (lists.min, lists.max, lists.inner));
            assert_eq!(lists, Some((3, 4, None)), "{name}");
            let found = table.read_texts(&[2, 1], &options).unwrap();
            assert_eq!(found[0][..4], ["a", "b", "a", "b"], "{name}");
            assert_eq!(found[1][..4], ["9007199254740993", "9007199254740994", "1", "2"], "{name}");
        }
    }
}

#[test]
fn cut_files_of_typed_formats_are_refused() {
    for (name, bytes) in written() {
        for n in (0..bytes.len() - 1).step_by(7) {
            // A stream may end after any message.
            let found = table_with(name, &bytes[..n], &ReadOptions::default());
            assert!(found.is_err() || name != "t.parquet", "{name}, {n} bytes");
        }
    }
}

#[test]
fn damaged_files_are_refused_or_read() {
    let options = ReadOptions { max_bytes: 1 << 24, ..Default::default() };
    let mut files = written();
    files.extend([("t.parquet", made!("delta").1.to_vec()), ("t.parquet", made!("zstd").1.to_vec())]);
    files.extend([("t.arrow", made!("arrow/", "lists").1.to_vec()), ("t.arrow", made!("arrow/", "plain").1.to_vec())]);
    files.push(("t.csv", b"a;b;label\n1,5;\"x\";u\n2,5; \"y\";v\n".repeat(3)));
    files.push(("t.jsonl", b"{\"a\": 1, \"l\": [1, null], \"label\": \"x\"}\n".repeat(3)));
    let mut state = 1u64;
    let mut random = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n.max(1)
    };
    for (name, bytes) in files {
        for _ in 0..200 {
            let mut bytes = bytes.clone();
            for _ in 0..1 + random(4) {
                let at = random(bytes.len());
                bytes[at] = [0, 1, 127, 128, 255, b'\n', b'"', random(256) as u8][random(8)];
            }
            if random(8) == 0 {
                bytes.truncate(random(bytes.len()));
            }
            // What matters is that it returns.
            if let Ok(table) = table_with(name, &bytes, &options) {
                let all: Vec<usize> = (0..table.columns.len()).collect();
                assert!(table.rows() < 1 << 20, "{name}");
                let _ = table.read_texts(&all, &options);
            }
        }
    }
}

#[test]
fn json_lines_keep_what_is_written() {
    let text = "{\"x\": 1.0, \"y\": [1, 2], \"n\": [[1], [2]], \"t\": \"a\\u00e4\"}\n\n\
                {\"t\": null, \"x\": 01, \"y\": []}\n";
    let error = table_with("t.jsonl", text.as_bytes(), &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("t.jsonl:3: column"), "{error}");
    let table = table("t.jsonl", text.replace("01", "18446744073709551617").as_bytes());
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["x", "y", "n", "t"]);
    let found = table.read_texts(&[0, 3], &ReadOptions::default()).unwrap();
    assert_eq!(found, [["1.0", "18446744073709551617"], ["aä", ""]]);
    let inner = |c: usize| table.columns[c].facts.lists.map(|lists| lists.inner);
    assert_eq!((inner(1), inner(2)), (Some(None), Some(Some(2))));
    assert_eq!(table.source.line(1).1, 3);
}

#[test]
fn facts_of_blocks_are_those_of_the_whole() {
    use crate::tables::facts::Facts;
    let of = |values: &[f64]| {
        let mut facts = Facts::default();
        values.iter().for_each(|&v| if v.is_nan() { facts.missing() } else { facts.number(v) });
        facts
    };
    let say = |f: &Facts| {
        let places = (f.first_missing, f.first_number, f.top);
        (f.rows, f.missing, f.up, f.down, f.by_one, f.min, f.max, f.distinct(), f.all_differ(), f.all_whole(), places)
    };
    let cases: [&[f64]; 6] = [
        &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        &[6.0, 4.0, 3.0, 2.0, 1.0, 0.5],
        &[1.0, f64::NAN, 2.0, 2.0, f64::NAN, 300.0],
        &[f64::NAN, f64::NAN, 7.0, 8.0, 9.0, 9.5],
        &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        &[-5.0, 5.0, -5.0, 5.0, 4.0, 3.0],
    ];
    for values in cases {
        for at in 0..=values.len() {
            let mut joined = of(&values[..at]);
            joined.merge(&of(&values[at..]));
            assert_eq!(say(&joined), say(&of(values)), "{values:?} at {at}");
        }
    }
}

#[test]
fn floating_point_columns_of_parquet_are_read_as_batches_are() {
    use arrow_array::Float64Array;
    use parquet::file::properties::WriterProperties;
    /// More numbers than are decoded at a time.
    const ROWS: usize = 9001;
    let value = |i: usize| match i % 97 {
        // Few numbers, so that some pages have a dictionary, and all that is missing.
        0 if i > 5000 => None,
        1 if i > 7000 => Some(f64::NAN),
        2 => Some(-0.0),
        rest => Some((rest as f64 - 40.0) * 0.125),
    };
    let whole: Float32Array = (0..ROWS).map(|i| Some(i as f32)).collect();
    let singles: Float32Array = (0..ROWS).map(|i| value(i).map(|v| v as f32)).collect();
    let doubles: Float64Array = (0..ROWS).map(|i| value(i + 3).map(|v| v * 1.1)).collect();
    let fractions: Float64Array = (0..ROWS).map(|i| Some((i * i % 7919) as f64 / 7.0)).collect();
    let texts: StringArray = (0..ROWS).map(|i| Some(["a", "b"][i % 2])).collect();
    let missing: Float64Array = (0..ROWS).map(|_| None::<f64>).collect();
    let columns: [(&str, ArrayRef, bool); 6] = [
        ("whole", Arc::new(whole), false),
        ("singles", Arc::new(singles), true),
        ("texts", Arc::new(texts), false),
        ("doubles", Arc::new(doubles), true),
        ("fractions", Arc::new(fractions), false),
        ("missing", Arc::new(missing), true),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut arrow = arrow_ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    arrow.write(&batch).unwrap();
    arrow.finish().unwrap();
    let expected = table("t.arrow", &arrow.into_inner().unwrap());
    for (dictionary, group, page) in
        [(true, ROWS, 700), (false, ROWS, 100_000), (true, 4100, 100_000), (false, 1000, 50)]
    {
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(dictionary)
            .set_max_row_group_row_count(Some(group))
            .set_data_page_row_count_limit(page)
            .set_write_batch_size(50);
        let mut writer =
            parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build())).unwrap();
        writer.write(&batch).unwrap();
        let found = table("t.parquet", &writer.into_inner().unwrap());
        for (column, same) in found.columns.iter().zip(&expected.columns) {
            let of = |column: &Column| {
                let facts = &column.facts;
                let counts = (facts.rows, facts.missing, facts.first_missing, facts.numbers, facts.texts, facts.top);
                let order = (facts.first_number, facts.up, facts.down, facts.by_one, facts.min, facts.max);
                (counts, order, facts.distinct(), facts.all_whole(), facts.all_differ())
            };
            assert_eq!(of(column), of(same), "{} {dictionary} {group} {page}", column.name);
            let bits = |table: &Table| {
                let c = table.columns.iter().position(|c| c.name == column.name).unwrap();
                table.numbers(c).map(|numbers| numbers.map(f32::to_bits).collect::<Vec<_>>())
            };
            assert_eq!(bits(&found), bits(&expected), "{} {dictionary} {group} {page}", column.name);
        }
    }
}
