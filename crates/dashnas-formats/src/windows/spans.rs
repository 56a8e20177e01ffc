//! The length of windows, and the distance between them, in time steps.

use crate::error::DataError;
use crate::limits::check_memory;
use crate::options::{ReadOptions, Span};
use std::path::Path;

/// By how much the rates of recordings may differ that are read as if they were equal.
const TOLERANCE: f64 = 0.05;

/// The length and the distance of windows in time steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Steps of a window.
    pub window: usize,
    /// Steps from the beginning of a window to that of the next.
    pub stride: usize,
}

/// Finds the sizes of windows, and writes them and the rate into the options, so that other recordings are cut alike.
/// `rate` is the number of steps in a second, if it is known, and `path` a recording of this rate.
///
/// # Errors
/// [`DataError::File`] if a duration is given and the rate is not known, if the sizes are too small or too large, or if
/// the rate is not that of the recordings that were read before.
pub(crate) fn sizes(path: &Path, rate: Option<f64>, options: &mut ReadOptions) -> Result<Sizes, DataError> {
    if let (Some(rate), Some(before)) = (rate, options.rate)
        && differ(rate, before)
    {
        let reason =
            format!("it has {}, but the recordings of the training data have {}", per_second(rate), short(before));
        return Err(DataError::file(path, reason)
            .with_hint("a window has as many steps in every recording: bring all recordings to one rate first"));
    }
    let steps = |span: Span, key: &str, least: usize| {
        let steps = match (span, rate.or(options.rate)) {
            (Span::Steps(n), _) => n as f64,
            (Span::Seconds(s), Some(rate)) => (s * rate).round(),
            (Span::Seconds(_), None) => {
                let reason = format!("`{key}` is given in seconds, but the rate of the recordings is not known");
                return Err(DataError::file(path, reason)
                    .with_hint(format!("give `{key}` in time steps, or name the column of times with `data.time`")));
            }
        };
        if steps < least as f64 || steps > (1u64 << 40) as f64 {
            let rate = match (span, rate.or(options.rate)) {
                (Span::Seconds(_), Some(rate)) => format!(" at {}", per_second(rate)),
                _ => String::new(),
            };
            let reason = format!("`{key}` of {span} is {steps} time steps{rate}, which is no length of a window");
            return Err(DataError::file(path, reason).with_hint(format!("give at least {least} time steps")));
        }
        Ok(steps as usize)
    };
    let Some(window) = options.window else { return Err(DataError::file(path, "`data.window` is not set")) };
    let window = steps(window, "data.window", 2)?;
    let stride = options.stride.map_or(Ok(window), |stride| steps(stride, "data.stride", 1))?;
    check_memory(path, "window", window as u128, options)?;
    options.window = Some(Span::Steps(window));
    options.stride = Some(Span::Steps(stride));
    options.rate = options.rate.or(rate);
    Ok(Sizes { window, stride })
}

/// Returns whether two rates differ too much for windows of as many steps.
pub(crate) fn differ(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() > TOLERANCE
}

/// A rate with its unit: `1 step a second`, `2.5 steps a second`.
pub(crate) fn per_second(rate: f64) -> String {
    let rate = short(rate);
    let noun = if rate == "1" { "step" } else { "steps" };
    format!("{rate} {noun} a second")
}

/// A rate in few characters.
pub(crate) fn short(v: f64) -> String {
    if v >= 100.0 { format!("{v:.0}") } else { format!("{:.4}", v).trim_end_matches('0').trim_end_matches('.').into() }
}
