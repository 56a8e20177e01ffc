//! Settings that name columns or arrays, and names that may mean several things.

use crate::tests::readers::{folder, open_with};
use crate::tests::*;

fn options(set: impl FnOnce(&mut ReadOptions)) -> ReadOptions {
    let mut options = ReadOptions::default();
    set(&mut options);
    options
}

/// Half a second of sound of one value.
fn wav(value: i16) -> Vec<u8> {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut out = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut out, spec).unwrap();
    (0..4000).for_each(|_| writer.write_sample(value).unwrap());
    writer.finalize().unwrap();
    out.into_inner()
}

/// The error with its hint, or the notes, warnings and roles.
fn said(result: Result<Dataset, DataError>) -> String {
    match result {
        Ok(set) => set.inspect().unwrap().to_string(),
        Err(error) => format!("{error} / {}", error.hint().unwrap_or_default()),
    }
}

#[test]
fn a_setting_that_names_nothing_is_refused_in_every_format() {
    let ts = "@problemName t\n@classLabel true a b\n@data\n1,2,3:a\n2,3,4:b\n3,4,5:a\n4,5,6:b\n";
    let arff = "@relation r\n@attribute p numeric\n@attribute q numeric\n@attribute class {a,b}\n@data\n1,2,a\n2,3,b\n3,4,a\n4,5,b\n";
    let fasta: String = (0..8).map(|i| format!(">s{i}|{}\nACGTACGT\n", ["x", "y"][i % 2])).collect();
    let npz = archive(&[ramp("x", &[6, 1, 4]), i32s("y", &[6], &[0, 1, 0, 1, 0, 1]), i32s("patient", &[6], &[0; 6])]);
    let sound = wav(100);
    let files = folder(&[
        ("t.ts", ts.as_bytes()),
        ("t.arff", arff.as_bytes()),
        ("t.fa", fasta.as_bytes()),
        ("t.npz", &npz),
        ("sound/a/1.wav", &sound),
        ("sound/a/2.wav", &sound),
        ("sound/b/1.wav", &sound),
        ("sound/b/2.wav", &sound),
        ("images/a/1.pgm", b"P5 2 2 255\n1234"),
        ("images/a/2.pgm", b"P5 2 2 255\n1235"),
        ("images/b/1.pgm", b"P5 2 2 255\n1236"),
        ("images/b/2.pgm", b"P5 2 2 255\n1237"),
        ("labeled/1.pgm", b"P5 2 2 255\n1234"),
        ("labeled/2.pgm", b"P5 2 2 255\n1235"),
        ("labeled/3.pgm", b"P5 2 2 255\n1234"),
        ("labeled/4.pgm", b"P5 2 2 255\n1235"),
        ("labeled/labels.csv", b"file,label,who\n1,a,p\n2,b,q\n3,a,r\n4,b,s\n"),
    ]);
    type Set = fn(&mut ReadOptions, Option<String>);
    let settings: [(&str, Set); 5] = [
        ("group", |o, v| o.group = v),
        ("split", |o, v| o.split = v),
        ("weight", |o, v| o.weight = v),
        ("time", |o, v| o.time = v),
        ("targets", |o, v| o.targets = v),
    ];
    for name in ["t.ts", "t.arff", "t.fa", "t.npz", "sound", "images", "labeled"] {
        let plain = open_with(&files, name, &ReadOptions::default());
        assert!(plain.is_ok(), "{name}: {}", said(plain));
        for (key, set) in settings {
            let text = said(open_with(&files, name, &options(|o| set(o, Some("nowhere".into())))));
            assert!(text.contains("nowhere") && !text.contains("guessing"), "{name}, {key}: {text}");
        }
    }
    let text = said(open_with(&files, "t.npz", &options(|o| o.group = Some("nowhere".into()))));
    assert!(text.contains("patient 6") && text.contains("`data.group`"), "{text}");
    let text = said(open_with(&files, "labeled", &options(|o| o.group = Some("nowhere".into()))));
    assert!(text.contains("(columns: file, label, who)"), "{text}");
    assert!(open_with(&files, "labeled", &options(|o| o.group = Some("who".into()))).is_ok());
    // A length that arrays do not have.
    let text = said(open_with(&files, "t.npz", &options(|o| o.length = Some(3))));
    assert!(text.contains("`data.length` is 3, but the samples of these arrays have 4 values"), "{text}");
    assert!(open_with(&files, "t.npz", &options(|o| o.length = Some(4))).is_ok());
}

