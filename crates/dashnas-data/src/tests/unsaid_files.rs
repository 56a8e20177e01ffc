//! Folders, archives and recordings that were once understood wrongly without a word.

use crate::tests::readers::{folder, mask, open_with, png};
use crate::tests::unsaid::{check, said};
use crate::tests::*;

/// Files with their bytes.
type Files<'a> = Vec<(&'a str, &'a [u8])>;

/// Images 0.png to 23.png with a file of labels of these rows.
fn labeled(head: &str, row: impl Fn(usize) -> String, options: &ReadOptions) -> String {
    let images: Vec<(String, Vec<u8>)> = (0..24).map(|i| (format!("f/{i}.png"), png(4, 4, i as u8))).collect();
    let text = format!("{head}\n") + &(0..24).map(|i| row(i) + "\n").collect::<String>();
    let mut files: Vec<(&str, &[u8])> = images.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    files.push(("f/labels.csv", text.as_bytes()));
    said(&files, "f", options)
}

#[test]
fn files_of_labels_say_what_they_mean() {
    type Row = fn(usize) -> String;
    let cases: [(&str, &str, Row, &[&str]); 14] = [
        (
            "a comma in names",
            "image,label",
            |i| format!("{i},\"{}\"", ["Smith, J", "Doe, A"][i % 2]),
            &["one label or several"],
        ),
        (
            "several labels",
            "image,label",
            |i| format!("{i},\"{}\"", ["cat,dog", "cat", "dog"][i % 3]),
            &["multi-label"],
        ),
        (
            "several words",
            "image,label",
            |i| format!("{i},{}", ["cat dog", "cat", "dog"][i % 3]),
            &["`cat dog` joins the names of other classes"],
        ),
        ("plural", "image,tags", |i| format!("{i},{}", ["a|b", "c"][i % 2]), &["with 3 labels"]),
        ("decimal commas", "image;label", |i| format!("{i};{},{}5", i % 7, i % 3), &["a number or several labels"]),
        (
            "spelling",
            "image,label",
            |i| format!("{i},{}", ["Cat", "cat", "dog"][i % 3]),
            &["only in their spelling", "`Cat`, `cat`"],
        ),
        (
            "NA",
            "image,label",
            |i| format!("{i},{}", ["NA", "cat", "dog"][i % 3]),
            &["labels.csv:2", "missing: it is `NA`"],
        ),
        (
            "another split",
            "image,label,split",
            |i| format!("{i},{},{}", i % 2, ["train", "holdout"][i % 2]),
            &["`holdout` is not the name of a split"],
        ),
        (
            "flags",
            "image,label,is_test",
            |i| format!("{i},{},{}", i % 2, u8::from(i % 6 < 2)),
            &["split     1: is_test", "given"],
        ),
        (
            "an identifier first",
            "lesion_id,image_id,dx",
            |i| format!("L{},{i},{}", i / 2, ["nv", "mel"][i / 4 % 2]),
            &["label     1: dx", "group     1: lesion_id", "id        1: image_id"],
        ),
        (
            "a code beside the class",
            "filename,target,category",
            |i| format!("{i}.png,{},{}", i % 2, ["cat", "dog"][i % 2]),
            &["label     1: category", "code of the label `category`", "cat  "],
        ),
        (
            "no group",
            "image,label,subject",
            |i| format!("{i},{},{}", i % 2, if i == 3 { "" } else { "s" }),
            &["labels.csv:5", "the group is missing"],
        ),
        (
            "other columns",
            "image,label,age",
            |i| format!("{i},{},{i}", i % 2),
            &["label     1: label", "left out  1: age (it is not used)"],
        ),
        ("plain", "image,label", |i| format!("{i},{}", i % 2), &["2 classes", "!warning"]),
    ];
    for (name, head, row, words) in cases {
        check(name, &labeled(head, row, &ReadOptions::default()), words);
    }
    let row: Row = |i| format!("{i},\"{}\"", ["Smith, J", "Doe, A"][i % 2]);
    for (task, words) in [(TaskName::Classification, "2 classes"), (TaskName::MultiLabel, "4 labels")] {
        let options = ReadOptions { task: Some(task), ..ReadOptions::default() };
        check("as asked", &labeled("image,label", row, &options), &[words]);
    }
    let options = ReadOptions { decimal: Some(",".into()), ..ReadOptions::default() };
    check("as asked", &labeled("image;label", |i| format!("{i};{},{}5", i % 7, i % 3), &options), &["regression"]);
}

