//! The readers under test.

use crate::models;
use crate::runner::{Target, fuzz};
use dashnas::checkpoint;
use dashnas::config::Config;
use dashnas::config::layers::Override;
use dashnas_core::names::Preset;
use dashnas_data::dataset::Dataset;
use dashnas_data::open::{open, open_inputs};
use dashnas_formats::container::Container;
use dashnas_formats::folders::labels;
use dashnas_formats::hdf5;
use dashnas_formats::media::sound;
use dashnas_formats::npy::NpyHeader;
use dashnas_formats::options::{ReadOptions, Span};
use dashnas_formats::pickle::{Item, Pickle};
use dashnas_nn::artifact::Artifact;
use dashnas_nn::model::Model;
use std::cell::RefCell;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The most bytes that arrays may take here.
const LIMIT: u64 = 16 << 20;

fn options() -> ReadOptions {
    ReadOptions { max_bytes: LIMIT, ..Default::default() }
}

thread_local! {
    static FOLDER: RefCell<TempDir> = RefCell::new(tempfile::tempdir().expect("a temporary folder"));
}

/// Calls `work` with a folder that holds these files, and no others if they always have the same names.
fn with<T>(files: &[(&str, &[u8])], work: impl FnOnce(&Path) -> T) -> T {
    FOLDER.with_borrow(|folder| {
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
        work(folder.path())
    })
}

fn said<T>(result: Result<T, impl std::fmt::Display>, more: impl FnOnce(T) -> String) -> String {
    result.map_or_else(|e| e.to_string(), more)
}

/// A description of a data set.
fn described(set: Dataset) -> String {
    // The summary is computed and printed as well; the description consists of these.
    let _ = set.inspect().map(|summary| summary.to_string());
    format!("{:?} {:?} {:?}", set.task, set.origin.notes, set.reading.columns.is_some())
}

/// Opens a path as a data set and as inputs.
fn opened(path: &Path) -> String {
    let set = said(open(path, &options()), described);
    let filled = ReadOptions { fill_missing: Some(dashnas_formats::options::Fill::Linear), ..options() };
    let inputs = said(open_inputs(path, &filled), |inputs| format!("{:?}", inputs.x.shape.len()));
    format!("{set} / {inputs}")
}

/// Opens a path as recordings that are cut into windows.
fn cut(path: &Path) -> String {
    let windows = ReadOptions {
        window: Some(Span::Steps(3)),
        stride: Some(Span::Steps(2)),
        fill_missing: Some(dashnas_formats::options::Fill::Linear),
        ..options()
    };
    let set = said(open(path, &windows), described);
    let seconds = ReadOptions { window: Some(Span::Seconds(0.01)), stride: None, time: Some("0:s".into()), ..windows };
    let inputs = said(open_inputs(path, &seconds), |inputs| format!("{:?}", inputs.windows.is_some()));
    format!("{set} / {inputs}")
}

/// Opens a file of this name.
fn file(name: &str, bytes: &[u8]) -> String {
    with(&[(name, bytes)], |folder| opened(&folder.join(name)))
}

fn none() -> Vec<Vec<u8>> {
    Vec::new()
}

/// Labels of ten samples, in files beside the one under test.
const LABELS: &[u8] = &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1];

fn npy(bytes: &[u8]) -> String {
    let mut y = Vec::new();
    dashnas_formats::npy::write(&mut y, "|u1", &[LABELS.len()], LABELS).expect("memory");
    with(&[("x.npy", bytes), ("y.npy", &y)], |folder| {
        let path = folder.join("x.npy");
        // Without memory for inputs, they stay in their file.
        let outside = open(&path, &ReadOptions { in_memory: Some(0), ..options() });
        let text = said(NpyHeader::read(&mut &bytes[..]).map_err(|e| format!("{e:?}")), |header| {
            let body = bytes.get(header.len..).unwrap_or(&[]);
            said(header.read_text(&mut &*body).map_err(|e| format!("{e:?}")), |t| format!("{}", t.len()))
        });
        let objects = said(Pickle::read_npy(&path), |p| p.root().kind());
        format!("{} / {} / {text} / {objects}", opened(&path), said(outside, described))
    })
}

