//! Tests of data sets. Archives are made here, byte by byte, in every element type.

mod asked;
mod called;
mod cases;
mod cases_media;
mod centering;
mod check;
mod edf;
mod ends;
mod file_backed;
mod fuzz;
mod golden;
mod groups_of_new_data;
mod inputs_of_models;
mod label_files;
mod labeled;
mod matlab;
mod media_kinds;
mod normalize;
mod npz;
mod objects;
mod readers;
mod real;
mod records;
mod refused;
mod sample_facts;
mod split;
mod tables;
mod unknown;
mod unlike;
mod unsaid;
mod unsaid_files;
mod windows;

use crate::assemble::Inputs;
use crate::dataset::Dataset;
use crate::inspect::{self, Inspection};
use crate::normalize::{InputNormalizer, Normalization, Scheme, TargetNormalizer};
use crate::open::{open, open_inputs};
use crate::split::{Split, split_validation};
use crate::targets::Targets;
use dashnas_core::names::TaskName;
use dashnas_core::task::TaskKind;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;
use dashnas_formats::options::{Fill, Layout, Lengths, ReadOptions};
use std::io::{Cursor, Write};
use std::path::Path;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// An archive entry: name, dtype, Fortran order, shape, bytes of the elements.
struct Entry {
    name: &'static str,
    descr: &'static str,
    fortran: bool,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

fn entry(name: &'static str, descr: &'static str, shape: &[usize], bytes: Vec<u8>) -> Entry {
    Entry { name, descr, fortran: false, shape: shape.to_vec(), bytes }
}

fn f32s(name: &'static str, shape: &[usize], values: &[f32]) -> Entry {
    entry(name, "<f4", shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

fn i32s(name: &'static str, shape: &[usize], values: &[i32]) -> Entry {
    entry(name, "<i4", shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

fn u8s(name: &'static str, shape: &[usize], values: &[u8]) -> Entry {
    entry(name, "|u1", shape, values.to_vec())
}

/// 0, 1, 2, … in this shape.
fn ramp(name: &'static str, shape: &[usize]) -> Entry {
    let n: usize = shape.iter().product();
    f32s(name, shape, &(0..n).map(|v| v as f32).collect::<Vec<_>>())
}

/// A NumPy array file with a header of our own making (not the writer under test).
fn npy(e: &Entry) -> Vec<u8> {
    let shape: Vec<String> = e.shape.iter().map(|n| format!("{n},")).collect();
    let fortran = if e.fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{}', 'fortran_order': {fortran}, 'shape': ({}), }}\n", e.descr, shape.join(" "));
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(&e.bytes);
    out
}

fn zipped(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (i, (name, bytes)) in files.iter().enumerate() {
        // Both ways in which NumPy packs.
        let method = if i % 2 == 0 { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        zip.start_file(name.as_str(), SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn archive(entries: &[Entry]) -> Vec<u8> {
    zipped(&entries.iter().map(|e| (format!("{}.npy", e.name), npy(e))).collect::<Vec<_>>())
}

fn read_as(bytes: &[u8], task: Option<TaskName>) -> Result<Dataset, DataError> {
    let options = ReadOptions { task, ..Default::default() };
    crate::npz::load_from(Cursor::new(bytes), Path::new("folder/toy.npz"), &options)
}

fn read(entries: &[Entry]) -> Result<Dataset, DataError> {
    read_as(&archive(entries), None)
}

/// Inputs `[N, 1, 4]` for four training and two test samples, to be completed with targets.
fn with_targets(y_train: Entry, y_test: Entry) -> Vec<Entry> {
    vec![ramp("x_train", &[4, 1, 4]), y_train, ramp("x_test", &[2, 1, 4]), y_test]
}

fn toy(labels: &[u32]) -> Split {
    let n = labels.len();
    let data = (0..n * 4).map(|v| v as f32).collect();
    Split { x: Array::new(vec![n, 1, 4], data), y: Targets::Classes(labels.to_vec()) }
}