#[test]
fn folders_of_classes_say_what_is_left_out() {
    let image = png(4, 4, 3);
    let files: Vec<(String, &[u8])> = ["tench, Tinca tinca", "dog"]
        .iter()
        .flat_map(|c| (0..6).map(move |i| format!("f/{c}/{i}.png")))
        .map(|n| (n, &image[..]))
        .collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let made = folder(&files);
    std::fs::create_dir(made.path().join("f/empty")).unwrap();
    let set = open_with(&made, "f", &ReadOptions::default()).unwrap();
    assert_eq!(set.classes.as_deref().unwrap(), ["dog", "tench, Tinca tinca"]);
    check("empty", &set.inspect().unwrap().to_string(), &["folders beside the classes are empty: `empty`"]);
    let one: Vec<(&str, &[u8])> = files.iter().copied().filter(|(name, _)| name.contains("dog")).collect();
    check("one folder", &said(&one, "f", &ReadOptions::default()), &["all files lie in one folder, `dog`"]);

    let encoded = |image: image::DynamicImage| {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, image::ImageFormat::Png).unwrap();
        out.into_inner()
    };
    let deep = encoded(image::ImageBuffer::from_fn(4, 4, |x, y| image::Luma([(x * 900 + y) as u16])).into());
    let clear = encoded(image::RgbaImage::from_fn(4, 4, |x, y| image::Rgba([x as u8, y as u8, 3, 9])).into());
    for (name, other, words) in
        [("depth", &deep, "4 of 8 images have 16 bits"), ("transparency", &clear, "8 images have transparent pixels")]
    {
        let flat = if name == "depth" { &image } else { other };
        let files: Vec<(String, &[u8])> = ["a", "b"]
            .iter()
            .flat_map(|c| (0..4).map(move |i| (format!("f/{c}/{i}.png"), i)))
            .map(|(n, i)| (n, if i % 2 == 0 { &other[..] } else { &flat[..] }))
            .collect();
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        check(name, &said(&files, "f", &ReadOptions::default()), &[words]);
    }
}

/// An image with a palette of colors, with these indices.
pub(super) fn palette(value: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 4, 4);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Two);
    encoder.set_palette(vec![0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]);
    let rows: Vec<u8> = (0..4).map(|y| (0..4).fold(0, |row, x| row << 2 | value(x, y))).collect();
    encoder.write_header().unwrap().write_image_data(&rows).unwrap();
    out
}

#[test]
fn masks_are_read_by_their_values() {
    let cases: [(&str, Vec<u8>, &[&str]); 8] = [
        ("0 and 255", mask(4, 4, |x, y| if x > y { 255 } else { 0 }), &["dense binary", "half white"]),
        ("0 and 1", mask(4, 4, |x, y| u8::from(x > y)), &["dense binary", "1 where the value is 1"]),
        ("0 and 80", mask(4, 4, |x, y| if x > y { 80 } else { 0 }), &["dense binary", "1 where the value is 80"]),
        (
            "nearly black and white",
            mask(4, 4, |x, y| if x > y { 255 - y as u8 } else { x as u8 }),
            &["dense binary", "half white"],
        ),
        ("classes", mask(4, 4, |x, _| x as u8), &["the masks have 4 values, 0, 1, 2, 3", "several classes"]),
        ("two indices", palette(|x, y| u8::from(x > y)), &["dense binary", "two indices of the palette"]),
        ("four indices", palette(|x, _| x as u8), &["4 indices of the palette, 0, 1, 2, 3", "several classes"]),
        ("quantities", mask(16, 16, |x, y| (x * 16 + y) as u8), &["dense regression", "quantities"]),
    ];
    for (name, one, words) in cases {
        let size = if name == "quantities" { 16 } else { 4 };
        let image = png(size, size, 7);
        let files: Vec<(String, &[u8])> = (0..5)
            .flat_map(|i| [(format!("f/images/{i}.png"), &image[..]), (format!("f/masks/{i}.png"), &one[..])])
            .collect();
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        check(name, &said(&files, "f", &ReadOptions::default()), words);
        if words[0] == "dense binary" {
            let options =
                ReadOptions { task: Some(TaskName::DenseBinary), resize: Some([4, 4]), ..ReadOptions::default() };
            let set = open_with(&folder(&files), "f", &options).unwrap();
            assert_eq!(set.train.y.values().unwrap().row(0).iter().sum::<f32>(), 6.0, "{name}");
        }
    }
}

