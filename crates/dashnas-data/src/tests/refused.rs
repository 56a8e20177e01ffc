//! Errors name the file and the location in it.

use crate::tests::readers::{folder, idx, mat5, open_with, png, wav};
use crate::tests::*;
use tempfile::TempDir;

/// The message of refusing this, which must name all of `words`.
fn refused(files: &TempDir, name: &str, words: &[&str]) {
    let error = match open_with(files, name, &ReadOptions::default()) {
        Err(error) => error,
        Ok(set) => panic!("{name} was read: {}", set.inspect().unwrap()),
    };
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "`{text}` does not say `{word}`");
    }
}

#[test]
fn empty_files_are_refused_in_every_format() {
    for extension in ["npz", "npy", "mat", "h5", "ts", "tsv", "arff", "csv", "parquet", "fa"] {
        let name = format!("set.{extension}");
        refused(&folder(&[(&name, b"")]), &name, &[&name, "0 bytes"]);
    }
    refused(&folder(&[("x-images-idx3-ubyte", b"")]), "x-images-idx3-ubyte", &["0 bytes"]);
    refused(
        &folder(&[
            ("a/1.png", b""),
            ("a/2.png", &png(2, 2, 0)),
            ("b/1.png", &png(2, 2, 0)),
            ("b/2.png", &png(2, 2, 0)),
        ]),
        ".",
        &["1.png"],
    );
    refused(
        &folder(&[
            ("a/1.wav", b""),
            ("b/1.wav", &wav(8000, 100, 100.0)),
            ("a/2.wav", &wav(8000, 100, 100.0)),
            ("b/2.wav", &wav(8000, 100, 100.0)),
        ]),
        ".",
        &["1.wav"],
    );
}

#[test]
fn mislabeled_files_are_named_for_what_they_are() {
    let picture = png(3, 3, 0);
    for extension in ["npz", "npy", "mat", "h5", "csv", "ts", "arff", "parquet", "fa", "tsv"] {
        let name = format!("set.{extension}");
        refused(&folder(&[(&name, &picture)]), &name, &[&name, "PNG"]);
    }
    refused(&folder(&[("set.bla", &picture)]), "set.bla", &["PNG"]);
    refused(&folder(&[("set.png", b"PK\x03\x04")]), "set.png", &["an image", "a zip archive"]);
    refused(&folder(&[("set.wav", &picture)]), "set.wav", &["a WAV file", "a PNG image"]);
    refused(&folder(&[("set.pt", b"PK\x03\x04 pickled")]), "set.pt", &["pickle"]);
    refused(&folder(&[("1.opus", b"OggS")]), ".", &["sound in a format that is not supported"]);
    refused(&folder(&[("1.wav", &wav(8000, 9, 1.0))]), "1.wav", &["one sample"]);
}

#[test]
fn truncated_files_are_refused() {
    let x = npy(&ramp("x", &[4, 1, 4]));
    refused(&folder(&[("x.npy", &x[..x.len() - 1]), ("y.npy", &x)]), ".", &["x.npy", "[4, 1, 4]"]);
    let bytes = mat5(true);
    refused(&folder(&[("s.mat", &bytes[..bytes.len() - 9])]), "s.mat", &["s.mat", "ends in the middle"]);
    let images = idx(&[2, 8, 8], &[0; 127]);
    let labels = idx(&[2], &[0, 1]);
    let files = folder(&[("train-images-idx3-ubyte", &images), ("train-labels-idx1-ubyte", &labels)]);
    refused(&files, ".", &["train-images", "[2, 8, 8]", "127 bytes"]);
}

