//! Measures the accuracy of the three transforms on a data set in the text format of the UCR archive: one series in each
//! line, a class and then the steps, separated by tabs, commas or spaces. With `channels`, the channels of a series stand
//! one after another in its line.
//!
//! ```text
//! cargo run --release -p dashnas-rocket --example accuracy -- Crop_TRAIN.tsv Crop_TEST.tsv [seeds] [channels] [transform]
//! ```
//!
//! `RAYON_NUM_THREADS=1` measures the times on one thread.

use dashnas_core::Seed;
use dashnas_rocket::{Kind, Model, Series};
use std::collections::BTreeSet;
use std::error::Error;
use std::time::Instant;

/// The classes and series of a file.
struct Table {
    classes: Vec<String>,
    values: Vec<f32>,
}

impl Table {
    fn series(&self, channels: usize) -> Result<Series<'_>, dashnas_rocket::Error> {
        let samples = self.classes.len();
        Series::new(&self.values, [samples, channels, self.values.len() / samples.max(1) / channels])
    }
}

fn read(path: &str) -> Result<Table, Box<dyn Error>> {
    let (mut classes, mut values, mut length) = (Vec::new(), Vec::new(), None);
    for (line, text) in std::fs::read_to_string(path)?.lines().enumerate() {
        let mut cells = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|cell| !cell.is_empty());
        let Some(class) = cells.next() else { continue };
        classes.push(class.to_owned());
        let before = values.len();
        for cell in cells {
            values.push(cell.parse::<f32>().map_err(|error| format!("{path}:{}: {cell}: {error}", line + 1))?);
        }
        let found = values.len() - before;
        if *length.get_or_insert(found) != found {
            return Err(format!("{path}:{}: {found} values, other lines have another number", line + 1).into());
        }
    }
    Ok(Table { classes, values })
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [train, test, rest @ ..] = &arguments[..] else {
        return Err("usage: accuracy TRAIN TEST [seeds] [channels] [rocket|minirocket|multirocket]".into());
    };
    let number = |at: usize, default: usize| rest.get(at).map_or(Ok(default), |text| text.parse());
    let (seeds, channels) = (number(0, 3)?.max(1) as u64, number(1, 1)?.max(1));
    let (train, test) = (read(train)?, read(test)?);
    let names: Vec<&String> = train.classes.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let index = |classes: &[String]| -> Result<Vec<usize>, String> {
        let find = |class| names.binary_search(&class).map_err(|_| format!("the class {class} has no training series"));
        classes.iter().map(find).collect()
    };
    let (known, expected) = (index(&train.classes)?, index(&test.classes)?);
    let (train, test) = (train.series(channels)?, test.series(channels)?);
    println!("transform    accuracy           alpha      fit       predict");
    for kind in Kind::ALL {
        if rest.get(2).is_some_and(|name| !kind.title().eq_ignore_ascii_case(name)) {
            continue;
        }
        let mut accuracies = Vec::new();
        let (mut fitting, mut predicting, mut alphas) = (0.0, 0.0, Vec::new());
        for seed in 0..seeds {
            let start = Instant::now();
            let model = Model::fit_classes(kind, kind.default_kernels(), train, &known, names.len(), Seed(seed))?;
            fitting += start.elapsed().as_secs_f64();
            alphas.push(format!("{:.3}", model.ridge().alpha()));
            let start = Instant::now();
            let predicted = model.predict_classes(test)?;
            predicting += start.elapsed().as_secs_f64();
            let right = predicted.iter().zip(&expected).filter(|(predicted, expected)| predicted == expected).count();
            accuracies.push(right as f64 / expected.len() as f64);
        }
        let count = seeds as f64;
        let mean = accuracies.iter().sum::<f64>() / count;
        let squares: f64 = accuracies.iter().map(|accuracy| (accuracy - mean).powi(2)).sum();
        let deviation = (squares / (count - 1.0).max(1.0)).sqrt();
        let (fitting, predicting) = (fitting / count, predicting / count);
        let alphas = alphas.join(" ");
        println!("{:<12} {mean:.4} ± {deviation:.4}   {alphas}   {fitting:.1} s   {predicting:.1} s", kind.title());
    }
    Ok(())
}
