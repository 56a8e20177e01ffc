//! Files of every kind of image, sound and record that is read, and those that are refused by name.

use crate::tests::readers::{folder, open_with, png, wav};
use crate::tests::*;
use tempfile::TempDir;

/// The corpus of the fuzzer.
macro_rules! corpus {
    ($file:literal) => {
        &include_bytes!(concat!("../../../dashnas-fuzz/corpus/", $file))[..]
    };
}

/// Two classes of two files each, which all hold the same.
fn classes(extension: &str, bytes: &[u8]) -> TempDir {
    let names = ["a/1", "a/2", "b/1", "b/2"].map(|name| format!("{name}.{extension}"));
    folder(&names.each_ref().map(|name| (name.as_str(), bytes)))
}

/// The shape of a sample and the notes, or the error.
fn read(files: &TempDir) -> Result<(Vec<usize>, String), String> {
    let set = open_with(files, ".", &ReadOptions::default()).map_err(|e| e.to_string())?;
    Ok((set.train.x.shape[1..].to_vec(), set.origin.notes.join("; ")))
}

#[test]
fn every_kind_of_file_is_read() {
    let wide = [1, 96, 11];
    let short = [1, 96, 3];
    let cases: [(&str, &[u8], &[usize], &str); 20] = [
        ("flac", corpus!("flac/plain"), &wide, ""),
        ("ogg", corpus!("ogg/plain"), &wide, ""),
        ("aiff", corpus!("aiff/plain"), &wide, ""),
        // A file that is named for another format is read as what it is.
        ("mp3", corpus!("flac/plain"), &wide, ""),
        ("wav", corpus!("wav/double"), &short, ""),
        ("wav", corpus!("wav/mulaw"), &short, ""),
        ("wav", corpus!("wav/rf64"), &short, ""),
        ("tif", corpus!("tif/plain"), &[3, 3, 4], ""),
        ("tiff", corpus!("tif/lzw"), &[3, 3, 4], ""),
        ("tif", corpus!("tif/deep"), &[1, 3, 4], ""),
        ("tif", corpus!("tif/pages"), &[3, 3, 4], "4 files with several images, of which the first is read"),
        ("webp", corpus!("webp/lossless"), &[3, 3, 4], ""),
        ("webp", corpus!("webp/animated"), &[3, 3, 4], "4 files with several images"),
        ("bmp", corpus!("bmp/plain"), &[3, 3, 4], ""),
        ("bmp", corpus!("bmp/palette"), &[3, 3, 4], ""),
        ("gif", corpus!("gif/plain"), &[3, 3, 4], ""),
        ("gif", corpus!("gif/animated"), &[3, 3, 4], "4 files with several images"),
        ("ppm", corpus!("pnm/color"), &[3, 3, 4], ""),
        ("pgm", corpus!("pnm/gray"), &[1, 3, 4], ""),
        ("edf", corpus!("edf/plain"), &[2, 80], "4 recordings with channels at lower rates, which are left out"),
    ];
    for (extension, bytes, shape, note) in cases {
        let (found, notes) = read(&classes(extension, bytes)).unwrap_or_else(|e| panic!("{extension}: {e}"));
        assert_eq!(found, shape, "{extension}: {notes}");
        let several = notes.contains("several images");
        assert!(notes.contains(note) && (several == note.contains("several images")), "{extension}: {notes}");
        assert!(!notes.contains("cut short"), "{extension}: {notes}");
    }
    let (found, notes) = read(&classes("mp3", corpus!("mp3/plain"))).unwrap();
    assert!(found[..2] == [1, 96] && (10..20).contains(&found[2]), "{found:?} {notes}");
    // Before the sound there are often tags, with pictures that look like sound.
    let frames = [0xff, 0xfb, 0x90, 0x64].repeat(250);
    let tagged = |sound: &[u8]| [&b"ID3\x03\0\0\0\0\x07\x68"[..], &frames, sound].concat();
    for (extension, bytes) in [("mp3", corpus!("mp3/plain")), ("flac", corpus!("flac/plain"))] {
        let (with, notes) = read(&classes(extension, &tagged(bytes))).unwrap();
        let (without, _) = read(&classes(extension, bytes)).unwrap();
        assert!(with == without && !notes.contains("damaged"), "{with:?} {without:?} {notes}");
    }
    let (found, notes) = read(&classes("wav", corpus!("wav/adpcm"))).unwrap();
    assert!(found[..2] == [1, 96] && !notes.contains("cut short"), "{found:?} {notes}");
    let (bdf, _) = read(&classes("bdf", corpus!("edf/bdf"))).unwrap();
    assert_eq!(bdf, [2, 80]);
}