/// Text as NumPy saves it.
fn texts(name: &'static str, values: &[&str]) -> Entry {
    let bytes = values.iter().flat_map(|v| format!("{v:\0<4}").into_bytes()).collect();
    entry(name, "|S4", &[values.len()], bytes)
}

#[test]
fn archives_use_the_arrays_that_are_meant() {
    let (x, y) = (ramp("x", &[30, 1, 4]), || i32s("y", &[30], &(0..30).map(|i| i % 3).collect::<Vec<_>>()));
    let archive_with = |more: Vec<Entry>| {
        let mut all = vec![ramp("x", &[30, 1, 4])];
        all.extend(more);
        said(&[("t.npz", &archive(&all))], "t.npz", &ReadOptions::default())
    };
    let cases: Vec<(&str, Vec<Entry>, &[&str])> = vec![
        ("names", vec![y(), texts("classes", &["p", "q", "r"])], &["q   ", "!warning"]),
        ("too many names", vec![y(), texts("classes", &["p", "q", "r", "s"])], &["the file names 4 classes", "q   "]),
        ("too few names", vec![y(), texts("classes", &["p", "q"])], &["2 class names for 3 classes"]),
        (
            "scikit-learn",
            vec![y(), texts("target_names", &["p", "q", "r"]), texts("feature_names", &["u", "v"])],
            &["q   ", "left out  1: feature_names"],
        ),
        (
            "objects",
            vec![y(), entry("class_names", "|O", &[3], vec![0; 24])],
            &["`class_names` may hold the names", "astype(str)"],
        ),
        (
            "groups",
            vec![y(), f32s("subject", &[30], &[vec![f32::NAN], vec![2.0; 29]].concat())],
            &["subject", "sample 0 (from 0) is missing"],
        ),
        ("spelling", vec![texts("y", &["Cat", "cat", "dog"].repeat(10))], &["only in their spelling"]),
        ("one-hot", vec![i32s("y", &[30, 2], &[0, 1, 1, 0].repeat(15))], &["one 1 among zeros", "2 classes"]),
        (
            "place",
            vec![f32s("y", &[30], &(0..30).map(|i| if i == 7 { f32::NAN } else { i as f32 }).collect::<Vec<_>>())],
            &["y[7] is NaN"],
        ),
    ];
    for (name, more, words) in cases {
        check(name, &archive_with(more), words);
    }
    let mut values: Vec<f32> = (0..120).map(|i| i as f32).collect();
    values[7 * 4 + 2] = f32::INFINITY;
    let infinite = archive(&[f32s("features", &[30, 1, 4], &values), y()]);
    check("place", &said(&[("t.npz", &infinite)], "t.npz", &ReadOptions::default()), &["features[7, 0, 2] is inf"]);

    let (x, y, half) = (npy(&x), npy(&y()), npy(&ramp("x", &[12, 1, 4])));
    let classes = npy(&i32s("y", &[12], &[0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]));
    let files: [(&str, &[u8]); 4] = [("X.npy", &x), ("y.npy", &y), ("X_train.npy", &half), ("y_train.npy", &classes)];
    for (path, words) in [("X.npy", "X 30×1×4"), ("X_train.npy", "X_train 12×1×4")] {
        check(path, &said(&files, path, &ReadOptions::default()), &[words, "input     1", "!left out"]);
    }
}