fn npz(bytes: &[u8]) -> String {
    with(&[("f.npz", bytes)], |folder| {
        let path = folder.join("f.npz");
        let outside = open(&path, &ReadOptions { in_memory: Some(0), ..options() });
        format!("{} / {}", opened(&path), said(outside, described))
    })
}

/// Reads every value that can be read.
fn explore(item: Item<'_>, depth: usize) -> String {
    let _ = (item.text(), item.number(), item.get("data").map(|_| ()));
    let array = said(item.array(), |a| format!("{}", a.shape.len()));
    let items = item.items().unwrap_or_default();
    let inner: Vec<String> = match depth {
        0..4 => items.into_iter().take(20).map(|item| explore(item, depth + 1)).collect(),
        _ => Vec::new(),
    };
    format!("{} {array} {}", item.kind(), inner.join(" "))
}

fn pickle(bytes: &[u8]) -> String {
    said(Pickle::parse(Path::new("f.pkl"), bytes.to_vec()), |pickle| explore(pickle.root(), 0))
}

fn idx(bytes: &[u8]) -> String {
    let labels = [&[0, 0, 8, 1, 0, 0, 0, LABELS.len() as u8], LABELS].concat();
    let files = [("train-images-idx3-ubyte", bytes), ("train-labels-idx1-ubyte", &labels)];
    with(&files, |folder| opened(&folder.join("train-images-idx3-ubyte")))
}

fn idx_packed(bytes: &[u8]) -> String {
    let labels = [&[0, 0, 8, 1, 0, 0, 0, LABELS.len() as u8], LABELS].concat();
    let files = [("train-images-idx3-ubyte.gz", bytes), ("train-labels-idx1-ubyte", &labels)];
    with(&files, |folder| opened(&folder.join("train-images-idx3-ubyte.gz")))
}

fn mat(bytes: &[u8]) -> String {
    let reference = b"A1,N\nA2,A\nA3,N\nA4,A\n";
    let good = mat4();
    let files = [
        ("r/A1.mat", bytes),
        ("r/A2.mat", &good),
        ("r/A3.mat", &good),
        ("r/A4.mat", &good),
        ("r/REFERENCE.csv", reference),
    ];
    let recordings = with(&files, |folder| said(open(&folder.join("r"), &options()), described));
    format!("{} / {recordings}", file("f.mat", bytes))
}

/// A recording `val` of one row.
fn mat4() -> Vec<u8> {
    let head = [30u32, 1, 6, 0, 4].map(u32::to_le_bytes).concat();
    [&head[..], b"val\0", &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]].concat()
}

fn hdf5(bytes: &[u8]) -> String {
    with(&[("f.h5", bytes)], |folder| {
        let path = folder.join("f.h5");
        let arrays = said(hdf5::Hdf5::open(&path, &options()), |mut file| {
            let names: Vec<String> = file.list().iter().map(|info| info.name.clone()).collect();
            let read = |name: &String| {
                let whole = said(file.whole(name), |whole| format!("{}", whole.is_some()));
                let text = said(file.text(name), |text| format!("{}", text.is_empty()));
                let numbers = said(file.numbers(name, None), |(array, whole)| format!("{} {whole}", array.shape.len()));
                format!("{numbers} {whole} {text}")
            };
            names.iter().map(read).collect::<Vec<_>>().join(" ")
        });
        format!("{arrays} / {}", opened(&path))
    })
}

fn hdf5_files() -> Vec<Vec<u8>> {
    let mut builder = hdf5_pure::FileBuilder::new();
    builder.create_dataset("x").with_f32_data(&[1.0; 60]).with_shape(&[10, 1, 6]);
    builder.create_dataset("y").with_i32_data(&[0, 1, 0, 1, 0, 1, 0, 1, 0, 1]).with_shape(&[10]);
    vec![builder.finish().expect("a small file")]
}