#[test]
fn tables_say_row_and_column() {
    let rows = |extra: &str| format!("a,b,class\n1,2,x\n3,4,y\n{extra}5,6,x\n7,8,y\n");
    let table = |text: &str| folder(&[("t.csv", text.as_bytes())]);
    refused(&table(&rows("1,2\n")), "t.csv", &["t.csv:4", "2 fields", "3"]);
    refused(&table(&rows("1,oops,x\n")), "t.csv", &["t.csv:4: column b", "`oops` is not a number"]);
    refused(&table(&rows("1,,x\n")), "t.csv", &["t.csv:4: column b", "missing"]);
    refused(&table(&rows("1,2,\n")), "t.csv", &["t.csv:4: column class", "label is missing"]);
    refused(&table("a,b,a,class\n1,2,3,x\n1,2,3,y\n"), "t.csv", &["columns 1 and 3", "`a`"]);
    refused(&table("a,b,class\n1,\"2,x\n"), "t.csv", &["t.csv:2: column 2", "quoted"]);
    refused(&table("data,label\n1,0\n2,1\n3,0\n4,1\n"), "t.csv", &["only column of inputs is `data`"]);
    refused(&table("a,b\n1,2\n3,4\n5,6\n"), "t.csv", &["not clear which column is the label"]);
    let pair = folder(&[("t_train.csv", rows("").as_bytes()), ("t_test.csv", b"a,c,class\n1,2,x\n")]);
    refused(&pair, "t_train.csv", &["t_test.csv", "column 2 (`c`)"]);
    refused(&folder(&[("t_test.csv", rows("").as_bytes())]), "t_test.csv", &["no training file"]);
}

#[test]
fn series_say_line_and_channel() {
    let ts = |data: &str| folder(&[("s.ts", format!("@classLabel true a b\n@data\n{data}").as_bytes())]);
    refused(&ts("1,2:3,x4:a\n"), "s.ts", &["s.ts:3: column 2 of channel 2", "`x4`"]);
    refused(&ts("1,2:3,4:a\n1,2:b\n"), "s.ts", &["s.ts:4", "1 channel,", "2"]);
    refused(&folder(&[("s.ts", b"1,2:a\n")]), "s.ts", &["s.ts:1", "@data"]);
    let arff = "@relation r\n@attribute t numeric\n@attribute c {a,b}\n@data\n";
    refused(&folder(&[("s.arff", format!("{arff}1,z\n").as_bytes())]), "s.arff", &["s.arff:5: column c", "`z`"]);
    let twice = arff.replace("numeric", "numeric\n@attribute t numeric");
    refused(&folder(&[("s.arff", format!("{twice}1,2,a\n").as_bytes())]), "s.arff", &["attributes 1 and 2", "`t`"]);
    refused(&folder(&[("s.arff", format!("{arff}1,2,a\n").as_bytes())]), "s.arff", &["s.arff:5", "3 fields", "2"]);
    refused(&folder(&[("s.fa", b"ACGT\n")]), "s.fa", &["s.fa:1", "no header"]);
    refused(&folder(&[("s.fa", b">a\nAC1GT\n")]), "s.fa", &["s.fa:2", "`1`"]);
}

#[test]
fn labels_files_must_fit_the_files() {
    let (a, b) = (png(2, 2, 0), png(2, 2, 9));
    let with = |table: &str| folder(&[("labels.csv", table.as_bytes()), ("1.png", &a), ("2.png", &b)]);
    refused(&with("file,label\n1.png,x\n3.png,y\n"), ".", &["labels.csv:3", "`3.png`", "no such file"]);
    refused(&with("file,label\n1.png,x\n1.png,y\n"), ".", &["labels.csv:3", "again", "line 2"]);
    refused(&with("file,label\n1.png,x\n2.png,\n"), ".", &["labels.csv:3", "label is missing"]);
    refused(&with("file,label,label\n1.png,x,y\n2.png,y,y\n"), ".", &["`label`", "columns 2 and 3"]);
}

#[test]
fn a_class_of_one_image_cannot_be_tested() {
    let image = png(2, 2, 0);
    let files = folder(&[("a/1.png", &image), ("a/2.png", &image), ("b/only.png", &image)]);
    refused(&files, ".", &["class `b`", "only.png"]);
    refused(&folder(&[("1.png", &image), ("2.png", &image)]), ".", &["labels"]);
    // Folders of digits are classes as well, whether one of them is alone or all are.
    let files = folder(&[("0/1.png", &image), ("0/2.png", &image), ("1/only.png", &image)]);
    refused(&files, ".", &["class `1`", "only.png"]);
    refused(&folder(&[("0/1.png", &image), ("1/2.png", &image)]), ".", &["class `0`", "1.png"]);
    let error = open_with(&files, ".", &ReadOptions::default()).unwrap_err();
    assert!(error.hint().unwrap().contains("set `task.kind` to regression"), "{error}");
    // As quantities they need not repeat.
    let numbers = b"file,label\n1.png,10\n2.png,20\n3.png,30\n";
    let files = folder(&[("labels.csv", numbers), ("1.png", &image), ("2.png", &image), ("3.png", &image)]);
    refused(&files, ".", &["class `10`"]);
    let options = ReadOptions { task: Some(TaskName::Regression), ..Default::default() };
    assert_eq!(open_with(&files, ".", &options).unwrap().task, TaskKind::Regression { outputs: 1 });
}