#[test]
fn files_of_series_say_what_their_labels_are() {
    let arff = |head: &str, row: &dyn Fn(usize) -> String| {
        let rows = (0..30).map(|i| format!("{}\n", row(i))).collect::<String>();
        format!("@relation {head}@data\n{rows}").into_bytes()
    };
    let [a, b, y, z] =
        ["@attribute a numeric\n", "@attribute b numeric\n", "@attribute y {0,1}\n", "@attribute z {0,1}\n"];
    let both = |i: usize| format!("{},{}", i % 2, i / 2 % 2);
    let value = |i: usize| format!("{},{}.5", i * 7 % 11, i * 5 % 13);
    let front = arff(&format!("'t: -C 2'\n{y}{z}{a}{b}"), &|i| format!("{},{}", both(i), value(i)));
    let back = arff(&format!("'t: -V -C -2'\n{a}{b}{y}{z}"), &|i| format!("{},{}", value(i), both(i)));
    let class = arff(&format!("t\n@attribute id numeric\n{a}{b}@attribute class numeric\n"), &|i| {
        format!("{i},{},{}", value(i), i % 2)
    });
    let other = arff(&format!("t\n{a}{b}@attribute out numeric\n"), &|i| format!("{},{}", value(i), i % 3));
    let xml = b"<labels xmlns=\"http://mulan.sourceforge.net/labels\"><label name=\"y\"></label></labels>";
    let lines = |sep: &str, last: &dyn Fn(usize) -> String| {
        (0..30).map(|i| format!("{}{sep}{}{sep}{}\n", i * 7 % 31, i * 5 % 13, last(i))).collect::<String>().into_bytes()
    };
    let (spaces, tabs) = (lines(" ", &|i| (i % 2).to_string()), lines("\t", &|i| (1 + i % 3).to_string()));
    let fractions = (0..30).map(|i| format!("{i}.25 {} {}.5\n", i % 5, i % 7)).collect::<String>().into_bytes();
    let cases: Vec<(&str, &str, Files<'_>, &[&str])> = vec![
        (
            "MEKA",
            "t.arff",
            vec![("t.arff", &front)],
            &["multi-label classification with 2 labels", "label     2: y, z", "1 channel of 2"],
        ),
        ("MEKA, at the end", "t.arff", vec![("t.arff", &back)], &["with 2 labels", "input     2: a, b"]),
        ("Mulan", "t.arff", vec![("t.arff", &back), ("t.xml", xml)], &["t.xml names the labels", "data.targets"]),
        ("an id and a class", "t.arff", vec![("t.arff", &class)], &["2 classes", "id        1: id", "1 channel of 2"]),
        ("a number", "t.arff", vec![("t.arff", &other)], &["regression", "`out` holds 3 different whole numbers"]),
        (
            "label last",
            "t.txt",
            vec![("t.txt", &spaces)],
            &["30 different numbers in 30 lines", "the last fields look like labels"],
        ),
        ("label last", "t.tsv", vec![("t.tsv", &tabs)], &["the last fields look like labels"]),
        ("quantities", "t.txt", vec![("t.txt", &fractions)], &["30 different numbers", "`task.kind` to regression"]),
    ];
    for (name, path, files, words) in cases {
        check(name, &said(&files, path, &ReadOptions::default()), words);
    }
    let options = ReadOptions { targets: Some("y,z".into()), ..ReadOptions::default() };
    check(
        "as asked",
        &said(&[("t.arff", &back), ("t.xml", xml)], "t.arff", &options),
        &["with 2 labels", "1 channel of 2"],
    );
    let options = ReadOptions { targets: Some("y".into()), ..ReadOptions::default() };
    check(
        "one of them",
        &said(&[("t.arff", &front)], "t.arff", &options),
        &["2 classes", "left out  1: z", "1 channel of 2"],
    );
}

