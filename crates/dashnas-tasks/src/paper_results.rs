//! The results that the paper reports for its tasks: the errors of its Table 2 with the deviations of its Table 5.

use dashnas_core::task::Metric;
use serde::{Deserialize, Serialize};

/// The lines of the file, `task,method,error,deviation` with the digits of the paper, in the order of its Table 2.
const FILE: &str = include_str!("paper_results.csv");

/// The metric of each task in the paper, and whether the paper gives it in percent.
const METRICS: [(&str, Metric, bool); 10] = [
    ("cifar100", Metric::ZeroOneError, true),
    ("spherical", Metric::ZeroOneError, true),
    ("darcy-flow", Metric::RelativeL2, false),
    ("psicov", Metric::ContactMae, false),
    ("cosmic", Metric::OneMinusAuroc, false),
    ("ninapro", Metric::ZeroOneError, true),
    ("fsd50k", Metric::OneMinusMap, false),
    ("ecg", Metric::OneMinusF1, false),
    ("satellite", Metric::ZeroOneError, true),
    ("deepsea", Metric::OneMinusAuroc, false),
];

/// The result of a method on a task, as the paper reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaperResult {
    /// The name of the method in the paper.
    pub method: String,
    /// The error in the unit of the metric: shares, not percent.
    pub error: f64,
    /// Its standard deviation, in the same unit.
    pub deviation: f64,
    /// Both with the digits of the paper.
    pub written: String,
}

/// The metric in which the paper reports a task, and the results of all methods, in the order of its Table 2; `None` if it
/// is not one of its tasks.
pub fn of_task(task: &str) -> Option<(Metric, Vec<PaperResult>)> {
    let &(_, metric, percent) = METRICS.iter().find(|(name, ..)| *name == task)?;
    let (factor, unit) = if percent { (100.0, " %") } else { (1.0, "") };
    let result = |line: &str| {
        let [of, method, error, deviation] = line.split(',').collect::<Vec<_>>().try_into().ok()?;
        (of == task).then_some(())?;
        Some(PaperResult {
            method: method.to_owned(),
            error: error.parse::<f64>().ok()? / factor,
            deviation: deviation.parse::<f64>().ok()? / factor,
            written: format!("{error} ± {deviation}{unit}"),
        })
    };
    Some((metric, FILE.lines().skip(1).filter_map(result).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipes;

    #[test]
    fn every_line_is_a_result_of_a_task() {
        let all: Vec<Vec<PaperResult>> =
            recipes::ALL.iter().map(|recipe| of_task(recipe.name).expect("it is a task of the paper").1).collect();
        assert_eq!(all.iter().map(Vec::len).sum::<usize>(), FILE.lines().count() - 1);
        assert!(all.iter().flatten().all(|result| result.error > 0.0 && result.deviation >= 0.0));
        assert_eq!(of_task("mine.csv"), None);
    }

    #[test]
    fn results_are_in_the_unit_of_the_metric() {
        let find = |task: &str, method: &str| {
            let (_, results) = of_task(task).expect("a task");
            results.into_iter().find(|result| result.method == method)
        };
        let dash = find("cifar100", "DASH").expect("it is in the table");
        assert_eq!(dash.written, "24.37 ± 0.81 %");
        assert!((dash.error - 0.2437).abs() < 1e-12 && (dash.deviation - 0.0081).abs() < 1e-12);
        assert_eq!(find("darcy-flow", "DASH").expect("it is in the table").written, "0.0079 ± 0.002");
        assert_eq!((find("cifar100", "TCN"), find("ecg", "Auto-DL")), (None, None), "the paper has no figure");
    }

    #[test]
    fn the_metrics_are_those_of_the_recipes() {
        for (task, metric, _) in METRICS {
            let settings = recipes::find(task).expect("a task").common_settings();
            if let Some(own) = settings.iter().find_map(|setting| setting.strip_prefix("task.metric=")) {
                assert_eq!(own, metric.name(), "{task}");
            }
        }
    }
}