/// Decodes a file of sound, and reads it as a sample.
fn sound(extension: &str, bytes: &[u8]) -> String {
    let name = format!("{extension}/f.{extension}");
    let clip = said(sound::parse(Path::new(&name), bytes, LIMIT), |clip| format!("{:?}", clip.defect));
    let quick = ReadOptions { mel_bands: 8, audio_rate: 8000, ..options() };
    let read = with(&[(&name, bytes)], |folder| {
        said(open_inputs(&folder.join(extension), &quick), |inputs| format!("{:?}", inputs.x.shape.len()))
    });
    format!("{clip} / {read}")
}

fn wav(bytes: &[u8]) -> String {
    sound("wav", bytes)
}

/// The header of a record beside signals, and of a record whose segment the latter is.
fn wfdb(bytes: &[u8]) -> String {
    let signals: Vec<u8> = (0..400u32).map(|i| (i * 7 % 251 + 1) as u8).collect();
    let segment = b"B 2 300 40\nB.dat 80 1 8 0 0 0 0 I\nB.dat 80 1 8 0 0 0 0 II\n";
    let files = [("wfdb/A.hea", bytes), ("wfdb/A.dat", &signals), ("wfdb/B.hea", segment), ("wfdb/B.dat", &signals)];
    with(&files, |folder| format!("{} / {}", opened(&folder.join("wfdb")), cut(&folder.join("wfdb"))))
}

/// Annotations of a record, which label its windows.
fn atr(bytes: &[u8]) -> String {
    let header = |name: &str| format!("{name} 1 300 100\n{name}.dat 80 1 8 0 0 0 0 I\n").into_bytes();
    let signals: Vec<u8> = (0..100u32).map(|i| (i * 7 % 251 + 1) as u8).collect();
    let (a, b) = (header("A"), header("B"));
    let files = [
        ("r/A.hea", &a[..]),
        ("r/A.dat", &signals),
        ("r/B.hea", &b),
        ("r/B.dat", &signals),
        ("r/A.atr", bytes),
        ("r/B.atr", bytes),
    ];
    with(&files, |folder| cut(&folder.join("r")))
}

fn edf(bytes: &[u8]) -> String {
    // The folders are the labels; without them, the annotations are, in the files of the signals or beside them.
    let files = [("edf/a/1.edf", bytes), ("edf/a/2.edf", bytes), ("edf/b/1.edf", bytes), ("edf/b/2.edf", bytes)];
    let own = [("edf-own/1.edf", bytes), ("edf-own/2.edf", bytes)];
    let signals: &[u8] = include_bytes!("../../corpus/edf/plain");
    let beside = [
        ("edf-beside/SC4001E0-PSG.edf", signals),
        ("edf-beside/SC4002E0-PSG.edf", signals),
        ("edf-beside/SC4001EC-Hypnogram.edf", bytes),
        ("edf-beside/SC4002EC-Hypnogram.edf", bytes),
    ];
    let labeled = with(&files, |folder| format!("{} / {}", opened(&folder.join("edf")), cut(&folder.join("edf"))));
    let own = with(&own, |folder| format!("{} / {}", opened(&folder.join("edf-own")), cut(&folder.join("edf-own"))));
    let beside = with(&beside, |folder| cut(&folder.join("edf-beside")));
    format!("{labeled} / {own} / {beside}")
}

fn image(name: &str, bytes: &[u8]) -> String {
    let own = format!("{name}/a/1.{name}");
    let other = format!("{name}/b/1.{name}");
    with(&[(&own, bytes), (&other, bytes)], |folder| {
        let resized = ReadOptions { resize: Some([4, 4]), channels: Some(3), ..options() };
        let resized = said(open_inputs(&folder.join(name), &resized), |i| format!("{:?}", i.x.shape));
        format!("{} / {resized}", opened(&folder.join(name)))
    })
}

fn png(bytes: &[u8]) -> String {
    image("png", bytes)
}

fn jpeg(bytes: &[u8]) -> String {
    image("jpg", bytes)
}