#[test]
fn recordings_are_in_one_unit() {
    let signal: Vec<u8> = (0..50i16).flat_map(|i| (i * 20 - 500).to_le_bytes()).collect();
    let made = |gains: [&str; 2]| {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for i in 0..8 {
            let gain = gains[i / 4];
            files.push((
                format!("f/r{i}.hea"),
                format!("r{i} 1 250 50\nr{i}.dat 16 {gain} 16 0 0 0 0 I\n").into_bytes(),
            ));
            files.push((format!("f/r{i}.dat"), signal.clone()));
        }
        files.push((
            "f/REFERENCE.csv".into(),
            (0..8).map(|i| format!("r{i},{}\n", ["N", "A"][i % 2])).collect::<String>().into_bytes(),
        ));
        files
    };
    let open_made = |files: &[(String, Vec<u8>)]| {
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
        open_with(&folder(&files), "f", &ReadOptions::default()).unwrap()
    };
    let same = open_made(&made(["200/mV", "0.2/uV"]));
    let plain = open_made(&made(["200", "200"]));
    check("volts", &same.inspect().unwrap().to_string(), &["4 recordings in other units, converted", "!warning"]);
    check("no unit", &plain.inspect().unwrap().to_string(), &["!other units", "!warning"]);
    let differ = |(a, b): (&f32, &f32)| (a - b).abs() > 1e-5;
    assert!(!same.train.x.data.iter().zip(&plain.train.x.data).any(differ));
    let other = open_made(&made(["200/mV", "200/mmHg"]));
    check("pressure", &other.inspect().unwrap().to_string(), &["channel I is in `mmHg`", "not converted"]);
}

#[test]
fn folders_of_several_files_are_one_data_set_or_a_choice() {
    let table = b"a,b,label\n1,2,x\n2,1,y\n3,1,x\n4,2,y\n5,2,x\n6,9,y\n";
    let dna: String = (0..9).map(|i| format!(">d{i} a\n{}\n", "ACGT".repeat(6 + i % 2))).collect();
    let other = dna.replace(" a", " b");
    let protein: String = (0..9).map(|i| format!(">p{i} b\n{}\n", "MKVLEFIP".repeat(3 + i % 2))).collect();
    let submission = b"id,label\n1,x\n";
    let half = archive(&[ramp("x", &[6, 1, 4]), i32s("y", &[6], &[0, 1, 0, 1, 0, 1])]);
    let cases: Vec<(&str, Files<'_>, &[&str])> = vec![
        (
            "a word more",
            vec![("f/data.csv", table), ("f/data-train.csv", table)],
            &["without a choice", "data-train.csv, data.csv"],
        ),
        (
            "a competition",
            vec![("f/train.csv", table), ("f/test.csv", b"a,b\n1,2\n"), ("f/sample_submission.csv", submission)],
            &["train.csv", "test.csv has no labels", "sample_submission.csv is not read"],
        ),
        (
            "archives",
            vec![("f/train.npz", &half), ("f/test.npz", &half)],
            &["test.npz is of the same data set by name, and not read"],
        ),
        ("archives", vec![("f/a.npz", &half), ("f/b.npz", &half)], &["a folder of several data sets"]),
        ("two splits", vec![("f/train.csv", table), ("f/test.csv", table)], &["given", "6×1×2"]),
        (
            "kinds of sequences",
            vec![("f/a.fa", dna.as_bytes()), ("f/b.fa", protein.as_bytes())],
            &["nucleotides and proteins"],
        ),
        ("one kind", vec![("f/a.fa", dna.as_bytes()), ("f/b.fa", other.as_bytes())], &["one-hot over ACGT"]),
    ];
    for (name, files, words) in cases {
        check(name, &said(&files, "f", &ReadOptions::default()), words);
    }
}
