//! Whether the seeds show a difference between the best two methods.

use crate::comparison::method_result::MethodResult;
use dashnas::evaluation::statistics::student_quantile;
use dashnas_core::math::mean_and_deviation;
use dashnas_core::task::Metric;
use dashnas_core::text::plural;

/// Whether the means of two samples differ by Welch's t-test at the level of 5 %, with the degrees of freedom rounded down.
/// `None` if one of them has fewer than two values, so that it shows no spread.
pub fn differ(a: &[f64], b: &[f64]) -> Option<bool> {
    let ((mean_a, deviation_a), (mean_b, deviation_b)) = (mean_and_deviation(a)?, mean_and_deviation(b)?);
    if a.len() < 2 || b.len() < 2 {
        return None;
    }
    let share = |deviation: f64, values: &[f64]| deviation * deviation / values.len() as f64;
    let (of_a, of_b) = (share(deviation_a, a), share(deviation_b, b));
    let (both, distance) = (of_a + of_b, (mean_a - mean_b).abs());
    if both == 0.0 {
        return Some(distance > 0.0);
    }
    let part = |of: f64, values: &[f64]| of * of / (values.len() - 1) as f64;
    let freedom = both * both / (part(of_a, a) + part(of_b, b));
    Some(distance > student_quantile((freedom as usize).max(1)) * both.sqrt())
}

/// What can be said of the best method against the next one, and against guessing; `None` without a method. The methods
/// are sorted by their mean error.
pub fn verdict(methods: &[MethodResult], guessing: Option<f64>, metric: Metric) -> Option<String> {
    let best = methods.first()?;
    let format = |value: f64| metric.format(value);
    let over = plural(best.errors.len(), "seed");
    let mut text = match methods.get(1) {
        None => format!("Only {} has a result: {} over {over}.", best.method, format(best.test.mean)),
        Some(next) => {
            let followed = if next.test.mean == best.test.mean { "as has" } else { "followed by" };
            let means = format!(
                "{} has the lowest mean test error ({}, {over}), {followed} {} ({}, {})",
                best.method,
                format(best.test.mean),
                next.method,
                format(next.test.mean),
                plural(next.errors.len(), "seed")
            );
            match differ(&best.errors, &next.errors) {
                None => format!("{means}. A single seed shows no spread, so that nothing is known of the difference."),
                Some(true) => format!("{means}: a difference beyond the spread over the seeds (Welch's t-test, 5 %)."),
                Some(false) => {
                    let others = |found: Option<bool>, before: &str| {
                        let of = methods[2..].iter().filter(|other| differ(&best.errors, &other.errors) == found);
                        let names: Vec<&str> = of.map(|other| other.method.as_str()).collect();
                        if names.is_empty() { String::new() } else { format!(" {before} {}.", names.join(", ")) }
                    };
                    let same = others(Some(false), "The same holds for");
                    let worse = others(Some(true), "Beyond the spread over the seeds, it is better than");
                    let single = others(None, "A single seed says nothing of the difference to");
                    let few = if best.errors.len().min(next.errors.len()) < 3 {
                        " With two seeds, only very large differences show; `--seeds 5` shows smaller ones."
                    } else {
                        ""
                    };
                    format!(
                        "{means}: no difference that these seeds can show (Welch's t-test, 5 %).{same}{worse}{single}{few}"
                    )
                }
            }
        }
    };
    if guessing.is_some_and(|guessing| best.test.mean >= guessing) {
        text += " No method is better than guessing.";
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas::record::folds::Spread;
    use std::collections::BTreeMap;

    #[test]
    fn means_differ_by_welchs_test() {
        // t = 6.97 at 2.9 degrees of freedom, 1.26 at 3.4, and 1.91 and 2.30 at 78, worked out by hand from the definition.
        assert_eq!(differ(&[0.10, 0.11, 0.12], &[0.20, 0.22, 0.18]), Some(true));
        assert_eq!(differ(&[0.10, 0.11, 0.12], &[0.12, 0.11, 0.14]), Some(false));
        assert_eq!((differ(&[0.1], &[0.2, 0.3]), differ(&[], &[0.1, 0.2])), (None, None));
        assert_eq!((differ(&[0.1, 0.1], &[0.1, 0.1]), differ(&[0.1, 0.1], &[0.2, 0.2])), (Some(false), Some(true)));
        let many: Vec<f64> = (0..40).map(f64::from).collect();
        assert_eq!(differ(&many, &many.iter().map(|v| v + 5.0).collect::<Vec<_>>()), Some(false));
        assert_eq!(differ(&many, &many.iter().map(|v| v + 6.0).collect::<Vec<_>>()), Some(true));
    }

    fn method(name: &str, errors: &[f64]) -> MethodResult {
        MethodResult {
            method: name.into(),
            title: String::new(),
            source: String::new(),
            errors: errors.to_vec(),
            test: Spread::of(errors).expect("values"),
            skipped: BTreeMap::new(),
            seconds: BTreeMap::new(),
            total_seconds: 1.0,
            params: 1.0,
            peak_memory: None,
            latency_ms: None,
        }
    }

    #[test]
    fn the_text_says_what_the_seeds_cannot_show() {
        let (a, b) = (method("a", &[0.10, 0.11, 0.12]), method("b", &[0.12, 0.11, 0.14]));
        let (c, d) = (method("c", &[0.11, 0.13, 0.14]), method("d", &[0.5, 0.51, 0.52]));
        let say = |methods: &[MethodResult], guessing| {
            verdict(methods, guessing, Metric::ZeroOneError).expect("there is a method")
        };
        let text = say(&[a.clone(), b, c, d.clone()], Some(0.6));
        assert!(text.starts_with("a has the lowest mean test error (11.00 %, 3 seeds), followed by b"), "{text}");
        let end = "no difference that these seeds can show (Welch's t-test, 5 %). The same holds for c. Beyond the spread over \
                   the seeds, it is better than d.";
        assert!(text.ends_with(end), "{text}");
        let two = say(&[method("f", &[0.1, 0.2]), method("g", &[0.12, 0.2]), method("h", &[0.3])], None);
        assert!(two.contains("nothing of the difference to h.") && two.contains("`--seeds 5`"), "{two}");
        assert!(say(&[a.clone(), d], None).contains("beyond the spread"));
        let single = say(&[method("e", &[0.1]), a.clone()], None);
        assert!(single.contains("1 seed)") && single.contains("shows no spread"), "{single}");
        assert!(say(&[a], Some(0.1)).ends_with("No method is better than guessing."));
        assert_eq!(verdict(&[], None, Metric::ZeroOneError), None);
    }
}
