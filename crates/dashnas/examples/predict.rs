//! Loads the model that the example `run` trained, and predicts the classes of new series.
//!
//! ```console
//! $ cargo run --release --example run -- runs/pulses
//! $ cargo run --release --example predict -- runs/pulses
//! ```
//!
//! A model takes inputs as the data set had them, `[samples, channels, length]` for series and `[samples, channels,
//! height, width]` for images. It repeats the normalization and the transforms of its training data itself. A network
//! with global pooling, such as this one, takes series of any length.

use dashnas::Model;
use dashnas_formats::array::Array;

/// A series of some length with pulses at two positions.
fn series(length: usize, pulses: [usize; 2]) -> Vec<f32> {
    let mut series = vec![0.15; length];
    pulses.into_iter().for_each(|position| series[position] += 1.0);
    series
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args().nth(1).unwrap_or_else(|| "runs/pulses".to_owned());
    // A run directory or a file `model.dashnas`.
    let model = Model::load(&directory)?;
    let card = model.card();
    println!("{} for the data set {}, inputs {:?}", card.task, card.data, card.read_as);

    let pulses = [[5, 11], [30, 36], [5, 18], [30, 43]];
    let length = 48;
    let inputs: Vec<f32> = pulses.into_iter().flat_map(|positions| series(length, positions)).collect();
    let predicted = model.predict(&Array::new(vec![pulses.len(), 1, length], inputs))?;

    // For a classification, `values` are the probabilities [samples, classes], and `classes` the most probable classes.
    let classes = predicted.classes.ok_or("the model is not a classifier")?;
    for (row, ([first, second], class)) in pulses.into_iter().zip(classes).enumerate() {
        let probability = predicted.values.row(row)[class as usize];
        println!("pulses {:>2} apart: class {class}, probability {probability:.2}", second - first);
    }
    Ok(())
}
