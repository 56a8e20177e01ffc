//! Parquet tables as PyArrow writes them.

use crate::error::DataError;
use crate::options::ReadOptions;
use crate::parquet;
use crate::tables::table::{Table, Values};
use std::path::Path;

/// Columns a (float), b (int64 with gaps), c (int64) and label (text), Snappy.
const PARQUET: &[u8] = include_bytes!("../../../dashnas-fuzz/corpus/parquet/table");

fn table(bytes: &[u8]) -> Result<Table, DataError> {
    parquet::table(Path::new("table.parquet"), bytes, &ReadOptions::default())
}

#[test]
fn a_table_of_another_maker_is_read() {
    let table = table(PARQUET).unwrap();
    let names: Vec<&str> = table.columns.iter().map(|c| c.0.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "label"]);
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

/// Files as `corpus/make.py` writes them.
macro_rules! made {
    ($name:literal) => {
        ($name, &include_bytes!(concat!("../../../dashnas-fuzz/corpus/parquet/", $name))[..])
    };
}

fn numbers<'a>(table: &'a Table, name: &str) -> &'a [f32] {
    match table.columns.iter().find(|c| c.0 == name) {
        Some((_, Values::Numbers(v))) => v,
        other => panic!("{name}: {other:?}"),
    }
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
    for (name, bytes) in files {
        let table = table(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
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
        let labels = (0..20).map(|i| ["cat", "dog", "eel"][i % 3].to_owned()).collect();
        assert_eq!(table.columns.last().unwrap().1, Values::Text(labels), "{name}");
    }
}

#[test]
fn dates_are_days_times_of_day_seconds_and_decimals_numbers() {
    for (name, bytes) in [made!("logical"), made!("logical_decimals"), made!("logical_old")] {
        let table = table(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
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
fn what_is_not_flat_is_refused_by_name() {
    let error = table(made!("lists").1).unwrap_err().to_string();
    assert!(error.contains("`element`") || error.contains("`l`"), "{error}");
    assert!(error.ends_with("nested columns and lists are not supported"), "{error}");
}

/// 4000 times a text of half a megabyte, of which a dictionary holds one.
#[test]
fn texts_of_a_dictionary_are_counted_against_the_limit() {
    let options = ReadOptions { max_bytes: 1 << 24, ..Default::default() };
    let error = parquet::table(Path::new("bomb.parquet"), made!("bomb").1, &options).unwrap_err().to_string();
    assert_eq!(error, "bomb.parquet: `label`: its texts are larger than the memory limit");
}
