//! Small inputs of the kinds that users have reported: images, sound, sequences and records.

use crate::tests::*;

/// What is right about a case.
enum Right {
    /// It is read: the classes, the shape of a sample, the number of samples, and words of the notes.
    Read(&'static [&'static str], &'static [usize], usize, &'static [&'static str]),
    /// It is refused with these words.
    Refused(&'static [&'static str]),
}
use Right::{Read, Refused};

/// The folder of the case, the path in it, and what is right.
const CASES: &[(&str, &str, Right)] = &[
    ("80-img-cmyk", "pictures", Read(&["bright", "dark"], &[3, 24, 24], 56, &[])),
    ("81-img-mixed-formats", "pictures", Read(&["blue", "green", "red"], &[3, 24, 24], 36, &[])),
    (
        "82-img-labels-txt",
        "pictures",
        Read(&["green", "red"], &[3, 24, 24], 24, &["labels.txt names none of the files"]),
    ),
    ("85-img-underscore", "pictures", Read(&["green", "red"], &[3, 24, 24], 32, &[])),
    ("88-img-cut-short", "pictures", Refused(&["green/3.jpg", "cut short"])),
    ("89-wav-streamed-header", "clips", Read(&["high", "low"], &[1, 96, 51], 12, &[])),
    (
        "90-wav-header-size-zero",
        "clips",
        Read(&["high", "low"], &[1, 96, 51], 12, &["of 0 bytes by its header, though sound follows, read to its end"]),
    ),
    (
        "91-wav-header-too-long",
        "clips",
        Read(&["high", "low"], &[1, 96, 51], 12, &["cut short, read as far as it goes"]),
    ),
    ("94-wav-double-mulaw-rf64", "double", Read(&["high", "low"], &[1, 96, 19], 8, &[])),
    ("94-wav-double-mulaw-rf64", "mulaw", Read(&["high", "low"], &[1, 96, 19], 8, &[])),
    ("94-wav-double-mulaw-rf64", "rf64", Read(&["high", "low"], &[1, 96, 19], 8, &[])),
    ("95-fasta-uniprot-headers", "proteins", Read(&["kinase", "other"], &[20, 40], 60, &["each file is a class"])),
    ("97-fasta-case-gz-iupac", "seqs.fa.gz", Read(&["neg", "pos"], &[4, 70], 60, &[])),
    ("98-fasta-endings", "seqs.fas", Read(&["0", "1"], &[4, 40], 40, &[])),
    ("98-fasta-endings", "seqs.fastq", Refused(&["FASTQ sequences without labels"])),
    ("99-wfdb-folder", "records", Read(&["A", "N"], &[2, 400], 12, &["channels: lead0, lead1"])),
    (
        "127-img-class-called-train",
        "vehicles",
        Read(&["bus", "car", "train"], &[3, 24, 24], 36, &["`train` is taken for a class"]),
    ),
    ("134-folder-named-like-a-task", "satellite", Read(&["0", "1", "2"], &[1, 24], 60, &[])),
];

fn case(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/cases").join(name)
}

#[test]
fn every_case_is_right() {
    let mut wrong = Vec::new();
    for (name, path, right) in CASES {
        let found = open(&case(name).join(path), &ReadOptions::default());
        let said = match (&found, right) {
            (Ok(set), Read(classes, shape, samples, notes)) => {
                let n = set.train.len() + set.val.as_ref().map_or(0, Split::len) + set.test.len();
                let classes_found = set.classes.clone().unwrap_or_default();
                let all = set.origin.notes.join("; ");
                let same = (classes_found == *classes
                    || classes_found.is_empty() && set.task.outputs() == classes.len())
                    && set.train.x.shape[1..] == **shape
                    && n == *samples
                    && notes.iter().all(|note| all.contains(note));
                if same { continue } else { format!("{classes_found:?} {:?} {n}: {all}", set.train.x.shape) }
            }
            (Err(error), Refused(words)) if words.iter().all(|word| error.to_string().contains(word)) => continue,
            (Ok(set), _) => format!("read: {}", set.inspect().unwrap()),
            (Err(error), _) => format!("refused: {error}"),
        };
        wrong.push(format!("{name}/{path}: {said}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The mean of each color over the images of each class.
fn colors(split: &Split) -> Vec<[f32; 3]> {
    let labels = split.y.classes().unwrap();
    (0..=1)
        .map(|class| {
            let rows: Vec<&[f32]> =
                labels.iter().enumerate().filter(|(_, l)| **l == class).map(|(i, _)| split.x.row(i)).collect();
            [0, 1, 2].map(|c| {
                let plane = rows[0].len() / 3;
                let sum: f32 = rows.iter().flat_map(|row| &row[c * plane..(c + 1) * plane]).sum();
                sum / (plane * rows.len()) as f32
            })
        })
        .collect()
}

#[test]
fn cmyk_images_have_the_colors_of_the_same_in_rgb() {
    let set = open(&case("80-img-cmyk").join("pictures"), &ReadOptions::default()).unwrap();
    let (train, test) = (colors(&set.train), colors(&set.test));
    for (a, b) in train.iter().flatten().zip(test.iter().flatten()) {
        assert!((a - b).abs() < 12.0, "{train:?} {test:?}");
    }
}
