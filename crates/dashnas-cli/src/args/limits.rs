//! Limits on time, memory, parameters and latency, and the tuner, whose default depends on the time limit.

use crate::args::flags::flag;
use clap::Args;
use clap::builder::PossibleValuesParser;
use dashnas::config::layers::Override;
use dashnas_core::names::Tuner;

/// The limits of a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// The longest time for the whole run, as in 90s, 20m or 1h30m; all stages are planned to fit into it, and a run that
    /// needs less ends earlier.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    time_limit: Option<f64>,
    /// Use all of the time limit: where it leaves time to spare, search, tune and train for longer.
    #[arg(long)]
    use_all_the_time: bool,
    /// The limit on resident memory, as in 800M or 4G.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory_limit: Option<i64>,
    /// The largest number of parameters of the searched network, as in 200000 or 1.5M.
    #[arg(long, value_name = "N", value_parser = count)]
    max_params: Option<i64>,
    /// The longest time in milliseconds that the searched network may take for one sample on this machine.
    #[arg(long, value_name = "MS", value_parser = milliseconds)]
    max_latency: Option<f64>,
    /// The method of tuning the training hyperparameters [default: grid; with a time limit, the one that fits].
    #[arg(long, value_parser = PossibleValuesParser::new(Tuner::ALL.map(Tuner::name)))]
    tuner: Option<String>,
}

impl Limits {
    /// The keys of the configuration that are set by these options.
    pub fn overrides(&self) -> impl Iterator<Item = Override> {
        [
            self.time_limit.map(|v| Override::new("budget.time-limit", v, flag("budget.time-limit"))),
            self.use_all_the_time
                .then(|| Override::new("budget.use-all-the-time", true, flag("budget.use-all-the-time"))),
            self.memory_limit.map(|v| Override::new("budget.memory-limit", v, flag("budget.memory-limit"))),
            self.max_params.map(|v| Override::new("budget.max-params", v, flag("budget.max-params"))),
            self.max_latency.map(|v| Override::new("budget.max-latency", v, flag("budget.max-latency"))),
            self.tuner.as_deref().map(|v| Override::new("tune.tuner", v, flag("tune.tuner"))),
        ]
        .into_iter()
        .flatten()
    }
}

/// Seconds of `90`, `90s`, `20m`, `1h30m`, `1.5h` or `2d`.
fn duration(text: &str) -> Result<f64, String> {
    let wrong = || format!("expected a time such as 90s, 20m or 1h30m, not {text:?}");
    let mut rest = text.trim();
    let mut seconds = 0.0;
    // The units get smaller from one part to the next.
    let mut last = f64::INFINITY;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().map_err(|_| wrong())?;
        let after = rest[end..].trim_start();
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let unit = match after[..unit_end].trim() {
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            "" if last.is_infinite() && unit_end == after.len() => 1.0,
            _ => return Err(wrong()),
        };
        if unit >= last {
            return Err(wrong());
        }
        last = unit;
        seconds += number * unit;
        rest = &after[unit_end..];
    }
    if seconds > 0.0 { Ok(seconds) } else { Err(wrong()) }
}

/// The fewest bytes that are taken without a unit: less cannot be meant, since no run fits into it.
const SMALLEST: i64 = 1 << 20;

/// Bytes of `800M`, `4G`, `1.5GiB`; multiples of 1024.
fn size(text: &str) -> Result<i64, String> {
    let trimmed = text.trim().trim_end_matches(['b', 'B']).trim_end_matches('i');
    let scale = |unit: char| match unit.to_ascii_uppercase() {
        'K' => Some(10),
        'M' => Some(20),
        'G' => Some(30),
        'T' => Some(40),
        _ => None,
    };
    let shift = trimmed.chars().next_back().and_then(scale);
    let number = if shift.is_some() { &trimmed[..trimmed.len() - 1] } else { trimmed };
    let factor = f64::from(1u32 << 10).powi(shift.unwrap_or(0) / 10);
    let bytes = whole(number, factor).ok_or_else(|| format!("expected a size such as 800M or 4G, not {text:?}"))?;
    if shift.is_none() && bytes < SMALLEST {
        return Err(format!("{bytes} has no unit: write {bytes}M or {bytes}G"));
    }
    Ok(bytes)
}

/// `200000`, `200k` or `1.5M`; multiples of 1000.
fn count(text: &str) -> Result<i64, String> {
    let trimmed = text.trim();
    let (number, factor) = match trimmed.chars().next_back() {
        Some('k' | 'K') => (&trimmed[..trimmed.len() - 1], 1e3),
        Some('m' | 'M') => (&trimmed[..trimmed.len() - 1], 1e6),
        _ => (trimmed, 1.0),
    };
    whole(number, factor).ok_or_else(|| format!("expected a number such as 200000 or 1.5M, not {text:?}"))
}

fn milliseconds(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches("ms").trim_end().parse::<f64>().ok();
    number
        .filter(|ms| ms.is_finite() && *ms > 0.0)
        .ok_or_else(|| format!("expected milliseconds above 0, not {text:?}"))
}

/// The product of a number and a factor as a whole number from 1 on.
fn whole(number: &str, factor: f64) -> Option<i64> {
    let value = number.trim().parse::<f64>().ok()? * factor;
    (value >= 1.0 && value < i64::MAX as f64).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        let read = |text| duration(text).ok();
        assert_eq!(
            ["90", "90s", "20m", "1h30m", "1.5h", "2d", "1m 30s"].map(|t| read(t).unwrap_or(0.0)),
            [90.0, 90.0, 1200.0, 5400.0, 5400.0, 172_800.0, 90.0]
        );
        for wrong in ["", "0", "m", "-5m", "5x", "30s1m", "1h30", "5m5m", "nan", "inf"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_and_counts_are_read_with_their_multiples() {
        assert_eq!(
            ["2000000", "800M", "4G", "1.5GiB", "2gb", "64K"].map(|t| size(t).unwrap_or(0)),
            [2_000_000, 800 << 20, 4 << 30, 3 << 29, 2 << 30, 64 << 10]
        );
        assert_eq!(["200000", "200k", "1.5M"].map(|t| count(t).unwrap_or(0)), [200_000, 200_000, 1_500_000]);
        for wrong in ["", "0", "G", "-1G", "4X", "nan", "1e30T"] {
            assert!(size(wrong).is_err(), "{wrong}");
            assert!(count(wrong).is_err(), "{wrong}");
        }
        assert_eq!(size("4"), Err("4 has no unit: write 4M or 4G".into()));
        assert_eq!(milliseconds("2.5"), Ok(2.5));
        assert_eq!(milliseconds("2 ms"), Ok(2.0));
        assert!(milliseconds("0").is_err() && milliseconds("inf").is_err());
    }
}
