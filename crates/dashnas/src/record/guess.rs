//! What the training targets suggest to guess for every sample.

use dashnas_core::task::TaskKind;
use dashnas_data::targets::Targets;

/// What is guessed for every sample, one score for each output: the most common class, the share of each label, or the
/// mean of the known training targets.
pub fn guess(task: TaskKind, train: &Targets) -> Vec<f32> {
    let outputs = task.outputs();
    let values = match train {
        Targets::Classes(labels) => {
            let mut counts = vec![0u32; outputs];
            labels.iter().for_each(|&label| counts[label as usize] += 1);
            // Only their order matters to the error rate, and as logits they give each class its share.
            return counts.into_iter().map(|n| f64::from(n).max(0.5).ln() as f32).collect();
        }
        Targets::Values(values) => values,
    };
    let positions = values.row_len() / outputs.max(1);
    let mean = |output: usize| {
        let of_output = |row: usize| &values.row(row)[output * positions..(output + 1) * positions];
        let known = (0..values.rows()).flat_map(of_output).filter(|v| !v.is_nan());
        let (sum, count) = known.fold((0.0, 0u64), |(sum, count), &v| (sum + f64::from(v), count + 1));
        sum / count.max(1) as f64
    };
    let score = |output: usize| match task {
        TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => {
            let share = mean(output).clamp(1e-6, 1.0 - 1e-6);
            (share / (1.0 - share)).ln() as f32
        }
        _ => mean(output) as f32,
    };
    (0..outputs).map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_formats::array::Array;

    #[test]
    fn guesses_are_means_of_the_known_targets() {
        let values = |shape: &[usize], data: &[f32]| Targets::Values(Array::new(shape.to_vec(), data.to_vec()));
        assert_eq!(
            guess(TaskKind::Regression { outputs: 2 }, &values(&[2, 2], &[1.0, f32::NAN, 3.0, 8.0])),
            [2.0, 8.0]
        );
        let field = values(&[1, 1, 4], &[1.0, 2.0, 3.0, 6.0]);
        assert_eq!(guess(TaskKind::DenseRegression { channels: 1 }, &field), [3.0]);
        let labels = guess(TaskKind::MultiLabel { labels: 1 }, &values(&[4, 1], &[1.0, 0.0, 0.0, 0.0]));
        assert!((labels[0] - (1.0f32 / 3.0).ln()).abs() < 1e-6, "{labels:?}");
    }
}