#[test]
fn a_name_that_two_files_could_go_by_is_refused_with_both() {
    let image = png(2, 2, 0);
    let with = |table: &str| {
        let files = ["x/1.png", "y/1.png", "x/2.png", "2.jpg", "x/3.png", "3.png"];
        let mut files: Vec<(&str, &[u8])> = files.iter().map(|&name| (name, &image[..])).collect();
        files.push(("labels.csv", table.as_bytes()));
        folder(&files)
    };
    refused(
        &with("file,label\n1.png,a\n"),
        ".",
        &["labels.csv:2", "`1.png`", "x/1.png", "y/1.png", "which matches both"],
    );
    refused(&with("file,label\n2,a\n"), ".", &["labels.csv:2", "`2`", "2.jpg", "x/2.png"]);
    // Folders and extensions tell them apart.
    let rows = "x/1.png,a\ny\\1.png,b\n2.png,a\n2.jpg,b\nX/3,a\n";
    let set = open_with(&with(&format!("file,label\n{rows}")), ".", &ReadOptions::default()).unwrap();
    assert_eq!(set.train.len() + set.test.len(), 5);
}

#[test]
fn gray_and_colored_images_are_not_mixed_unasked() {
    let mut color = Cursor::new(Vec::new());
    let pixel = |x, _| image::Rgb([200u8, 100 + x as u8, 50]);
    image::RgbImage::from_fn(2, 2, pixel).write_to(&mut color, image::ImageFormat::Png).unwrap();
    let (color, gray) = (color.into_inner(), png(2, 2, 7));
    let files = folder(&[("a/1.png", &gray), ("a/2.png", &color), ("b/1.png", &gray), ("b/2.png", &gray)]);
    refused(&files, ".", &["a/2.png", "in color", "a/1.png", "grayscale"]);
    let files = folder(&[("a/1.png", &color), ("a/2.png", &color), ("b/1.png", &gray), ("b/2.png", &color)]);
    refused(&files, ".", &["b/1.png: it is grayscale", "a/1.png is in color"]);
    for channels in [1, 3] {
        let options = ReadOptions { channels: Some(channels), ..Default::default() };
        let set = open_with(&files, ".", &options).unwrap();
        assert_eq!(set.train.x.shape[1..], [channels, 2, 2]);
    }
}

#[test]
fn a_bomb_is_not_unpacked() {
    // A gigabyte of zeros in a megabyte, against a limit of a hundred.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![0; 1 << 20];
    (0..256).for_each(|_| encoder.write_all(&zeros).unwrap());
    let files = folder(&[("t.csv.gz", &encoder.finish().unwrap())]);
    let options = ReadOptions { max_bytes: 1 << 20, ..Default::default() };
    let error = open_with(&files, "t.csv.gz", &options).unwrap_err();
    assert!(error.to_string().ends_with("it holds more than 1 MiB when it is decompressed"), "{error}");
    // One long series among many short ones.
    let mut text = "@classLabel true a b\n@data\n".to_owned() + &"1,".repeat(100_000) + "1:a\n";
    text += &"1:a\n2:b\n".repeat(2000);
    let files = folder(&[("s.ts", text.as_bytes())]);
    refused(&files, "s.ts", &["100001 values"]);
}

#[test]
fn rows_that_a_matlab_file_only_claims_take_no_memory() {
    // Text of level 4, 2³²−1 rows of no characters: a hundred gigabytes of empty strings, if it were believed.
    let head = [51u32, u32::MAX, 0, 0, 2].map(u32::to_le_bytes).concat();
    let file = [head, b"y\0".to_vec()].concat();
    refused(&folder(&[("claims.mat", &file)]), "claims.mat", &["claims.mat"]);
}