#[test]
fn sound_that_ends_early_is_read_with_a_note_and_other_kinds_are_refused_by_name() {
    for (extension, bytes) in
        [("flac", corpus!("flac/plain")), ("ogg", corpus!("ogg/plain")), ("aiff", corpus!("aiff/plain"))]
    {
        let cut = &bytes[..bytes.len() - 60];
        match read(&classes(extension, cut)) {
            Ok((_, notes)) => assert!(notes.contains("4 recordings cut short"), "{extension}: {notes}"),
            Err(error) => assert!(error.contains("a/1"), "{error}"),
        }
    }
    let sound = wav(8000, 800, 440.0);
    let sized = |size: u32, more: &[u8]| [&sound[..40], &size.to_le_bytes(), &sound[44..], more].concat();
    let cases = [
        (sized(0, b""), "of 0 bytes by its header, though sound follows, read to its end"),
        (sized(3000, b""), "cut short, read as far as it goes"),
        (sized(600, b""), "longer than its header says, read as far as the header says"),
        // A chunk after the sound is nothing to note.
        (sized(1600, b"LIST\x04\0\0\0INFO"), ""),
        (sized(u32::MAX, b""), ""),
        (sized(0x7fff_ffff, b""), ""),
    ];
    for (bytes, note) in cases {
        let (_, notes) = read(&classes("wav", &bytes)).unwrap();
        assert!(notes.contains(note) && (note.is_empty() != notes.contains(", read ")), "{note}: {notes}");
    }
    let refused: [(&str, &[u8], &str); 9] = [
        ("pgm", b"P5\n0 3\n255\n", "the image has no pixels: its size is 0\u{d7}3"),
        ("wav", &sound[..44], "a/1.wav: it cannot be read as WAV: it holds no sound"),
        ("wav", b"RIFX\0\0\0\x04WAVE", "RIFX"),
        ("wav", b"NIST_1A\n   1024\n", "NIST SPHERE"),
        ("ogg", b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead", "Opus"),
        ("mp3", b"\0\0\0\x18ftypM4A \0\0\0\0", "MP4 container"),
        ("flac", b"plain text", "not sound in a format that is known"),
        ("m4a", b"\0\0\0\x18ftypM4A ", "sound in a format that is not supported"),
        ("mp3", b"\xff\xf1\x50\x80", "AAC"),
    ];
    for (extension, bytes, words) in refused {
        let error = read(&classes(extension, bytes)).unwrap_err();
        assert!(error.contains(words), "{extension}: {error}");
    }
}

/// A JPEG image of 2 rows and 6 columns, with an orientation if it is not 0.
fn jpeg(orientation: u8) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let pixel = |x, _| image::Luma([if x < 3 { 0u8 } else { 255 }]);
    image::GrayImage::from_fn(6, 2, pixel).write_to(&mut file, image::ImageFormat::Jpeg).unwrap();
    let exif = [
        &b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..],
        &[orientation, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let file = file.into_inner();
    if orientation == 0 { file } else { [&file[..2], &exif, &file[2..]].concat() }
}

#[test]
fn tiff_images_whose_pixels_begin_in_the_header_are_refused() {
    // The offset of the only strip is in the sixth entry of the directory.
    let at = 10 + 5 * 12;
    let plain = corpus!("tif/plain");
    assert_eq!((&plain[at..at + 2], &plain[at + 8..at + 12]), (&[17, 1][..], &[140, 0, 0, 0][..]));
    for (offset, words) in
        [(0u8, "begins at byte 0, inside the header"), (30, "begins at byte 30, inside the directory")]
    {
        let mut bytes = plain.to_vec();
        bytes[at + 8] = offset;
        let error = read(&classes("tif", &bytes)).unwrap_err();
        assert!(error.contains(&format!("strip 0 (from 0) of its pixels {words} of the file")), "{error}");
    }
}

/// A TIFF image of two by two pixels of one channel: of 32-bit floating-point numbers or signed integers, or of bytes in a
/// BigTIFF.
fn gray_tiff(format: u16, bits: u16, big: bool) -> Vec<u8> {
    let (wide, count) = if big { (8, 8) } else { (4, 2) };
    let number = |value: u64, size: usize| value.to_le_bytes()[..size].to_vec();
    let size = 4 * u64::from(bits) / 8;
    let entries: [(u16, u64); 9] = [
        (256, 2),
        (257, 2),
        (258, bits.into()),
        (259, 1),
        (262, 1),
        (273, 0),
        (277, 1),
        (278, 2),
        (339, format.into()),
    ];
    let header = if big { 16 } else { 8 };
    // The entries, with that of the sizes of the strips, and the offset of the next directory.
    let pixels = header + count + (entries.len() + 1) * (4 + 2 * wide) + wide;
    let mut out = match big {
        true => [&b"II\x2b\0\x08\0\0\0"[..], &number(16, 8)].concat(),
        false => [&b"II*\0"[..], &number(8, 4)].concat(),
    };
    out.extend(number(entries.len() as u64 + 1, count));
    for (tag, value) in entries {
        let value = if tag == 273 { pixels as u64 } else { value };
        out.extend([number(tag.into(), 2), number(4, 2), number(1, wide), number(value, wide)].concat());
        if tag == 278 {
            out.extend([number(279, 2), number(4, 2), number(1, wide), number(size, wide)].concat());
        }
    }
    out.extend(number(0, wide));
    out.extend((0..size).map(|i| (10 * i) as u8));
    out
}

#[test]
fn tiff_images_are_read_or_refused_by_their_numbers() {
    for (format, bits, expected) in [
        (3, 32, "a TIFF image with 1 channel of floating-point numbers of 32 bits, which is not read"),
        (3, 64, "a TIFF image with 1 channel of floating-point numbers of 64 bits, which is not read"),
        (2, 32, "a TIFF image with 1 channel of signed integers of 32 bits, which is not read"),
    ] {
        let error = read(&classes("tif", &gray_tiff(format, bits, false))).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    for big in [false, true] {
        let files = classes("tif", &gray_tiff(1, 8, big));
        let set = open_with(&files, ".", &ReadOptions::default()).unwrap();
        assert_eq!((&set.train.x.shape[1..], set.train.x.row(0)), (&[1, 2, 2][..], &[0., 10., 20., 30.][..]), "{big}");
    }
}

#[test]
fn images_are_turned_upright() {
    let pixels = |files: &TempDir| {
        let set = open_with(files, ".", &ReadOptions::default()).unwrap();
        (set.train.x.shape[2..].to_vec(), set.train.x.row(0).to_vec(), set.origin.notes.join("; "))
    };
    let (shape, as_stored, notes) = pixels(&classes("jpg", &jpeg(0)));
    assert!(shape == [2, 6] && as_stored[0] < 64.0 && as_stored[5] > 192.0, "{shape:?} {as_stored:?}");
    assert!(!notes.contains("upright"));
    // 3: turned by half; 6: the left of the stored image is the top.
    let (shape, turned, notes) = pixels(&classes("jpg", &jpeg(3)));
    assert!(shape == [2, 6] && turned[0] > 192.0 && turned[5] < 64.0, "{shape:?} {turned:?}");
    assert!(notes.contains("4 images turned upright"), "{notes}");
    let (shape, turned, _) = pixels(&classes("jpg", &jpeg(6)));
    assert!(shape == [6, 2] && turned[0] < 64.0 && turned[11] > 192.0, "{shape:?} {turned:?}");
}

#[test]
fn files_that_are_not_read_are_counted_and_no_class_vanishes() {
    let (image, sound) = (png(2, 2, 0), wav(8000, 100, 100.0));
    let with = |more: &[(&str, &[u8])]| {
        let all = ["a/1.png", "a/2.png", "b/1.png", "b/2.png"].map(|name| (name, &image[..]));
        read(&folder(&[&all[..], more].concat()))
    };
    let (_, notes) = with(&[("README.md", b"x"), ("a/Thumbs.db", b"x"), ("b/notes.md", b"x")]).unwrap();
    assert!(notes.contains("3 other files are not read: 2 .md, 1 .db"), "{notes}");
    let (_, notes) = with(&[("a/3.heic", b"x")]).unwrap();
    assert!(notes.contains("1 other file is not read: 1 .heic"), "{notes}");
    let error = with(&[("c/1.heic", b"x"), ("c/2.heic", b"x")]).unwrap_err();
    assert!(error.ends_with("c: none of its files can be read (2 .heic)"), "{error}");
    // A folder is what it holds most of.
    let files = ["a/1.wav", "a/2.wav", "b/1.wav", "b/2.wav"].map(|name| (name, &sound[..]));
    let (shape, notes) = read(&folder(&[&files[..], &[("figure.png", &image)]].concat())).unwrap();
    assert_eq!(shape[..2], [1, 96], "{notes}");
    assert!(notes.contains("1 other file is not read: 1 .png"), "{notes}");
    let (_, notes) =
        with(&[("__MACOSX/._1.png", b"x"), (".hidden/1.png", b"x"), ("_3.png", &image)]).unwrap_or_default();
    assert!(!notes.contains("not read"), "{notes}");
}

#[test]
fn lists_of_classes_beside_their_folders_are_no_labels() {
    let image = png(2, 2, 0);
    let with = |name: &str, table: &[u8]| {
        let all = ["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"].map(|name| (name, &image[..]));
        open_with(&folder(&[&all[..], &[(name, table)]].concat()), ".", &ReadOptions::default())
    };
    for (name, table) in [
        ("labels.txt", &b"cat\ndog\n"[..]),
        ("labels.txt", b"0 cat\n1 dog\n"),
        ("labels.csv", b"id,name\n0,cat\n1,dog\n"),
        ("metadata.csv", b"width,height\n2,2\n"),
    ] {
        let set = with(name, table).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(set.classes.unwrap(), ["cat", "dog"]);
        let notes = set.origin.notes.join("; ");
        assert!(notes.contains(&format!("{name} names none of the files")), "{notes}");
    }
    // A table that names files is one of labels.
    let set = with("labels.csv", b"file,label\ncat/1.png,x\ncat/2.png,y\ndog/1.png,x\ndog/2.png,y\n").unwrap();
    assert_eq!(set.classes.unwrap(), ["x", "y"]);
}

/// A record of two signals in format 212, the second the negative of the first.
fn record(name: &str, values: &[i32]) -> [(String, Vec<u8>); 2] {
    let header = format!(
        "{name} 2 250 {}\n{name}.dat 212 100(0)/mV 12 0 0 0 0 I\n{name}.dat 212 100(0)/mV 12 0 0 0 0 II\n# a comment\n",
        values.len()
    );
    let pack = |&v: &i32| {
        let (a, b) = (v & 0xfff, -v & 0xfff);
        [(a & 0xff) as u8, (a >> 8 | b >> 4 & 0xf0) as u8, (b & 0xff) as u8]
    };
    [(format!("{name}.hea"), header.into_bytes()), (format!("{name}.dat"), values.iter().flat_map(pack).collect())]
}

fn records(more: &[(&str, &[u8])]) -> TempDir {
    let made: Vec<_> = ["p1", "p2", "p3", "p4"].iter().flat_map(|name| record(name, &[100, -200, 300, 50])).collect();
    let made: Vec<(&str, &[u8])> = made.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    folder(&[&made[..], more].concat())
}

#[test]
fn wfdb_records_are_read_with_their_labels_wherever_they_are() {
    let table = b"p1,N\np2,A\np3,N\np4,A\n";
    let lists = [("RECORDS", &b"p1\np2\np3\np4\n"[..]), ("RECORDS-A", b"p2\np4\n"), ("RECORDS-N", b"p1\np3\n")];
    for more in [&[("REFERENCE.csv", &table[..])][..], &lists] {
        let set = open_with(&records(more), ".", &ReadOptions::default()).unwrap();
        assert_eq!(set.classes.unwrap(), ["A", "N"]);
        assert_eq!(set.train.x.shape[1..], [2, 4]);
        assert_eq!(set.train.x.row(0), [1.0, -2.0, 3.0, 0.5, -1.0, 2.0, -3.0, -0.5]);
        let notes = set.origin.notes.join("; ");
        assert!(notes.contains("channels: I, II") && !notes.contains("not read"), "{notes}");
    }
    let error = read(&records(&[])).unwrap_err();
    assert!(error.contains("labels"), "{error}");
    let error = read(&records(&[("RECORDS-A", b"p1\np9\n")])).unwrap_err();
    assert!(error.contains("RECORDS-A:2: it names the record `p9`"), "{error}");
    let files = records(&[]);
    let error = open(&files.path().join("p1.dat"), &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("it is one recording (WFDB"), "{error}");
}

#[test]
fn wfdb_records_of_segments_are_joined_and_bad_ones_are_refused() {
    let table = b"whole,x\np1,y\np2,x\n";
    let segments = b"whole/3 2 250 10\np3 4\n~ 2\np4 4\n";
    let files = records(&[("whole.hea", segments), ("REFERENCE.csv", table)]);
    let options = ReadOptions { fill_missing: Some(Fill::Linear), ..Default::default() };
    let inputs = open_inputs(&files.path().join("."), &options).unwrap();
    assert_eq!(inputs.x.shape, [3, 2, 10]);
    let row = inputs.x.row(0);
    let expected = [1.0, -2.0, 3.0, 0.5, 2.0 / 3.0, 5.0 / 6.0, 1.0, -2.0, 3.0, 0.5];
    assert!(row[..10].iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{row:?}");

    let headers: [(&[u8], &str); 7] = [
        (b"p1 1 250 4\n../p1.dat 16\n", "p1.hea:2: it names the file `../p1.dat`, which is not in its folder"),
        (b"p1 1 250 4\np1.dat 516 100\n", "p1.hea:2: signals in format 516 are not supported"),
        (b"p1 1 0 4\np1.dat 16 100\n", "p1.hea:1: it is not a WFDB header: no sampling frequency"),
        (b"p1 2 250 4\np1.dat 16 100\n", "it describes 1 of 2"),
        (b"p1 x\n", "p1.hea:1: it is not a WFDB header: no number of signals"),
        (b"p1 1 250 4\np1.dat 16x0 100\n", "0 samples per frame"),
        (b"p1 1 250 4\np1.dat 16 100 0 0 0 0 0 I\n", "it has 2 channels, but"),
    ];
    for (header, words) in headers {
        let files = records(&[("REFERENCE.csv", b"p1,N\np2,A\np3,N\np4,A\n"), ("p1.hea", header)]);
        let error = read(&files).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    let long = b"p1 2 250 9\np1.dat 212 100 12 0 0 0 0 I\np1.dat 212 100 12 0 0 0 0 II\n";
    let (_, notes) = read(&records(&[("REFERENCE.csv", b"p1,N\np2,A\np3,N\np4,A\n"), ("p1.hea", long)])).unwrap();
    assert!(notes.contains("1 recording cut short"), "{notes}");
}

#[test]
fn fastq_files_are_read_with_labels_and_descriptions_are_none() {
    let reads = |label: &str| (0..6).map(|i| format!("@r{i}{label}\nACGTAC\n+\nIIIIII\n")).collect::<String>();
    let (one, two) = (reads(" 1:N:0:ATCACG length=36"), reads(" 1:N:0:GGGGGG length=36"));
    let (shape, notes) = read(&folder(&[("a.fastq", one.as_bytes()), ("b.fq", two.as_bytes())])).unwrap();
    assert_eq!(shape, [4, 6]);
    assert!(notes.contains("each file is a class") && notes.contains("qualities"), "{notes}");
    let table = ("labels.csv", &b"id,label\nr0,x\n"[..]);
    let (_, notes) = read(&folder(&[("a.fastq", one.as_bytes()), ("b.fq", two.as_bytes()), table])).unwrap();
    assert!(notes.contains("1 other file is not read: 1 .csv"), "{notes}");
    let error = read(&folder(&[("a.fastq", one.as_bytes())])).unwrap_err();
    assert!(error.contains("FASTQ sequences without labels"), "{error}");
    for header in [" OS=Homo sapiens SV=1", " SV=1", " len=6", " [Homo sapiens]"] {
        let text = (0..6).map(|i| format!(">r{i}{header}\nACGTAC\n")).collect::<String>();
        let error = read(&folder(&[("a.fasta", text.as_bytes())])).unwrap_err();
        assert!(error.contains("without labels"), "{header}: {error}");
    }
    for [a, b] in [["|x", "|y"], [" label=x", " label=y"], [" x", " y"], [" some words class=x", " other class=y"]] {
        let text = (0..8).map(|i| format!(">r{i}{}\nACGTAC\n", [a, b][i % 2])).collect::<String>();
        let set = open_with(&folder(&[("a.fas", text.as_bytes())]), "a.fas", &ReadOptions::default()).unwrap();
        assert_eq!(set.classes.unwrap(), ["x", "y"], "{a}");
    }
}

#[test]
fn the_columns_of_a_file_of_labels_are_told_by_their_names() {
    let images: Vec<(String, Vec<u8>)> = (0..12).map(|i| (format!("{i:02}.png"), png(4, 4, i))).collect();
    let with = |folders: [&str; 2], header: &str, row: &dyn Fn(usize) -> String| {
        let rows: String = (0..12).map(|i| format!("{i:02}.png,{}\n", row(i))).collect();
        let labels = format!("{header}\n{rows}");
        let named: Vec<String> =
            images.iter().enumerate().map(|(i, (name, _))| format!("{}{name}", folders[i % 2])).collect();
        let mut files: Vec<(&str, &[u8])> = named.iter().zip(&images).map(|(n, (_, b))| (n.as_str(), &b[..])).collect();
        files.push(("metadata.csv", labels.as_bytes()));
        let options = ReadOptions::default();
        open_with(&folder(&files), ".", &options).map_err(|e| format!("{e} / {}", e.hint().unwrap_or_default()))
    };
    let flat = ["", ""];
    let set =
        with(flat, "image,diagnosis,sex", &|i| format!("{},{}", ["m", "n"][i / 2 % 2], ["M", "F"][i % 2])).unwrap();
    assert_eq!(set.classes.unwrap(), ["m", "n"]);
    let set = with(flat, "image,label,subject", &|i| format!("{},s{}", ["m", "n"][i % 2], i / 4)).unwrap();
    assert!(set.origin.drawn.unwrap().grouped);
    let one_of = |i: usize| (0..3).map(|k| if i % 3 == k { "1" } else { "0" }).collect::<Vec<_>>().join(",");
    for (folders, header, row, words) in [
        (
            flat,
            "image,MEL,NV,BCC",
            &one_of as &dyn Fn(usize) -> String,
            "which column holds the labels: `MEL`, `NV`, `BCC`",
        ),
        (
            flat,
            "image,label,split",
            &|i| format!("{},{}", i % 2, ["train", "holdout"][i / 6]),
            "`holdout` is not the name of a split",
        ),
        (["a/", "b/"], "file,age", &|i| (20 + i / 3).to_string(), "folders that may be their classes: `a`, `b`"),
    ] {
        let error = with(folders, header, row).expect_err(header);
        assert!(error.contains(words), "{error}");
    }
}