fn jpegs() -> Vec<Vec<u8>> {
    let mut file = std::io::Cursor::new(Vec::new());
    let pixel = |x, y| image::Rgb([x as u8 * 20, y as u8 * 30, 50]);
    image::RgbImage::from_fn(8, 6, pixel).write_to(&mut file, image::ImageFormat::Jpeg).expect("memory");
    vec![file.into_inner()]
}

fn labels_file(bytes: &[u8]) -> String {
    with(&[("labels.csv", bytes)], |folder| {
        let clips: Vec<_> = ["1.wav", "2.wav", "c/3.wav", "d/3.wav", "4.WAV"].iter().map(|f| folder.join(f)).collect();
        let with_names = ReadOptions { targets: Some("-1".into()), group: Some("g".into()), ..options() };
        let read =
            |options| said(labels::fuzz_reading(&folder.join("labels.csv"), &clips, options), |rows| format!("{rows}"));
        format!("{} / {}", read(&options()), read(&with_names))
    })
}

/// Opens a table of this name, also with its numbers left in the file.
fn table(name: &str, bytes: &[u8]) -> String {
    with(&[(name, bytes)], |folder| {
        let path = folder.join(name);
        let outside = open(&path, &ReadOptions { in_memory: Some(0), ..options() });
        format!("{} / {} / {}", opened(&path), said(outside, described), cut(&path))
    })
}

fn artifact(bytes: &[u8]) -> String {
    let read = |bytes: &[u8]| {
        let artifact = Artifact::from_bytes(bytes, Path::new("model.dashnas"));
        said(artifact, |a| said(Model::from_artifact(a, &burn::tensor::Device::flex()), |_| "a model".into()))
    };
    // The same file with a correct checksum reaches the code behind that check.
    let signed = dashnas_nn::artifact::signed(bytes).map(|bytes| read(&bytes)).unwrap_or_default();
    format!("{} / {signed}", read(bytes))
}

fn checkpoints() -> Vec<Vec<u8>> {
    checkpoint::fuzz_samples()
}

fn checkpoint(bytes: &[u8]) -> String {
    checkpoint::fuzz_reading(bytes)
}

fn config(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let whole = said(Config::from_toml(&text, Path::new("f.toml")), |c| format!("{:?}", c.preset));
    let one = Override::parse(text.lines().next().unwrap_or(""), "--set");
    let one = said(one, |o| said(Config::load(Some(Preset::Quick), None, &[o]), |_| "set".into()));
    format!("{whole} / {one}")
}

fn configs() -> Vec<Vec<u8>> {
    Preset::ALL.iter().map(|&preset| Config::preset(preset).to_toml().into_bytes()).collect()
}

macro_rules! targets {
    ($($name:ident: $read:expr, $seeds:expr, $words:expr;)*) => {
        mod by_name {
            $(#[test]
            fn $name() {
                use super::*;
                fuzz(&Target { name: stringify!($name), read: $read, seeds: $seeds, words: $words });
            })*
        }
    };
}

