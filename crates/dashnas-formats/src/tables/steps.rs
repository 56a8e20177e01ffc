//! Tables whose rows are the time steps of recordings, not samples.

use crate::account::ColumnRole;
use crate::error::DataError;
use crate::tables::chunk::{Chunk, Keep};
use crate::tables::draft::{Draft, rises_in_pieces};
use crate::tables::number::Style;

/// Fewest rows that are looked at.
const ROWS: usize = 64;
/// Most rows that are looked at.
const MOST: usize = 50_000;
/// Most inputs of a recording.
const INPUTS: usize = 32;
/// Values that follow each other at random have a ratio of 2, with little chance of less than 1 in [`ROWS`] rows.
const SMOOTH: f64 = 0.5;

/// Warns of a table whose rows are the time steps of one or several recordings: by a column of times that rises, or by
/// inputs that change little from row to row, while the label stays the same.
///
/// # Errors
/// The errors of reading the columns.
pub(crate) fn warn(draft: &mut Draft<'_>) -> Result<(), DataError> {
    let (table, rows) = (draft.table, draft.table.rows());
    let inputs = draft.with(ColumnRole::Input);
    let [label] = draft.with(ColumnRole::Label)[..] else { return Ok(()) };
    let labels = draft.of(label);
    let starts: Vec<usize> = (0..labels.len()).filter(|&i| i == 0 || labels[i] != labels[i - 1]).collect();
    if inputs.is_empty() || inputs.len() > INPUTS || rows < ROWS || starts.is_empty() {
        return Ok(());
    }
    // A quantity may change with every step, but little.
    let sorted = inputs.iter().any(|&c| table.columns[c].facts.up || table.columns[c].facts.down);
    let quantity: Option<Vec<f32>> = labels.iter().map(|text| text.parse().ok()).collect();
    let slow = starts.len() * 8 > rows && !sorted && quantity.is_some_and(|values| is_smooth(&values, &[0]));
    if starts.len() * 8 > rows && !slow {
        return Ok(());
    }
    let starts = if slow { vec![0] } else { starts };
    let numeric = |&c: &usize| table.columns[c].facts.is_numeric();
    let times: Vec<usize> = draft.with(ColumnRole::Time).into_iter().filter(numeric).collect();
    draft.read(&times)?;
    let reason = if let Some(&c) = draft.with(ColumnRole::Time).iter().find(|&&c| table.columns[c].facts.up) {
        format!("column {} rises throughout", draft.name(c))
    } else if let Some(&c) = times.iter().find(|&&c| rises_in_pieces(draft.of(c))) {
        format!("column {} rises and begins anew", draft.name(c))
    } else if are_smooth(draft, &inputs, &starts)? {
        "the inputs change little from row to row".to_owned()
    } else {
        return Ok(());
    };
    let label = draft.name(label);
    let stays = match slow {
        true => "changes little from row to row".to_owned(),
        false => format!("stays the same for {} rows on average", rows / starts.len()),
    };
    let sides = match draft.first(ColumnRole::Group) {
        Some(_) => "",
        None => ", and neighboring time steps are on both sides of the split",
    };
    draft.warn(format!(
        "the rows look like the time steps of a recording, not like samples: {reason}, and {label} {stays}{sides}; set `data.window` to the length of windows that the \
         recording is cut into, for example `data.window = 128`"
    ));
    Ok(())
}

/// Returns whether most inputs change little from row to row where the label stays the same, compared with how much they
/// vary there (von Neumann's ratio). `starts` are the rows with another label than the row before.
fn are_smooth(draft: &Draft<'_>, inputs: &[usize], starts: &[usize]) -> Result<bool, DataError> {
    let table = draft.table;
    let style = Style::of_option(draft.options.decimal.as_deref().or(table.decimal.as_deref()));
    if inputs.iter().any(|&c| !table.columns[c].facts.is_numeric()) {
        return Ok(false);
    }
    let mut values: Vec<Vec<f32>> = vec![Vec::new(); inputs.len()];
    for segment in table.source.segments(inputs, true) {
        if values.first().is_some_and(|values| values.len() >= MOST) {
            break;
        }
        table.source.read(&segment, &mut |batch| {
            for (array, values) in batch.columns().iter().zip(&mut values).filter(|(_, values)| values.len() < MOST) {
                let mut chunk = Chunk::default();
                chunk.add(array.as_ref(), Keep { numbers: true, style, texts: None, center: 0.0 });
                values.append(&mut chunk.numbers);
            }
            Ok(())
        })?;
    }
    let smooth = values.iter().filter(|values| is_smooth(values, starts)).count();
    Ok(smooth * 2 >= inputs.len())
}

/// Returns whether values change little from one to the next. Values by which the rows are sorted never turn, and few
/// different values are no signal.
fn is_smooth(values: &[f32], starts: &[usize]) -> bool {
    let (mut steps, mut variance, mut turns, mut runs) = (0.0, 0.0, 0usize, 0usize);
    for (k, &start) in starts.iter().enumerate() {
        let end = starts.get(k + 1).map_or(values.len(), |&end| end.min(values.len()));
        let Some(run) = values.get(start..end).filter(|run| !run.is_empty()) else { break };
        let mean = run.iter().map(|&v| f64::from(v)).sum::<f64>() / run.len() as f64;
        variance += run.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>();
        steps += run.windows(2).map(|pair| f64::from(pair[1] - pair[0]).powi(2)).sum::<f64>();
        turns += run.windows(3).filter(|w| (w[1] - w[0]) * (w[2] - w[1]) < 0.0).count();
        runs += 1;
    }
    let mut distinct: Vec<u32> = values.iter().map(|v| v.to_bits()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    variance > 0.0 && steps < SMOOTH * variance && turns > runs && distinct.len() > 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_told_from_samples() {
        let noise = |i: usize| ((i * 7919 + 13) % 101) as f32 / 101.0;
        type Signal = fn(usize, f32) -> f32;
        let cases: [(&str, Signal, bool); 4] = [
            ("a slow wave", |i, _| (i as f32 / 9.0).sin(), true),
            ("a slow wave with noise", |i, noise| (i as f32 / 9.0).sin() + noise / 4.0, true),
            ("noise", |_, noise| noise, false),
            ("sorted values", |i, _| i as f32, false),
        ];
        for (name, value, expected) in cases {
            let values: Vec<f32> = (0..300).map(|i| value(i, noise(i))).collect();
            assert_eq!(is_smooth(&values, &[0, 100, 200]), expected, "{name}");
        }
        // Classes of different means, each without order.
        let classes: Vec<f32> = (0..300).map(|i| (i / 100) as f32 * 5.0 + noise(i)).collect();
        assert!(!is_smooth(&classes, &[0, 100, 200]));
    }
}
