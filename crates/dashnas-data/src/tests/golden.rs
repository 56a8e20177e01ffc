//! The output of `dashnas inspect` for a small file of every format. `DASHNAS_UPDATE=1` updates the golden file.

use crate::tests::readers::{folder, mask, png, wav};
use crate::tests::*;
use std::fmt::Write;

/// The corpus as files that are named as people name them.
macro_rules! corpus {
    ($($name:literal = $file:literal),* $(,)?) => {
        vec![$(($name, &include_bytes!(concat!("../../../dashnas-fuzz/corpus/", $file))[..])),*]
    };
}

#[test]
fn inspect_is_right_about_every_format() {
    let sets = [
        corpus!["archive.npz" = "npz/stored"],
        corpus!["many_labels.npz" = "npz/labels"],
        corpus!["arrays/x.npy" = "npy/fortran", "arrays/y.npy" = "npy/targets"],
        corpus!["images/x.npy" = "npy/images", "images/y.npy" = "npy/targets"],
        corpus!["level4.mat" = "mat/4"],
        corpus!["level5.mat" = "mat/5_kinds"],
        corpus!["structure.mat" = "mat/5_struct"],
        corpus!["samples_last.mat" = "mat/5_samples_last"],
        corpus!["bytes.npz" = "npz/bytes"],
        corpus!["links.h5" = "h5/links"],
        corpus!["links_new.h5" = "h5/links_new"],
        corpus!["kinds.h5" = "h5/kinds"],
        corpus!["packed.nc" = "h5/packed"],
        corpus!["sparse.h5ad" = "h5/sparse"],
        corpus!["stamps.ts" = "ts/stamps"],
        corpus!["sparse.arff" = "arff/sparse"],
        corpus!["Plain_TRAIN.ts" = "ts/plain_train", "Plain_TEST.ts" = "ts/plain_test"],
        corpus!["unequal.ts" = "ts/unequal"],
        corpus!["numbers.ts" = "ts/regression"],
        corpus!["channels.arff" = "arff/relational"],
        corpus!["spaces.txt" = "tsv/spaces"],
        corpus!["header.tsv" = "tsv/header"],
        corpus!["named.csv" = "csv/plain"],
        corpus!["bare.csv" = "csv/bare"],
        corpus!["dna.csv" = "csv/dna"],
        corpus!["letters.csv" = "csv/letters"],
        corpus!["groups.csv" = "csv/group"],
        corpus!["headers.fasta" = "fasta/labels"],
        corpus!["reads.fastq" = "fastq/plain"],
        corpus![
            "eeg/a/1.edf" = "edf/plain",
            "eeg/a/2.edf" = "edf/plain",
            "eeg/b/1.edf" = "edf/plain",
            "eeg/b/2.edf" = "edf/plain"
        ],
        corpus![
            "songs/a/1.flac" = "flac/plain",
            "songs/a/2.ogg" = "ogg/plain",
            "songs/b/1.aiff" = "aiff/plain",
            "songs/b/2.wav" = "wav/double"
        ],
        corpus!["idx/train-images-idx3-ubyte.gz" = "idx_gz/images", "idx/train-labels-idx1-ubyte" = "idx/labels"],
        corpus!["table.parquet" = "parquet/table"],
        corpus!["dates.parquet" = "parquet/logical"],
        corpus!["lists.parquet" = "parquet/nested"],
        corpus!["table.arrow" = "arrow/plain"],
        corpus!["lines.jsonl" = "jsonl/plain"],
        corpus!["dialect.csv" = "csv/dialect"],
        corpus!["roles.csv" = "csv/roles"],
    ];
    let (gray, sound) = (png(4, 3, 10), wav(8000, 800, 440.0));
    let image_folder = ["cats/train/cat/1.png", "cats/train/dog/1.png", "cats/test/cat/2.png", "cats/test/dog/2.png"];
    let mask = mask(4, 3, |x, y| if x > y { 255 } else { 0 });
    let masks = [
        ("pairs/image/0.png", &gray[..]),
        ("pairs/image/1.png", &gray[..]),
        ("pairs/mask/0.png", &mask[..]),
        ("pairs/mask/1.png", &mask[..]),
    ];
    let clips = ["clips/low/1.wav", "clips/low/2.wav", "clips/high/1.wav", "clips/high/2.wav"];
    let made = [image_folder.map(|f| (f, &gray[..])), masks, clips.map(|f| (f, &sound[..]))];

    let mut text = String::new();
    let mut inspect = |files: &[(&str, &[u8])], path: &str| {
        let folder = folder(files);
        let said = match open(&folder.path().join(path), &ReadOptions::default()) {
            Ok(set) => set.inspect().expect("in memory").to_string(),
            Err(error) => format!("{error}\n"),
        };
        let said =
            said.replace(&format!("{}/", folder.path().display()), "").replace(&*folder.path().to_string_lossy(), ".");
        writeln!(text, "$ dashnas inspect {path}\n{said}").unwrap();
    };
    for files in sets {
        let first = files[0].0;
        inspect(&files, first.split_once('/').map_or(first, |(folder, _)| folder));
    }
    for files in made {
        let (first, _) = files[0].0.split_once('/').unwrap();
        inspect(&files, first);
    }

    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/golden/inspect.txt");
    if std::env::var_os("DASHNAS_UPDATE").is_some() {
        std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
        std::fs::write(&golden, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    for (said, expected) in text.split("$ ").zip(expected.split("$ ")) {
        assert_eq!(said, expected);
    }
    assert_eq!(text, expected);
}
