//! The score that networks and trials are compared by.

/// The score of a network on held-out data: scores compare by the metric, and by the loss where metrics tie, as the
/// error rates over few samples often do.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Score {
    /// The task's metric, an error (lower is better); `None` where it is undefined on the held-out data.
    pub metric: Option<f64>,
    /// The training loss, on the same data.
    pub loss: f64,
}

impl Score {
    /// Whether this score is strictly better than `other`.
    pub fn beats(self, other: Score) -> bool {
        match (self.metric, other.metric) {
            (Some(mine), Some(theirs)) if mine != theirs => mine < theirs,
            _ => self.loss < other.loss,
        }
    }

    /// Whether loss and metric are numbers.
    pub fn is_finite(self) -> bool {
        self.loss.is_finite() && self.metric.is_none_or(f64::is_finite)
    }
}
