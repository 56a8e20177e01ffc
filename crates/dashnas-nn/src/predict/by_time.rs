//! Predictions of windows, with their places in the recordings, and predictions of time steps.

use crate::predict::columns::{Column, ColumnValues};
use crate::predict::prediction::Prediction;
use dashnas_core::math::argmax;
use dashnas_formats::array::Array;
use dashnas_formats::places::{Place, Recording, Times, Windows};

/// A number of a step or row, for a table.
fn whole(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// A column of the times of steps, if all recordings have some: numbers, or the texts of dates.
fn times(name: &str, windows: &Windows, steps: &[(usize, usize)]) -> Option<Column> {
    let known = |recording: &Recording| recording.times.is_some();
    if !windows.recordings.iter().all(known) || windows.recordings.is_empty() {
        return None;
    }
    let dates = windows.recordings.iter().any(|recording| matches!(recording.times, Some(Times::Texts(_))));
    let number = |&(recording, step): &(usize, usize)| match &windows.recordings[recording].times {
        Some(Times::Numbers(numbers)) => numbers.get(step).copied().unwrap_or(f64::NAN),
        Some(Times::Rate(rate)) => step as f64 / rate,
        _ => f64::NAN,
    };
    let text = |place: &(usize, usize)| match &windows.recordings[place.0].times {
        Some(Times::Texts(texts)) => texts.get(place.1).cloned().unwrap_or_default(),
        _ => number(place).to_string(),
    };
    let values = if dates {
        ColumnValues::Texts(steps.iter().map(text).collect())
    } else {
        ColumnValues::Doubles(steps.iter().map(number).collect())
    };
    Some(Column { name: name.into(), values })
}

/// A column of the names of recordings.
fn names(windows: &Windows, recordings: impl Iterator<Item = usize>) -> Column {
    let name = |recording: usize| windows.recordings[recording].name.clone();
    Column { name: "recording".into(), values: ColumnValues::Texts(recordings.map(name).collect()) }
}

/// A column of numbers of steps or rows.
pub fn numbers(name: &str, values: impl Iterator<Item = usize>) -> Column {
    Column { name: name.into(), values: ColumnValues::Numbers(values.map(whole).collect()) }
}

/// The places of the windows that samples are: the recording, the first step, the step after the last one, and the times
/// of the first and the last step where they are known.
pub fn places(windows: &Windows) -> Vec<Column> {
    let all: Vec<Place> = windows.splits.concat();
    let mut columns = vec![
        names(windows, all.iter().map(|place| place.recording)),
        numbers("start", all.iter().map(|place| place.start)),
        numbers("end", all.iter().map(|place| place.end)),
    ];
    let steps = |step: fn(&Place) -> usize| all.iter().map(|p| (p.recording, step(p))).collect::<Vec<_>>();
    columns.extend(times("start_time", windows, &steps(|place| place.start)));
    columns.extend(times("end_time", windows, &steps(|place| place.end.saturating_sub(1))));
    columns
}

/// Predictions of time steps.
#[derive(Debug, Clone)]
pub struct PredictedSteps {
    /// One row for each time step.
    pub prediction: Prediction,
    /// The recording and the step of each row.
    pub steps: Vec<(usize, usize)>,
    /// The number of steps that no window covers.
    pub uncovered: usize,
}

/// Predicts time steps from the predictions of windows: the probabilities or values of a step are the means of those of
/// the windows that cover it, and its class is the most probable one. Steps that no window covers are left out.
///
/// `prediction` has one row for each window, `[N, outputs]`.
pub fn by_time(prediction: &Prediction, windows: &Windows) -> PredictedSteps {
    let width = prediction.values.row_len();
    let mut of: Vec<Vec<(Place, usize)>> = windows.recordings.iter().map(|_| Vec::new()).collect();
    for (row, place) in windows.splits.concat().into_iter().enumerate() {
        of[place.recording].push((place, row));
    }
    let (mut steps, mut data, mut uncovered) = (Vec::new(), Vec::new(), 0);
    for (r, (recording, covering)) in windows.recordings.iter().zip(of).enumerate() {
        let mut sums = vec![0.0f64; recording.steps * width];
        let mut counts = vec![0u32; recording.steps];
        for (place, row) in covering {
            for step in place.start..place.end.min(recording.steps) {
                counts[step] += 1;
                let sum = &mut sums[step * width..(step + 1) * width];
                sum.iter_mut().zip(prediction.values.row(row)).for_each(|(sum, &v)| *sum += f64::from(v));
            }
        }
        for (step, &count) in counts.iter().enumerate() {
            if count == 0 {
                uncovered += 1;
                continue;
            }
            steps.push((r, step));
            let sum = &sums[step * width..(step + 1) * width];
            data.extend(sum.iter().map(|sum| (sum / f64::from(count)) as f32));
        }
    }
    let mut places = vec![names(windows, steps.iter().map(|s| s.0)), numbers("step", steps.iter().map(|s| s.1))];
    if windows.recordings.iter().all(|recording| recording.rows.is_some()) {
        let row = |&(recording, step): &(usize, usize)| {
            windows.recordings[recording].rows.as_ref().and_then(|rows| rows.get(step)).copied().unwrap_or(0)
        };
        places.push(numbers("row", steps.iter().map(row)));
    }
    places.extend(times("time", windows, &steps));
    let values = Array::new(vec![steps.len(), width], data);
    let class = |_: &Vec<u32>| values.data.chunks_exact(width.max(1)).map(|row| argmax(row) as u32).collect();
    let classes = prediction.classes.as_ref().map(class);
    let centers = prediction.centers.clone();
    PredictedSteps { prediction: Prediction { values, centers, classes, ids: None, places }, steps, uncovered }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_the_mean_of_the_windows_that_cover_it() {
        let recording = |name: &str, steps: usize, times: Times| Recording {
            name: name.into(),
            steps,
            times: Some(times),
            rows: None,
        };
        let place = |recording, start, end| Place { recording, start, end };
        let windows = Windows {
            recordings: vec![recording("a", 6, Times::Rate(2.0)), recording("b", 2, Times::Numbers(vec![7.0, 9.0]))],
            splits: vec![vec![place(0, 0, 3), place(0, 2, 5), place(1, 0, 2)]],
            ..Windows::default()
        };
        let values = Array::new(vec![3, 2], vec![0.75, 0.25, 0.125, 0.875, 0.5, 0.5]);
        let prediction = Prediction {
            values,
            centers: Vec::new(),
            classes: Some(vec![0, 1, 0]),
            ids: None,
            places: places(&windows),
        };
        let of = |name: &str, columns: &[Column]| {
            columns.iter().find(|column| column.name == name).map(|column| column.values.clone())
        };
        assert_eq!(of("end_time", &prediction.places), Some(ColumnValues::Doubles(vec![1.0, 2.0, 9.0])));
        let PredictedSteps { prediction: steps, steps: numbers, uncovered } = by_time(&prediction, &windows);
        assert_eq!((uncovered, numbers[5]), (1, (1, 0)));
        let expected = [0.75, 0.25, 0.75, 0.25, 0.4375, 0.5625, 0.125, 0.875, 0.125, 0.875, 0.5, 0.5, 0.5, 0.5];
        assert_eq!(steps.values, Array::new(vec![7, 2], expected.to_vec()));
        assert_eq!(steps.classes, Some(vec![0, 0, 1, 1, 1, 0, 0]));
        assert_eq!(of("step", &steps.places), Some(ColumnValues::Numbers(vec![0, 1, 2, 3, 4, 0, 1])));
        let expected = ColumnValues::Doubles(vec![0.0, 0.5, 1.0, 1.5, 2.0, 7.0, 9.0]);
        assert_eq!(of("time", &steps.places), Some(expected));
        assert_eq!(of("row", &steps.places), None);
    }
}