#[test]
fn y_beside_x_is_a_coordinate_where_something_else_may_be_the_label() {
    let rows = |head: &str, row: &dyn Fn(usize) -> String| {
        format!("{head}\n") + &(0..40).map(|i| row(i) + "\n").collect::<String>()
    };
    let (a, b) = (|i: usize| format!("{}.5", i * 7 % 40), |i: usize| format!("{}.25", i * i % 37));
    let kind = |i: usize| ["walk", "run"][i / 2 % 2];
    let cases = [
        ("kind", rows("x,y,kind", &|i| format!("{},{},{}", a(i), b(i), kind(i))), "label     1: kind", ""),
        ("kind", rows("x,y,z,kind", &|i| format!("{},{},{i}.5,{}", a(i), b(i), kind(i))), "label     1: kind", ""),
        ("only", rows("x,y", &|i| format!("{},{}", a(i), b(i))), "the only column of inputs is `x`", ""),
        ("no x", rows("p,q,y", &|i| format!("{},{},{}.5", a(i), b(i), i % 9)), "label     1: y", "warning"),
        (
            "more",
            rows("x,y,speed", &|i| format!("{},{},{}.5", a(i), b(i), i % 9)),
            "although a column `x` is beside it",
            "none",
        ),
    ];
    for (name, text, words, absent) in cases {
        let found = said(open_with(&folder(&[("t.csv", text.as_bytes())]), "t.csv", &ReadOptions::default()));
        assert!(found.contains(words) && (absent.is_empty() || !found.contains(absent)), "{name}: {found}");
    }
    let axes = |more: Entry| archive(&[ramp("x", &[6, 4]), ramp("y", &[6, 4]), more]);
    for (more, words) in [
        (ramp("z", &[6, 4]), "it has the shape of x and z"),
        (i32s("label", &[6], &[0, 1, 0, 1, 0, 1]), "y and label could be it"),
    ] {
        let found = said(open_with(&folder(&[("t.npz", &axes(more))]), "t.npz", &ReadOptions::default()));
        assert!(found.contains(words), "{found}");
    }
}

#[test]
fn two_groups_are_probably_the_arms_of_a_study() {
    let row =
        |i: usize| format!("{}.5,{}.25,{},{}\n", i * 7 % 40, i * i % 37, ["control", "treated"][i % 2], i / 2 % 2);
    let text = "a,b,group,label\n".to_owned() + &(0..40).map(row).collect::<String>();
    let files = folder(&[("t.csv", text.as_bytes())]);
    let found = said(open_with(&files, "t.csv", &ReadOptions::default()));
    assert!(found.contains("holds 2 groups only (`control`, `treated`)"), "{found}");
    let asked = said(open_with(&files, "t.csv", &options(|o| o.group = Some("group".into()))));
    assert!(!asked.contains("groups only"), "{asked}");
    let many = text.replace("control", "c1").replace("group", "patient");
    let many: String =
        many.lines().enumerate().map(|(i, line)| line.replace("treated", &format!("t{}", i % 5)) + "\n").collect();
    let found = said(open_with(&folder(&[("t.csv", many.as_bytes())]), "t.csv", &ReadOptions::default()));
    assert!(!found.contains("groups only"), "{found}");
}

#[test]
fn guessing_counts_the_weights_as_the_metric_does() {
    // By weight, `b` is the most common class in training, and a quarter of the test samples is `a`.
    let rows = "1,2,train,1,a\n2,1,train,1,a\n3,5,train,4,b\n4,1,test,3,b\n5,9,test,1,a\n6,9,test,2,b\n7,7,test,2,b\n";
    for (head, expected) in [("p,q,split,sample_weight,label", 0.125), ("p,q,split,r,label", 0.75)] {
        let files = folder(&[("t.csv", format!("{head}\n{rows}").as_bytes())]);
        let set = open_with(&files, "t.csv", &ReadOptions::default()).unwrap();
        assert_eq!(set.inspect().unwrap().majority_error, Some(expected), "{head}");
    }
}

#[test]
fn windows_have_the_weights_of_their_recordings() {
    let names = ["a1", "a2", "b1", "b2"];
    let sounds: Vec<Vec<u8>> = (0..4).map(|i| wav(100 * (i + 1))).collect();
    let paths: Vec<String> = names.iter().map(|name| format!("{name}.wav")).collect();
    let labels = "file,label,sample_weight\na1,a,1\na2,a,2\nb1,b,3\nb2,b,4\n";
    let mut all: Vec<(&str, &[u8])> = paths.iter().zip(&sounds).map(|(n, s)| (&n[..], &s[..])).collect();
    all.push(("labels.csv", labels.as_bytes()));
    let options = options(|o| {
        o.window = Some(dashnas_formats::options::Span::Steps(1000));
        o.audio_rate = 8000;
    });
    let set = open_with(&folder(&all), ".", &options).unwrap();
    for (facts, split) in [(&set.facts.train, &set.train), (&set.facts.test, &set.test)] {
        let weights = facts.weights.as_ref().unwrap();
        assert_eq!(weights.len(), split.len());
        for (i, weight) in weights.iter().enumerate() {
            assert!((split.x.row(i)[500] * 32768.0 - 100.0 * weight).abs() < 1.0, "{weight}");
        }
    }
}