targets! {
    npy: super::npy, none, &[
        b"'descr': ", b"'<f4'", b"'>i8'", b"'<U3'", b"'|O'", b"'fortran_order': ", b"True", b"False", b"'shape': ",
        b"(", b")", b"\x93NUMPY\x01\x00",
    ];
    npz: super::npz, none, &[
        b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"x_train.npy", b"y_train.npy",
        b"\x93NUMPY\x01\x00",
    ];
    pickle: super::pickle, none, &[
        b"(", b"]", b"}", b")", b"t", b"e", b"u", b"s", b"a", b"b", b"R", b"q\x01", b"h\x01", b"r\x01\0\0\0",
        b"j\x01\0\0\0", b"p1\n", b"g1\n", b"\x94", b"\x80\x04", b"\x95", b"\x8c\x01a", b"K\x01",
        b"J\xff\xff\xff\xff", b"\x8a\x02\xff\x7f", b"\x85", b"\x86", b"\x87", b"\x93", b"N", b".",
        b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"cnumpy.core.multiarray\n_reconstruct\n",
        b"cnumpy.core.multiarray\nscalar\n", b"c_codecs\nencode\n", b"ccopy_reg\n_reconstructor\n", b"C\x02ab",
        b"X\x01\0\0\0a", b"0", b"1", b"2", b"l", b"d", b"i", b"o",
    ];
    ts: |b| file("f.ts", b), none, &[
        b"@data\n", b"@classLabel true ", b"@targetlabel true\n", b"@timestamps true\n", b"@missing true\n",
        b"@univariate false\n", b"@dimensions 2\n", b"@equalLength false\n", b"@seriesLength 3\n", b"?", b":",
        b"(1,2)", b"NaN", b"#", b"(2024-02-29 12:00:00,", b")",
    ];
    arff: |b| file("f.arff", b), none, &[
        b"@data\n", b"@attribute ", b"numeric", b"relational", b"@end ", b"{a,b}", b"'", b"\\n", b"\\'", b"?", b"%",
        b"{0 1}", b"string", b"date", b"@inputs ", b"@outputs ", b"[0, 1]",
    ];
    tsv: |b| file("f.tsv", b), none, &[b"\t", b"NaN", b"nan", b"\n", b"\r\n", b" ", b"1e5"];
    csv: |b| table("f.csv", b), none, &[
        b",", b";", b"\t", b"\"", b"\"\"", b"\n", b"\r\n", b"label", b"group", b"ACGT", b"NaN", b"\xef\xbb\xbf",
        b"sep=;\n", b"#", b"'", b" \"", b"\xff\xfe", b"0,5", b"1.234,5", b"true", b"2024-01-31", b"split", b"train",
    ];
    arrow: |b| table("f.arrow", b), none, &[
        b"ARROW1\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x04\0\0\0", b"\0\0\0\0\0\0\0\0", b"label",
    ];
    jsonl: |b| table("f.jsonl", b), none, &[
        b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\"x\"", b"\"label\"", b"null", b"1e999", b"true", b"\"\\u0000\"",
    ];
    fasta: |b| file("f.fasta", b), none, &[b">", b"|", b"\n>", b"ACGT", b"N", b"*", b"-", b";", b" "];
    idx: super::idx, none, &[
        b"\0\0\x08\x01", b"\0\0\x08\x03", b"\0\0\x0d\x02", b"\0\0\x0e\x02", b"\0\0\x0b\x02", b"\xff\xff\xff\xff",
    ];
    idx_gz: idx_packed, none, &[b"\x1f\x8b\x08\0"];
    mat: super::mat, || vec![mat4()], &[
        b"\x02\0\0\0", b"\x11\0\0\0", b"IM", b"MI", b"MATLAB 5.0", b"\x0e\0\0\0", b"\x0f\0\0\0", b"\x05\0\0\0", b"\x01\0\0\0", b"\x10\0\x04\0",
        b"val\0",
    ];
    h5: hdf5, hdf5_files, &[
        b"\x89HDF\r\n\x1a\n", b"TREE", b"HEAP", b"SNOD", b"OHDR", b"GCOL", b"\xff\xff\xff\xff\xff\xff\xff\xff",
    ];
    wav: super::wav, none, &[
        b"RIFF", b"WAVE", b"fmt ", b"data", b"LIST", b"\x10\0\0\0", b"\xfe\xff", b"\x03\0", b"\x28\0\0\0",
    ];
    png: super::png, none, &[b"\x89PNG\r\n\x1a\n", b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"acTL", b"fdAT"];
    jpg: jpeg, jpegs, &[
        b"\xff\xd8", b"\xff\xd9", b"\xff\xc0", b"\xff\xc2", b"\xff\xc4", b"\xff\xda", b"\xff\xdb", b"\xff\xdd",
    ];
    tif: |b| image("tif", b), none, &[
        b"II*\0", b"MM\0*", b"\x00\x01\x04\0", b"\x03\x01\x03\0", b"\x12\x01\x03\0", b"\x15\x01\x03\0", b"\xff\xff\xff\xff",
    ];
    webp: |b| image("webp", b), none, &[b"RIFF", b"WEBP", b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"EXIF", b"ALPH"];
    bmp: |b| image("bmp", b), none, &[b"BM", b"\x28\0\0\0", b"\x18\0", b"\x08\0", b"\x01\0\0\0", b"\xff\xff\xff\xff"];
    gif: |b| image("gif", b), none, &[b"GIF89a", b"GIF87a", b"\x2c", b"\x21\xf9\x04", b"\x21\xff\x0bNETSCAPE2.0", b"\x3b"];
    pnm: |b| image("pnm", b), none, &[b"P6\n", b"P5\n", b"P1\n", b"P7\n", b"65535", b"255\n", b"#", b"99999999"];
    flac: |b| sound("flac", b), none, &[b"fLaC", b"\xff\xf8", b"\x84\0\0", b"\0\0\0\x22", b"\xff\xff\xff\xff"];
    ogg: |b| sound("ogg", b), none, &[b"OggS", b"\x01vorbis", b"\x03vorbis", b"\x05vorbis", b"BCV", b"OpusHead"];
    mp3: |b| sound("mp3", b), none, &[b"\xff\xfb", b"ID3\x03\0\0", b"Xing", b"Info", b"LAME", b"TAG", b"\xff\xe3"];
    aiff: |b| sound("aiff", b), none, &[b"FORM", b"AIFF", b"AIFC", b"COMM", b"SSND", b"sowt", b"\xff\xff\xff\xff"];
    fastq: |b| file("f.fastq", b), none, &[b"@", b"+\n", b"\n@", b"|x\n", b"ACGT", b"IIII", b"\r\n", b" "];
    wfdb: super::wfdb, none, &[
        b"A.dat ", b"B.dat ", b"16", b"212", b"80", b"61", b"x2", b":1", b"+24", b"/2", b"(0)", b"~ ", b"B 40\n", b"#Dx: ",
        b"../A.dat", b"999999999999", b"-1", b"nan", b"1e308",
    ];
    atr: super::atr, none, &[b"\x01\x04", b"\x00\xec", b"\x00\x70", b"\x02\xfc(N", b"\xff\xff", b"\0\0", b"## time resolution: 0"];
    edf: super::edf, none, &[
        b"-1      ", b"0       ", b"99999999", b"EDF+D", b"EDF+C", b"EDF Annotations ", b"nan     ", b"1e308   ",
        b"+0\x14\x14\0", b"+1\x150.5\x14W\x14\0", b"-1", b"\x15", b"\x14", b"\x14\0", b"Sleep stage ?", b"1e9",
    ];
    labels: labels_file, none, &[
        b",", b"file", b"label", b"split", b"g", b"1.wav", b"2", b"3.wav", b"c/3.wav", b"train", b"\"", b"\n",
    ];
    parquet: |b| table("f.parquet", b), none, &[
        b"PAR1", b"\x15\x00", b"\x15\x02", b"\x19\x1c", b"\x2c\x15", b"\xff\xff\xff\xff\x0f", b"\x18\x01a",
        b"\x00\x00",
    ];
    artifact: super::artifact, models::files, &[
        b"\\\"", b"0", b"1e999", b"null", b"[", b"]", b"{", b"}", b"18446744073709551615", b"4294967296", b"-1",
        b"\\\"Flatten\\\"", b"F32", b"F64",
    ];
    checkpoint: super::checkpoint, checkpoints, &[
        b"DASHCKPT", b"[[tensors]]\n", b"name = ", b"shape = [", b"header = ", b"'''", b"nan", b"inf",
        b"18446744073709551615",
    ];
    config: super::config, configs, &[
        b"[search]\n", b"[data]\n", b"epochs = ", b"\"auto\"", b"[", b"]", b"{", b"}", b"= ", b"nan", b"1e400",
        b"-1", b"9223372036854775807", b"\"\"\"", b"'''", b"space.kernel-sizes=", b"[0]", b"[3, 5]",
    ];
}