#[test]
fn what_is_filled_is_said_also_where_there_is_nothing_to_fill_it_from() {
    let npz = archive(&[
        f32s("x", &[4, 2, 2], &[1., 2., f32::NAN, f32::NAN, 1., f32::NAN, 3., 4., 1., 2., 3., 4., 5., 6., 7., 8.]),
        i32s("y", &[4], &[0, 1, 0, 1]),
    ]);
    let ts = "@problemName t\n@classLabel true a b\n@data\n1,2:?,?:a\n?,3:3,4:b\n3,4:5,6:a\n4,5:1,2:b\n";
    let csv = "a,b,c,d,label\n1,2,,,x\n,2,3,4,y\n1,2,3,4,x\n5,6,7,8,y\n";
    let files = folder(&[("t.npz", &npz), ("t.ts", ts.as_bytes()), ("t.csv", csv.as_bytes())]);
    for name in ["t.npz", "t.ts", "t.csv"] {
        let options = options(|o| {
            o.fill_missing = Some(Fill::Linear);
            o.channels = Some(2).filter(|_| name == "t.csv");
        });
        let found = said(open_with(&files, name, &options));
        assert!(found.contains("filled 3 missing values (linear)"), "{name}: {found}");
        assert!(
            found.contains("1 channel of a sample holds no value at all: it is filled with zeros"),
            "{name}: {found}"
        );
    }
}

#[test]
fn rows_of_tables_and_fields_may_end_early_under_a_mask() {
    let mask = |fill| options(|o| (o.lengths, o.fill_missing) = (Lengths::Mask, fill));
    let rows = "1,2,,,x\n1,2,3,,y\n1,2,3,4,x\n5,6,7,8,y\n";
    let gap = "1,,3,,x\n";
    let table = |rows: &str| folder(&[("t.csv", format!("a,b,c,d,label\n{rows}").as_bytes())]);
    for in_memory in [None, Some(0)] {
        let read = |rows: &str, fill| open_with(&table(rows), "t.csv", &ReadOptions { in_memory, ..mask(fill) });
        let text = said(read(rows, None));
        assert!(text.contains("samples are 2 to 4 long"), "{text}");
        let text = said(read(&(rows.to_owned() + gap), None));
        assert!(text.contains("t.csv:6: column b") && text.contains("the value is missing"), "{text}");
        let text = said(read(&(rows.to_owned() + gap), Some(Fill::Linear)));
        assert!(text.contains("filled 1 missing value (linear)") && text.contains("2 to 4 long"), "{text}");
    }
    const NAN: f32 = f32::NAN;
    let field = |y: [f32; 12]| {
        let x = [1., 2., NAN, 1., 2., 3., 4., 5., 6., 7., 8., 9.];
        folder(&[("t.npz", &archive(&[f32s("x", &[4, 1, 3], &x), f32s("y", &[4, 1, 3], &y)]))])
    };
    let ended = [1.5, 2.5, NAN, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5];
    let set = open_with(&field(ended), "t.npz", &mask(None)).unwrap_or_else(|e| panic!("{e}"));
    assert!(matches!(set.task, TaskKind::DenseRegression { .. }));
    let unknown = |split: &Split| split.y.values().unwrap().data.iter().filter(|v| v.is_nan()).count();
    assert_eq!(unknown(&set.train) + unknown(&set.test), 1);
    let early = [1.5, NAN, NAN, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5];
    assert!(open_with(&field(early), "t.npz", &mask(None)).is_err());
}

#[test]
fn images_with_labels_in_files_that_are_not_read_are_refused_by_what_they_are() {
    let image: &[u8] = b"P5 2 2 255\n1234";
    let yolo = [
        ("images/train/a.pgm", image),
        ("images/train/b.pgm", image),
        ("images/val/c.pgm", image),
        ("labels/train/a.txt", &b""[..]),
        ("labels/train/b.txt", b"0 0.5 0.5 0.25 0.125\n"),
        ("labels/val/c.txt", b"1 0.5 0.5 0.25 0.125\n"),
    ];
    let celeba = [
        ("img/1.pgm", image),
        ("img/2.pgm", image),
        ("list_attr_celeba.txt", &b"2\nBald Smiling\n1.pgm -1 1\n2.pgm 1 -1\n"[..]),
    ];
    for (files, words) in
        [(&yolo[..], "boxes of objects in images, as of YOLO"), (&celeba[..], "attributes as of CelebA")]
    {
        let found = said(open_with(&folder(files), ".", &ReadOptions::default()));
        assert!(found.contains(words), "{found}");
    }
}
